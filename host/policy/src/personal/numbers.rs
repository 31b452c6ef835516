//! Numbers in text: cards, phones, identity and account numbers.

mod account;
mod card;
mod id_card;
mod national;
mod phone;
mod region;
mod run;
mod shape;

#[cfg(test)]
mod tests;

use std::ops::Range;

use self::{card::Card, run::Run};
use super::{
    DataKind, Finding,
    context::{self, Sense},
};

/// A number in a run.
struct Found {
    span: Range<usize>,
    kind: DataKind,
    confidence: u8,
    /// Groups that it takes.
    count: usize,
}

/// Finds numbers in a folded text; spans are bytes of it.
///
/// What a checksum proves is taken out of a run first. What is left may be a phone, or a
/// number that only the words around it make personal: numbers of orders and parcels look
/// the same.
pub(super) fn find(text: &str, out: &mut Vec<Finding>) {
    run::each(text, |run| {
        let mut rest = 0;
        let mut first = 0;
        while first < run.groups.len() {
            let Some(found) = checked(&run, rest, first) else {
                first += 1;
                continue;
            };
            unchecked(part(run, rest..first), out);
            first += found.count;
            rest = first;
            push(found, out);
        }
        unchecked(part(run, rest..run.groups.len()), out);
    });
}

fn push(found: Found, out: &mut Vec<Finding>) {
    let Found { span, kind, confidence, count: _ } = found;
    out.push(Finding { span, kind, confidence });
}

fn part(run: Run<'_>, range: Range<usize>) -> Run<'_> {
    Run { text: run.text, groups: &run.groups[range] }
}

/// Numbers with a checksum that little else passes.
fn checked(run: &Run<'_>, free: usize, first: usize) -> Option<Found> {
    let id = id_card::at(run, first);
    let card = card::at(run, free, first);
    match (id, card) {
        (Some(id), _) if id.proven => {
            Some(Found { span: id.span, kind: DataKind::IdCard, confidence: 98, count: id.count })
        }
        (_, Some(Card { count, doubtful })) => {
            let span = run.groups[first].start..run.groups[first + count - 1].end;
            let near = context::before(run.text, span.start).filter(|near| near.adjacent);
            let confidence = match near.map(|near| near.sense) {
                // One in ten numbers of products passes, too, and of orders.
                _ if doubtful => 30,
                Some(Sense::Other) => 45,
                Some(Sense::Vague) => 60,
                Some(
                    Sense::Phone
                    | Sense::Talk
                    | Sense::Number
                    | Sense::Card
                    | Sense::Bank
                    | Sense::Account
                    | Sense::Passport
                    | Sense::SocialSecurity
                    | Sense::Health
                    | Sense::Identity
                    // No amount is so long.
                    | Sense::Amount,
                )
                | None => 97,
            };
            Some(Found { span, kind: DataKind::Card, confidence, count })
        }
        (Some(id), None) => {
            let near = context::before(run.text, id.span.start)?;
            let is_told = near.sense == Sense::Identity && !near.crossed;
            let found =
                Found { span: id.span, kind: DataKind::IdCard, confidence: 55, count: id.count };
            is_told.then_some(found)
        }
        (None, None) => None,
    }
}

/// Numbers in what is left of a run.
fn unchecked(run: Run<'_>, out: &mut Vec<Finding>) {
    for run in run.narrow() {
        for index in 0..run.groups.len() {
            let national = [national::social_security(&run, index), national::health(&run, index)];
            let accounts = [account::bank(&run, index), account::passport(&run, index)];
            national.into_iter().chain(accounts).flatten().for_each(|found| push(found, out));
        }
        phone::find(&run, out);
    }
}
