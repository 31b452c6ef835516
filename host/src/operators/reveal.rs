//! Operators see the value behind a placeholder: one at a time, as far as rules let
//! them, with a reason, and not before the audit log says so.

use postern_domain::{AuditEntry, ConversationId};
use postern_policy::{Act, personal::Purpose};
use postern_store::{Commit, StoreError};

use super::{ActError, Desk};
use crate::{keys::Secret, privacy};

/// The name of the act in audit.
const ACTION: &str = "operator:reveal";
/// Characters of a reason.
const MOST_REASON: usize = 500;

/// The value that stands behind a placeholder.
#[derive(Clone, Debug)]
pub struct Revealed {
    /// The placeholder.
    pub placeholder: String,
    /// What kind of datum it is.
    pub kind: String,
    /// The value, for the one place that shows it.
    pub value: Secret,
}

/// Why a value is not shown.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// Rules or the store do not let it happen.
    #[error(transparent)]
    Act(#[from] ActError),
    /// What was given looks like no placeholder.
    #[error("that is no placeholder; one looks like <EMAIL_1.k3f9>: copy it as it is shown")]
    Malformed,
    /// The conversation has no such placeholder.
    #[error("the conversation has no such placeholder: copy it as it is shown there")]
    Unknown,
    /// There is no reason, or it is too long.
    #[error("say why in 1 to {most} characters: the audit log keeps it")]
    Reason {
        /// How many.
        most: usize,
    },
}

impl From<StoreError> for RevealError {
    fn from(error: StoreError) -> Self {
        Self::Act(error.into())
    }
}

impl RevealError {
    /// A name for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Act(_) => "act",
            Self::Malformed => "placeholder",
            Self::Unknown => "not_found",
            Self::Reason { .. } => "reason",
        }
    }
}

/// The value behind a placeholder of a conversation. That it is shown, or was asked for
/// and is not, is in the audit log on return: who, where, which placeholder and why,
/// never the value.
///
/// # Errors
/// Rules do not let the actor see values of the type, there is no such placeholder, or
/// no reason.
pub async fn reveal(
    desk: &Desk<'_>,
    conversation: &ConversationId,
    placeholder: &str,
    why: &str,
) -> Result<Revealed, RevealError> {
    let placeholder = placeholder.trim();
    let kind = privacy::kind_of(placeholder).ok_or(RevealError::Malformed)?;
    let why = why.trim();
    if why.is_empty() || why.chars().count() > MOST_REASON {
        return Err(RevealError::Reason { most: MOST_REASON });
    }
    let resource = format!("{conversation} {placeholder}");
    let act = Act::Reveal { datum: kind.to_owned() };
    let verdict = desk.allow(act, ACTION, &resource).await?;
    let vault = desk.store.vault(conversation).await?;
    let Some(entry) = vault.into_iter().find(|entry| entry.placeholder == placeholder) else {
        desk.refused(ACTION, &resource, verdict, "there is no such placeholder").await?;
        return Err(RevealError::Unknown);
    };
    let why = desk.policy.detector().redact(why, Purpose::Logs).into_owned();
    let row = AuditEntry {
        conversation: Some(conversation.clone()),
        ..desk.entry(ACTION, &resource, why, verdict)
    };
    desk.store.commit(Commit { lease: None, changes: Vec::new(), audit: vec![row] }).await?;
    Ok(Revealed {
        placeholder: entry.placeholder,
        kind: entry.kind,
        value: Secret::new(entry.value),
    })
}
