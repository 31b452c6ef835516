//! A stand-in for a server that says one thing.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, Router, extract::State, routing::get};
use serde_json::Value;

use crate::{SupportError, server::Loopback};

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct News {
    server: Loopback,
    said: Said,
}

type Said = Arc<Mutex<Value>>;

impl News {
    /// Starts a server that says nothing yet.
    ///
    /// # Errors
    /// Where no port of loopback can be had.
    pub async fn start() -> Result<Self, SupportError> {
        let said = Said::default();
        let router = Router::new().route("/v1/note", get(note)).with_state(Arc::clone(&said));
        let server = Loopback::start(router)
            .await
            .map_err(|source| SupportError::Start { what: "the news".to_owned(), source })?;
        Ok(Self { server, said })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// From now on the server says this.
    pub fn says(&self, what: Value) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

async fn note(State(said): State<Said>) -> Json<Value> {
    Json(said.lock().unwrap_or_else(PoisonError::into_inner).clone())
}
