//! A limit that was reached.

use postern_domain::{Interface, SkillFailure, SkillId};

use super::{KIB, Limits, MIB};

/// What a call can reach. Log lines over a cap are dropped; everything else ends
/// the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Memory,
    Table,
    Stack,
    CpuTime,
    WallTime,
    Fuel,
    HostCalls,
    InterfaceCalls(Interface),
    Sent,
    Received,
    LogLines,
    LogBytes,
    Result,
    SkillCalls,
    /// Calls of all skills that run at the same time, which belongs to the runtime.
    ConcurrentCalls(u32),
}

impl Limit {
    /// The failure of a skill's call that reached this limit.
    pub(crate) fn failure(self, skill: &SkillId, limits: &Limits) -> SkillFailure {
        SkillFailure::Limit {
            skill: Some(skill.clone()),
            limit: self.name(),
            value: self.value(limits),
        }
    }

    pub(super) fn name(self) -> String {
        let name = match self {
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Stack => "stack",
            Self::CpuTime => "cpu_time",
            Self::WallTime => "wall_time",
            Self::Fuel => "fuel",
            Self::HostCalls => "host_calls",
            Self::InterfaceCalls(interface) => return format!("host_calls:{interface}"),
            Self::Sent => "sent",
            Self::Received => "received",
            Self::LogLines => "log_lines",
            Self::LogBytes => "log",
            Self::Result => "result",
            Self::SkillCalls => "skill_calls",
            Self::ConcurrentCalls(_) => "concurrent_calls",
        };
        name.to_owned()
    }

    pub(super) fn value(self, limits: &Limits) -> String {
        match self {
            Self::Memory => size(limits.memory_bytes),
            Self::Table => format!("{} elements", limits.table_elements),
            Self::Stack => size(limits.stack_bytes),
            Self::CpuTime => format!("{} ms", limits.cpu.as_millis()),
            Self::WallTime => format!("{} ms", limits.wall.as_millis()),
            Self::Fuel => format!("{} units", limits.fuel.unwrap_or(u64::MAX)),
            Self::HostCalls => format!("{} calls", limits.host_calls),
            Self::InterfaceCalls(interface) => {
                format!("{} calls", limits.interface_calls.get(interface))
            }
            Self::Sent => size(limits.sent_bytes),
            Self::Received => size(limits.received_bytes),
            Self::LogLines => format!("{} lines", limits.log_lines),
            Self::LogBytes => size(limits.log_bytes),
            Self::Result => size(limits.result_bytes),
            Self::SkillCalls => format!("{} calls at a time", limits.skill_calls),
            Self::ConcurrentCalls(calls) => format!("{calls} calls at a time"),
        }
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
    fn a_reached_limit_says_its_name_its_value_and_whose_it_is() {
        let skill: SkillId = "hoarder".parse().unwrap();
        let check = |limit: Limit, wanted: &str| {
            let failure = limit.failure(&skill, &Limits::default());
            assert_eq!(failure.to_string(), wanted);
            let SkillFailure::Limit { skill: named, .. } = failure else { panic!("{failure:?}") };
            assert_eq!(named.as_ref(), Some(&skill));
        };
        check(Limit::Memory, "limit memory of 64 MiB reached");
        check(Limit::CpuTime, "limit cpu_time of 500 ms reached");
        check(Limit::Result, "limit result of 64 KiB reached");
        let http = Limit::InterfaceCalls(Interface::Http);
        check(http, "limit host_calls:http of 20 calls reached");
        check(Limit::ConcurrentCalls(32), "limit concurrent_calls of 32 calls at a time reached");
        assert_eq!(size(1_500), "1500 bytes");
    }
}
