//! From an agent's standard input and output to a host that serves elsewhere.

use rmcp::{
    RoleClient, RoleServer,
    transport::{
        StreamableHttpClientTransport, Transport, async_rw::AsyncRwTransport, stdio,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use url::Url;

use crate::{app, keys::Secret};

/// Why a bridge broke.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The host does not take what the agent says.
    #[error("{url} does not answer an agent: is `postern serve` running there, with this agent?")]
    Host {
        /// Where the host should be.
        url: Url,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The agent does not take what the host says.
    #[error("the agent does not read any more")]
    Agent(#[source] std::io::Error),
}

/// Carries messages between an agent's standard input and output and a serving host.
#[derive(Debug)]
pub struct Bridge {
    /// Where the host serves agents.
    pub url: Url,
    /// What the agent has to show there.
    pub token: Secret,
}

impl Bridge {
    /// Carries messages until the agent or the host goes away.
    ///
    /// # Errors
    /// One of the two does not take a message.
    pub async fn carry(self) -> Result<(), BridgeError> {
        app::install_crypto();
        let Self { url, token } = self;
        let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
            .auth_header(token.expose().to_owned());
        let mut host = StreamableHttpClientTransport::from_config(config);
        let (input, output) = stdio();
        let mut agent = AsyncRwTransport::<RoleServer, _, _>::new(input, output);
        loop {
            tokio::select! {
                said = agent.receive() => {
                    let Some(said) = said else { break };
                    let sent = Transport::<RoleClient>::send(&mut host, said).await;
                    sent.map_err(|error| BridgeError::Host {
                        url: url.clone(),
                        source: Box::new(error),
                    })?;
                }
                answered = Transport::<RoleClient>::receive(&mut host) => {
                    let Some(answered) = answered else { break };
                    agent.send(answered).await.map_err(BridgeError::Agent)?;
                }
            }
        }
        // Whoever goes first, the other has nobody to talk to.
        let _closed = Transport::<RoleClient>::close(&mut host).await;
        Ok(())
    }
}
