//! Ends badly.

wit_bindgen::generate!({
    inline: "package test:trapper;
        world trapper {
            import postern:log/logging@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/log", "../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};

struct Trapper;

export!(Trapper);

impl Guest for Trapper {
    fn call(tool: String, _arguments: String, _context: Context) -> Result<Outcome, Failure> {
        match tool.as_str() {
            "trap" => core::arch::wasm32::unreachable(),
            "panic" => panic!("out of ideas"),
            "overflow" => Ok(Outcome::Reply(depth(1).to_string())),
            "exit" => std::process::exit(3),
            "log" => {
                postern::log::logging::log(postern::log::logging::Level::Info, "still here", &[]);
                Ok(Outcome::Done)
            }
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}

#[expect(unconditional_recursion, reason = "that is the point")]
fn depth(n: u64) -> u64 {
    std::hint::black_box(depth(std::hint::black_box(n + 1)) + 1)
}
