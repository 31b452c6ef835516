//! What is called: the skill order-status, on wasmtime alone, with canned
//! answers, and through the gate of a host that is put together as it serves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use postern::{
    app::{self, App},
    clock::SystemClock,
    config::{self, Config},
    gate::{Caller, Gate},
    keys::{MasterKey, random_token, write_private},
    ledger::Ledger,
    policies,
    privacy::Vault,
    registry::{Compiler, parse_manifest},
};
use postern_domain::{
    CallState, Channel, Conversation, ConversationId, Customer, Digest, HostCall, HostReply,
    IdentityLevel, Interface, InvocationId, Manifest, MessageId, Outcome, SkillId, Timestamp,
    TurnId,
};
use postern_runtime::{
    Answered, HostPort, Invocation, Limits, LoadedSkill, PortError, Runtime, RuntimeConfig,
};
use postern_store::{Change, Lease, Store, StoredRecord, TurnRow};
use tokio::sync::Mutex;

use crate::{
    figures::Times,
    memory::Memory,
    raw::{Raw, Work},
};

const SKILL: &str = "order-status";
const TOOL: &str = "order_status";
/// The record that is read, and by which program it is read too.
const ORDER: &str = include_str!("../../../tests/peers/order.json");
const ORDER_ID: &str = "#W1000000";
const CUSTOMER: &str = "bench_0";

/// The repository.
pub(crate) fn repository() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// The compiled component of the skill.
pub(crate) fn component() -> anyhow::Result<Vec<u8>> {
    let path = repository().join("skills/target/wasm32-wasip2/release/order_status.wasm");
    fs::read(&path)
        .with_context(|| format!("{}: run `cargo xtask build-skills` first", path.display()))
}

/// The skill's name.
pub(crate) fn skill_id() -> SkillId {
    SKILL.parse().expect("the name is an id")
}

/// What the skill is granted.
pub(crate) fn granted() -> BTreeSet<Interface> {
    [Interface::Log, Interface::Records].into()
}

/// A runtime with room for so many calls, and code compiled by it.
pub(crate) fn compiled(concurrent_calls: u32) -> anyhow::Result<(Runtime, Vec<u8>)> {
    let config = RuntimeConfig { concurrent_calls, ..RuntimeConfig::default() };
    let runtime = Runtime::new(config)?;
    let code = runtime.compile(&component()?)?;
    Ok((runtime, code))
}

/// The same call by every way.
pub(crate) struct Subject {
    raw: Raw,
    skill: LoadedSkill,
    app: Arc<App>,
    store: Arc<Memory>,
    manifest: Manifest,
    conversation: Conversation,
    turn: TurnRow,
    /// What the gate answers, in order.
    replies: Vec<HostReply>,
    /// What the customer is told.
    pub(crate) reply: String,
    /// The record as the skill sees it.
    record: String,
    _runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Subject {
    /// Puts everything together and checks that every way gives one answer.
    pub(crate) async fn new(concurrent_calls: u32) -> anyhow::Result<Self> {
        let (runtime, code) = compiled(concurrent_calls)?;
        let skill = runtime.load_bytes(&skill_id(), &code, &granted(), &Limits::default())?;
        let folder = data_folder()?;
        let record = StoredRecord {
            collection: "orders".to_owned(),
            key: ORDER_ID.to_owned(),
            version: 1,
            body: serde_json::from_str(ORDER)?,
        };
        let store = Arc::new(Memory::new(record));
        let app = App::assemble(
            Config::load(folder.path())?,
            Arc::clone(&store) as Arc<dyn Store>,
            Arc::new(SystemClock),
            // Nothing is installed in this host, so nothing is compiled for it.
            Compiler::this_program(),
        )?;
        let manifest = fs::read_to_string(repository().join("skills/order-status/skill.toml"))?;
        let conversation = conversation();
        let mut subject = Self {
            raw: raw(String::new(), concurrent_calls)?,
            skill,
            app,
            store,
            manifest: parse_manifest("skill.toml", &manifest)?,
            turn: turn(&conversation),
            conversation,
            replies: Vec::new(),
            reply: String::new(),
            record: String::new(),
            _runtime: runtime,
            _folder: folder,
        };
        subject.learn().await?;
        subject.raw = raw(subject.record.clone(), concurrent_calls)?;
        let raw = subject.raw.call().await.map_err(anyhow::Error::from_boxed)?;
        ensure!(raw == subject.reply, "wasmtime alone answers something else: {raw}");
        Ok(subject)
    }

    /// Calls through the gate once, to know what it answers.
    async fn learn(&mut self) -> anyhow::Result<()> {
        let ledger = self.ledger();
        let report = self.skill.invoke(invocation(), Box::new(self.gate(&ledger))).await;
        let Ok(Outcome::Reply { text }) = report.result else {
            anyhow::bail!("the skill gave no reply: {:?}", report.result);
        };
        self.reply = text;
        let ledger = ledger.lock().await;
        self.replies = ledger.pending().filter_map(reply).collect();
        ensure!(self.replies.len() == 2, "{} calls were allowed, not two", self.replies.len());
        let record = self.replies.iter().find_map(|reply| match reply {
            HostReply::Document { document } => Some(document.body.to_string()),
            _ => None,
        });
        self.record = record.context("the skill read no record")?;
        Ok(())
    }

    /// One call on wasmtime alone.
    pub(crate) async fn raw(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let text = self.raw.call().await.map_err(anyhow::Error::from_boxed)?;
        let took = began.elapsed();
        ensure!(text == self.reply, "another answer: {text}");
        Ok(took)
    }

    /// One call with canned answers.
    pub(crate) async fn canned(&self) -> anyhow::Result<Duration> {
        let (call, port) = (invocation(), self.canned_port());
        let began = Instant::now();
        let report = self.skill.invoke(call, port).await;
        let took = began.elapsed();
        ensure!(matches!(report.result, Ok(Outcome::Reply { text }) if text == self.reply));
        Ok(took)
    }

    /// One call through the gate.
    pub(crate) async fn judged(&self) -> anyhow::Result<Duration> {
        let (call, ledger) = (invocation(), self.ledger());
        self.store.prepare();
        let began = Instant::now();
        let report = self.skill.invoke(call, Box::new(self.gate(&ledger))).await;
        let took = began.elapsed();
        ensure!(matches!(report.result, Ok(Outcome::Reply { text }) if text == self.reply));
        ensure!(ledger.lock().await.pending().count() == 2, "not two calls in the journal");
        Ok(took)
    }

    /// Answers every call as the gate did.
    pub(crate) fn canned_port(&self) -> Box<dyn HostPort> {
        let mut replies = self.replies.clone();
        replies.reverse();
        Box::new(Canned(replies))
    }

    fn gate(&self, ledger: &Arc<Mutex<Ledger>>) -> Gate {
        let caller = Caller::new(&self.manifest, Digest::ZERO, TOOL, invocation_id());
        Gate::new(Arc::clone(&self.app.gate), Arc::clone(ledger), caller, Vec::new())
    }

    fn ledger(&self) -> Arc<Mutex<Ledger>> {
        let lease = Lease { conversation: self.conversation.id.clone(), fence: 0 };
        Arc::new(Mutex::new(Ledger::new(
            Arc::clone(&self.app.store),
            lease,
            self.turn.clone(),
            self.conversation.clone(),
            Vault::new(&self.conversation.nonce, Vec::new()),
            None,
        )))
    }
}

/// Times of several ways, a few calls of one after a few of the other, so that
/// whatever else the machine does meets all of them.
pub(crate) struct Ways {
    pub(crate) raw: Times,
    pub(crate) canned: Times,
    pub(crate) judged: Times,
}

impl Subject {
    /// Measures every way with so many calls.
    pub(crate) async fn measure(&self, calls: u32) -> anyhow::Result<Ways> {
        let mut ways =
            Ways { raw: Times::default(), canned: Times::default(), judged: Times::default() };
        const STRETCH: u32 = 50;
        for round in 0..calls / STRETCH + 4 {
            // The first rounds warm up caches and the pool.
            let counts = round >= 4;
            for _ in 0..STRETCH {
                let took = self.raw().await?;
                if counts {
                    ways.raw.push(took);
                }
            }
            for _ in 0..STRETCH {
                let took = self.canned().await?;
                if counts {
                    ways.canned.push(took);
                }
            }
            for _ in 0..STRETCH {
                let took = self.judged().await?;
                if counts {
                    ways.judged.push(took);
                }
            }
        }
        Ok(ways)
    }
}

struct Canned(Vec<HostReply>);

#[async_trait]
impl HostPort for Canned {
    async fn call(&mut self, _: HostCall) -> Result<Answered, PortError> {
        let reply = self.0.pop().unwrap_or(HostReply::Done);
        Ok(Answered { answer: Ok(reply), at: now() })
    }
}

fn reply(change: &Change) -> Option<HostReply> {
    match change {
        Change::Journal(entry) => match &entry.record.state {
            CallState::Done { reply } => Some(reply.clone()),
            CallState::Waiting { .. } | CallState::Intended | CallState::Failed { .. } => None,
        },
        _ => None,
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_123)
}

fn invocation_id() -> InvocationId {
    InvocationId::derive(&["bench"])
}

fn settings() -> Vec<(String, String)> {
    vec![("currency".to_owned(), "USD".to_owned())]
}

fn arguments() -> String {
    serde_json::json!({ "order_id": ORDER_ID }).to_string()
}

fn raw(record: String, concurrent_calls: u32) -> anyhow::Result<Raw> {
    let work = Work { tool: TOOL.to_owned(), arguments: arguments(), settings: settings(), record };
    Raw::new(&component()?, work, concurrent_calls).map_err(anyhow::Error::from_boxed)
}

/// The call that every way makes.
pub(crate) fn invocation() -> Invocation {
    Invocation {
        id: invocation_id(),
        tool: TOOL.to_owned(),
        arguments: arguments(),
        now: now(),
        language: "en".to_owned(),
        customer: Customer { key: Some(CUSTOMER.to_owned()), level: IdentityLevel::Identified },
        settings: settings(),
        limits: Limits::default(),
        seed: [7; 32],
    }
}

fn conversation() -> Conversation {
    Conversation {
        id: ConversationId::derive(&["bench"]),
        channel: Channel::Web,
        account: "main".to_owned(),
        chat: "bench".to_owned(),
        sender: "bench".to_owned(),
        private: true,
        nonce: "k3f9".to_owned(),
        language: "en".to_owned(),
        customer: Customer { key: Some(CUSTOMER.to_owned()), level: IdentityLevel::Identified },
        state: Default::default(),
        ticket: None,
        created_at: now(),
    }
}

fn turn(conversation: &Conversation) -> TurnRow {
    TurnRow {
        id: TurnId::derive(&["bench"]),
        conversation: conversation.id.clone(),
        message: MessageId::derive(&["bench"]),
        plan: serde_json::Value::Null,
        generation: "1".to_owned(),
        summary: None,
        started_at: now(),
        completed_at: None,
    }
}

/// A data folder with the shipped configuration and rules, and without skills.
fn data_folder() -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let data = folder.path();
    for part in ["keys", "secrets", "policies"] {
        fs::create_dir(data.join(part))?;
    }
    MasterKey::generate()?.write_new(&data.join(app::KEY_FILE))?;
    write_private(&data.join("secrets/operator-token"), random_token()?.as_bytes())?;
    copy_rules(&repository().join("policies"), &data.join("policies"))?;
    write_private(&data.join(config::FILE_NAME), config::DEFAULT.as_bytes())?;
    policies::first(&Config::load(data)?, "operator:cli", Timestamp::from_millis(0))?;
    Ok(folder)
}

fn copy_rules(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
