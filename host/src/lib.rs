//! The Postern host, as a library with a thin binary.
//!
//! Modules stand in the order in which a message meets them:
//! [`channels`] verifies and accepts it, [`pipeline`] works on it, with
//! [`understand`] for its meaning, [`registry`] for the skills, [`gate`] for
//! every call that a skill makes and [`effects`] for what the gate permitted.
//! [`console`] and [`cli`] show and operate all of it.

pub mod app;
pub mod approvals;
pub mod audit;
pub mod author;
pub mod brain;
pub mod breaker;
pub mod canary;
pub mod channels;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
mod durable;
pub mod effects;
pub mod evaluation;
pub mod fault;
pub mod gate;
mod http;
pub mod identity;
pub mod keys;
pub mod ledger;
pub mod mcp;
pub mod metrics;
pub mod operators;
pub mod package;
pub mod pipeline;
pub mod policies;
pub mod privacy;
pub mod profile;
pub mod redaction;
pub mod registry;
pub mod replay;
pub mod scenario;
pub mod source;
pub mod taint;
pub mod trust;
pub mod understand;
