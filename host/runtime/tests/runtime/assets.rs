//! A skill's own files: all of them can be read, and nothing else can be done.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use postern_domain::SkillFailure;
use postern_runtime::{Assets, LoadedSkill};
use serde_json::{Value, json};

use crate::support::{empty, failure, invocation, reply, skill};

fn assets() -> Arc<Assets> {
    let files = BTreeMap::from([
        ("texts/fr.txt".to_owned(), b"Bienvenue.".to_vec()),
        ("greeting.txt".to_owned(), b"Welcome.".to_vec()),
        ("texts/de.txt".to_owned(), b"Willkommen.".to_vec()),
        ("big.bin".to_owned(), vec![7; (64 << 10) + 11]),
    ]);
    Arc::new(Assets::new(files).expect("these are good files"))
}

fn reader() -> LoadedSkill {
    skill("reader").with_assets(assets())
}

async fn ask(reader: &LoadedSkill, tool: &str, path: &str) -> String {
    let (port, seen) = empty();
    let text = reply(reader.invoke(invocation(tool, &json!({ "path": path })), port).await);
    assert_eq!(seen.calls(), [], "a file of one's own is no host call");
    text
}

#[tokio::test]
async fn files_are_read_by_absolute_and_relative_paths() {
    let reader = reader();
    for path in ["/texts/de.txt", "texts/de.txt", "./texts//de.txt"] {
        assert_eq!(ask(&reader, "read", path).await, "ok \"Willkommen.\"", "{path}");
    }
    assert_eq!(
        ask(&reader, "list", "/").await,
        r#"ok ["big.bin", "greeting.txt", "texts/"]"#,
        "sorted, whatever the order in which they were found"
    );
    assert_eq!(ask(&reader, "list", "texts").await, r#"ok ["de.txt", "fr.txt"]"#);
    assert_eq!(ask(&reader, "read", "missing").await, "err NotFound");
    assert_eq!(
        ask(&reader, "pieces", "big.bin").await,
        "ok [65536, 10]",
        "a read gives no more than 64 KiB"
    );
}

#[tokio::test]
async fn metadata_tell_nothing_of_the_machine() {
    let reader = reader();
    let about = ask(&reader, "about", "greeting.txt").await;
    assert_eq!(about, r#"ok "dir false len 8 modified 0""#);
    assert_eq!(ask(&reader, "about", "texts").await, r#"ok "dir true len 0 modified 0""#);
}

#[tokio::test]
async fn there_is_no_way_out_of_the_folder_and_nothing_changes_in_it() {
    let reader = reader();
    let found: BTreeMap<String, String> =
        serde_json::from_str(&ask(&reader, "tricks", "").await).expect("the guest writes JSON");
    let mut wanted = BTreeMap::new();
    let mut are = |names: &[&str], result: &str| {
        wanted.extend(names.iter().map(|name| ((*name).to_owned(), result.to_owned())));
    };
    are(&["up", "up_from_root", "up_and_back"], "err PermissionDenied");
    are(&["absolute", "proc", "backslash", "other_case", "long"], "err NotFound");
    are(&["through_a_file", "file_as_folder"], "err NotADirectory");
    are(&["folder_as_file", "empty"], "err IsADirectory");
    are(&["nul", "read_link"], "err InvalidInput");
    are(&["create_new"], "err AlreadyExists");
    are(
        &[
            "write",
            "append",
            "truncate",
            "create",
            "set_len",
            "set_times",
            "make_folder",
            "remove",
            "remove_folder",
            "rename",
            "hard_link",
        ],
        "err ReadOnlyFilesystem",
    );
    are(&["canonical"], r#"ok "/greeting.txt""#);
    are(&["dots"], r#"ok "Willkommen.""#);
    are(&["still_there"], r#"ok "Welcome.""#);
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn open_files_are_bounded_and_the_next_call_works() {
    let reader = reader();
    let report = reader.invoke(invocation("open_many", &json!({})), empty().0).await;
    let SkillFailure::Trap { message } = failure(report) else { panic!("it was not ended") };
    assert!(message.contains("limit exceeded"), "{message}");
    assert_eq!(ask(&reader, "read", "greeting.txt").await, "ok \"Welcome.\"");
}

#[tokio::test]
async fn without_assets_there_is_no_folder_at_all() {
    let none = Arc::new(Assets::default());
    for reader in [skill("reader"), skill("reader").with_assets(none)] {
        for (tool, path) in [("read", "/greeting.txt"), ("list", "/"), ("list", ".")] {
            let told = ask(&reader, tool, path).await;
            assert!(told.starts_with("err "), "{tool} {path}: {told}");
        }
        let found: BTreeMap<String, Value> =
            serde_json::from_str(&ask(&reader, "tricks", "").await).expect("JSON");
        let kinds: BTreeSet<_> = found.values().filter_map(Value::as_str).collect();
        assert!(kinds.iter().all(|told| told.starts_with("err ")), "{kinds:?}");
    }
}
