//! Reports as tables for people.

use crate::{
    cli::{output, output::out},
    evaluation::{
        Figures, InjectionReport, PersonalReport, Rated, RestrictedFigures, RestrictedReport, Share,
    },
};

/// A report that people can read.
pub(super) trait Show {
    /// Prints it.
    fn show(&self) -> anyhow::Result<()>;
}

impl Show for PersonalReport {
    fn show(&self) -> anyhow::Result<()> {
        let Self { rows, labelled, finding, .. } = self;
        out!("{rows} rows, {labelled} with labels; something is found in {finding}");
        if *labelled == 0 {
            let head = ["type", "found"];
            let rows =
                self.found.iter().map(|(kind, found)| vec![output::words(kind), found.to_string()]);
            out!("");
            return output::table(&head, &rows.collect::<Vec<_>>());
        }
        let mut rows: Vec<Vec<String>> =
            self.types.iter().map(|(kind, figures)| figures_row(kind, *figures)).collect();
        if !rows.is_empty() {
            rows.push(figures_row("micro", self.micro));
            let mut mean = vec![String::new(); 7];
            "macro".clone_into(&mut mean[0]);
            mean[6] = percent(self.macro_f1);
            rows.push(mean);
            out!("");
            let head = ["type", "labels", "found", "right", "precision %", "recall %", "F1 %"];
            output::table(&head, &rows)?;
        }
        out!("");
        let passed = &self.passed;
        for (what, share) in [
            ("messages that leak", self.leaking),
            ("clean lines flagged", self.flagged),
            ("rows of core types passed, with personal data", passed.core_with),
            ("rows of core types passed, without", passed.core_without),
            ("rows of other types passed, with personal data", passed.other_with),
            ("rows of other types passed, without", passed.other_without),
        ] {
            if share.whole > 0 {
                out!("{what}: {}", told(share));
            }
        }
        if !self.others.is_empty() {
            let others: Vec<String> =
                self.others.iter().map(|(kind, found)| format!("{kind} {found}")).collect();
            out!("found of types without labels: {}", others.join(", "));
        }
        Ok(())
    }
}

impl Show for InjectionReport {
    fn show(&self) -> anyhow::Result<()> {
        let Self { rows, labelled, flagged, threshold, .. } = self;
        out!("{rows} rows, {labelled} with labels; {flagged} flagged, from a score of {threshold}");
        if *labelled == 0 {
            return Ok(());
        }
        let mut rows = vec![
            rated_row("main: explicit and obfuscated", &self.main),
            rated_row("overall", &self.overall),
        ];
        for (by, figures) in
            [("tier", &self.by_tier), ("lang", &self.by_lang), ("source", &self.by_source)]
        {
            rows.extend(
                figures.iter().map(|(key, rated)| rated_row(&format!("{by} {key}"), rated)),
            );
        }
        out!("");
        output::table(&["rows", "attacks", "caught", "TPR %", "benign", "flagged", "FPR %"], &rows)
    }
}

impl Show for RestrictedReport {
    fn show(&self) -> anyhow::Result<()> {
        out!("{} rows", self.rows);
        let mut rows: Vec<Vec<String>> =
            self.by_category.iter().map(|(name, figures)| figures_row(name, *figures)).collect();
        rows.push(figures_row("all", self.whole.micro));
        for (split, part) in &self.by_split {
            rows.push(figures_row(&format!("all of split {split}"), part.micro));
        }
        out!("");
        let head = ["category", "labels", "found", "right", "precision %", "recall %", "F1 %"];
        output::table(&head, &rows)?;
        out!("");
        tell_part("", &self.whole)?;
        self.by_split
            .iter()
            .try_for_each(|(split, part)| tell_part(&format!(" of split {split}"), part))
    }
}

fn tell_part(of: &str, part: &RestrictedFigures) -> anyhow::Result<()> {
    let of = output::words(of);
    out!("false alarms on ordinary messages{of}: {}", told(part.false_alarms));
    if part.overlooked.whole > 0 {
        out!("overlooked{of}: {}", told(part.overlooked));
    }
    Ok(())
}

fn figures_row(name: &str, figures: Figures) -> Vec<String> {
    let Figures { counts, precision, recall, f1 } = figures;
    vec![
        output::words(name),
        counts.labels.to_string(),
        counts.found.to_string(),
        counts.right.to_string(),
        percent(precision),
        percent(recall),
        percent(f1),
    ]
}

fn rated_row(name: &str, rated: &Rated) -> Vec<String> {
    let Rated { caught, false_alarms } = rated;
    vec![
        output::words(name),
        caught.whole.to_string(),
        caught.part.to_string(),
        percent(caught.rate()),
        false_alarms.whole.to_string(),
        false_alarms.part.to_string(),
        percent(false_alarms.rate()),
    ]
}

fn told(share: Share) -> String {
    format!("{} of {} ({} %)", share.part, share.whole, percent(share.rate()))
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.2}", 100.0 * rate))
}
