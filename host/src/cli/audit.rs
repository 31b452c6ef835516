//! `postern audit`

use std::{io::Write as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use postern_domain::{AuditReport, AuditRow, Checkpoint, ConversationId};
use postern_store::Store;

use super::{Context, output, output::out};
use crate::{
    app::KEY_FILE,
    audit::{self, Signer},
    clock::{Clock as _, SystemClock},
    keys::MasterKey,
};

/// Rows that are read at a time.
const PAGE: u32 = 2_000;

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
    /// Show the rows that fit all of what is given, oldest first.
    Search(Search),
    /// Prove that no row was changed, removed, put in, moved or cut off.
    ///
    /// Looks at every row and every signed checkpoint. Exits with 1 if anything is
    /// not as it was written. No signature speaks for rows behind the last
    /// checkpoint, and somebody who can write the database and the folder `keys` can
    /// go back to an earlier one, or sign another log: keep an export elsewhere and
    /// name it with --kept, then what it saw must still be there.
    Verify {
        /// An export, or its last line, that was kept elsewhere.
        #[arg(long, value_name = "FILE")]
        kept: Option<PathBuf>,
    },
    /// Write all rows as JSON Lines, and last a signed checkpoint.
    Export {
        /// The file; standard output without it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// What rows must have.
#[derive(Debug, Args)]
pub(super) struct Search {
    /// At most so many, the newest.
    #[arg(short = 'n', long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rows: u32,
    /// Who, or how it begins: `skill:order-status`.
    #[arg(long)]
    actor: Option<String>,
    /// What, or how it begins: `records:`.
    #[arg(long)]
    action: Option<String>,
    /// On what, or how it begins: `orders/`.
    #[arg(long)]
    resource: Option<String>,
    /// What policy said: allow, deny, require_approval.
    #[arg(long)]
    decision: Option<String>,
    /// A rule that decided.
    #[arg(long)]
    rule: Option<String>,
    /// An id: of a request, conversation, message, turn or invocation.
    #[arg(long)]
    id: Option<String>,
    /// Not before this time, as 2026-01-31T12:00:00Z.
    #[arg(long)]
    since: Option<jiff::Timestamp>,
    /// Before this time.
    #[arg(long)]
    until: Option<jiff::Timestamp>,
}

impl Audit {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let store = context.store().await?;
        match self {
            Self::Tail { rows, conversation } => {
                show(context, &store.audit_tail(rows, conversation.as_ref()).await?)
            }
            Self::Search(search) => show(context, &search.run(&store).await?),
            Self::Verify { kept } => verify(context, &store, kept).await,
            Self::Export { out } => export(context, &store, out).await,
        }
    }
}

fn show(context: &Context, rows: &[AuditRow]) -> anyhow::Result<()> {
    if context.json {
        return rows.iter().try_for_each(output::json);
    }
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    output::table(&["number", "time", "who", "what", "on what", "decision", "detail"], &rows)
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

/// Every row of the log, page by page.
async fn each_row(
    store: &dyn Store,
    mut row: impl FnMut(AuditRow) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut after = i64::MIN;
    loop {
        let page = store.audit_scan(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for scanned in page {
            let found = scanned.row.with_context(|| {
                let (chain, number) = (&scanned.chain, scanned.number);
                format!("row {number} of {chain} was changed; `postern audit verify` tells more")
            })?;
            row(found)?;
        }
    }
}

impl Search {
    async fn run(&self, store: &dyn Store) -> anyhow::Result<Vec<AuditRow>> {
        let mut found = std::collections::VecDeque::new();
        each_row(store, |row| {
            if self.fits(&row) {
                if found.len() == self.rows as usize {
                    found.pop_front();
                }
                found.push_back(row);
            }
            Ok(())
        })
        .await?;
        Ok(found.into())
    }

    fn fits(&self, row: &AuditRow) -> bool {
        let entry = &row.entry;
        let begins = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| text.starts_with(wanted.as_str()))
        };
        let verdict = entry.verdict.as_ref();
        let decision = verdict.map(|verdict| verdict.decision.as_str());
        let rules = verdict.map(|verdict| verdict.rules.as_slice()).unwrap_or_default();
        let ids = [
            entry.request.as_ref().map(ToString::to_string),
            entry.conversation.as_ref().map(ToString::to_string),
            entry.message.as_ref().map(ToString::to_string),
            entry.turn.as_ref().map(ToString::to_string),
            entry.invocation.as_ref().map(ToString::to_string),
        ];
        let ms = entry.at.millis();
        begins(&self.actor, &entry.actor)
            && begins(&self.action, &entry.action)
            && begins(&self.resource, &entry.resource)
            && self.decision.as_ref().is_none_or(|wanted| decision == Some(wanted.as_str()))
            && self.rule.as_ref().is_none_or(|wanted| rules.contains(wanted))
            && self.id.as_ref().is_none_or(|wanted| ids.contains(&Some(wanted.clone())))
            && self.since.is_none_or(|since| ms >= since.as_millisecond())
            && self.until.is_none_or(|until| ms < until.as_millisecond())
    }
}

fn signer(context: &Context) -> anyhow::Result<Signer> {
    Ok(Signer::new(&MasterKey::read(&context.data.join(KEY_FILE))?))
}

async fn verify(context: &Context, store: &dyn Store, kept: Option<PathBuf>) -> anyhow::Result<()> {
    let public_key = signer(context)?.public_key();
    let mut known: Vec<Checkpoint> = audit::remembered(&context.data)?.into_iter().collect();
    known.extend(kept.as_deref().map(last_checkpoint).transpose()?);
    let report = audit::verify(store, &public_key, &known).await?;
    if context.json {
        output::json(&serde_json::json!({ "public_key": public_key, "report": report }))?;
    } else {
        tell(&report, &public_key)?;
    }
    anyhow::ensure!(
        report.wrong == 0,
        "the audit log is not as it was written: {} findings; keep this folder as evidence and \
         compare with a backup or an export",
        report.wrong
    );
    Ok(())
}

fn tell(report: &AuditReport, public_key: &str) -> anyhow::Result<()> {
    for finding in &report.findings {
        out!("{finding}");
    }
    for (chain, rows) in &report.chains {
        out!("chain {chain}: {rows} rows");
    }
    let last = report.last_checkpoint.map_or("none yet".to_owned(), |at| format!("the last {at}"));
    out!("checkpoints: {} ({last}), signed with {public_key}", report.checkpoints);
    out!(
        "rows behind the last checkpoint, for which no signature speaks: {}",
        report.unsigned_rows
    );
    if report.wrong == 0 {
        out!("{} rows are as they were written", report.rows);
    }
    Ok(())
}

/// The checkpoint at the end of an export.
fn last_checkpoint(file: &std::path::Path) -> anyhow::Result<Checkpoint> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    let line = text.lines().last().unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    serde_json::from_value(value["checkpoint"].clone()).map_err(|_| {
        anyhow::anyhow!(
            "{}: the last line is no checkpoint; name a file that `postern audit export` wrote",
            file.display()
        )
    })
}

async fn export(context: &Context, store: &dyn Store, to: Option<PathBuf>) -> anyhow::Result<()> {
    // Made before: it says that all that is exported was there.
    audit::make_checkpoint(store, &signer(context)?, &context.data, SystemClock.now()).await?;
    let mut out: Box<dyn std::io::Write> = match &to {
        Some(path) => {
            let file = std::fs::File::create_new(path)
                .with_context(|| format!("{} cannot be made", path.display()))?;
            Box::new(std::io::BufWriter::new(file))
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let mut count = 0_u64;
    each_row(store, |row| {
        count += 1;
        Ok(writeln!(out, "{}", serde_json::to_string(&row)?)?)
    })
    .await?;
    if let Some(checkpoint) = store.checkpoints().await?.pop() {
        writeln!(out, "{}", serde_json::json!({ "checkpoint": checkpoint }))?;
    }
    out.flush()?;
    if let Some(path) = to {
        out!("{count} rows written to {}", path.display());
    }
    Ok(())
}
