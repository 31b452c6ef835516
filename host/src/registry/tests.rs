mod generations;

use std::fs;

use postern_runtime::Assets;

use super::*;

fn key() -> MasterKey {
    MasterKey::generate().unwrap()
}

fn registry(folder: &tempfile::TempDir) -> Registry {
    Registry::open(folder.path(), key(), Compiler::program("no-program".as_ref())).unwrap()
}

/// The smallest component that the engine takes.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

const MANIFEST: &str = r#"
[skill]
id = "greeter"
version = "1.0.0"
description = "Says hello."
publisher = "tests"

[[tools]]
name = "greet"
description = "Says hello."
read_only = true
idempotent = true
reversible = true
arguments = { type = "object", properties = { order_id = { type = "string" } } }

[[intents]]
name = "greet"
tool = "greet"
examples = ["hello you", "hi there you", "good day to you", "greet me", "say hello"]
"#;

fn refused(change: impl Fn(&str) -> String, expect: &str) {
    let error = parse_manifest("skill.toml", &change(MANIFEST)).unwrap_err().to_string();
    assert!(error.starts_with("skill.toml: "), "{error}");
    assert!(error.contains(expect), "expected {expect:?} in: {error}");
}

#[test]
fn manifest_errors_name_file_field_and_reason() {
    assert!(parse_manifest("skill.toml", MANIFEST).is_ok());
    refused(|m| m.replace("publisher", "author"), "unknown field `author`");
    refused(|m| m.replace("1.0.0", "one"), "line 4");
    refused(|m| m.replace("id = \"greeter\"", "id = \"../x\""), "a skill id");
    refused(
        |m| m.replace("tool = \"greet\"", "tool = \"wave\""),
        "intents[0].tool: no tool \"wave\"",
    );
    refused(|m| m.replace("type = \"object\"", "type = \"array\""), "tools[0].arguments.type");
    refused(|m| m.replace(", \"greet me\"", ""), "intents[0].examples: 4 examples");
    refused(
        |m| m.replace("examples =", "required = [\"order_id\"]\nexamples ="),
        "intents[0].required: no entity \"order_id\"",
    );
    refused(
        |m| format!("{m}[[capabilities]]\ninterface = \"files\"\nreason = \"x\"\n"),
        "unknown variant `files`",
    );
    refused(|_| "x".repeat(MOST_MANIFEST_BYTES + 1), "bytes; at most");
}

#[test]
fn what_a_manifest_says_reaches_a_terminal_bounded_and_escaped() {
    let long = "x".repeat(100_000);
    let tricks = [
        format!(
            "{MANIFEST}[[capabilities]]\ninterface = \"\\u001B[2J\\u0000{long}\"\nreason = \"x\"\n"
        ),
        MANIFEST.replace("tool = \"greet\"", &format!("tool = \"\\u001B[2J\\u202E{long}\"")),
        MANIFEST.replace("name = \"greet\"", &format!("name = \"\\u001B[2J{long}\"")),
        MANIFEST.replace("type = \"string\"", &format!("pattern = \"(\\u001B[2J{long}\"")),
    ];
    for trick in tricks {
        let manifest = parse_manifest("skill.toml", &trick);
        let error = manifest.and_then(|manifest| check_usable(&manifest)).unwrap_err().to_string();
        assert!(error.len() < 2_000, "{} bytes", error.len());
        let moves = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!error.contains(moves), "{error:?}");
    }
}

#[test]
fn what_is_not_a_skill_is_refused_with_its_file() {
    let bounds = Bounds { component_bytes: 1_000, ..Bounds::default() };
    let manifest = parse_manifest("skill.toml", MANIFEST).unwrap();
    let check = |bytes: &[u8]| {
        Candidate::of_parts(&bounds, "a.wasm", bytes, manifest.clone(), Assets::default())
    };
    for bytes in [&b""[..], b"not wasm", b"\0asm\x01\0\0\0", EMPTY, &[0; 1_001]] {
        let error = check(bytes).err().expect("refused").to_string();
        assert!(error.starts_with("a.wasm: "), "{error}");
    }
}

#[test]
fn a_new_registry_has_the_empty_generation() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    assert_eq!(registry.current().unwrap(), Generation::default());
    let removed = Generation::default().take_out(&"a".parse().unwrap());
    assert!(matches!(removed, Err(RegistryError::Unknown(_))));
    assert_eq!(registry.current_number().unwrap(), 0);
}

#[test]
fn generations_are_kept_and_one_is_current() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    let first = Generation { number: 1, ..Generation::default() };
    let second = Generation { number: 2, ..Generation::default() };
    registry.activate(&first).unwrap();
    registry.activate(&second).unwrap();
    assert_eq!(registry.current().unwrap(), second);
    assert_eq!(registry.generation(1).unwrap(), first);
    let left: Vec<_> = fs::read_dir(folder.path().join("skills"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains(".new"))
        .collect();
    assert!(left.is_empty(), "staged files are left: {left:?}");
}

#[test]
fn damage_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    registry.activate(&Generation { number: 1, ..Generation::default() }).unwrap();
    let skills = folder.path().join("skills");
    fs::write(skills.join("generations/1.json"), "{}").unwrap();
    assert!(matches!(registry.current(), Err(RegistryError::Damaged { .. })));
    fs::write(skills.join("current"), "latest").unwrap();
    assert!(matches!(registry.current(), Err(RegistryError::Damaged { .. })));
    let digest = Digest::of_bytes(EMPTY);
    registry.files.keep_component(digest, EMPTY).unwrap();
    assert_eq!(registry.files.component(digest).unwrap(), EMPTY);
    fs::write(skills.join(format!("blobs/{}.wasm", digest.hex())), b"changed").unwrap();
    assert!(matches!(registry.files.component(digest), Err(RegistryError::Damaged { .. })));
}

#[test]
fn compiled_code_counts_only_under_our_own_seal() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (key(), key());
    let files = files::Files::open(folder.path()).unwrap();
    let digest = Digest::of_bytes(b"component");
    let found = |key: &MasterKey, engine: &str| {
        let code = files.compiled(key, digest, engine).unwrap();
        code.map(|code| code.as_bytes().to_vec())
    };
    assert_eq!(found(&ours, "engine"), None);
    let kept = files.keep_compiled(&ours, digest, "engine", b"code".to_vec()).unwrap();
    assert_eq!(kept.as_bytes(), b"code");
    assert_eq!(found(&ours, "engine").as_deref(), Some(&b"code"[..]));
    assert_eq!(found(&theirs, "engine"), None);
    assert_eq!(found(&ours, "other-engine"), None);
    let path = folder.path().join(format!("skills/compiled/{}-engine.cwasm", digest.hex()));
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(found(&ours, "engine"), None);
    fs::write(&path, b"short").unwrap();
    assert_eq!(found(&ours, "engine"), None);
}
