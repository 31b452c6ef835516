use super::*;

/// What is found, the unsure left out, without the types that overlap.
#[track_caller]
pub(super) fn check(text: &str, expected: &[(DataKind, &str)]) {
    let mut found = Vec::new();
    find(text, &mut found);
    found.retain(|one| one.confidence >= 40);
    found.sort_by_key(|one| (one.span.start, one.span.end));
    let found: Vec<(DataKind, &str)> =
        found.iter().map(|one| (one.kind, &text[one.span.clone()])).collect();
    assert_eq!(found, expected, "{text}");
}
