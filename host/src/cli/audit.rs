//! `postern audit`

use clap::Subcommand;
use postern_domain::{AuditRow, ConversationId};
use postern_store::Store as _;

use super::{Context, output};

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Show the last rows, oldest first.
    Tail {
        /// How many.
        #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        rows: u32,
        /// Only those about this conversation.
        #[arg(long)]
        conversation: Option<ConversationId>,
    },
}

impl Audit {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let Self::Tail { rows, conversation } = self;
        let store = context.store().await?;
        let rows = store.audit_tail(rows, conversation.as_ref()).await?;
        if context.json {
            return rows.iter().try_for_each(output::json);
        }
        let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
        output::table(&["number", "time", "who", "what", "on what", "decision", "detail"], &rows)?;
        Ok(())
    }
}

fn cells(row: &AuditRow) -> Vec<String> {
    let entry = &row.entry;
    let decision = entry
        .verdict
        .as_ref()
        .map(|verdict| format!("{} ({})", verdict.decision.as_str(), verdict.rules.join(", ")))
        .unwrap_or_default();
    vec![
        row.number.to_string(),
        entry.at.to_string(),
        entry.actor.clone(),
        entry.action.clone(),
        entry.resource.clone(),
        decision,
        entry.detail.clone(),
    ]
}
