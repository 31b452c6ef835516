//! How good the classifier is on public data of the size that skills have: few
//! intents, few examples.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Instant};

use serde::Deserialize;

use super::{Classifier, Example};

#[derive(Deserialize)]
struct Row {
    id: String,
    text: String,
    intent: String,
}

/// A file of the shared data, if it is there.
fn shared(name: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("../shared/data/intent").join(name);
    let text = fs::read_to_string(path).ok();
    if text.is_none() {
        assert!(std::env::var_os("CI").is_none(), "../shared/data/intent/{name} is missing");
        println!("skipped: ../shared/data/intent/{name} is missing");
    }
    text
}

fn rows(name: &str) -> Option<Vec<Row>> {
    let text = shared(name)?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn example(row: &Row) -> Example {
    Example { intent: row.intent.clone(), text: row.text.clone() }
}

/// A number that depends on the id alone, to split the rows of a file.
fn lot(id: &str) -> u64 {
    let hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

/// What came of one model on rows that it had not seen.
#[derive(Default)]
struct Score {
    rows: usize,
    right: usize,
    in_scope: usize,
    /// Probability of the best intent, and whether it was right.
    sure: Vec<(f32, bool)>,
}

impl Score {
    fn add(&mut self, classifier: &Classifier, rows: &[&Row]) {
        for row in rows {
            let found = classifier.classify(&row.text);
            let right = found.ranked[0].intent == row.intent;
            self.rows += 1;
            self.right += usize::from(right);
            self.in_scope += usize::from(found.in_scope);
            self.sure.push((found.ranked[0].probability, right));
        }
    }

    fn accuracy(&self) -> f64 {
        self.right as f64 / self.rows as f64
    }

    fn in_scope(&self) -> f64 {
        self.in_scope as f64 / self.rows as f64
    }

    /// Expected calibration error over 15 bins.
    fn calibration_error(&self) -> f64 {
        let mut bins = [(0.0_f64, 0.0_f64); 15];
        for (probability, right) in &self.sure {
            let bin = &mut bins[((probability * 15.0) as usize).min(14)];
            bin.0 += f64::from(*probability);
            bin.1 += f64::from(u8::from(*right));
        }
        bins.iter().map(|(sure, right)| (sure - right).abs()).sum::<f64>() / self.rows as f64
    }
}

fn train(name: &str, rows: &[&Row]) -> Classifier {
    let examples: Vec<Example> = rows.iter().map(|row| example(row)).collect();
    let start = Instant::now();
    let classifier = Classifier::train(&examples).unwrap();
    let trained = start.elapsed();
    let start = Instant::now();
    for row in rows {
        std::hint::black_box(classifier.classify(&row.text));
    }
    println!(
        "{name}: {} examples, {} intents, trained in {trained:?}, {:?} a message, {} kB",
        rows.len(),
        classifier.intents().len(),
        start.elapsed() / u32::try_from(rows.len()).unwrap(),
        classifier.size() / 1000,
    );
    classifier
}

/// What Postern is used for: a few intents with twenty examples each, and
/// customers who ask for anything.
#[test]
fn eight_intents_of_twenty_examples_keep_foreign_messages_out() {
    let (Some(train_rows), Some(more)) = (rows("clinc150_train.jsonl"), rows("clinc150_val.jsonl"))
    else {
        return;
    };
    let intents = [
        "order_status",
        "order",
        "report_lost_card",
        "damaged_card",
        "shopping_list_update",
        "transactions",
        "pay_bill",
        "report_fraud",
    ];
    let mut all: Vec<Row> = train_rows.into_iter().chain(more).collect();
    let (mut known, mut unknown) = (Score::default(), Score::default());
    for draw in 0..5 {
        all.sort_by_key(|row| lot(&format!("{}-{draw}", row.id)));
        let (mut taught, mut asked, mut foreign) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &all {
            if row.intent == "oos" {
                foreign.push(row);
            } else if intents.contains(&row.intent.as_str()) {
                let count = seen.entry(&row.intent).or_default();
                *count += 1;
                if *count <= 20 { taught.push(row) } else { asked.push(row) }
            }
        }
        let classifier = train("8 x 20", &taught);
        known.add(&classifier, &asked);
        unknown.add(&classifier, &foreign);
    }
    println!(
        "accuracy {:.3}, calibration error {:.3}, in scope: known {:.3}, foreign {:.3}",
        known.accuracy(),
        known.calibration_error(),
        known.in_scope(),
        unknown.in_scope(),
    );
    assert!(known.accuracy() >= 0.94);
    assert!(known.in_scope() >= 0.90);
    assert!(unknown.in_scope() <= 0.10);
}

/// Real chatbots with few and uneven examples.
#[test]
fn hint3_by_cross_validation() {
    cross_validate("hint3_curekart_train.jsonl", 0.79);
    cross_validate("hint3_powerplay11_train.jsonl", 0.68);
    cross_validate("hint3_sofmattress_train.jsonl", 0.73);
}

fn cross_validate(name: &str, goal: f64) {
    let Some(all) = rows(name) else { return };
    let mut score = Score::default();
    for fold in 0..5 {
        let (taught, asked): (Vec<&Row>, Vec<&Row>) =
            all.iter().partition(|row| lot(&row.id) % 5 != fold);
        score.add(&train(name, &taught), &asked);
    }
    println!(
        "{name}: accuracy {:.4}, calibration error {:.3}, in scope {:.3}",
        score.accuracy(),
        score.calibration_error(),
        score.in_scope(),
    );
    assert!(score.accuracy() >= goal);
}
