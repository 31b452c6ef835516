//! A host in this process, whose clock the test moves.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use postern::{
    app::App,
    clock::{Clock as _, ManualClock},
    config::Config,
    registry::Compiler,
};
use postern_domain::{
    AuditRow, Author, Channel, ConversationId, Digest, InboundKind, InboundMessage, SkillId,
    Timestamp,
};
use postern_store::{ConversationDetail, InvocationRow, SqliteStore};
use postern_test_support::host::binary;
use serde_json::Value;
use tokio::{
    sync::{broadcast::error::RecvError, watch},
    task::JoinHandle,
};

use crate::setup::{PATIENCE, text_at};

/// A host that serves from a prepared folder, without listeners.
pub(crate) struct Desk {
    pub(crate) app: Arc<App>,
    pub(crate) clock: ManualClock,
    stop: watch::Sender<bool>,
    running: Option<JoinHandle<()>>,
    said: usize,
}

/// A conversation after one more turn.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) detail: ConversationDetail,
}

/// What a person writes as message number `number` of a chat.
pub(crate) fn message(chat: &str, number: usize, text: &str, at: Timestamp) -> InboundMessage {
    InboundMessage {
        channel: Channel::Web,
        account: "main".into(),
        dedupe_key: format!("{chat}-{number}"),
        chat: chat.into(),
        sender: chat.into(),
        external_id: format!("{chat}-{number}"),
        private: true,
        kind: InboundKind::Text,
        text: text.into(),
        language: None,
        received_at: at,
    }
}

/// Copies a folder that nobody writes to.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().context("an entry has a name")?);
        if path.is_dir() {
            std::fs::create_dir(&target)?;
            copy(&path, &target)?;
        } else {
            std::fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

/// A skill in the operator's list.
pub(crate) fn of_machine<'v>(skills: &'v Value, id: &str) -> Option<&'v Value> {
    skills.as_array()?.iter().find(|skill| text_at(skill, "/id") == id)
}

impl Desk {
    /// Puts a host together that does not work yet.
    pub(crate) async fn open(folder: &Path) -> Result<Self> {
        let config = Config::load(folder)?;
        let store = SqliteStore::open(folder, "host-1").await?;
        let clock = ManualClock::at(Timestamp::from_millis(1_750_000_000_000));
        let compiler = Compiler::program(&binary()?);
        let app = App::assemble(config, Arc::new(store), Arc::new(clock.clone()), compiler)?;
        Ok(Self { app, clock, stop: watch::Sender::new(false), running: None, said: 0 })
    }

    /// Lets it work.
    pub(crate) fn start(&mut self) {
        let (app, stop) = (Arc::clone(&self.app), self.stop.subscribe());
        self.running = Some(tokio::spawn(async move { app.run(stop).await.unwrap() }));
    }

    /// Lets it end what it has begun.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.stop.send_replace(true);
        let running = self.running.take().context("it was started")?;
        Ok(tokio::time::timeout(PATIENCE, running).await??)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn digest(&self, skill: &SkillId) -> Result<Digest> {
        let skills = self.app.skills();
        Ok(skills.active.get(skill).context("it is not installed")?.digest)
    }

    /// Writes in a chat, and waits until the turn is complete.
    pub(crate) async fn tells(&mut self, chat: &str, text: &str) -> Result<Told> {
        self.said += 1;
        let message = message(chat, self.said, text, self.now());
        let id = message.conversation_id();
        let before = self.app.store.conversation(&id).await?.map_or(0, |detail| detail.turns.len());
        self.app.intake.accept(message).await?;
        self.wait_for(&id, before + 1).await
    }

    /// Waits until so many turns of a conversation are complete.
    pub(crate) async fn wait_for(&self, id: &ConversationId, turns: usize) -> Result<Told> {
        let mut events = self.app.events.subscribe();
        let look = async {
            loop {
                if let Some(detail) = self.app.store.conversation(id).await?
                    && detail.turns.iter().filter(|turn| turn.completed_at.is_some()).count()
                        >= turns
                {
                    return Ok(Told { detail });
                }
                match events.recv().await {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(closed @ RecvError::Closed) => return Err(closed.into()),
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.context("no turn is completed")?
    }

    /// Rows of the audit log about this action.
    pub(crate) async fn audit(&self, action: &str) -> Result<Vec<AuditRow>> {
        let rows = self.app.store.audit_tail(10_000, None).await?;
        ensure!(!rows.is_empty());
        Ok(rows.into_iter().filter(|row| row.entry.action == action).collect())
    }
}

impl Told {
    /// The last call of a tool.
    pub(crate) fn last_run(&self) -> Result<&InvocationRow> {
        self.detail.invocations.last().context("no tool was called")
    }

    /// The last answer.
    pub(crate) fn last_answer(&self) -> Result<&str> {
        let mut of_bot =
            self.detail.messages.iter().filter(|kept| kept.message.author == Author::Bot);
        Ok(&of_bot.next_back().context("there is no answer")?.message.text)
    }

    /// Why the last ticket waits for a person.
    pub(crate) fn ticket_reason(&self) -> &str {
        self.detail.tickets.last().and_then(|ticket| ticket.reason.as_deref()).unwrap_or_default()
    }
}
