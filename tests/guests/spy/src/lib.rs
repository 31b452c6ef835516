//! Looks for anything outside: one line for each try, `refused` or what it got.

wit_bindgen::generate!({
    inline: "package test:spy;
        world spy {
            import postern:kv/state@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/kv", "../../../wit/skill"],
    generate_all,
});

use std::{
    fmt::Debug,
    fs,
    io::{self, Read as _},
    net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::kv::state;
use serde_json::Value;

struct Spy;

export!(Spy);

impl Guest for Spy {
    fn call(tool: String, arguments: String, _context: Context) -> Result<Outcome, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|error| Failure::InvalidArguments(error.to_string()))?;
        let lines = match tool.as_str() {
            "environment" => environment(),
            "read_files" => each(&arguments, |path| fs::read(path).map(|bytes| bytes.len())),
            "list_folders" => each(&arguments, |path| {
                let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name()));
                names.collect::<io::Result<Vec<_>>>()
            }),
            "change_files" => change(),
            "tcp" => each(&arguments, |address| TcpStream::connect(address).map(|_| "connected")),
            "listen" => each(&arguments, |address| TcpListener::bind(address).map(|_| "bound")),
            "udp" => each(&arguments, |address| {
                UdpSocket::bind("0.0.0.0:0")?.send_to(b"secrets", address)
            }),
            "resolve" => {
                each(&arguments, |name| (name, 80).to_socket_addrs().map(|found| found.count()))
            }
            "clock" => clock(),
            "threads" => vec![match std::thread::Builder::new().spawn(|| 1) {
                Ok(_) => "started".to_owned(),
                Err(error) => format!("refused {:?}", error.kind()),
            }],
            other => return Err(Failure::InvalidArguments(format!("no tool {other}"))),
        };
        Ok(Outcome::Reply(lines.join("\n")))
    }
}

fn told<T: Debug>(answer: io::Result<T>) -> String {
    match answer {
        Ok(value) => format!("got {value:?}"),
        Err(error) => format!("refused {:?}", error.kind()),
    }
}

/// Tries each of the `names` in the arguments.
fn each<T: Debug>(arguments: &Value, attempt: impl Fn(&str) -> io::Result<T>) -> Vec<String> {
    let names = arguments["names"].as_array().into_iter().flatten();
    names.map(|name| told(attempt(name.as_str().unwrap_or_default()))).collect()
}

fn environment() -> Vec<String> {
    let mut input = Vec::new();
    let read = io::stdin().read_to_end(&mut input).map(|_| input.len());
    vec![
        format!("variables {}", std::env::vars_os().count()),
        format!("arguments {}", std::env::args_os().count()),
        format!("input {}", read.unwrap_or_default()),
        format!("folder {:?}", std::env::current_dir().ok().filter(|path| path != Path::new("/"))),
        format!("home {:?}", std::env::var_os("HOME")),
    ]
}

/// Writes, makes, renames, links and deletes.
fn change() -> Vec<String> {
    vec![
        told(fs::write("/out.txt", "x")),
        told(fs::write("out.txt", "x")),
        told(fs::create_dir("/folder")),
        told(fs::rename("/note.txt", "/other.txt")),
        told(fs::hard_link("/note.txt", "/link.txt")),
        told(fs::remove_file("/note.txt")),
        told(fs::remove_dir("/folder")),
        told(fs::OpenOptions::new().append(true).open("/note.txt").map(drop)),
    ]
}

/// Measures its own work and a host call, as an attack on caches would.
fn clock() -> Vec<String> {
    let (began, began_wall) = (Instant::now(), SystemTime::now());
    let mut sum = 0_u64;
    for n in 0..20_000_000_u64 {
        sum = std::hint::black_box(sum.wrapping_add(n));
    }
    let work = began.elapsed();
    let wall = began_wall.elapsed().unwrap_or(Duration::MAX);
    let before = Instant::now();
    // Only its time matters.
    let _ = state::get("clock");
    let call = before.elapsed();
    vec![
        format!("work {} ns", work.as_nanos()),
        format!("wall {} ns", wall.as_nanos()),
        format!("parts of a millisecond in a call {} ns", call.subsec_nanos() % 1_000_000),
    ]
}
