//! One call of one tool through the real gate and store, without a message that
//! asks for it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use anyhow::{Context as _, Result};
use postern::{
    app::App,
    gate::{Caller, Gate, GateShared},
    ledger::Ledger,
    privacy::{Vault, mark_of},
};
use postern_domain::{
    CallRecord, Channel, Customer, InboundKind, InboundMessage, InvocationId, Outcome, TurnId,
};
use postern_runtime::{Invocation, InvokeError};
use postern_store::{Change, InvocationRow, Lease, TurnRow, Work};
use serde_json::Value;
use tokio::sync::Mutex;

/// For how long a conversation is leased: far longer than any call.
const LEASE_MS: i64 = 600_000;

/// A host whose tools can be called directly. Its workers must not run, as they
/// would take the messages.
pub(crate) struct Prober {
    app: Arc<App>,
    gate: Arc<GateShared>,
    calls: AtomicU32,
}

/// A call of a tool.
pub(crate) struct Call<'a> {
    pub(crate) skill: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) arguments: &'a Value,
    pub(crate) customer: Customer,
    /// KiB that the guest may send, if fewer than the host allows.
    pub(crate) sent_kib: Option<u64>,
}

/// How a call ended, and what went through the gate.
#[derive(Debug)]
pub(crate) struct Probed {
    pub(crate) result: Result<Outcome, InvokeError>,
    pub(crate) calls: Vec<CallRecord>,
}

impl Prober {
    pub(crate) fn new(app: Arc<App>, gate: Arc<GateShared>) -> Self {
        Self { app, gate, calls: AtomicU32::new(0) }
    }

    /// Calls a tool in a conversation of its own with this customer, and commits
    /// what came of it, as a turn does.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Probed> {
        let Call { skill, tool, arguments, customer, sent_kib } = call;
        let skills = self.app.skills();
        let (_, active) = skills
            .active
            .iter()
            .find(|(id, _)| id.as_str() == skill)
            .with_context(|| format!("skill {skill} is not installed"))?;
        let (lease, work) = self.conversation().await?;
        let mut conversation = work.conversation;
        conversation.customer = customer.clone();
        let turn = TurnRow {
            id: TurnId::derive(&[work.message.id().as_str()]),
            conversation: conversation.id.clone(),
            message: work.message.id(),
            plan: Value::Null,
            generation: skills.number.to_string(),
            summary: None,
            started_at: self.app.clock.now(),
            completed_at: None,
        };
        let id = InvocationId::derive(&[turn.id.as_str(), "0"]);
        let vault = Vault::new(&mark_of(&conversation), work.vault);
        let store = Arc::clone(&self.app.store);
        let (at, message) = (turn.started_at, work.message.id());
        let language = conversation.language.clone();
        let of = conversation.id.clone();
        let row = InvocationRow {
            id: id.clone(),
            turn: turn.id.clone(),
            step: 0,
            skill: active.manifest.skill.id.clone(),
            version: active.manifest.skill.version.to_string(),
            digest: active.digest,
            tool: tool.to_owned(),
            arguments: Value::Null,
            result: None,
            at,
            took_us: 0,
            cpu_us: 0,
            memory_bytes: 0,
            host_calls: 0,
        };
        let mut ledger = Ledger::new(store, lease.clone(), turn, conversation, vault, work.ticket);
        ledger.push(Change::Invocation(row));
        let ledger = Arc::new(Mutex::new(ledger));
        let caller = Caller::new(&active.manifest, active.digest, tool, id.clone());
        let gate = Gate::new(Arc::clone(&self.gate), Arc::clone(&ledger), caller, vec![]);
        let mut limits = active.limits.clone();
        if let Some(kib) = sent_kib {
            limits.sent_bytes = limits.sent_bytes.min(kib << 10);
        }
        let invocation = Invocation {
            id: id.clone(),
            tool: tool.to_owned(),
            arguments: arguments.to_string(),
            now: at,
            language,
            customer,
            settings: active.settings.clone(),
            limits,
            seed: self.app.key.derive("invocation", &[id.as_str()]),
        };
        let report = active.component.invoke(invocation, Box::new(gate)).await;
        ledger.lock().await.commit(vec![Change::InboxDone(message)], vec![]).await?;
        self.app.store.release(&lease).await?;
        let detail = self.app.store.conversation(&of).await?;
        let journal = detail.context("the conversation is gone")?.journal;
        let calls = journal.into_iter().filter(|entry| entry.invocation == id);
        let calls = calls.map(|entry| entry.record).collect();
        Ok(Probed { result: report.result, calls })
    }

    /// A conversation nobody had before, leased, with its one message.
    async fn conversation(&self) -> Result<(Lease, Work)> {
        let number = self.calls.fetch_add(1, Relaxed).to_string();
        let now = self.app.clock.now();
        self.app
            .intake
            .accept(InboundMessage {
                channel: Channel::Terminal,
                account: "probe".to_owned(),
                dedupe_key: number.clone(),
                chat: number.clone(),
                sender: number.clone(),
                external_id: number,
                private: true,
                kind: InboundKind::Text,
                text: "a probe".to_owned(),
                language: None,
                received_at: now,
            })
            .await?;
        let lease = self.app.store.lease_next("probe", now, LEASE_MS).await?;
        let lease = lease.context("no conversation is due")?;
        let work = self.app.store.work(&lease, now).await?;
        Ok((lease, work.context("the message is gone")?))
    }
}
