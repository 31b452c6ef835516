//! Duties: what a fulfilled condition lifts a `forbid` rule.

use postern_domain::{IdentityLevel, Obligation};

/// A restrictive duty, written as an annotation on a `forbid` rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Duty {
    /// `@identity("identified")`
    Identified,
    /// `@identity("verified")`
    Verified,
    /// `@confirm`
    Confirm,
}

impl Duty {
    pub(crate) const ALL: [Self; 3] = [Self::Identified, Self::Verified, Self::Confirm];

    /// What stands in `context.satisfied` when it is fulfilled.
    pub(crate) const fn token(self) -> &'static str {
        match self {
            Self::Identified => "identity:identified",
            Self::Verified => "identity:verified",
            Self::Confirm => "confirm",
        }
    }

    /// The annotation that declares it.
    pub(crate) const fn annotation(self) -> &'static str {
        match self {
            Self::Identified => "@identity(\"identified\")",
            Self::Verified => "@identity(\"verified\")",
            Self::Confirm => "@confirm",
        }
    }

    /// Why a call is refused without it, and what to do.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::Identified => "the customer must be identified first",
            Self::Verified => "the customer must be verified first",
            Self::Confirm => "the customer must say yes to exactly this first",
        }
    }
}

/// A set of duties that are fulfilled or asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Duties {
    identity: IdentityLevel,
    confirm: bool,
}

impl Duties {
    /// With a duty added. Being verified includes being identified.
    pub(crate) fn with(self, duty: Duty) -> Self {
        match duty {
            Duty::Identified => Self {
                identity: self.identity.max(IdentityLevel::Identified),
                ..self
            },
            Duty::Verified => Self {
                identity: IdentityLevel::Verified,
                ..self
            },
            Duty::Confirm => Self {
                confirm: true,
                ..self
            },
        }
    }

    /// Everything that is in one of both.
    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            identity: self.identity.max(other.identity),
            confirm: self.confirm || other.confirm,
        }
    }

    /// Whether a duty is among them.
    pub(crate) fn has(self, duty: Duty) -> bool {
        match duty {
            Duty::Identified => self.identity >= IdentityLevel::Identified,
            Duty::Verified => self.identity >= IdentityLevel::Verified,
            Duty::Confirm => self.confirm,
        }
    }

    /// As obligations; of the levels of identity only the highest.
    pub(crate) fn obligations(self) -> Vec<Obligation> {
        let identity = match self.identity {
            IdentityLevel::Unknown => None,
            IdentityLevel::Identified | IdentityLevel::Verified => Some(Obligation::Identity {
                level: self.identity.as_str().to_owned(),
            }),
        };
        identity
            .into_iter()
            .chain(self.confirm.then_some(Obligation::Confirm))
            .collect()
    }
}
