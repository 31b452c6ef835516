//! A leased conversation of the customer `ann`, with rules that permit just
//! enough, and a server that looks into the store when it is asked.

use std::sync::{
    Arc, Mutex as SyncMutex,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::get,
};
use postern_domain::{
    Approval, AuditEntry, AuditKind, CallRecord, Channel, Customer, Digest, IdentityLevel,
    InboundKind, InboundMessage, Interface, InvocationId, JournalEntry, Timestamp, TurnId,
    manifest::Capability,
};
use postern_policy::{PolicySet, PolicySource, PolicySources};
use postern_store::{Change, IndexedDocument, InvocationRow, SqliteStore, Store, TurnRow};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};

use crate::{
    clock::{Clock as _, ManualClock, SystemClock},
    config::{Collections, Config, DEFAULT},
    effects::{Ports, http::HttpClient},
    gate::{Caller, Gate, GateShared},
    keys::MasterKey,
    ledger::Ledger,
    policies::Policies,
    privacy::{Blind, Vault},
};

pub(super) const RULES: &str = r#"
@id("test-read")
permit (principal, action in Action::"records:read", resource);
@id("test-put")
permit (principal, action == Action::"records:put", resource);
@id("test-owner-only")
@reason("only the owner")
forbid (principal, action == Action::"records:get", resource)
unless { resource has owner && context.customer has key && resource.owner == context.customer.key };
@id("test-http")
permit (principal, action == Action::"http:send", resource == Endpoint::"bank");
@id("test-ticket")
permit (principal, action == Action::"ticket:update", resource) when { resource.own };
"#;

const LIMITS: &str = r#"
[rate.once]
per = "customer"
count = 1
window = "1h"

[amount.small]
per = "customer"
max = "100.00"
sum = "150.00"
window = "1d"
"#;

const APPROVALS: &str = r#"
[route.managers]
quorum = 1
expires = "24h"
role = "approver"
"#;

/// What the server does when it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Answers at once.
    Answers,
    /// Waits until it is told to go on.
    Waits,
    /// Breaks the connection after it has acted.
    Drops,
    /// Answers with this text as JSON.
    Says(&'static str),
}

/// A request as the server saw it.
#[derive(Clone)]
pub(super) struct Seen {
    /// Entries that were durable in the journal at that moment.
    pub(super) journal: usize,
    pub(super) idempotency_key: String,
    pub(super) authorization: String,
    pub(super) body: Vec<u8>,
    /// Path and query.
    pub(super) target: String,
}

pub(super) struct Server {
    pub(super) url: String,
    pub(super) asked: Arc<Notify>,
    pub(super) go_on: Arc<Notify>,
    pub(super) count: Arc<AtomicU32>,
    seen: Arc<SyncMutex<Vec<Seen>>>,
}

impl Server {
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Desk {
    mode: Mode,
    store: Arc<dyn Store>,
    asked: Arc<Notify>,
    go_on: Arc<Notify>,
    count: Arc<AtomicU32>,
    seen: Arc<SyncMutex<Vec<Seen>>>,
}

async fn pay(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header =
        |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let journal = journal(&*desk.store).await.len();
    desk.seen.lock().unwrap().push(Seen {
        journal,
        idempotency_key: header("idempotency-key"),
        authorization: header("authorization"),
        body: body.to_vec(),
        target: uri.to_string(),
    });
    desk.count.fetch_add(1, Ordering::SeqCst);
    desk.asked.notify_one();
    match desk.mode {
        Mode::Answers => {}
        Mode::Says(text) => {
            let said = [
                ("content-type", "application/json"),
                ("location", "https://a.example/?to=ann%40shop.example&ip=192.168.7.13"),
            ];
            return (said, text).into_response();
        }
        Mode::Waits => desk.go_on.notified().await,
        // A body that promises more than it holds breaks the connection.
        Mode::Drops => {
            let broken =
                futures_util::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("gone"))]);
            return axum::body::Body::from_stream(broken).into_response();
        }
    }
    StatusCode::OK.into_response()
}

async fn journal(store: &dyn Store) -> Vec<JournalEntry> {
    let conversation = message().conversation_id();
    store.conversation(&conversation).await.unwrap().unwrap().journal
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
        text: "hello".into(),
        language: None,
        received_at: Timestamp::from_millis(1),
    }
}

pub(super) struct Fixture {
    pub(super) store: Arc<dyn Store>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) server: Server,
    pub(super) clock: ManualClock,
    pub(super) shared: Arc<GateShared>,
    /// How the conversation's values are known again.
    pub(super) blind: Blind,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub(super) async fn new(mode: Mode) -> Self {
        Self::under(mode, RULES).await
    }

    /// With rules beside those that permit just enough.
    pub(super) async fn with_rules(mode: Mode, more: &str) -> Self {
        Self::under(mode, &format!("{RULES}{more}")).await
    }

    async fn under(mode: Mode, rules: &str) -> Self {
        crate::app::install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(folder.path(), "test").await.unwrap());
        let collections = collections(folder.path());
        fill(&*store, &collections).await;
        let server = serve(mode, Arc::clone(&store)).await;
        let clock = ManualClock::at(SystemClock.now());
        let shared = Arc::new(GateShared {
            policy: Arc::new(Policies::new(1, policy(&collections, rules))),
            collections: Arc::clone(&collections),
            ports: Arc::new(Ports {
                http: http(folder.path(), &server.url),
                collections,
                queue: "support".into(),
            }),
            clock: Arc::new(clock.clone()),
            metrics: Arc::default(),
            log_calls: true,
            concurrency: Arc::default(),
            revoked: Arc::default(),
        });
        let blind = Blind::new(&MasterKey::generate().unwrap());
        let ledger = ledger(&store).await.indexed(blind.clone());
        let ledger = Arc::new(Mutex::new(ledger));
        Self { store, ledger, server, clock, shared, blind, _folder: folder }
    }

    pub(super) fn caller(&self) -> Caller {
        Caller {
            skill: "tester".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            publisher: "tests".into(),
            digest: Digest::of_bytes(b"component"),
            signed_by: None,
            asks_for: Interface::ALL.map(|it| Capability::new(it, "tests")).to_vec(),
            tool: "test".into(),
            invocation: InvocationId::derive(&["test"]),
        }
    }

    /// A gate whose earlier run recorded `journal`.
    pub(super) fn gate(&self, journal: Vec<CallRecord>) -> Gate {
        Gate::new(Arc::clone(&self.shared), Arc::clone(&self.ledger), self.caller(), journal)
    }

    /// A gate under other rules than the fixture's.
    pub(super) fn gate_of(&self, shared: Arc<GateShared>, journal: Vec<CallRecord>) -> Gate {
        Gate::new(shared, Arc::clone(&self.ledger), self.caller(), journal)
    }

    /// What gates share, with other rules.
    pub(super) fn shared_with(&self, policies: Policies) -> Arc<GateShared> {
        let GateShared { collections, ports, clock, metrics, concurrency, revoked, .. } =
            &*self.shared;
        Arc::new(GateShared {
            policy: Arc::new(policies),
            collections: Arc::clone(collections),
            ports: Arc::clone(ports),
            clock: Arc::clone(clock),
            metrics: Arc::clone(metrics),
            log_calls: true,
            concurrency: Arc::clone(concurrency),
            revoked: Arc::clone(revoked),
        })
    }

    /// What is durable about the invocation's approvals.
    pub(super) async fn approvals(&self) -> Vec<Approval> {
        let mut approvals = self.store.approvals_of(&self.caller().invocation).await.unwrap();
        approvals.sort_by_key(|approval| (approval.created_at, approval.duty != "confirm"));
        approvals
    }

    /// The records of the durable journal.
    pub(super) async fn records(&self) -> Vec<CallRecord> {
        self.journal().await.into_iter().map(|entry| entry.record).collect()
    }

    pub(super) fn mark(&self) -> &'static str {
        "k3f9"
    }

    pub(super) async fn commit(&self) {
        self.ledger.lock().await.commit(vec![], vec![]).await.unwrap();
    }

    /// What is durable of the journal.
    pub(super) async fn journal(&self) -> Vec<JournalEntry> {
        journal(&*self.store).await
    }
}

fn collections(folder: &std::path::Path) -> Arc<Collections> {
    std::fs::create_dir(folder.join("secrets")).unwrap();
    std::fs::write(folder.join("secrets/operator-token"), "0123456789abcdef").unwrap();
    let users = "[collections.users]\n";
    let text = DEFAULT.replace(users, &format!("{users}tier = \"membership\"\n"));
    Arc::new(Config::parse(folder, "postern.toml", &text).unwrap().collections)
}

/// Rules with the texts of `limits.toml` and `approvals.toml`.
pub(super) fn policy(collections: &Collections, rules: &str) -> PolicySet {
    let schema = include_str!("../../../../policies/postern.cedarschema");
    let source = |file: &str, text: &str| PolicySource { file: file.into(), text: text.into() };
    let sources = PolicySources {
        schema: source("postern.cedarschema", schema),
        rules: vec![source("test.cedar", rules)],
        limits: Some(source("limits.toml", LIMITS)),
        approvals: Some(source("approvals.toml", APPROVALS)),
        privacy: None,
    };
    PolicySet::load(&sources, &collections.rules()).unwrap()
}

fn http(folder: &std::path::Path, url: &str) -> HttpClient {
    std::fs::write(folder.join("secrets/token"), "tok-1234").unwrap();
    let text = format!(
        "{DEFAULT}\n[endpoints.bank]\nurl = {url:?}\nprivate = [\"127.0.0.0/8\"]\n\
         [endpoints.bank.grants.tester]\nmethods = [\"GET\", \"POST\"]\nsecrets = [\"token\"]\n\
         amount = \"/amount_cents\"\nirreversible = true\n\
         [secrets.token]\nvalue = {{ file = \"secrets/token\" }}\nendpoint = \"bank\"\n\
         header = \"authorization\"\nprefix = \"Bearer \"\n"
    );
    let config = Config::parse(folder, "postern.toml", &text).unwrap();
    HttpClient::new(config.endpoints, config.secrets).unwrap()
}

async fn fill(store: &dyn Store, collections: &Collections) {
    let order = |key: &str, owner: &str| {
        let body: Value =
            json!({"user_id": owner, "status": "pending", "address": {"zip": "10001"}});
        let index = collections.get("orders").unwrap().index(&body);
        IndexedDocument { key: key.into(), body, index }
    };
    let orders = vec![order("#W1", "ann"), order("#W2", "bob"), order("#W3", "ann")];
    let ann = json!({"user_id": "ann", "membership": "gold"});
    let index = collections.get("users").unwrap().index(&ann);
    let users = vec![IndexedDocument { key: "ann".into(), body: ann, index }];
    let now = Timestamp::from_millis(1);
    let entry = AuditEntry::new(now, AuditKind::Operator, "operator:test", "import", "orders");
    let all = [("orders".into(), orders), ("users".into(), users)];
    store.import(all.into(), entry).await.unwrap();
}

async fn serve(mode: Mode, store: Arc<dyn Store>) -> Server {
    let desk = Desk {
        mode,
        store,
        asked: Arc::default(),
        go_on: Arc::default(),
        count: Arc::default(),
        seen: Arc::default(),
    };
    let router = Router::new()
        .route("/pay", get(pay).post(pay))
        .route("/pay/{of}", get(pay))
        .with_state(desk.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Server { url, asked: desk.asked, go_on: desk.go_on, count: desk.count, seen: desk.seen }
}

/// The ledger of a turn of the leased conversation; the turn and its invocation
/// are durable.
async fn ledger(store: &Arc<dyn Store>) -> Ledger {
    let message = message();
    store.accept(std::slice::from_ref(&message), &["k3f9".into()]).await.unwrap();
    let now = Timestamp::from_millis(2);
    let lease = store.lease_next("test", now, 600_000).await.unwrap().unwrap();
    let mut conversation = store.work(&lease, now).await.unwrap().unwrap().conversation;
    conversation.customer = Customer { key: Some("ann".into()), level: IdentityLevel::Identified };
    let turn = TurnRow {
        id: TurnId::derive(&["test"]),
        conversation: conversation.id.clone(),
        message: message.id(),
        plan: json!({}),
        generation: "1".into(),
        summary: None,
        started_at: now,
        completed_at: None,
    };
    let vault = Vault::new("k3f9", vec![]);
    let id = turn.id.clone();
    let mut ledger = Ledger::new(Arc::clone(store), lease, turn, conversation, vault, None);
    let invocation = InvocationRow {
        id: InvocationId::derive(&["test"]),
        turn: id,
        step: 0,
        skill: "tester".parse().unwrap(),
        version: "1.0.0".into(),
        digest: Digest::of_bytes(b"component"),
        tool: "test".into(),
        arguments: json!({}),
        result: None,
        at: now,
        took_us: 0,
        cpu_us: 0,
        memory_bytes: 0,
        host_calls: 0,
    };
    ledger.commit(vec![Change::Invocation(invocation)], vec![]).await.unwrap();
    ledger
}
