//! The people who approve, or not, while no host is there.

use anyhow::Result;
use postern::clock::{Clock as _, SystemClock};
use postern_domain::{Approval, ApprovalState, Approver, AuditEntry, AuditKind, Vote};
use postern_store::{Change, Commit, Page, SqliteStore, Store as _};

/// Of so many approvals, one is rejected.
const REJECTED_OF: usize = 5;

/// Decides everything that waits for people, and answers how much that was.
pub(super) async fn decide(store: &SqliteStore) -> Result<usize> {
    let page = Page { limit: 10_000, offset: 0 };
    let mut decided = 0;
    for approval in store.approvals(Some(ApprovalState::Pending), page).await? {
        match approval.approver {
            Approver::Route { .. } => vote(store, &approval).await?,
            Approver::Customer | Approver::Identity => continue,
        }
        decided += 1;
    }
    Ok(decided)
}

async fn vote(store: &SqliteStore, approval: &Approval) -> Result<()> {
    let at = SystemClock.now();
    // The same word on the same approval in every run.
    let sum: usize = approval.id.as_str().bytes().map(usize::from).sum();
    let approve = sum % REJECTED_OF != 0;
    let vote = Vote { operator: "kim".parse()?, approve, reason: "as it is".to_owned(), at };
    let next = approval.vote(vote)?;
    let action = if approve { "approval:approve" } else { "approval:reject" };
    let row = AuditEntry {
        invocation: Some(approval.invocation.clone()),
        seq: Some(approval.seq),
        ..AuditEntry::new(at, AuditKind::Approval, "operator:kim", action, approval.id.as_str())
    };
    let changes = vec![Change::Approval(next), Change::Wake(approval.message.clone())];
    store.commit(Commit { lease: None, changes, audit: vec![row] }).await?;
    Ok(())
}
