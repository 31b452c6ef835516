//! Times and durations as they stand in scenarios.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, de};
use toml::value::{Datetime, Offset};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The milliseconds.
    pub millis: u64,
}

impl Default for Moment {
    /// 2025-06-15T12:00:00Z, a Sunday.
    fn default() -> Self {
        Self { millis: 1_749_988_800_000 }
    }
}

impl Moment {
    /// This much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let more = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self { millis: self.millis.saturating_add(more) }
    }

    /// From a date with a time and an offset.
    fn of(datetime: &Datetime) -> Result<Self, &'static str> {
        let (Some(date), Some(time), Some(offset)) =
            (datetime.date, datetime.time, datetime.offset)
        else {
            return Err("a time needs a date, a time and an offset: 2025-06-15T12:00:00Z");
        };
        let minutes = match offset {
            Offset::Z => 0,
            Offset::Custom { minutes } => i64::from(minutes),
        };
        let seconds = i64::from(time.hour) * 3_600
            + i64::from(time.minute) * 60
            + i64::from(time.second.unwrap_or(0));
        let days = days(i64::from(date.year), i64::from(date.month), i64::from(date.day));
        let fraction = i64::from(time.nanosecond.unwrap_or(0) / 1_000_000);
        let millis = (days * 86_400 + seconds - minutes * 60) * 1_000 + fraction;
        match u64::try_from(millis) {
            Ok(millis) => Ok(Self { millis }),
            Err(_) => Err("a time before 1970 cannot be shown to skills"),
        }
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let datetime = Datetime::deserialize(deserializer)?;
        Self::of(&datetime).map_err(de::Error::custom)
    }
}

/// Reads a duration such as `90s`, `25m`, `2h`, `3d`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration such as \"90s\", \"25m\", \"2h\" or \"3d\", a year at most")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
            parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_str(Visitor).map(Some)
}

fn parse(text: &str) -> Option<Duration> {
    const MOST_SECONDS: u64 = 366 * 86_400;
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number: u64 = text[..text.len() - 1].parse().ok()?;
    let all = number.checked_mul(seconds).filter(|all| *all <= MOST_SECONDS)?;
    Some(Duration::from_secs(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Result<u64, &'static str> {
        Moment::of(&text.parse().unwrap()).map(|moment| moment.millis)
    }

    #[test]
    fn times_are_read_with_their_offset() {
        assert_eq!(moment("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(moment("2025-06-15T12:00:00Z"), Ok(Moment::default().millis));
        assert_eq!(moment("2025-06-15T14:00:00.25+02:00"), Ok(1_749_988_800_250));
        assert_eq!(moment("2024-02-29T23:59:59Z"), Ok(1_709_251_199_000));
        assert!(moment("1969-12-31T23:59:59Z").is_err());
        assert!(moment("2025-06-15T12:00:00").is_err());
        assert!(moment("2025-06-15").is_err());
    }

    #[test]
    fn durations_have_a_unit_and_an_end() {
        assert_eq!(parse("25m"), Some(Duration::from_secs(1_500)));
        assert_eq!(parse("3d"), Some(Duration::from_secs(259_200)));
        for wrong in ["", "m", "25", "25 m", "-1s", "1é", "400d", "99999999999999999999h"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
