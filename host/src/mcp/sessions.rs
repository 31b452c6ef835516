//! Sessions of agents: each belongs to the agent that began it, and there are only so many.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::Stream;
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::{
        SessionId, SessionManager,
        session::{
            ServerSseMessage,
            local::{LocalSessionManager, LocalSessionManagerError},
        },
    },
};

/// Sessions of one agent; beyond that, its oldest ends.
const MOST_EACH: usize = 16;
/// After this time without a word, a session ends.
const IDLE: Duration = Duration::from_secs(30 * 60);

tokio::task_local! {
    /// The agent whose request is worked on.
    static AGENT: Arc<str>;
}

/// Works on a request of an agent.
pub(super) async fn of_agent<F: Future>(agent: Arc<str>, work: F) -> F::Output {
    AGENT.scope(agent, work).await
}

/// The sessions of all agents.
pub(super) struct Sessions {
    local: LocalSessionManager,
    owners: Mutex<HashMap<SessionId, Owner>>,
}

/// Whose a session is, and the how manieth it was.
struct Owner {
    agent: Arc<str>,
    number: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        let mut local = LocalSessionManager::default();
        local.session_config.keep_alive = Some(IDLE);
        Self { local, owners: Mutex::default() }
    }
}

impl Sessions {
    fn owners(&self) -> MutexGuard<'_, HashMap<SessionId, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether whoever asks has this session. The host itself, which asks for no agent,
    /// has all.
    fn is_own(&self, id: &SessionId) -> bool {
        AGENT
            .try_with(Arc::clone)
            .ok()
            .is_none_or(|agent| self.owners().get(id).is_some_and(|owner| owner.agent == agent))
    }

    fn own(&self, id: &SessionId) -> Result<(), LocalSessionManagerError> {
        match self.is_own(id) {
            true => Ok(()),
            // As if there were none: nobody learns of others' sessions.
            false => Err(LocalSessionManagerError::SessionNotFound(Arc::clone(id))),
        }
    }

    /// Notes a new session. Answers the one that has to end for it.
    fn note(&self, id: &SessionId) -> Option<SessionId> {
        let agent = AGENT.try_with(Arc::clone).unwrap_or_else(|_| Arc::from(""));
        let mut owners = self.owners();
        let number = owners.values().map(|owner| owner.number + 1).max().unwrap_or_default();
        let own = owners.iter().filter(|(_, owner)| owner.agent == agent);
        let oldest = match own.clone().count() >= MOST_EACH {
            true => own.min_by_key(|(_, owner)| owner.number).map(|(id, _)| Arc::clone(id)),
            false => None,
        };
        owners.insert(Arc::clone(id), Owner { agent, number });
        oldest
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.local.create_session().await?;
        if let Some(oldest) = self.note(&id) {
            tracing::warn!("an agent has many sessions; its oldest ends");
            self.close_session(&oldest).await?;
        }
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.local.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        Ok(self.is_own(id) && self.local.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.own(id)?;
        self.owners().remove(id);
        self.local.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.own(id)?;
        self.local.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.own(id)?;
        self.local.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.own(id)?;
        self.local.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.own(id)?;
        self.local.resume(id, last_event_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_is_its_agents_alone() {
        let sessions = Sessions::default();
        let begin = |agent: &str| {
            let agent: Arc<str> = Arc::from(agent);
            let sessions = &sessions;
            of_agent(agent, async move { sessions.create_session().await.unwrap().0 })
        };
        let ours = begin("ours").await;
        let has = |agent: &'static str, id: SessionId| {
            let sessions = &sessions;
            of_agent(Arc::from(agent), async move { sessions.has_session(&id).await.unwrap() })
        };
        assert!(has("ours", Arc::clone(&ours)).await);
        assert!(!has("theirs", Arc::clone(&ours)).await);
        let closed = of_agent(Arc::from("theirs"), sessions.close_session(&ours)).await;
        assert!(closed.is_err(), "another agent ended it");
        assert!(has("ours", Arc::clone(&ours)).await);
    }

    #[tokio::test]
    async fn the_oldest_session_makes_place() {
        let sessions = Sessions::default();
        let begin = |agent: &'static str| {
            let sessions = &sessions;
            of_agent(Arc::from(agent), async move { sessions.create_session().await.unwrap().0 })
        };
        let theirs = begin("theirs").await;
        let first = begin("ours").await;
        for _ in 0..MOST_EACH {
            begin("ours").await;
        }
        assert!(!sessions.has_session(&first).await.unwrap());
        assert!(sessions.has_session(&theirs).await.unwrap(), "others keep theirs");
        assert_eq!(sessions.owners().len(), MOST_EACH + 1);
    }
}
