//! Parts of long texts: an attack in a long document is as hostile as one that
//! stands alone.

/// Bytes of a text that are looked at: so many at its start …
pub(super) const HEAD: usize = 48 * 1024;
/// … and so many at its end.
pub(super) const TAIL: usize = 16 * 1024;
/// Bytes of a part.
const LENGTH: usize = 1_600;
/// Bytes from the start of a part to the start of the next.
const STEP: usize = 1_000;

/// The start and the end of a text, if it is longer than both.
pub(super) fn bounded(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= HEAD + TAIL {
        return text.into();
    }
    let head = &text[..text.floor_char_boundary(HEAD)];
    let tail = &text[text.ceil_char_boundary(text.len() - TAIL)..];
    format!("{head}\n{tail}").into()
}

/// Overlapping parts of a text; a short one has one part.
pub(super) fn windows(text: &str) -> impl Iterator<Item = &str> {
    let last = text.len().saturating_sub(LENGTH).div_ceil(STEP);
    (0..=last).map(|i| {
        let start = text.floor_char_boundary(i * STEP);
        &text[start..text.ceil_char_boundary((start + LENGTH).min(text.len()))]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_overlap_and_leave_nothing_out() {
        for length in [0, 1, 1_599, 1_600, 1_601, 2_600, 2_601, 9_999] {
            let text: String = ('a'..='z').cycle().take(length).collect();
            let mut end = 0;
            for part in windows(&text) {
                let start = part.as_ptr() as usize - text.as_ptr() as usize;
                assert!(start == 0 || start + 500 < end);
                end = start + part.len();
            }
            assert_eq!(end, length);
        }
        assert!(windows(&"语".repeat(5_000)).all(|part| part.len() < LENGTH + 8));
    }

    #[test]
    fn of_a_very_long_text_both_ends_are_looked_at() {
        let text = format!("start{}end", "语".repeat(100_000));
        let bounded = bounded(&text);
        assert!(bounded.starts_with("start") && bounded.ends_with("end"));
        assert!(bounded.len() <= HEAD + TAIL + 1);
    }
}
