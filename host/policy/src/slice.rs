//! Slices: for each principal and action the rules that could apply.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    ActionConstraint, Entities, Entity, EntityUid, Policy, PolicySet, PolicySetError,
    PrincipalConstraint, Schema, entities_errors::EntitiesError,
};

use crate::{names::Names, rule::Rule, vocabulary::SKILL};

/// Every action that is judged, by its name in rules.
pub(crate) const ACTIONS: [&str; 21] = [
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
#[derive(Clone)]
pub(crate) struct Slice {
    pub(crate) rules: PolicySet,
    /// What they read of principal, resource and context.
    pub(crate) read: Names,
}

impl Slice {
    fn new(rules: PolicySet) -> Self {
        let read = Names::read_by(rules.policies());
        Self { rules, read }
    }
}

/// The rules, cut by principal and action.
pub(crate) struct Slices {
    actions: HashMap<&'static str, Action>,
    /// For skills that some rule names: only the actions of such rules.
    named: HashMap<String, HashMap<&'static str, Slice>>,
    /// For every other skill.
    others: HashMap<&'static str, Slice>,
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
    pub(crate) fn cut(schema: &Schema, rules: &[Rule]) -> Result<Self, CutError> {
        let (mut named, mut others) = (HashMap::<_, HashMap<_, _>>::new(), HashMap::new());
        let actions = actions(schema)?;
        for (name, action) in &actions {
            let mut for_all = PolicySet::new();
            let mut for_one: HashMap<String, Vec<&Policy>> = HashMap::new();
            for rule in rules.iter().map(|rule| &rule.policy) {
                if !action.is_meant_by(rule) {
                    continue;
                }
                match Principal::of(rule) {
                    Principal::Anybody => for_all.add(rule.clone())?,
                    Principal::Skill(id) => for_one.entry(id).or_default().push(rule),
                    Principal::Nobody => {}
                }
            }
            for (skill, own) in for_one {
                let mut set = for_all.clone();
                for rule in own {
                    set.add(rule.clone())?;
                }
                named.entry(skill).or_default().insert(*name, Slice::new(set));
            }
            others.insert(*name, Slice::new(for_all));
        }
        Ok(Self { actions, named, others })
    }

    /// The action of this name and the rules that could apply to this skill.
    pub(crate) fn find(&self, skill: &str, action: &str) -> Option<(&Action, &Slice)> {
        let own = self.named.get(skill).and_then(|actions| actions.get(action));
        Some((self.actions.get(action)?, own.or_else(|| self.others.get(action))?))
    }

    /// All rules for every skill and action, to compare with.
    #[cfg(test)]
    pub(crate) fn uncut(schema: &Schema, rules: &[Rule]) -> Result<Self, CutError> {
        let all = PolicySet::from_policies(rules.iter().map(|rule| rule.policy.clone()))?;
        let all = Slice { rules: all, read: Names::Any };
        let others = ACTIONS.into_iter().map(|name| (name, all.clone())).collect();
        Ok(Self { actions: actions(schema)?, named: HashMap::new(), others })
    }
}

fn actions(schema: &Schema) -> Result<HashMap<&'static str, Action>, CutError> {
    let all = schema.action_entities()?;
    let mut actions = HashMap::new();
    for uid in all.iter().map(Entity::uid) {
        let Some(name) = ACTIONS.into_iter().find(|name| *name == uid.id().unescaped()) else {
            continue;
        };
        let groups: HashSet<EntityUid> =
            all.ancestors(&uid).into_iter().flatten().cloned().collect();
        let entity = Entity::new_no_attrs(uid.clone(), groups.clone());
        let entities = Entities::from_entities([entity], None)?;
        actions.insert(name, Action { uid, entities, groups });
    }
    Ok(actions)
}

impl Action {
    /// Whether the rule's scope has this action.
    fn is_meant_by(&self, rule: &Policy) -> bool {
        let is = |uid: &EntityUid| *uid == self.uid || self.groups.contains(uid);
        match rule.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => uid == self.uid,
            ActionConstraint::In(uids) => uids.iter().any(is),
        }
    }
}

/// For whom a rule is.
enum Principal {
    Anybody,
    Skill(String),
    /// An entity that is not a skill: validation lets none through.
    Nobody,
}

impl Principal {
    fn of(rule: &Policy) -> Self {
        match rule.principal_constraint() {
            PrincipalConstraint::Any => Self::Anybody,
            PrincipalConstraint::Is(kind) if kind.to_string() == SKILL => Self::Anybody,
            PrincipalConstraint::Is(_) => Self::Nobody,
            // Skills are in no groups: only a skill itself is in it.
            PrincipalConstraint::Eq(uid)
            | PrincipalConstraint::In(uid)
            | PrincipalConstraint::IsIn(_, uid) => {
                if uid.type_name().to_string() == SKILL {
                    Self::Skill(uid.id().unescaped().to_owned())
                } else {
                    Self::Nobody
                }
            }
        }
    }
}
