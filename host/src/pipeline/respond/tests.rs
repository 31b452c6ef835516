//! What an interrupted turn does with an invocation that had ended.

use std::{collections::BTreeSet, path::Path};

use postern_domain::{Channel, Digest, InboundKind, InboundMessage, Manifest, MessageId, TurnId};
use postern_runtime::{Limits, Runtime, RuntimeConfig};
use postern_store::TurnRow;

use super::*;
use crate::{brain::Brain, http::fixture::TestHost, privacy::Vault};

/// A hostile skill of `tests/guests` with little time.
fn skills(name: &str) -> Skills {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests");
    let text = std::fs::read_to_string(guests.join(name).join("skill.toml")).unwrap();
    let manifest: Manifest = toml::from_str(&text).unwrap();
    let built = guests.join("target/wasm32-wasip2/release").join(format!("{name}.wasm"));
    let bytes = std::fs::read(&built).unwrap_or_else(|error| {
        panic!("{}: {error}; run `cargo xtask build-skills` first", built.display())
    });
    let config = RuntimeConfig { concurrent_calls: 1, ..RuntimeConfig::default() };
    let runtime = Runtime::new(config).unwrap();
    let code = runtime.compile(&bytes).unwrap();
    let limits = Limits { cpu: Duration::from_millis(20), ..Limits::default() };
    let id = manifest.skill.id.clone();
    let schemas = manifest
        .tools
        .iter()
        .map(|tool| (tool.name.clone(), jsonschema::validator_for(&tool.arguments).unwrap()));
    let skill = ActiveSkill {
        digest: Digest::of_bytes(&bytes),
        grants: BTreeSet::new(),
        component: runtime.load_bytes(&id, &code, &BTreeSet::new(), &limits).unwrap(),
        limits,
        settings: vec![],
        schemas: schemas.collect(),
        manifest: manifest.clone(),
    };
    Skills {
        number: 1,
        digest: Digest::of_bytes(b"generation"),
        active: [(id, Arc::new(skill))].into(),
        brain: Brain::learn(&[&manifest]).unwrap(),
    }
}

fn message() -> InboundMessage {
    InboundMessage {
        channel: Channel::Web,
        account: "main".into(),
        dedupe_key: "1".into(),
        chat: "ann".into(),
        sender: "ann".into(),
        external_id: "1".into(),
        private: true,
        kind: InboundKind::Text,
        text: "please spin forever".into(),
        language: None,
        received_at: Timestamp::from_millis(1),
    }
}

/// A ledger of the turn that answers the message, with nothing in it.
async fn ledger(app: &App) -> Arc<Mutex<Ledger>> {
    let now = app.clock.now();
    app.store.accept(&[message()], &["k3f9".into()]).await.unwrap();
    let lease = app.store.lease_next("test", now, 0).await.unwrap().unwrap();
    let conversation = app.store.work(&lease, now).await.unwrap().unwrap().conversation;
    let message: MessageId = message().id();
    let turn = TurnRow {
        id: TurnId::derive(&["test"]),
        conversation: conversation.id.clone(),
        message,
        plan: Value::Null,
        generation: "1".into(),
        summary: None,
        started_at: now,
        completed_at: None,
    };
    let vault = Vault::new("k3f9", vec![]);
    let store = Arc::clone(&app.store);
    Arc::new(Mutex::new(Ledger::new(store, lease, turn, conversation, vault, None)))
}

/// Runs the turn; tells what it failed of, and the invocations that it made.
async fn run(
    host: &TestHost,
    skills: &Skills,
    ended: Vec<InvocationRow>,
) -> (String, Vec<InvocationRow>) {
    let ledger = ledger(&host.app).await;
    let responder = Responder {
        app: &host.app,
        skills,
        ledger: Arc::clone(&ledger),
        journal: vec![],
        ended,
        at: host.app.clock.now(),
        language: "en".into(),
    };
    let tool = PendingTool {
        skill: "looper".parse().unwrap(),
        tool: "loop_forever".into(),
        intent: "loop_forever".into(),
        arguments: serde_json::Map::new(),
    };
    let response = responder.run(vec![tool], false, None).await.unwrap();
    let ledger = ledger.lock().await;
    let made = ledger.pending().filter_map(|change| match change {
        Change::Invocation(row) => Some(row.clone()),
        _ => None,
    });
    let made = made.collect();
    (response.escalate.and_then(|escalation| escalation.failure).unwrap(), made)
}

#[tokio::test]
async fn an_invocation_that_reached_a_limit_does_not_run_again() {
    let host = TestHost::new().await;
    let skills = skills("looper");
    let reached = "skill looper: limit cpu_time of 20 ms reached";
    let (failure, made) = run(&host, &skills, vec![]).await;
    assert_eq!(failure, reached);
    let Some(row) = made.into_iter().find(|row| row.result.is_some()) else {
        panic!("its end is not recorded")
    };
    let Some(Err(SkillFailure::Limit { skill, limit, .. })) = &row.result else {
        panic!("{row:?}")
    };
    assert_eq!((skill.as_ref(), limit.as_str()), (Some(&row.skill), "cpu_time"));

    let (failure, made) = run(&host, &skills, vec![row]).await;
    assert_eq!(failure, reached);
    assert_eq!(made, [], "it ran again");
}
