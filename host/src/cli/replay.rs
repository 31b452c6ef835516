//! `postern replay`

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use postern_domain::{Approval, CallRecord, CallState, InvocationId, Outcome, SkillFailure};
use postern_policy::{PolicySet, Verdict};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Context, output, output::out, policy};
use crate::{
    app::{self, KEY_FILE},
    config::Config,
    gate::Revocations,
    keys::MasterKey,
    registry::{Compiler, Registry},
    replay::{Recording, ReplayError, judged_by},
};

/// Characters of a call or an outcome that a line shows.
const MOST_CHARACTERS: usize = 300;

/// Show what happened in one call of a tool, step by step.
///
/// Message, plan, every host call with its rules and its end, and the answer, from
/// what was recorded; personal data stays in placeholders.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The invocation, such as inv_0123456789abcdef01234567.
    invocation: InvocationId,
    /// Run the component again against the journal, and prove that it does the same.
    ///
    /// Nothing is performed and nothing is written. Exits with 1 if it differs.
    #[arg(long)]
    run: bool,
    /// Say what the rules of another folder would have said to each call.
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
}

#[derive(Serialize)]
struct Step<'a> {
    #[serde(flatten)]
    record: &'a CallRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed: Option<Value>,
}

impl Replay {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let store = context.store().await?;
        let config = Config::load(&context.data)?;
        let recording = Recording::load(&store, &self.invocation).await?;
        let proposed = match self.policy {
            Some(folder) => Some(policy::rules(&config, Some(folder))?.1),
            None => None,
        };
        let publisher = publisher(&config, &recording);
        let steps: Vec<Step<'_>> = recording
            .calls
            .iter()
            .map(|record| Step {
                record,
                approval: recording.approvals.iter().rfind(|approval| approval.seq == record.seq),
                proposed: proposed.as_ref().map(|policy| {
                    told(&recording, record, policy, publisher.as_deref().unwrap_or_default())
                }),
            })
            .collect();
        let again = if self.run { Some(again(&config, &recording).await) } else { None };
        if context.json {
            output::json(&json!({
                "conversation": recording.conversation.id,
                "turn": recording.turn.id,
                "message": { "id": recording.turn.message, "text": recording.plan.text },
                "invocation": recording.row,
                "customer_level": recording.customer.level,
                "calls": steps,
                "answers": recording.answers,
                "run": again.as_ref().map(|again| match again {
                    Ok(calls) => json!({ "same": true, "calls": calls }),
                    Err(error) => json!({ "same": false, "error": error.to_string() }),
                }),
            }))?;
        } else {
            show(&recording, &steps)?;
            if let Some(Ok(calls)) = &again {
                out!("run again: {calls} calls answered from the journal, the same end");
            }
        }
        match again {
            Some(Err(error)) => Err(error),
            Some(Ok(_)) | None => Ok(()),
        }
    }
}

fn show(recording: &Recording, steps: &[Step<'_>]) -> anyhow::Result<()> {
    let Recording { conversation, turn, plan, row, .. } = recording;
    out!("conversation {} on {}", conversation.id, conversation.channel);
    out!("message      {} at {}", turn.message, turn.started_at);
    out!("             {}", clipped(&plan.text));
    out!("invocation   {} step {} of {}", row.id, row.step, turn.id);
    out!("             {}@{} {} ({})", row.skill, row.version, row.tool, row.digest);
    out!("             arguments {}", clipped(&row.arguments.to_string()));
    out!("             customer {}", recording.customer.level.as_str());
    for step in steps {
        let record = step.record;
        out!("call {:<3}     {} {}", record.seq, record.call.action(), shown(record));
        out!("             {} by {}", record.decision.as_str(), record.rules.join(", "));
        if let Some(approval) = step.approval {
            out!("             {} {} ({})", approval.id, approval.state.as_str(), approval.duty);
        }
        out!("             → {} at {}", ending(&record.state), record.at);
        if let Some(proposed) = &step.proposed {
            out!("             proposed rules: {}", proposed["said"].as_str().unwrap_or_default());
        }
    }
    out!("end          {}", row.result.as_ref().map_or("none yet".to_owned(), end_of));
    for answer in &recording.answers {
        out!("answer       {}", clipped(&answer.text));
    }
    Ok(())
}

fn clipped(text: &str) -> String {
    let mut short: String = text.chars().take(MOST_CHARACTERS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    output::words(&short.replace('\n', " "))
}

fn shown(record: &CallRecord) -> String {
    clipped(&serde_json::to_value(&record.call).unwrap_or_default().to_string())
}

fn ending(state: &CallState) -> String {
    match state {
        CallState::Waiting { approval } => format!("waits for {approval}"),
        CallState::Intended => "about to happen; its end is not known".to_owned(),
        CallState::Done { reply } => {
            clipped(&serde_json::to_value(reply).unwrap_or_default().to_string())
        }
        CallState::Failed { failure } => format!("failed: {}", clipped(&failure.message)),
    }
}

fn end_of(result: &Result<Outcome, SkillFailure>) -> String {
    match result {
        Ok(Outcome::Reply { text }) => format!("reply: {}", clipped(text)),
        Ok(Outcome::Ask { entity, text }) => format!("ask for {entity}: {}", clipped(text)),
        Ok(Outcome::HandOver { reason, .. }) => format!("hand over: {reason}"),
        Ok(Outcome::Done) => "done".to_owned(),
        Err(failure) => failure.to_string(),
    }
}

/// Who published the component that ran, as its generation says.
fn publisher(config: &Config, recording: &Recording) -> Option<String> {
    let generation = recording.turn.generation.parse().ok()?;
    let registry = registry(config).ok()?;
    let generation = registry.generation(generation).ok()?;
    generation.publisher_of(&recording.row.skill)
}

fn registry(config: &Config) -> anyhow::Result<Registry> {
    let key = MasterKey::read(&config.data.join(KEY_FILE))?;
    Ok(Registry::open(&config.data, key, Compiler::this_program())?)
}

/// Runs the component of the turn's generation again.
async fn again(config: &Config, recording: &Recording) -> anyhow::Result<u32> {
    let key = MasterKey::read(&config.data.join(KEY_FILE))?;
    let registry = registry(config)?;
    let runtime = Arc::new(app::runtime(config)?);
    let unknown = || ReplayError::ComponentGone {
        skill: recording.row.skill.to_string(),
        digest: recording.row.digest,
        generation: recording.turn.generation.clone(),
    };
    let number = recording.turn.generation.parse().map_err(|_| unknown())?;
    // What is revoked since may be looked at: nothing that it asks for is done.
    let revoked = Revocations::default();
    let generation = registry.generation(number)?;
    let loaded = registry.load((&runtime, config), &revoked, &generation, None)?;
    let skills = loaded.skills_for(&key, &recording.conversation.id);
    Ok(recording.run(skills, &key).await?)
}

/// What other rules would have said to a recorded call.
fn told(recording: &Recording, record: &CallRecord, policy: &PolicySet, publisher: &str) -> Value {
    let verdict = judged_by(policy, &recording.row, record, publisher);
    match verdict {
        Some(Verdict { decision, rules, obligations, .. }) => {
            let same = decision == record.decision && rules == record.rules;
            let said = format!(
                "{} by {}{}",
                decision.as_str(),
                rules.join(", "),
                if same { " (the same)" } else { " (DIFFERENT)" }
            );
            json!({ "decision": decision, "rules": rules, "duties": obligations, "same": same, "said": said })
        }
        None => json!({ "said": "no rule was asked about it" }),
    }
}
