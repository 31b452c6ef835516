//! JSON whose errors name the field and keep its value to themselves.

use serde::de::DeserializeOwned;

/// Reads a value; the error says which field is wrong and what was expected.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if !error.inner().is_data() {
            return "not valid JSON".to_owned();
        }
        let reason = without_value(&error.inner().to_string());
        let field = error.path().to_string();
        if field == "." { reason } else { format!("`{field}`: {reason}") }
    })?;
    json.end().map_err(|_| "something follows the value".to_owned())?;
    Ok(value)
}

/// What serde expected, without what it found: that may be personal.
fn without_value(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(reason, _)| reason);
    if message.starts_with("missing field ") {
        return message.to_owned();
    }
    match message.rfind("expected ") {
        Some(start) => message[start..].to_owned(),
        None => "the value is not acceptable".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only their reading is tested")]
    struct Order {
        order_id: String,
        count: Option<u8>,
    }

    fn check(json: &str, reason: &str) {
        assert_eq!(read::<Order>(json.as_bytes()).unwrap_err(), reason, "{json}");
    }

    #[test]
    fn errors_name_the_field_and_hide_the_value() {
        check("{}", "missing field `order_id`");
        check(r#"{"order_id":7}"#, "`order_id`: expected a string");
        check(r#"{"order_id":"x","count":"ann@example.com"}"#, "`count`: expected u8");
        check(r#"{"order_id":"x","count":4711}"#, "`count`: expected u8");
        check(r#"{"order_id":"x","id":1}"#, "`id`: expected `order_id` or `count`");
        check("{", "not valid JSON");
        check(r#"{"order_id":"x"} y"#, "something follows the value");
    }
}
