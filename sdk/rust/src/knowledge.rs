//! Looking something up in the knowledge base.

use crate::{Result, host};

/// A piece of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Its name, the same as long as its text is.
    pub id: String,
    /// Title of the article that it is from.
    pub title: String,
    /// The text.
    pub text: String,
    /// How well it fits the question, from 0 to 1000.
    pub relevance: u32,
}

/// The passages of a collection that fit a question in plain words, the best
/// first; at most `limit` of them, 1 to 20.
///
/// # Errors
/// The host refused or failed, or has no knowledge base.
pub fn find(query: &str, collection: &str, limit: u32) -> Result<Vec<Passage>> {
    Ok(host::knowledge_find(query, collection, limit)?)
}
