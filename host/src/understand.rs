//! What a message means: its intent and the values in it.
//!
//! Pure: no I/O, clock or async, and the same input always gives the same
//! answer. [`Classifier`] learns intents from the installed skills' examples;
//! [`Extractor`] finds the entities that skills declare and those that the
//! host knows itself; [`extract_details`] reads a name and a postcode from the
//! answer to a question for them. All offsets are bytes of the message as it came.

mod calibrate;
mod classifier;
mod confirm;
mod details;
mod entities;
pub(crate) mod features;
mod language;
mod model;
mod pattern;
mod postcode;
pub(crate) mod svm;
mod words;

#[cfg(test)]
mod evaluation;

pub use classifier::{
    Classification, Classifier, Example, MAX_EXAMPLES, MAX_INTENTS, Ranked, TrainError,
};
pub use details::{Details, Piece, extract_details};
pub use entities::{EntityError, Extractor, Found, MAX_PATTERNS};
pub use language::language;
pub use postcode::normal_postcode;
