//! What the real host writes about messages and requests with personal data in them:
//! nowhere is any of it to be read, in any of the usual encodings.

use anyhow::{Context as _, Result, ensure};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use postern_test_support::{
    crm::Crm,
    host::{ACCOUNT, Host},
    http_client,
};
use sqlx::{
    Column as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use crate::{
    personal_data::with_crm,
    setup::{Customer, SECRET, Town, eventually, outcome},
};

const EMAIL: &str = "ines.ruiz@example.com";
/// What customers write and senders of nonsense send.
const PLANTED: [&str; 6] = [
    EMAIL,
    "+1 202-555-0143",
    "4111 1111 1111 1111",
    "11010519491231002X",
    "GB82WEST12345698765432",
    "ann.lee@mail.example.org",
];

/// Tables that may hold values, because that is what they are for: a message until a
/// turn has taken its values out, the values behind placeholders, the shop's records
/// and their index.
const MAY_HOLD: [&str; 4] = ["inbox", "vault", "records", "record_index"];

fn encodings(planted: &str) -> Vec<String> {
    vec![
        planted.to_owned(),
        STANDARD.encode(planted),
        URL_SAFE_NO_PAD.encode(planted),
        planted.bytes().map(|byte| format!("{byte:02x}")).collect(),
        planted.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        planted.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
    ]
}

fn gives_nothing_away(place: &str, text: &str) -> Result<()> {
    for hidden in PLANTED.into_iter().flat_map(encodings) {
        ensure!(!text.contains(&hidden), "{place} has {hidden:?}: {text}");
    }
    Ok(())
}

/// Requests that no listener takes, with everything planted in them.
async fn send_nonsense(town: &Town, host: &Host) -> Result<()> {
    let client = http_client();
    let token = town.data.operator_token()?;
    let (public, operator) = (host.public(), host.operator_page());
    let hook = format!("{public}/webhooks/telegram/{ACCOUNT}");
    for hidden in PLANTED.into_iter().flat_map(encodings) {
        let path: String = url_encoded(&hidden);
        let body = format!("{{\"message\": {{\"text\": \"{hidden}\", \"from\": {hidden}}}");
        let secret = "x-telegram-bot-api-secret-token";
        let requests = [
            client.post(&hook).header(secret, SECRET).body(body.clone()),
            client.post(&hook).header(secret, "wrong").body(body.clone()),
            client.post(format!("{public}/webhooks/telegram/{path}")).body(body.clone()),
            client.get(format!("{public}/{path}?q={path}")),
            client.delete(format!("{public}/chat/{path}")),
            client.get(format!("{operator}/api/conversations/{path}")).bearer_auth(&token),
            client.get(format!("{operator}/api/audit?limit={path}")).bearer_auth(&token),
            client.get(format!("{operator}/tickets/{path}")).bearer_auth(&token),
            client.get(format!("{operator}/")).bearer_auth(&path),
            client.post(format!("{operator}/api/approvals/{path}/approve")).bearer_auth(&token),
        ];
        for request in requests {
            let answer = request.send().await?;
            let (url, status) = (answer.url().path().to_owned(), answer.status());
            ensure!(status.is_client_error(), "{url} was answered with {status}");
            gives_nothing_away(&url, &answer.text().await?)?;
        }
    }
    Ok(())
}

/// As it stands in a path or a query.
fn url_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Every table's rows as text, by the names of the tables.
async fn tables(town: &Town) -> Result<Vec<(String, String)>> {
    let options = SqliteConnectOptions::new().filename(town.data.path().join("postern.db"));
    let mut database = SqliteConnection::connect_with(&options).await?;
    let names = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let names = sqlx::query(names).fetch_all(&mut database).await?;
    let mut tables = Vec::new();
    for name in names.iter().map(|row| row.get::<String, _>("name")) {
        let rows = sqlx::AssertSqlSafe(format!("SELECT * FROM \"{name}\""));
        let rows = sqlx::query(rows).fetch_all(&mut database).await?;
        let mut text = String::new();
        for row in &rows {
            for column in row.columns() {
                let value = row.try_get_unchecked::<Option<Vec<u8>>, _>(column.ordinal())?;
                text.push_str(&String::from_utf8_lossy(&value.unwrap_or_default()));
                text.push('\n');
            }
        }
        tables.push((name, text));
    }
    Ok(tables)
}

#[tokio::test]
async fn nothing_that_the_host_writes_gives_anything_away() -> Result<()> {
    let crm = Crm::start().await?;
    let town = with_crm(&crm).await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 6_101);
    customer.says("What is the status of my order #W1204518?").await?;
    customer.says(EMAIL).await?;
    let [email, phone, card, others @ ..] = PLANTED;
    let wish = format!("Have sales call me: {email}, {phone}, my card is {card}");
    let told = customer.says(&wish).await?;
    // A person has the conversation by now; what is written to them is kept as well.
    customer.sends(&format!("and also {}", others.join(", "))).await?;
    let messages = told.detail.messages.len();
    let conversation = customer.conversation();
    eventually("the last message", || async {
        let detail = host.operator().conversation(&conversation).await?;
        Ok(detail.filter(|detail| detail.messages.len() > messages))
    })
    .await?;
    gives_nothing_away("the operator's view", &serde_json::to_string(&told.detail)?)?;
    send_nonsense(&town, &host).await?;

    let (code, rows, _) = outcome(&town.data, &["audit", "tail", "-n", "1000", "--json"]).await?;
    ensure!(code == Some(0) && rows.contains("http:send"), "{rows}");
    gives_nothing_away("audit", &rows)?;
    for call in &told.detail.invocations {
        for form in [&["replay", call.id.as_str()][..], &["replay", call.id.as_str(), "--json"]] {
            let (code, shown, complaint) = outcome(&town.data, form).await?;
            ensure!(code == Some(0), "{complaint}");
            gives_nothing_away("the journal", &shown)?;
        }
    }
    let metrics = format!("{}/metrics", host.operator_page());
    let token = town.data.operator_token()?;
    let metrics = http_client().get(&metrics).bearer_auth(&token).send().await?.text().await?;
    ensure!(metrics.contains("postern_host_calls_total"), "{metrics}");
    gives_nothing_away("metrics", &metrics)?;

    host.stop().await?;
    let log = std::fs::read_to_string(town.data.path().join("host.log"))?;
    ensure!(log.contains("given ") && log.contains("refused"), "{log}");
    gives_nothing_away("the log", &log)?;

    let tables = tables(&town).await?;
    let holds = |name: &str| tables.iter().any(|(table, text)| table == name && text.len() > 100);
    ensure!(holds("audit") && holds("journal") && holds("messages"), "there is nothing to look at");
    let vault = tables.iter().find(|(table, _)| table == "vault").context("no vault")?;
    ensure!(vault.1.contains(EMAIL), "this test sees values where they are");
    for (table, text) in tables.iter().filter(|(table, _)| !MAY_HOLD.contains(&table.as_str())) {
        gives_nothing_away(&format!("the table {table}"), text)?;
    }
    let (code, said, complaint) = outcome(&town.data, &["audit", "verify"]).await?;
    ensure!(code == Some(0), "{said}{complaint}");
    Ok(())
}

#[tokio::test]
async fn what_a_command_complains_of_gives_nothing_away() -> Result<()> {
    let town = Town::build(&[]).await?;
    for hidden in PLANTED.into_iter().flat_map(encodings) {
        let kept = format!("nowhere {hidden}");
        for json in [&[][..], &["--json"]] {
            let arguments = [&["audit", "verify", "--kept", kept.as_str()], json].concat();
            let (code, said, complaint) = outcome(&town.data, &arguments).await?;
            ensure!(code == Some(1) && complaint.contains("nowhere"), "{said}{complaint}");
            gives_nothing_away("standard error", &complaint)?;
        }
        let usage = ["audit", "tail", "--rows", hidden.as_str()];
        let (code, said, complaint) = outcome(&town.data, &usage).await?;
        ensure!(code == Some(2) && complaint.contains("--rows"), "{said}{complaint}");
        gives_nothing_away("wrong usage", &complaint)?;
    }
    Ok(())
}
