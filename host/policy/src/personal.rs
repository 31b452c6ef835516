//! Personal data and secrets in text.

mod context;
mod detector;
pub mod email;
mod folded;
mod kind;
mod numbers;
mod resolve;
mod rules;
mod token;
mod uses;
mod words;

#[cfg(test)]
mod tests;

pub use detector::{Detector, Finding, Purpose};
pub use folded::Folded;
pub use kind::DataKind;
pub use rules::{Action, PrivacyRules};
