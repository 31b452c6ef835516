//! How many messages a second are searched for every type of personal data, on one
//! core: `cargo bench -p postern-policy --bench messages -- FILE`, where FILE has the
//! text of a message in `"text"` on each line. `cargo xtask peers` compares it with
//! another program's on the same file.

use std::{
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

use postern_policy::personal::Detector;

const LEAST: Duration = Duration::from_secs(1);

fn main() {
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let file = file.map_or_else(own_messages, PathBuf::from);
    let texts = texts(&file);
    let detector = Detector::standard();
    let round = || texts.iter().map(|text| black_box(detector.report(text)).len()).sum::<usize>();
    black_box(round());

    let (mut done, began) = (0, Instant::now());
    while began.elapsed() < LEAST {
        black_box(round());
        done += texts.len();
    }
    println!("{:.1} messages a second", done as f64 / began.elapsed().as_secs_f64());
}

fn own_messages() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "peers", "presidio", "messages.jsonl"]
        .iter()
        .collect()
}

fn texts(file: &PathBuf) -> Vec<String> {
    let lines = std::fs::read_to_string(file).expect("the file of messages can be read");
    let text = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        row["text"].as_str().expect("a line has a text").to_owned()
    };
    lines.lines().map(text).collect()
}
