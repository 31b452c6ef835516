//! What the till and the records have to show for each wish.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use postern_domain::{
    Approval, ApprovalState, CallRecord, CallState, FailureKind, HostCall, InvocationId,
    TicketEventKind,
};
use postern_store::{ConversationDetail, InvocationRow, Page, SqliteStore, Store as _};
use postern_test_support::till::{Payment, Till};

use super::{Calls, Found};
use crate::crash::{
    senders::{Conversation, Wish},
    shop,
};

/// Whether nobody may try a call twice.
pub(super) fn must_not_repeat(call: &HostCall) -> bool {
    matches!(call, HostCall::HttpSend { request }
        if !request.method.is_safe() && !request.idempotent)
}

/// What people have decided, and what the till has taken.
pub(super) struct Effects {
    approvals: Vec<Approval>,
    payments: BTreeMap<String, Vec<Payment>>,
}

impl Effects {
    pub(super) async fn new(store: &SqliteStore, till: &Till) -> Result<Self> {
        let approvals = store.approvals(None, Page { limit: 100_000, offset: 0 }).await?;
        let mut payments = BTreeMap::<String, Vec<Payment>>::new();
        for payment in till.payments() {
            payments.entry(payment.key.clone()).or_default().push(payment);
        }
        Ok(Self { approvals, payments })
    }

    /// Fails if the till was asked for something that no journal knows.
    pub(super) fn all_are_known(&self, calls: &Calls) -> Result<()> {
        let keys: BTreeSet<_> = calls.iter().map(|(id, seq)| key(id, *seq)).collect();
        let unknown = self.payments.keys().find(|key| !keys.contains(*key));
        ensure!(unknown.is_none(), "nobody knows of the payment {unknown:?}");
        Ok(())
    }

    /// Judges what one conversation has changed.
    pub(super) async fn judge(
        &self,
        store: &SqliteStore,
        talk: &Conversation,
        detail: &ConversationDetail,
        found: &mut Found,
    ) -> Result<()> {
        let kept: BTreeSet<_> = detail.turns.iter().map(|turn| &turn.message).collect();
        let wishes = |wish| {
            let written = talk.written.iter();
            written.filter(|it| it.wish == wish && kept.contains(&it.id)).count()
        };
        self.approved(detail, found)?;
        for (wish, tool) in [
            (Wish::PaySafe, "pay_safe"),
            (Wish::PayOnce, "pay_once"),
            (Wish::PayHeld, "pay_held"),
            (Wish::Book, "book"),
            (Wish::Refund, "refund_request"),
        ] {
            let runs: Vec<_> = detail.invocations.iter().filter(|run| run.tool == tool).collect();
            ensure!(
                runs.len() == wishes(wish),
                "{tool} ran {} times for {} messages",
                runs.len(),
                wishes(wish)
            );
            match wish {
                Wish::PaySafe | Wish::PayOnce | Wish::PayHeld => {
                    for run in runs {
                        self.paid(store, talk, detail, run, found).await?;
                    }
                }
                Wish::Book => {
                    let voucher = shop::voucher(talk.n);
                    let record = store.record("bookings", &voucher).await?;
                    let count = record.and_then(|it| it.body["count"].as_u64()).unwrap_or_default();
                    ensure!(count == runs.len() as u64, "{count} bookings, not {}", runs.len());
                    found.bookings += runs.len();
                }
                Wish::Refund => {
                    for run in runs {
                        self.refunded(store, talk, run, found).await?;
                    }
                }
                Wish::Know | Wish::Yes => {}
            }
        }
        Ok(())
    }

    /// Every approval of a conversation has come to an end.
    fn approved(&self, detail: &ConversationDetail, found: &mut Found) -> Result<()> {
        let of_talk = |it: &&Approval| it.conversation == detail.conversation.id;
        for approval in self.approvals.iter().filter(of_talk) {
            match approval.state {
                ApprovalState::Executed => found.executed += 1,
                ApprovalState::Rejected => found.rejected += 1,
                // The customer's yes to what a person then rejected.
                ApprovalState::Void if self.is_rejected(&approval.invocation) => {}
                ApprovalState::Pending
                | ApprovalState::Approved
                | ApprovalState::Expired
                | ApprovalState::Void
                | ApprovalState::Failed
                | ApprovalState::Uncertain => bail!("an approval without an end: {approval:?}"),
            }
        }
        Ok(())
    }

    fn is_rejected(&self, run: &InvocationId) -> bool {
        let mut of_run = self.approvals.iter().filter(|it| it.invocation == *run);
        of_run.any(|it| it.state == ApprovalState::Rejected)
    }

    /// A payment was made once, under its own key, or is shown to people.
    async fn paid(
        &self,
        store: &SqliteStore,
        talk: &Conversation,
        detail: &ConversationDetail,
        run: &InvocationRow,
        found: &mut Found,
    ) -> Result<()> {
        let of_run = detail.journal.iter().filter(|entry| entry.invocation == run.id);
        let mut sent = of_run
            .map(|entry| &entry.record)
            .filter(|record| matches!(record.call, HostCall::HttpSend { .. }));
        let record: &CallRecord = sent.next().context("it did not call the till")?;
        ensure!(sent.next().is_none(), "it called the till twice: {:?}", run.id);
        let asked = self.payments.get(&key(&run.id, record.seq)).map_or(&[][..], Vec::as_slice);
        let voucher = shop::voucher(talk.n);
        let own = |it: &Payment| it.voucher == voucher && it.tool == run.tool;
        ensure!(asked.iter().all(own), "something else was paid: {asked:?}");
        let once = must_not_repeat(&record.call);
        ensure!(!once || asked.len() <= 1, "it was asked for again: {asked:?}");
        match &record.state {
            CallState::Done { .. } => {
                ensure!(!asked.is_empty(), "it was never paid: {record:?}");
                found.payments += 1;
                found.asked_again += usize::from(asked.len() > 1);
            }
            CallState::Failed { failure } => match failure.kind {
                FailureKind::Uncertain if once => {
                    ensure!(is_shown(store, detail).await?, "nobody is told of {record:?}");
                    found.uncertain_payments += 1;
                    found.of_which_paid += asked.len();
                }
                FailureKind::Denied if self.is_rejected(&run.id) => {
                    ensure!(asked.is_empty(), "it was paid although it was rejected: {asked:?}");
                }
                _ => bail!("it failed: {record:?}"),
            },
            CallState::Intended | CallState::Waiting { .. } => bail!("no end: {record:?}"),
        }
        Ok(())
    }

    /// A refund was written once, unless somebody rejected it.
    async fn refunded(
        &self,
        store: &SqliteStore,
        talk: &Conversation,
        run: &InvocationRow,
        found: &mut Found,
    ) -> Result<()> {
        let refund = store.record("refunds", &shop::delivered(talk.n)).await?;
        if self.is_rejected(&run.id) {
            ensure!(refund.is_none(), "it was rejected and is there: {refund:?}");
            return Ok(());
        }
        let refund = refund.with_context(|| format!("the refund is missing: {run:?}"))?;
        ensure!(refund.version == 1, "the refund was written {} times", refund.version);
        let owner = shop::customer(talk.n);
        ensure!(refund.body["user_id"] == owner, "the refund is somebody else's: {}", refund.body);
        found.refunds += 1;
        Ok(())
    }
}

/// The key under which the till knows a call.
fn key(run: &InvocationId, seq: u32) -> String {
    format!("{run}-{seq}")
}

/// Whether a ticket asks a person to look at something uncertain.
async fn is_shown(store: &SqliteStore, detail: &ConversationDetail) -> Result<bool> {
    for ticket in &detail.tickets {
        let ticket = store.ticket(&ticket.id).await?.context("the ticket is lost")?;
        let shown = ticket.events.iter().any(|event| match &event.kind {
            TicketEventKind::Escalated { reason, .. } => reason.contains("uncertain"),
            _ => false,
        });
        if shown {
            return Ok(true);
        }
    }
    Ok(false)
}
