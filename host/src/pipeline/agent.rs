//! An agent's call of a tool, as a turn: how it is read, what is planned for it, and how
//! it is found again after it had to wait.
//!
//! The call is a message like any other. So it is durable before anything happens, runs
//! in the order of its conversation, has a journal, and can wait for people.

mod came;

use postern_domain::{
    Approver, AuditEntry, AuditKind, Conversation, ConversationId, IdentityLevel, InboundMessage,
    MessageId, PendingTool, SkillId, Timestamp, digest_of,
};
use postern_policy::{personal::Purpose, restricted::without_codes};
use postern_store::{Change, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;

pub use self::came::{Came, Refusal, RefusalKind};
pub(super) use self::came::{after, changed_hands, of_response, of_result};
use super::{
    plan::{Action, Plan},
    restricted::Concern,
};
use crate::{
    app::App,
    brain::Understanding,
    keys::MasterKey,
    ledger::Ledger,
    privacy::{self, Hider, Vault, without_forged_placeholders},
    redaction,
    registry::Skills,
};

/// How long a call that had to wait is found again, in milliseconds.
const WAITED_MS: i64 = 24 * 60 * 60 * 1_000;
/// Arguments that the host itself knows to be personal, as in answers of customers.
const PERSONAL: [(&str, &str); 3] =
    [("first_name", "FIRST_NAME"), ("last_name", "LAST_NAME"), ("postcode", "POSTCODE")];

/// A call as it lies in the inbox, with the values that the agent gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub(crate) enum CallFile {
    /// The first form.
    #[serde(rename = "1")]
    V1 {
        /// The skill.
        skill: SkillId,
        /// Its tool.
        tool: String,
        /// The arguments.
        arguments: Map<String, Value>,
    },
}

impl CallFile {
    /// What tells this call from others, without telling what is in it.
    pub(crate) fn mark(&self, key: &MasterKey, agent: &str) -> String {
        // The order in which an agent names arguments says nothing.
        let mut call = serde_json::to_value(self).unwrap_or_default();
        call.sort_all_objects();
        let digest = digest_of(&call).to_string();
        hex::encode(&key.derive("agent-call", &[agent, &digest])[..16])
    }

    /// What an agent wrote into it: texts, numbers and the names of members.
    pub(super) fn words(&self) -> String {
        let Self::V1 { arguments, .. } = self;
        let mut words = Vec::new();
        gather_members(arguments, &mut words);
        words.join("\n")
    }
}

/// The call that a message brings.
pub(super) fn call_of(message: &InboundMessage) -> Option<CallFile> {
    // It was written by this host, so it can be read.
    serde_json::from_str(&message.text).ok()
}

fn gather(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => words.push(text.clone()),
        // The number of a card may be one.
        Value::Number(number) => words.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, words)),
        Value::Object(members) => gather_members(members, words),
        Value::Null | Value::Bool(_) => {}
    }
}

fn gather_members(members: &Map<String, Value>, words: &mut Vec<String>) {
    for (name, member) in members {
        words.push(name.clone());
        gather(member, words);
    }
}

/// Reads a call and decides what to do about it. From here on nothing but the vault knows
/// personal values.
pub(super) fn plan(
    app: &App,
    skills: &Skills,
    vault: &mut Vault,
    conversation: &mut Conversation,
    message: &InboundMessage,
) -> Plan {
    let understanding = Understanding { ranked: vec![], in_scope: false, entities: vec![] };
    let agent = app.config.agents.get(&message.account);
    if let Some(bound) = agent.map(|agent| &agent.customer).filter(|bound| bound.key.is_some()) {
        conversation.customer.clone_from(bound);
    }
    let plan = |text: String, action: Action| Plan {
        text,
        understanding,
        action,
        subject: None,
        customer: conversation.customer.clone(),
        session: Some(conversation.state.session),
        language: Some(conversation.language.clone()),
        restricted: None,
        mark: Some(message.external_id.clone()),
    };
    let refuse = |refusal| Action::Refuse { refusal };
    let Some(CallFile::V1 { skill, tool, arguments }) = call_of(message) else {
        let refusal = Refusal::invalid("the call could not be read");
        return plan("(not a call)".to_owned(), refuse(refusal));
    };
    let policy = app.policy.current();
    let detector = policy.detector();
    let said =
        CallFile::V1 { skill: skill.clone(), tool: tool.clone(), arguments: arguments.clone() };
    let found = redaction::find(&said.words(), detector, Purpose::Placeholders);
    let concern = Concern::of(policy.restricted(), &said.words(), &found, &conversation.language);
    let arguments = hidden(arguments, vault, detector);
    let text = format!("{skill}/{tool} {}", Value::Object(arguments.clone()));
    let known = skills.active.get(&skill).and_then(|active| active.manifest.tool(&tool));
    let granted = agent.is_some_and(|agent| agent.may_call(&skill, &tool));
    let action = match known {
        Some(known) if granted => {
            if known.identity > conversation.customer.level {
                refuse(Refusal::identity(known.identity))
            } else {
                let intent = String::new();
                Action::Call { stack: vec![PendingTool { skill, tool, intent, arguments }] }
            }
        }
        // What is not granted does not exist for the agent.
        Some(_) | None => refuse(Refusal::unknown(&skill, &tool)),
    };
    let action = match &concern {
        Some(concern) if concern.stops => refuse(Refusal::restricted(&concern.line())),
        Some(_) | None => action,
    };
    Plan { restricted: concern, ..plan(text, action) }
}

/// Arguments in placeholders. Those that the agent was given in this conversation stay;
/// whatever else looks like one is taken out.
fn hidden(
    arguments: Map<String, Value>,
    vault: &mut Vault,
    detector: &postern_policy::personal::Detector,
) -> Map<String, Value> {
    let mut value = Value::Object(arguments);
    each(&mut value, "", &mut |name, text| {
        let plain: String = text.nfkc().collect();
        let placeholders = privacy::placeholders(&plain).count();
        if placeholders != privacy::placeholders(text).count() {
            *text = without_forged_placeholders(text).into_owned();
        } else if placeholders > 0 {
            *text = vault.admit(text).into_owned();
        }
        *text = detector.strike(&without_codes(text)).into_owned();
        let personal = PERSONAL.iter().find(|(known, _)| *known == name);
        if let Some((_, kind)) = personal
            && !text.is_empty()
            && vault.resolve(text).is_none()
        {
            *text = vault.placeholder(kind, text);
        }
    });
    let mut hider = Hider::new(detector, vault).said();
    hider.value(&mut value, &mut Vec::new(), &|_| false);
    match with_clean_names(value) {
        Value::Object(arguments) => arguments,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn with_clean_names(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (redaction::clean(&name).into_owned(), with_clean_names(member)))
            .collect(),
        Value::Array(items) => items.into_iter().map(with_clean_names).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

fn each(value: &mut Value, name: &str, change: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => change(name, text),
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, name, change)),
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, member)| each(member, name, change));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Who must know of a call that waits, so that the same call finds it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waited {
    /// The message that brought it.
    pub(crate) message: MessageId,
    /// The conversation in which it was made, if nothing was planned for it yet.
    #[serde(default)]
    pub(crate) conversation: Option<ConversationId>,
    /// For whom it was made, as far as that is known.
    pub(crate) customer: Option<String>,
    /// When its result was first given, if it was.
    #[serde(default)]
    pub(crate) given_at: Option<Timestamp>,
}

impl Waited {
    /// The waiting call of an agent with this mark, if there is one.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn find(
        app: &App,
        (agent, skill, mark): (&str, &SkillId, &str),
    ) -> Result<Option<Self>, StoreError> {
        let kept = app.store.kv_get(skill, &scope(agent), mark, app.clock.now()).await?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
    }

    /// Lets it be found under a mark for so many milliseconds.
    pub(crate) fn keep(
        &self,
        (agent, skill, mark): (&str, &SkillId, &str),
        now: Timestamp,
        ms: i64,
    ) -> Change {
        Change::KvSet {
            skill: skill.clone(),
            scope: scope(agent),
            key: mark.to_owned(),
            // A struct of texts serializes.
            value: serde_json::to_vec(self).unwrap_or_default(),
            expires_at: now.plus_millis(ms),
        }
    }

    /// As long as a call that waits is to be found.
    pub(crate) fn keep_waiting(&self, of: (&str, &SkillId, &str), until: Timestamp) -> Change {
        self.keep(of, until, WAITED_MS)
    }
}

/// Where marks of an agent are kept: no skill has a scope of this form.
fn scope(agent: &str) -> String {
    format!("agent/{agent}")
}

/// Notes that a call of an agent waits, so that the same call finds it again.
pub(super) fn waits(ledger: &mut Ledger, plan: &Plan, until: Timestamp) {
    if let (Some(mark), Action::Call { stack }) = (&plan.mark, &plan.action)
        && let Some(call) = stack.first()
    {
        let waited = Waited {
            message: ledger.turn.message.clone(),
            conversation: None,
            customer: plan.customer.key.clone(),
            given_at: None,
        };
        let agent = ledger.conversation.account.clone();
        ledger.push(waited.keep_waiting((&agent, &call.skill, mark), until));
    }
}

/// Writes down which agent calls what.
pub(super) fn tell(ledger: &mut Ledger, plan: &Plan, now: Timestamp) {
    if plan.mark.is_none() {
        return;
    }
    let (skill, resource, detail) = match &plan.action {
        Action::Call { stack } => match stack.first() {
            Some(call) => (
                Some(call.skill.clone()),
                format!("{}/{}", call.skill, call.tool),
                "called".to_owned(),
            ),
            None => return,
        },
        Action::Refuse { refusal } => {
            (None, ledger.turn.id.to_string(), format!("refused: {}", refusal.kind.as_str()))
        }
        Action::Say { .. }
        | Action::Ask { .. }
        | Action::Decide { .. }
        | Action::Escalate { .. } => return,
    };
    let actor = format!("agent:{}", ledger.conversation.account);
    let entry = AuditEntry::new(now, AuditKind::Turn, actor, "tool:call", resource);
    ledger.audit(AuditEntry { detail, skill, ..entry });
}

/// Why the word that a call waits for cannot be had from an agent, if it cannot: an agent
/// cannot say yes for a customer, nor prove who they are.
pub(super) fn cannot_say(plan: &Plan, approver: &Approver) -> Option<&'static str> {
    plan.mark.as_ref()?;
    match approver {
        Approver::Route { .. } => None,
        Approver::Customer => Some("an agent cannot say yes for a customer"),
        Approver::Identity => Some("an agent cannot prove who a customer is"),
    }
}

impl Refusal {
    fn identity(level: IdentityLevel) -> Self {
        let reason = format!("the customer must be {} first", level.as_str());
        Self::new(RefusalKind::IdentityRequired, reason)
    }

    fn unknown(skill: &SkillId, tool: &str) -> Self {
        let tool = redaction::clean(tool);
        let reason = format!("there is no tool {skill}.{tool} for this agent");
        Self::new(RefusalKind::Denied, reason)
    }

    fn invalid(reason: &str) -> Self {
        Self::new(RefusalKind::InvalidArguments, reason)
    }

    fn restricted(line: &str) -> Self {
        Self::new(RefusalKind::Denied, format!("{line}; a person looks after it"))
    }
}

#[cfg(test)]
mod tests;
