//! Free texts before they are kept: what nobody may read there is taken out of them.

use std::borrow::Cow;

use postern_domain::AuditEntry;

use crate::{Change, Commit};

/// A free text without what nobody may read there.
pub type Clean = fn(&str) -> Cow<'_, str>;

/// Cleans audit rows and the reasons of what went wrong. Ids, digests, names of rules
/// and who acted stay as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cleaner(Clean);

impl Default for Cleaner {
    fn default() -> Self {
        Self(|text| Cow::Borrowed(text))
    }
}

/// Audit rows that a [`Cleaner`] has seen: the log takes no others.
pub(crate) struct CleanEntries(pub(crate) Vec<AuditEntry>);

impl Cleaner {
    pub(crate) const fn new(clean: Clean) -> Self {
        Self(clean)
    }

    fn text(self, text: &mut String) {
        if let Cow::Owned(clean) = (self.0)(text) {
            *text = clean;
        }
    }

    pub(crate) fn entries(self, mut entries: Vec<AuditEntry>) -> CleanEntries {
        for entry in &mut entries {
            self.text(&mut entry.resource);
            self.text(&mut entry.detail);
        }
        CleanEntries(entries)
    }

    /// Takes the audit rows out of a commit and cleans what is left of free texts.
    pub(crate) fn commit(self, mut commit: Commit) -> (Commit, CleanEntries) {
        for change in &mut commit.changes {
            match change {
                Change::InboxDead { reason, .. } | Change::InboxRetry { reason, .. } => {
                    self.text(reason);
                }
                Change::Outbox(item) | Change::OutboxUpdate(item) => {
                    item.last_error.iter_mut().for_each(|error| self.text(error));
                }
                Change::Turn(_)
                | Change::Invocation(_)
                | Change::Journal(_)
                | Change::Records(_)
                | Change::KvSet { .. }
                | Change::KvDelete { .. }
                | Change::Ticket { .. }
                | Change::Conversation(_)
                | Change::Vault { .. }
                | Change::VaultIndex { .. }
                | Change::Message(_)
                | Change::InboxDone(_)
                | Change::Park(_)
                | Change::Wake(_)
                | Change::Approval(_)
                | Change::Take { .. }
                | Change::Operator(_)
                | Change::OperatorToken(_)
                | Change::OperatorTokenGone(_)
                | Change::OperatorTokensGone(_)
                | Change::Binding(_)
                | Change::BindingGone { .. }
                | Change::BindingCode(_)
                | Change::BindingCodeUsed { .. } => {}
            }
        }
        let audit = self.entries(std::mem::take(&mut commit.audit));
        (commit, audit)
    }
}
