//! Released interfaces stay as they are, and components that were built against
//! them keep running.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use postern_domain::{
    CallFailure, Customer, Document, FailureKind, HostCall, HostReply, HttpResponse, IdentityLevel,
    Interface, Outcome, Retry, Severity, SkillFailure,
};
use postern_runtime::{InvokeError, Limits, LoadedSkill, Runtime};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    calls::ticket,
    support::{RUNTIME, compiled, failure, invocation, port, reply},
};

/// Packages without a backend, which may still change.
const YOUNG: [&str; 4] = ["knowledge", "message", "model", "schedule"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folders below a folder, by name.
fn folders(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path)
        .expect("the repository is whole")
        .map(|entry| entry.expect("the repository is whole"))
        .filter(|entry| entry.file_type().expect("the repository is whole").is_dir())
        .map(|entry| entry.file_name().into_string().expect("the repository is whole"))
        .collect();
    names.sort();
    names
}

/// The version that a WIT file declares.
fn declared(text: &str) -> String {
    let line =
        text.lines().find(|line| line.starts_with("package ")).expect("the repository is whole");
    line.split_once('@').expect("the repository is whole").1.trim_end_matches(';').to_owned()
}

#[test]
fn frozen_files_have_the_hashes_of_their_release() {
    let frozen = repository().join("wit/frozen");
    let sums = fs::read_to_string(frozen.join("SHA256SUMS")).unwrap();
    let sums: BTreeMap<&str, &str> = sums
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(sum, at)| (at, sum))
        .collect();
    let mut seen = BTreeSet::new();
    for folder in folders(&frozen) {
        for file in fs::read_dir(frozen.join(&folder)).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            let sum = hex::encode(Sha256::digest(fs::read(frozen.join(&path)).unwrap()));
            assert_eq!(
                sums.get(path.as_str()).copied(),
                Some(sum.as_str()),
                "wit/frozen/{path} was released and must not change; make a new version instead"
            );
            seen.insert(path);
        }
    }
    let listed: BTreeSet<String> = sums.keys().map(|at| (*at).to_owned()).collect();
    assert_eq!(listed, seen, "a released file is missing");
}

#[test]
fn a_package_changes_only_together_with_its_version() {
    let wit = repository().join("wit");
    let frozen = folders(&wit.join("frozen"));
    for package in folders(&wit).into_iter().filter(|name| name != "frozen") {
        let file = format!("{package}.wit");
        let living = fs::read_to_string(wit.join(&package).join(&file)).unwrap();
        let release = format!("{package}-{}", declared(&living));
        if frozen.contains(&release) {
            let released = fs::read_to_string(wit.join("frozen").join(&release).join(&file));
            assert_eq!(
                living,
                released.unwrap(),
                "wit/{package} differs from its release: give it a new version"
            );
        } else {
            assert!(
                YOUNG.contains(&package.as_str()),
                "wit/{package} is in use: freeze it as wit/frozen/{release}"
            );
        }
    }
}

/// A component that was built when the interfaces of this version were released.
fn released(version: &str) -> Vec<u8> {
    fs::read(repository().join("tests/golden").join(format!("{version}.wasm")))
        .expect("the repository is whole")
}

fn loaded(code: &[u8]) -> LoadedSkill {
    let id = "golden".parse().expect("the repository is whole");
    RUNTIME
        .load_bytes(&id, code, &BTreeSet::from(Interface::ALL), &Limits::default())
        .expect("the repository is whole")
}

/// The corpus: as it was compiled then, and built anew from its source.
fn corpus() -> Vec<(&'static str, LoadedSkill)> {
    let then = RUNTIME.compile(&released("0.1.0")).expect("the repository is whole");
    vec![("compiled then", loaded(&then)), ("built now", loaded(&compiled("golden")))]
}

/// Answers every call with something that shows in the guest's words.
fn canned(call: &HostCall) -> HostReply {
    let document = |version| Document {
        key: "#W1".into(),
        version,
        body: json!({"status": "pending"}).into(),
    };
    match call {
        HostCall::RecordsGet { .. } => HostReply::Document { document: document(7) },
        HostCall::RecordsQuery { .. } => {
            HostReply::Documents { documents: vec![document(1), document(2)] }
        }
        HostCall::RecordsWrite { .. } => HostReply::Versions { versions: vec![1, 8, 0] },
        HostCall::RecordsIdentify { .. } => {
            HostReply::Identity { key: "u1".into(), document: document(3) }
        }
        HostCall::HttpSend { .. } => HostReply::Http {
            response: HttpResponse {
                status: 207,
                headers: vec![("etag".into(), "x".into())],
                body: vec![0, 255],
            },
        },
        HostCall::KvGet { .. } => HostReply::Value { value: Some(vec![1, 2, 3]) },
        HostCall::TicketCreate { .. } | HostCall::TicketUpdate { .. } => {
            HostReply::Ticket { ticket: ticket() }
        }
        HostCall::TicketHistory { .. } => HostReply::Tickets { tickets: vec![ticket()] },
        HostCall::HandOver { .. } => HostReply::Queued { queue: "support".into() },
        _ => HostReply::Done,
    }
}

#[tokio::test]
async fn every_frozen_function_still_answers_as_it_did() {
    let id = ticket().id;
    let ticket = format!("{id} Where is it? 3 1 late 1234");
    let wanted = [
        format!("context: {} 1700000000123 en u1 2 zone=UTC", invocation("tour", &json!({})).id),
        r##"get: #W1 7 {"status":"pending"}"##.into(),
        r##"query: #W1 1 {"status":"pending"}, #W1 2 {"status":"pending"}"##.into(),
        "write: 1 8 0".into(),
        r##"identify: u1 #W1 3 {"status":"pending"}"##.into(),
        "send: 207 etag=x 0 255".into(),
        "kv get: 3".into(),
        "kv set: done".into(),
        "kv delete: done".into(),
        format!("create: {ticket}"),
        format!("update: {ticket}"),
        "tag: done".into(),
        "comment: done".into(),
        format!("history: {ticket}"),
        "hand over: support".into(),
    ];
    let actions = [
        "ticket:create",
        "log:write",
        "records:get",
        "records:query",
        "records:write",
        "records:identify",
        "http:send",
        "kv:get",
        "kv:set",
        "kv:delete",
        "ticket:update",
        "ticket:tag",
        "ticket:comment",
        "ticket:history",
        "handover:request",
    ];
    for (age, skill) in corpus() {
        let (port, seen) = port(|call| Ok(canned(call)));
        let mut call = invocation("tour", &json!({}));
        call.customer = Customer { key: Some("u1".into()), level: IdentityLevel::Verified };
        call.settings = vec![("zone".into(), "UTC".into())];
        let text = reply(skill.invoke(call, port).await);
        assert_eq!(text.lines().collect::<Vec<_>>(), wanted, "{age}");
        let calls: Vec<&str> = seen.calls().iter().map(HostCall::action).collect();
        assert_eq!(calls, actions, "{age}");
    }
}

#[tokio::test]
async fn every_frozen_outcome_and_refusal_still_arrives() {
    for (age, skill) in corpus() {
        let words = |tool: &str| {
            let (port, _) = port(|_| {
                let refused = CallFailure {
                    kind: FailureKind::Conflict,
                    message: "changed".into(),
                    retry: Retry::AfterMs(250),
                };
                Err(refused)
            });
            skill.invoke(invocation(tool, &json!("why")), port)
        };
        let text = "\"why\"".to_owned();
        assert_eq!(reply(words("refused").await), "3 changed 250", "{age}");
        let ask = Outcome::Ask { entity: "order_id".into(), text: text.clone() };
        let (reason, severity) = ("golden".into(), Severity::High);
        let hand_over = Outcome::HandOver { reason, severity, text };
        for (tool, outcome) in [("ask", ask), ("hand_over", hand_over), ("done", Outcome::Done)] {
            assert_eq!(words(tool).await.result.unwrap(), outcome, "{age}");
        }
        let failed = |message: &str| message.to_owned();
        let message = failed("\"why\"");
        assert_eq!(
            failure(words("invalid").await),
            SkillFailure::InvalidArguments { message: message.clone() }
        );
        assert_eq!(
            failure(words("denied").await),
            SkillFailure::Denied { message: message.clone() }
        );
        assert_eq!(
            failure(words("unavailable").await),
            SkillFailure::Unavailable { message: message.clone() }
        );
        let ended = words("internal").await.result;
        assert!(
            matches!(&ended, Err(InvokeError::Skill(SkillFailure::Internal { message: m })) if *m == message),
            "{age}: {ended:?}"
        );
    }
}

#[test]
fn the_corpus_stays_small() {
    let info = Runtime::inspect(&released("0.1.0")).unwrap();
    assert!(info.size < 100 << 10, "{} bytes", info.size);
}
