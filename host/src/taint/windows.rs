//! Parts of long texts: an attack in a long document is as hostile as one that
//! stands alone.

/// Bytes of a text that are looked at: so many at its start …
pub(super) const HEAD: usize = 48 * 1024;
/// … and so many at its end.
pub(super) const TAIL: usize = 16 * 1024;
/// Bytes of a part, if its sentences are no longer: few, so that what is said
/// in a long text weighs as much as what is said in a short one.
const LENGTH: usize = 280;
/// Bytes from the start of a part to the start of the next.
const STEP: usize = 160;
/// Bytes of a sentence from which on it is cut between words.
const LONG: usize = LENGTH / 4;

/// The start and the end of a text, if it is longer than both.
pub(super) fn bounded(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= HEAD + TAIL {
        return text.into();
    }
    let head = &text[..text.floor_char_boundary(HEAD)];
    let tail = &text[text.ceil_char_boundary(text.len() - TAIL)..];
    format!("{head}\n{tail}").into()
}

/// Overlapping parts of a text, made of whole sentences where those are not
/// too long; a short text has one part.
pub(super) fn windows(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let starts = starts(text);
    let mut first = 0;
    loop {
        let start = starts[first];
        let last = starts.partition_point(|next| *next <= start + LENGTH);
        if start + LENGTH >= text.len() {
            parts.push(&text[start..]);
            return parts;
        }
        let end = if last > first + 1 { starts[last - 1] } else { starts[last] };
        parts.push(&text[start..end]);
        let next = starts.partition_point(|next| *next < start + STEP);
        first = next.clamp(first + 1, last.max(first + 2) - 1);
    }
}

/// Where sentences start, and where one that is too long is cut.
fn starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let mut last = 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let ends = match before {
            '\n' | '。' | '！' | '？' | '।' => true,
            '.' | '!' | '?' | '؟' | '…' => c.is_whitespace(),
            _ => false,
        };
        let between = !c.is_ascii_alphanumeric() || at - last >= LONG + LONG / 4;
        let long = at - last >= LONG && between;
        if (ends || long) && at > last {
            starts.push(at);
            last = at;
        }
        before = c;
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_overlap_and_leave_nothing_out() {
        for length in [0, 1, 279, 280, 281, 440, 441, 9_999] {
            let text: String = ('a'..='z').cycle().take(length).collect();
            let mut end = 0;
            for part in windows(&text) {
                let start = part.as_ptr() as usize - text.as_ptr() as usize;
                assert!(start == 0 || start < end);
                end = start + part.len();
            }
            assert_eq!(end, length);
        }
        assert!(windows(&"语".repeat(5_000)).iter().all(|part| part.len() < LENGTH + 8));
    }

    #[test]
    fn parts_are_whole_sentences_where_those_are_short() {
        let sentence = "The parcel left the warehouse on Monday and is on its way. ";
        let text = sentence.repeat(20);
        for part in windows(&text) {
            let part = part.trim();
            assert!(part.starts_with("The") && part.ends_with("way."), "{part}");
            assert!(part.len() <= LENGTH);
        }
        let text = "请在使用前阅读全部说明并妥善保管。".repeat(20);
        assert!(windows(&text).iter().all(|part| part.ends_with('。')));
    }

    #[test]
    fn of_a_very_long_text_both_ends_are_looked_at() {
        let text = format!("start{}end", "语".repeat(100_000));
        let bounded = bounded(&text);
        assert!(bounded.starts_with("start") && bounded.ends_with("end"));
        assert!(bounded.len() <= HEAD + TAIL + 1);
    }
}
