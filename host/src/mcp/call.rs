//! One call of an agent: it becomes a message, and its turn's end is waited for.

use std::{sync::Arc, time::Duration};

use postern_domain::{
    ApprovalState, AuditEntry, AuditKind, Channel, ConversationId, InboundKind, InboundMessage,
    InvocationId, MessageId, SkillId,
};
use postern_store::{Commit, StoreError};
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
    let call = Call::of(app, asked, file, skill);
    call.run(agent, text, gone).await
}

/// A call that may be made.
struct Call<'a> {
    app: &'a Arc<App>,
    asked: Asked,
    skill: SkillId,
    mark: String,
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

impl<'a> Call<'a> {
    fn of(app: &'a Arc<App>, asked: Asked, file: CallFile, skill: SkillId) -> Self {
        let mark = file.mark(&app.key, &asked.agent);
        Self { app, asked, skill, mark }
    }

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
            match self.stand(&id).await? {
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
        self.keep(id, waited).await?;
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
        let Asked { agent: name, conversation, .. } = &self.asked;
        let here = ConversationId::derive(&[Channel::Mcp.as_str(), name, conversation, name]);
        let customer = match &agent.customer.key {
            Some(bound) => Some(bound.clone()),
            None => {
                let row = self.app.store.conversation_row(&here).await?;
                row.and_then(|conversation| conversation.customer.key)
            }
        };
        Ok((waited.customer == customer).then_some(waited))
    }

    /// How far the call that a message brought has come.
    async fn stand(&self, message: &MessageId) -> Result<Stand, CallError> {
        let Some(turn) = self.app.store.turn_of(message).await? else { return Ok(Stand::Runs) };
        let plan = serde_json::from_value::<PlanFile>(turn.plan.clone());
        let same = |plan: &Plan| plan.mark.as_ref() == Some(&self.mark);
        if let Ok(PlanFile::V1 { plan }) = &plan
            && !same(plan)
        {
            let reason = "this idempotency key belongs to a call with other arguments";
            return Ok(Stand::Ended(refuse(RefusalKind::InvalidArguments, reason)));
        }
        if turn.completed_at.is_some() {
            let summary = turn.summary.and_then(|it| serde_json::from_value::<Summary>(it).ok());
            return Ok(Stand::Ended(match summary {
                Some(Summary::V1 { came: Some(came), .. }) => came,
                Some(Summary::V1 { came: None, .. }) | None => {
                    refuse(RefusalKind::Unavailable, "the call could not be done; a person looks")
                }
            }));
        }
        let invocation = InvocationId::derive(&[turn.id.as_str(), "0"]);
        let approvals = self.app.store.approvals_of(&invocation).await?;
        let waits = approvals.iter().rfind(|approval| {
            approval.state == ApprovalState::Pending && approval.approver.route().is_some()
        });
        Ok(waits.map_or(Stand::Runs, |approval| Stand::Waits(Refusal::waits(approval))))
    }

    /// Lets the same call find this one again, which nobody waits for any more.
    async fn keep(&self, message: MessageId, waited: Option<Waited>) -> Result<(), CallError> {
        if self.asked.key.is_some() || waited.is_some() {
            return Ok(());
        }
        let Some(turn) = self.app.store.turn_of(&message).await? else { return Ok(()) };
        let plan = serde_json::from_value::<PlanFile>(turn.plan).ok();
        let customer = plan.and_then(|PlanFile::V1 { plan }| plan.customer.key);
        let now = self.app.clock.now();
        let kept = Waited { message, customer, given_at: None };
        let changes = vec![kept.keep_waiting(self.of_mark(), now)];
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
