//! One turn: everything that is done about one message.

use std::sync::Arc;

use postern_domain::{
    Approval, AuditKind, Author, Conversation, ConversationState, Customer, InboundKind, Priority,
    Severity, StoredMessage, TicketEventKind, Timestamp, TurnId,
};
use postern_store::{Change, Lease, StoreError, TurnRow, Work};
use tokio::sync::Mutex;

use super::{
    agent,
    answer::{Told, answer},
    explain::{Stage, Stages},
    heard, hold,
    lines::{classified, ingested, kind_of, responded, retrieved, ticket_line},
    meanwhile::{self, Meanwhile},
    plan::{self, Action, Plan, PlanFile},
    read,
    respond::{Escalation, Responder, Response},
    restricted, texts,
};
use crate::{
    app::App,
    approvals, identity,
    ledger::{Ledger, Wish},
    privacy::{Blind, Vault, mark_in, mark_of},
    registry::{RegistryError, Skills},
};

/// Why a turn could not be completed. Nothing but its journal was kept; it is
/// tried again.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The store failed or the lease was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The skills under which the turn began cannot be loaded.
    #[error("the turn's generation cannot be loaded")]
    Generation(#[from] RegistryError),
    /// A stored plan cannot be read.
    #[error("the turn's plan cannot be read")]
    Plan(#[source] serde_json::Error),
    /// An invocation could not go on.
    #[error("an invocation was aborted")]
    Aborted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A defect of the host.
    #[error("the turn panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

/// Runs a turn to its end, or continues one that was interrupted or had to wait.
pub(super) async fn run(app: Arc<App>, lease: Lease, work: Work) -> Result<(), TurnError> {
    if work.message.kind == InboundKind::Identity {
        let mut conversation = work.conversation;
        end_idle_session(&app, &mut conversation, work.message.received_at);
        return Ok(identity::take_up(&app, lease, conversation, &work.message).await?);
    }
    let resumed = work.turn.is_some();
    let skills = match &work.turn {
        None => app.skills_for(&work.conversation.id),
        Some(turn) => app.skills_of(&turn.generation, &work.conversation.id).await?,
    };
    let mut stages = Stages::begin();
    let meanwhile = Meanwhile::of(&app, &skills, &work);
    let heard = heard::message(&app, &work);
    let (plan, mut ledger) = open(&app, &skills, lease, &work, &mut stages)?;
    stages.end(Stage::Classify, classified(&plan, &heard));
    ledger.hear(&heard);
    ledger.words.clone_from(&plan.text);
    ledger.requester = approvals::requester(&app, &ledger.conversation).await?;
    if let Some(meanwhile) = &meanwhile {
        meanwhile.begin(&mut ledger);
    }
    crate::fault::point("turn.begun");
    if !resumed {
        begin(&app, &mut ledger, &work, &plan).await?;
        if heard.flagged {
            app.metrics.hostile("message");
            let now = ledger.turn.started_at;
            ledger.audit_host(now, AuditKind::Turn, "turn:hostile", heard.line());
        }
    }
    stages.end(Stage::Retrieve, retrieved(&work, &ledger));

    let before = work.conversation.state.awaiting.clone();
    let (approvals, received_at) = (work.approvals.clone(), work.message.received_at);
    let at = ledger.turn.started_at;
    let language = ledger.conversation.language.clone();
    let ledger = Arc::new(Mutex::new(ledger));
    let response = match plan.action.clone() {
        Action::Call { stack } => {
            let journal = work.journal.into_iter().map(|entry| (entry.invocation, entry.record));
            let responder = Responder {
                app: &app,
                skills: &skills,
                ledger: Arc::clone(&ledger),
                journal: journal.collect(),
                approvals: work.approvals,
                ended: work.invocations,
                at,
                language,
            };
            let response = responder.run(stack, before.as_ref()).await?;
            match plan.mark {
                Some(_) => responder.for_agent(response).await,
                None => response,
            }
        }
        Action::Say { text } => Response { answers: vec![text], ..Response::default() },
        Action::Ask { awaiting, text } => {
            // It repeats a question, which may be a skill's.
            let (answers, by_skills) = (vec![text.clone()], vec![text]);
            Response { answers, by_skills, awaiting: Some(awaiting), ..Response::default() }
        }
        Action::Decide { approval, word } => {
            let mut ledger = ledger.lock().await;
            let asked = (before.as_ref(), received_at);
            hold::decide(&app, &mut ledger, &approval, &word, asked).await?
        }
        Action::Refuse { refusal } => {
            Response { came: Some(agent::Came::Refused { refusal }), ..Response::default() }
        }
        Action::Escalate { reason, text } => Response {
            answers: vec![text],
            escalate: Some(Escalation { reason, severity: plan.severity(), failure: None }),
            ..Response::default()
        },
    };
    let mut ledger = ledger.lock().await;
    stages.end(Stage::Respond, responded(&response, &ledger.hostile));
    if meanwhile.is_none() {
        hold::abandon(&app, &mut ledger, before.as_ref(), &response).await?;
    }
    match ledger.suspended.take() {
        Some(suspension) => {
            hold::put_aside(&app, &mut ledger, &skills, &plan, (suspension, meanwhile)).await
        }
        None => end(&app, &mut ledger, &plan, response, (stages, meanwhile, approvals)).await,
    }
}

/// The plan and the ledger of a new turn, or of an interrupted one.
fn open(
    app: &App,
    skills: &Skills,
    lease: Lease,
    work: &Work,
    stages: &mut Stages,
) -> Result<(Plan, Ledger), TurnError> {
    let now = app.clock.now();
    let mut conversation = work.conversation.clone();
    if work.turn.is_none() {
        end_idle_session(app, &mut conversation, work.message.received_at);
    }
    let mut vault = Vault::new(&mark_of(&conversation), work.vault.clone());
    let (plan, turn) = match &work.turn {
        Some(turn) => {
            let PlanFile::V1 { plan } =
                serde_json::from_value(turn.plan.clone()).map_err(TurnError::Plan)?;
            conversation.customer.clone_from(&plan.customer);
            if let Some(language) = &plan.language {
                conversation.language.clone_from(language);
            }
            if let Some(session) = plan.session {
                conversation.state.session = session;
                vault = Vault::new(&mark_in(&conversation, session), work.vault.clone());
            }
            let line = ingested("continued after an interruption".to_owned(), &plan);
            stages.end(Stage::Ingest, line);
            (plan, turn.clone())
        }
        None => {
            if let Some(language) = &work.message.language {
                conversation.language.clone_from(language);
            }
            let message = &work.message;
            let plan = match message.kind {
                InboundKind::Call => {
                    agent::plan(app, skills, &mut vault, &mut conversation, message)
                }
                InboundKind::Text
                | InboundKind::Edit
                | InboundKind::Unsupported
                | InboundKind::Identity => {
                    let policy = app.policy.current();
                    let finders = (&**policy.detector(), &**policy.restricted());
                    let read =
                        read::read(&skills.brain, finders, &mut vault, &conversation, message);
                    let (text, meaning) = (read.text, read.understanding);
                    plan::decide(skills, &conversation, message.kind, text, meaning)
                        .under(read.restricted)
                }
            };
            let line = format!(
                "verified and stored; {} message from {}/{}",
                kind_of(work),
                message.channel,
                message.account
            );
            stages.end(Stage::Ingest, ingested(line, &plan));
            let message = work.message.id();
            let file = PlanFile::V1 { plan: plan.clone() };
            let turn = TurnRow {
                id: TurnId::derive(&[message.as_str()]),
                conversation: conversation.id.clone(),
                message,
                plan: serde_json::to_value(&file).map_err(TurnError::Plan)?,
                generation: skills.number.to_string(),
                summary: None,
                started_at: now,
                completed_at: None,
            };
            (plan, turn)
        }
    };
    let store = Arc::clone(&app.store);
    let ledger = Ledger::new(store, lease, turn, conversation, vault, work.ticket.clone());
    Ok((plan, ledger.indexed(Blind::new(&app.key))))
}

/// After the idle time, what was said before no longer counts. Time is that of
/// the messages, so a backlog of the host does not lengthen a session.
fn end_idle_session(app: &App, conversation: &mut Conversation, received_at: Timestamp) {
    let last_active = conversation.state.last_active;
    if received_at > super::after(last_active, app.config.pipeline.session) {
        let session = conversation.state.session.saturating_add(1);
        conversation.customer = Customer::default();
        conversation.state = ConversationState { session, ..ConversationState::default() };
    }
    conversation.state.last_active = last_active.max(received_at);
}

/// What a turn does before its first tool: keep the message, see to the ticket, and to
/// what people look after.
async fn begin(app: &App, ledger: &mut Ledger, work: &Work, plan: &Plan) -> Result<(), StoreError> {
    let now = ledger.turn.started_at;
    agent::tell(ledger, plan, now);
    let message = StoredMessage {
        id: ledger.turn.message.clone(),
        conversation: ledger.conversation.id.clone(),
        author: Author::Customer,
        text: plan.text.clone(),
        at: work.message.received_at,
    };
    ledger.push(Change::Message(message));
    for mention in &plan.understanding.entities {
        // A yes belongs to its question alone.
        if mention.name == "confirmed" {
            continue;
        }
        for name in plan::memory_names(mention) {
            ledger.conversation.state.entities.insert(name, mention.value.clone());
        }
    }
    match &plan.subject {
        Some(_) if ledger.ticket_is_usable() => {
            // An open ticket takes every event, so this cannot fail.
            let _taken = ledger.ticket_event(TicketEventKind::CustomerWrote, "customer", now);
        }
        Some(subject) => {
            ledger.open_ticket("turn", subject, Priority::P3, "host", now);
        }
        None => {}
    }
    match &plan.restricted {
        Some(concern) => restricted::hand_over(app, ledger, concern, now).await,
        None => Ok(()),
    }
}

/// Ticket, route, escalate; then everything commits together with the answer.
async fn end(
    app: &App,
    ledger: &mut Ledger,
    plan: &Plan,
    response: Response,
    (mut stages, meanwhile, approvals): (Stages, Option<Meanwhile>, Vec<Approval>),
) -> Result<(), TurnError> {
    let now = app.clock.now();
    let Response { mut answers, mut by_skills, mut awaiting, mut escalate, mut came, .. } =
        response;
    if let Some(escalation) = uncertain(ledger) {
        answers.push(texts::UNCERTAIN.to_owned());
        escalate = Some(escalation);
    }
    // Whoever writes now is not told about the one before.
    if meanwhile::has_changed_hands(ledger) {
        came = came.map(|_| agent::changed_hands());
    }
    if meanwhile::has_changed_hands(ledger) && !answers.is_empty() {
        answers.clear();
        by_skills.clear();
        let reason = "answer not told: somebody else writes in the chat".to_owned();
        escalate = escalate.or(Some(Escalation {
            reason: reason.clone(),
            severity: Severity::Normal,
            failure: Some(reason),
        }));
    }
    let (text, by_skills) = (answers.join("\n\n"), by_skills.join("\n\n"));
    let told = Told { text: &text, by_skills: &by_skills };
    let withheld = answer(app, ledger, told, "answer", now).await?;
    came = came.map(|came| agent::of_response(came, ledger, withheld.as_deref()));
    if let Some(reason) = withheld {
        // Nobody was asked what was withheld.
        awaiting = None;
        escalate =
            escalate.or(Some(Escalation { reason, severity: Severity::High, failure: None }));
    }
    let understood = plan.understanding.in_scope || matches!(plan.action, Action::Call { .. });
    let state = &mut ledger.conversation.state;
    let is_looked_after = escalate.is_some() || plan.restricted.is_some();
    state.misses = if understood || is_looked_after { 0 } else { state.misses + 1 };

    let asks = awaiting.is_some();
    ticket(ledger, plan, asks, escalate.as_ref(), now);
    stages.end(Stage::Ticket, ticket_line(ledger));
    if let Some(escalation) = &escalate {
        raise(ledger, plan, escalation, &app.config.pipeline.queue, now);
    }
    let queue = ledger.ticket.as_ref().and_then(|ticket| ticket.queue.clone());
    stages.end(Stage::Route, queue.map_or("with the machine".to_owned(), |q| format!("queue {q}")));
    let why = match (&escalate, &plan.restricted) {
        (Some(e), _) => format!("{} ({})", e.reason, e.severity.as_str()),
        (None, Some(concern)) => concern.why(),
        (None, None) => "not needed".to_owned(),
    };
    stages.end(Stage::Escalate, why.clone());

    let summary = serde_json::to_value(stages.summary(came)).map_err(TurnError::Plan)?;
    ledger.turn.summary = Some(summary);
    ledger.turn.completed_at = Some(now);
    hold::close(app, ledger, &approvals).await?;
    match (meanwhile, awaiting) {
        (None, awaiting) => ledger.conversation.state.awaiting = awaiting,
        (Some(meanwhile), own) => {
            let other = meanwhile.end(ledger);
            if let Some(own) = own.filter(|_| !answers.is_empty()) {
                hold::ask(app, ledger, own, other).await?;
            }
        }
    }
    let done = Change::InboxDone(ledger.turn.message.clone());
    ledger.audit_host(now, AuditKind::Turn, "turn:complete", format!("escalation: {why}"));
    ledger.commit(vec![done], vec![]).await?;
    Ok(())
}

/// The wish for a person who looks after an effect of which nobody knows whether it
/// happened.
fn uncertain(ledger: &Ledger) -> Option<Escalation> {
    let reason = format!("uncertain: {}", ledger.uncertain.as_ref()?);
    Some(Escalation { reason: reason.clone(), severity: Severity::High, failure: Some(reason) })
}

/// Asks for that person before a turn waits for something else. Answers what the
/// customer is told of it.
pub(super) fn raise_uncertain(
    app: &App,
    ledger: &mut Ledger,
    plan: &Plan,
    now: Timestamp,
) -> Vec<String> {
    match uncertain(ledger) {
        Some(escalation) => {
            raise(ledger, plan, &escalation, &app.config.pipeline.queue, now);
            vec![texts::UNCERTAIN.to_owned()]
        }
        None => Vec::new(),
    }
}

/// What the turn means for its ticket.
fn ticket(
    ledger: &mut Ledger,
    plan: &Plan,
    asks: bool,
    escalation: Option<&Escalation>,
    now: Timestamp,
) {
    // Another customer may have a ticket here by now.
    if plan.subject.is_none() || !ledger.ticket_is_usable() {
        return;
    }
    let event = match escalation {
        Some(Escalation { failure: Some(reason), .. }) => {
            TicketEventKind::SkillFailed { reason: reason.clone() }
        }
        Some(Escalation { failure: None, .. }) => return,
        None if asks => TicketEventKind::Asked,
        None => TicketEventKind::Answered,
    };
    // A skill may have closed the ticket itself; then it stays closed.
    let _closed = ledger.ticket_event(event, "host", now);
}

/// Puts the conversation in the queue for people, unless a skill has done so.
fn raise(ledger: &mut Ledger, plan: &Plan, escalation: &Escalation, queue: &str, now: Timestamp) {
    let waits = ledger.ticket.as_ref().is_some_and(|ticket| {
        ticket.queue.is_some()
            && ticket.updated_at >= ledger.turn.started_at
            && escalation.failure.is_none()
            && ticket.reason.as_ref() == Some(&escalation.reason)
    });
    if waits {
        return;
    }
    let wish = Wish {
        reason: escalation.reason.clone(),
        priority: escalation.severity.priority(),
        queue: queue.to_owned(),
    };
    let subject = plan.subject.as_deref().unwrap_or("Needs a person");
    ledger.escalate("escalation", subject, wish, "host", now);
}
