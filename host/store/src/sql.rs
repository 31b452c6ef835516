//! Statements that know how many arguments they take.
//!
//! SQLite reads an argument that nobody gave as NULL. A [`Statement`] therefore
//! carries the number of its arguments in its type: the compiler compares it
//! with the text when the statement is defined and with the values wherever it
//! is used.

use postern_domain::Timestamp;

/// One argument.
#[derive(Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bool(bool),
    Bytes(Vec<u8>),
}

/// A statement with arguments `$1` to `$N`.
pub(crate) struct Statement<const N: usize> {
    /// What it does, for errors: "the store failed while it tried to …".
    pub(crate) doing: &'static str,
    pub(crate) text: &'static str,
}

impl<const N: usize> Statement<N> {
    /// A statement; only for constants, where a wrong `N` does not compile.
    pub(crate) const fn new(doing: &'static str, text: &'static str) -> Self {
        assert!(takes(text, N), "the text does not use exactly the arguments $1 to $N");
        Self { doing, text }
    }
}

/// A statement over many rows of `N` values, which stand between its two parts
/// as `VALUES ($1, …), …`.
pub(crate) struct Batch<const N: usize> {
    /// What it does, for errors.
    pub(crate) doing: &'static str,
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
}

/// The values of a statement or row, each converted.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::sql::Value::from($value)),*] };
}
pub(crate) use values;

/// Whether `text` uses every argument from `$1` to `$wanted` and no other.
const fn takes(text: &str, wanted: usize) -> bool {
    assert!(wanted < 64, "one bit for each argument");
    let bytes = text.as_bytes();
    let mut seen: u64 = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'$' {
            let mut number = 0;
            while at + 1 < bytes.len() && bytes[at + 1].is_ascii_digit() {
                at += 1;
                number = number * 10 + (bytes[at] - b'0') as usize;
                if number > wanted {
                    return false;
                }
            }
            if number == 0 {
                return false;
            }
            seen |= 1 << (number - 1);
        }
        at += 1;
    }
    seen == (1 << wanted) - 1
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<u64> for Value {
    /// Numbers above what the engines can keep are kept as the largest: they
    /// are measures, for which it makes no difference, or versions, which no
    /// record reaches.
    fn from(number: u64) -> Self {
        Self::from(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::from(at.millis())
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Int(at.map(Timestamp::millis))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::takes;

    #[test]
    fn a_statement_must_use_exactly_its_arguments() {
        let check = |text, wanted, fits| assert_eq!(takes(text, wanted), fits, "{text} {wanted}");
        check("SELECT 1", 0, true);
        check("SELECT 1", 1, false);
        check("WHERE a = $1 AND b = $2", 2, true);
        check("WHERE a = $1 AND b = $2", 1, false);
        check("WHERE a = $1 AND b = $3", 3, false);
        check("WHERE a = $2 OR b = $1 OR c = $2", 2, true);
        check("VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", 10, true);
        check("WHERE a = $0", 0, false);
        check("WHERE a = $name", 1, false);
        check("WHERE a = $99999999999999999999999", 2, false);
    }
}
