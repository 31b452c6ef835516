//! Plays real conversations through a real host and shows them as they happen.

mod expect;
mod play;
mod prepare;
mod script;
mod show;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, bail, ensure};
use clap::Parser;
use postern_test_support::{
    carrier::Carrier,
    host::{ACCOUNT, Host},
    paths,
    telegram::TelegramApi,
};
use show::{Event, Show};
use tokio::signal::unix::{SignalKind, signal};

/// Plays conversations through a running host, over its Telegram webhook and
/// its web chat, and shows what it does about each message.
#[derive(Debug, Parser)]
#[command(name = "demo")]
struct Arguments {
    /// End after the conversations, with exit code 0 only if every expectation
    /// held.
    #[arg(long)]
    once: bool,
    /// Play a shop from a file, JSON {collection: {key: document}}, instead of
    /// the sample shop.
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// The data folder, emptied at the start [default: .demo in the repository].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// One JSON object a line instead of text for people.
    #[arg(long)]
    json: bool,
}

/// Invented, like everything in the demo: the stand-ins check that the host
/// presents them.
const BOT_TOKEN: &str = "1234567890:demo-bot-token-of-the-stand-in";
const WEBHOOK_SECRET: &str = "demo-webhook-secret";
const CARRIER_TOKEN: &str = "demo-carrier-token";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("demo: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays everything and answers whether every expectation held.
async fn run(arguments: &Arguments) -> Result<bool> {
    let mut show = Show::new(arguments.json);
    let folder = arguments.data.clone().unwrap_or_else(|| paths::repository().join(".demo"));
    let folder = std::path::absolute(folder)?;
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();

    let prepared =
        prepare::prepare(&folder, arguments.records.as_deref(), today, &mut show).await?;
    let script = script::write(&prepared.shop, today);
    ensure!(!script.scenes.is_empty(), "there is nothing to play");
    for need in &script.left_out {
        let text = format!("left out a conversation, because the shop lacks {need}");
        show.event(&Event::Note { text: &text });
    }

    let telegram = TelegramApi::start(BOT_TOKEN).await?;
    let carrier = Carrier::start(CARRIER_TOKEN, today).await?;
    prepared.data.use_telegram(BOT_TOKEN, WEBHOOK_SECRET, &telegram.url())?;
    prepared.data.use_carrier(&carrier.url(), CARRIER_TOKEN)?;
    show.event(&Event::Preparing { what: "starting the host" });
    let mut host = Host::start(&prepared.data).await?;

    let token = prepare::approver(&prepared.data).await?;
    let approver = play::Approver { data: &prepared.data, token };
    let stage = play::Stage {
        host: &host,
        telegram: &telegram,
        secret: WEBHOOK_SECRET,
        approver: &approver,
    };
    let score = tokio::select! {
        score = play::all(&stage, &script.scenes, &mut show) => score?,
        () = interrupted() => bail!("interrupted"),
    };
    show.event(&Event::Finished {
        conversations: score.conversations,
        expectations: score.expectations,
        missed: &score.missed,
    });
    if !arguments.once {
        show.event(&Event::Running {
            chat_page: &format!("{}/chat/{ACCOUNT}", host.public()),
            operator_page: host.operator_page(),
            operator_token: &prepared.data.operator_token()?,
            data: &folder.display().to_string(),
        });
        tokio::select! {
            () = interrupted() => {}
            ended = host.ended() => {
                ended?;
                show.event(&Event::Trouble { text: "the host ended by itself; see host.log" });
            }
        }
    }
    host.stop().await?;
    Ok(score.missed.is_empty())
}

/// Waits for Ctrl-C or a request to end. Without this, either would end the demo
/// at once and leave its host behind.
async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
