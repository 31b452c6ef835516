//! One call of a skill: through the gate, and with canned answers.

use std::{sync::Arc, time::Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use postern_domain::{
    CallState, Customer, HostCall, HostReply, IdentityLevel, InvocationId, MessageId, Timestamp,
    TurnId,
};
use postern_runtime::{Answered, HostPort, Invocation, PortError};
use postern_store::{Change, Lease, Page, TurnRow};
use tokio::sync::Mutex;

use super::{Report, order};
use crate::{
    app::App,
    gate::{Caller, Gate},
    ledger::Ledger,
    privacy::Vault,
    registry::ActiveSkill,
};

const SKILL: &str = "order-status";
const TOOL: &str = "order_status";

/// Answers every call with what the gate answered before, in order.
struct Canned {
    replies: Arc<Vec<HostReply>>,
    next: usize,
}

#[async_trait]
impl HostPort for Canned {
    async fn call(&mut self, _call: HostCall) -> Result<Answered, PortError> {
        let reply = self.replies.get(self.next).cloned().unwrap_or(HostReply::Done);
        self.next += 1;
        Ok(Answered { answer: Ok(reply), at: Timestamp::from_millis(0) })
    }
}

/// Measures both ways, a call of one after a call of the other.
pub(super) async fn measure(app: &Arc<App>, calls: u32, report: &mut Report) -> anyhow::Result<()> {
    let skills = app.skills();
    let (_, skill) =
        skills.active.iter().find(|(id, _)| id.as_str() == SKILL).context("no order-status")?;
    let page = Page { limit: 1, offset: 0 };
    let latest = app.store.conversations(page).await?;
    let mut conversation = latest.into_iter().next().context("no conversation")?.conversation;
    conversation.customer =
        Customer { key: Some("bench_0".to_owned()), level: IdentityLevel::Identified };
    let now = app.clock.now();
    let message = MessageId::derive(&["bench"]);
    let turn = TurnRow {
        id: TurnId::derive(&["bench"]),
        conversation: conversation.id.clone(),
        message,
        plan: serde_json::Value::Null,
        generation: String::new(),
        summary: None,
        started_at: now,
        completed_at: None,
    };
    let lease = Lease { conversation: conversation.id.clone(), fence: 0 };
    let ledger = || {
        let vault = Vault::new(&conversation.nonce, vec![]);
        let store = Arc::clone(&app.store);
        let ledger =
            Ledger::new(store, lease.clone(), turn.clone(), conversation.clone(), vault, None);
        Arc::new(Mutex::new(ledger))
    };
    let id = InvocationId::derive(&["bench"]);
    let caller = || Caller::new(&skill.manifest, skill.digest, TOOL, id.clone());
    let gate = |ledger| Gate::new(Arc::clone(&app.gate), ledger, caller(), vec![]);

    // The first call shows what the gate answers.
    let first = ledger();
    let outcome = skill
        .component
        .invoke(invocation(skill, &id, now), Box::new(gate(Arc::clone(&first))))
        .await;
    anyhow::ensure!(outcome.result.is_ok(), "the skill failed: {:?}", outcome.result.err());
    let replies: Vec<HostReply> = first.lock().await.pending().filter_map(reply).collect();
    anyhow::ensure!(!replies.is_empty(), "the skill called nothing");
    let replies = Arc::new(replies);

    let (mut gated, mut canned) = (Vec::new(), Vec::new());
    for _ in 0..calls {
        let port = Box::new(gate(ledger()));
        let began = Instant::now();
        skill.component.invoke(invocation(skill, &id, now), port).await;
        gated.push(began.elapsed());
        let port = Box::new(Canned { replies: Arc::clone(&replies), next: 0 });
        let began = Instant::now();
        skill.component.invoke(invocation(skill, &id, now), port).await;
        canned.push(began.elapsed());
    }
    report.ratio("a skill call through the gate against one without", &gated, &canned);
    report.times("skill call through the gate, store reads included", gated);
    report.times("skill call with canned answers", canned);
    Ok(())
}

fn invocation(skill: &ActiveSkill, id: &InvocationId, now: Timestamp) -> Invocation {
    Invocation {
        id: id.clone(),
        tool: TOOL.to_owned(),
        arguments: serde_json::json!({ "order_id": order(0) }).to_string(),
        now,
        language: "en".to_owned(),
        customer: Customer { key: Some("bench_0".to_owned()), level: IdentityLevel::Identified },
        settings: skill.settings.clone(),
        limits: skill.limits.clone(),
        seed: [7; 32],
    }
}

/// What the gate answered, from the journal.
fn reply(change: &Change) -> Option<HostReply> {
    match change {
        Change::Journal(entry) => match &entry.record.state {
            CallState::Done { reply } => Some(reply.clone()),
            CallState::Waiting { .. } | CallState::Intended | CallState::Failed { .. } => None,
        },
        _ => None,
    }
}
