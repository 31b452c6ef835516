//! What must be true after any number of crashes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use anyhow::{Context as _, Result, bail, ensure};
use postern_domain::{
    AuditKind, AuditRow, Author, CallState, Digest, InvocationId, MessageId, OutboxItem,
    OutboxState, TurnId,
};
use postern_store::{ConversationDetail, SqliteStore, Store as _};

use super::{senders::Conversation, shop};
use crate::setup::Town;

/// What happened, for whoever reads the test's output.
#[derive(Debug, Default)]
pub(super) struct Found {
    messages: usize,
    lost_and_never_acknowledged: usize,
    refunds: usize,
    sent_twice_and_marked: usize,
    uncertain: usize,
    never_arrived: usize,
    resumed_turns: usize,
    audit_rows: usize,
    sends: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages answered ({} more were never acknowledged and are gone), {} turns \
             resumed, {} refunds once each, {} sends of which {} repeated and marked, {} \
             uncertain (of which {} did not arrive), {} audit rows in one chain",
            self.messages,
            self.lost_and_never_acknowledged,
            self.resumed_turns,
            self.refunds,
            self.sends,
            self.sent_twice_and_marked,
            self.uncertain,
            self.never_arrived,
            self.audit_rows
        )
    }
}

/// Every call of an invocation that the journal holds.
type Calls = BTreeSet<(InvocationId, u32)>;

/// Judges everything that the store and Telegram have kept.
pub(super) async fn judge(town: &Town, talks: &[Conversation]) -> Result<Found> {
    let store = town.store().await?;
    let mut found = Found::default();
    let (mut calls, mut turns) = (Calls::new(), BTreeSet::new());
    for talk in talks {
        one(town, &store, talk, &mut found, &mut calls, &mut turns)
            .await
            .with_context(|| format!("in the conversation of {}", talk.chat()))?;
    }
    super::sent_in_all(&town.telegram, found.sends)?;
    let rows = store.audit_tail(u32::MAX, None).await?;
    found.audit_rows = rows.len();
    chain(&rows)?;
    once_each(&rows, &calls, &turns)?;
    Ok(found)
}

async fn one(
    town: &Town,
    store: &SqliteStore,
    talk: &Conversation,
    found: &mut Found,
    calls: &mut Calls,
    turns: &mut BTreeSet<TurnId>,
) -> Result<()> {
    let detail = store.conversation(&talk.id()).await?.context("it is lost")?;
    found.messages += in_order_and_once(talk, &detail)?;
    found.lost_and_never_acknowledged += talk.written.len() - detail.turns.len();
    found.resumed_turns += detail
        .turns
        .iter()
        .filter(|turn| turn.summary.iter().any(|s| s.to_string().contains("interruption")))
        .count();
    turns.extend(detail.turns.iter().map(|turn| turn.id.clone()));
    answered(&detail)?;
    journalled(&detail, calls)?;
    let vault = store.vault(&talk.id()).await?;
    let real = |item: &OutboxItem| {
        let text = item.text.clone();
        vault.iter().fold(text, |text, entry| text.replace(&entry.placeholder, &entry.value))
    };
    sent(&town.telegram.sent_to(&talk.chat()), &detail.outbox, real, found)?;

    let order = shop::delivered(talk.n);
    let refund = store.record("refunds", &order).await?.context("the refund is missing")?;
    ensure!(refund.version == 1, "the refund was written {} times", refund.version);
    let owner = shop::customer(talk.n);
    ensure!(refund.body["user_id"] == owner, "the refund is somebody else's: {}", refund.body);
    found.refunds += 1;
    ensure!(detail.tickets.len() == 1, "there are {} tickets", detail.tickets.len());
    Ok(())
}

/// Every acknowledged message is there once, with one completed turn, in the
/// order in which it was written. Answers how many messages there are.
fn in_order_and_once(talk: &Conversation, detail: &ConversationDetail) -> Result<usize> {
    let messages = detail.messages.iter().map(|message| &message.message);
    let kept = messages.filter(|message| message.author == Author::Customer);
    let kept: Vec<&MessageId> = kept.map(|message| &message.id).collect();
    // One that was not acknowledged may be there, in its place.
    let may = |id: &&MessageId| kept.contains(id);
    let want: Vec<&MessageId> = talk
        .written
        .iter()
        .filter(|written| written.acknowledged || may(&&written.id))
        .map(|written| &written.id)
        .collect();
    ensure!(kept == want, "messages {kept:?}, written {:?}", talk.written);
    let turns: Vec<&MessageId> = detail.turns.iter().map(|turn| &turn.message).collect();
    ensure!(turns == want, "turns of {turns:?} instead of {want:?}");
    let open = detail.turns.iter().find(|turn| turn.completed_at.is_none());
    ensure!(open.is_none(), "a turn is not complete: {open:?}");
    Ok(kept.len())
}

/// Each message is followed by its own answer, in the conversation and in the
/// outbox.
fn answered(detail: &ConversationDetail) -> Result<()> {
    let answers = detail
        .turns
        .iter()
        .map(|turn| (turn.message.clone(), MessageId::derive(&[turn.id.as_str(), "answer"])));
    let want: Vec<MessageId> = answers.flat_map(|(message, answer)| [message, answer]).collect();
    let have: Vec<MessageId> = detail.messages.iter().map(|m| m.message.id.clone()).collect();
    ensure!(have == want, "messages and answers are {have:?}, not {want:?}");
    let outbox = detail.turns.iter();
    let want: Vec<_> = outbox
        .map(|turn| postern_domain::OutboxId::derive(&[turn.id.as_str(), "answer", "0"]))
        .collect();
    let have: Vec<_> = detail.outbox.iter().map(|item| item.id.clone()).collect();
    ensure!(have == want, "the outbox holds {have:?}, not {want:?}");
    Ok(())
}

/// Steps and calls are numbered without gaps or doubles, and all have ended.
fn journalled(detail: &ConversationDetail, calls: &mut Calls) -> Result<()> {
    let mut steps = BTreeMap::<&TurnId, Vec<u32>>::new();
    for run in &detail.invocations {
        steps.entry(&run.turn).or_default().push(run.step);
        ensure!(run.result.is_some(), "{run:?} has no result");
        let of_run = detail.journal.iter().filter(|entry| entry.invocation == run.id);
        let records: Vec<_> = of_run.map(|entry| &entry.record).collect();
        let numbers: Vec<u32> = records.iter().map(|record| record.seq).collect();
        ensure!((0..).zip(&numbers).all(|(want, have)| want == *have), "{numbers:?}");
        for record in records {
            ensure!(record.state != CallState::Intended, "a call did not end: {record:?}");
            calls.insert((run.id.clone(), record.seq));
        }
    }
    for (turn, mut steps) in steps {
        steps.sort_unstable();
        ensure!((0..).zip(&steps).all(|(want, have)| want == *have), "{turn}: {steps:?}");
    }
    Ok(())
}

/// Each answer arrived once, or twice where that is marked, in order. One whose
/// send was interrupted twice may not have arrived: then it says so.
fn sent(
    arrived: &[postern_test_support::telegram::Sent],
    outbox: &[OutboxItem],
    real: impl Fn(&OutboxItem) -> String,
    found: &mut Found,
) -> Result<()> {
    let mut rest = arrived;
    for item in outbox {
        let text = real(item);
        let times = rest.iter().take_while(|sent| sent.text == text).count();
        rest = &rest[times..];
        found.sends += times;
        let fine = match item.state {
            OutboxState::Sent => times == 1 || (times == 2 && item.possible_duplicate),
            OutboxState::Uncertain => times <= 2 && item.possible_duplicate,
            OutboxState::Pending | OutboxState::Sending | OutboxState::Dead => false,
        };
        ensure!(fine, "arrived {times} times: {item:?}");
        found.sent_twice_and_marked += usize::from(times == 2);
        found.uncertain += usize::from(item.state == OutboxState::Uncertain);
        found.never_arrived += usize::from(times == 0);
    }
    ensure!(rest.is_empty(), "arrived although nobody sent it, or out of order: {rest:?}");
    Ok(())
}

/// Each row of the audit log follows the one before.
fn chain(rows: &[AuditRow]) -> Result<()> {
    let (mut number, mut previous) = (0, Digest::ZERO);
    for row in rows {
        number += 1;
        ensure!(row.is_intact(), "row {number} is not what was written: {row:?}");
        ensure!(
            row.number == number && row.previous == previous && row.chain == rows[0].chain,
            "row {number} does not follow the one before: {row:?}"
        );
        previous = row.hash;
    }
    Ok(())
}

/// Each call, invocation and turn was written down once.
fn once_each(rows: &[AuditRow], calls: &Calls, turns: &BTreeSet<TurnId>) -> Result<()> {
    let (mut judged, mut run, mut completed) = (Calls::new(), BTreeSet::new(), BTreeSet::new());
    for AuditRow { entry, .. } in rows {
        let new = match (entry.kind, &entry.invocation, entry.seq, &entry.turn) {
            (AuditKind::HostCall, Some(id), Some(seq), _) => judged.insert((id.clone(), seq)),
            (AuditKind::Invocation, Some(id), None, _) => run.insert(id.clone()),
            (AuditKind::Turn, None, None, Some(turn)) => completed.insert(turn.clone()),
            // A delivery has a row for each try, an operator's act its own.
            (AuditKind::Delivery | AuditKind::Operator, None, None, _) => true,
            _ => bail!("a row about nothing in particular: {entry:?}"),
        };
        ensure!(new, "written down twice: {entry:?}");
    }
    ensure!(judged == *calls, "the audit log has other calls than the journal");
    ensure!(completed == *turns, "the audit log has other turns than the store");
    let with_calls: BTreeSet<_> = calls.iter().map(|(id, _)| id).collect();
    ensure!(with_calls.is_subset(&run.iter().collect()), "invocations are missing");
    Ok(())
}
