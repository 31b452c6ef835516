//! What a guest sees of the world: nothing but its invocation.

use postern_domain::{HostCall, Timestamp};
use serde_json::{Value, json};

use crate::support::{empty, invocation, reply, skill};

async fn look_around(seed: u8, now_ms: i64) -> Value {
    let mut call = invocation("look_around", &json!({}));
    call.seed = [seed; 32];
    call.now = Timestamp::from_millis(now_ms);
    let (port, seen) = empty();
    let text = reply(skill("reacher").invoke(call, port).await);
    assert_eq!(seen.calls(), [], "looking around is no host call");
    serde_json::from_str(&text).expect("the guest writes JSON")
}

#[tokio::test]
async fn wasi_is_there_and_gives_nothing() {
    let mut sight = look_around(1, 1_700_000_000_123).await;
    assert!(sight["random"].take().is_string());
    assert_eq!(
        sight,
        json!({
            "arguments": 0,
            "environment": {},
            "read_passwd": false,
            "list_root": false,
            "list_here": false,
            "write_file": false,
            "stdin_readable": true,
            "stdin_bytes": 0,
            "tcp_connect": false,
            "tcp_listen": false,
            "udp_bind": false,
            "resolve": false,
            "wall_ms": 1_700_000_000_123_u64,
            "elapsed_ns": 0,
            "random": null,
        })
    );
}

#[tokio::test]
async fn the_same_seed_gives_the_same_numbers_and_another_gives_others() {
    let first = look_around(1, 0).await;
    assert_eq!(first, look_around(1, 0).await);
    assert_ne!(first["random"], look_around(2, 0).await["random"]);
}

#[tokio::test]
async fn what_a_guest_prints_becomes_log_lines_in_their_place() {
    let (port, seen) = empty();
    let report = skill("echo").invoke(invocation("print", &json!({"text": "hello"})), port).await;
    assert!(report.result.is_ok(), "{report:?}");
    let lines: Vec<_> = seen
        .calls()
        .into_iter()
        .map(|call| match call {
            HostCall::Log { line } => (line.level.to_owned(), line.message),
            other => panic!("{other:?}"),
        })
        .collect();
    let wanted = [
        (postern_domain::LogLevel::Info, "to stdout: hello".to_owned()),
        (postern_domain::LogLevel::Warn, "to stderr, without an end of line".to_owned()),
    ];
    assert_eq!(lines, wanted);
}
