//! Never stops talking.

wit_bindgen::generate!({
    inline: "package test:chatty;
        world chatty {
            import postern:kv/state@0.1.0;
            import postern:log/logging@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/kv", "../../../wit/log", "../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::{
    kv::state,
    log::logging::{self, Level},
};

struct Chatty;

export!(Chatty);

impl Guest for Chatty {
    fn call(tool: String, _arguments: String, _context: Context) -> Result<Outcome, Failure> {
        match tool.as_str() {
            "chatter" => loop {
                // Goes on whatever the answer is.
                let _ = state::get("again");
            },
            "stuff" => {
                let value = vec![7; 48 << 10];
                loop {
                    let _ = state::set("big", &value, 60);
                }
            }
            // One call that carries more than all calls together may.
            "stuff_at_once" => {
                let _ = state::set("huge", &vec![7; 16 << 20], 60);
                Ok(Outcome::Done)
            }
            "log_flood" => {
                for n in 0..1000 {
                    logging::log(Level::Info, &format!("line {n}"), &[]);
                }
                let long = "x".repeat(1 << 20);
                logging::log(Level::Error, &long, &[(long.clone(), long.clone())]);
                Ok(Outcome::Reply("logged".into()))
            }
            "print_flood" => {
                for n in 0..1000 {
                    println!("line {n}");
                }
                print!("{}", "y".repeat(1 << 20));
                Ok(Outcome::Reply("printed".into()))
            }
            "once" => match state::get("once") {
                Ok(value) => Ok(Outcome::Reply(format!("{value:?}"))),
                Err(failure) => Err(Failure::Unavailable(failure.message)),
            },
            // What the clocks show before the first call, and after each.
            "look_at_the_clock" => {
                let began = std::time::Instant::now();
                let times = (0..3).map(|n| {
                    if n > 0 {
                        let _ = state::get("time");
                    }
                    let wall = std::time::SystemTime::now()
                        .duration_since(std::time::UNIX_EPOCH)
                        .map_or(0, |since| since.as_millis());
                    format!("{wall}+{}", began.elapsed().as_millis())
                });
                Ok(Outcome::Reply(times.collect::<Vec<_>>().join(" ")))
            }
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}
