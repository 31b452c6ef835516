//! `postern bench`

mod figures;
mod load;
mod skill_call;

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use clap::Args;
use postern_store::{SqliteStore, Store as _};
use serde_json::json;

use self::figures::{Figure, Report};
use super::{Context, operator_entry, output, output::out};
use crate::{
    app::{self, App},
    clock::SystemClock,
    config::Config,
    redaction,
    registry::Compiler,
};

/// Measure this host on this machine.
///
/// Works on a copy of the data folder's configuration, rules and skills in a
/// temporary folder, with a store and customers of its own and a stand-in for
/// the Bot API on loopback; the data folder is not changed. Needs the skills
/// crm-lookup and order-status. Numbers of different machines, or of a debug
/// build, cannot be compared.
#[derive(Debug, Args)]
pub(super) struct Bench {
    /// Webhooks to send.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    messages: u32,
    /// Connections that send at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    connections: u32,
    /// Calls of a skill for each way of calling.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    calls: u32,
}

/// Orders and customers that the benchmark invents, one each per chat.
const CUSTOMERS: u32 = 64;

fn email(customer: u32) -> String {
    format!("customer{customer}@bench.example")
}

fn order(customer: u32) -> String {
    format!("#W{:07}", 1_000_000 + customer)
}

impl Bench {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        context.require_folder()?;
        let folder = tempfile::tempdir().context("no temporary folder")?;
        for part in ["keys", "skills", "policies", "policy", "secrets"] {
            copy(&context.data.join(part), &folder.path().join(part))
                .with_context(|| format!("copying {part}"))?;
        }
        let mut config = Config::load(&context.data)?;
        config.data = folder.path().to_owned();
        let platform = load::Platform::start().await?;
        config.telegram = load::accounts(&platform.url)?;
        let store = Arc::new(app::open_store(folder.path()).await?);
        customers(&config, &store).await?;
        let app = App::assemble(config, store, Arc::new(SystemClock), Compiler::this_program())?;
        for skill in ["crm-lookup", "order-status"] {
            let known = app.skills().active.keys().any(|id| id.as_str() == skill);
            anyhow::ensure!(known, "skill {skill} is not installed in {}", context.data.display());
        }
        let mut report = Report::default();
        if !context.json {
            redaction::tell("[1/3] webhooks → acknowledged → answered …");
        }
        load::measure(&app, &platform, self.messages, self.connections, &mut report).await?;
        if !context.json {
            redaction::tell("[2/3] one message at a time …");
        }
        load::one_by_one(&app, &platform, (self.messages / 10).max(50), &mut report).await?;
        if !context.json {
            redaction::tell("[3/3] calls of a skill …");
        }
        skill_call::measure(&app, self.calls, &mut report).await?;
        if context.json {
            return output::json(&report);
        }
        let rows: Vec<Vec<String>> = report.figures.iter().map(Figure::cells).collect();
        output::table(&["what", "value", "unit"], &rows)?;
        if cfg!(debug_assertions) {
            out!("This is a debug build; measure with `cargo xtask bench`.");
        }
        Ok(())
    }
}

/// Copies a folder with its folders.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Invents customers with one order each.
async fn customers(config: &Config, store: &SqliteStore) -> anyhow::Result<()> {
    let document = |collection: &str, key: String, body: serde_json::Value| {
        let index = config.collections.get(collection).map(|c| c.index(&body)).unwrap_or_default();
        postern_store::IndexedDocument { key, body, index }
    };
    let users = (0..CUSTOMERS).map(|n| {
        let id = format!("bench_{n}");
        let body = json!({
            "user_id": id, "email": email(n), "name": {"first_name": "Bench", "last_name": "Mark"},
            "address": {"zip": "10000"}, "orders": [order(n)], "payment_methods": {},
        });
        document("users", id, body)
    });
    let orders = (0..CUSTOMERS).map(|n| {
        let body = json!({
            "order_id": order(n), "user_id": format!("bench_{n}"), "status": "pending",
            "address": {}, "fulfillments": [], "payment_history": [],
            "items": [{"name": "Lamp", "product_id": "1", "item_id": "2", "price": 9.5, "options": {}}],
        });
        document("orders", order(n), body)
    });
    let collections =
        [("users".to_owned(), users.collect()), ("orders".to_owned(), orders.collect())].into();
    let entry = operator_entry("records:import", "bench".to_owned(), String::new());
    store.import(collections, entry).await?;
    Ok(())
}
