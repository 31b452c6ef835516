//! What rules can read of a request, before it is put into Cedar's form: borrowed,
//! so that a decision that was made before costs no more than looking it up.

use std::collections::{BTreeMap, HashSet};

use cedar_policy::{Entity, EntityTypeName, EntityUid, RestrictedExpression as Expr};
use serde_json::Value as Json;

use crate::{
    duty::Duties,
    names::Names,
    vocabulary::{Collection, record, reference, string, strings, uid},
};

/// A value of an attribute.
#[derive(Clone)]
pub(crate) enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A text that differs from customer to customer.
    Personal(&'a str),
    /// A version, as text.
    Version(&'a semver::Version),
    /// A whole number.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// An entity.
    Name(&'a EntityTypeName, &'a str),
    /// A set of texts.
    Texts(Vec<&'a str>),
    /// A set of entities.
    Names(&'a EntityTypeName, Vec<&'a str>),
    /// A record.
    Record(Members<'a>),
    /// The readable fields of a record in the store.
    Fields(&'a Collection, &'a BTreeMap<String, Json>),
}

/// Attributes by name. One that is absent is not among them.
pub(crate) type Members<'a> = Vec<(&'static str, Value<'a>)>;

impl Value<'_> {
    /// A count; what exceeds the range of the language becomes its largest.
    pub(crate) fn count(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// The value in Cedar's form.
    pub(crate) fn expression(&self) -> Expr {
        match self {
            Self::Text(text) | Self::Personal(text) => string(text),
            Self::Version(version) => string(&version.to_string()),
            Self::Number(number) => Expr::new_long(*number),
            Self::Flag(flag) => Expr::new_bool(*flag),
            Self::Name(kind, id) => reference(kind, id),
            Self::Texts(texts) => strings(texts.iter().copied()),
            Self::Names(kind, ids) => Expr::new_set(ids.iter().map(|id| reference(kind, id))),
            Self::Record(members) => {
                record(members.iter().map(|(name, value)| (*name, value.expression())))
            }
            Self::Fields(collection, values) => collection.fields(values),
        }
    }
}

/// An entity that rules may look at.
pub(crate) struct Thing<'a> {
    pub(crate) kind: &'a EntityTypeName,
    pub(crate) id: &'a str,
    pub(crate) group: Option<EntityUid>,
    pub(crate) attributes: Members<'a>,
}

impl<'a> Thing<'a> {
    /// An entity in no group.
    pub(crate) fn new(kind: &'a EntityTypeName, id: &'a str, attributes: Members<'a>) -> Self {
        Self { kind, id, group: None, attributes }
    }

    /// The entity with those attributes that could be read. Attributes that Cedar
    /// cannot take are left out with all others, and rules that read them fail.
    pub(crate) fn entity(&self, read: &Names) -> Entity {
        let attributes = self.attributes.iter().filter(|(name, _)| read.have(name));
        let attributes = attributes.map(|(name, value)| ((*name).to_owned(), value.expression()));
        let groups: HashSet<EntityUid> = self.group.iter().cloned().collect();
        let uid = uid(self.kind, self.id);
        Entity::new(uid.clone(), attributes.collect(), groups.clone())
            .unwrap_or_else(|_| Entity::new_no_attrs(uid, groups))
    }
}

/// One question to the rules. A write has one for each step.
pub(crate) struct Question<'a> {
    /// Who asks.
    pub(crate) principal: Thing<'a>,
    /// The action's name.
    pub(crate) action: &'static str,
    /// On what.
    pub(crate) resource: Thing<'a>,
    /// What of the resource's type is not given by the action: the collection.
    pub(crate) sort: &'a str,
    /// Under which circumstances, but for the duties that are fulfilled.
    pub(crate) context: Members<'a>,
    /// On what, in words without personal data.
    pub(crate) words: String,
    /// What is fulfilled.
    pub(crate) now: Duties,
}

impl Question<'_> {
    /// Everything of the question that can make a difference to rules that read
    /// these names: two questions with the same key get the same answer. No two
    /// different values have the same form in it.
    pub(crate) fn key(&self, now: Duties, read: &Names) -> Box<[u8]> {
        let mut key =
            Key { bytes: Vec::with_capacity(256), seen: [""; MOST_PERSONAL], known: 0, read };
        key.bytes.extend_from_slice(&now.bytes());
        key.text(self.principal.id);
        key.text(self.sort);
        if read.have_resource_id() {
            key.text(self.resource.id);
        }
        for members in [&self.principal.attributes, &self.resource.attributes, &self.context] {
            for (name, value) in members.iter().filter(|(name, _)| read.have(name)) {
                key.text(name);
                key.value(value, read.have_value(name));
            }
            key.bytes.push(END);
        }
        key.bytes.into_boxed_slice()
    }
}

/// Personal values of one question: the customer's key, a record's key, its owner
/// now and afterwards.
const MOST_PERSONAL: usize = 4;

/// Ends a list of members.
const END: u8 = b'}';

/// A key being written.
struct Key<'q> {
    bytes: Vec<u8>,
    seen: [&'q str; MOST_PERSONAL],
    known: usize,
    read: &'q Names,
}

impl<'q> Key<'q> {
    fn text(&mut self, text: &str) {
        self.bytes.push(b'"');
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn length(&mut self, length: usize) {
        self.bytes.extend_from_slice(&(length as u64).to_le_bytes());
    }

    /// A value of which `whole` says whether it is used as a whole.
    fn value(&mut self, value: &Value<'q>, whole: bool) {
        match value {
            Value::Text(text) => self.text(text),
            Value::Personal(text) => self.personal(text),
            Value::Version(version) => self.text(&version.to_string()),
            Value::Number(number) => self.number(*number),
            Value::Flag(flag) => self.bytes.push(if *flag { b'+' } else { b'-' }),
            Value::Name(_, id) => self.text(id),
            Value::Texts(texts) | Value::Names(_, texts) => {
                self.bytes.push(b'[');
                self.length(texts.len());
                texts.iter().for_each(|text| self.text(text));
            }
            Value::Record(members) => {
                for (name, value) in members {
                    if whole || self.read.have(name) {
                        self.text(name);
                        self.value(value, whole || self.read.have_value(name));
                    }
                }
                self.bytes.push(END);
            }
            Value::Fields(collection, values) => {
                for (place, leaf) in collection.leaves.iter().enumerate() {
                    let used = whole || leaf.names.iter().any(|name| self.read.have_value(name));
                    if let Some(value) = values.get(&leaf.path).filter(|_| used) {
                        self.bytes.push(b'.');
                        self.length(place);
                        self.json(value);
                    }
                }
                self.bytes.push(END);
            }
        }
    }

    fn number(&mut self, number: i64) {
        self.bytes.push(b'#');
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// A value that counts by which others it equals, where rules do no more than
    /// compare it with those.
    fn personal(&mut self, text: &'q str) {
        if !self.read.by_pattern() {
            return self.text(text);
        }
        let place = self.seen[..self.known].iter().position(|other| *other == text);
        let place = place.unwrap_or(self.known);
        if place == self.known {
            match self.seen.get_mut(self.known) {
                Some(free) => *free = text,
                None => return self.text(text),
            }
            self.known += 1;
        }
        self.bytes.push(b'=');
        self.length(place);
    }

    fn json(&mut self, value: &Json) {
        match value {
            Json::String(text) => self.text(text),
            Json::Bool(flag) => self.bytes.push(if *flag { b'+' } else { b'-' }),
            Json::Number(number) => match number.as_i64() {
                Some(number) => self.number(number),
                None => self.bytes.push(b'?'),
            },
            // Of another type than any field: it counts as missing.
            Json::Null | Json::Array(_) | Json::Object(_) => self.bytes.push(b'?'),
        }
    }
}
