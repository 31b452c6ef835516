//! The names of types, parsed once, and values built with them.

use std::collections::{BTreeMap, HashSet};

use cedar_policy::{
    Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, RestrictedExpression as Expr,
};
use serde_json::Value;

use crate::{
    Collections,
    collections::{FieldNode, FieldType},
    names::Names,
    schema::RECORD,
};

/// The type of principals.
pub(crate) const SKILL: &str = "Skill";

/// Types of the schema, and the declared collections.
pub(crate) struct Vocabulary {
    pub(crate) skill: EntityTypeName,
    pub(crate) identity_level: EntityTypeName,
    pub(crate) channel: EntityTypeName,
    pub(crate) log_level: EntityTypeName,
    pub(crate) method: EntityTypeName,
    pub(crate) priority: EntityTypeName,
    pub(crate) severity: EntityTypeName,
    pub(crate) ticket_status: EntityTypeName,
    pub(crate) log: EntityTypeName,
    pub(crate) kv_space: EntityTypeName,
    pub(crate) endpoint: EntityTypeName,
    pub(crate) ticket_list: EntityTypeName,
    pub(crate) ticket: EntityTypeName,
    pub(crate) queue: EntityTypeName,
    pub(crate) knowledge: EntityTypeName,
    pub(crate) model: EntityTypeName,
    pub(crate) audience: EntityTypeName,
    pub(crate) schedule: EntityTypeName,
    pub(crate) collections: BTreeMap<String, Collection>,
}

/// A declared collection.
pub(crate) struct Collection {
    /// The type of its records.
    pub(crate) kind: EntityTypeName,
    /// Whether its records belong to customers.
    pub(crate) owned: bool,
    fields: BTreeMap<String, FieldNode>,
}

impl Vocabulary {
    /// The vocabulary of collections that [`schema::load`](crate::schema::load)
    /// accepted.
    ///
    /// # Errors
    /// A name that is none; with accepted collections never.
    pub(crate) fn new(collections: &Collections) -> Result<Self, Box<ParseErrors>> {
        let mut known = BTreeMap::new();
        for (name, rules) in &collections.0 {
            let collection = Collection {
                kind: format!("{RECORD}::{name}").parse()?,
                owned: rules.owner.is_some(),
                fields: rules.fields().unwrap_or_default(),
            };
            known.insert(name.clone(), collection);
        }
        Ok(Self {
            skill: SKILL.parse()?,
            identity_level: "IdentityLevel".parse()?,
            channel: "Channel".parse()?,
            log_level: "LogLevel".parse()?,
            method: "Method".parse()?,
            priority: "Priority".parse()?,
            severity: "Severity".parse()?,
            ticket_status: "TicketStatus".parse()?,
            log: "Log".parse()?,
            kv_space: "KvSpace".parse()?,
            endpoint: "Endpoint".parse()?,
            ticket_list: "TicketList".parse()?,
            ticket: "Ticket".parse()?,
            queue: "Queue".parse()?,
            knowledge: "Knowledge".parse()?,
            model: "Model".parse()?,
            audience: "Audience".parse()?,
            schedule: "Schedule".parse()?,
            collections: known,
        })
    }
}

impl Collection {
    /// What rules read as `resource.fields`. A value that is missing or of
    /// another type is left out: a rule that reads it cannot be evaluated.
    pub(crate) fn fields(&self, values: &BTreeMap<String, Value>) -> Expr {
        tree(&self.fields, &mut String::new(), values)
    }
}

fn tree(
    nodes: &BTreeMap<String, FieldNode>,
    path: &mut String,
    values: &BTreeMap<String, Value>,
) -> Expr {
    let start = path.len();
    let mut members = Vec::with_capacity(nodes.len());
    for (name, node) in nodes {
        path.push_str(name);
        let value = match node {
            FieldNode::Leaf(kind) => values.get(path.as_str()).and_then(|v| typed(*kind, v)),
            FieldNode::Inner(inner) => {
                path.push('.');
                Some(tree(inner, path, values))
            }
        };
        members.extend(value.map(|value| (name.as_str(), value)));
        path.truncate(start);
    }
    record(members)
}

fn typed(kind: FieldType, value: &Value) -> Option<Expr> {
    match kind {
        FieldType::String => value.as_str().map(string),
        FieldType::Long => value.as_i64().map(Expr::new_long),
        FieldType::Bool => value.as_bool().map(Expr::new_bool),
    }
}

/// The entity of this type and id.
pub(crate) fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// An entity as a value.
pub(crate) fn reference(kind: &EntityTypeName, id: &str) -> Expr {
    Expr::new_entity_uid(uid(kind, id))
}

/// An entity that rules may look at: its attributes, and no groups.
pub(crate) struct Thing {
    pub(crate) uid: EntityUid,
    pub(crate) attributes: Vec<(&'static str, Expr)>,
}

impl Thing {
    /// The entity with those attributes that could be read. Attributes that Cedar
    /// cannot take are left out with all others, and rules that read them fail.
    pub(crate) fn with(&self, read: &Names) -> Entity {
        let attributes = self.attributes.iter().filter(|(name, _)| read.have(name));
        let attributes = attributes.map(|(name, value)| ((*name).to_owned(), value.clone()));
        Entity::new(self.uid.clone(), attributes.collect(), HashSet::new())
            .unwrap_or_else(|_| Entity::new_no_attrs(self.uid.clone(), HashSet::new()))
    }
}

/// An entity with these attributes.
pub(crate) fn entity<const N: usize>(
    uid: EntityUid,
    attributes: [(&'static str, Expr); N],
) -> Thing {
    Thing { uid, attributes: attributes.into() }
}

/// A text.
pub(crate) fn string(text: &str) -> Expr {
    Expr::new_string(text.to_owned())
}

/// A set of texts.
pub(crate) fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Expr {
    Expr::new_set(texts.into_iter().map(string))
}

/// A count; what exceeds the range of the language becomes its largest.
pub(crate) fn count(number: usize) -> Expr {
    Expr::new_long(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A record of members with names of their own.
pub(crate) fn record(members: impl IntoIterator<Item = (impl Into<String>, Expr)>) -> Expr {
    Expr::new_record(members.into_iter().map(|(name, value)| (name.into(), value)))
        .unwrap_or_else(|_| Expr::new_set([]))
}
