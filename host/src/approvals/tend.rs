//! Approvals that wait: people are told and reminded, a second route is asked, and
//! what nobody decides expires.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use postern_domain::{
    Approval, ApprovalId, ApprovalState, Approver, AuditEntry, AuditKind, Escalate, Timestamp,
};
use postern_policy::PolicySet;
use postern_store::{Change, Commit, Page, Store, StoreError};
use tokio::sync::watch;

use super::{
    about, commit,
    notice::{Notice, notices},
};
use crate::app::App;

/// Longest time between two looks: nobody rings when an approval begins to wait.
const LOOK: Duration = Duration::from_secs(5);
/// Approvals that one look sees to.
const AT_ONCE: u32 = 100;

/// Sees to approvals until `stop` changes.
pub(crate) async fn tend(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut told = Told::default();
    while !*stop.borrow() {
        let rules = app.policy.current();
        match once(&*app.store, &rules, &mut told, app.clock.now()).await {
            Ok(done) => {
                if done.woke {
                    app.inbox_bell.ring();
                }
                if done.wrote {
                    app.outbox_bell.ring();
                }
            }
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "approvals are not seen to; it is tried again"
            ),
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Pending approvals of which this process has told people. After a restart they
/// are told of again, which writes nothing that is written.
#[derive(Default)]
pub(super) struct Told(BTreeSet<ApprovalId>);

/// What one look has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// A message is due again.
    pub(super) woke: bool,
    /// A message waits to be sent.
    pub(super) wrote: bool,
}

/// Looks once at everything that waits.
pub(super) async fn once(
    store: &dyn Store,
    rules: &PolicySet,
    told: &mut Told,
    now: Timestamp,
) -> Result<Done, StoreError> {
    let mut done = Done::default();
    let page = Page { limit: AT_ONCE, offset: 0 };
    let waiting = store.approvals(Some(ApprovalState::Pending), page).await?;
    told.0.retain(|id| waiting.iter().any(|approval| approval.id == *id));
    for approval in waiting {
        if now < approval.expires_at && !told.0.contains(&approval.id) {
            let changes = to_people(store, rules, &approval, Notice::New, now).await?;
            if !changes.is_empty() {
                store.commit(Commit { changes, ..Commit::default() }).await?;
                done.wrote = true;
            }
            told.0.insert(approval.id);
        }
    }
    for approval in store.approvals_due(now, AT_ONCE).await? {
        match see_to(store, rules, &approval, now).await {
            Ok(more) => {
                done.woke |= more.woke;
                done.wrote |= more.wrote;
            }
            // Somebody has decided in this moment.
            Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Messages that tell the people of an approval's route of it.
pub(super) async fn to_people(
    store: &dyn Store,
    rules: &PolicySet,
    approval: &Approval,
    notice: Notice,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    let role = approval.approver.route().and_then(|route| rules.route(route)).map(|it| it.role);
    match role {
        Some(role) => notices(store, approval, role, notice, now).await,
        None => Ok(Vec::new()),
    }
}

/// Does what is due for one approval.
async fn see_to(
    store: &dyn Store,
    rules: &PolicySet,
    approval: &Approval,
    now: Timestamp,
) -> Result<Done, StoreError> {
    if now >= approval.expires_at {
        let detail = "nobody decided in time";
        let Some(next) = approval.settled(ApprovalState::Expired, now, detail) else {
            return Ok(Done::default());
        };
        let row = row(approval, "approval:expire", detail.to_owned(), now);
        commit(store, next, row).await?;
        return Ok(Done { woke: true, wrote: false });
    }
    let (next, notice, detail) = if let Some((next, detail)) = escalated(rules, approval, now) {
        (next, Notice::Escalated, detail)
    } else if approval.remind_at.is_some_and(|at| at <= now) {
        let next = Approval { version: approval.version + 1, remind_at: None, ..approval.clone() };
        (next, Notice::Reminder, "reminded".to_owned())
    } else {
        return Ok(Done::default());
    };
    let mut changes = to_people(store, rules, &next, notice, now).await?;
    let wrote = !changes.is_empty();
    let action = match notice {
        Notice::Escalated => "approval:escalate",
        Notice::Reminder | Notice::New => "approval:remind",
    };
    let audit = vec![row(approval, action, detail, now)];
    changes.push(Change::Approval(next));
    store.commit(Commit { lease: None, changes, audit }).await?;
    Ok(Done { woke: false, wrote })
}

/// The approval with its second route, if that is due. Votes stay: they are about
/// the same thing.
fn escalated(rules: &PolicySet, approval: &Approval, now: Timestamp) -> Option<(Approval, String)> {
    let Approver::Route { route, quorum, escalate: Some(Escalate { to, at }) } = &approval.approver
    else {
        return None;
    };
    if now < *at {
        return None;
    }
    let wanted = rules.route(to).map_or(*quorum, |found| found.quorum);
    let detail = format!("from {route} to {to}");
    let approver = Approver::Route { route: to.clone(), quorum: wanted, escalate: None };
    Some((Approval { version: approval.version + 1, approver, ..approval.clone() }, detail))
}

fn row(approval: &Approval, action: &str, detail: String, now: Timestamp) -> AuditEntry {
    let kind = AuditKind::Approval;
    let entry = AuditEntry::new(now, kind, "host", action, approval.id.as_str());
    about(approval, AuditEntry { detail, ..entry })
}
