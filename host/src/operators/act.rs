//! Who acts, and whether rules let them.

use postern_domain::{AuditEntry, AuditVerdict, Decision, Digest, OperatorId, Role, Timestamp};
use postern_policy::{Act, ActRequest, PolicySet};
use postern_store::{Change, Store, StoreError};

use super::{LOCAL, ROOT, entry, keep};

/// An operator who does something, and how the host knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    id: OperatorId,
    roles: Vec<Role>,
    from: From,
}

/// How the host knows who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    /// They work on the data folder itself.
    Folder,
    /// They have the token of the configuration.
    Configuration,
    /// They have a token of their own, with this digest.
    Token(Digest),
    /// They act from an account of a channel that they have bound.
    Channel,
}

fn named(name: &str) -> OperatorId {
    name.parse().expect("the host's own names are well formed")
}

impl Actor {
    /// Whoever works on the data folder without a token: it is theirs.
    pub fn local() -> Self {
        Self { id: named(LOCAL), roles: vec![Role::Admin], from: From::Folder }
    }

    /// The holder of the token of the configuration, who is an admin.
    pub fn root() -> Self {
        Self { id: named(ROOT), roles: vec![Role::Admin], from: From::Configuration }
    }

    /// The holder of a token that counts.
    pub(super) fn with_token(id: OperatorId, roles: Vec<Role>, digest: Digest) -> Self {
        Self { id, roles, from: From::Token(digest) }
    }

    /// Somebody behind a bound account of a channel.
    pub(super) fn in_channel(id: OperatorId, roles: Vec<Role>) -> Self {
        Self { id, roles, from: From::Channel }
    }

    /// Somebody with this role on a host that is thrown away, where a scenario runs.
    pub(crate) fn in_scenario(role: Role) -> Self {
        Self { id: named("scenario"), roles: vec![role], from: From::Channel }
    }

    /// Their name.
    pub fn id(&self) -> &OperatorId {
        &self.id
    }

    /// What they may be here: of a token, no more than its scope.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The digest of the token with which they signed in, if it is one of theirs.
    pub fn token(&self) -> Option<Digest> {
        match self.from {
            From::Token(digest) => Some(digest),
            From::Folder | From::Configuration | From::Channel => None,
        }
    }

    /// Whether this is a person with a name of their own, and not whoever has the
    /// data folder or its configuration.
    pub fn is_person(&self) -> bool {
        match self.from {
            From::Token(_) | From::Channel => true,
            From::Folder | From::Configuration => false,
        }
    }

    /// Whether this is whoever has the data folder.
    pub fn is_owner(&self) -> bool {
        self.from == From::Folder
    }

    /// The name in audit.
    pub fn name(&self) -> String {
        format!("operator:{}", self.id)
    }
}

/// Why an operator's act did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// Rules do not let them.
    #[error("{actor} may not do this: {reason}")]
    Refused {
        /// Who.
        actor: OperatorId,
        /// The rules.
        rules: Vec<String>,
        /// Why, with the rules.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where an operator acts: on what, by which rules, who, and when.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// What is kept.
    pub store: &'a dyn Store,
    /// The rules in force.
    pub policy: &'a PolicySet,
    /// Who.
    pub actor: &'a Actor,
    /// When.
    pub now: Timestamp,
}

impl Desk<'_> {
    /// Asks the rules. A refusal is in the audit log on return. None means that
    /// nobody was asked, because the data folder is the actor's.
    ///
    /// # Errors
    /// Rules do not let the actor do this, or the store fails.
    pub async fn allow(
        &self,
        act: Act,
        action: &str,
        resource: &str,
    ) -> Result<Option<AuditVerdict>, ActError> {
        if self.actor.is_owner() {
            return Ok(None);
        }
        let (operator, roles) = (&self.actor.id, self.actor.roles.as_slice());
        let verdict = self.policy.judge_act(&ActRequest { operator, roles, act });
        let kept = AuditVerdict { decision: verdict.decision, rules: verdict.rules.clone() };
        match verdict.decision {
            Decision::Allow => Ok(Some(kept)),
            Decision::Deny | Decision::RequireApproval => {
                self.refused(action, resource, Some(kept), "refused").await?;
                let (actor, rules) = (operator.clone(), verdict.rules);
                Err(ActError::Refused { actor, rules, reason: verdict.reason })
            }
        }
    }

    /// Asks the rules about managing operators.
    pub(super) async fn manage(
        &self,
        action: &str,
        resource: &str,
    ) -> Result<Option<AuditVerdict>, ActError> {
        self.allow(Act::ManageOperators, action, resource).await
    }

    /// Writes down what was tried and did not happen.
    ///
    /// # Errors
    /// The store fails.
    pub async fn refused(
        &self,
        action: &str,
        resource: &str,
        verdict: Option<AuditVerdict>,
        detail: &str,
    ) -> Result<(), StoreError> {
        let row = self.entry(action, resource, detail.to_owned(), verdict);
        keep(self.store, Vec::new(), row).await
    }

    /// The audit row of an act.
    pub fn entry(
        &self,
        action: &str,
        resource: &str,
        detail: String,
        verdict: Option<AuditVerdict>,
    ) -> AuditEntry {
        AuditEntry { detail, ..entry(self.actor, self.now, action, resource, verdict) }
    }

    /// Makes an act durable together with its audit row.
    ///
    /// # Errors
    /// The store fails; nothing was changed.
    pub async fn commit(
        &self,
        changes: Vec<Change>,
        action: &str,
        resource: &str,
        detail: String,
        verdict: Option<AuditVerdict>,
    ) -> Result<(), StoreError> {
        keep(self.store, changes, self.entry(action, resource, detail, verdict)).await
    }
}
