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

    /// What the gate is told of it.
    fn obligation(self) -> Obligation {
        let identity =
            |level: IdentityLevel| Obligation::Identity { level: level.as_str().to_owned() };
        match self {
            Self::Identified => identity(IdentityLevel::Identified),
            Self::Verified => identity(IdentityLevel::Verified),
            Self::Confirm => Obligation::Confirm,
        }
    }

    /// Why a call is refused without it, and what to do.
    const fn sentence(self) -> &'static str {
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
            Duty::Identified => {
                Self { identity: self.identity.max(IdentityLevel::Identified), ..self }
            }
            Duty::Verified => Self { identity: IdentityLevel::Verified, ..self },
            Duty::Confirm => Self { confirm: true, ..self },
        }
    }

    /// Everything that is in one of both.
    pub(crate) fn union(self, other: Self) -> Self {
        Self { identity: self.identity.max(other.identity), confirm: self.confirm || other.confirm }
    }

    /// What is not in the other.
    pub(crate) fn without(self, fulfilled: Self) -> Self {
        let identity = if fulfilled.identity >= self.identity {
            IdentityLevel::Unknown
        } else {
            self.identity
        };
        Self { identity, confirm: self.confirm && !fulfilled.confirm }
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
        self.highest().map(Duty::obligation).collect()
    }

    /// What to do about each.
    pub(crate) fn sentences(self) -> impl Iterator<Item = String> {
        self.highest().map(|duty| duty.sentence().to_owned())
    }

    fn highest(self) -> impl Iterator<Item = Duty> {
        let identity = match self.identity {
            IdentityLevel::Unknown => None,
            IdentityLevel::Identified => Some(Duty::Identified),
            IdentityLevel::Verified => Some(Duty::Verified),
        };
        identity.into_iter().chain(self.confirm.then_some(Duty::Confirm))
    }
}
