//! What a turn has changed and not yet made durable.
//!
//! A turn works in memory and commits as little as it can: at its end, and
//! before it whenever an effect must not happen without what led to it. Each
//! commit carries everything that is pending, so that the journal in the store
//! never has a gap.

use std::{collections::HashMap, sync::Arc};

use postern_domain::{
    Approval, AuditEntry, AuditKind, CallFailure, CallRecord, CallState, Conversation, Customer,
    FailureKind, HostCall, HostReply, IdentityLevel, OperatorId, Priority, RequestId, SkillId,
    Ticket, TicketEvent, TicketEventKind, TicketId, TicketStatus, Timestamp, TransitionError,
};
use postern_store::{Change, Commit, Committed, Lease, Store, StoreError, TurnRow};

use crate::{
    gate,
    privacy::{Blind, Vault},
    taint::Assessment,
};

/// Answers that look hostile of which a turn tells.
const MOST_HOSTILE: usize = 5;

/// Reads that must see what the turn itself has written.
type KvOverlay = HashMap<(SkillId, String, String), Option<Vec<u8>>>;

/// What asks for a person.
pub struct Wish {
    /// A short reason, without personal data.
    pub reason: String,
    /// How urgent it is.
    pub priority: Priority,
    /// In which queue.
    pub queue: String,
}

/// A call for which a turn has to wait.
pub struct Suspension {
    /// What it waits for.
    pub approval: Approval,
    /// Whether it has just begun to wait: somebody has to be told.
    pub is_new: bool,
}

/// The state of one turn.
pub struct Ledger {
    store: Arc<dyn Store>,
    lease: Lease,
    /// The turn; its plan becomes durable with the first commit.
    pub turn: TurnRow,
    /// The conversation as it will be.
    pub conversation: Conversation,
    /// The conversation's values and placeholders.
    pub vault: Vault,
    /// How the vault's values are known again, where they are.
    blind: Option<Blind>,
    /// The conversation's current ticket as it will be.
    pub ticket: Option<Ticket>,
    /// An effect of which nobody knows whether it happened: a person must look.
    pub uncertain: Option<String>,
    /// What the customer wrote, in placeholders.
    pub words: String,
    /// The operator who wrote it, if it was one.
    pub requester: Option<OperatorId>,
    /// Why nothing that was approved for this turn counts any more, if so.
    pub void: Option<&'static str>,
    /// For a turn that has waited: the conversation as others have left it since,
    /// which is what commits keep of it while the turn is at its own time.
    pub kept: Option<Conversation>,
    /// Approvals that this run has brought to an end.
    pub settled: Vec<Approval>,
    /// Answers of calls that look hostile, for people.
    pub hostile: Vec<String>,
    /// The last call, if rules or limits refused it, with the rules.
    pub refused: Option<(Vec<String>, CallFailure)>,
    /// The last call that has changed something.
    pub changed: Option<String>,
    /// Why the turn has to wait.
    pub suspended: Option<Suspension>,
    ticket_events: Vec<TicketEvent>,
    kv: KvOverlay,
    changes: Vec<Change>,
    audit: Vec<AuditEntry>,
}

impl Ledger {
    /// The ledger of a turn that has changed nothing yet.
    pub fn new(
        store: Arc<dyn Store>,
        lease: Lease,
        turn: TurnRow,
        conversation: Conversation,
        vault: Vault,
        ticket: Option<Ticket>,
    ) -> Self {
        Self {
            store,
            lease,
            turn,
            conversation,
            vault,
            blind: None,
            ticket,
            uncertain: None,
            words: String::new(),
            requester: None,
            void: None,
            kept: None,
            settled: Vec::new(),
            hostile: Vec::new(),
            refused: None,
            changed: None,
            suspended: None,
            ticket_events: Vec::new(),
            kv: HashMap::new(),
            changes: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// With an index of whose the values of the vault are.
    #[must_use]
    pub fn indexed(self, blind: Blind) -> Self {
        Self { blind: Some(blind), ..self }
    }

    /// The store, for reads.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// A change for the next commit.
    pub fn push(&mut self, change: Change) {
        self.look(&change);
        self.changes.push(change);
    }

    /// Remembers what a call came to.
    fn look(&mut self, change: &Change) {
        if let Change::Journal(entry) = change {
            self.note(&entry.record);
        }
    }

    fn note(&mut self, record: &CallRecord) {
        // A skill that was refused may log it.
        if matches!(record.call, HostCall::Log { .. }) {
            return;
        }
        self.refused = match &record.state {
            CallState::Failed { failure }
                if matches!(failure.kind, FailureKind::Denied | FailureKind::Limited) =>
            {
                Some((record.rules.clone(), failure.clone()))
            }
            CallState::Failed { .. }
            | CallState::Done { .. }
            | CallState::Intended
            | CallState::Waiting { .. } => None,
        };
        if matches!(record.state, CallState::Done { .. }) && gate::changes(&record.call) {
            self.changed = Some(gate::effect(&record.call));
        }
    }

    /// What waits for the next commit.
    pub fn pending(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter()
    }

    /// An audit row for the next commit, with the turn's own ids filled in.
    pub fn audit(&mut self, entry: AuditEntry) {
        self.audit.push(AuditEntry {
            request: Some(RequestId::of_message(&self.turn.message)),
            conversation: Some(self.conversation.id.clone()),
            message: Some(self.turn.message.clone()),
            turn: Some(self.turn.id.clone()),
            ..entry
        });
    }

    /// An audit row of the host itself.
    pub fn audit_host(&mut self, at: Timestamp, kind: AuditKind, action: &str, detail: String) {
        let resource = self.turn.id.to_string();
        let entry = AuditEntry::new(at, kind, "host", action, resource);
        self.audit(AuditEntry { detail, ..entry });
    }

    /// Takes up again what a recorded call left in memory alone, so that a turn
    /// that runs again goes on as the first run did.
    pub fn recall(&mut self, record: &CallRecord) {
        self.note(record);
        match &record.state {
            CallState::Done { reply: HostReply::Identity { key, .. } } => {
                self.conversation.customer =
                    Customer { key: Some(key.clone()), level: IdentityLevel::Identified };
            }
            CallState::Failed { failure } if failure.kind == FailureKind::Uncertain => {
                self.uncertain = Some(gate::effect(&record.call));
            }
            // Nothing has happened yet.
            CallState::Waiting { .. } => {}
            // It was about to happen, and is not tried again.
            CallState::Intended => self.uncertain = Some(gate::effect(&record.call)),
            CallState::Done { .. } | CallState::Failed { .. } => {}
        }
    }

    /// Something was read that looks so hostile. It stays for the session.
    pub fn hear(&mut self, heard: &Assessment) {
        let state = &mut self.conversation.state;
        state.taint = state.taint.max(heard.score);
    }

    /// A call answered something that looks so hostile.
    pub fn hear_from(&mut self, call: &str, heard: &Assessment) {
        self.hear(heard);
        if heard.flagged && self.hostile.len() < MOST_HOSTILE {
            self.hostile.push(format!("the answer of {call} {}", heard.line()));
        }
    }

    /// The value that this turn itself has kept or forgotten under a key of a
    /// scope, and not yet committed.
    pub fn kv_seen(&self, skill: &SkillId, scope: &str, key: &str) -> Option<&Option<Vec<u8>>> {
        self.kv.get(&(skill.clone(), scope.to_owned(), key.to_owned()))
    }

    /// Remembers what this turn keeps (or forgets) under a key of a scope.
    pub fn kv_note(&mut self, skill: &SkillId, scope: &str, key: &str, value: Option<Vec<u8>>) {
        self.kv.insert((skill.clone(), scope.to_owned(), key.to_owned()), value);
    }

    /// What this turn has kept in a scope and not yet committed: number and bytes.
    pub fn kv_pending(&self, skill: &SkillId, scope: &str) -> (u64, u64) {
        let ours = self.kv.iter().filter(|((owner, of, _), _)| owner == skill && of == scope);
        ours.filter_map(|((_, _, key), value)| Some(key.len() + value.as_ref()?.len()))
            .fold((0, 0), |(number, bytes), size| (number + 1, bytes + size as u64))
    }

    /// Whether the current ticket can take what this turn is about: it is not
    /// closed, and not about another customer, who wrote in this chat before.
    pub fn ticket_is_usable(&self) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| {
            ticket.status != TicketStatus::Closed && self.is_of_same_customer(ticket)
        })
    }

    fn is_of_same_customer(&self, ticket: &Ticket) -> bool {
        ticket.customer.is_none() || ticket.customer == self.conversation.customer.key
    }

    /// Opens a ticket and makes it the conversation's current one. A current
    /// ticket is followed by the new one. `key` tells the tickets of one turn
    /// apart and is the same when the turn runs again.
    pub fn open_ticket(
        &mut self,
        key: &str,
        subject: &str,
        priority: Priority,
        actor: &str,
        now: Timestamp,
    ) -> Ticket {
        self.settle_ticket();
        let ticket = Ticket {
            id: TicketId::derive(&[self.turn.id.as_str(), key]),
            conversation: self.conversation.id.clone(),
            customer: self.conversation.customer.key.clone(),
            subject: subject.to_owned(),
            status: TicketStatus::New,
            priority,
            queue: None,
            reason: None,
            tags: Vec::new(),
            follows: self
                .ticket
                .as_ref()
                .filter(|ticket| self.is_of_same_customer(ticket))
                .map(|ticket| ticket.id.clone()),
            created_at: now,
            updated_at: now,
        };
        self.ticket_events.push(TicketEvent {
            at: now,
            actor: actor.to_owned(),
            kind: TicketEventKind::Opened,
        });
        self.conversation.ticket = Some(ticket.id.clone());
        self.ticket = Some(ticket.clone());
        ticket
    }

    /// Lets something happen to the current ticket, if there is one.
    ///
    /// # Errors
    /// The ticket cannot take the event.
    pub fn ticket_event(
        &mut self,
        kind: TicketEventKind,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), TransitionError> {
        let Some(ticket) = self.ticket.clone() else { return Ok(()) };
        let mut ticket = ticket.apply(&kind, now)?;
        ticket.customer = ticket.customer.or_else(|| self.conversation.customer.key.clone());
        self.ticket = Some(ticket);
        self.ticket_events.push(TicketEvent { at: now, actor: actor.to_owned(), kind });
        Ok(())
    }

    /// Puts the conversation in a queue for people. A ticket is opened under
    /// `subject` if there is none that can take it; `key` is as for
    /// [`Ledger::open_ticket`].
    pub fn escalate(&mut self, key: &str, subject: &str, wish: Wish, actor: &str, now: Timestamp) {
        let Wish { reason, priority, queue } = wish;
        let event = TicketEventKind::Escalated { reason, priority, queue };
        let taken = self.ticket_is_usable() && self.ticket_event(event.clone(), actor, now).is_ok();
        if !taken {
            self.open_ticket(key, subject, priority, actor, now);
            // A new ticket takes every event.
            let _taken = self.ticket_event(event, actor, now);
        }
    }

    /// Turns pending events of the current ticket into a change.
    fn settle_ticket(&mut self) {
        let events = std::mem::take(&mut self.ticket_events);
        if let (Some(ticket), false) = (&self.ticket, events.is_empty()) {
            self.changes.push(Change::Ticket { ticket: ticket.clone(), events });
        }
    }

    /// Makes everything pending durable, together with `with`, in one
    /// transaction.
    ///
    /// # Errors
    /// Nothing was changed; what was pending still is, and `with` is not.
    pub async fn commit(
        &mut self,
        with: Vec<Change>,
        with_audit: Vec<AuditEntry>,
    ) -> Result<Committed, StoreError> {
        self.settle_ticket();
        with.iter().for_each(|change| self.look(change));
        let entries = self.vault.take_new();
        if !entries.is_empty() {
            let conversation = self.conversation.id.clone();
            self.changes.push(Change::Vault { conversation, entries });
        }
        let (own, recorded) = (self.vault.take_own(), self.vault.take_recorded());
        let owner = self.conversation.customer.key.clone();
        let index = |blind: &Blind| blind.index(&own, &recorded, owner.is_some());
        let tags = self.blind.as_ref().map(index).unwrap_or_default();
        if !tags.is_empty() {
            let conversation = self.conversation.id.clone();
            let customer = self.conversation.customer.verified().map(str::to_owned);
            self.changes.push(Change::VaultIndex { conversation, customer, owner, tags });
        }
        let conversation = self.kept.as_ref().unwrap_or(&self.conversation).clone();
        let mut changes = vec![Change::Turn(self.turn.clone()), Change::Conversation(conversation)];
        changes.extend(self.changes.iter().cloned());
        changes.extend(with);
        let pending = self.audit.len();
        for entry in with_audit {
            self.audit(entry);
        }
        let commit = Commit { lease: Some(self.lease.clone()), changes, audit: self.audit.clone() };
        crate::fault::point("commit.before");
        let committed =
            self.store.commit(commit).await.inspect_err(|_| self.audit.truncate(pending))?;
        crate::fault::point("commit.after");
        self.changes.clear();
        self.audit.clear();
        self.kv.clear();
        Ok(committed)
    }
}
