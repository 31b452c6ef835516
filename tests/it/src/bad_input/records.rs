//! Files of records.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::refused;
use crate::setup::{Town, Untouched, outcome};

const GOOD: &str = r##""orders": {"#W1": {"user_id": "u1", "status": "pending"}}"##;

#[tokio::test]
async fn what_is_wrong_in_a_file_of_records_is_named_and_nothing_is_imported() -> Result<()> {
    let town = Town::build(&[]).await?;
    town.import(&json!({ "orders": { "#W0": { "user_id": "u0", "status": "delivered" } } }))
        .await?;
    let file = town.data.path().join("shop.json");
    let deep =
        format!("{{\"orders\": {{\"#W2\": {}1{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!(r#"{{"orders": {{"{}": {{"user_id": "u1"}}}}}}"#, "x".repeat(201));
    let cases = [
        ("", "line 1, column 0"),
        ("[1]", "must be {collection: {id: document}}"),
        ("{\"orders\": ", "line 1"),
        ("{\"orders\": {}} more", "line 1, column 16"),
        (r#"{"orders": []}"#, "orders: must be"),
        (r#"{"secrets": {}}"#, "secrets: not declared; add [collections.secrets]"),
        (r##"{"orders": {"#W2": 5}}"##, "orders.#W2: must be an object"),
        (r##"{"orders": {"#W2": {}}}"##, "orders.#W2.user_id: is missing"),
        (r#"{"orders": {"": {"user_id": "u1"}}}"#, "an id is 1 to 200 bytes"),
        (r#"{"orders": {"a\nb": {"user_id": "u1"}}}"#, "without control characters"),
        (&long, "an id is 1 to 200 bytes"),
        (&deep, "line 1"),
    ];
    for (text, reason) in cases {
        // Whatever is fine beside it is not imported either.
        let beside = text.strip_prefix('{').map(|rest| format!("{{{GOOD}, {rest}"));
        for text in [Some(text.to_owned()), beside.filter(|_| !reason.starts_with("line"))] {
            let Some(text) = text else { continue };
            fs::write(&file, &text)?;
            let before = Untouched::now(&town.data).await?;
            let name = file.display().to_string();
            refused(&town.data, &before, &["records", "import", &name], &["shop.json: ", reason])
                .await
                .with_context(|| text.chars().take(80).collect::<String>())?;
        }
    }
    let (code, out, _) =
        outcome(&town.data, &["records", "get", "orders", "#W0", "--json"]).await?;
    ensure!(code == Some(0) && out.contains("\"version\":1"), "{out}");
    let (code, _, _) = outcome(&town.data, &["records", "get", "orders", "#W1"]).await?;
    ensure!(code == Some(1));
    Ok(())
}
