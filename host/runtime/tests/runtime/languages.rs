//! Skills in Python and JavaScript bring an interpreter along and import most of
//! WASI. They run like any other, and are held like any other.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use postern_domain::{CallFailure, Document, FailureKind, HostCall, HostReply, SkillFailure};
use postern_runtime::{Assets, LoadedSkill};
use serde_json::{Value, json};

use crate::{
    notice,
    support::{built, empty, failure, invocation, port, reply, skill},
};

/// A skill of this language, or none where its tools could not be had.
fn scripted(name: &'static str) -> Option<LoadedSkill> {
    if Path::exists(&built(name)) {
        return Some(skill(name));
    }
    notice::skip(
        &format!("a skill made of the test guest {name}"),
        "`cargo xtask build-skills` says what it needs",
    );
    None
}

async fn look_around(skill: &LoadedSkill, seed: u8) -> String {
    let mut call = invocation("look_around", &json!({}));
    call.seed = [seed; 32];
    let (port, seen) = empty();
    let text = reply(skill.invoke(call, port).await);
    assert_eq!(seen.calls(), [], "looking around is no host call");
    text
}

/// What the guest saw, which must be the same bytes each time, without what
/// differs from seed to seed.
async fn seen(skill: &LoadedSkill, random: &[&str]) -> Value {
    let first = look_around(skill, 1).await;
    assert_eq!(first, look_around(skill, 1).await, "the same run gives the same bytes");
    let mut sight: Value = serde_json::from_str(&first).expect("the guest writes JSON");
    let other: Value = serde_json::from_str(&look_around(skill, 2).await).expect("JSON");
    for name in random {
        assert!(!sight[name].is_null(), "{name}");
        assert_ne!(sight[name], other[name], "{name}");
        sight.as_object_mut().expect("an object").remove(*name);
    }
    sight
}

/// Asks for a record, as honest skills do, and is refused a request.
async fn works(skill: &LoadedSkill) {
    let (honest, calls) = port(|call| match call {
        HostCall::RecordsGet { .. } => Ok(HostReply::Document {
            document: Document {
                key: "A-1".into(),
                version: 3,
                body: json!({ "status": "on its way" }).into(),
            },
        }),
        HostCall::HttpSend { .. } => {
            Err(CallFailure::new(FailureKind::Denied, "no rule allows it"))
        }
        _ => Ok(HostReply::Done),
    });
    let asked = json!({ "collection": "orders", "key": "A-1" });
    let text = reply(skill.invoke(invocation("look_up", &asked), honest).await);
    assert_eq!(text, "It is on its way (version 3).");
    assert_eq!(calls.log(), ["looking up"]);

    let (refusing, _) = port(|_| Err(CallFailure::new(FailureKind::Denied, "no rule allows it")));
    let text = reply(skill.invoke(invocation("phone_home", &json!({})), refusing).await);
    assert_eq!(text, "refused: no rule allows it");
}

async fn ended(skill: &LoadedSkill, tool: &str) -> SkillFailure {
    let mut call = invocation(tool, &json!({}));
    if tool == "spin" {
        call.limits.cpu = Duration::from_millis(200);
    }
    failure(skill.invoke(call, empty().0).await)
}

fn is_limit(failure: &SkillFailure, name: &str) -> bool {
    matches!(failure, SkillFailure::Limit { limit, .. } if limit == name)
}

fn is_trap(failure: &SkillFailure, words: &str) -> bool {
    matches!(failure, SkillFailure::Trap { message } if message.contains(words))
}

#[tokio::test]
async fn python_runs_the_same_twice_sees_only_its_own_files_and_is_held() {
    let Some(snake) = scripted("snake") else { return };
    works(&snake).await;
    let greeting = BTreeMap::from([("greeting.txt".to_owned(), b"Welcome.".to_vec())]);
    let assets = Arc::new(Assets::new(greeting).expect("a good file"));
    let sight = seen(&snake.clone().with_assets(assets), &["random", "pseudo_random"]).await;
    assert_eq!(
        sight,
        json!({
            "arguments": [],
            "environment": {},
            "files": ["greeting.txt"],
            "asset": "Welcome.",
            "relative": "Welcome.",
            "passwd": "refused: FileNotFoundError",
            "outside": "refused: PermissionError",
            "write": "refused: OSError",
            "overwrite": "refused: OSError",
            "remove": "refused: OSError",
            "stdin": "",
            "connect": "refused: gaierror",
            "resolve": "refused: gaierror",
            "wall_ns": 1_700_000_000_123_000_000_u64,
            "clock_moved": false,
            "monotonic_ns": 0,
            "digest": "b696ec19",
        })
    );
    let bare = seen(&snake, &["random", "pseudo_random"]).await;
    for name in ["files", "asset", "relative", "write"] {
        let told = bare[name].as_str().unwrap_or_default();
        assert!(told.starts_with("refused: "), "{name}: {bare}");
    }

    // And it is held by the same limits.
    for (tool, limit) in [("spin", "cpu_time"), ("hoard", "memory")] {
        let failure = ended(&snake, tool).await;
        assert!(is_limit(&failure, limit), "{tool}: {failure:?}");
    }
    let failure = ended(&snake, "deep").await;
    assert!(is_limit(&failure, "stack"), "{failure:?}");
    let failure = ended(&snake, "exit").await;
    assert!(is_trap(&failure, "called exit"), "{failure:?}");
    works(&snake).await;
}

#[tokio::test]
async fn javascript_runs_the_same_twice_sees_nothing_and_is_held() {
    let Some(squid) = scripted("squid") else { return };
    works(&squid).await;
    assert_eq!(
        seen(&squid, &["random", "uuid"]).await,
        json!({
            "process": "undefined",
            "require": "undefined",
            "network": "undefinedundefined",
            "wall_ms": 1_700_000_000_123_u64,
            "clock_moved": false,
            "slept_ms": 60_000,
            "zone": 0,
        })
    );

    // And it is held by the same limits.
    for (tool, limit) in [("spin", "cpu_time"), ("hoard", "memory")] {
        let failure = ended(&squid, tool).await;
        assert!(is_limit(&failure, limit), "{tool}: {failure:?}");
    }
    // The engine gives up by itself: on its own stack, on a request that it was
    // built without, on code that is not there, on a promise without an end.
    for tool in ["deep", "fetch", "load", "hang"] {
        let failure = ended(&squid, tool).await;
        assert!(is_trap(&failure, "unreachable"), "{tool}: {failure:?}");
    }
    works(&squid).await;
}
