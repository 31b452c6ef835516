//! Skills that must do nothing any more, whichever generation they run in.

use std::sync::{PoisonError, RwLock};

use postern_domain::{Digest, SkillId};

use crate::{registry::SignedBy, trust::Trust};

/// What gates and turns look at before a skill does anything: what is revoked counts
/// from the next look on, also for calls that have begun.
#[derive(Default)]
pub struct Revocations(RwLock<Trust>);

impl Revocations {
    /// Whatever this revokes.
    pub fn new(trust: Trust) -> Self {
        Self(RwLock::new(trust))
    }

    /// Counts from now on.
    pub fn follow(&self, trust: Trust) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = trust;
    }

    /// Why a component of a skill must not run, in words for people; none if it may.
    pub fn why(
        &self,
        skill: &SkillId,
        digest: Digest,
        signed_by: Option<&SignedBy>,
    ) -> Option<String> {
        let trust = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let revocation = trust.revoked(digest, signed_by)?;
        Some(format!("skill {skill} is revoked: {revocation}"))
    }
}
