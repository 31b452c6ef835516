//! What the protocol asks of a server: who it is, its tools, and calls of them.

use std::{sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult,
        PaginatedRequestParams, RequestMetaObject, ServerCapabilities, ServerConfig,
        SubscriptionFilter,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use serde_json::Value;
use tokio::time::timeout;

use super::{
    call::{self, Asked},
    desk::Desk,
    door::AgentName,
    result::{self, CONVERSATION, IDEMPOTENCY_KEY},
    tools,
};
use crate::{keys, redaction};

/// How often is looked whether a session has ended.
const LOOK: Duration = Duration::from_secs(30);
/// Characters of an idempotency key.
const MOST_KEY: usize = 128;
/// Characters of a conversation's name.
const MOST_NAME: usize = 64;

const INSTRUCTIONS: &str = "Tools of a customer-service host. Values such as <EMAIL_1.k3f9> stand \
    for personal data of this conversation: give them back as they are. A call that is refused \
    answers with `kind`, `reason` and `next`. `approval_required` means that a person was asked: \
    call again later with the same arguments.";

/// The server of one session, or of one request where there are no sessions.
pub(super) struct Server {
    desk: Arc<Desk>,
    /// The one agent that it serves, and where its calls run if it does not say.
    only: Option<(Arc<str>, String)>,
}

impl Server {
    /// For whoever has an agent's token.
    pub(super) fn over_http(desk: Arc<Desk>) -> Self {
        Self { desk, only: None }
    }

    /// For one agent.
    pub(super) fn of_one(desk: Arc<Desk>, agent: &str, conversation: &str) -> Self {
        Self { desk, only: Some((Arc::from(agent), conversation.to_owned())) }
    }

    /// Who asks.
    fn agent(&self, extensions: &rmcp::model::Extensions) -> Result<Arc<str>, ErrorData> {
        if let Some((agent, _)) = &self.only {
            return Ok(Arc::clone(agent));
        }
        let parts = extensions.get::<axum::http::request::Parts>();
        let name = parts.and_then(|parts| parts.extensions.get::<AgentName>());
        name.map(|AgentName(name)| Arc::clone(name)).ok_or_else(nobody)
    }

    /// Where calls run if the agent does not say: in its session, or else each by itself,
    /// unless all of them are for the same customer.
    fn conversation(
        &self,
        agent: &str,
        extensions: &rmcp::model::Extensions,
    ) -> Result<String, ErrorData> {
        if let Some((_, conversation)) = &self.only {
            return Ok(conversation.clone());
        }
        let session = extensions
            .get::<axum::http::request::Parts>()
            .and_then(|parts| parts.headers.get("mcp-session-id"))
            .and_then(|session| session.to_str().ok())
            .filter(|session| is_name(session));
        let bound = self.desk.agent(agent).is_some_and(|agent| agent.customer.key.is_some());
        match session {
            Some(session) => Ok(session.to_owned()),
            None if bound => Ok("main".to_owned()),
            None => {
                let token = keys::random_token().map_err(|error| broken(&error))?;
                Ok(token.chars().take(32).collect())
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=MOST_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn nobody() -> ErrorData {
    ErrorData::invalid_request("no agent has this token", None)
}

/// An error of the host, of which an agent learns nothing more.
fn broken(error: &(dyn std::error::Error + 'static)) -> ErrorData {
    tracing::error!(error, "a call of an agent failed");
    ErrorData::internal_error("the host cannot do this now; try again later", None)
}

/// A text of `_meta`.
fn of_meta(
    (context, request): (&RequestMetaObject, Option<&RequestMetaObject>),
    name: &str,
) -> Result<Option<String>, ErrorData> {
    match context.get(name).or_else(|| request.and_then(|meta| meta.get(name))) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ErrorData::invalid_params(format!("_meta.{name} is a text"), None)),
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        let mut info = ServerConfig::new(capabilities);
        info.server_info = Implementation::new("postern", env!("CARGO_PKG_VERSION"));
        info.instructions = Some(INSTRUCTIONS.to_owned());
        info
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let name = self.agent(&context.extensions)?;
        let agent = self.desk.agent(&name).ok_or_else(nobody)?;
        Ok(ListToolsResult::with_all_items(tools::of_agent(&self.desk.app.skills(), agent)))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = self.agent(&context.extensions)?;
        let agent = self.desk.agent(&name).ok_or_else(nobody)?;
        let meta = (&context.meta, request.meta.as_ref());
        let conversation = match of_meta(meta, CONVERSATION)? {
            Some(name) if is_name(&name) => name,
            Some(_) => {
                let reason = format!("a conversation is 1 to {MOST_NAME} letters, digits, - and _");
                return Err(ErrorData::invalid_params(reason, None));
            }
            None => self.conversation(&name, &context.extensions)?,
        };
        let key = of_meta(meta, IDEMPOTENCY_KEY)?;
        if key.as_ref().is_some_and(|key| key.is_empty() || key.chars().count() > MOST_KEY) {
            let reason = format!("an idempotency key has 1 to {MOST_KEY} characters");
            return Err(ErrorData::invalid_params(reason, None));
        }
        let came = match self.desk.seat(&name, agent) {
            Err(why) => call::too_many(why),
            Ok(_seat) => {
                let asked = Asked {
                    agent: name.to_string(),
                    conversation: conversation.clone(),
                    key,
                    name: request.name.into_owned(),
                    arguments: request.arguments.unwrap_or_default(),
                };
                let gone = context.ct.cancelled();
                call::call(&self.desk.app, agent, asked, gone)
                    .await
                    .map_err(|error| broken(&error))?
            }
        };
        Ok(result::told(&came, Some(&redaction::clean(&conversation))).into())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let (mut skills, peer) = (self.desk.skills.clone(), context.peer);
        skills.mark_unchanged();
        // It ends with the host's desk, or some time after the session.
        tokio::spawn(async move {
            while !peer.is_transport_closed() {
                match timeout(LOOK, skills.changed()).await {
                    Ok(Ok(())) if peer.notify_tool_list_changed().await.is_ok() => {}
                    Ok(Ok(()) | Err(_)) => return,
                    Err(_) => {}
                }
            }
        });
    }

    fn accepted_subscription_filter(
        &self,
        _requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(SubscriptionFilter::builder().tools_list_changed().build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut skills = self.desk.skills.clone();
        skills.mark_unchanged();
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = skills.changed() => {
                    if changed.is_err() || context.sink().notify_tool_list_changed().await.is_err()
                    {
                        return Ok(());
                    }
                }
            }
        }
    }
}
