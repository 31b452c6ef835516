//! Part of a whole.

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that count.
    pub part: u64,
    /// All of them.
    pub whole: u64,
}

impl Share {
    /// Counts one more, and whether it is of the part.
    pub fn count(&mut self, of_the_part: bool) {
        self.part += u64::from(of_the_part);
        self.whole += 1;
    }

    /// Adds those of other rows.
    pub fn add(&mut self, other: Self) {
        self.part += other.part;
        self.whole += other.whole;
    }

    /// From 0 to 1, if there are any at all.
    pub fn rate(&self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut share = serializer.serialize_struct("Share", 3)?;
        share.serialize_field("part", &self.part)?;
        share.serialize_field("whole", &self.whole)?;
        share.serialize_field("rate", &self.rate())?;
        share.end()
    }
}
