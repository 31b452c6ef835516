//! Which components are taken, and which interfaces they get.

use std::{collections::BTreeSet, path::Path};

use postern_domain::{Interface, Manifest, SkillId};
use postern_runtime::{CodeCompiler, Limits, LoadError, Runtime, RuntimeConfig};

use crate::support::{RUNTIME, compiled, component, empty, invocation, reply};

fn id(name: &str) -> SkillId {
    name.parse().expect("the name is an id")
}

#[test]
fn a_component_tells_its_imports_without_being_compiled() {
    let info = Runtime::inspect(&component("chatty")).unwrap();
    let imports: Vec<_> = info.imports.iter().map(|(i, v)| format!("{i}@{v}")).collect();
    assert_eq!(imports, ["log@0.1.0", "kv@0.1.0"]);
    assert!(info.exports_tools);
    assert!(info.wasi.iter().any(|name| name.starts_with("wasi:cli/stdout@0.2.")), "{info:?}");
}

#[test]
fn every_guest_asks_in_its_manifest_for_exactly_what_it_imports() {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
    for name in ["chatty", "echo", "hoarder", "looper", "reacher", "trapper"] {
        let text = std::fs::read_to_string(guests.join(name).join("skill.toml")).unwrap();
        let manifest: Manifest = toml::from_str(&text).unwrap();
        manifest.check().unwrap();
        assert_eq!(manifest.skill.id, id(name));
        let imports = Runtime::inspect(&component(name)).unwrap().imports;
        assert_eq!(manifest.requested(), imports.into_keys().collect(), "{name}");
    }
}

#[test]
fn every_truncated_component_is_refused() {
    let bytes = component("looper");
    for length in (0..bytes.len()).step_by(997) {
        assert!(Runtime::inspect(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn an_ungranted_import_is_refused_by_name() {
    let granted = BTreeSet::from([Interface::Log, Interface::Records]);
    let error = RUNTIME
        .load_bytes(&id("reacher"), &compiled("reacher"), &granted, &Limits::default())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "component imports postern:http/client@0.1.0, which skill reacher was not granted; \
         grant it with `--grant http` when you install the skill"
    );
    assert!(matches!(error, LoadError::Ungranted { interface: Interface::Http, .. }));
}

#[test]
fn what_is_no_compiled_code_of_this_engine_is_refused() {
    let none = BTreeSet::new();
    for bytes in [&b"\x7fELF"[..], b"", &component("looper")] {
        let error =
            RUNTIME.load_bytes(&id("looper"), bytes, &none, &Limits::default()).unwrap_err();
        assert!(matches!(error, LoadError::Code { .. }), "{error}");
    }
    assert!(RUNTIME.compile(b"\0asm\x0d\0\x01\0garbage").is_err());
}

#[tokio::test]
async fn compiled_code_serves_an_equal_engine() {
    let config = RuntimeConfig {
        concurrent_calls: 1,
        max_memory_bytes: 32 << 20,
        ..RuntimeConfig::default()
    };
    let other = Runtime::new(config).unwrap();
    assert_eq!(other.engine_fingerprint(), RUNTIME.engine_fingerprint());
    assert_eq!(other.engine_fingerprint().len(), 64);
    let skill = other
        .load_bytes(&id("hoarder"), &compiled("hoarder"), &BTreeSet::new(), &Limits::default())
        .unwrap();
    // A loaded skill outlives the runtime that loaded it.
    drop(other);
    let report = skill.invoke(invocation("remember", &serde_json::json!({})), empty().0).await;
    assert_eq!(reply(report), "call 1, 8388608 bytes");
}

#[tokio::test]
async fn code_of_an_engine_without_a_pool_serves_one_with_a_pool() {
    let compiler = CodeCompiler::new().unwrap();
    assert_eq!(compiler.fingerprint(), RUNTIME.engine_fingerprint());
    let code = compiler.compile(&component("hoarder")).unwrap();
    let skill =
        RUNTIME.load_bytes(&id("hoarder"), &code, &BTreeSet::new(), &Limits::default()).unwrap();
    let report = skill.invoke(invocation("remember", &serde_json::json!({})), empty().0).await;
    assert_eq!(reply(report), "call 1, 8388608 bytes");
}

#[test]
fn a_component_with_more_than_the_pool_has_is_refused_and_not_called_damaged() {
    let memories = "(memory 1)".repeat(20);
    let many = wat::parse_str(format!(
        "(component (core module $m {memories}) (core instance (instantiate $m)))"
    ));
    let code = RUNTIME.compile(&many.unwrap()).unwrap();
    let error = RUNTIME
        .load_bytes(&id("hoarder"), &code, &BTreeSet::new(), &Limits::default())
        .unwrap_err();
    assert!(matches!(error, LoadError::Pool { .. }), "{error:?}");
}
