use super::*;

const LIMITS: CompileLimits =
    CompileLimits { time: Duration::from_secs(30), memory_bytes: 1 << 30 };

fn by(program: &str) -> CompileError {
    Compiler::program(Path::new(program)).compile("engine", b"component", &LIMITS).unwrap_err()
}

fn answer(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(&(body.len() as u64).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn a_torn_or_foreign_answer_is_none() {
    let mut code = vec![b'f'; child::FINGERPRINT_BYTES];
    code.extend_from_slice(b"code");
    let whole = answer(child::CODE, &code);
    assert!(matches!(
        read_answer(&whole[..]),
        Some(Answer::Code { fingerprint, code })
            if fingerprint == "f".repeat(64) && code == b"code"
    ));
    for length in 0..whole.len() {
        assert!(read_answer(&whole[..length]).is_none(), "{length} bytes");
    }
    assert!(read_answer(&answer(child::CODE, b"short")[..]).is_none());
    assert!(read_answer(&answer(9, b"")[..]).is_none());
    let mut other = whole.clone();
    other[0] ^= 1;
    assert!(read_answer(&other[..]).is_none());
    let mut endless = whole;
    endless[9..17].fill(0xff);
    assert!(read_answer(&endless[..]).is_none());
}

#[test]
fn a_program_that_is_not_the_compiler_gives_no_code() {
    assert!(matches!(by("/no/such/program"), CompileError::Start { .. }));
    // Ends at once, ends with a failure, writes for ever, writes something else.
    for program in ["true", "false", "yes", "echo"] {
        let error = by(program);
        assert!(matches!(error, CompileError::Ended { .. }), "{program}: {error}");
    }
}

#[test]
fn what_the_process_says_is_shown_bounded_and_escaped() {
    let text = format!("\u{1b}[2J{}", "x".repeat(10_000));
    let shown = printable(&text);
    assert!(shown.len() < REASON_CHARS + 20 && !shown.contains('\u{1b}'), "{shown}");
}
