//! A customer in the web chat.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt as _};
use postern_domain::{Author, ConversationId, MessageId};
use serde::Deserialize;
use serde_json::json;

use crate::{
    SupportError,
    http::{checked, http_client, parsed},
    sse::{SseEvent, SseParser},
};

type Bytes = Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>;

/// A message as the page gets it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChatMessage {
    /// Grows with each message.
    pub seq: i64,
    /// Who wrote it.
    pub author: Author,
    /// The words.
    pub text: String,
}

/// The answer to a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    /// The message.
    pub message: MessageId,
    /// Whether it was accepted before.
    pub duplicate: bool,
}

#[derive(Deserialize)]
struct Session {
    token: String,
    conversation: ConversationId,
}

/// One open chat.
pub struct WebChat {
    client: reqwest::Client,
    site: String,
    session: Session,
    events: Bytes,
    parser: SseParser,
    sent: u32,
}

impl std::fmt::Debug for WebChat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebChat")
            .field("site", &self.site)
            .field("conversation", &self.session.conversation)
            .finish_non_exhaustive()
    }
}

impl WebChat {
    /// Opens a session at `site` of the host at `public`, and its events.
    ///
    /// # Errors
    /// Where the host does not answer as its contract says.
    pub async fn open(public: &str, site: &str) -> Result<Self, SupportError> {
        let client = http_client();
        let site = format!("{public}/chat/{site}");
        let what = "POST /chat/…/session";
        let answer = checked(client.post(format!("{site}/session")), what).await?;
        let session: Session = parsed(answer, what).await?;
        let events = open_events(&client, &site, &session.token, None).await?;
        Ok(Self { client, site, session, events, parser: SseParser::default(), sent: 0 })
    }

    /// The conversation.
    pub fn conversation(&self) -> &ConversationId {
        &self.session.conversation
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Where the host does not accept it.
    pub async fn send(&mut self, text: &str) -> Result<Receipt, SupportError> {
        self.sent += 1;
        let id = format!("m{}", self.sent);
        self.send_as(&id, text).await
    }

    /// Sends a message under an id of the client's own; the same id again is
    /// the same message.
    ///
    /// # Errors
    /// Where the host does not accept it.
    pub async fn send_as(&self, id: &str, text: &str) -> Result<Receipt, SupportError> {
        let what = "POST /chat/…/messages";
        let request = self
            .client
            .post(format!("{}/messages", self.site))
            .bearer_auth(&self.session.token)
            .json(&json!({ "id": id, "text": text }));
        parsed(checked(request, what).await?, what).await
    }

    /// The next message, also the customer's own.
    ///
    /// # Errors
    /// [`SupportError::Late`] after `limit`; others where the stream ends or
    /// holds something else.
    pub async fn next_message(&mut self, limit: Duration) -> Result<ChatMessage, SupportError> {
        let late = SupportError::Late { what: "a message in the web chat".into(), waited: limit };
        let event = tokio::time::timeout(limit, self.next_event()).await.map_err(|_| late)??;
        serde_json::from_str(&event.data).map_err(|problem| SupportError::Failed {
            what: "GET /chat/…/events".to_owned(),
            detail: format!("event {:?}: {problem}", event.event),
        })
    }

    /// The next message of the machine.
    ///
    /// # Errors
    /// As for [`WebChat::next_message`].
    pub async fn next_answer(&mut self, limit: Duration) -> Result<ChatMessage, SupportError> {
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let message = self.next_message(left).await?;
            if message.author == Author::Bot {
                return Ok(message);
            }
        }
    }

    /// Opens the events again, as a page does after a break, to get what came
    /// after the message `last_seq`.
    ///
    /// # Errors
    /// Where the host does not answer as its contract says.
    pub async fn reconnect(&mut self, last_seq: i64) -> Result<(), SupportError> {
        let token = &self.session.token;
        self.events = open_events(&self.client, &self.site, token, Some(last_seq)).await?;
        self.parser = SseParser::default();
        Ok(())
    }

    async fn next_event(&mut self) -> Result<SseEvent, SupportError> {
        let ended = |detail: String| SupportError::Failed {
            what: "GET /chat/…/events".to_owned(),
            detail,
        };
        loop {
            while let Some(event) = self.parser.next_event() {
                if event.event == "message" {
                    return Ok(event);
                }
            }
            match self.events.next().await {
                Some(Ok(bytes)) => self.parser.feed(&bytes),
                Some(Err(problem)) => return Err(ended(problem.to_string())),
                None => return Err(ended("the stream ended".to_owned())),
            }
        }
    }
}

async fn open_events(
    client: &reqwest::Client,
    site: &str,
    token: &str,
    last_seq: Option<i64>,
) -> Result<Bytes, SupportError> {
    let mut request = client
        .get(format!("{site}/events"))
        .header("accept", "text/event-stream")
        .bearer_auth(token);
    if let Some(last) = last_seq {
        request = request.header("last-event-id", last);
    }
    let answer = checked(request, "GET /chat/…/events").await?;
    Ok(Box::pin(answer.bytes_stream().map(|bytes| bytes.map(|bytes| bytes.to_vec()))))
}
