//! `postern.toml`.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use postern_test_support::host::DataFolder;

use super::refused;
use crate::setup::Untouched;

/// A text of the default, what stands there instead, and what must be said.
struct Case(&'static str, &'static str, &'static [&'static str]);

/// At the end of the file.
const END: &str = "[policy]\nfolder = \"policies\"\n";
const TELEGRAM: &str =
    "[channels.telegram.main]\nbot_token = { file = \"secrets/operator-token\" }\n";

const CASES: [Case; 33] = [
    Case("[server]", "[server", &["postern.toml", "line"]),
    Case("[server]\n", "[server]\ncolour = \"red\"\n", &["postern.toml", "line", "colour"]),
    Case("[server]", "[servers]", &["postern.toml", "servers"]),
    Case("[limits]\n", "[limits]\ncpu_seconds = 1\n", &["postern.toml", "line", "cpu_seconds"]),
    Case("\"127.0.0.1:0\"", "\"localhost\"", &["server.public", "\"localhost\"", "127.0.0.1:8080"]),
    Case("\"127.0.0.1:0\"", "8080", &["postern.toml", "line", "string"]),
    Case("operator = \"127.0.0.1:0\"", "operator = \"127.0.0.1\"", &["server.operator"]),
    Case("secrets/operator-token", "secrets/none", &["server.operator_token", "secrets/none"]),
    Case(
        "{ file = \"secrets/operator-token\" }",
        "{ env = \"POSTERN_NOT_SET\" }",
        &["server.operator_token", "POSTERN_NOT_SET is not set"],
    ),
    Case(
        "{ file = \"secrets/operator-token\" }",
        "\"hunter2hunter2hunter2\"",
        &["line", "a secret never stands in this file"],
    ),
    Case(
        "{ file = \"secrets/operator-token\" }",
        "{ file = \"secrets/short\" }",
        &["server.operator_token", "at least 16"],
    ),
    Case("origins = []", "origins = [\"shop.example\"]", &["channels.web.main.origins"]),
    Case(
        "origins = []",
        "origins = [\"https://shop.example/page\"]",
        &["channels.web.main.origins", "is not an origin"],
    ),
    Case("[channels.web.main]", "[channels.web.\"ma in\"]", &["channels.web.ma in", "a name is"]),
    Case("[channels.web.main]", "[channels.fax.main]", &["line", "fax"]),
    Case(END, TELEGRAM, &["line", "secret_token"]),
    Case(
        END,
        "[channels.telegram.main]\nbot_token = { file = \"secrets/operator-token\" }\nsecret_token = { file = \"secrets/spaced\" }\n",
        &["channels.telegram.main.secret_token", "Telegram takes"],
    ),
    Case(
        END,
        "[channels.telegram.main]\nbot_token = { file = \"secrets/operator-token\" }\nsecret_token = { file = \"secrets/operator-token\" }\napi_base = \"telegram\"\n",
        &["channels.telegram.main.api_base", "is not a URL"],
    ),
    Case(
        END,
        "[endpoints.carrier]\nurl = \"http://carrier.example/\"\n",
        &["endpoints.carrier.url", "private = ["],
    ),
    Case(
        END,
        "[endpoints.carrier]\nurl = \"https://user:pw@carrier.example/\"\n",
        &["endpoints.carrier.url", "without user"],
    ),
    Case(
        END,
        "[secrets.token]\nvalue = { file = \"secrets/operator-token\" }\nendpoint = \"carrier\"\nheader = \"authorization\"\n",
        &["secrets.token.endpoint", "no endpoint \"carrier\""],
    ),
    Case(
        END,
        "[endpoints.carrier]\nurl = \"https://carrier.example/\"\n[secrets.token]\nvalue = { file = \"secrets/operator-token\" }\nendpoint = \"carrier\"\nheader = \"a header\"\n",
        &["secrets.token.header", "not a header name"],
    ),
    Case(
        "\"email\" = \"EMAIL\"",
        "\"email\" = \"e-mail\"",
        &["collections.users.personal.email", "a capital letter"],
    ),
    Case("[[\"email\"], [", "[[], [", &["collections.users.identify_by", "must not be empty"]),
    Case(
        "owner = \"user_id\"\nidentify_by",
        "identify_by",
        &["collections.users.owner", "is needed"],
    ),
    Case("{ status = \"String\" }", "{ status = \"Text\" }", &["line", "Text"]),
    Case("workers = 8", "workers = 0", &["pipeline.workers", "0 is not between 1 and 256"]),
    Case("workers = 8", "workers = \"many\"", &["line", "postern.toml"]),
    Case("lease_s = 60", "lease_s = 1", &["pipeline.lease_s", "between 5 and"]),
    Case("unknown_send = \"resend\"", "unknown_send = \"maybe\"", &["line", "maybe"]),
    Case("queue = \"support\"", "queue = \"the support\"", &["pipeline.queue", "a name is"]),
    Case("memory_mib = 64", "memory_mib = 100000", &["limits.memory_mib", "100000 is not between"]),
    Case(
        END,
        "[skills.\"Order Status\".settings]\ncurrency = \"EUR\"\n",
        &["line", "Order Status"],
    ),
];

async fn folder() -> Result<DataFolder> {
    let data = DataFolder::temporary().await?;
    data.write_secret("short", "too short")?;
    data.write_secret("spaced", "a secret with spaces in it")?;
    Ok(data)
}

#[tokio::test]
async fn what_is_wrong_in_the_configuration_is_named_by_check_and_by_serve() -> Result<()> {
    let data = folder().await?;
    let path = data.path().join("postern.toml");
    let fine = fs::read_to_string(&path)?;
    for Case(find, put, reasons) in CASES {
        ensure!(fine.contains(find), "{find:?} is not in the default");
        // Appended texts keep the section that they stand for.
        let put = if find == END { format!("{END}{put}") } else { put.to_owned() };
        fs::write(&path, fine.replacen(find, &put, 1))?;
        let before = Untouched::now(&data).await?;
        let reasons: Vec<&str> = reasons.to_vec();
        refused(&data, &before, &["policy", "check"], &reasons)
            .await
            .with_context(|| format!("{put:?}"))?;
        refused(&data, &before, &["serve"], &reasons).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_folder_of_rules_that_is_not_there_is_named() -> Result<()> {
    let data = folder().await?;
    let path = data.path().join("postern.toml");
    let fine = fs::read_to_string(&path)?;
    fs::write(&path, fine.replacen("folder = \"policies\"", "folder = \"rules\"", 1))?;
    let before = Untouched::now(&data).await?;
    for command in [&["policy", "check"][..], &["policy", "apply"]] {
        refused(&data, &before, command, &["rules", "postern init"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_that_stands_in_the_configuration_is_not_repeated() -> Result<()> {
    let data = folder().await?;
    let path = data.path().join("postern.toml");
    let fine = fs::read_to_string(&path)?;
    let token = "{ file = \"secrets/operator-token\" }";
    for given in ["\"hunter2hunter2hunter2\"", "{ value = \"hunter2hunter2hunter2\" }"] {
        fs::write(&path, fine.replacen(token, given, 1))?;
        let (code, out, complaint) = crate::setup::outcome(&data, &["serve"]).await?;
        ensure!(code == Some(1) && !complaint.contains("hunter2") && out.is_empty(), "{complaint}");
    }
    Ok(())
}

#[tokio::test]
async fn a_host_without_a_sound_configuration_makes_no_database() -> Result<()> {
    let data = folder().await?;
    let path = data.path().join("postern.toml");
    fs::write(&path, "[server")?;
    for made_by_init in ["postern.db", "postern.db-wal", "postern.db-shm"] {
        let _absent = fs::remove_file(data.path().join(made_by_init));
    }
    let (code, _, _) = crate::setup::outcome(&data, &["serve"]).await?;
    ensure!(code == Some(1) && !data.path().join("postern.db").exists());
    Ok(())
}

#[tokio::test]
async fn settings_that_no_skill_has_are_refused_when_serving() -> Result<()> {
    let town = crate::setup::Town::build(&["order-status", "crm-lookup"]).await?;
    let path = town.data.path().join("postern.toml");
    let fine = fs::read_to_string(&path)?;
    fs::write(&path, format!("{fine}\n[skills.order-status.settings]\ncolour = \"red\"\n"))?;
    let before = Untouched::now(&town.data).await?;
    let reasons = ["postern.toml", "skills.order-status.settings.colour", "no such setting"];
    refused(&town.data, &before, &["serve"], &reasons).await
}
