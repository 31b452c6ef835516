//! `postern:knowledge`

use postern_domain::{HostCall, HostReply};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::knowledge::search::{Failure, Host, Passage},
    state::State,
};

impl Host for State {
    async fn find(
        &mut self,
        query: String,
        collection: String,
        limit: u32,
    ) -> Answer<Vec<Passage>, Failure> {
        let bytes = weight::of_texts([&query, &collection]);
        let call = find(query, collection, limit);
        answer!(self.ask(Knowledge, bytes, call), HostReply::Passages { passages } => {
            passages.into_iter().map(Into::into).collect()
        })
    }
}

impl From<postern_domain::Passage> for Passage {
    fn from(passage: postern_domain::Passage) -> Self {
        let postern_domain::Passage { id, title, text, relevance } = passage;
        Self { id, title, text, relevance }
    }
}

fn find(query: String, collection: String, limit: u32) -> Checked<HostCall> {
    check::length("query", query.len(), 1, 1_000)?;
    check::collection(&collection)?;
    check::range("limit", limit, 1, 20)?;
    Ok(HostCall::KnowledgeSearch { query, collection, limit })
}
