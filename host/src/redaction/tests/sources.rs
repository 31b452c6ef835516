//! There is one way out for each kind of text; these tests read the sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The Rust files of the host, without tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && !["tests.rs", "fixture.rs"].contains(&name.as_str()) {
            found.push(path);
        }
    }
}

/// The files, other than these, of which the part before its tests says one of `words`.
fn saying(words: &[&str], but: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 100, "the sources are here");
    let mut saying = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        if !but.contains(&name.as_str()) && words.iter().any(|word| code.contains(word)) {
            saying.push(name);
        }
    }
    saying
}

#[test]
fn standard_error_has_one_door() {
    // One exists in the program of the crash tests alone and says constants; the other
    // lets an author's compiler speak to its author.
    let but = ["redaction/stderr.rs", "fault.rs", "author/process.rs"];
    let words = ["eprintln!", "eprint!", "io::stderr", "dbg!", "set_hook"];
    assert_eq!(saying(&words, &but), Vec::<String>::new());
}

#[test]
fn the_log_has_one_door() {
    let but = ["cli/output.rs", "redaction/stderr.rs"];
    let words = ["tracing_subscriber", "set_global_default", "opentelemetry"];
    assert_eq!(saying(&words, &but), Vec::<String>::new());
}

#[test]
fn the_audit_log_has_one_door() {
    assert_eq!(saying(&["SqliteStore::open("], &["app.rs"]), Vec::<String>::new());
}

#[test]
fn figures_have_one_door() {
    let words = ["Label::new", "Key::from_parts", "register_counter!", "counter!("];
    assert_eq!(saying(&words, &["metrics/labels.rs"]), Vec::<String>::new());
}

/// What values in documents may have in them.
const EXAMPLES: [&str; 11] = [
    "example",
    "127.0.0.1",
    "192.0.2.",
    "198.51.100.",
    "203.0.113.",
    "2001:db8",
    "10.",
    "192.168.",
    "169.254.",
    "7946 0",
    "555-01",
];

/// Examples in documents may have addresses of reserved domains (RFC 2606, RFC 6761),
/// of networks for documentation (RFC 5737, RFC 3849), of this machine or of private
/// networks, numbers that regulators keep free for fiction, and no other.
#[test]
fn documents_and_cases_hold_nothing_of_anybody() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let detector = super::current();
    let mut wrong = Vec::new();
    for folder in ["docs", "host/docs", "host/docs/decisions", "policies", "policies/cases"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let found = detector.find_for(&text, postern_policy::personal::Purpose::Logs);
            for one in found.into_iter().filter(|one| one.confidence >= 80) {
                let value = &text[one.span];
                if !EXAMPLES.iter().any(|known| value.contains(known)) {
                    wrong.push(format!("{} says {value}", path.display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
