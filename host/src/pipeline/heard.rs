//! How hostile what a customer writes looks.

use postern_domain::{Author, InboundKind, StoredMessage};
use postern_store::Work;

use super::agent;
use crate::{
    app::App,
    privacy::without_placeholders,
    taint::{self, Assessment},
};

/// Messages before one with which it is read.
const MOST_PIECES: usize = 3;

/// How hostile a message looks, by itself or behind the ones before it: an attack can be
/// sent in pieces.
pub(super) fn message(app: &App, work: &Work) -> Assessment {
    let message = &work.message;
    // Of an agent's call, its arguments are words.
    let words = match message.kind {
        InboundKind::Call => agent::call_of(message).map(|call| call.words()),
        InboundKind::Text
        | InboundKind::Edit
        | InboundKind::Unsupported
        | InboundKind::Identity => None,
    };
    let words = words.as_ref().unwrap_or(&message.text);
    let alone = taint::assess(words);
    let is_recent = |earlier: &&StoredMessage| {
        earlier.author == Author::Customer
            && earlier.id != message.id()
            && super::after(earlier.at, app.config.pipeline.session) >= message.received_at
    };
    let recent = work.history.iter().filter(is_recent);
    let mut said: Vec<&str> = recent.map(|earlier| earlier.text.as_str()).collect();
    if alone.flagged || said.is_empty() {
        return alone;
    }
    said.drain(..said.len().saturating_sub(MOST_PIECES));
    let said = format!("{} {words}", said.join(" "));
    let joined = taint::assess(&without_placeholders(&said));
    if joined.score > alone.score { joined } else { alone }
}
