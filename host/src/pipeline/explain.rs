//! Why a turn did what it did, stage by stage.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::agent::Came;

/// The stages of a turn, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Verified, stored, personal data replaced.
    Ingest,
    /// What the customer wants.
    Classify,
    /// What is known already.
    Retrieve,
    /// The answer.
    Respond,
    /// The ticket.
    Ticket,
    /// The queue.
    Route,
    /// Whether a person is needed.
    Escalate,
}

/// What a stage came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRecord {
    /// The stage.
    pub stage: Stage,
    /// In one sentence, without personal data.
    pub what: String,
    /// Microseconds.
    pub took_us: u64,
}

/// The stored form of a turn's explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Summary {
    /// The first form.
    #[serde(rename = "1")]
    V1 {
        /// What each stage came to.
        stages: Vec<StageRecord>,
        /// What an agent's call came to, in placeholders.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        came: Option<Came>,
    },
}

/// Collects what the stages came to.
pub(super) struct Stages {
    records: Vec<StageRecord>,
    since: Instant,
}

impl Stages {
    pub(super) fn begin() -> Self {
        Self { records: Vec::new(), since: Instant::now() }
    }

    /// Ends a stage.
    pub(super) fn end(&mut self, stage: Stage, what: impl Into<String>) {
        let took = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let what = what.into();
        tracing::debug!(?stage, what, took_us = took, "stage");
        self.records.push(StageRecord { stage, what, took_us: took });
        self.since = Instant::now();
    }

    pub(super) fn summary(self, came: Option<Came>) -> Summary {
        Summary::V1 { stages: self.records, came }
    }
}
