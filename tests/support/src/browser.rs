//! A headless Chromium, driven through chromedriver.

use std::{process::Command as Probe, time::Duration};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    SupportError, notice,
    process::{Group, Process},
};

/// Chromium without a screen, a sandbox (CI runs as root), or any wish to talk
/// to the outside.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
];

/// A running browser with one window. It ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    _driver: Group,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser with a fresh profile; `None` where it is not installed,
    /// after [`notice::skip`].
    ///
    /// # Errors
    /// Where it does not start.
    ///
    /// # Panics
    /// Where it is missing in CI.
    pub async fn start() -> Result<Option<Self>, SupportError> {
        let found = |program: &str| {
            Probe::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
        };
        if !found("chromedriver") || !found("chromium") {
            notice::skip(
                "tests of the pages in a browser",
                "apt-get install chromium chromium-driver",
            );
            return Ok(None);
        }
        let profile = tempfile::tempdir().map_err(SupportError::file(std::env::temp_dir()))?;
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").process_group(0);
        let (driver, port) = Process::start(
            "chromedriver",
            command,
            profile.path().join("chromedriver.log"),
            Duration::from_secs(30),
            started_on,
        )
        .await?;
        let driver = Group(driver);
        let mut flags: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
        flags.push(format!("--user-data-dir={}", profile.path().join("profile").display()));
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("browserName".to_owned(), json!("chrome"));
        capabilities.insert("goog:chromeOptions".to_owned(), json!({ "args": flags }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .map_err(|problem| SupportError::Browser(problem.to_string()))?;
        Ok(Some(Self { client, _driver: driver, _profile: profile }))
    }

    /// The window.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// The port in `ChromeDriver was started successfully on port 43581.`
fn started_on(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("started successfully on port ")?;
    port.trim().trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::TelegramApi;

    #[test]
    fn the_port_is_read_from_what_the_driver_says() {
        let line = "ChromeDriver was started successfully on port 43581.";
        assert_eq!(started_on(line), Some(43581));
        assert_eq!(started_on("Starting ChromeDriver 1.2.3 on port 0"), None);
    }

    #[tokio::test]
    async fn a_page_of_loopback_opens() {
        let Some(browser) = Browser::start().await.unwrap() else { return };
        let api = TelegramApi::start("1:t").await.unwrap();
        browser.client().goto(&format!("{}/bot1:t/getMe", api.url())).await.unwrap();
        let page = browser.client().source().await.unwrap();
        assert!(page.contains("shop_bot"), "{page}");
    }
}
