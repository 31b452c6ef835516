//! The names of types, parsed once, and values built with them.

use std::collections::BTreeMap;

use cedar_policy::{
    EntityId, EntityTypeName, EntityUid, ParseErrors, RestrictedExpression as Expr,
};
use serde_json::Value;

use crate::{
    Collections,
    collections::{FieldNode, FieldType},
    schema::RECORD,
};

/// The types of principals.
pub(crate) const SKILL: &str = "Skill";
/// A schedule of a skill.
pub(crate) const SCHEDULE: &str = "Schedule";
/// A person who runs the host.
pub(crate) const OPERATOR: &str = "Operator";

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
    pub(crate) datum: EntityTypeName,
    pub(crate) operator: EntityTypeName,
    pub(crate) role: EntityTypeName,
    pub(crate) host: EntityTypeName,
    pub(crate) route: EntityTypeName,
    pub(crate) collections: BTreeMap<String, Collection>,
}

/// A declared collection.
pub(crate) struct Collection {
    /// The type of its records.
    pub(crate) kind: EntityTypeName,
    /// Whether its records belong to customers.
    pub(crate) owned: bool,
    /// The readable fields, one by one.
    pub(crate) leaves: Vec<Leaf>,
    fields: BTreeMap<String, FieldNode>,
}

/// A readable field.
pub(crate) struct Leaf {
    /// Its dotted name.
    pub(crate) path: String,
    /// `fields` and the names on the way to it, with its own.
    pub(crate) names: Vec<String>,
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
                leaves: rules.readable.keys().map(|path| Leaf::new(path)).collect(),
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
            schedule: SCHEDULE.parse()?,
            datum: "Datum".parse()?,
            operator: OPERATOR.parse()?,
            role: "Role".parse()?,
            host: "Host".parse()?,
            route: "Route".parse()?,
            collections: known,
        })
    }
}

impl Leaf {
    fn new(path: &str) -> Self {
        let names = ["fields"].into_iter().chain(path.split('.')).map(str::to_owned).collect();
        Self { path: path.to_owned(), names }
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

/// A text.
pub(crate) fn string(text: &str) -> Expr {
    Expr::new_string(text.to_owned())
}

/// A set of texts.
pub(crate) fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Expr {
    Expr::new_set(texts.into_iter().map(string))
}

/// A record of members with names of their own.
pub(crate) fn record(members: impl IntoIterator<Item = (impl Into<String>, Expr)>) -> Expr {
    Expr::new_record(members.into_iter().map(|(name, value)| (name.into(), value)))
        .unwrap_or_else(|_| Expr::new_set([]))
}
