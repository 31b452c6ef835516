//! The scenarios by which Postern skills are tested: their format, what fits to
//! what, and how a difference is told. Nothing runs here: `postern skill test` runs
//! them against components, `postern_sdk::scenario` natively.

mod check;
mod coverage;
mod difference;
mod edge;
mod error;
mod expect;
mod fits;
mod folder;
mod format;
mod given;
mod time;

pub use check::{HostCallSeen, Seen, TicketSeen, Usage, check, check_limits};
pub use coverage::{Coverage, Ended};
pub use difference::Difference;
pub use edge::{Edge, Met, Nearest, Request};
pub use error::ScenarioError;
pub use expect::{
    CallExpected, Decision, Expect, Limits, OutcomeKind, RequestExpected, TicketExpected,
};
pub use fits::{path_fits, value_fits};
pub use folder::{Records, read_answers, read_file, read_folder, read_records, read_settings};
pub use format::{About, Scenario, Step, What};
pub use given::{Answer, Customer, Given, HttpAnswer, Level, Passage, Ticket, TicketStatus};
pub use time::Moment;
