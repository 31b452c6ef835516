//! A stand-in for a CRM that keeps what it is told, and repeats it in its answer.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};

use crate::{SupportError, server::Loopback};

/// A running CRM. It ends when this is dropped.
#[derive(Debug)]
pub struct Crm {
    server: Loopback,
    known: Known,
}

type Known = Arc<Mutex<Memory>>;

#[derive(Debug, Default)]
struct Memory {
    told: Vec<Value>,
    note: String,
}

impl Crm {
    /// Starts a CRM that knows nothing.
    ///
    /// # Errors
    /// Where no port of loopback can be had.
    pub async fn start() -> Result<Self, SupportError> {
        let known = Known::default();
        let router = Router::new().route("/v1/calls", post(call)).with_state(Arc::clone(&known));
        let server = Loopback::start(router)
            .await
            .map_err(|source| SupportError::Start { what: "the CRM".to_owned(), source })?;
        Ok(Self { server, known })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every request so far.
    pub fn told(&self) -> Vec<Value> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).told.clone()
    }

    /// From now on its answers have this note.
    pub fn notes(&self, text: &str) {
        text.clone_into(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner).note);
    }
}

async fn call(State(known): State<Known>, Json(wish): Json<Value>) -> Json<Value> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.told.push(wish.clone());
    let agent = "on +1 202-555-0143, or agent.smith@crm.example";
    Json(json!({ "kept": wish, "agent": agent, "note": known.note }))
}
