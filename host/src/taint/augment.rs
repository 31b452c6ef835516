//! More texts to learn from, made of those that there are: in disguise, and
//! several in one.

use std::collections::BTreeMap;

use super::{
    disguise::Disguise,
    evaluate::{Label, Row},
};

/// Longest text that is put in disguise, in bytes.
const LONGEST: usize = 400;
/// Harmless texts that are made of several, for all languages together.
const COMPOUNDS: usize = 600;
/// The same with an attack among them.
const HOSTILE_COMPOUNDS: usize = 200;
/// Texts of a language from which on they are put together.
const FEWEST: usize = 8;

/// Texts made of rows, and whether each is an attack. The same rows in the same
/// order always give the same texts.
pub(super) fn augment(rows: &[&Row]) -> Vec<(String, bool)> {
    let mut made = disguised(rows);
    let mut languages: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for row in rows {
        let (benign, attacks) = languages.entry(row.lang.as_deref().unwrap_or("")).or_default();
        if is_attack(row) { attacks.push(&row.text) } else { benign.push(&row.text) }
    }
    for (benign, attacks) in languages.values().filter(|(benign, _)| benign.len() >= FEWEST) {
        let share = |count: usize, of: usize| count * of / rows.len();
        for i in 0..share(COMPOUNDS, benign.len()) {
            made.push((some(benign, i, 2 + i % 7).join(" "), false));
        }
        for i in 0..share(HOSTILE_COMPOUNDS, attacks.len()) {
            let mut parts = some(benign, i, 1 + i % 3);
            parts.insert(i % (parts.len() + 1), attacks[i * 7919 % attacks.len()]);
            made.push((parts.join(" "), true));
        }
    }
    made
}

/// Every short row once, in one of the disguises in turn.
fn disguised(rows: &[&Row]) -> Vec<(String, bool)> {
    let disguises = Disguise::ALL.iter().cycle();
    rows.iter()
        .zip(disguises)
        .filter(|(row, _)| row.text.len() <= LONGEST)
        .map(|(row, disguise)| (disguise.put_on(&row.text), is_attack(row)))
        .collect()
}

/// Some of many texts: scattered, and others for each number.
fn some<'a>(texts: &[&'a str], number: usize, count: usize) -> Vec<&'a str> {
    let place = |part: usize| (number * 7919 + part * 104_729) % texts.len();
    (0..count).map(|part| texts[place(part)]).collect()
}

fn is_attack(row: &Row) -> bool {
    row.label == Some(Label::Attack)
}
