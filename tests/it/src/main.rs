//! Integration and end-to-end tests: the real `postern` program over its real
//! HTTP endpoints and its command line, with real components.
//!
//! Every test has a data folder, ports and stand-ins of its own, so that they
//! run side by side.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod approvals;
mod assets;
mod audit;
mod authoring;
mod bad_input;
mod breaker;
mod canary;
mod console;
mod crash;
mod deliveries;
mod duplicates;
mod egress;
mod eval;
mod hostile;
mod hostile_corpus;
mod identity;
mod languages;
mod lifecycle;
mod mcp;
mod operators;
mod personal_data;
mod policy;
mod privacy;
mod reference;
mod registries;
mod replies;
mod restricted;
mod retail;
mod scenarios;
mod serving;
mod setup;
mod signing;
mod sinks;
mod skill_crash;
mod skill_lifecycle;
mod steady;
mod step_up;
mod terminal;
mod upgrades;
mod web_chat;
