//! `postern init`

use std::{fs, path::Path};

use anyhow::Context as _;
use clap::Args;
use postern_domain::{AuditEntry, AuditKind};
use postern_store::{Commit, Store as _};

use super::{Context, output::out};
use crate::{
    app,
    clock::{Clock as _, SystemClock},
    config::{self, Config},
    keys::{MasterKey, random_token, write_private},
    operators::Actor,
    policies,
};

/// The default rules and their cases, compiled in.
pub(super) const POLICIES: [(&str, &str); 20] = [
    ("postern.cedarschema", include_str!("../../../policies/postern.cedarschema")),
    ("limits.toml", include_str!("../../../policies/limits.toml")),
    ("approvals.toml", include_str!("../../../policies/approvals.toml")),
    ("privacy.toml", include_str!("../../../policies/privacy.toml")),
    ("base.cedar", include_str!("../../../policies/base.cedar")),
    ("crm-lookup.cedar", include_str!("../../../policies/crm-lookup.cedar")),
    ("effects.cedar", include_str!("../../../policies/effects.cedar")),
    ("escalation.cedar", include_str!("../../../policies/escalation.cedar")),
    ("operators.cedar", include_str!("../../../policies/operators.cedar")),
    ("order-status.cedar", include_str!("../../../policies/order-status.cedar")),
    ("privacy.cedar", include_str!("../../../policies/privacy.cedar")),
    ("refund-check.cedar", include_str!("../../../policies/refund-check.cedar")),
    ("shipment-tracking.cedar", include_str!("../../../policies/shipment-tracking.cedar")),
    ("cases/base.toml", include_str!("../../../policies/cases/base.toml")),
    ("cases/crm-lookup.toml", include_str!("../../../policies/cases/crm-lookup.toml")),
    ("cases/effects.toml", include_str!("../../../policies/cases/effects.toml")),
    ("cases/escalation.toml", include_str!("../../../policies/cases/escalation.toml")),
    ("cases/order-status.toml", include_str!("../../../policies/cases/order-status.toml")),
    ("cases/refund-check.toml", include_str!("../../../policies/cases/refund-check.toml")),
    (
        "cases/shipment-tracking.toml",
        include_str!("../../../policies/cases/shipment-tracking.toml"),
    ),
];

/// Make a data folder: configuration, keys, default rules.
///
/// Nothing that exists is overwritten.
#[derive(Debug, Args)]
pub(super) struct Init {}

impl Init {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let data = &context.data;
        let file = data.join(config::FILE_NAME);
        anyhow::ensure!(
            !file.exists(),
            "{} exists already; edit it, or choose another folder with --data",
            file.display()
        );
        for folder in ["", "keys", "secrets", "policies", "policies/cases"] {
            private_folder(&data.join(folder))?;
        }
        let write = |path: &str, content: &[u8]| {
            let path = data.join(path);
            if path.exists() {
                return Ok(());
            }
            write_private(&path, content).with_context(|| path.display().to_string())
        };
        let key = data.join(app::KEY_FILE);
        if !key.exists() {
            MasterKey::generate()?.write_new(&key)?;
        }
        write("secrets/operator-token", random_token()?.as_bytes())?;
        for (name, text) in POLICIES {
            write(&format!("policies/{name}"), text.as_bytes())?;
        }
        let config = Config::parse(data, config::FILE_NAME, config::DEFAULT)?;
        first_rules(&config).await?;
        // Last, because it marks the folder as complete.
        write(config::FILE_NAME, config::DEFAULT.as_bytes())?;
        if context.json {
            return super::output::json(&serde_json::json!({ "data": data }));
        }
        out!("Made {}. Keep keys/ and secrets/ to yourself and in your backups.", data.display());
        out!("Next: edit {}, then `postern skill install`, `postern serve`.", file.display());
        Ok(())
    }
}

/// Puts the rules of the folder in force, in the audit log like any others.
async fn first_rules(config: &Config) -> anyhow::Result<()> {
    let (actor, now) = (Actor::local(), SystemClock.now());
    let Some(made) = policies::first(config, &actor.name(), now)? else { return Ok(()) };
    let store = app::open_store(&config.data).await?;
    let resource = format!("generation {} {}", made.number, made.digest);
    let entry = AuditEntry {
        detail: format!("by {}: the first", made.author),
        ..AuditEntry::new(now, AuditKind::Operator, actor.name(), "policy:apply", resource)
    };
    store.commit(Commit { audit: vec![entry], ..Commit::default() }).await?;
    Ok(())
}

fn private_folder(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).with_context(|| path.display().to_string())
}
