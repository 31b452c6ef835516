//! Which of several readings of the same text counts.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use super::{DataKind, Finding};

/// From here on a checksum or a grammar that nothing else has proves what it is.
pub(super) const PROVEN: u8 = 95;

/// The findings that count where some overlap, in order: secrets first, so that no rule that
/// reveals another type reveals them; what is proven before what is not, the longer before the shorter, the surer before the less sure.
pub(super) fn disjoint(found: Vec<Finding>) -> Vec<Finding> {
    resolve(found, |_| None)
}

/// The same, with what is left of the others: everything that was found is covered, so
/// that nothing of it stays when the findings are taken out.
pub(super) fn covering(found: Vec<Finding>, text: &str) -> Vec<Finding> {
    resolve(found, |left| {
        let Finding { span, kind, confidence } = left;
        let part = &text[span.clone()];
        let is_value = |c: char| c.is_alphanumeric() || c == '+';
        let (first, last) = (part.find(is_value)?, part.rfind(is_value)?);
        let end = last + part[last..].chars().next().map_or(0, char::len_utf8);
        Some(Finding { span: span.start + first..span.start + end, kind, confidence })
    })
}

fn resolve(mut found: Vec<Finding>, left: impl Fn(Finding) -> Option<Finding>) -> Vec<Finding> {
    found.sort_by_key(|one| one.span.start);
    if found.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start) {
        return found;
    }
    // Readings that reach into each other, directly or through others, form a cluster;
    // within one, the best is taken, then what it leaves of the next best, and so on.
    let mut kept = Vec::with_capacity(found.len());
    let mut rest = found.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut end = first.span.end;
        let mut cluster = vec![first];
        while let Some(next) = rest.next_if(|next| next.span.start < end) {
            end = end.max(next.span.end);
            cluster.push(next);
        }
        choose(cluster, &mut kept, &left);
    }
    kept
}

fn choose(
    mut cluster: Vec<Finding>,
    kept: &mut Vec<Finding>,
    left: &impl Fn(Finding) -> Option<Finding>,
) {
    if cluster.len() == 1 {
        kept.append(&mut cluster);
        return;
    }
    cluster.sort_by_key(|one| {
        let Finding { span, kind, confidence } = one;
        let order = (*confidence >= PROVEN, span.len(), *confidence);
        Reverse((*kind == DataKind::Secret, order, Reverse((span.start, *kind))))
    });
    // Ends of what is covered by its starts; disjoint.
    let mut covered = BTreeMap::<usize, usize>::new();
    let mut chosen = Vec::with_capacity(cluster.len());
    for one in cluster {
        let gaps = gaps(&covered, &one.span);
        if gaps.as_slice() == [one.span.clone()] {
            covered.insert(one.span.start, one.span.end);
            chosen.push(one);
            continue;
        }
        for gap in gaps {
            if let Some(rest) = left(Finding { span: gap, ..one }) {
                covered.insert(rest.span.start, rest.span.end);
                chosen.push(rest);
            }
        }
    }
    chosen.sort_by_key(|one| one.span.start);
    kept.append(&mut chosen);
}

/// The parts of a span that nothing covers yet.
fn gaps(covered: &BTreeMap<usize, usize>, span: &Range<usize>) -> Vec<Range<usize>> {
    let before = covered.range(..span.start).next_back().map_or(0, |(_, end)| *end);
    let mut at = span.start.max(before);
    let mut gaps = Vec::new();
    for (start, end) in covered.range(span.start..span.end) {
        if at < *start {
            gaps.push(at..*start);
        }
        at = at.max(*end);
    }
    if at < span.end {
        gaps.push(at..span.end);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::DataKind;

    fn found(list: &[(Range<usize>, DataKind, u8)]) -> Vec<Finding> {
        let finding = |(span, kind, confidence): &(Range<usize>, DataKind, u8)| Finding {
            span: span.clone(),
            kind: *kind,
            confidence: *confidence,
        };
        list.iter().map(finding).collect()
    }

    #[test]
    fn what_is_proven_counts_before_what_is_longer_and_that_before_what_is_surer() {
        let card = (4..10, DataKind::Card, 97);
        let phone = (0..12, DataKind::Phone, 80);
        let date = (2..5, DataKind::DateTime, 90);
        let all = found(&[card.clone(), phone.clone(), date.clone()]);
        assert_eq!(disjoint(all), found(std::slice::from_ref(&card)));
        assert_eq!(disjoint(found(&[phone.clone(), date])), found(&[phone]));
    }

    #[test]
    fn a_secret_stays_one_whatever_else_it_reads_as() {
        let text = "ghp_abc@github.example";
        let all = found(&[(0..7, DataKind::Secret, 80), (0..22, DataKind::Email, 95)]);
        let expected = found(&[(0..7, DataKind::Secret, 80), (8..22, DataKind::Email, 95)]);
        assert_eq!(covering(all, text), expected);
    }

    #[test]
    fn everything_found_is_covered() {
        let text = "+44 20-a@b.example 17";
        let all = found(&[(0..6, DataKind::Phone, 60), (4..18, DataKind::Email, 95)]);
        let expected = found(&[(0..3, DataKind::Phone, 60), (4..18, DataKind::Email, 95)]);
        assert_eq!(covering(all.clone(), text), expected);
        assert_eq!(disjoint(all), expected[1..]);
    }
}
