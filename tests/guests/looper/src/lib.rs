//! Loops forever, in ways that a host might miss.

wit_bindgen::generate!({
    inline: "package test:looper;
        world looper { export postern:skill/tools@0.1.0; }",
    path: ["../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};

struct Looper;

export!(Looper);

impl Guest for Looper {
    fn call(tool: String, _arguments: String, _context: Context) -> Result<Outcome, Failure> {
        match tool.as_str() {
            "loop_forever" => loop {
                std::hint::spin_loop();
            },
            // Crosses the border all the time, so that nothing but the sum of
            // many short stretches shows how much it uses.
            "loop_over_the_border" => loop {
                std::hint::black_box(std::time::Instant::now());
            },
            "loop_asleep" => loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            },
            "wait_an_hour" => {
                let before = std::time::Instant::now();
                std::thread::sleep(std::time::Duration::from_secs(3600));
                Ok(Outcome::Reply(format!("{} s", before.elapsed().as_secs())))
            }
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}
