//! Updates as Telegram would deliver them to a host.

use serde_json::{Value, json};

use crate::SupportError;

/// The header that carries the webhook's secret.
pub const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

/// A person who writes to the bot in a private chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Number of the person, and of the private chat.
    pub id: i64,
    /// First name of the account.
    pub first_name: String,
}

/// A text message of `sender` in the private chat with the bot.
pub fn text_update(update_id: i64, message_id: i64, sender: &Sender, text: &str) -> Value {
    json!({
        "update_id": update_id,
        "message": {
            "message_id": message_id,
            "from": {
                "id": sender.id,
                "is_bot": false,
                "first_name": sender.first_name,
                "language_code": "en",
            },
            "chat": { "id": sender.id, "type": "private", "first_name": sender.first_name },
            "date": jiff::Timestamp::now().as_second(),
            "text": text,
        },
    })
}

/// Delivers an update to the webhook of `account` and answers the status. The
/// body is sent as given, so that it need not be an update.
///
/// # Errors
/// Where there is no answer at all.
pub async fn deliver(
    client: &reqwest::Client,
    public: &str,
    account: &str,
    secret: &str,
    body: &Value,
) -> Result<u16, SupportError> {
    let url = format!("{public}/webhooks/telegram/{account}");
    let answer = client
        .post(url)
        .header(SECRET_HEADER, secret)
        .json(body)
        .send()
        .await
        .map_err(SupportError::http(format!("POST /webhooks/telegram/{account}")))?;
    Ok(answer.status().as_u16())
}
