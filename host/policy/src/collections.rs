//! What the operator declares about collections of records, as far as rules
//! are concerned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// All declared collections by name. Others do not exist for skills.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Collections(pub BTreeMap<String, CollectionRules>);

/// What rules need to know of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CollectionRules {
    /// The dotted name of the field that names the customer to whom a record
    /// belongs; without one the records belong to nobody.
    pub owner: Option<String>,
    /// Fields that rules may read as `resource.fields.…`, by dotted name.
    pub readable: BTreeMap<String, FieldType>,
}

/// The type of a field that rules may read. A value of another type counts as
/// missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldType {
    /// A text.
    String,
    /// A whole number of 64 bits.
    Long,
    /// True or false.
    Bool,
}

impl FieldType {
    /// The name in the schema.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Long => "Long",
            Self::Bool => "Bool",
        }
    }
}

/// Readable fields as the tree that their dotted names describe.
pub(crate) enum FieldNode {
    Leaf(FieldType),
    Inner(BTreeMap<String, FieldNode>),
}

impl CollectionRules {
    /// The readable fields as a tree.
    ///
    /// # Errors
    /// A name that is empty, odd, or both a value and an object.
    pub(crate) fn fields(&self) -> Result<BTreeMap<String, FieldNode>, String> {
        let mut root = BTreeMap::new();
        for (path, kind) in &self.readable {
            let names: Vec<&str> = path.split('.').collect();
            if names.len() > MAX_FIELD_DEPTH || !names.iter().all(|name| is_field_name(name)) {
                return Err(format!(
                    "readable field {path:?}: use 1 to {MAX_FIELD_DEPTH} names of letters, digits, \
                     `_` and `-`, with dots between them"
                ));
            }
            insert(&mut root, &names, *kind).ok_or_else(|| {
                format!(
                    "readable field {path:?} is inside another readable field: declare one of them"
                )
            })?;
        }
        Ok(root)
    }
}

const MAX_FIELD_DEPTH: usize = 8;

fn is_field_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn insert(node: &mut BTreeMap<String, FieldNode>, names: &[&str], kind: FieldType) -> Option<()> {
    let (first, rest) = names.split_first()?;
    if rest.is_empty() {
        return match node.insert((*first).to_owned(), FieldNode::Leaf(kind)) {
            None => Some(()),
            Some(FieldNode::Leaf(_) | FieldNode::Inner(_)) => None,
        };
    }
    let inner =
        node.entry((*first).to_owned()).or_insert_with(|| FieldNode::Inner(BTreeMap::new()));
    match inner {
        FieldNode::Leaf(_) => None,
        FieldNode::Inner(inner) => insert(inner, rest, kind),
    }
}

/// Whether a collection's name can name a type in rules: `orders`.
pub(crate) fn is_collection_name(name: &str) -> bool {
    /// Words of the rule language.
    const RESERVED: [&str; 9] = ["true", "false", "if", "then", "else", "in", "is", "like", "has"];
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && !RESERVED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paths: &[&str], fine: bool) {
        let readable = paths.iter().map(|p| ((*p).to_owned(), FieldType::String)).collect();
        let rules = CollectionRules { owner: None, readable };
        assert_eq!(rules.fields().is_ok(), fine, "{paths:?}");
    }

    #[test]
    fn readable_fields_form_a_tree_or_are_refused() {
        check(&["status", "address.zip", "address.country", "zip-code"], true);
        check(&["address", "address.zip"], false);
        check(&[""], false);
        check(&["a..b"], false);
        check(&["a\"b"], false);
        check(&["a.a.a.a.a.a.a.a.a"], false);
    }

    #[test]
    fn collection_names_are_names_of_types() {
        for good in ["orders", "o2_x"] {
            assert!(is_collection_name(good), "{good}");
        }
        for bad in ["", "Orders", "2x", "a-b", "in", "a::b", &"a".repeat(65)] {
            assert!(!is_collection_name(bad), "{bad}");
        }
    }
}
