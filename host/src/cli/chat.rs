//! `postern chat`

use std::{io::Write as _, path::Path, sync::Arc, time::Duration};

use clap::Args;
use postern_domain::{
    ApprovalState, Author, Channel, ConversationId, InboundKind, InboundMessage, MessageId, TurnId,
};
use postern_store::ConversationDetail;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, stdin},
    sync::watch,
};

use super::{Context, output, output::out};
use crate::{app::App, author::StandIns, keys::random_token, pipeline::Summary, privacy::Vault};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether there is one, if nobody tells.
const LOOK: Duration = Duration::from_millis(250);

/// Talk to the host in the terminal.
///
/// The whole host runs in this process, on the data folder's own skills, rules
/// and records, so stop a serving host first (or use its chat page). Every line
/// that you type is a message; an empty line or Ctrl-D ends the chat.
#[derive(Debug, Args)]
pub(super) struct Chat {
    /// Show what happened in each stage, and each host call with its decision.
    #[arg(long)]
    explain: bool,
    /// Go on with the conversation of this name.
    #[arg(long)]
    name: Option<String>,
}

impl Chat {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        context.require_folder()?;
        let _stand_ins = StandIns::start(&context.data).await?;
        let app = open(&context.data).await?;
        let (stop, stopped) = watch::channel(false);
        let serving = {
            let app = Arc::clone(&app);
            tokio::spawn(async move { app.run(stopped).await })
        };
        let name = match self.name {
            Some(name) => name,
            None => random_token()?[..12].to_owned(),
        };
        let talked = talk(context, &app, &name, self.explain).await;
        stop.send_replace(true);
        serving.await??;
        talked
    }
}

async fn open(data: &Path) -> anyhow::Result<Arc<App>> {
    App::open(data).await.map_err(|error| {
        let hint = "; while `postern serve` runs here, use its chat page instead";
        match &error {
            crate::app::StartError::Store(postern_store::StoreError::InUse { .. }) => {
                anyhow::anyhow!("{error}{hint}")
            }
            _ => error.into(),
        }
    })
}

async fn talk(context: &Context, app: &Arc<App>, name: &str, explain: bool) -> anyhow::Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        if !context.json {
            print!("you> ");
            std::io::stdout().flush()?;
        }
        let Some(text) = lines.next_line().await? else { return Ok(()) };
        if text.trim().is_empty() {
            return Ok(());
        }
        let message = InboundMessage {
            channel: Channel::Terminal,
            account: "terminal".to_owned(),
            dedupe_key: random_token()?,
            chat: name.to_owned(),
            sender: name.to_owned(),
            external_id: String::new(),
            private: true,
            kind: InboundKind::Text,
            text: text.chars().take(4_000).collect(),
            language: None,
            received_at: app.clock.now(),
        };
        let (conversation, id) = (message.conversation_id(), message.id());
        let mut events = app.events.subscribe();
        app.intake.accept(message).await?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let answer = loop {
            if let Some(answer) = answer_to(app, &conversation, &id).await? {
                break answer;
            }
            let late = tokio::time::Instant::now() >= deadline;
            anyhow::ensure!(!late, "no answer within {} s", PATIENCE.as_secs());
            // A missed event only means to look again, which happens anyway.
            let _heard = tokio::time::timeout(LOOK, events.recv()).await;
        };
        show(context, &answer, explain)?;
    }
}

/// What came of one message.
#[derive(serde::Serialize)]
struct Answer {
    answer: String,
    stages: Vec<String>,
    calls: Vec<String>,
}

/// The answer to a message, once its turn is complete.
async fn answer_to(
    app: &App,
    conversation: &ConversationId,
    message: &MessageId,
) -> anyhow::Result<Option<Answer>> {
    let Some(detail) = app.store.conversation(conversation).await? else { return Ok(None) };
    let Some(turn) = detail.turns.iter().find(|turn| turn.message == *message) else {
        return Ok(None);
    };
    // What waits for a yes or for a person has said what there is to say, and after the yes
    // it goes on.
    for open in detail.turns.iter().filter(|turn| turn.completed_at.is_none()) {
        if !waits(app, &detail, &open.id).await? {
            return Ok(None);
        }
    }
    let vault = Vault::new(&detail.conversation.nonce, app.store.vault(conversation).await?);
    // A turn can say several things, and all of them come before the next message.
    let answers: Vec<String> = detail
        .messages
        .iter()
        .map(|kept| &kept.message)
        .skip_while(|kept| kept.id != *message)
        .skip(1)
        .take_while(|kept| kept.author == Author::Bot)
        .map(|kept| vault.restore(&kept.text).into_owned())
        .collect();
    let answer = answers.join("\n\n");
    let stages = match turn.summary.clone().map(serde_json::from_value) {
        Some(Ok(Summary::V1 { stages, .. })) => stages
            .into_iter()
            .map(|record| format!("{:?}: {}", record.stage, record.what).to_lowercase())
            .collect(),
        Some(Err(_)) | None => Vec::new(),
    };
    let calls = detail
        .invocations
        .iter()
        .filter(|invocation| invocation.turn == turn.id)
        .flat_map(|invocation| detail.journal.iter().filter(|e| e.invocation == invocation.id))
        .map(|entry| {
            let record = &entry.record;
            let rules = record.rules.join(", ");
            format!("{} → {} ({rules})", record.call.action(), record.decision.as_str())
        })
        .collect();
    Ok(Some(Answer { answer, stages, calls }))
}

/// Whether a call of a turn waits for somebody's word.
async fn waits(app: &App, detail: &ConversationDetail, turn: &TurnId) -> anyhow::Result<bool> {
    for invocation in detail.invocations.iter().filter(|invocation| invocation.turn == *turn) {
        let asked = app.store.approvals_of(&invocation.id).await?;
        if asked.iter().any(|approval| approval.state == ApprovalState::Pending) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn show(context: &Context, answer: &Answer, explain: bool) -> anyhow::Result<()> {
    if context.json {
        return output::json(answer);
    }
    if explain {
        for line in answer.stages.iter().chain(&answer.calls) {
            out!("     · {line}");
        }
    }
    out!("postern> {}", answer.answer.replace('\n', "\n         "));
    Ok(())
}
