//! Money and lengths of time as operators write them.

/// Milliseconds of `90s`, `10m`, `24h` or `7d`.
///
/// # Errors
/// What is wrong and what would be right.
pub(crate) fn milliseconds(text: &str) -> Result<i64, String> {
    const MOST: i64 = 366 * 24 * 60 * 60 * 1_000;
    let unit = match text.chars().last() {
        Some('s') => 1_000,
        Some('m') => 60_000,
        Some('h') => 3_600_000,
        Some('d') => 86_400_000,
        Some(_) | None => 0,
    };
    text.get(..text.len().saturating_sub(1))
        .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|number| number.parse::<i64>().ok()?.checked_mul(unit))
        .filter(|length| (1..=MOST).contains(length))
        .ok_or_else(|| {
            format!("{text:?} is no length of time: write 90s, 10m, 24h or 7d, at most 366d")
        })
}

/// Minor units of money: `100.00` is 10,000. Two digits follow the point.
///
/// # Errors
/// What is wrong and what would be right.
pub(crate) fn minor_units(text: &str) -> Result<i64, String> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.')
        .filter(|(whole, rest)| {
            (1..=13).contains(&whole.len()) && rest.len() == 2 && digits(whole) && digits(rest)
        })
        .and_then(|(whole, rest)| format!("{whole}{rest}").parse().ok())
        .ok_or_else(|| {
            format!("{text:?} is no amount of money: write digits, a point and two digits, as in \"100.00\"")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_a_unit() {
        for (text, expected) in
            [("90s", 90_000), ("10m", 600_000), ("24h", 86_400_000), ("7d", 604_800_000)]
        {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
        for wrong in
            ["", "m", "10", "0s", "-1m", "+1m", "1.5h", "10 m", "367d", "99999999999999d", "1ß"]
        {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn money_has_two_digits_after_the_point() {
        for (text, expected) in
            [("100.00", 10_000), ("0.05", 5), ("9999999999999.99", 999_999_999_999_999)]
        {
            assert_eq!(minor_units(text), Ok(expected), "{text}");
        }
        for wrong in
            ["", "100", "1.0", "1.000", ".50", "-1.00", "1,00", "1e3.00", "99999999999999.99"]
        {
            assert!(minor_units(wrong).is_err(), "{wrong}");
        }
    }
}
