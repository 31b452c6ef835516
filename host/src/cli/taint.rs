//! `postern taint`

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Context, output, output::out};
use crate::{
    evaluation::Lines,
    taint::{self, Rates, Row, Trained},
};

#[derive(Debug, Subcommand)]
pub(super) enum Taint {
    /// Train the model that says how hostile texts look, and say what it is worth.
    ///
    /// The same files in the same order give the same model, byte for byte. Rows with a
    /// "group" are held out in turn, a group as a whole: the report is about them, each
    /// judged by a model that did not see it, and they set the threshold. Rows without
    /// one only teach. A tier "plain_task" is measured and teaches nothing.
    ///
    /// The host that is running has its model compiled in; another one takes effect
    /// when it is built with it.
    Train(Train),
}

#[derive(Debug, Args)]
pub(super) struct Train {
    /// JSON Lines: {"id", "text", "label"}, and if known "tier", "lang", "source",
    /// "group".
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the model goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

const EXPECTED: &str = r#"an object with "id", "text" and "label" ("attack" or "benign")"#;

impl Taint {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Train(train) => train.run(context),
        }
    }
}

impl Train {
    fn run(self, context: &Context) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        for file in &self.files {
            rows.append(&mut read(file)?);
        }
        let Trained { file, held_out } = taint::train(&rows)?;
        std::fs::write(&self.out, &file)
            .with_context(|| format!("{}: the model is not written", self.out.display()))?;
        let told = Told {
            rows: rows.len(),
            bytes: file.len(),
            main: held_out.main,
            by_tier: held_out.by_tier,
            by_lang: held_out.by_lang,
            by_source: held_out.by_source,
        };
        if context.json { output::json(&told) } else { told.show(&self.out) }
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    let mut lines = Lines::open(path)?;
    let mut rows = Vec::new();
    while let Some(row) = lines.next(EXPECTED)? {
        rows.push(row);
    }
    Ok(rows)
}

/// What is said about a model.
#[derive(Debug, Serialize)]
struct Told {
    rows: usize,
    bytes: usize,
    main: Rates,
    by_tier: BTreeMap<String, Rates>,
    by_lang: BTreeMap<String, Rates>,
    by_source: BTreeMap<String, Rates>,
}

impl Told {
    fn show(&self, path: &Path) -> anyhow::Result<()> {
        out!("{}: {} bytes, from {} rows; held out:", path.display(), self.bytes, self.rows);
        line("main", &self.main)?;
        for by in [&self.by_tier, &self.by_lang, &self.by_source] {
            for (name, rates) in by {
                line(name, rates)?;
            }
        }
        Ok(())
    }
}

fn line(name: &str, rates: &Rates) -> anyhow::Result<()> {
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
    };
    out!(
        "  {name:18} attacks {:>4}, flagged {:>7}; harmless {:>4}, flagged {:>7}",
        rates.attacks,
        percent(rates.true_positive_rate()),
        rates.benign,
        percent(rates.false_positive_rate())
    );
    Ok(())
}
