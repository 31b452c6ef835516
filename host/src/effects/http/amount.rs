//! The money that a request moves, as its JSON body says.

use std::{collections::BTreeSet, fmt};

use postern_domain::HttpRequest;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

/// Bytes of a pointer.
const MOST_BYTES: usize = 256;

/// Where an amount stands in a JSON body: the names of members on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountPointer(Vec<String>);

impl AmountPointer {
    /// Reads a JSON pointer such as `/payment/amount_cents`.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = text.strip_prefix('/').filter(|names| !names.is_empty());
        match names.filter(|_| text.len() <= MOST_BYTES) {
            Some(names) => {
                let plain = |name: &str| name.replace("~1", "/").replace("~0", "~");
                Ok(Self(names.split('/').map(plain).collect()))
            }
            None => Err(format!("{text:?} is no JSON pointer such as /amount_cents")),
        }
    }

    /// How much a request moves, in minor units. What could be read in two ways is not
    /// known: another type of content, a name that stands twice, also in other letter
    /// case, and what is no whole number or is below nothing.
    pub(super) fn of(&self, request: &HttpRequest) -> Option<i64> {
        let is_type = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
        let mut types = request.headers.iter().filter(is_type);
        let (Some((_, kind)), None) = (types.next(), types.next()) else { return None };
        if !kind.split(';').next()?.trim().eq_ignore_ascii_case("application/json") {
            return None;
        }
        let mut body = serde_json::Deserializer::from_slice(&request.body);
        let found = Below(&self.0).deserialize(&mut body).ok()?;
        body.end().ok()?;
        found
    }
}

/// Looks for the amount below a place in the body.
struct Below<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = Option<i64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => deserializer.deserialize_u64(self),
            [_, ..] => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the amount, or the amount")
    }

    fn visit_u64<E>(self, amount: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(amount).ok())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let Some((wanted, rest)) = self.0.split_first() else {
            return Err(A::Error::custom("an object is no amount"));
        };
        let (mut seen, mut found) = (BTreeSet::new(), None);
        while let Some(name) = members.next_key::<String>()? {
            // Some letters are the same only one way round.
            if !seen.insert(name.to_uppercase().to_lowercase()) {
                return Err(A::Error::custom("a name stands twice"));
            }
            if name == *wanted {
                found = members.next_value_seed(Below(rest))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use postern_domain::HttpMethod;

    use super::*;

    fn amount(kinds: &[&str], body: &str) -> Option<i64> {
        let header = |kind: &&str| ("Content-Type".to_owned(), (*kind).to_owned());
        AmountPointer::parse("/payment/a~1b").unwrap().of(&HttpRequest {
            method: HttpMethod::Post,
            url: "https://bank.example/pay".into(),
            headers: kinds.iter().map(header).collect(),
            body: body.into(),
            secrets: vec![],
            idempotent: true,
        })
    }

    #[test]
    fn an_amount_is_known_only_where_everybody_reads_the_same() {
        let json = ["application/json; charset=utf-8"];
        let fine = r#"{"x": [{}], "payment": {"to": "ann", "a/b": 1250}}"#;
        assert_eq!(amount(&json, fine), Some(1_250));
        for unknown in [
            "",
            "null",
            "[1]",
            "{}",
            r#"{"payment": 5}"#,
            r#"{"payment": {"a/b": -1}}"#,
            r#"{"payment": {"a/b": 12.5}}"#,
            r#"{"payment": {"a/b": 1e2}}"#,
            r#"{"payment": {"a/b": "12"}}"#,
            r#"{"payment": {"a/b": null}}"#,
            r#"{"payment": {"a/b": {}}}"#,
            r#"{"payment": {"a/b": 9223372036854775808}}"#,
            r#"{"payment": {"a/b": 1, "a/b": 99}}"#,
            r#"{"payment": {"a/b": 1, "A\u002fb": 99}}"#,
            r#"{"payment": {"a/b": 1}, "Payment": {"a/b": 99}}"#,
            r#"{"payment": {"a/b": 1}} {"payment": {"a/b": 99}}"#,
        ] {
            assert_eq!(amount(&json, unknown), None, "{unknown}");
        }
        for kinds in [&[][..], &["text/plain"], &["application/json", "text/plain"]] {
            assert_eq!(amount(kinds, fine), None, "{kinds:?}");
        }
    }

    #[test]
    fn pointers_name_a_member() {
        for wrong in ["", "/", "amount", "a/b"] {
            assert!(AmountPointer::parse(wrong).is_err(), "{wrong}");
        }
    }
}
