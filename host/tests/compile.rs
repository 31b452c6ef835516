//! The process that compiles: this program, started once more.

use std::{collections::BTreeSet, path::Path, time::Duration};

use postern::registry::{CompileError, CompileLimits, Compiler};
use postern_runtime::{Limits, Runtime, RuntimeConfig};

fn compiler() -> Compiler {
    Compiler::program(Path::new(env!("CARGO_BIN_EXE_postern")))
}

/// A component with so many functions of some hundred instructions.
fn functions(number: usize) -> Vec<u8> {
    let steps = "local.get 0 i32.const 7 i32.mul i32.const 3 i32.xor local.set 0 ".repeat(50);
    let function = format!("(func (export \"f#\") (param i32) (result i32) {steps} local.get 0)");
    let functions: String = (0..number).map(|n| function.replace('#', &n.to_string())).collect();
    wat::parse_str(format!("(component (core module {functions}))"))
        .expect("the text is a component")
}

#[test]
fn code_of_the_process_runs_in_this_one() {
    let runtime = Runtime::new(RuntimeConfig::default()).unwrap();
    let engine = runtime.engine_fingerprint();
    let limits = CompileLimits::default();
    let component = functions(3);
    let code = compiler().compile(&engine, &component, &limits).unwrap();
    // It loads, and is then found to be no skill, which only the loaded code tells.
    let error = runtime
        .load_bytes(&"test".parse().unwrap(), &code, &BTreeSet::new(), &Limits::default())
        .unwrap_err();
    assert!(matches!(error, postern_runtime::LoadError::Link { .. }), "{error:?}");
    let error = compiler().compile("another engine", &component, &limits).unwrap_err();
    assert!(matches!(error, CompileError::OtherEngine { .. }), "{error}");
}

#[test]
fn what_is_no_component_is_refused_with_the_reason_of_the_engine() {
    for bytes in [&b""[..], b"not wasm", b"\0asm\x0d\0\x01\0garbage"] {
        let error = compiler().compile("any", bytes, &CompileLimits::default()).unwrap_err();
        assert!(matches!(error, CompileError::Refused { .. }), "{error}");
    }
}

#[test]
fn a_compilation_that_takes_too_long_is_ended() {
    // Less than it takes to start a process.
    let limits = CompileLimits { time: Duration::from_micros(1), ..CompileLimits::default() };
    let error = compiler().compile("any", &functions(500), &limits).unwrap_err();
    assert!(matches!(error, CompileError::Time { .. }), "{error}");
    // The next one has its turn.
    let error = compiler().compile("any", &functions(1), &CompileLimits::default()).unwrap_err();
    assert!(matches!(error, CompileError::OtherEngine { .. }), "{error}");
}

#[test]
fn a_compilation_that_needs_too_much_memory_is_ended_and_named() {
    let component = functions(4_000);
    let enough = CompileLimits::default();
    let error = compiler().compile("any", &component, &enough).unwrap_err();
    assert!(matches!(error, CompileError::OtherEngine { .. }), "{error}");
    let limits = CompileLimits { memory_bytes: 24 << 20, ..enough };
    let error = compiler().compile("any", &component, &limits).unwrap_err();
    assert!(matches!(error, CompileError::Memory { limit_bytes: 25_165_824 }), "{error:?}");
    assert!(error.to_string().starts_with("compiling it needs more than 24 MiB"), "{error}");
}
