//! A customer who writes to the bot in private.

use anyhow::{Context as _, Result, ensure};
use postern_domain::{Author, CallRecord, ConversationId, Decision, Ticket};
use postern_store::{ConversationDetail, InvocationRow};
use postern_test_support::{
    host::{ACCOUNT, Host},
    http_client,
    operator::Operator,
    telegram::TelegramApi,
    webhook::{self, Sender},
};
use serde_json::Value;

use super::{PATIENCE, SECRET, Town, conversation};

/// A customer, and what became of their messages so far.
pub(crate) struct Customer<'a> {
    client: reqwest::Client,
    telegram: &'a TelegramApi,
    public: String,
    operator: Operator,
    sender: Sender,
    sent: i64,
    turns: usize,
    answers: usize,
}

/// What came of one message.
#[derive(Debug)]
pub(crate) struct Told {
    /// What Telegram was told to show.
    pub(crate) answers: Vec<String>,
    /// Everything about the conversation.
    pub(crate) detail: ConversationDetail,
}

impl<'a> Customer<'a> {
    /// A customer whose Telegram account has this number.
    pub(crate) fn new(town: &'a Town, host: &Host, id: i64) -> Self {
        Self {
            client: http_client(),
            telegram: &town.telegram,
            public: host.public().to_owned(),
            operator: host.operator(),
            sender: Sender { id, first_name: "Kim".to_owned() },
            sent: 0,
            turns: 0,
            answers: 0,
        }
    }

    /// From now on the host is this one.
    pub(crate) fn moves_to(&mut self, host: &Host) {
        host.public().clone_into(&mut self.public);
        self.operator = host.operator();
    }

    /// The chat, which in private has the number of the person.
    pub(crate) fn chat(&self) -> String {
        self.sender.id.to_string()
    }

    /// The conversation, once there is one.
    pub(crate) fn conversation(&self) -> ConversationId {
        conversation(&self.chat(), &self.chat())
    }

    /// How many updates there have been.
    pub(crate) fn updates(&self) -> usize {
        usize::try_from(self.sent).unwrap_or_default()
    }

    /// The next update with this text.
    pub(crate) fn update(&mut self, text: &str) -> Value {
        self.sent += 1;
        webhook::text_update(self.sender.id * 1_000 + self.sent, self.sent, &self.sender, text)
    }

    /// Delivers an update, as whoever knows this secret.
    pub(crate) async fn deliver(&self, secret: &str, update: &Value) -> Result<u16> {
        Ok(webhook::deliver(&self.client, &self.public, ACCOUNT, secret, update).await?)
    }

    /// Writes, and waits for the answer.
    pub(crate) async fn says(&mut self, text: &str) -> Result<Told> {
        let update = self.update(text);
        let status = self.deliver(SECRET, &update).await?;
        ensure!(status == 200, "{text:?} was answered with {status}");
        self.told().await.with_context(|| format!("after {text:?}"))
    }

    /// Writes, and waits for nothing.
    pub(crate) async fn sends(&mut self, text: &str) -> Result<()> {
        let update = self.update(text);
        let status = self.deliver(SECRET, &update).await?;
        ensure!(status == 200, "{text:?} was answered with {status}");
        Ok(())
    }

    /// How many messages they have got.
    pub(crate) fn heard(&self) -> usize {
        self.answers
    }

    /// Waits until they have got so many messages, and answers the last of them.
    pub(crate) async fn hears(&mut self, messages: usize) -> Result<String> {
        let sent = self.telegram.wait_for_chat(&self.chat(), messages, PATIENCE).await?;
        self.answers = sent.len();
        Ok(sent.last().map(|sent| sent.text.clone()).unwrap_or_default())
    }

    /// Waits for a message with this in it, after those that they have got. A host that
    /// was killed may send the one before it once more.
    pub(crate) async fn hears_of(&mut self, text: &str) -> Result<String> {
        loop {
            let next = self.answers + 1;
            let sent = self.telegram.wait_for_chat(&self.chat(), next, PATIENCE).await;
            let sent = sent.with_context(|| format!("nothing says {text:?}"))?;
            self.answers = next;
            if let Some(message) = sent.get(next - 1).filter(|sent| sent.text.contains(text)) {
                return Ok(message.text.clone());
            }
        }
    }

    /// Waits for the answer to the next message.
    pub(crate) async fn told(&mut self) -> Result<Told> {
        self.turns += 1;
        let id = self.conversation();
        let detail = self.operator.wait_for_turns(&id, self.turns, PATIENCE).await?;
        let of_bot = |author| author == Author::Bot;
        let n = detail.messages.iter().filter(|m| of_bot(m.message.author)).count();
        let sent = self.telegram.wait_for_chat(&self.chat(), n, PATIENCE).await?;
        let answers = sent.into_iter().skip(self.answers).map(|sent| sent.text).collect();
        self.answers = n;
        Ok(Told { answers, detail })
    }
}

impl Told {
    /// Whether the answer contains this, in whatever case.
    pub(crate) fn says(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.answers.iter().any(|answer| answer.to_lowercase().contains(&text))
    }

    /// Fails unless the answer contains this.
    pub(crate) fn must_say(&self, text: &str) -> Result<&Self> {
        ensure!(self.says(text), "{text:?} is not in {:?}", self.answers);
        Ok(self)
    }

    /// Fails if the answer contains this.
    pub(crate) fn must_not_say(&self, text: &str) -> Result<&Self> {
        ensure!(!self.says(text), "{text:?} is in {:?}", self.answers);
        Ok(self)
    }

    /// Fails unless the customer is known as this one.
    pub(crate) fn must_be_customer(&self, key: Option<&str>) -> Result<&Self> {
        let known = self.detail.conversation.customer.key.as_deref();
        ensure!(known == key, "the customer is {known:?}, not {key:?}");
        Ok(self)
    }

    /// The tools that the last turn ran.
    pub(crate) fn tools(&self) -> Vec<&InvocationRow> {
        let last = self.detail.turns.last().map(|turn| &turn.id);
        self.detail.invocations.iter().filter(|run| Some(&run.turn) == last).collect()
    }

    /// Fails unless the last turn ran this tool.
    pub(crate) fn must_use(&self, skill: &str, tool: &str) -> Result<&Self> {
        let ran = self.tools();
        let used = ran.iter().any(|run| run.skill.as_str() == skill && run.tool == tool);
        ensure!(used, "{skill}/{tool} is not among {ran:?}");
        Ok(self)
    }

    /// The last turn's host calls.
    pub(crate) fn calls(&self) -> Vec<&CallRecord> {
        let ran: Vec<_> = self.tools().into_iter().map(|run| &run.id).collect();
        let journal = self.detail.journal.iter();
        journal.filter(|entry| ran.contains(&&entry.invocation)).map(|e| &e.record).collect()
    }

    /// Fails unless this rule refused a call of the last turn.
    pub(crate) fn must_be_refused_by(&self, rule: &str) -> Result<&Self> {
        let calls = self.calls();
        let refused = calls.iter().any(|record| {
            record.decision == Decision::Deny && record.rules.iter().any(|r| r == rule)
        });
        ensure!(refused, "{rule} refused none of {calls:?}");
        Ok(self)
    }

    /// The conversation's ticket.
    pub(crate) fn ticket(&self) -> Result<&Ticket> {
        let current = self.detail.conversation.ticket.as_ref().context("there is no ticket")?;
        let found = self.detail.tickets.iter().find(|ticket| ticket.id == *current);
        found.context("the ticket is not listed")
    }

    /// Fails unless the ticket waits for a person, for a reason with these words.
    pub(crate) fn must_wait_for_a_person(&self, because: &str) -> Result<&Self> {
        let ticket = self.ticket()?;
        let reason = ticket.reason.as_deref().unwrap_or_default();
        ensure!(ticket.queue.is_some(), "no person was asked: {ticket:?}");
        ensure!(reason.contains(because), "{because:?} is not in the reason {reason:?}");
        Ok(self)
    }
}
