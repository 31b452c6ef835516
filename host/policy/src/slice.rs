//! Slices: for each principal and action the rules that could apply.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{
    ActionConstraint, Effect, Entities, Entity, EntityUid, Policy, PolicySet, PolicySetError,
    PrincipalConstraint, Schema, entities_errors::EntitiesError,
};

use crate::{
    duty::Duties,
    judge::RuleFacts,
    names::Names,
    remember::Remembered,
    vocabulary::{OPERATOR, SCHEDULE, SKILL},
};

/// The action of putting a personal value into a request.
pub(crate) const REVEAL: &str = "data:reveal";

/// Every action of skills and schedules that is judged, by its name in rules.
pub(crate) const ACTIONS: [&str; 22] = [
    "log:write",
    "records:get",
    "records:query",
    "records:put",
    "records:delete",
    "records:identify",
    "http:send",
    "kv:get",
    "kv:set",
    "kv:delete",
    "ticket:create",
    "ticket:update",
    "ticket:tag",
    "ticket:comment",
    "ticket:history",
    "handover:request",
    "knowledge:search",
    "model:complete",
    "message:send",
    "schedule:create",
    "schedule:cancel",
    REVEAL,
];

/// Every action of operators.
pub(crate) const ACTS: [&str; 10] = [
    "operator:view",
    "operator:reply",
    "operator:approve",
    "operator:skills",
    "operator:policy",
    "operator:rules",
    "operator:operators",
    "operator:audit",
    "operator:lockdown",
    "operator:reveal",
];

/// An action with the groups in which it is.
pub(crate) struct Action {
    pub(crate) uid: EntityUid,
    /// The action alone, with all its groups as parents: what evaluation needs
    /// of the hierarchy.
    pub(crate) entities: Entities,
    groups: HashSet<EntityUid>,
}

/// The rules that could apply to a principal and an action.
pub(crate) struct Slice {
    pub(crate) rules: PolicySet,
    /// What they read of principal, resource and context.
    pub(crate) read: Names,
    /// What they ask for.
    pub(crate) duties: Duties,
    /// Whether a rule that can be lifted says what else is to be done.
    pub(crate) has_marks: bool,
    /// What was found before; without it every question is evaluated.
    pub(crate) remembered: Option<Remembered>,
}

/// Rules to be cut.
pub(crate) struct Whole<'a> {
    pub(crate) rules: Vec<&'a Policy>,
    pub(crate) facts: &'a BTreeMap<String, RuleFacts>,
}

/// A rule with what it reads.
type Known<'a> = (&'a Policy, &'a Names);

impl Slice {
    fn new(rules: PolicySet, known: &[Known<'_>], facts: &BTreeMap<String, RuleFacts>) -> Self {
        let read = Names::together(known.iter().map(|(_, names)| *names));
        Self { remembered: Some(Remembered::default()), ..Self::of(rules, read, facts) }
    }

    fn of(rules: PolicySet, read: Names, facts: &BTreeMap<String, RuleFacts>) -> Self {
        let (mut duties, mut has_marks) = (Duties::default(), false);
        for rule in rules.policies().filter_map(|rule| facts.get(AsRef::<str>::as_ref(rule.id()))) {
            duties = duties.union(rule.duties);
            has_marks |= !rule.duties.is_empty() && rule.has_marks();
        }
        Self { rules, read, duties, has_marks, remembered: None }
    }
}

/// The slices of one type of principals and one action.
struct Cut {
    /// For principals that some rule names.
    named: HashMap<String, Slice>,
    /// For every other.
    others: Slice,
}

/// The rules, cut by principal and action.
pub(crate) struct Slices {
    actions: HashMap<&'static str, (Action, HashMap<Kind, Cut>)>,
}

/// Types of principals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Skill,
    Schedule,
    Operator,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        match name {
            SKILL => Some(Self::Skill),
            SCHEDULE => Some(Self::Schedule),
            OPERATOR => Some(Self::Operator),
            _ => None,
        }
    }
}

/// Why rules could not be cut. Loading finds both before.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CutError {
    /// The schema's actions form no hierarchy.
    #[error("the actions of the schema form no hierarchy: {0}")]
    Actions(#[source] Box<EntitiesError>),
    /// Two rules have the same id.
    #[error("the rules do not fit together: {0}")]
    Rules(#[source] Box<PolicySetError>),
}

impl From<EntitiesError> for CutError {
    fn from(found: EntitiesError) -> Self {
        Self::Actions(Box::new(found))
    }
}

impl From<PolicySetError> for CutError {
    fn from(found: PolicySetError) -> Self {
        Self::Rules(Box::new(found))
    }
}

impl Slices {
    /// Cuts the rules.
    ///
    /// # Errors
    /// The actions form no hierarchy, or two rules have the same id.
    pub(crate) fn cut(schema: &Schema, whole: &Whole<'_>) -> Result<Self, CutError> {
        let names: Vec<Names> = whole.rules.iter().map(|rule| Names::read_by(rule)).collect();
        let known: Vec<Known<'_>> = whole.rules.iter().copied().zip(&names).collect();
        let mut all = HashMap::new();
        for (name, kinds, action) in actions(schema)? {
            let mut cuts = HashMap::new();
            for kind in kinds {
                cuts.insert(*kind, Cut::new(name, &action, *kind, &known, whole.facts)?);
            }
            all.insert(name, (action, cuts));
        }
        Ok(Self { actions: all })
    }

    /// The action of this name and the rules that could apply to this principal.
    pub(crate) fn find(&self, kind: Kind, id: &str, action: &str) -> Option<(&Action, &Slice)> {
        let (action, cuts) = self.actions.get(action)?;
        let cut = cuts.get(&kind)?;
        Some((action, cut.named.get(id).unwrap_or(&cut.others)))
    }

    /// Every rule that could apply to somebody.
    pub(crate) fn rules(&self) -> BTreeMap<&str, &Policy> {
        let cuts = self.actions.values().flat_map(|(_, cuts)| cuts.values());
        cuts.flat_map(|cut| cut.named.values().chain([&cut.others]))
            .flat_map(|slice| slice.rules.policies())
            .map(|rule| (AsRef::<str>::as_ref(rule.id()), rule))
            .collect()
    }

    /// All rules for every principal and action, and nothing remembered, to compare
    /// with.
    #[cfg(test)]
    pub(crate) fn uncut(schema: &Schema, whole: &Whole<'_>) -> Result<Self, CutError> {
        let mut all = HashMap::new();
        for (name, kinds, action) in actions(schema)? {
            let mut cuts = HashMap::new();
            for kind in kinds {
                let set = PolicySet::from_policies(whole.rules.iter().map(|rule| (*rule).clone()))?;
                let others = Slice::of(set, Names::any(), whole.facts);
                cuts.insert(*kind, Cut { named: HashMap::new(), others });
            }
            all.insert(name, (action, cuts));
        }
        Ok(Self { actions: all })
    }
}

impl Cut {
    fn new(
        name: &str,
        action: &Action,
        kind: Kind,
        rules: &[Known<'_>],
        facts: &BTreeMap<String, RuleFacts>,
    ) -> Result<Self, CutError> {
        let mut for_all: Vec<Known<'_>> = Vec::new();
        let mut for_one: HashMap<String, Vec<Known<'_>>> = HashMap::new();
        for known in rules.iter().filter(|(rule, _)| action.is_meant_by(name, rule)) {
            match Principal::of(known.0, kind) {
                Principal::Anybody => for_all.push(*known),
                Principal::One(id) => for_one.entry(id).or_default().push(*known),
                Principal::Nobody => {}
            }
        }
        let slice = |rules: &[Known<'_>]| {
            let set = PolicySet::from_policies(rules.iter().map(|(rule, _)| (*rule).clone()))?;
            Ok::<_, CutError>(Slice::new(set, rules, facts))
        };
        let mut named = HashMap::new();
        for (id, mut own) in for_one {
            own.extend_from_slice(&for_all);
            named.insert(id, slice(&own)?);
        }
        Ok(Self { named, others: slice(&for_all)? })
    }
}

/// An action by its name, with the types of principals that it has.
type Named = (&'static str, &'static [Kind], Action);

/// Every action that is judged.
fn actions(schema: &Schema) -> Result<Vec<Named>, CutError> {
    let all = schema.action_entities()?;
    let mut found = Vec::new();
    for uid in all.iter().map(Entity::uid) {
        let id = uid.id().unescaped();
        let call = ACTIONS.into_iter().find(|name| *name == id);
        let act = ACTS.into_iter().find(|name| *name == id);
        let (name, kinds): (_, &[Kind]) = match (call, act) {
            (Some(name), _) => (name, &[Kind::Skill, Kind::Schedule]),
            (None, Some(name)) => (name, &[Kind::Operator]),
            (None, None) => continue,
        };
        let groups: HashSet<EntityUid> =
            all.ancestors(&uid).into_iter().flatten().cloned().collect();
        let entity = Entity::new_no_attrs(uid.clone(), groups.clone());
        let entities = Entities::from_entities([entity], None)?;
        found.push((name, kinds, Action { uid, entities, groups }));
    }
    Ok(found)
}

impl Action {
    /// Whether the rule's scope has this action. Revealing has to be named: a permit
    /// for every action is not meant for it.
    fn is_meant_by(&self, name: &str, rule: &Policy) -> bool {
        let is = |uid: &EntityUid| *uid == self.uid || self.groups.contains(uid);
        match rule.action_constraint() {
            ActionConstraint::Any => name != REVEAL || rule.effect() == Effect::Forbid,
            ActionConstraint::Eq(uid) => uid == self.uid,
            ActionConstraint::In(uids) => uids.iter().any(is),
        }
    }
}

/// Whether a rule is for operators. All others are for skills and schedules, so
/// that a rule for everybody gives operators nothing.
pub(crate) fn is_for_operators(rule: &Policy) -> bool {
    match rule.principal_constraint() {
        PrincipalConstraint::Any => false,
        PrincipalConstraint::Is(kind) | PrincipalConstraint::IsIn(kind, _) => {
            kind.to_string() == OPERATOR
        }
        PrincipalConstraint::Eq(uid) | PrincipalConstraint::In(uid) => {
            uid.type_name().to_string() == OPERATOR
        }
    }
}

/// For whom of the principals of a type a rule is.
enum Principal {
    Anybody,
    One(String),
    Nobody,
}

impl Principal {
    fn of(rule: &Policy, kind: Kind) -> Self {
        let one = |uid: &EntityUid| Self::One(uid.id().unescaped().to_owned());
        let is = |uid: &EntityUid| Kind::of(&uid.type_name().to_string());
        // Schedules are in their skill, which has the same id; nobody else is in
        // anything but themselves.
        let within = |uid: &EntityUid| match (is(uid), kind) {
            (Some(Kind::Skill), Kind::Schedule) => one(uid),
            (Some(of), kind) if of == kind => one(uid),
            (Some(_) | None, _) => Self::Nobody,
        };
        match rule.principal_constraint() {
            PrincipalConstraint::Any if kind == Kind::Operator => Self::Nobody,
            PrincipalConstraint::Any => Self::Anybody,
            PrincipalConstraint::Is(of) if Kind::of(&of.to_string()) == Some(kind) => Self::Anybody,
            PrincipalConstraint::Is(_) => Self::Nobody,
            PrincipalConstraint::Eq(uid) if is(&uid) == Some(kind) => one(&uid),
            PrincipalConstraint::Eq(_) => Self::Nobody,
            PrincipalConstraint::In(uid) => within(&uid),
            PrincipalConstraint::IsIn(of, uid) if Kind::of(&of.to_string()) == Some(kind) => {
                within(&uid)
            }
            PrincipalConstraint::IsIn(_, _) => Self::Nobody,
        }
    }
}
