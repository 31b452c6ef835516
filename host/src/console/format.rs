//! Times, sizes and values as people read them.

use postern_domain::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Characters of one value on a page.
const MOST_CHARACTERS: usize = 4_000;

/// A time in UTC, to the second.
pub(super) fn time(at: &Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(time)) if text.ends_with('Z') => format!("{day} {time}"),
        (Some(_) | None, _) => text,
    }
}

/// A duration given in microseconds.
pub(super) fn duration(us: &u64) -> String {
    let ms = u128::from(*us) as f64 / 1_000.0;
    match *us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{ms:.1} ms"),
        1_000_000.. => format!("{:.2} s", ms / 1_000.0),
    }
}

/// A number of bytes.
pub(super) fn size(bytes: &u64) -> String {
    let kib = *bytes as f64 / 1024.0;
    match *bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{kib:.1} KiB"),
        1_048_576.. => format!("{:.1} MiB", kib / 1_024.0),
    }
}

/// A probability in per cent.
pub(super) fn percent(probability: f32) -> String {
    format!("{:.0} %", probability * 100.0)
}

/// A text, cut where it is too long for a page.
pub(super) fn clipped(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{} … ({} bytes in all)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// Bytes as text where they are text.
pub(super) fn bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => clipped(text),
        Err(_) => format!("{} bytes that are not text", bytes.len()),
    }
}

/// A JSON value over several lines.
pub(super) fn json(value: &Value) -> String {
    clipped(&format!("{value:#}"))
}

/// The name that a value has in JSON.
pub(super) fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sizes_and_durations_are_short() {
        assert_eq!(time(&Timestamp::from_millis(1_500)), "1970-01-01 00:00:01");
        assert_eq!(time(&Timestamp::from_millis(i64::MAX)), format!("{} ms", i64::MAX));
        assert_eq!(duration(&999), "999 µs");
        assert_eq!(duration(&1_250), "1.2 ms");
        assert_eq!(duration(&2_500_000), "2.50 s");
        assert_eq!(size(&512), "512 B");
        assert_eq!(size(&(3 << 19)), "1.5 MiB");
        assert_eq!(percent(0.876), "88 %");
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let long = "é".repeat(MOST_CHARACTERS + 1);
        assert!(clipped(&long).ends_with("… (8002 bytes in all)"));
        assert_eq!(clipped("short"), "short");
        assert_eq!(bytes(&[0xff]), "1 bytes that are not text");
    }
}
