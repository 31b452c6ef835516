//! The person who approves, or not, what has to wait for people.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use postern_domain::{Approval, ApprovalState};
use postern_store::{Page, Store as _};

use crate::setup::{Town, json_lines, text_at};

/// Of so many approvals, one is rejected.
const REJECTED_OF: usize = 5;

/// A person with a token, at the command line.
pub(super) struct Approver {
    token: PathBuf,
}

impl Approver {
    /// A new operator who may approve.
    pub(super) async fn hire(town: &Town) -> Result<Self> {
        town.data.postern(["operator", "add", "kim", "--role", "approver"]).await?;
        let made = town.data.postern(["operator", "token", "kim", "--json"]).await?;
        let made = json_lines(&made)?.pop().context("it says nothing")?;
        let token = town.data.path().join("secrets/token-of-kim");
        std::fs::write(&token, text_at(&made, "/secret"))?;
        Ok(Self { token })
    }

    /// Decides everything that waits for people, and answers how much that was.
    pub(super) async fn decide(&self, town: &Town) -> Result<usize> {
        let page = Page { limit: 10_000, offset: 0 };
        let waiting = town.store().await?.approvals(Some(ApprovalState::Pending), page).await?;
        let mut decided = 0;
        for approval in waiting.iter().filter(|it| it.approver.route().is_some()) {
            self.vote(town, approval).await?;
            decided += 1;
        }
        Ok(decided)
    }

    async fn vote(&self, town: &Town, approval: &Approval) -> Result<()> {
        let (id, token) = (approval.id.as_str(), self.token.display().to_string());
        // The same word on the same approval in every run.
        let sum: usize = id.bytes().map(usize::from).sum();
        let word = if sum.is_multiple_of(REJECTED_OF) { "reject" } else { "approve" };
        let arguments = ["--token-file", &token, "approval", word, id, "--reason", "as it is"];
        town.data.postern(arguments).await?;
        Ok(())
    }
}
