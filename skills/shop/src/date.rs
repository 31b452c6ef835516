//! Calendar dates, in UTC.

use std::fmt;

/// A day, as the number of days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(i64);

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAY_MS: u64 = 86_400_000;

impl Date {
    /// The day of a point in time, in milliseconds since the epoch.
    pub fn of_millis(ms: u64) -> Self {
        Self(i64::try_from(ms / DAY_MS).unwrap_or(i64::MAX / 2))
    }

    /// Reads `2025-06-15` or a time that begins with it (`2025-06-15T09:30:00Z`);
    /// nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        if !(rest.is_empty() || rest.starts_with(['T', ' '])) {
            return None;
        }
        let mut parts = date.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        let (year, month, day) = (digits(year)?, digits(month)?, digits(day)?);
        let parsed = Self::from_civil(year, month, day);
        // A day that does not exist, such as 31 April, comes back as another one.
        (parsed.civil() == (year, month, day)).then_some(parsed)
    }

    /// Days from `earlier` to this day; negative if it lies ahead.
    pub const fn days_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    // `days_from_civil` and `civil_from_days` of Howard Hinnant,
    // https://howardhinnant.github.io/date_algorithms.html
    fn from_civil(year: i64, month: i64, day: i64) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self(era * 146_097 + day_of_era - 719_468)
    }

    fn civil(self) -> (i64, i64, i64) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for Date {
    /// As in `15 June 2025`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        let month = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month));
        write!(f, "{day} {} {year}", month.unwrap_or(&"?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, days: i64, shown: &str) {
        let date = Date::parse(text).unwrap();
        assert_eq!((date, date.to_string().as_str()), (Date(days), shown), "{text}");
    }

    #[test]
    fn dates_are_read_and_shown() {
        check("1970-01-01", 0, "1 January 1970");
        check("2000-02-29", 11_016, "29 February 2000");
        check("2025-06-15T23:59:59.999Z", 20_254, "15 June 2025");
        check("1969-12-31 10:00", -1, "31 December 1969");
    }

    #[test]
    fn every_day_of_four_centuries_survives_the_way_there_and_back() {
        for days in -719_468..-719_468 + 146_097 * 8 {
            let (year, month, day) = Date(days).civil();
            assert_eq!(Date::from_civil(year, month, day), Date(days));
        }
    }

    #[test]
    fn nonsense_is_no_date() {
        let nonsense = [
            "",
            "@12-days-ago",
            "2025-04-31",
            "2025-13-01",
            "2025-00-10",
            "25-06-15",
            "2025-6-15 ",
            "2025-06-15x",
            "2025-06-+5",
            "2025/06/15",
            "日本日本日本",
        ];
        for text in nonsense {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted_between_dates() {
        let (early, late) =
            (Date::parse("2024-02-28").unwrap(), Date::parse("2024-03-01").unwrap());
        assert_eq!((late.days_since(early), early.days_since(late)), (2, -2));
        assert_eq!(Date::of_millis(1_749_988_800_000), Date::parse("2025-06-15").unwrap());
    }
}
