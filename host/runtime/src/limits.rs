//! What a call may use, and what it did use.

mod calls;
mod reached;

use std::time::Duration;

use postern_domain::{Interface, manifest::RequestedLimits};

pub use calls::InterfaceCalls;
pub(crate) use reached::Limit;

pub(crate) const KIB: u64 = 1 << 10;
pub(crate) const MIB: u64 = 1 << 20;

/// What one call of a tool may use.
///
/// Plain numbers, so that a copy costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all linear memories together.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Bytes of stack for the guest's own code. Belongs to the loaded skill:
    /// [`Runtime::load_bytes`](crate::Runtime::load_bytes) takes the largest of
    /// [`STACK_CLASSES`](crate::STACK_CLASSES) that is not above it.
    pub stack_bytes: u64,
    /// Time on a processor, without what the host spends on its calls. It is
    /// exact but for the first few milliseconds: see [`Usage::cpu`].
    pub cpu: Duration,
    /// Time from the start to the end, host calls included. Also how long the call
    /// may wait for a free slot before.
    pub wall: Duration,
    /// Units of fuel, about one an instruction; none if it is not limited. Counted
    /// only in a runtime that [counts fuel](crate::RuntimeConfig::fuel), elsewhere
    /// without effect.
    pub fuel: Option<u64>,
    /// Number of host calls; log lines have a limit of their own.
    pub host_calls: u32,
    /// Number of host calls of each interface.
    pub interface_calls: InterfaceCalls,
    /// Bytes that the guest gives to the host in arguments of host calls and log
    /// lines.
    pub sent_bytes: u64,
    /// Bytes that the guest gets from the host: the tool's arguments and context,
    /// and the answers of host calls.
    pub received_bytes: u64,
    /// Number of log lines; those beyond are dropped.
    pub log_lines: u32,
    /// Bytes of all log lines together; lines beyond are dropped.
    pub log_bytes: u64,
    /// Bytes of the texts in an outcome or failure.
    pub result_bytes: u64,
    /// Calls of the same skill that run at the same time; further ones wait.
    /// Belongs to the loaded skill.
    pub skill_calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * MIB,
            table_elements: 100_000,
            stack_bytes: 512 * KIB,
            cpu: Duration::from_millis(500),
            wall: Duration::from_secs(10),
            fuel: None,
            host_calls: 200,
            interface_calls: InterfaceCalls::default(),
            sent_bytes: 4 * MIB,
            received_bytes: 4 * MIB,
            log_lines: 100,
            log_bytes: 64 * KIB,
            result_bytes: 64 * KIB,
            skill_calls: 16,
        }
    }
}

impl Limits {
    /// What a manifest asks for, but nowhere more than the host's ceilings.
    pub fn for_manifest(requested: &RequestedLimits, ceilings: &Self) -> Self {
        let lower = |asked: Option<u32>, unit: u64, most: u64| {
            asked.map_or(most, |asked| most.min(u64::from(asked) * unit))
        };
        let fewer = |asked: Option<u32>, most: u32| asked.map_or(most, |asked| most.min(asked));
        let ms = |asked: Option<u32>, most: Duration| {
            asked.map_or(most, |ms| most.min(Duration::from_millis(ms.into())))
        };
        let fuel = match (requested.fuel, ceilings.fuel) {
            (Some(asked), Some(most)) => Some(asked.min(most)),
            (asked, most) => asked.or(most),
        };
        Self {
            memory_bytes: lower(requested.memory_mib, MIB, ceilings.memory_bytes),
            table_elements: requested
                .table_elements
                .map_or(ceilings.table_elements, |asked| ceilings.table_elements.min(asked)),
            stack_bytes: lower(requested.stack_kib, KIB, ceilings.stack_bytes),
            cpu: ms(requested.cpu_ms, ceilings.cpu),
            wall: ms(requested.wall_ms, ceilings.wall),
            fuel,
            host_calls: fewer(requested.host_calls, ceilings.host_calls),
            interface_calls: ceilings.interface_calls.lowered(&requested.interface_calls),
            sent_bytes: lower(requested.sent_kib, KIB, ceilings.sent_bytes),
            received_bytes: lower(requested.received_kib, KIB, ceilings.received_bytes),
            log_lines: fewer(requested.log_lines, ceilings.log_lines),
            log_bytes: lower(requested.log_kib, KIB, ceilings.log_bytes),
            result_bytes: lower(requested.result_kib, KIB, ceilings.result_bytes),
            skill_calls: fewer(requested.skill_calls, ceilings.skill_calls).max(1),
        }
    }

    /// Each limit by the name under which a failure tells it, with its value and
    /// unit, for people.
    pub fn rows(&self) -> Vec<(String, String)> {
        let mut limits = vec![
            Limit::Memory,
            Limit::Table,
            Limit::Stack,
            Limit::CpuTime,
            Limit::WallTime,
            Limit::HostCalls,
        ];
        let interfaces = Interface::ALL.into_iter();
        limits.extend(interfaces.filter(|i| *i != Interface::Log).map(Limit::InterfaceCalls));
        limits.extend([
            Limit::Sent,
            Limit::Received,
            Limit::LogLines,
            Limit::LogBytes,
            Limit::Result,
            Limit::SkillCalls,
        ]);
        if self.fuel.is_some() {
            limits.push(Limit::Fuel);
        }
        limits.into_iter().map(|limit| (limit.name(), limit.value(self))).collect()
    }
}

/// What one call of a tool used.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    /// Time from the start to the end, without waiting for a free slot.
    pub wall: Duration,
    /// Time on a processor, without what the host spent on its calls. For a call
    /// that used less than 10 ms (or a quarter of its limit, if that is less) it
    /// is an upper bound: the time that passed while the guest ran. Beyond that it
    /// is the thread's own clock.
    pub cpu: Duration,
    /// Units of fuel, where they are counted.
    pub fuel: Option<u64>,
    /// Number of host calls, without log lines.
    pub host_calls: u32,
    /// Bytes that the guest gave to the host.
    pub sent_bytes: u64,
    /// Bytes that the guest got from the host.
    pub received_bytes: u64,
    /// Bytes of all linear memories at the end, which is their peak.
    pub memory_bytes: u64,
    /// Log lines that were over a cap.
    pub log_lines_dropped: u32,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_manifest_lowers_limits_and_never_raises_them() {
        let ceilings = Limits { fuel: Some(1_000), ..Limits::default() };
        let lower = RequestedLimits {
            memory_mib: Some(16),
            table_elements: Some(10),
            stack_kib: Some(128),
            cpu_ms: Some(1),
            wall_ms: Some(2),
            fuel: Some(3),
            host_calls: Some(4),
            interface_calls: BTreeMap::from([(Interface::Http, 5)]),
            sent_kib: Some(6),
            received_kib: Some(7),
            log_lines: Some(8),
            log_kib: Some(9),
            result_kib: Some(10),
            skill_calls: Some(11),
        };
        let limits = Limits::for_manifest(&lower, &ceilings);
        let mut wanted = Limits {
            memory_bytes: 16 * MIB,
            table_elements: 10,
            stack_bytes: 128 * KIB,
            cpu: Duration::from_millis(1),
            wall: Duration::from_millis(2),
            fuel: Some(3),
            host_calls: 4,
            interface_calls: InterfaceCalls::default(),
            sent_bytes: 6 * KIB,
            received_bytes: 7 * KIB,
            log_lines: 8,
            log_bytes: 9 * KIB,
            result_bytes: 10 * KIB,
            skill_calls: 11,
        };
        wanted.interface_calls.set(Interface::Http, 5);
        assert_eq!(limits, wanted);

        let most = Some(u32::MAX);
        let higher = RequestedLimits {
            memory_mib: most,
            table_elements: Some(u64::MAX),
            stack_kib: most,
            cpu_ms: most,
            wall_ms: most,
            fuel: Some(u64::MAX),
            host_calls: most,
            interface_calls: Interface::ALL.into_iter().map(|i| (i, u32::MAX)).collect(),
            sent_kib: most,
            received_kib: most,
            log_lines: most,
            log_kib: most,
            result_kib: most,
            skill_calls: most,
        };
        assert_eq!(Limits::for_manifest(&higher, &ceilings), ceilings);
        assert_eq!(Limits::for_manifest(&RequestedLimits::default(), &ceilings), ceilings);
    }

    #[test]
    fn fuel_may_be_asked_for_where_the_host_sets_no_ceiling() {
        let requested = RequestedLimits { fuel: Some(7), ..RequestedLimits::default() };
        assert_eq!(Limits::for_manifest(&requested, &Limits::default()).fuel, Some(7));
    }

    #[test]
    fn every_limit_is_shown_once() {
        let rows = Limits::default().rows();
        let names: std::collections::BTreeSet<_> = rows.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), rows.len());
        assert!(rows.contains(&("host_calls:http".to_owned(), "20 calls".to_owned())), "{rows:?}");
        assert!(rows.contains(&("stack".to_owned(), "512 KiB".to_owned())), "{rows:?}");
    }
}
