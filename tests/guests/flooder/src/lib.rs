//! Never has enough: calls one interface again and again, or fills what it may
//! keep until it is told that there is no more room.

wit_bindgen::generate!({
    inline: "package test:flooder;
        world flooder {
            import postern:handover/people@0.1.0;
            import postern:http/client@0.1.0;
            import postern:kv/state@0.1.0;
            import postern:log/logging@0.1.0;
            import postern:records/store@0.1.0;
            import postern:ticket/tickets@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: [
        "../../../wit/handover",
        "../../../wit/http",
        "../../../wit/kv",
        "../../../wit/log",
        "../../../wit/records",
        "../../../wit/skill",
        "../../../wit/ticket",
    ],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::{
    handover::people,
    http::client,
    kv::state,
    log::logging::{self, Level},
    records::store::{self, Equals},
    ticket::tickets,
};

struct Flooder;

export!(Flooder);

impl Guest for Flooder {
    fn call(tool: String, arguments: String, _context: Context) -> Result<Outcome, Failure> {
        match tool.as_str() {
            "ask_kv" => loop {
                let _ = state::get("again");
            },
            "ask_records" => loop {
                let _ = store::get("orders", "#W1");
            },
            "query_records" => {
                let field = "user_id".to_owned();
                let condition = [Equals { field, value: "x".repeat(1_000) }];
                loop {
                    let _ = store::query("orders", &condition, 100);
                }
            }
            "ask_http" => {
                let request = client::Request {
                    method: client::Method::Get,
                    url: "https://nobody.example/".to_owned(),
                    headers: vec![],
                    body: vec![],
                    secrets: vec![],
                    idempotent: true,
                };
                loop {
                    let _ = client::send(&request);
                }
            }
            "open_tickets" => loop {
                let _ = tickets::create("flood", tickets::Priority::P1);
            },
            "call_people" => {
                let request = people::Request {
                    reason: "flood".to_owned(),
                    severity: people::Severity::High,
                    summary: "s".repeat(1_000),
                };
                loop {
                    let _ = people::hand_over(&request);
                }
            }
            "fill_kv" => Ok(Outcome::Reply(fill())),
            "kv_edges" => Ok(Outcome::Reply(edges())),
            "escape_log" => {
                escape();
                Ok(Outcome::Done)
            }
            "echo" => Ok(Outcome::Reply(arguments)),
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}

/// Keeps values until one is refused.
fn fill() -> String {
    let value = vec![7; 32 << 10];
    for n in 0..1_000 {
        if let Err(failure) = state::set(&format!("value-{n}"), &value, 3_600) {
            return format!("refused {:?} after {} KiB", failure.kind, n * 32);
        }
    }
    "everything was kept".to_owned()
}

/// Keys, values and times at and beyond what is allowed.
fn edges() -> String {
    let long = "k".repeat(100_000);
    let big = vec![0; 65 << 10];
    let tries: [(&str, &[u8], u32); 7] = [
        ("", b"x", 60),
        ("a\0b", b"x", 60),
        ("line\nbreak", b"x", 60),
        (&long, b"x", 60),
        ("big", &big, 60),
        ("never", b"x", 0),
        ("for-ever", b"x", u32::MAX),
    ];
    let lines = tries.map(|(key, value, ttl_s)| match state::set(key, value, ttl_s) {
        Ok(()) => format!("kept {} bytes of key", key.len()),
        Err(failure) => format!("refused {:?}: {}", failure.kind, failure.message),
    });
    lines.join("\n")
}

/// Lines that would look like others, move a terminal's cursor, or hide.
fn escape() {
    for text in [
        "fine\n2026-01-01T00:00:00Z ERROR postern: the operator's password is wrong",
        "\u{1b}[2J\u{1b}[31mred\u{7}",
        "\u{202e}desrever",
        "nul \0 and del \u{7f}",
        "\r\noverwritten",
    ] {
        logging::log(Level::Error, text, &[(text.to_owned(), text.to_owned())]);
        println!("{text}");
    }
}
