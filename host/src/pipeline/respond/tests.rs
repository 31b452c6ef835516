//! What an interrupted turn does with invocations that earlier runs began or ended.

use std::{collections::BTreeSet, path::Path};

use postern_domain::{
    CallState, Channel, Customer, Decision, Digest, Document, HostCall, HostReply, HttpMethod,
    HttpRequest, InboundKind, InboundMessage, Manifest, MessageId, TurnId,
};
use postern_runtime::{Answered, HostPort, Limits, PortError, Runtime, RuntimeConfig};
use postern_store::TurnRow;

use super::*;
use crate::{brain::Brain, http::fixture::TestHost, privacy::Vault};

/// A hostile skill of `tests/guests` with little time, alone in its runtime.
fn skills(name: &str, wall: Duration) -> Skills {
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
    let limits = Limits { cpu: Duration::from_millis(20), wall, ..Limits::default() };
    let id = manifest.skill.id.clone();
    let schemas = manifest
        .tools
        .iter()
        .map(|tool| (tool.name.clone(), jsonschema::validator_for(&tool.arguments).unwrap()));
    let skill = ActiveSkill {
        digest: Digest::of_bytes(&bytes),
        assets: None,
        signed_by: None,
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
        left_out: Default::default(),
        brain: Arc::new(Brain::learn(&[&manifest]).unwrap()),
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

/// Runs a tool as the turn's only one, after what earlier runs recorded of it.
async fn respond(
    host: &TestHost,
    skills: &Skills,
    tool: &str,
    journal: Vec<CallRecord>,
    ended: Vec<InvocationRow>,
) -> (Result<Response, TurnError>, Arc<Mutex<Ledger>>) {
    let ledger = ledger(&host.app).await;
    let id = InvocationId::derive(&[TurnId::derive(&["test"]).as_str(), "0"]);
    let responder = Responder {
        app: &host.app,
        skills,
        ledger: Arc::clone(&ledger),
        journal: journal.into_iter().map(|record| (id.clone(), record)).collect(),
        approvals: Vec::new(),
        ended,
        at: host.app.clock.now(),
        language: "en".into(),
    };
    let tool = PendingTool {
        skill: "looper".parse().unwrap(),
        tool: tool.into(),
        intent: "loop_forever".into(),
        arguments: serde_json::Map::new(),
    };
    (responder.run(vec![tool], None).await, ledger)
}

/// Runs the turn; tells what it failed of, and the invocations that it made.
async fn run(
    host: &TestHost,
    skills: &Skills,
    ended: Vec<InvocationRow>,
) -> (String, Vec<InvocationRow>) {
    let (response, ledger) = respond(host, skills, "loop_forever", vec![], ended).await;
    let response = response.unwrap();
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
    let skills = skills("looper", Limits::default().wall);
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

fn recorded(seq: u32, call: HostCall, state: CallState) -> CallRecord {
    CallRecord {
        seq,
        digest: Digest::of_bytes(b"call"),
        call,
        decision: Decision::Allow,
        rules: vec![],
        state,
        at: Timestamp::from_millis(1_700_000_000_000),
        facts: None,
    }
}

/// A customer who was identified, and a payment that was about to happen.
fn journal() -> Vec<CallRecord> {
    let identify = HostCall::RecordsIdentify { collection: "users".into(), details: vec![] };
    let document = Document { key: "bob".into(), version: 1, body: Value::Null.into() };
    let known = CallState::Done { reply: HostReply::Identity { key: "bob".into(), document } };
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: "https://bank.example/pay".into(),
        headers: vec![],
        body: vec![],
        secrets: vec![],
        idempotent: false,
    };
    let pay = recorded(1, HostCall::HttpSend { request }, CallState::Intended);
    vec![recorded(0, identify, known), pay]
}

#[tokio::test]
async fn effects_that_a_second_run_does_not_come_to_are_not_forgotten() {
    let host = TestHost::new().await;
    let skills = skills("looper", Limits::default().wall);
    // Neither limit nor arguments that do not fit any more make them undone.
    for (tool, reason, failure) in [
        (
            "loop_forever",
            "skill looper: limit cpu_time of 20 ms reached",
            "skill looper: limit cpu_time of 20 ms reached",
        ),
        (
            "nowhere",
            "skill looper: failed: invalid-arguments",
            "skill looper: the arguments do not fit: no tool nowhere",
        ),
    ] {
        let (response, ledger) = respond(&host, &skills, tool, journal(), vec![]).await;
        let escalation = response.unwrap().escalate.unwrap();
        assert_eq!(escalation.reason, reason);
        assert_eq!(escalation.failure.as_deref(), Some(failure));
        let ledger = ledger.lock().await;
        let Customer { key, .. } = &ledger.conversation.customer;
        assert_eq!(key.as_deref(), Some("bob"), "{tool}");
        let uncertain = ledger.uncertain.as_deref();
        assert!(uncertain.is_some_and(|what| what.contains("bank.example")), "{uncertain:?}");
    }
}

/// Needs no answers.
struct Nothing;

#[async_trait::async_trait]
impl HostPort for Nothing {
    async fn call(&mut self, _: HostCall) -> Result<Answered, PortError> {
        Err(PortError::abort("nobody calls"))
    }
}

#[tokio::test]
async fn an_interrupted_invocation_without_a_place_is_tried_again_later() {
    let host = TestHost::new().await;
    let skills = skills("looper", Duration::from_millis(100));
    let component = &skills.active[&"looper".parse().unwrap()].component;
    let unending = Invocation {
        id: InvocationId::derive(&["other"]),
        tool: "loop_forever".into(),
        arguments: "{}".into(),
        now: host.app.clock.now(),
        language: "en".into(),
        customer: Customer::default(),
        settings: vec![],
        limits: Limits {
            cpu: Duration::from_secs(100),
            wall: Duration::from_secs(100),
            ..Limits::default()
        },
        seed: [7; 32],
    };
    let mut holds = std::pin::pin!(component.invoke(unending, Box::new(Nothing)));
    for (journal, is_tried_again) in [(vec![], false), (journal(), true)] {
        let (response, _) = tokio::select! {
            biased;
            report = &mut holds => panic!("it left its place: {report:?}"),
            answer = respond(&host, &skills, "loop_forever", journal, vec![]) => answer,
        };
        match response {
            Ok(response) => {
                let reason = response.escalate.unwrap().reason;
                assert_eq!(
                    reason,
                    "skill looper: limit concurrent_calls of 1 calls at a time reached"
                );
                assert!(!is_tried_again);
            }
            Err(TurnError::Aborted(error)) => {
                assert!(error.to_string().contains("no place to go on"), "{error}");
                assert!(is_tried_again);
            }
            Err(error) => panic!("{error}"),
        }
    }
}
