//! `GET /chat/{site}/events`: what a visitor's conversation says, as
//! server-sent events (WHATWG HTML, 9.2).

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response, Sse, sse::Event},
};
use futures_util::{Stream, stream};
use postern_domain::{ConversationId, Timestamp};
use postern_store::{SequencedMessage, StoreError};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{Chat, limit::Seat, refuse, refuse_for, session};
use crate::{app::App, channels::ErrorCode, privacy::Vault};

/// How long a stream is silent at most. A stream also reads the store then, for
/// what another host has written.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a browser waits before it opens a broken stream again.
const RECONNECT: Duration = Duration::from_secs(2);
/// Seconds after which to try again when there are too many streams.
const RETRY_S: u32 = 15;
/// Messages that are read at once.
const BATCH: u32 = 100;

#[derive(Deserialize)]
pub(super) struct From {
    /// The last message that the client has; 0 for none.
    #[serde(default)]
    after: i64,
}

/// One stream: visitor → place → everything after the last message that the
/// client has, now and from now on.
pub(super) async fn stream(
    State(chat): State<Arc<Chat>>,
    Path(site): Path<String>,
    from: Result<Query<From>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Some(visitor) = session::visitor(&chat, &site, &headers) else {
        return refuse(ErrorCode::Unauthorized);
    };
    let Some(after) = after(from.map(|Query(from)| from.after), &headers) else {
        return refuse(ErrorCode::BadRequest);
    };
    let Some(seat) = chat.streams.seat(&visitor.id) else {
        return refuse_for(ErrorCode::TooMany, RETRY_S);
    };
    let feed = Feed {
        // Before the first read, so that nothing falls between the two.
        changes: chat.app.events.subscribe(),
        app: Arc::clone(&chat.app),
        conversation: visitor.conversation(&site),
        ends_at: visitor.ends_at(),
        after,
        ready: VecDeque::from([Event::default().retry(RECONNECT)]),
        caught_up: false,
        _seat: seat,
    };
    let mut response = Sse::new(feed.into_stream()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies of the nginx family would collect the events otherwise.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// The last message that the client has. A browser that reconnects names it in
/// a header, which is newer than the address.
fn after(query: Result<i64, QueryRejection>, headers: &HeaderMap) -> Option<i64> {
    match headers.get("last-event-id") {
        Some(id) if !id.is_empty() => id.to_str().ok()?.parse().ok(),
        Some(_) | None => query.ok(),
    }
}

/// One open stream.
struct Feed {
    app: Arc<App>,
    conversation: ConversationId,
    changes: Receiver<ConversationId>,
    ends_at: Timestamp,
    /// The last message that was read.
    after: i64,
    ready: VecDeque<Event>,
    /// Whether the client was told that it has everything so far.
    caught_up: bool,
    _seat: Seat,
}

impl Feed {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut feed| async move {
            let event = feed.next().await?;
            Some((Ok(event), feed))
        })
    }

    /// The next event; none when the stream ends and the client should come
    /// again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.app.clock.now() >= self.ends_at {
                return None;
            }
            if let Err(error) = self.read().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a stream cannot be read"
                );
                return None;
            }
            if !self.ready.is_empty() {
                continue;
            }
            if !self.caught_up {
                self.caught_up = true;
                return Some(Event::default().event("ready").data("{}"));
            }
            match tokio::time::timeout(HEARTBEAT, self.changed()).await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(_) => return Some(Event::default().comment("")),
            }
        }
    }

    /// Reads what was kept since the last read.
    async fn read(&mut self) -> Result<(), StoreError> {
        let store = &self.app.store;
        let messages = store.messages_after(&self.conversation, self.after, BATCH).await?;
        let Some(last) = messages.last() else { return Ok(()) };
        self.after = last.seq;
        let vault = store.vault(&self.conversation).await?;
        let conversation = store.conversation_row(&self.conversation).await?;
        // Its visitor alone reads a private conversation, and may see the values.
        let vault = conversation.filter(|c| c.private).map(|c| Vault::new(&c.nonce, vault));
        self.ready.extend(messages.iter().map(|message| event(message, vault.as_ref())));
        Ok(())
    }

    /// Waits until the conversation may have changed; false when no change will
    /// be told any more.
    async fn changed(&mut self) -> bool {
        loop {
            match self.changes.recv().await {
                Ok(conversation) if conversation == self.conversation => return true,
                Ok(_) => {}
                // What was missed may have been ours.
                Err(RecvError::Lagged(_)) => return true,
                Err(RecvError::Closed) => return false,
            }
        }
    }
}

fn event(sequenced: &SequencedMessage, vault: Option<&Vault>) -> Event {
    let message = &sequenced.message;
    let text = vault.map_or_else(|| Vault::mask(&message.text), |v| v.restore(&message.text));
    let data = json!({
        "seq": sequenced.seq,
        "id": message.id,
        "author": message.author,
        "text": text,
        "at": message.at,
    });
    Event::default().event("message").id(sequenced.seq.to_string()).data(data.to_string())
}
