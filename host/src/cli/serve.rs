//! `postern serve`

use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::{net::TcpListener, signal, sync::watch};

use super::{Context, output, output::out};
use crate::{app::App, author::StandIns, channels, config::Config, console};

/// Serve webhooks, web chat and the operator page until interrupted.
///
/// On SIGINT or SIGTERM the host takes no more requests, finishes the turns that
/// have begun and ends. Whatever was accepted and not finished is done after the
/// next start.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Tell every call of a skill, with what rules decided, in the log as well.
    #[arg(long)]
    log_tool_calls: bool,
}

impl Serve {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        context.require_folder()?;
        let _stand_ins = StandIns::start(&context.data).await?;
        let app = {
            let mut config = Config::load(&context.data)?;
            config.audit.log_tool_calls |= self.log_tool_calls;
            App::open_with(config).await?
        };
        let public = listen("server.public", app.config.server.public).await?;
        let operator = listen("server.operator", app.config.server.operator).await?;
        let (stop, stopped) = watch::channel(false);
        let (public_at, operator_at) = (public.local_addr()?, operator.local_addr()?);
        let mut serving = {
            let (app, stopped) = (Arc::clone(&app), stopped.clone());
            tokio::spawn(async move { app.run(stopped).await })
        };
        let webhooks = serve(public, channels::router(Arc::clone(&app)), stopped.clone());
        let pages = serve(operator, console::router(Arc::clone(&app)), stopped);
        if context.json {
            output::json(&serde_json::json!({
                "ready": true,
                "public": format!("http://{public_at}"),
                "operator": format!("http://{operator_at}"),
            }))?;
        } else {
            out!("Webhooks and web chat: http://{public_at}");
            for site in app.config.web.keys() {
                out!("  chat page:           http://{public_at}/chat/{site}");
            }
            out!("Operator page:         http://{operator_at}");
        }
        // A host that cannot work must not go on accepting messages.
        let ended = tokio::select! {
            interrupt = interrupted() => { interrupt?; None }
            ended = &mut serving => Some(ended),
        };
        tracing::info!("stopping: requests and turns that have begun are finished");
        stop.send_replace(true);
        app.events.end();
        let serving = async {
            match ended {
                Some(ended) => ended,
                None => serving.await,
            }
        };
        let (webhooks, pages, serving) = tokio::join!(webhooks, pages, serving);
        webhooks??;
        pages??;
        serving??;
        Ok(())
    }
}

async fn listen(field: &str, address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} (postern.toml: {field})"))
}

fn serve(
    listener: TcpListener,
    router: axum::Router,
    mut stopped: watch::Receiver<bool>,
) -> tokio::task::JoinHandle<std::io::Result<()>> {
    tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        let until = async move {
            // Only the sender's end could fail this, and that means to stop too.
            let _ended = stopped.wait_for(|stop| *stop).await;
        };
        axum::serve(listener, service).with_graceful_shutdown(until).await
    })
}

/// Waits until somebody wants the program to end.
pub(super) async fn interrupted() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupt = signal::ctrl_c() => interrupt?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await?;
    Ok(())
}
