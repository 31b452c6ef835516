//! Webhooks in, answers out, through real HTTP on loopback.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, watch},
};

use super::{CUSTOMERS, Report, email, order};
use crate::{
    app::App,
    channels,
    config::TelegramAccount,
    keys::{Secret, random_token},
};

const ACCOUNT: &str = "bench";
/// How long everything together may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// A stand-in for the Bot API that takes every message.
pub(super) struct Platform {
    pub(super) url: String,
    sent: Mutex<mpsc::UnboundedReceiver<(i64, Instant)>>,
}

impl Platform {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let (heard, sent) = mpsc::unbounded_channel();
        let router = Router::new().route("/{bot}/sendMessage", post(take)).with_state(heard);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, sent: Mutex::new(sent) })
    }

    /// The chat of the next message that is sent, and when.
    async fn next(&self) -> anyhow::Result<(i64, Instant)> {
        let mut sent = self.sent.lock().await;
        let next = tokio::time::timeout(PATIENCE, sent.recv()).await;
        next.context("no answer in time")?.context("the stand-in ended")
    }
}

async fn take(
    State(heard): State<mpsc::UnboundedSender<(i64, Instant)>>,
    Json(body): Json<Value>,
) -> Json<Value> {
    // The receiver lives as long as the benchmark.
    let _gone = heard.send((body["chat_id"].as_i64().unwrap_or_default(), Instant::now()));
    Json(json!({"ok": true, "result": {}}))
}

/// The one bot of the benchmark.
pub(super) fn accounts(url: &str) -> anyhow::Result<BTreeMap<String, TelegramAccount>> {
    let account = TelegramAccount {
        bot_token: Secret::new("1:bench"),
        secret_token: Secret::new(random_token()?),
        previous_secret_token: None,
        api_base: url.parse()?,
    };
    Ok([(ACCOUNT.to_owned(), account)].into())
}

/// Sends webhooks over one keep-alive client.
struct Caller {
    client: reqwest::Client,
    url: String,
    secret: String,
}

impl Caller {
    async fn start(app: &Arc<App>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/webhooks/telegram/{ACCOUNT}", listener.local_addr()?);
        let router = channels::router(Arc::clone(app))
            .into_make_service_with_connect_info::<std::net::SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let secret = app.config.telegram[ACCOUNT].secret_token.expose().to_owned();
        Ok(Self { client: reqwest::Client::builder().no_proxy().build()?, url, secret })
    }

    async fn send(&self, update: u32, chat: u32, text: &str) -> anyhow::Result<()> {
        let body = json!({"update_id": update, "message": {
            "message_id": update, "date": 0, "text": text,
            "from": {"id": chat, "is_bot": false, "first_name": "B"},
            "chat": {"id": chat, "type": "private"},
        }});
        let request = self.client.post(&self.url).json(&body);
        let answer = request.header("x-telegram-bot-api-secret-token", &self.secret).send().await?;
        anyhow::ensure!(answer.status().is_success(), "webhook answered {}", answer.status());
        Ok(())
    }
}

/// Floods the host with webhooks while nothing works on them, then lets the
/// pipeline drain what was accepted.
pub(super) async fn measure(
    app: &Arc<App>,
    platform: &Platform,
    messages: u32,
    connections: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let caller = Arc::new(Caller::start(app).await?);
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..connections {
        let caller = Arc::clone(&caller);
        senders.spawn(async move {
            let mut times = Vec::new();
            for update in (sender..messages).step_by(connections as usize) {
                let customer = update % CUSTOMERS;
                let text = match update / CUSTOMERS {
                    0 => format!("my email is {}", email(customer)),
                    _ => format!("where is my order {}?", order(customer)),
                };
                let sent = Instant::now();
                caller.send(update, 1 + customer, &text).await?;
                times.push(sent.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(sender) = senders.join_next().await {
        times.extend(sender??);
    }
    report.rate("messages accepted", times.len(), began.elapsed());
    report.times("webhook to acknowledgement under load", times);

    let (stop, stopped) = watch::channel(false);
    let began = Instant::now();
    let working = {
        let app = Arc::clone(app);
        tokio::spawn(async move { app.run(stopped).await })
    };
    for _ in 0..messages {
        platform.next().await?;
    }
    report.rate("messages answered", messages as usize, began.elapsed());
    stop.send_replace(true);
    working.await??;
    Ok(())
}

/// Sends one message at a time and waits for its answer.
pub(super) async fn one_by_one(
    app: &Arc<App>,
    platform: &Platform,
    messages: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let caller = Caller::start(app).await?;
    let (stop, stopped) = watch::channel(false);
    let working = {
        let app = Arc::clone(app);
        tokio::spawn(async move { app.run(stopped).await })
    };
    let (mut acknowledged, mut answered) = (Vec::new(), Vec::new());
    for update in 0..messages {
        let customer = update % CUSTOMERS;
        let text = format!("where is my order {}?", order(customer));
        let sent = Instant::now();
        caller.send(1_000_000 + update, 1 + customer, &text).await?;
        acknowledged.push(sent.elapsed());
        let (_, at) = platform.next().await?;
        answered.push(at.duration_since(sent));
    }
    stop.send_replace(true);
    working.await??;
    report.times("webhook to acknowledgement", acknowledged);
    report.times("webhook to answer", answered);
    Ok(())
}
