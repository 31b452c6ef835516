//! Where messages come from and go to: one file per channel, one core for all.
//!
//! A channel differs in how a message is verified, read and sent; never in
//! policy. Verification cannot be switched off.

pub mod contact;
mod reply;
pub mod telegram;
pub mod web;

use std::sync::Arc;

use axum::{Router, middleware::from_fn};
use postern_domain::{Channel, OutboxItem};

pub(crate) use reply::{ErrorCode, error_reply, error_reply_saying};

use crate::{app::App, approvals, config::Config, http, privacy::Vault, redaction};

/// Why a message did not go out.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The platform will never take it.
    #[error("refused: {reason}")]
    Refused {
        /// What the platform said, without secrets.
        reason: String,
    },
    /// The platform did not take it now.
    #[error("not taken: {reason}")]
    Later {
        /// What happened, without secrets.
        reason: String,
        /// When the platform wants to be asked again, in milliseconds.
        after_ms: Option<u32>,
    },
    /// Nobody knows whether the platform took it.
    #[error("no answer: {reason}")]
    Unknown {
        /// What happened, without secrets.
        reason: String,
    },
}

/// The ways out to customers.
pub struct Channels {
    telegram: telegram::Sender,
    contact: Option<contact::Sender>,
}

impl Channels {
    /// The ways out that a configuration names.
    ///
    /// # Errors
    /// The TLS library cannot be set up.
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let timeout = config.pipeline.send_timeout;
        let delivery = config.identity.delivery.clone();
        Ok(Self {
            telegram: telegram::Sender::new(config.telegram.clone(), timeout)?,
            contact: delivery.map(|it| contact::Sender::new(it, timeout)).transpose()?,
        })
    }

    /// The way to contacts on file, if the operator configured one.
    pub fn contact(&self) -> Option<&contact::Sender> {
        self.contact.as_ref()
    }

    /// The way out to Telegram.
    pub(crate) fn telegram(&self) -> &telegram::Sender {
        &self.telegram
    }

    /// An answer in parts that the channel takes when the vault's values stand in
    /// it.
    pub fn split(&self, channel: Channel, text: &str, vault: &Vault) -> Vec<String> {
        match channel {
            Channel::Telegram => {
                telegram::split(text, |part| vault.restore(part).encode_utf16().count())
            }
            Channel::Web | Channel::Terminal | Channel::Contact | Channel::Mcp => {
                vec![text.to_owned()]
            }
        }
    }

    /// Sends one message; `text` has real values.
    ///
    /// # Errors
    /// The message did not go out, or nobody knows.
    pub async fn send(&self, item: &OutboxItem, text: &str) -> Result<(), SendError> {
        match item.channel {
            Channel::Telegram => {
                let approval = approvals::approval_of(item);
                self.telegram.send(&item.account, &item.chat, text, approval.as_ref()).await
            }
            // These read the conversation itself.
            Channel::Web | Channel::Terminal | Channel::Mcp => Ok(()),
            // Only codes go there, made where the contact is looked up.
            Channel::Contact => {
                Err(SendError::Refused { reason: "a contact gets codes alone".to_owned() })
            }
        }
    }
}

/// Everything that the public listener serves.
pub fn router(app: Arc<App>) -> Router {
    telegram::router(Arc::clone(&app))
        .merge(web::router(Arc::clone(&app)))
        .merge(http::health(app))
        .layer(from_fn(redaction::errors))
}
