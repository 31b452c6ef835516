//! What a call may use, and what it did use.

use std::time::Duration;

use postern_domain::{SkillFailure, manifest::RequestedLimits};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// What one call of a tool may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all linear memories together.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Time on a processor, without what the host spends on its calls.
    pub cpu: Duration,
    /// Time from the start to the end, host calls included.
    pub wall: Duration,
    /// Number of host calls; log lines have a limit of their own.
    pub host_calls: u32,
    /// Bytes that cross the border in arguments and answers of host calls, both
    /// directions together.
    pub transfer_bytes: u64,
    /// Number of log lines; those beyond are dropped.
    pub log_lines: u32,
    /// Bytes of all log lines together; lines beyond are dropped.
    pub log_bytes: u64,
    /// Bytes of the texts in an outcome or failure.
    pub result_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * MIB,
            table_elements: 100_000,
            cpu: Duration::from_millis(500),
            wall: Duration::from_secs(10),
            host_calls: 200,
            transfer_bytes: 4 * MIB,
            log_lines: 100,
            log_bytes: 64 * KIB,
            result_bytes: 64 * KIB,
        }
    }
}

impl Limits {
    /// What a manifest asks for, but nowhere more than the host's ceilings.
    pub fn for_manifest(requested: &RequestedLimits, ceilings: &Self) -> Self {
        let ms = |asked: Option<u32>, most: Duration| {
            asked.map_or(most, |ms| most.min(Duration::from_millis(ms.into())))
        };
        Self {
            memory_bytes: requested.memory_mib.map_or(ceilings.memory_bytes, |mib| {
                ceilings.memory_bytes.min(u64::from(mib) * MIB)
            }),
            cpu: ms(requested.cpu_ms, ceilings.cpu),
            wall: ms(requested.wall_ms, ceilings.wall),
            host_calls: requested
                .host_calls
                .map_or(ceilings.host_calls, |calls| ceilings.host_calls.min(calls)),
            ..ceilings.clone()
        }
    }
}

/// What one call of a tool used.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    /// Time from the start to the end, without waiting for a free slot.
    pub wall: Duration,
    /// Time on a processor, without what the host spent on its calls.
    pub cpu: Duration,
    /// Number of host calls, without log lines.
    pub host_calls: u32,
    /// Bytes of all linear memories at the end, which is their peak.
    pub memory_bytes: u64,
    /// Log lines that were over a cap.
    pub log_lines_dropped: u32,
}

/// A limit that ends a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Memory,
    Table,
    CpuTime,
    WallTime,
    HostCalls,
    Transfer,
    Result,
}

impl Limit {
    /// The failure of a call that reached this limit.
    pub(crate) fn failure(self, limits: &Limits) -> SkillFailure {
        let (limit, value) = match self {
            Self::Memory => ("memory", size(limits.memory_bytes)),
            Self::Table => ("table", format!("{} elements", limits.table_elements)),
            Self::CpuTime => ("cpu_time", format!("{} ms", limits.cpu.as_millis())),
            Self::WallTime => ("wall_time", format!("{} ms", limits.wall.as_millis())),
            Self::HostCalls => ("host_calls", format!("{} calls", limits.host_calls)),
            Self::Transfer => ("transfer", size(limits.transfer_bytes)),
            Self::Result => ("result", size(limits.result_bytes)),
        };
        SkillFailure::Limit { limit: limit.to_owned(), value }
    }
}

fn size(bytes: u64) -> String {
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else if bytes >= KIB && bytes.is_multiple_of(KIB) {
        format!("{} KiB", bytes / KIB)
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_lowers_limits_and_never_raises_them() {
        let ceilings = Limits::default();
        let requested = RequestedLimits {
            memory_mib: Some(16),
            cpu_ms: Some(u32::MAX),
            wall_ms: None,
            host_calls: Some(5),
        };
        let limits = Limits::for_manifest(&requested, &ceilings);
        assert_eq!(limits.memory_bytes, 16 * MIB);
        assert_eq!(limits.cpu, ceilings.cpu);
        assert_eq!(limits.wall, ceilings.wall);
        assert_eq!(limits.host_calls, 5);
        assert_eq!(Limits::for_manifest(&RequestedLimits::default(), &ceilings), ceilings);
    }

    #[test]
    fn a_reached_limit_says_its_name_and_its_value() {
        let text = |limit: Limit| limit.failure(&Limits::default()).to_string();
        assert_eq!(text(Limit::Memory), "limit memory of 64 MiB reached");
        assert_eq!(text(Limit::CpuTime), "limit cpu_time of 500 ms reached");
        assert_eq!(text(Limit::Result), "limit result of 64 KiB reached");
        assert_eq!(size(1_500), "1500 bytes");
    }
}
