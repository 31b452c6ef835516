//! Which of several readings of the same text counts.

use std::cmp::Reverse;

use super::Finding;

/// From here on a checksum or a grammar that nothing else has proves what it is.
pub(super) const PROVEN: u8 = 95;

/// The findings that count where some overlap, in order: what is proven before what is
/// not, the longer before the shorter, the surer before the less sure.
pub(super) fn disjoint(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|one| one.span.start);
    let overlap = found.windows(2).any(|pair| pair[1].span.start < pair[0].span.end);
    if !overlap {
        return found;
    }
    // Readings that reach into each other, directly or through others, form a cluster;
    // within one, the best is taken and what it overlaps is dropped, until none is left.
    let mut kept = Vec::with_capacity(found.len());
    let mut rest = found.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut end = first.span.end;
        let mut cluster = vec![first];
        while let Some(next) = rest.next_if(|next| next.span.start < end) {
            end = end.max(next.span.end);
            cluster.push(next);
        }
        keep_best(cluster, &mut kept);
    }
    kept
}

fn keep_best(mut cluster: Vec<Finding>, kept: &mut Vec<Finding>) {
    if cluster.len() == 1 {
        kept.append(&mut cluster);
        return;
    }
    cluster.sort_by_key(|one| {
        let Finding { span, kind, confidence } = one;
        Reverse((*confidence >= PROVEN, span.len(), *confidence, Reverse((span.start, *kind))))
    });
    // Ends by starts of what is taken: disjoint, so one look left and right is enough.
    let mut taken = std::collections::BTreeMap::<usize, usize>::new();
    let mut chosen = Vec::with_capacity(cluster.len());
    for one in cluster {
        let left = taken.range(..one.span.end).next_back();
        if left.is_none_or(|(_, end)| *end <= one.span.start) {
            taken.insert(one.span.start, one.span.end);
            chosen.push(one);
        }
    }
    chosen.sort_by_key(|one| one.span.start);
    kept.append(&mut chosen);
}
