//! `postern policy`

use clap::Subcommand;

use super::{Context, output, output::out};
use crate::{app, config::Config};

#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Check the data folder's rules; every error is shown with its place.
    Check,
}

impl Policy {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<()> {
        context.require_folder()?;
        let Self::Check = self;
        let config = Config::load(&context.data)?;
        let policy = app::policies(&config)?;
        let rules = policy.rules().count();
        if context.json {
            output::json(&serde_json::json!({ "rules": rules, "digest": policy.digest() }))
        } else {
            out!(
                "{rules} rules in {} are in order ({})",
                config.policies.display(),
                policy.digest()
            );
            Ok(())
        }
    }
}
