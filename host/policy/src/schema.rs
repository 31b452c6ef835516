//! The schema: the file's text, with a type for each declared collection.
//!
//! The file declares `Record` as a pattern. For each collection it becomes a
//! type of its own, `Record::orders`, whose `fields` are the readable ones, and
//! takes the pattern's place in every action. So a rule that misspells a
//! collection or a field does not load.

use std::collections::BTreeMap;

use cedar_policy::{Schema, SchemaFragment};
use serde_json::{Map, Value, json};

use crate::{
    Collections, PolicyError, PolicySource,
    collections::{FieldNode, is_collection_name},
    limits::{MAX_COLLECTIONS, check_text},
    slice::{ACTIONS, ACTS},
    vocabulary::OPERATOR,
};

/// The pattern of record types, and the namespace in which they are.
pub(crate) const RECORD: &str = "Record";

/// The file named in errors about declared collections.
const CONFIGURATION: &str = "configuration";

/// A schema that was read. Rules for operators are checked apart from all others:
/// what the others read does not exist where an operator acts.
pub(crate) struct Schemas {
    /// What skills and schedules do.
    pub(crate) calls: Schema,
    /// What operators do.
    pub(crate) acts: Schema,
}

/// The schema with the types of the declared collections.
///
/// # Errors
/// Everything that is wrong with the file or with the declarations.
pub(crate) fn load(
    source: &PolicySource,
    collections: &Collections,
) -> Result<Schemas, Vec<PolicyError>> {
    let shapes = shapes(collections)?;
    check_text(&source.file, &source.text).map_err(|error| vec![error])?;
    let of_file = |found: &dyn miette::Diagnostic| {
        vec![PolicyError::of_diagnostic(&source.file, &source.text, found)]
    };
    // The whole file first: errors found here have a place in it.
    if let Err(found) = Schema::from_cedarschema_str(&source.text) {
        return Err(of_file(&found));
    }
    let (fragment, _) =
        SchemaFragment::from_cedarschema_str(&source.text).map_err(|found| of_file(&found))?;
    let mut json = fragment.to_json_value().map_err(|found| of_file(&found))?;
    expand(&mut json, &shapes)
        .map_err(|message| vec![PolicyError::of_file(&source.file, message)])?;
    let part = |operators: bool| {
        Schema::from_json_value(part(&json, operators)).map_err(|found| of_file(&found))
    };
    let schemas = Schemas { calls: part(false)?, acts: part(true)? };
    let missing = missing_actions(&schemas.calls);
    if missing.is_empty() {
        Ok(schemas)
    } else {
        let message = format!("the schema lacks the actions {}", missing.join(", "));
        Err(vec![PolicyError::of_file(&source.file, message)])
    }
}

/// The schema with the actions of operators, or with all others. The rest keep
/// their names and apply to nothing.
fn part(schema: &Value, operators: bool) -> Value {
    let mut part = schema.clone();
    let actions = part.pointer_mut("/").and_then(|root| root.get_mut("actions")?.as_object_mut());
    for action in actions.into_iter().flat_map(|actions| actions.values_mut()) {
        let principals = action.pointer("/appliesTo/principalTypes").and_then(Value::as_array);
        let is_for = principals.is_some_and(|names| names.iter().any(|name| name == OPERATOR));
        if is_for != operators
            && let Some(action) = action.as_object_mut()
        {
            action.remove("appliesTo");
        }
    }
    part
}

fn missing_actions(schema: &Schema) -> Vec<&'static str> {
    let declared: Vec<_> = schema.actions().map(|uid| uid.id().unescaped()).collect();
    ACTIONS.into_iter().chain(ACTS).filter(|name| !declared.contains(name)).collect()
}

/// The type of `fields` for each collection.
fn shapes(collections: &Collections) -> Result<BTreeMap<&str, Value>, Vec<PolicyError>> {
    if collections.0.len() > MAX_COLLECTIONS {
        let message = format!("{} collections; at most {MAX_COLLECTIONS}", collections.0.len());
        return Err(vec![PolicyError::of_file(CONFIGURATION, message)]);
    }
    let mut errors = Vec::new();
    let mut shapes = BTreeMap::new();
    for (name, rules) in &collections.0 {
        if !is_collection_name(name) {
            let message = format!("collection {name:?}: the name cannot be used in rules");
            let hint = "use 1 to 64 lower-case letters, digits and `_`, a letter first, and no word of the rule language";
            errors.push(PolicyError::of_file(CONFIGURATION, message).hint(hint.to_owned()));
            continue;
        }
        match rules.fields() {
            Ok(fields) => {
                shapes.insert(name.as_str(), record_type(&fields));
            }
            Err(reason) => {
                let message = format!("collection {name:?}: {reason}");
                errors.push(PolicyError::of_file(CONFIGURATION, message));
            }
        }
    }
    if errors.is_empty() { Ok(shapes) } else { Err(errors) }
}

/// The fields are required: reading one that a record lacks is an evaluation
/// error, which denies.
fn record_type(fields: &BTreeMap<String, FieldNode>) -> Value {
    let attributes: Map<String, Value> = fields
        .iter()
        .map(|(name, node)| {
            let kind = match node {
                FieldNode::Leaf(kind) => json!({ "type": kind.as_str() }),
                FieldNode::Inner(inner) => record_type(inner),
            };
            (name.clone(), kind)
        })
        .collect();
    json!({ "type": "Record", "attributes": attributes })
}

/// Puts the types of the collections in the place of the pattern.
fn expand(schema: &mut Value, shapes: &BTreeMap<&str, Value>) -> Result<(), String> {
    if shapes.is_empty() {
        return Ok(());
    }
    let pattern = schema
        .pointer_mut("/")
        .and_then(|root| root.get_mut("entityTypes")?.as_object_mut()?.remove(RECORD))
        .ok_or("the schema has no entity `Record`, the pattern of record types")?;
    let mut types = Map::new();
    for (name, fields) in shapes {
        let mut of_collection = pattern.clone();
        let attributes = of_collection
            .pointer_mut("/shape/attributes")
            .and_then(Value::as_object_mut)
            .ok_or("the entity `Record` has no attributes")?;
        attributes.insert("fields".to_owned(), fields.clone());
        types.insert((*name).to_owned(), of_collection);
    }
    let names: Vec<Value> = shapes.keys().map(|name| format!("{RECORD}::{name}").into()).collect();
    let actions = schema.pointer_mut("/").and_then(|root| root.get_mut("actions")?.as_object_mut());
    for action in actions.into_iter().flat_map(|actions| actions.values_mut()) {
        let resources =
            action.pointer_mut("/appliesTo/resourceTypes").and_then(Value::as_array_mut);
        if let Some(resources) = resources
            && let Some(at) = resources.iter().position(|name| name == RECORD)
        {
            resources.splice(at..=at, names.iter().cloned());
        }
    }
    let root = schema.as_object_mut().ok_or("the schema is not an object")?;
    if root.contains_key(RECORD) {
        return Err("the namespace `Record` is the host's own".to_owned());
    }
    root.insert(RECORD.to_owned(), json!({ "entityTypes": types, "actions": {} }));
    Ok(())
}
