//! One conversation, and for each answer: why did it do this?

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use postern_domain::{
    Author, Channel, Conversation, ConversationId, Decision, JournalEntry, OutboxItem, Outcome,
    Ticket,
};
use postern_policy::{DEFAULT_DENY, INCOMPLETE_FACTS, PolicySet};
use postern_store::{ConversationDetail, InvocationRow, TurnRow};

use super::{
    Console,
    calls::{self, Ending, Fact},
    format,
    reply::{Failure, Frame, PageError, page},
};
use crate::{
    brain::Mention,
    pipeline::{Action, PlanFile, StageRecord, Summary, Word},
    privacy,
};

/// Messages of a conversation that are shown, the last ones.
const MOST_MESSAGES: usize = 200;

/// `GET /conversations/{id}`
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id: ConversationId = id.parse().map_err(|_| PageError(Failure::NotFound))?;
    let detail = console.app.store.conversation(&id).await?;
    let detail = detail.ok_or(PageError(Failure::NotFound))?;
    let template = ConversationPage::new(detail, &console.app.policy.current());
    Ok(page(StatusCode::OK, &template))
}

#[derive(Template)]
#[template(path = "console/conversation.html")]
struct ConversationPage {
    frame: Frame,
    conversation: Conversation,
    tickets: Vec<Ticket>,
    /// Messages before the ones that are shown.
    earlier: usize,
    entries: Vec<Entry>,
    /// Turns whose message is not kept yet.
    open: Vec<Turn>,
}

/// One message.
struct Entry {
    author: Author,
    at: String,
    text: String,
    /// The placeholders in it, each once.
    placeholders: Vec<String>,
    /// What was done about it, if it came in.
    turn: Option<Turn>,
    /// How it went out, if it did: one for each part.
    deliveries: Vec<Delivery>,
}

impl Entry {
    fn is_customer(&self) -> bool {
        match self.author {
            Author::Customer => true,
            Author::Bot => false,
        }
    }
}

struct Delivery {
    state: &'static str,
    note: String,
}

struct Turn {
    id: String,
    generation: String,
    took: String,
    plan: Option<PlanView>,
    stages: Vec<StageView>,
    invocations: Vec<Invocation>,
}

struct PlanView {
    /// Names, probabilities, and whether it is the one that was followed.
    intents: Vec<(String, String, bool)>,
    in_scope: bool,
    entities: Vec<Mention>,
    /// Categories of restricted content, each with its confidence.
    restricted: Vec<String>,
    action: String,
}

struct StageView {
    name: String,
    what: String,
    took: String,
}

struct Invocation {
    row: InvocationRow,
    arguments: String,
    /// `done`, `failed` or `under way`.
    state: &'static str,
    result: String,
    calls: Vec<Call>,
}

struct Call {
    seq: u32,
    action: &'static str,
    subject: String,
    arguments: Vec<Fact>,
    decision: Decision,
    rules: Vec<Rule>,
    ending: Ending,
}

struct Rule {
    id: String,
    /// What it is for.
    doc: String,
    /// Whether it stands in the list of rules.
    listed: bool,
}

impl ConversationPage {
    fn new(detail: ConversationDetail, policy: &PolicySet) -> Self {
        let docs = docs(policy);
        let mut invocations: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in &detail.invocations {
            let call = invocation(row, &detail.journal, &docs);
            invocations.entry(&row.turn).or_default().push(call);
        }
        let mut turns: BTreeMap<_, _> = detail
            .turns
            .iter()
            .map(|row| (&row.message, turn(row, invocations.remove(&row.id).unwrap_or_default())))
            .collect();
        let earlier = detail.messages.len().saturating_sub(MOST_MESSAGES);
        let mut entries = Vec::new();
        for (place, sequenced) in detail.messages.iter().enumerate() {
            let message = &sequenced.message;
            let turn = turns.remove(&message.id);
            if place < earlier {
                continue;
            }
            let deliveries = match message.author {
                Author::Customer => vec![],
                // An answer and its way out commit together, at one time.
                Author::Bot => detail
                    .outbox
                    .iter()
                    .filter(|item| item.created_at == message.at)
                    .map(delivery)
                    .collect(),
            };
            entries.push(Entry {
                author: message.author,
                at: format::time(&message.at),
                text: message.text.clone(),
                placeholders: placeholders(&message.text),
                turn,
                deliveries,
            });
        }
        let open = turns.into_values().collect();
        Self {
            frame: Frame::of("conversations", "Conversation"),
            conversation: detail.conversation,
            tickets: detail.tickets,
            earlier,
            entries,
            open,
        }
    }

    /// Whether answers travel through an outbox.
    fn is_delivered(&self) -> bool {
        match self.conversation.channel {
            Channel::Telegram => true,
            Channel::Web | Channel::Terminal | Channel::Contact | Channel::Mcp => false,
        }
    }
}

/// The placeholders of a text, each once.
fn placeholders(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for placeholder in privacy::placeholders(text) {
        if !found.iter().any(|known| known == placeholder) {
            found.push(placeholder.to_owned());
        }
    }
    found
}

/// What each rule is for.
fn docs(policy: &PolicySet) -> BTreeMap<&str, &str> {
    policy.rules().map(|rule| (rule.id.as_str(), rule.doc.as_deref().unwrap_or_default())).collect()
}

fn delivery(item: &OutboxItem) -> Delivery {
    let mut notes = vec![format!("attempts: {}", item.attempts)];
    if item.possible_duplicate {
        notes.push("possibly sent twice".to_owned());
    }
    notes.extend(item.last_error.as_deref().map(format::clipped));
    Delivery { state: item.state.as_str(), note: notes.join(" · ") }
}

fn turn(row: &TurnRow, invocations: Vec<Invocation>) -> Turn {
    let took = match row.completed_at {
        Some(at) => format!("{} ms", at.millis_since(row.started_at)),
        None => "under way".to_owned(),
    };
    // A turn that was given up before it began has no plan.
    let plan = serde_json::from_value(row.plan.clone()).ok().map(plan);
    let stages = match row.summary.clone().map(serde_json::from_value) {
        Some(Ok(Summary::V1 { stages, .. })) => stages.into_iter().map(stage).collect(),
        Some(Err(_)) | None => vec![],
    };
    Turn {
        id: row.id.to_string(),
        generation: row.generation.clone(),
        took,
        plan,
        stages,
        invocations,
    }
}

fn stage(record: StageRecord) -> StageView {
    StageView {
        name: format::name(&record.stage),
        what: record.what,
        took: format::duration(&record.took_us),
    }
}

fn plan(file: PlanFile) -> PlanView {
    let PlanFile::V1 { plan } = file;
    let understanding = plan.understanding;
    let intents = understanding
        .ranked
        .iter()
        .enumerate()
        .map(|(place, ranked)| {
            let followed = place == 0 && understanding.in_scope;
            (ranked.intent.clone(), format::percent(ranked.probability), followed)
        })
        .collect();
    let action = match plan.action {
        Action::Call { stack } => {
            let tools: Vec<_> =
                stack.iter().rev().map(|tool| format!("{}.{}", tool.skill, tool.tool)).collect();
            format!("call {}", tools.join(", then "))
        }
        Action::Say { .. } => "answer without a skill".to_owned(),
        Action::Ask { awaiting, .. } => format!("ask again for {}", awaiting.entity),
        Action::Decide { approval, word } => {
            let word = match word {
                Word::Yes => "yes",
                Word::No => "no",
                Word::Code { .. } => "a code",
            };
            format!("take {word} as the customer's word on {approval}")
        }
        Action::Escalate { reason, .. } => format!("ask for a person: {reason}"),
        Action::Refuse { refusal } => format!("refuse the agent: {}", refusal.reason),
    };
    let found = plan.restricted.into_iter().flat_map(|concern| concern.found);
    PlanView {
        intents,
        in_scope: understanding.in_scope,
        entities: understanding.entities,
        restricted: found.map(|it| format!("{} {} %", it.category, it.confidence)).collect(),
        action,
    }
}

fn invocation(
    row: &InvocationRow,
    journal: &[JournalEntry],
    docs: &BTreeMap<&str, &str>,
) -> Invocation {
    let (state, result) = match &row.result {
        None => ("under way", "no result yet".to_owned()),
        Some(Ok(outcome)) => ("done", outcome_of(outcome)),
        Some(Err(failure)) => ("failed", format!("{}: {failure}", failure.code())),
    };
    let calls = journal.iter().filter(|entry| entry.invocation == row.id);
    Invocation {
        arguments: format::json(&row.arguments),
        state,
        result: format::clipped(&result),
        calls: calls.map(|entry| call(entry, docs)).collect(),
        row: row.clone(),
    }
}

fn outcome_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reply { text } => format!("reply: {text}"),
        Outcome::Ask { entity, text } => format!("ask for {entity}: {text}"),
        Outcome::HandOver { reason, severity, text } => {
            format!("hand over ({reason}, {}): {text}", severity.as_str())
        }
        Outcome::Done => "done".to_owned(),
    }
}

fn call(entry: &JournalEntry, docs: &BTreeMap<&str, &str>) -> Call {
    let record = &entry.record;
    let rule = |id: &String| {
        let known = docs.get(id.as_str()).copied();
        let doc = match (known, id.as_str()) {
            (Some(doc), _) => doc,
            (None, DEFAULT_DENY) => "No rule permits it.",
            (None, INCOMPLETE_FACTS) => "What rules need to know is not known.",
            (None, _) => "The rules in force now have no such rule.",
        };
        Rule { id: id.clone(), doc: doc.to_owned(), listed: known.is_some() }
    };
    Call {
        seq: record.seq,
        action: record.call.action(),
        subject: calls::subject(&record.call),
        arguments: calls::arguments(&record.call),
        decision: record.decision,
        rules: record.rules.iter().map(rule).collect(),
        ending: calls::ending(&record.state),
    }
}
