//! Cedar rules and decisions for host calls, without I/O or clock.
//!
//! [`PolicySet::load`] reads a schema and rule files and accepts them as a
//! whole or not at all; [`PolicySet::judge`] says of one host call, under given
//! [`Facts`], whether it may happen, which rules decided, and what would have
//! to be fulfilled first. Whatever no rule permits is denied, a forbid wins over
//! every permit, and doubt denies: an evaluation error, a missing fact, a
//! collection that nobody declared.

mod act;
mod cases;
mod collections;
mod duty;
mod error;
mod evaluate;
mod judge;
mod limits;
mod load;
mod names;
pub mod personal;
mod quantities;
mod remember;
mod request;
pub mod restricted;
mod routes;
mod rule;
mod satisfied;
mod schema;
mod simulate;
mod slice;
mod subject;
mod table;
mod units;
mod value;
mod vocabulary;

pub use act::{Act, ActRequest};
pub use cases::{Case, CaseError, Mismatch, read_cases, told};
pub use collections::{CollectionRules, Collections, FieldType};
pub use error::PolicyError;
pub use judge::{DEFAULT_DENY, INCOMPLETE_FACTS};
pub use load::{PolicySet, PolicySource, PolicySources};
pub use quantities::{Amount, Concurrency, Per, Rate, Sum};
pub use request::{EndpointFacts, Facts, PolicyRequest, RecordFacts, RevealRequest, Verdict};
pub use routes::{Escalation, Route};
pub use rule::{RuleEffect, RuleSummary};
pub use simulate::{Change, Recorded, Simulation, simulate};

#[cfg(test)]
mod tests;
