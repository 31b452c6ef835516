//! What must be true after any number of crashes.

mod audit;
mod effects;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use anyhow::{Context as _, Result, bail, ensure};
use postern_domain::{
    Approval, Author, CallState, InvocationId, MessageId, OutboxId, OutboxItem, OutboxState, TurnId,
};
use postern_store::{ConversationDetail, SqliteStore, Store as _};
use postern_test_support::{telegram::Sent, till::Till};

use self::effects::Effects;
use super::senders::{Conversation, Wish};
use crate::setup::Town;

/// What happened, for whoever reads the test's output.
#[derive(Debug, Default)]
pub(super) struct Found {
    messages: usize,
    lost_and_never_acknowledged: usize,
    resumed_turns: usize,
    refunds: usize,
    bookings: usize,
    payments: usize,
    asked_again: usize,
    uncertain_payments: usize,
    of_which_paid: usize,
    executed: usize,
    rejected: usize,
    sends: usize,
    sent_twice_and_marked: usize,
    uncertain: usize,
    never_arrived: usize,
    audit_rows: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages answered ({} more were never acknowledged and are gone), {} turns \
             resumed; {} refunds and {} bookings once each; {} payments once each, {} of them \
             asked for again with the same key, and {} uncertain and shown to people, of which \
             {} were made; {} approvals executed once and {} rejected; {} sends of which {} \
             repeated and marked, {} uncertain (of which {} did not arrive); {} audit rows",
            self.messages,
            self.lost_and_never_acknowledged,
            self.resumed_turns,
            self.refunds,
            self.bookings,
            self.payments,
            self.asked_again,
            self.uncertain_payments,
            self.of_which_paid,
            self.executed,
            self.rejected,
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

/// What the journal and the store know, for comparison with the audit log.
#[derive(Debug, Default)]
struct Known {
    calls: Calls,
    /// Calls that must not be tried twice.
    once: Calls,
    turns: BTreeSet<TurnId>,
}

/// Judges everything that the store, Telegram and the till have kept.
pub(super) async fn judge(town: &Town, till: &Till, talks: &[Conversation]) -> Result<Found> {
    let store = town.store().await?;
    let mut found = Found::default();
    let mut known = Known::default();
    let effects = Effects::new(&store, till).await?;
    for talk in talks {
        one(town, &store, talk, &effects, (&mut found, &mut known))
            .await
            .with_context(|| format!("in the conversation of {}", talk.chat()))?;
    }
    effects.all_are_known(&known.calls)?;
    let sent = town.telegram.sent().len();
    ensure!(
        sent == found.sends,
        "Telegram got {sent} messages, of which {} are accounted for",
        found.sends
    );
    let rows = store.audit_tail(u32::MAX, None).await?;
    found.audit_rows = rows.len();
    audit::chains(&rows)?;
    audit::once_each(&rows, &known)?;
    // The same by the command that people use.
    town.data.postern(["audit", "verify"]).await?;
    Ok(found)
}

async fn one(
    town: &Town,
    store: &SqliteStore,
    talk: &Conversation,
    effects: &Effects,
    (found, known): (&mut Found, &mut Known),
) -> Result<()> {
    let detail = store.conversation(&talk.id()).await?.context("it is lost")?;
    found.messages += in_order_and_once(talk, &detail)?;
    found.lost_and_never_acknowledged += talk.written.len() - detail.turns.len();
    found.resumed_turns += detail
        .turns
        .iter()
        .filter(|turn| turn.summary.iter().any(|s| s.to_string().contains("interruption")))
        .count();
    known.turns.extend(detail.turns.iter().map(|turn| turn.id.clone()));
    let mut asked = Vec::new();
    for invocation in &detail.invocations {
        asked.extend(store.approvals_of(&invocation.id).await?);
    }
    answered(talk, &detail, &asked)?;
    journalled(&detail, known)?;
    let vault = store.vault(&talk.id()).await?;
    let real = |item: &OutboxItem| {
        let text = item.text.clone();
        vault.iter().fold(text, |text, entry| text.replace(&entry.placeholder, &entry.value))
    };
    sent(&town.telegram.sent_to(&talk.chat()), &detail.outbox, real, found)?;
    effects.judge(store, talk, &detail, found).await
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

/// Each message is followed by its answers, in the conversation and in the outbox:
/// one for each time that its turn waited for a word, and one at its end. A yes is
/// answered by the turn that waited for it.
fn answered(talk: &Conversation, detail: &ConversationDetail, asked: &[Approval]) -> Result<()> {
    let mut of_bot: Vec<_> = detail
        .messages
        .iter()
        .filter(|message| message.message.author == Author::Bot)
        .map(|message| &message.message.id)
        .collect();
    let order = of_bot.clone();
    let mut outbox = BTreeMap::new();
    for turn in &detail.turns {
        let is_yes = talk.written.iter().any(|it| it.wish == Wish::Yes && it.id == turn.message);
        let waited = asked.iter().filter(|approval| approval.turn == turn.id);
        let questions = waited.map(|approval| format!("ask-{}", approval.id));
        let mut said = 0;
        for which in questions.chain(["answer".to_owned()]) {
            let id = MessageId::derive(&[turn.id.as_str(), &which]);
            let Some(at) = of_bot.iter().position(|other| **other == id) else { continue };
            of_bot.remove(at);
            outbox.insert(id, OutboxId::derive(&[turn.id.as_str(), &which, "0"]));
            said += 1;
        }
        ensure!(said > 0 || is_yes, "{} was not answered", turn.message);
    }
    ensure!(of_bot.is_empty(), "answers to nothing: {of_bot:?}");
    let want: Vec<_> = order.iter().filter_map(|id| outbox.get(*id)).collect();
    let have: Vec<_> = detail.outbox.iter().map(|item| &item.id).collect();
    ensure!(have == want, "the outbox holds {have:?}, not {want:?}");
    Ok(())
}

/// Steps and calls are numbered without gaps or doubles, and all have ended.
fn journalled(detail: &ConversationDetail, known: &mut Known) -> Result<()> {
    let mut steps = BTreeMap::<&TurnId, Vec<u32>>::new();
    for run in &detail.invocations {
        steps.entry(&run.turn).or_default().push(run.step);
        ensure!(run.result.is_some(), "{run:?} has no result");
        let of_run = detail.journal.iter().filter(|entry| entry.invocation == run.id);
        let records: Vec<_> = of_run.map(|entry| &entry.record).collect();
        let numbers: Vec<u32> = records.iter().map(|record| record.seq).collect();
        ensure!((0..).zip(&numbers).all(|(want, have)| want == *have), "{numbers:?}");
        for record in records {
            let ended = match &record.state {
                CallState::Done { .. } | CallState::Failed { .. } => true,
                CallState::Intended | CallState::Waiting { .. } => false,
            };
            ensure!(ended, "a call did not end: {record:?}");
            known.calls.insert((run.id.clone(), record.seq));
            if effects::must_not_repeat(&record.call) {
                known.once.insert((run.id.clone(), record.seq));
            }
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
    arrived: &[Sent],
    outbox: &[OutboxItem],
    real: impl Fn(&OutboxItem) -> String,
    found: &mut Found,
) -> Result<()> {
    let mut rest = arrived;
    // Answers with the same text, one after the other, cannot be told apart.
    for same in outbox.chunk_by(|a, b| real(a) == real(b)) {
        let text = real(&same[0]);
        let times = rest.iter().take_while(|sent| sent.text == text).count();
        rest = &rest[times..];
        found.sends += times;
        let (mut least, mut most) = (0, 0);
        for item in same {
            let (at_least, at_most) = match (item.state, item.possible_duplicate) {
                (OutboxState::Sent, false) => (1, 1),
                (OutboxState::Sent, true) => (1, 2),
                (OutboxState::Uncertain, true) => (0, 2),
                (OutboxState::Uncertain, false)
                | (OutboxState::Pending | OutboxState::Sending | OutboxState::Dead, _) => {
                    bail!("it was not sent: {item:?}")
                }
            };
            (least, most) = (least + at_least, most + at_most);
            found.uncertain += usize::from(item.state == OutboxState::Uncertain);
        }
        ensure!((least..=most).contains(&times), "arrived {times} times: {same:?}");
        found.sent_twice_and_marked += times.saturating_sub(same.len());
        found.never_arrived += same.len().saturating_sub(times);
    }
    ensure!(rest.is_empty(), "arrived although nobody sent it, or out of order: {rest:?}");
    Ok(())
}
