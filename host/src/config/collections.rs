//! What the operator declares about collections of records.

use std::collections::BTreeMap;

use postern_policy::FieldType;
use serde_json::Value;

use crate::understand::normal_postcode;

/// All declared collections. Undeclared ones do not exist for skills.
#[derive(Debug, Clone, Default)]
pub struct Collections(pub(super) BTreeMap<String, Collection>);

/// One collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collection {
    /// The field that names the customer to whom a record belongs.
    pub owner: Option<String>,
    /// Fields by which records can be found, besides `owner`.
    pub find_by: Vec<String>,
    /// Sets of fields that together tell who a customer is.
    pub identify_by: Vec<Vec<String>>,
    /// Fields that rules may read.
    pub readable: BTreeMap<String, FieldType>,
    /// Fields whose values skills see as placeholders.
    pub personal: Vec<PersonalField>,
    /// The field that holds how much money a record is about: a whole number of
    /// minor units, such as cents.
    pub amount: Option<String>,
    /// The field that names the currency of the amount.
    pub currency: Option<String>,
    /// Fields that decide what somebody can get at: changing one is a change of
    /// access.
    pub access: Vec<String>,
    /// Fields of which a change cannot be undone, such as the status of an order.
    pub irreversible: Vec<String>,
    /// In the collection of customers: the field with the customer's tier.
    pub tier: Option<String>,
}

/// A field with a personal value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalField {
    /// Its dotted name; `*` stands for any one name.
    pub path: String,
    /// What kind of datum it is, such as `EMAIL`.
    pub kind: String,
}

/// The value under a dotted name.
fn field<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(body, |value, name| value.get(name))
}

/// A text, number or truth value as the text by which it is compared.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Collections {
    /// The collection of this name.
    pub fn get(&self, name: &str) -> Option<&Collection> {
        self.0.get(name)
    }

    /// Whether the records of this collection are customers.
    pub fn is_of_customers(&self, name: &str) -> bool {
        self.get(name).is_some_and(|collection| !collection.identify_by.is_empty())
    }

    /// The collection whose records are customers, with its name.
    pub fn customers(&self) -> Option<(&str, &Collection)> {
        self.iter().find(|(_, collection)| !collection.identify_by.is_empty())
    }

    /// All of them with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Collection)> {
        self.0.iter().map(|(name, collection)| (name.as_str(), collection))
    }

    /// What policy needs to know of them.
    pub fn rules(&self) -> postern_policy::Collections {
        let rules = |collection: &Collection| postern_policy::CollectionRules {
            owner: collection.owner.clone(),
            readable: collection.readable.clone(),
        };
        postern_policy::Collections(
            self.0.iter().map(|(name, collection)| (name.clone(), rules(collection))).collect(),
        )
    }
}

impl Collection {
    /// Every field by which records can be found, each once.
    pub fn indexed(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = self
            .owner
            .iter()
            .chain(&self.find_by)
            .chain(self.identify_by.iter().flatten())
            .map(String::as_str)
            .collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// What a record is found by: field names and normalised values.
    pub fn index(&self, body: &Value) -> Vec<(String, String)> {
        self.indexed()
            .into_iter()
            .filter_map(|path| {
                let value = scalar(field(body, path)?)?;
                Some((path.to_owned(), self.comparable(path, &value)))
            })
            .collect()
    }

    /// The form in which a field's values are compared: owners exactly, as rules
    /// compare them; postcodes as postcodes; everything else without regard to
    /// case and to white space around.
    pub fn comparable(&self, path: &str, value: &str) -> String {
        if self.owner.as_deref() == Some(path) {
            return value.to_owned();
        }
        match self.personal_kind(path) {
            Some("POSTCODE") => normal_postcode(value),
            Some(_) | None => value.trim().to_lowercase(),
        }
    }

    /// The customer to whom a record belongs.
    pub fn owner_of(&self, body: &Value) -> Option<String> {
        scalar(field(body, self.owner.as_deref()?)?)
    }

    /// The text under a dotted name of a record, if there is one.
    pub fn text_of(body: &Value, path: &str) -> Option<String> {
        scalar(field(body, path)?).filter(|text| !text.trim().is_empty())
    }

    /// How much money a record is about, in minor units.
    pub fn amount_of(&self, body: &Value) -> Option<i64> {
        field(body, self.amount.as_deref()?)?.as_i64()
    }

    /// Whether a record would let somebody get at other things than before.
    pub fn changes_access(&self, before: Option<&Value>, after: &Value) -> bool {
        let value = |path: &str| before.and_then(|before| field(before, path));
        self.access.iter().any(|path| value(path) != field(after, path))
    }

    /// Whether what is there would change in a way that cannot be undone. A record
    /// that is new changes nothing.
    pub fn changes_irreversibly(&self, before: Option<&Value>, after: &Value) -> bool {
        let differs = |before: &Value| {
            self.irreversible.iter().any(|path| field(before, path) != field(after, path))
        };
        before.is_some_and(differs)
    }

    /// The tier of the customer whose record this is.
    pub fn tier_of(&self, body: &Value) -> Option<String> {
        Self::text_of(body, self.tier.as_deref()?)
    }

    /// The values that rules may read.
    pub fn readable_of(&self, body: &Value) -> BTreeMap<String, Value> {
        self.readable
            .keys()
            .filter_map(|path| Some((path.clone(), field(body, path)?.clone())))
            .collect()
    }

    /// The kind of personal datum under a dotted name, if it is personal.
    pub fn personal_kind(&self, path: &str) -> Option<&str> {
        let names: Vec<String> = path.split('.').map(str::to_owned).collect();
        self.personal_kind_at(&names)
    }

    /// Whether anything inside of a place in a record may be personal.
    pub fn is_personal_below(&self, names: &[String]) -> bool {
        self.personal.iter().any(|personal| {
            let mut wanted = personal.path.split('.');
            names.iter().all(|name| wanted.next().is_some_and(|want| want == "*" || want == name))
        })
    }

    /// Whether skills see what stands at a place in a record as it is: what rules read,
    /// and what a record or its owner is found by.
    pub fn is_plain(&self, names: &[String]) -> bool {
        let named = self.owner.iter().chain(&self.find_by).chain(self.readable.keys());
        let money = self.amount.iter().chain(&self.currency).chain(&self.tier);
        named.chain(money).any(|path| path.split('.').eq(names.iter().map(String::as_str)))
    }

    /// The kind of personal datum at a place in a record. Names may have dots.
    pub fn personal_kind_at(&self, names: &[String]) -> Option<&str> {
        let fits = |personal: &&PersonalField| {
            personal.path.split('.').count() == names.len()
                && personal
                    .path
                    .split('.')
                    .zip(names)
                    .all(|(want, name)| want == "*" || want == name)
        };
        self.personal.iter().find(fits).map(|personal| personal.kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn personal_paths_reach_inside_with_stars() {
        let personal =
            |path: &str, kind: &str| PersonalField { path: path.into(), kind: kind.into() };
        let collection = Collection {
            personal: vec![
                personal("payment_methods.*.last_four", "CARD"),
                personal("email", "EMAIL"),
            ],
            ..Collection::default()
        };
        assert_eq!(collection.personal_kind("payment_methods.card_1.last_four"), Some("CARD"));
        assert_eq!(collection.personal_kind("email"), Some("EMAIL"));
        for other in ["payment_methods.card_1", "email.x", "payment_methods.a.b.last_four", ""] {
            assert_eq!(collection.personal_kind(other), None, "{other}");
        }
    }

    #[test]
    fn an_index_has_normalised_scalars_only() {
        let collection = Collection {
            owner: Some("user_id".into()),
            identify_by: vec![vec!["email".into()], vec!["name.last".into(), "zip".into()]],
            ..Collection::default()
        };
        let body = json!({"user_id": "U1", "email": " A@B.example ", "name": {"last": "Núñez"}, "zip": 123, "more": {}});
        let index = collection.index(&body);
        let pairs: Vec<_> = index.iter().map(|(f, v)| (f.as_str(), v.as_str())).collect();
        assert_eq!(
            pairs,
            [("email", "a@b.example"), ("name.last", "núñez"), ("user_id", "U1"), ("zip", "123")]
        );
    }
}
