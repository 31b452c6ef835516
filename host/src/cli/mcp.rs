//! `postern mcp`

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use postern_store::StoreError;
use tokio::sync::watch;
use url::Url;

use super::Context;
use crate::{
    app::{App, StartError},
    config::Config,
    keys::{Secret, random_token},
    mcp::{self, Bridge},
};

/// The environment variable of an agent's token.
const TOKEN_VARIABLE: &str = "POSTERN_AGENT_TOKEN";

/// Serve one agent over standard input and output (Model Context Protocol).
///
/// An agent starts this program by itself and talks to it. Name the agent as in
/// postern.toml ([agents.NAME]), and give its token in the environment variable
/// POSTERN_AGENT_TOKEN or in a file.
///
/// If no host serves from the data folder, this is the host, as long as the agent
/// is there. Otherwise it carries messages to the host that runs: to --url, or to
/// the address of the operator page in postern.toml. Agents that speak HTTP need no
/// command: they ask http://ADDRESS/mcp of the operator page's address with
/// `Authorization: Bearer TOKEN`.
#[derive(Debug, Args)]
pub(super) struct Mcp {
    /// The agent, as in postern.toml.
    #[arg(long)]
    agent: String,
    /// A file with the agent's token.
    #[arg(long, value_name = "FILE")]
    agent_token_file: Option<PathBuf>,
    /// Where the running host serves agents, such as http://127.0.0.1:8081/mcp.
    #[arg(long)]
    url: Option<Url>,
}

impl Mcp {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        context.require_folder()?;
        let token = self.token()?;
        let config = Config::load(&context.data)?;
        let name = &self.agent;
        let agent = config.agents.get(name);
        let knows = agent.is_some_and(|agent| agent.token.matches(token.expose().as_bytes()));
        // Nobody learns here which agents there are.
        ensure!(knows, "there is no agent {name:?} with this token in postern.toml");
        let url = match &self.url {
            Some(url) => url.clone(),
            None => format!("http://{}{}", config.server.operator, mcp::PATH).parse()?,
        };
        if self.url.is_some() {
            return Ok(Bridge { url, token }.carry().await?);
        }
        match App::open_with(config).await {
            Ok(app) => serve(&app, name).await,
            Err(StartError::Store(StoreError::InUse { .. })) => {
                tracing::info!(%url, "a host serves from this folder; it is asked");
                Ok(Bridge { url, token }.carry().await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The agent's token.
    fn token(&self) -> anyhow::Result<Secret> {
        let text = match (&self.agent_token_file, std::env::var(TOKEN_VARIABLE)) {
            (Some(file), _) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the agent's token in {}", file.display()))?,
            (None, Ok(text)) => text,
            (None, Err(_)) => {
                bail!("an agent needs its token: set {TOKEN_VARIABLE} or give --agent-token-file")
            }
        };
        Ok(Secret::new(text.trim()))
    }
}

/// Is the host, as long as the agent is there.
async fn serve(app: &Arc<App>, agent: &str) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let serving = {
        let app = Arc::clone(app);
        tokio::spawn(async move { app.run(stopped).await })
    };
    let conversation = &random_token()?[..32];
    let served = mcp::serve_stdio(app, agent, conversation).await;
    stop.send_replace(true);
    app.events.end();
    serving.await??;
    Ok(served?)
}
