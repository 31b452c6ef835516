//! The most that skills can get.

use std::time::Duration;

use postern_domain::Interface;
use postern_runtime::{InterfaceCalls, Limits, STACK_CLASSES};

use super::{
    check::{Checked, Checker},
    raw::RawLimits,
};

impl Checker<'_> {
    /// The ceilings of all calls.
    pub(super) fn ceilings(&self, raw: &RawLimits) -> Checked<Limits> {
        let number = |name: &str, value, least, most| {
            self.number(&format!("limits.{name}"), value, least, most)
        };
        let kib =
            |name: &str, value, least, most| Ok(u64::from(number(name, value, least, most)?) << 10);
        let ms = |name: &str, value, least, most| {
            Ok(Duration::from_millis(number(name, value, least, most)?.into()))
        };
        let [smallest, .., largest] = STACK_CLASSES
            .map(|bytes| u32::try_from(bytes >> 10).expect("stacks are far smaller than 4 TiB"));
        Ok(Limits {
            memory_bytes: u64::from(number("memory_mib", raw.memory_mib, 1, 1_024)?) << 20,
            table_elements: number("table_elements", raw.table_elements, 1, 1_000_000)?.into(),
            stack_bytes: kib("stack_kib", raw.stack_kib, smallest, largest)?,
            cpu: ms("cpu_ms", raw.cpu_ms, 1, 60_000)?,
            wall: ms("wall_ms", raw.wall_ms, 10, 600_000)?,
            fuel: None,
            host_calls: number("host_calls", raw.host_calls, 1, 100_000)?,
            interface_calls: self.interface_calls(raw)?,
            sent_bytes: kib("sent_kib", raw.sent_kib, 1, 1 << 20)?,
            received_bytes: kib("received_kib", raw.received_kib, 1, 1 << 20)?,
            log_lines: number("log_lines", raw.log_lines, 0, 100_000)?,
            log_bytes: kib("log_kib", raw.log_kib, 0, 64 << 10)?,
            result_bytes: kib("result_kib", raw.result_kib, 1, 64 << 10)?,
            skill_calls: number("skill_calls", raw.skill_calls, 1, 1_000)?,
        })
    }

    fn interface_calls(&self, raw: &RawLimits) -> Checked<InterfaceCalls> {
        let mut most = InterfaceCalls::default();
        for (interface, calls) in &raw.interface_calls {
            let field = format!("limits.interface_calls.{interface}");
            if *interface == Interface::Log {
                return self.wrong(field, "log lines are counted by `log_lines` and `log_kib`");
            }
            most.set(*interface, self.number(&field, *calls, 0, 100_000)?);
        }
        Ok(most)
    }
}
