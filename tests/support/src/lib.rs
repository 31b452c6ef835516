//! Stand-ins and helpers for tests and the demo: servers that play the world
//! around a host, clients that play its customers and its operator, and the
//! real host as a process.

pub mod browser;
pub mod carrier;
pub mod chat;
pub mod crm;
mod error;
pub mod exempt;
pub mod fake_py;
mod fault;
pub mod gateway;
pub mod host;
pub mod hostile;
mod http;
pub mod news;
pub mod notice;
pub mod operator;
pub mod paths;
mod process;
pub mod reference;
pub mod registry;
mod server;
pub mod shop;
pub mod sse;
pub mod telegram;
pub mod till;
pub mod webhook;

pub use error::SupportError;
pub use fault::{Fault, Faults};
pub use http::http_client;
