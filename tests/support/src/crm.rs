//! A stand-in for a CRM that keeps what it is told, and repeats it in its answer.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};

use crate::{SupportError, server::Loopback};

/// A running CRM. It ends when this is dropped.
#[derive(Debug)]
pub struct Crm {
    server: Loopback,
    told: Told,
}

type Told = Arc<Mutex<Vec<Value>>>;

impl Crm {
    /// Starts a CRM that knows nothing.
    ///
    /// # Errors
    /// Where no port of loopback can be had.
    pub async fn start() -> Result<Self, SupportError> {
        let told = Told::default();
        let router = Router::new().route("/v1/calls", post(call)).with_state(Arc::clone(&told));
        let server = Loopback::start(router)
            .await
            .map_err(|source| SupportError::Start { what: "the CRM".to_owned(), source })?;
        Ok(Self { server, told })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every request so far.
    pub fn told(&self) -> Vec<Value> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn call(State(told): State<Told>, Json(wish): Json<Value>) -> Json<Value> {
    told.lock().unwrap_or_else(PoisonError::into_inner).push(wish.clone());
    let agent = "on +1 202-555-0143, or agent.smith@crm.example";
    Json(json!({ "kept": wish, "agent": agent }))
}
