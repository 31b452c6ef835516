//! What operators see of an installed skill besides its manifest: what it gets
//! at most, and what it has used.

mod measured;

use std::{collections::BTreeMap, time::Duration};

use postern_domain::{Interface, manifest::RequestedLimits};
use postern_runtime::{InterfaceCalls, Limits};
use serde::Serialize;

pub use measured::{LAST_RUNS, Measured, Spread};

/// One limit and how its value came about; values carry their units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitRow {
    /// The name under which a failure tells it.
    pub limit: String,
    /// What the host comes with.
    pub default: Option<String>,
    /// The most that the operator allows.
    pub ceiling: Option<String>,
    /// What the manifest asks for.
    pub asked: Option<String>,
    /// What a call gets.
    pub effective: String,
}

/// The limits of a skill.
pub fn limits(asked: &RequestedLimits, ceilings: &Limits) -> Vec<LimitRow> {
    let by_name = |limits: &Limits| limits.rows().into_iter().collect::<BTreeMap<_, _>>();
    let (default, ceiling) = (by_name(&Limits::default()), by_name(ceilings));
    let boundless = boundless();
    let nothing = by_name(&boundless);
    let asked_for = by_name(&Limits::for_manifest(asked, &boundless));
    let effective = Limits::for_manifest(asked, ceilings).rows().into_iter();
    effective
        .map(|(limit, effective)| LimitRow {
            default: default.get(&limit).cloned(),
            ceiling: ceiling.get(&limit).cloned(),
            asked: asked_for
                .get(&limit)
                .filter(|asked| nothing.get(&limit) != Some(asked))
                .cloned(),
            effective,
            limit,
        })
        .collect()
}

/// Limits that limit nothing: what a manifest makes of them is what it asks for.
fn boundless() -> Limits {
    let mut interface_calls = InterfaceCalls::default();
    for interface in Interface::ALL {
        interface_calls.set(interface, u32::MAX);
    }
    Limits {
        memory_bytes: u64::MAX,
        table_elements: u64::MAX,
        stack_bytes: u64::MAX,
        cpu: Duration::MAX,
        wall: Duration::MAX,
        fuel: None,
        host_calls: u32::MAX,
        interface_calls,
        sent_bytes: u64::MAX,
        received_bytes: u64::MAX,
        log_lines: u32::MAX,
        log_bytes: u64::MAX,
        result_bytes: u64::MAX,
        skill_calls: u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_tells_where_its_value_comes_from() {
        let ceilings = Limits { host_calls: 50, ..Limits::default() };
        let asked = RequestedLimits {
            cpu_ms: Some(100),
            host_calls: Some(80),
            interface_calls: BTreeMap::from([(Interface::Http, 2)]),
            ..RequestedLimits::default()
        };
        let rows = limits(&asked, &ceilings);
        let row = |name: &str| {
            let row = rows.iter().find(|row| row.limit == name).unwrap();
            (
                row.default.as_deref().unwrap(),
                row.ceiling.as_deref().unwrap(),
                row.asked.as_deref(),
                row.effective.as_str(),
            )
        };
        assert_eq!(row("memory"), ("64 MiB", "64 MiB", None, "64 MiB"));
        assert_eq!(row("cpu_time"), ("500 ms", "500 ms", Some("100 ms"), "100 ms"));
        // More than the operator allows is not given.
        assert_eq!(row("host_calls"), ("200 calls", "50 calls", Some("80 calls"), "50 calls"));
        assert_eq!(row("host_calls:http"), ("20 calls", "20 calls", Some("2 calls"), "2 calls"));
        assert!(rows.iter().all(|row| row.limit != "fuel"), "not counted unless asked for");
    }
}
