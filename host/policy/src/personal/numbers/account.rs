//! Numbers that no checksum proves: bank accounts, passports, mistyped cards and ids.

use super::{
    super::context::{self, Sense},
    Found,
    run::{Look, Run},
    shape,
};
use crate::personal::DataKind;

/// A bank account in one row of digits, by the words before it.
pub(super) fn bank(run: &Run<'_>, index: usize) -> Option<Found> {
    let group = &run.groups[index];
    if !(8..=19).contains(&group.len())
        || !run.stands_alone(group, Look::Loose)
        || run.is_amount(group.start)
    {
        return None;
    }
    let near = context::before(run.text, group.start);
    let is_date = shape::is_compact_date(&run.text[group.clone()]);
    let confidence = match near.map(|near| (near.sense, near.adjacent, near.crossed)) {
        Some((Sense::Bank, true, false)) => 80,
        Some((Sense::Bank, false, false)) if !is_date => 60,
        Some((Sense::Account, true, false)) => 45,
        // A card number with a slip in it is as good as one without to whoever reads it.
        Some((Sense::Card, true, false)) if group.len() >= 15 => 55,
        Some((Sense::Other | Sense::Amount | Sense::Vague, ..)) => return None,
        _ if group.len() <= 17 => 10,
        _ => return None,
    };
    Some(Found { span: group.clone(), kind: DataKind::BankAccount, confidence, count: 1 })
}

/// A passport or travel document: up to two letters and six to nine digits.
pub(super) fn passport(run: &Run<'_>, index: usize) -> Option<Found> {
    let group = &run.groups[index];
    if !(6..=9).contains(&group.len()) {
        return None;
    }
    let bytes = run.text.as_bytes();
    let letters =
        bytes[..group.start].iter().rev().take(3).take_while(|b| b.is_ascii_uppercase()).count();
    let span = group.start - letters..group.end;
    if letters > 2 || !run.stands_alone(&span, Look::Loose) {
        return None;
    }
    let near = context::before(run.text, span.start);
    let is_date = shape::is_compact_date(&run.text[span.clone()]);
    let confidence = match near.map(|near| (near.sense, near.crossed, near.adjacent)) {
        Some((Sense::Passport, false, adjacent)) if adjacent || !is_date => 80,
        Some((
            Sense::Other
            | Sense::Amount
            | Sense::Vague
            | Sense::Phone
            | Sense::Talk
            | Sense::Number,
            ..,
        )) => {
            return None;
        }
        // US passports: nine digits, or a letter and eight.
        _ if letters + group.len() == 9 && letters <= 1 => 20,
        _ => return None,
    };
    Some(Found { span, kind: DataKind::Passport, confidence, count: 1 })
}
