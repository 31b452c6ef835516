//! The operator, through the host's JSON interface.

use std::time::Duration;

use postern_domain::{AuditRow, CallState, ConversationId, Ticket};
use postern_store::{ConversationDetail, ConversationSummary, InvocationRow, TurnRow};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    SupportError,
    http::{checked, http_client, parsed},
};

/// How often a host is asked whether it is done.
const POLL: Duration = Duration::from_millis(20);

/// An operator with a token.
#[derive(Clone)]
pub struct Operator {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Operator {
    /// An operator of the host whose operator listener is at `base`.
    pub fn new(base: &str, token: &str) -> Self {
        Self { client: http_client(), base: base.to_owned(), token: token.to_owned() }
    }

    /// Conversations, the most recently active first.
    ///
    /// # Errors
    /// Where the host does not answer as its contract says.
    pub async fn conversations(&self) -> Result<Vec<ConversationSummary>, SupportError> {
        self.get("/api/conversations").await
    }

    /// One conversation with everything that happened in it, if it exists.
    ///
    /// # Errors
    /// Where the host does not answer as its contract says.
    pub async fn conversation(
        &self,
        id: &ConversationId,
    ) -> Result<Option<ConversationDetail>, SupportError> {
        match self.get(&format!("/api/conversations/{id}")).await {
            Ok(detail) => Ok(Some(detail)),
            Err(SupportError::Answer { status: 404, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Tickets, newest first.
    ///
    /// # Errors
    /// Where the host does not answer as its contract says.
    pub async fn tickets(&self) -> Result<Vec<Ticket>, SupportError> {
        self.get("/api/tickets").await
    }

    /// The rules in force.
    ///
    /// # Errors
    /// Where the host does not answer as its contract says.
    pub async fn rules(&self) -> Result<Vec<Value>, SupportError> {
        self.get("/api/rules").await
    }

    /// Installed skills.
    ///
    /// # Errors
    /// Where the host does not answer as its contract says.
    pub async fn skills(&self) -> Result<Value, SupportError> {
        self.get("/api/skills").await
    }

    /// The last `limit` rows of the audit log, oldest first.
    ///
    /// # Errors
    /// Where the host does not answer as its contract says.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditRow>, SupportError> {
        self.get(&format!("/api/audit?limit={limit}")).await
    }

    /// Waits until `n` turns of a conversation are complete, or wait for somebody's
    /// word.
    ///
    /// # Errors
    /// [`SupportError::Late`] after `limit`.
    pub async fn wait_for_turns(
        &self,
        id: &ConversationId,
        n: usize,
        limit: Duration,
    ) -> Result<ConversationDetail, SupportError> {
        let enough = |detail: &ConversationDetail| settled_turns(detail) >= n;
        self.wait_for(id, &format!("turn {n}"), enough, limit).await
    }

    /// Waits until a conversation is as wanted.
    ///
    /// # Errors
    /// [`SupportError::Late`] after `limit`.
    pub async fn wait_for(
        &self,
        id: &ConversationId,
        what: &str,
        enough: impl Fn(&ConversationDetail) -> bool,
        limit: Duration,
    ) -> Result<ConversationDetail, SupportError> {
        let poll = async {
            loop {
                if let Some(detail) = self.conversation(id).await?
                    && enough(&detail)
                {
                    return Ok(detail);
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(limit, poll)
            .await
            .map_err(|_| SupportError::Late { what: format!("{what} of {id}"), waited: limit })?
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, SupportError> {
        let what = format!("GET {path}");
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        parsed(checked(request, &what).await?, &what).await
    }
}

/// How many turns of a conversation are complete or wait for somebody's word.
pub fn settled_turns(detail: &ConversationDetail) -> usize {
    let waits = |turn: &TurnRow| {
        let of_turn = |invocation: &&InvocationRow| invocation.turn == turn.id;
        detail.invocations.iter().filter(of_turn).any(|invocation| {
            let mut calls = detail.journal.iter().filter(|call| call.invocation == invocation.id);
            calls.any(|call| matches!(call.record.state, CallState::Waiting { .. }))
        })
    };
    detail.turns.iter().filter(|turn| turn.completed_at.is_some() || waits(turn)).count()
}
