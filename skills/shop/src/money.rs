//! Amounts of money, in whole cents.

use std::{fmt, iter::Sum};

use serde::{Deserialize, Deserializer, de::Error as _};

/// An amount in hundredths of the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cents(pub i64);

impl Cents {
    /// Reads a decimal number with at most two places, such as `47.8`.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(part) {
            return None;
        }
        let cents: i64 = match part.trim_end_matches('0') {
            "" => 0,
            tenths if tenths.len() == 1 => tenths.parse::<i64>().ok()? * 10,
            hundredths if hundredths.len() == 2 => hundredths.parse().ok()?,
            _ => return None,
        };
        let whole: i64 = whole.parse().ok()?;
        Some(Self(whole.checked_mul(100)?.checked_add(cents)?.checked_mul(sign)?))
    }

    /// The amount as people write it, such as `$1,380.79` or `CHF 12.00`.
    pub fn in_currency(self, code: &str) -> String {
        match code {
            "USD" => format!("${self}"),
            "EUR" => format!("€{self}"),
            "GBP" => format!("£{self}"),
            other => format!("{other} {self}"),
        }
    }
}

impl fmt::Display for Cents {
    /// Without a currency: `1,380.79`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let (whole, cents) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        let digits = whole.to_string();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        write!(f, ".{cents:02}")
    }
}

impl Sum for Cents {
    /// Stops at the largest amount rather than wrapping round.
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), |sum, amount| Self(sum.0.saturating_add(amount.0)))
    }
}

impl<'de> Deserialize<'de> for Cents {
    /// From a JSON number. Its shortest text is read, so `47.84` is 4784 cents
    /// and nothing is ever rounded.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        Self::parse(&number.to_string())
            .ok_or_else(|| D::Error::custom("expected an amount with at most two decimal places"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, cents: Option<i64>) {
        assert_eq!(serde_json::from_str::<Cents>(json).ok().map(|c| c.0), cents, "{json}");
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        check("47.84", Some(4_784));
        check("47.8", Some(4_780));
        check("51.0", Some(5_100));
        check("51", Some(5_100));
        check("0.07", Some(7));
        check("-3.5", Some(-350));
        check("1.005", None);
        check("1e300", None);
        check("\"47.84\"", None);
        check("92233720368547759", None);
    }

    #[test]
    fn every_amount_up_to_ten_thousand_is_read_as_itself() {
        for cents in 0..1_000_000_i64 {
            let float = cents as f64 / 100.0;
            assert_eq!(Cents::parse(&float.to_string()), Some(Cents(cents)));
        }
    }

    #[test]
    fn amounts_are_shown_as_people_write_them() {
        assert_eq!(Cents(138_079).in_currency("USD"), "$1,380.79");
        assert_eq!(Cents(5).in_currency("EUR"), "€0.05");
        assert_eq!(Cents(100_000_000).in_currency("GBP"), "£1,000,000.00");
        assert_eq!(Cents(-1_200).in_currency("CHF"), "CHF -12.00");
    }

    #[test]
    fn sums_do_not_wrap() {
        assert_eq!([Cents(1), Cents(2)].into_iter().sum::<Cents>(), Cents(3));
        assert_eq!([Cents(i64::MAX), Cents(2)].into_iter().sum::<Cents>(), Cents(i64::MAX));
    }
}
