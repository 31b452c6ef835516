//! One call of an agent: it becomes a message, and its turn's end is waited for.

use std::{sync::Arc, time::Duration};

use postern_domain::{
    ApprovalState, AuditEntry, AuditKind, Channel, ConversationId, InboundKind, InboundMessage,
    InvocationId, MessageId, SkillId,
};
use postern_store::{Commit, StoreError, TurnRow};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{desk::TooMany, tools};
use crate::{
    app::App,
    config::Agent,
    keys,
    pipeline::{
        Came, IntakeError, Plan, PlanFile, Refusal, RefusalKind, Summary,
        agent::{CallFile, Waited},
    },
    redaction,
};

/// Bytes of the arguments of a call.
const MOST_BYTES: usize = 12 * 1024;
/// How long a call is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether it has ended, if nobody tells.
const LOOK: Duration = Duration::from_millis(500);
/// How long a result that had to be waited for is given again, in milliseconds.
const GIVEN_MS: i64 = 10 * 60 * 1_000;
/// How long a call is found again that was not waited for to its end, in milliseconds.
const LEFT_MS: i64 = 10 * 60 * 1_000;

/// What an agent wants.
pub(super) struct Asked {
    /// The agent's name.
    pub(super) agent: String,
    /// The conversation in which it wants it.
    pub(super) conversation: String,
    /// Under which the same call is done once.
    pub(super) key: Option<String>,
    /// The tool's name.
    pub(super) name: String,
    /// The arguments.
    pub(super) arguments: Map<String, Value>,
}

/// A call that could not be kept or looked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// It was not kept.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine gives no randomness.
    #[error(transparent)]
    Key(#[from] keys::KeyError),
}

fn refuse(kind: RefusalKind, reason: impl Into<String>) -> Came {
    Came::Refused { refusal: Refusal::new(kind, reason) }
}

/// A call that comes too soon.
pub(super) fn too_many(why: TooMany) -> Came {
    refuse(
        RefusalKind::Limit,
        match why {
            TooMany::Rate(seconds) => {
                format!("the agent's calls of this minute are used up; more in {seconds} s")
            }
            TooMany::AtOnce => "too many calls of this agent are worked on".to_owned(),
        },
    )
}

/// Does what an agent wants. `gone` ends when nobody waits for it any more.
///
/// # Errors
/// It was not kept, or nobody knows what came of it.
pub(super) async fn call(
    app: &Arc<App>,
    agent: &Agent,
    asked: Asked,
    gone: impl Future<Output = ()>,
) -> Result<Came, CallError> {
    let known = tools::named(&asked.name).filter(|(skill, tool)| {
        let skills = app.skills();
        let has = skills.active.get(skill).is_some_and(|it| it.manifest.tool(tool).is_some());
        has && agent.may_call(skill, tool)
    });
    let Some((skill, tool)) = known else {
        // What is not granted does not exist for the agent.
        let shown: String = asked.name.chars().take(140).collect();
        let shown = redaction::clean(&shown).into_owned();
        note_refused(app, &asked.agent, &shown).await?;
        return Ok(refuse(RefusalKind::Denied, format!("there is no tool {shown} for this agent")));
    };
    let arguments = asked.arguments.clone();
    let file = CallFile::V1 { skill: skill.clone(), tool: tool.to_owned(), arguments };
    // A call is made of texts and serializes.
    let text = serde_json::to_string(&file).unwrap_or_default();
    if text.len() > MOST_BYTES {
        let reason = format!("the arguments are larger than {} KiB", MOST_BYTES / 1024);
        return Ok(refuse(RefusalKind::InvalidArguments, reason));
    }
    let skills = app.skills();
    let of_skill = skills.active.get(&skill);
    // To read twice does no harm, and what was read before may be old.
    let read_only =
        of_skill.and_then(|it| it.manifest.tool(tool)).is_some_and(|tool| tool.read_only);
    drop(skills);
    let call = Call { mark: file.mark(&app.key, &asked.agent), app, asked, skill, read_only };
    call.run(agent, text, gone).await
}

/// A call that may be made.
struct Call<'a> {
    app: &'a Arc<App>,
    asked: Asked,
    skill: SkillId,
    mark: String,
    /// Whether the tool changes nothing.
    read_only: bool,
}

/// How far a call has come.
enum Stand {
    /// It is worked on.
    Runs,
    /// People have to decide.
    Waits(Refusal),
    /// It has ended.
    Ended(Came),
}

impl Call<'_> {
    async fn run(
        &self,
        agent: &Agent,
        text: String,
        gone: impl Future<Output = ()>,
    ) -> Result<Came, CallError> {
        let waited = match &self.asked.key {
            // A key says itself which call is meant.
            Some(_) => None,
            None => self.waited(agent).await?,
        };
        let mut events = self.app.events.subscribe();
        let (id, conversation) = match &waited {
            Some(waited) => (waited.message.clone(), None),
            None => {
                let message = self.message(text)?;
                let (id, conversation) = (message.id(), message.conversation_id());
                self.app.intake.accept(message).await?;
                (id, Some(conversation))
            }
        };
        let deadline = Instant::now() + PATIENCE;
        tokio::pin!(gone);
        loop {
            match self.stand(agent, &id).await? {
                Stand::Ended(came) => {
                    if let Some(waited) = waited {
                        self.given(waited).await?;
                    }
                    return Ok(came);
                }
                Stand::Waits(refusal) => return Ok(Came::Refused { refusal }),
                Stand::Runs => {}
            }
            let soon = deadline.min(Instant::now() + LOOK);
            let of_others =
                |it: &ConversationId| conversation.as_ref().is_some_and(|own| own != it);
            let heard = async {
                // What was missed only means to look again.
                while events.recv().await.is_ok_and(|it| of_others(&it)) {}
            };
            tokio::select! {
                () = &mut gone => break,
                _ = tokio::time::timeout_at(soon, heard) => {}
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        self.keep(agent, id, waited).await?;
        let reason = "the call has not ended yet; call again with the same arguments";
        Ok(refuse(RefusalKind::Unavailable, reason))
    }

    /// The call as a message.
    fn message(&self, text: String) -> Result<InboundMessage, CallError> {
        let Asked { agent, conversation, key, .. } = &self.asked;
        let dedupe_key = match key {
            Some(key) => format!("key/{key}"),
            None => format!("call/{}", keys::random_token()?),
        };
        Ok(InboundMessage {
            channel: Channel::Mcp,
            account: agent.clone(),
            dedupe_key,
            chat: conversation.clone(),
            sender: agent.clone(),
            external_id: self.mark.clone(),
            // Nobody but the agent reads what it gets.
            private: true,
            kind: InboundKind::Call,
            text,
            language: None,
            received_at: self.app.clock.now(),
        })
    }

    fn of_mark(&self) -> (&str, &SkillId, &str) {
        (&self.asked.agent, &self.skill, &self.mark)
    }

    /// The same call from before, if it had to wait and was for the same customer.
    async fn waited(&self, agent: &Agent) -> Result<Option<Waited>, CallError> {
        let Some(waited) = Waited::find(self.app, self.of_mark()).await? else { return Ok(None) };
        let customer = self.customer(agent).await?;
        let plan = match self.app.store.turn_of(&waited.message).await? {
            Some(turn) => serde_json::from_value::<PlanFile>(turn.plan).ok(),
            None => None,
        };
        let is_same = match plan {
            Some(PlanFile::V1 { plan }) => plan.customer.key == customer,
            // For whom it will be is decided in its own conversation.
            None if agent.customer.key.is_none() && waited.conversation.is_some() => {
                waited.conversation == Some(self.here())
            }
            None => waited.customer == customer,
        };
        Ok(is_same.then_some(waited))
    }

    /// The conversation of this call.
    fn here(&self) -> ConversationId {
        let Asked { agent, conversation, .. } = &self.asked;
        ConversationId::derive(&[Channel::Mcp.as_str(), agent, conversation, agent])
    }

    /// For whom calls in this conversation are, as far as that is known.
    async fn customer(&self, agent: &Agent) -> Result<Option<String>, StoreError> {
        if let Some(bound) = &agent.customer.key {
            return Ok(Some(bound.clone()));
        }
        let row = self.app.store.conversation_row(&self.here()).await?;
        Ok(row.and_then(|conversation| conversation.customer.key))
    }

    /// Whether the call that was found under the agent's own key was made elsewhere, or
    /// for somebody else.
    async fn is_foreign(
        &self,
        agent: &Agent,
        turn: &TurnRow,
        plan: &Plan,
    ) -> Result<bool, StoreError> {
        if self.asked.key.is_none() {
            return Ok(false);
        }
        // The call may itself have found out who the customer is.
        let other = match &plan.customer.key {
            Some(key) => self.customer(agent).await?.as_ref() != Some(key),
            None => false,
        };
        Ok(other || turn.conversation != self.here())
    }

    /// How far the call that a message brought has come.
    async fn stand(&self, agent: &Agent, message: &MessageId) -> Result<Stand, CallError> {
        let Some(turn) = self.app.store.turn_of(message).await? else { return Ok(Stand::Runs) };
        let plan = serde_json::from_value::<PlanFile>(turn.plan.clone());
        let same = |plan: &Plan| plan.mark.as_ref() == Some(&self.mark);
        if let Ok(PlanFile::V1 { plan }) = &plan {
            let other = if !same(plan) {
                Some("this idempotency key belongs to a call with other arguments")
            } else if self.is_foreign(agent, &turn, plan).await? {
                Some("this idempotency key belongs to a call of another conversation or customer")
            } else {
                None
            };
            if let Some(reason) = other {
                return Ok(Stand::Ended(refuse(RefusalKind::InvalidArguments, reason)));
            }
        }
        if turn.completed_at.is_some() {
            return Ok(Stand::Ended(ended(turn.summary)));
        }
        let invocation = InvocationId::derive(&[turn.id.as_str(), "0"]);
        let approvals = self.app.store.approvals_of(&invocation).await?;
        let waits = approvals.iter().rfind(|approval| {
            approval.state == ApprovalState::Pending && approval.approver.route().is_some()
        });
        Ok(waits.map_or(Stand::Runs, |approval| Stand::Waits(Refusal::waits(approval))))
    }

    /// Lets the same call find this one again, which nobody waits for any more.
    async fn keep(
        &self,
        agent: &Agent,
        message: MessageId,
        waited: Option<Waited>,
    ) -> Result<(), CallError> {
        if self.asked.key.is_some() || waited.is_some() || self.read_only {
            return Ok(());
        }
        // What waits for people is kept by its turn, for longer.
        if matches!(self.stand(agent, &message).await?, Stand::Waits(_)) {
            return Ok(());
        }
        // It may still stand in line, and then nobody knows more than its conversation.
        let (conversation, customer) = (Some(self.here()), self.customer(agent).await?);
        let now = self.app.clock.now();
        let kept = Waited { message, conversation, customer, given_at: None };
        let changes = vec![kept.keep(self.of_mark(), now, LEFT_MS)];
        self.app.store.commit(Commit { changes, ..Commit::default() }).await?;
        Ok(())
    }

    /// Notes that a result was given: soon the same arguments are a new call.
    async fn given(&self, waited: Waited) -> Result<(), CallError> {
        if waited.given_at.is_some() {
            return Ok(());
        }
        let now = self.app.clock.now();
        let given = Waited { given_at: Some(now), ..waited };
        let changes = vec![given.keep(self.of_mark(), now, GIVEN_MS)];
        self.app.store.commit(Commit { changes, ..Commit::default() }).await?;
        Ok(())
    }
}

/// What a call came to whose turn has ended.
fn ended(summary: Option<Value>) -> Came {
    match summary.and_then(|it| serde_json::from_value::<Summary>(it).ok()) {
        Some(Summary::V1 { came: Some(came), .. }) => came,
        // It was given up, perhaps after something had begun.
        Some(Summary::V1 { came: None, .. }) | None => {
            let reason = "the call was given up, and nobody knows how far it came; a person looks";
            refuse(RefusalKind::Uncertain, reason)
        }
    }
}

/// Writes down that an agent asked for what it was not granted.
async fn note_refused(app: &App, agent: &str, name: &str) -> Result<(), StoreError> {
    let (now, actor) = (app.clock.now(), format!("agent:{agent}"));
    let entry = AuditEntry {
        detail: "refused: there is no such tool for this agent".to_owned(),
        ..AuditEntry::new(now, AuditKind::Turn, actor, "tool:call", name.to_owned())
    };
    app.store.commit(Commit { audit: vec![entry], ..Commit::default() }).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_given_up_is_not_made_again() {
        let without = serde_json::json!({ "version": "1", "stages": [] });
        for summary in [None, Some(without), Some(Value::Null)] {
            let Came::Refused { refusal } = ended(summary) else { panic!("it was done") };
            assert_eq!(refusal.kind, RefusalKind::Uncertain);
        }
    }
}
