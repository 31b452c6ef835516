//! Takes whatever it can get.

wit_bindgen::generate!({
    inline: "package test:hoarder;
        world hoarder { export postern:skill/tools@0.1.0; }",
    path: ["../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};

struct Hoarder;

export!(Hoarder);

impl Guest for Hoarder {
    fn call(tool: String, _arguments: String, _context: Context) -> Result<Outcome, Failure> {
        match tool.as_str() {
            "eat_memory" => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
                }
            }
            "long_answer" => Ok(Outcome::Reply("x".repeat(1 << 20))),
            // Within the limit: shows that one call leaves nothing to the next.
            "remember" => {
                static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
                let calls = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                let kept = std::hint::black_box(vec![1_u8; 8 << 20]);
                Ok(Outcome::Reply(format!("call {calls}, {} bytes", kept.len())))
            }
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}
