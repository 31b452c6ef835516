//! `postern eval`

mod show;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, Subcommand, ValueEnum};
use postern_policy::{
    personal::{Detector, Purpose},
    restricted::Restricted,
};
use serde::Serialize;

use self::show::Show;
use super::{Context, output, output::out};
use crate::{
    config::{Config, FILE_NAME},
    evaluation::{
        self, Evaluation, Injection, Lines, Personal, PredictionsFile, RestrictedContent,
    },
    policies::Policies,
    redaction,
};

#[derive(Debug, Subcommand)]
pub(super) enum Eval {
    /// Find personal data and secrets.
    ///
    /// With a data folder, by the rules in force there; without one, by what comes with
    /// Postern. The report says which.
    ///
    /// Labels: "spans", a list of {"start", "end", "type"} in Unicode code points, end
    /// exclusive, types by their published names (EMAIL_ADDRESS, PHONE_NUMBER,
    /// CREDIT_CARD, …; an empty list says that there is nothing). "unscored", such a
    /// list, excuses what is found there. With "type" the row is about that type alone,
    /// "core" says that it is a common one.
    ///
    /// A finding is right if its type is the label's and what both share is at least
    /// half of each. Precision is the right part of what was found, recall the found
    /// part of the labels, F1 = 2 × right / (labels + found); micro is over all types
    /// that have labels, macro the mean of their F1. A message leaks if some labelled
    /// character is found as no type at all, in percent of messages with labels. A
    /// clean line is one without labels; it is flagged if anything is found in it. A
    /// row with "type" passes if the spans of that type are exactly the labels.
    Pii {
        #[command(flatten)]
        files: Files,
        /// What counts as found.
        #[arg(long, value_enum, default_value_t = Found::Reported)]
        found: Found,
        /// Measure what something else found, instead: its predictions, with the same
        /// rows in the same order.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["predictions", "found"])]
        given: Option<PathBuf>,
    },
    /// Say how hostile texts look.
    ///
    /// Labels: "label", "attack" or "benign"; also "tier", "lang" and "source".
    ///
    /// TPR is the part of attacks that is flagged, FPR the part of harmless texts. The
    /// main figure has the attacks of the tiers explicit and obfuscated, which can be
    /// told by their words, against all harmless texts; languages and sources are of
    /// it. Scores are from 0 to 1.
    Injection {
        #[command(flatten)]
        files: Files,
    },
    /// Find what people look after: cards and documents that were sent, health, threats
    /// of legal steps, self-harm, minors.
    ///
    /// With a data folder, by the rules in force there; without one, by what comes with
    /// Postern. The report says which.
    ///
    /// Labels: "categories", a list of names (payment_card, id_document, health,
    /// legal_threat, self_harm, minors, and an operator's own; an empty list says that
    /// there is none); also "split", a part of the set that is told apart.
    ///
    /// A category that is found in a row is right if the row is labelled so. A false
    /// alarm is a row without categories, or without labels, in which one is found; a
    /// row is overlooked if it has categories and none at all is found.
    Restricted {
        #[command(flatten)]
        files: Files,
    },
}

/// What is read and written.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// The set: JSON Lines, or `-`.
    file: PathBuf,
    /// Write what was found here, one line for each row, in their order.
    #[arg(long, value_name = "OUT")]
    predictions: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Found {
    /// Everything that is found and likely, however it is used.
    Reported,
    /// What skills and models see placeholders for.
    Placeholders,
    /// What is taken out of logs.
    Logs,
}

/// A report with what it is about.
#[derive(Serialize)]
struct Told<'a, R> {
    file: String,
    by: &'a str,
    #[serde(flatten)]
    report: &'a R,
}

impl Eval {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Pii { files, given: Some(given), .. } => {
                let by = format!("predictions of {}", given.display());
                evaluate(context, files, Personal::given(Lines::open(&given)?), &by)
            }
            Self::Pii { files, found, given: None } => {
                let Finders { detector, by, .. } = finders(context)?;
                let personal = match found {
                    Found::Reported => Personal::reported(detector),
                    Found::Placeholders => Personal::taken_out(detector, Purpose::Placeholders),
                    Found::Logs => Personal::taken_out(detector, Purpose::Logs),
                };
                evaluate(context, files, personal, &by)
            }
            Self::Injection { files } => evaluate(context, files, Injection::default(), SHIPPED),
            Self::Restricted { files } => {
                let Finders { detector, restricted, by } = finders(context)?;
                evaluate(context, files, RestrictedContent::new(restricted, detector), &by)
            }
        }
    }
}

/// How reports call what finds where there is no data folder.
const SHIPPED: &str = "what comes with Postern";

/// What finds, and how reports call it.
struct Finders {
    detector: Arc<Detector>,
    restricted: Arc<Restricted>,
    by: String,
}

/// Those of the data folder, or those that come with Postern.
fn finders(context: &Context) -> anyhow::Result<Finders> {
    if !context.data.join(FILE_NAME).is_file() {
        let (detector, restricted) = (Detector::standard(), Restricted::standard());
        return Ok(Finders { detector, restricted, by: SHIPPED.to_owned() });
    }
    let rules = Policies::open(&Config::load(&context.data)?)?.current();
    Ok(Finders {
        detector: Arc::clone(rules.detector()),
        restricted: Arc::clone(rules.restricted()),
        by: format!("rules in force in {}", context.data.display()),
    })
}

fn evaluate<E>(context: &Context, files: Files, mut all: E, by: &str) -> anyhow::Result<()>
where
    E: Evaluation<Report: Show>,
{
    let Files { file, predictions } = files;
    let mut lines = Lines::open(&file)?;
    let out = predictions.as_deref().map(|path| PredictionsFile::create(path, &file));
    let mut out = out.transpose()?;
    let mut progress = Progress::new(context);
    evaluation::run(&mut all, &mut lines, |found| {
        progress.step();
        out.as_mut().map_or(Ok(()), |out| out.add(found))
    })?;
    progress.end();
    out.map_or(Ok(()), PredictionsFile::finish)?;
    let report = all.report();
    let file = shown(&file);
    if context.json {
        return output::json(&Told { file, by, report: &report });
    }
    out!("{file}, by {by}");
    report.show()
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// Tells people who wait how far it is.
struct Progress {
    quiet: bool,
    begun: Instant,
    told: Instant,
    rows: u64,
}

impl Progress {
    const EVERY: Duration = Duration::from_secs(2);

    fn new(context: &Context) -> Self {
        let now = Instant::now();
        Self { quiet: context.json, begun: now, told: now, rows: 0 }
    }

    fn step(&mut self) {
        self.rows += 1;
        if !self.quiet && self.told.elapsed() >= Self::EVERY {
            self.told = Instant::now();
            let (rows, seconds) = (self.rows, self.begun.elapsed().as_secs());
            redaction::tell(&format!("{rows} rows in {seconds} s …"));
        }
    }

    fn end(&self) {
        if !self.quiet && self.told > self.begun {
            let (rows, seconds) = (self.rows, self.begun.elapsed().as_secs());
            redaction::tell(&format!("{rows} rows in {seconds} s"));
        }
    }
}
