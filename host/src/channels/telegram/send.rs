//! Answers through the Bot API.

use std::time::Duration;

use postern_domain::ApprovalId;
use serde::Deserialize;
use serde_json::json;

use super::{Accounts, operators::DATA};
use crate::{channels::SendError, config::TelegramAccount};

/// UTF-16 units of one message: `sendMessage` takes 1-4096 characters, counted so.
const MOST_UNITS: usize = 4_096;
/// Bytes of an answer that are read.
const MOST_ANSWER_BYTES: usize = 64 * 1024;
/// Characters of the answer to a button.
const MOST_ANSWERED: usize = 200;
/// The longest pause that we let the platform ask for.
const MOST_WAIT_S: u32 = 3_600;

/// Sends messages of all accounts.
pub struct Sender {
    accounts: Accounts,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    description: String,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u32>,
}

impl Sender {
    /// A sender for these accounts.
    ///
    /// # Errors
    /// The TLS library cannot be set up.
    pub fn new(accounts: Accounts, timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .build()?;
        Ok(Self { accounts, client })
    }

    /// Sends one text as it is: no markup, no preview. Under an approval stand two
    /// buttons.
    ///
    /// # Errors
    /// It did not go out, or nobody knows.
    pub async fn send(
        &self,
        account: &str,
        chat: &str,
        text: &str,
        approval: Option<&ApprovalId>,
    ) -> Result<(), SendError> {
        let chat: i64 = chat
            .parse()
            .map_err(|_| SendError::Refused { reason: "the chat is not a number".to_owned() })?;
        let mut body = json!({
            "chat_id": chat,
            "text": text,
            "link_preview_options": {"is_disabled": true},
        });
        if let Some(approval) = approval {
            body["reply_markup"] = keyboard(approval);
        }
        self.call(account, "sendMessage", &body).await
    }

    /// Answers a button that was pressed: the app shows the text for a moment.
    ///
    /// # Errors
    /// It did not go out, or nobody knows.
    pub async fn answer(&self, account: &str, query: &str, text: &str) -> Result<(), SendError> {
        let text: String = text.chars().take(MOST_ANSWERED).collect();
        let body = json!({ "callback_query_id": query, "text": text, "show_alert": true });
        self.call(account, "answerCallbackQuery", &body).await
    }

    async fn call(
        &self,
        account: &str,
        name: &str,
        body: &serde_json::Value,
    ) -> Result<(), SendError> {
        let Some(config) = self.accounts.get(account) else {
            let reason = format!("no account {account} under [channels.telegram]");
            return Err(SendError::Refused { reason });
        };
        // The URL holds the token, so errors must not name it.
        let sent = self.client.post(method(config, name)).json(body).send().await;
        let response = sent.map_err(|error| lost(&error.without_url()))?;
        let status = response.status().as_u16();
        let answer = read(response).await;
        match (status, answer) {
            (200..=299, Ok(answer)) if answer.ok => Ok(()),
            // Telegram took the request; only its answer is lost.
            (200..=299, _) => Err(SendError::Unknown { reason: "an unreadable answer".to_owned() }),
            (429, Ok(answer)) => {
                let wait = answer.parameters.and_then(|p| p.retry_after).unwrap_or(1);
                let after_ms = Some(wait.clamp(1, MOST_WAIT_S) * 1_000);
                Err(SendError::Later { reason: "429 too many requests".to_owned(), after_ms })
            }
            // 401 and 404 mean a wrong token, which an operator can mend.
            (401 | 404 | 429 | 500..=599, _) => {
                Err(SendError::Later { reason: format!("status {status}"), after_ms: None })
            }
            (status, answer) => {
                let said = answer.map(|answer| answer.description).unwrap_or_default();
                let said: String = said.chars().take(200).collect();
                Err(SendError::Refused { reason: format!("status {status}: {said}") })
            }
        }
    }
}

/// The buttons under an approval.
fn keyboard(approval: &ApprovalId) -> serde_json::Value {
    let button = |text: &str, decision: &str| json!({ "text": text, "callback_data": format!("{DATA}{decision}:{approval}") });
    json!({ "inline_keyboard": [[button("Approve", "approve"), button("Reject", "reject")]] })
}

fn method(config: &TelegramAccount, name: &str) -> String {
    let base = config.api_base.as_str().trim_end_matches('/');
    format!("{base}/bot{}/{name}", config.bot_token.expose())
}

/// A request without an answer. Only the failure to connect proves that nothing
/// was sent.
fn lost(error: &reqwest::Error) -> SendError {
    if error.is_connect() {
        SendError::Later { reason: "cannot connect".to_owned(), after_ms: None }
    } else if error.is_timeout() {
        SendError::Unknown { reason: "timed out".to_owned() }
    } else {
        SendError::Unknown { reason: "the connection broke".to_owned() }
    }
}

async fn read(mut response: reqwest::Response) -> Result<Answer, ()> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| ())? {
        if body.len() + chunk.len() > MOST_ANSWER_BYTES {
            return Err(());
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| ())
}

/// A text in parts that Telegram takes, cut at line ends or spaces where there are
/// any. `units` tells how long a part is when it is sent, with values in place of
/// their placeholders.
pub fn split(text: &str, units: impl Fn(&str) -> usize) -> Vec<String> {
    let mut most = MOST_UNITS;
    loop {
        let parts = parts_of(text, most);
        // Values are short, so a few halvings are enough; one that is longer than a
        // message cannot be helped.
        if most < 64 || parts.iter().all(|part| units(part) <= MOST_UNITS) {
            return parts;
        }
        most /= 2;
    }
}

/// A text in parts of at most `most` UTF-16 units.
fn parts_of(text: &str, most: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = end_of_part(rest, most);
        let (part, after) = rest.split_at(end);
        parts.push(part.trim_end().to_owned());
        rest = after.trim_start();
    }
    parts
}

fn end_of_part(text: &str, most: usize) -> usize {
    let mut units = 0;
    let mut gap = None;
    for (at, letter) in text.char_indices() {
        units += letter.len_utf16();
        if units > most {
            return gap.filter(|gap| *gap > 0).unwrap_or(at);
        }
        if letter.is_whitespace() {
            gap = Some(at);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_are_cut_where_telegram_counts() {
        let units = |text: &str| text.encode_utf16().count();
        let split = |text: &str| split(text, units);
        assert_eq!(split("short"), ["short"]);
        assert!(split(" \n ").is_empty());
        let emoji = "😀".repeat(3_000);
        let parts = split(&emoji);
        assert_eq!(
            parts.iter().map(|p| p.encode_utf16().count()).collect::<Vec<_>>(),
            [4096, 1904]
        );
        let words = "word ".repeat(1_000);
        let parts = split(&words);
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.ends_with("word") && part.starts_with("word")));
    }

    #[test]
    fn values_that_are_longer_than_their_placeholders_have_room() {
        let text = "<A_1.k3f9> ".repeat(300);
        let units = |part: &str| part.split(' ').count() * 60;
        let parts = split(&text, units);
        assert!(parts.len() > 1);
        assert!(parts.iter().all(|part| units(part) <= MOST_UNITS));
    }
}
