//! Which components are taken, and which interfaces they get.

use std::{collections::BTreeSet, path::Path};

use postern_domain::{Interface, Manifest, SkillId};
use postern_runtime::{LoadError, Runtime, RuntimeConfig};

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
    let error = RUNTIME.load_bytes(&id("reacher"), &compiled("reacher"), &granted).unwrap_err();
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
        let error = RUNTIME.load_bytes(&id("looper"), bytes, &none).unwrap_err();
        assert!(matches!(error, LoadError::Code { .. }), "{error}");
    }
    assert!(RUNTIME.compile(b"\0asm\x0d\0\x01\0garbage").is_err());
}

#[tokio::test]
async fn compiled_code_is_loaded_from_a_file_and_serves_an_equal_engine() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hoarder.cwasm");
    std::fs::write(&file, compiled("hoarder")).unwrap();
    let config = RuntimeConfig { concurrent_calls: 1, max_memory_bytes: 32 << 20 };
    let other = Runtime::new(config).unwrap();
    assert_eq!(other.engine_fingerprint(), RUNTIME.engine_fingerprint());
    assert_eq!(other.engine_fingerprint().len(), 64);
    let skill = other.load(&id("hoarder"), &file, &BTreeSet::new()).unwrap();
    // A loaded skill outlives the runtime that loaded it.
    drop(other);
    let report = skill.invoke(invocation("remember", &serde_json::json!({})), empty().0).await;
    assert_eq!(reply(report), "call 1, 8388608 bytes");
}
