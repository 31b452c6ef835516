//! The independent Telegram fake in Python, which lies beside the repository.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    SupportError,
    http::{checked, http_client, parsed},
    notice, paths,
    process::Process,
};

/// The token that the fake takes.
pub const TOKEN: &str = "123456789:AAfakefakefakefakefakefakefakefakefak";

/// A running fake. It ends when this is dropped.
#[derive(Debug)]
pub struct FakeTelegram {
    url: String,
    client: reqwest::Client,
    _process: Process,
    _log: TempDir,
}

#[derive(Deserialize)]
struct Received {
    requests: Vec<Value>,
}

impl FakeTelegram {
    /// Starts the fake; `None` where the file or Python is missing, after
    /// [`notice::skip`].
    ///
    /// # Errors
    /// Where it does not start.
    ///
    /// # Panics
    /// Where it is missing in CI.
    pub async fn start() -> Result<Option<Self>, SupportError> {
        let Some(script) = paths::shared("fakes/fake_telegram.py") else {
            return Ok(None);
        };
        let python = std::process::Command::new("python3").arg("--version").output();
        if !python.is_ok_and(|output| output.status.success()) {
            notice::skip("tests against the Telegram fake", "install python3");
            return Ok(None);
        }
        let log = tempfile::tempdir().map_err(SupportError::file(std::env::temp_dir()))?;
        let mut command = Command::new("python3");
        command.arg(script).args(["--port", "0"]);
        let (process, address) = Process::start(
            "fake_telegram.py",
            command,
            log.path().join("log"),
            Duration::from_secs(20),
            |line| line.strip_prefix("listening on ").map(str::to_owned),
        )
        .await?;
        let url = format!("http://{address}");
        Ok(Some(Self { url, client: http_client(), _process: process, _log: log }))
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that it received, oldest first, as it tells it.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn received(&self) -> Result<Vec<Value>, SupportError> {
        let what = "GET /_received";
        let answer = checked(self.client.get(format!("{}/_received", self.url)), what).await?;
        Ok(parsed::<Received>(answer, what).await?.requests)
    }

    /// Texts of the messages that it accepted, with their chats, oldest first.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn sent(&self) -> Result<Vec<(String, String)>, SupportError> {
        let requests = self.received().await?;
        let accepted = requests.iter().filter(|request| {
            request["api_method"].as_str().is_some_and(|m| m.eq_ignore_ascii_case("sendMessage"))
                && request["status"] == 200
        });
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Ok(accepted.map(|r| (text(&r["args"]["chat_id"]), text(&r["args"]["text"]))).collect())
    }

    /// Orders faults and moves its clock; the README beside it has the keys.
    ///
    /// # Errors
    /// Where it does not take them.
    pub async fn control(&self, orders: &Value) -> Result<(), SupportError> {
        let request = self.client.post(format!("{}/_control", self.url)).json(orders);
        checked(request, "POST /_control").await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_fake_tells_what_it_accepted() {
        let Some(fake) = FakeTelegram::start().await.unwrap() else { return };
        let faults = json!({ "faults": [{ "match": "sendMessage", "status": 500 }] });
        fake.control(&faults).await.unwrap();
        let client = http_client();
        let url = format!("{}/bot{TOKEN}/sendMessage", fake.url());
        for expected in [500, 200] {
            let body = json!({ "chat_id": 7, "text": "hello" });
            let answer = client.post(&url).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), expected);
        }
        assert_eq!(fake.received().await.unwrap().len(), 2);
        assert_eq!(fake.sent().await.unwrap(), [("7".to_owned(), "hello".to_owned())]);
    }
}
