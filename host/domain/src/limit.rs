//! What is taken from a limit that is counted in the store.

use serde::{Deserialize, Serialize};

/// One taking from one counter. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUse {
    /// The limit's name in `policies/limits.toml`.
    pub limit: String,
    /// For whom it is counted: `skill:order-status`, `customer:…` (a digest),
    /// `global`.
    pub scope: String,
    /// What is taken.
    pub take: Take,
    /// The same for each try of the same call, so that a call that is tried
    /// again after a crash is counted once.
    pub reservation: String,
}

/// How a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "take", rename_all = "snake_case")]
pub enum Take {
    /// One of so many in a period, by the generic cell rate algorithm (ITU-T
    /// I.371): `burst` at once, then one each `interval_ms`.
    Rate {
        /// Time after which one more is free.
        interval_ms: i64,
        /// How many may be taken at once, at least 1.
        burst: u32,
    },
    /// A sum within a sliding window, in minor units of money.
    Sum {
        /// How much is taken.
        amount: i64,
        /// How much there is within the window.
        most: i64,
        /// The window.
        window_ms: i64,
    },
}
