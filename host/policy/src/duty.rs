//! Duties: what a fulfilled condition lifts a `forbid` rule.

use std::collections::BTreeMap;

use postern_domain::{IdentityLevel, Obligation};

use crate::{
    Facts,
    quantities::{Amount, Quantities},
};

/// A restrictive duty, written as an annotation on a `forbid` rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Duty {
    /// `@identity("identified")`
    Identified,
    /// `@identity("verified")`
    Verified,
    /// `@confirm`
    Confirm,
    /// `@approval("route")`
    Approval(String),
    /// `@limit("name")`
    Limit(String),
    /// `@max_amount("name")`
    MaxAmount(String),
}

impl Duty {
    /// The duty of an annotation. Whether its value is known is not looked at.
    pub(crate) fn of(annotation: &str, value: &str) -> Option<Self> {
        match (annotation, value) {
            ("identity", "identified") => Some(Self::Identified),
            ("identity", "verified") => Some(Self::Verified),
            ("confirm", _) => Some(Self::Confirm),
            ("approval", route) => Some(Self::Approval(route.to_owned())),
            ("limit", name) => Some(Self::Limit(name.to_owned())),
            ("max_amount", name) => Some(Self::MaxAmount(name.to_owned())),
            (_, _) => None,
        }
    }

    /// What stands in `context.satisfied` when it is fulfilled.
    pub(crate) fn token(&self) -> String {
        self.obligation().token()
    }

    /// The annotation that declares it.
    pub(crate) fn annotation(&self) -> String {
        match self {
            Self::Identified => "@identity(\"identified\")".to_owned(),
            Self::Verified => "@identity(\"verified\")".to_owned(),
            Self::Confirm => "@confirm".to_owned(),
            Self::Approval(route) => format!("@approval(\"{route}\")"),
            Self::Limit(name) => format!("@limit(\"{name}\")"),
            Self::MaxAmount(name) => format!("@max_amount(\"{name}\")"),
        }
    }

    /// What the gate is told of it.
    fn obligation(&self) -> Obligation {
        let identity =
            |level: IdentityLevel| Obligation::Identity { level: level.as_str().to_owned() };
        match self {
            Self::Identified => identity(IdentityLevel::Identified),
            Self::Verified => identity(IdentityLevel::Verified),
            Self::Confirm => Obligation::Confirm,
            Self::Approval(route) => Obligation::Approval { route: route.clone() },
            Self::Limit(name) => Obligation::Limit { name: name.clone() },
            Self::MaxAmount(name) => Obligation::MaxAmount { name: name.clone() },
        }
    }

    /// Why a call is refused without it, and what to do.
    fn sentence(&self) -> String {
        match self {
            Self::Identified => "the customer must be identified first".to_owned(),
            Self::Verified => "the customer must be verified first".to_owned(),
            Self::Confirm => "the customer must say yes to exactly this first".to_owned(),
            Self::Approval(route) => format!("the people of {route} must approve this first"),
            Self::Limit(name) => format!("the limit {name} is used up: try again later"),
            Self::MaxAmount(name) => format!("the amount exceeds {name}, or is not known"),
        }
    }
}

/// A set of duties that are fulfilled or asked for, as bits by their places in
/// [`DutyTable`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Duties(u128);

impl Duties {
    const IDENTIFIED: Self = Self(1);
    const VERIFIED: Self = Self(2);
    const CONFIRM: Self = Self(4);

    /// Everything that is in one of both.
    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    pub(crate) const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is not in the other.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in it.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// A form for keys.
    pub(crate) const fn bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    const fn at(place: usize) -> Self {
        Self(1 << place)
    }
}

/// The duties that the rules of a set speak of.
pub(crate) struct DutyTable {
    all: Vec<(Duty, String)>,
    approvals: BTreeMap<String, Duties>,
    amounts: Vec<(Duties, String, Amount)>,
    /// What the gate takes after the decision: limits, and bounds with a sum.
    pub(crate) taken: Duties,
    limits: Duties,
    /// What can be asked for: a rule that only a limit or a bound could lift is
    /// lifted by nobody.
    pub(crate) askable: Duties,
}

impl DutyTable {
    /// Different duties that rules can speak of.
    pub(crate) const MOST: usize = 128;

    /// The table for these duties; none if they are too many.
    pub(crate) fn new<'d>(
        spoken_of: impl IntoIterator<Item = &'d Duty>,
        quantities: &Quantities,
    ) -> Option<Self> {
        let mut all = vec![Duty::Identified, Duty::Verified, Duty::Confirm];
        let mut others: Vec<&Duty> =
            spoken_of.into_iter().filter(|duty| !all.contains(duty)).collect();
        others.sort_unstable();
        others.dedup();
        all.extend(others.into_iter().cloned());
        if all.len() > Self::MOST {
            return None;
        }
        let mut table = Self {
            all: Vec::new(),
            approvals: BTreeMap::new(),
            amounts: Vec::new(),
            taken: Duties::default(),
            limits: Duties::default(),
            askable: Duties::IDENTIFIED.union(Duties::VERIFIED).union(Duties::CONFIRM),
        };
        for (place, duty) in all.iter().enumerate() {
            let bit = Duties::at(place);
            match duty {
                Duty::Identified | Duty::Verified | Duty::Confirm => {}
                Duty::Approval(route) => {
                    table.approvals.insert(route.clone(), bit);
                    table.askable = table.askable.union(bit);
                }
                Duty::Limit(_) => {
                    table.limits = table.limits.union(bit);
                    table.taken = table.taken.union(bit);
                }
                Duty::MaxAmount(name) => {
                    if let Some(amount) = quantities.amount.get(name) {
                        table.amounts.push((bit, name.clone(), *amount));
                        if amount.sum.is_some() {
                            table.taken = table.taken.union(bit);
                        }
                    }
                }
            }
        }
        table.all = all.into_iter().map(|duty| (duty.clone(), duty.token())).collect();
        Some(table)
    }

    /// The set of these duties. Being verified includes being identified.
    pub(crate) fn set<'d>(&self, duties: impl IntoIterator<Item = &'d Duty>) -> Duties {
        let bits = |duty: &Duty| match self.all.iter().position(|(known, _)| known == duty) {
            Some(1) => Duties::IDENTIFIED.union(Duties::VERIFIED),
            Some(place) => Duties::at(place),
            None => Duties::default(),
        };
        duties.into_iter().map(bits).fold(Duties::default(), Duties::union)
    }

    /// What is fulfilled now. A level without a customer fulfils nothing. Limits
    /// are supposed to be: the gate takes from them after the decision, and denies
    /// if it cannot.
    pub(crate) fn fulfilled(&self, facts: &Facts, amount: Option<i64>) -> Duties {
        let mut now = self.limits;
        if facts.customer.key.is_some() {
            now = now.union(match facts.customer.level {
                IdentityLevel::Unknown => Duties::default(),
                IdentityLevel::Identified => Duties::IDENTIFIED,
                IdentityLevel::Verified => Duties::IDENTIFIED.union(Duties::VERIFIED),
            });
        }
        if facts.confirmed {
            now = now.union(Duties::CONFIRM);
        }
        for route in &facts.approvals {
            now = now.union(self.approvals.get(route).copied().unwrap_or_default());
        }
        for (bit, name, bound) in &self.amounts {
            if bound.holds(amount) && !facts.used_up.contains(name) {
                now = now.union(*bit);
            }
        }
        now
    }

    /// Whether an approval is among them.
    pub(crate) fn needs_approval(&self, duties: Duties) -> bool {
        self.approvals.values().any(|bit| !bit.both(duties).is_empty())
    }

    /// What stands in `context.satisfied` for them.
    pub(crate) fn tokens(&self, duties: Duties) -> impl Iterator<Item = &str> {
        self.members(duties).map(|(_, token)| token.as_str())
    }

    /// As obligations; of the levels of identity only the highest.
    pub(crate) fn obligations(&self, duties: Duties) -> Vec<Obligation> {
        self.members(highest(duties)).map(|(duty, _)| duty.obligation()).collect()
    }

    /// What to do about each.
    pub(crate) fn sentences(&self, duties: Duties) -> impl Iterator<Item = String> {
        self.members(highest(duties)).map(|(duty, _)| duty.sentence())
    }

    fn members(&self, duties: Duties) -> impl Iterator<Item = &(Duty, String)> {
        let here = move |place: usize| !Duties::at(place).both(duties).is_empty();
        self.all.iter().enumerate().filter(move |(place, _)| here(*place)).map(|(_, one)| one)
    }
}

fn highest(duties: Duties) -> Duties {
    if duties.both(Duties::VERIFIED).is_empty() {
        duties
    } else {
        duties.without(Duties::IDENTIFIED)
    }
}
