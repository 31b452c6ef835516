//! Reads the files it came with, and tries to change them and to get out.

wit_bindgen::generate!({
    inline: "package test:reader;
        world reader {
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/skill"],
    generate_all,
});

use std::{
    fmt::Debug,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    time::UNIX_EPOCH,
};

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use serde_json::{Value, json};

struct Reader;

export!(Reader);

impl Guest for Reader {
    fn call(tool: String, arguments: String, _context: Context) -> Result<Outcome, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|error| Failure::InvalidArguments(error.to_string()))?;
        let path = arguments["path"].as_str().unwrap_or("greeting.txt");
        let answer = match tool.as_str() {
            "greet" => {
                Ok(fs::read_to_string(path).unwrap_or_else(|error| told(Err::<(), _>(error))))
            }
            "read" => Ok(told(fs::read_to_string(path))),
            "list" => Ok(told(list(path))),
            "about" => Ok(told(about(path))),
            "pieces" => Ok(told(pieces(path))),
            "tricks" => Ok(tricks().to_string()),
            "open_many" => Ok(open_many(path).to_string()),
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        };
        answer.map(Outcome::Reply)
    }
}

/// What came of it: `ok …`, or the kind of error.
fn told<T: Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(value) => format!("ok {value:?}"),
        Err(error) => format!("err {:?}", error.kind()),
    }
}

fn list(path: &str) -> io::Result<Vec<String>> {
    fs::read_dir(path)?
        .map(|entry| {
            let entry = entry?;
            let end = if entry.file_type()?.is_dir() { "/" } else { "" };
            Ok(format!("{}{end}", entry.file_name().display()))
        })
        .collect()
}

fn about(path: &str) -> io::Result<String> {
    let about = fs::metadata(path)?;
    let modified = about.modified()?.duration_since(UNIX_EPOCH).map_or(-1, |d| d.as_secs() as i64);
    Ok(format!("dir {} len {} modified {modified}", about.is_dir(), about.len()))
}

/// How many bytes each read gave, from the second byte on.
fn pieces(path: &str) -> io::Result<Vec<usize>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(1))?;
    let mut buffer = vec![0; 1 << 20];
    let mut pieces = Vec::new();
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(pieces),
            n => pieces.push(n),
        }
    }
}

fn tricks() -> Value {
    let write = |path: &str| {
        told(OpenOptions::new().write(true).open(path).and_then(|mut f| f.write(b"x")))
    };
    let append = OpenOptions::new().append(true).open("greeting.txt");
    json!({
        "up": told(fs::read_to_string("../etc/passwd")),
        "up_from_root": told(fs::read_to_string("/../etc/passwd")),
        "up_and_back": told(fs::read_to_string("texts/../greeting.txt")),
        "absolute": told(fs::read_to_string("/etc/passwd")),
        "proc": told(fs::read_to_string("/proc/self/environ")),
        "through_a_file": told(fs::read_to_string("greeting.txt/x")),
        "file_as_folder": told(fs::read_dir("greeting.txt").map(drop)),
        "folder_as_file": told(fs::read("texts")),
        "nul": told(fs::read_to_string("greeting.txt\0.png")),
        "empty": told(fs::read_to_string("")),
        "backslash": told(fs::read_to_string("..\\greeting.txt")),
        "other_case": told(fs::read_to_string("GREETING.TXT")),
        "long": told(fs::read_to_string("x".repeat(10_000))),
        "write": write("greeting.txt"),
        "append": told(append.and_then(|mut file| file.write(b"x"))),
        "truncate": told(File::create("greeting.txt").map(drop)),
        "create": told(File::create("new.txt").map(drop)),
        "create_new": told(File::create_new("greeting.txt").map(drop)),
        "set_len": told(File::open("greeting.txt").and_then(|file| file.set_len(0))),
        "set_times": told(File::open("greeting.txt").and_then(|f| f.set_modified(UNIX_EPOCH))),
        "make_folder": told(fs::create_dir("new")),
        "remove": told(fs::remove_file("greeting.txt")),
        "remove_folder": told(fs::remove_dir("texts")),
        "rename": told(fs::rename("greeting.txt", "new.txt")),
        "hard_link": told(fs::hard_link("greeting.txt", "new.txt")),
        "read_link": told(fs::read_link("greeting.txt")),
        "canonical": told(fs::canonicalize("greeting.txt")),
        "dots": told(fs::read_to_string("./texts/.//de.txt")),
        "still_there": told(fs::read_to_string("greeting.txt")),
    })
}

/// Opens a file until that fails, and tells how often it went well.
fn open_many(path: &str) -> usize {
    let mut open = Vec::new();
    while let Ok(file) = File::open(path) {
        open.push(file);
    }
    open.len()
}
