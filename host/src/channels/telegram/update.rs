//! From an `Update` to a message.

use postern_domain::{ApprovalId, Channel, InboundKind, InboundMessage, Timestamp};
use serde::Deserialize;

use super::operators::DATA;

/// Bytes of text that are kept. Telegram's own limit is 4,096 characters.
const MOST_TEXT_BYTES: usize = 16 * 1024;

/// What an update is to us.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A message of a customer.
    Message(Box<InboundMessage>),
    /// A code with which somebody wants to act as an operator from their account, and
    /// the message that brought it, without its text.
    Bind {
        /// The message.
        message: Box<InboundMessage>,
        /// The code.
        code: String,
    },
    /// A button under an approval was pressed.
    Pressed(Box<Pressed>),
    /// Something authentic that is not for us.
    Ignored {
        /// What it is.
        what: &'static str,
    },
}

/// A button that was pressed under an approval.
#[derive(Debug, PartialEq, Eq)]
pub struct Pressed {
    /// How Telegram names the press, to be answered.
    pub query: String,
    /// The chat.
    pub chat: String,
    /// Who pressed it.
    pub sender: String,
    /// The approval.
    pub approval: ApprovalId,
    /// Whether it was the button that approves.
    pub approve: bool,
}

/// A body that is not an update. Its content is not repeated.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a Telegram update: {0}")]
pub struct ParseError(&'static str);

#[derive(Deserialize)]
struct Update {
    update_id: i64,
    message: Option<Message>,
    edited_message: Option<Message>,
    callback_query: Option<CallbackQuery>,
}

#[derive(Deserialize)]
struct Message {
    message_id: i64,
    from: Option<User>,
    chat: Chat,
    text: Option<String>,
    caption: Option<String>,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    language_code: Option<String>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct CallbackQuery {
    #[serde(default)]
    id: String,
    from: User,
    data: Option<String>,
    message: Option<PressedMessage>,
}

#[derive(Deserialize)]
struct PressedMessage {
    message_id: i64,
    chat: Chat,
}

/// Kinds of content that a customer can send besides text.
const MEDIA: [&str; 14] = [
    "animation",
    "audio",
    "contact",
    "dice",
    "document",
    "game",
    "location",
    "photo",
    "poll",
    "sticker",
    "venue",
    "video",
    "video_note",
    "voice",
];

/// Reads an update.
///
/// # Errors
/// The body is not JSON of an update's shape.
pub fn parse(account: &str, body: &[u8], now: Timestamp) -> Result<Parsed, ParseError> {
    let text = std::str::from_utf8(body).map_err(|_| ParseError("it is not UTF-8"))?;
    let update: Update = serde_json::from_str(text)
        .map_err(|_| ParseError("it is not a JSON object with an update_id and known parts"))?;
    let key = update.update_id.to_string();
    if let Some(message) = update.message {
        return Ok(message_of(account, key, message, InboundKind::Text, now));
    }
    if let Some(message) = update.edited_message {
        return Ok(message_of(account, key, message, InboundKind::Edit, now));
    }
    let Some(query) = update.callback_query else {
        return Ok(Parsed::Ignored { what: "not a message" });
    };
    let (Some(data), Some(pressed)) = (query.data, query.message) else {
        return Ok(Parsed::Ignored { what: "a button without a chat or without data" });
    };
    if let Some(decision) = data.strip_prefix(DATA) {
        let (id, chat, sender) = (query.id, pressed.chat.id, query.from.id);
        let read = read_decision(decision);
        return Ok(match read {
            Some((approve, approval)) => Parsed::Pressed(Box::new(Pressed {
                query: id,
                chat: chat.to_string(),
                sender: sender.to_string(),
                approval,
                approve,
            })),
            None => Parsed::Ignored { what: "a button that the host did not make" },
        });
    }
    let content = Content {
        message_id: pressed.message_id,
        chat: pressed.chat,
        sender: query.from,
        kind: InboundKind::Text,
        text: data,
    };
    Ok(content.into_parsed(account, key, now))
}

/// `approve:apr_…` or `reject:apr_…`.
fn read_decision(text: &str) -> Option<(bool, ApprovalId)> {
    let (decision, approval) = text.split_once(':')?;
    let approve = match decision {
        "approve" => true,
        "reject" => false,
        _ => return None,
    };
    Some((approve, approval.parse().ok()?))
}

/// The code of `/bind CODE` or `/bind@BOT CODE`.
fn code_of(text: &str) -> Option<&str> {
    let (command, code) = text.trim().split_once(char::is_whitespace)?;
    let command = command.split_once('@').map_or(command, |(command, _)| command);
    (command == "/bind").then(|| code.trim())
}

struct Content {
    message_id: i64,
    chat: Chat,
    sender: User,
    kind: InboundKind,
    text: String,
}

fn message_of(
    account: &str,
    key: String,
    message: Message,
    kind: InboundKind,
    now: Timestamp,
) -> Parsed {
    // Posts of channels have no sender, and nobody waits for an answer there.
    let Some(sender) = message.from else {
        return Parsed::Ignored { what: "a message without a sender" };
    };
    let media = MEDIA.iter().any(|name| message.others.contains_key(*name));
    let (kind, text) = match message.text.or(message.caption) {
        Some(text) => (kind, text),
        None if media => (InboundKind::Unsupported, String::new()),
        None => return Parsed::Ignored { what: "a service message" },
    };
    let code = code_of(&text).map(str::to_owned);
    let content =
        Content { message_id: message.message_id, chat: message.chat, sender, kind, text };
    let parsed = content.into_parsed(account, key, now);
    match (parsed, code) {
        (Parsed::Message(message), Some(_)) if !message.private => {
            Parsed::Ignored { what: "a code that others in the chat can read" }
        }
        // A code is kept nowhere, not even for as long as it counts.
        (Parsed::Message(message), Some(code)) => {
            let text = String::new();
            let kind = InboundKind::Unsupported;
            Parsed::Bind { message: Box::new(InboundMessage { text, kind, ..*message }), code }
        }
        (parsed, _) => parsed,
    }
}

impl Content {
    fn into_parsed(self, account: &str, key: String, now: Timestamp) -> Parsed {
        let mut text = self.text;
        if text.len() > MOST_TEXT_BYTES {
            let end = (0..=MOST_TEXT_BYTES).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
        }
        Parsed::Message(Box::new(InboundMessage {
            channel: Channel::Telegram,
            account: account.to_owned(),
            dedupe_key: key,
            chat: self.chat.id.to_string(),
            sender: self.sender.id.to_string(),
            external_id: self.message_id.to_string(),
            private: self.chat.kind == "private",
            kind: self.kind,
            text,
            language: self.sender.language_code.filter(|code| is_language(code)),
            received_at: now,
        }))
    }
}

/// Whether a text has the form of a BCP 47 tag.
fn is_language(code: &str) -> bool {
    (2..=35).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Parsed, ParseError> {
        parse("main", body.as_bytes(), Timestamp::from_millis(9))
    }

    fn message(body: &str) -> InboundMessage {
        match read(body) {
            Ok(Parsed::Message(message)) => *message,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    #[test]
    fn a_sender_in_a_group_has_a_conversation_of_their_own() {
        let update = |sender: u8| {
            message(&format!(
                r#"{{"update_id": {sender}, "message": {{"message_id": 5, "text": "hi",
                    "from": {{"id": {sender}}}, "chat": {{"id": -100, "type": "supergroup"}}}}}}"#
            ))
        };
        assert!(!update(1).private);
        assert_ne!(update(1).conversation_id(), update(2).conversation_id());
    }

    #[test]
    fn the_presser_of_a_button_is_the_sender() {
        let pressed = message(
            r#"{"update_id": 1, "callback_query": {"id": "7", "from": {"id": 2}, "data": "yes",
                "message": {"message_id": 5, "date": 0, "chat": {"id": 3, "type": "private"}}}}"#,
        );
        assert_eq!((pressed.sender.as_str(), pressed.text.as_str()), ("2", "yes"));
    }

    #[test]
    fn buttons_under_approvals_and_codes_are_told_from_words() {
        let pressed = |data: &str| {
            read(&format!(
                r#"{{"update_id": 1, "callback_query": {{"id": "7", "from": {{"id": 2}},
                    "data": "{data}", "message": {{"message_id": 5, "date": 0,
                    "chat": {{"id": 3, "type": "private"}}}}}}}}"#
            ))
        };
        let approval = "apr_0123456789abcdef01234567";
        for (word, approve) in [("approve", true), ("reject", false)] {
            let expected = Pressed {
                query: "7".into(),
                chat: "3".into(),
                sender: "2".into(),
                approval: approval.parse().unwrap(),
                approve,
            };
            let read = pressed(&format!("apr:{word}:{approval}"));
            assert_eq!(read, Ok(Parsed::Pressed(Box::new(expected))));
        }
        for data in ["apr:approve", "apr:approve:apr_1", "apr:grant:apr_0123456789abcdef01234567"] {
            assert!(matches!(pressed(data), Ok(Parsed::Ignored { .. })), "{data}");
        }

        let wrote = |text: &str, kind: &str| {
            read(&format!(
                r#"{{"update_id": 1, "message": {{"message_id": 5, "text": "{text}",
                    "from": {{"id": 2}}, "chat": {{"id": 2, "type": "{kind}"}}}}}}"#
            ))
        };
        for text in ["/bind AB12-CD34", "/bind@shop_bot  AB12-CD34 "] {
            match wrote(text, "private") {
                Ok(Parsed::Bind { message, code }) => {
                    assert_eq!((code.as_str(), message.text.as_str()), ("AB12-CD34", ""));
                }
                other => panic!("{text}: {other:?}"),
            }
            assert!(matches!(wrote(text, "supergroup"), Ok(Parsed::Ignored { .. })), "{text}");
        }
        for text in ["/bind", "/binder 1", "please /bind 1"] {
            assert!(matches!(wrote(text, "private"), Ok(Parsed::Message(_))), "{text}");
        }
    }

    #[test]
    fn pictures_are_kept_as_unsupported_and_service_messages_are_ignored() {
        let body = |part: &str| {
            format!(
                r#"{{"update_id": 1, "message": {{"message_id": 5, "from": {{"id": 2}},
                    "chat": {{"id": 2, "type": "private"}}, {part}}}}}"#
            )
        };
        assert_eq!(message(&body(r#""photo": []"#)).kind, InboundKind::Unsupported);
        assert!(matches!(read(&body(r#""pinned_message": {}"#)), Ok(Parsed::Ignored { .. })));
        assert!(matches!(read(r#"{"update_id": 1, "poll": {}}"#), Ok(Parsed::Ignored { .. })));
    }

    #[test]
    fn long_texts_are_cut_at_a_letter() {
        let text = "é".repeat(MOST_TEXT_BYTES);
        let body = format!(
            r#"{{"update_id": 1, "message": {{"message_id": 5, "text": "{text}",
                "from": {{"id": 2}}, "chat": {{"id": 2, "type": "private"}}}}}}"#
        );
        assert_eq!(message(&body).text.len(), MOST_TEXT_BYTES);
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _any = parse("main", &body, Timestamp::from_millis(0));
        }
    }
}
