//! What a skill asks for: capabilities and limits.

use postern_domain::{
    Interface, Manifest,
    manifest::{Capability, RequestedLimits},
};
use postern_runtime::{ComponentInfo, Limits};

use super::Finding;

/// Lists that a capability should have, with what to write.
fn lists(interface: Interface) -> &'static [(&'static str, &'static str)] {
    match interface {
        Interface::Records => &[
            ("reads", "reads = [\"orders\"] with the collections that it reads, [] for none"),
            ("writes", "writes = [\"orders\"] with the collections that it writes, [] for none"),
        ],
        Interface::Knowledge => {
            &[("reads", "reads = [\"articles\"] with the collections that it searches")]
        }
        Interface::Http => {
            &[("hosts", "hosts = [\"api.example.com\"] with the hosts that it talks to")]
        }
        Interface::Message => &[(
            "audiences",
            "audiences = [\"customer\"] with whom it writes to: customer, queue, customers",
        )],
        Interface::Log
        | Interface::Kv
        | Interface::Model
        | Interface::Ticket
        | Interface::Handover
        | Interface::Schedule => &[],
    }
}

/// Capabilities that nothing bounds.
pub(super) fn capabilities(manifest: &Manifest, findings: &mut Vec<Finding>) {
    for (i, capability) in manifest.capabilities.iter().enumerate() {
        for (name, write) in lists(capability.interface) {
            if !has(capability, name) {
                findings.push(Finding::warning(
                    format!("capabilities[{i}].{name}"),
                    format!(
                        "{} is asked for without bound, so operators have to trust the rules alone",
                        capability.interface
                    ),
                    format!("write {write}"),
                ));
            }
        }
    }
}

fn has(capability: &Capability, list: &str) -> bool {
    capability.bounds().into_iter().any(|(name, given)| name == list && given.is_some())
}

/// What the component imports against what the manifest asks for.
pub(super) fn imports(manifest: &Manifest, component: &ComponentInfo, findings: &mut Vec<Finding>) {
    let requested = manifest.requested();
    for interface in component.imports.keys().filter(|import| !requested.contains(import)) {
        findings.push(Finding::error(
            "capabilities",
            format!("the component imports postern:{interface}, which the manifest does not request"),
            format!("add [[capabilities]] with interface = \"{interface}\" and a reason, or do not use it"),
        ));
    }
    for (i, capability) in manifest.capabilities.iter().enumerate() {
        let interface = capability.interface;
        if !component.imports.contains_key(&interface) {
            findings.push(Finding::warning(
                format!("capabilities[{i}].interface"),
                format!("{interface} is requested, but the component does not import it"),
                "leave it out: operators are asked for more than the skill uses",
            ));
        }
    }
}

/// Limits that the host does not give.
pub(super) fn limits(asked: &RequestedLimits, most: &Limits, findings: &mut Vec<Finding>) {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    let wide = |asked: Option<u32>| asked.map(u64::from);
    let ms = |most: std::time::Duration| u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    let rows: [(&str, Option<u64>, u64); 13] = [
        ("memory_mib", wide(asked.memory_mib), most.memory_bytes / MIB),
        ("table_elements", asked.table_elements, most.table_elements),
        ("stack_kib", wide(asked.stack_kib), most.stack_bytes / KIB),
        ("cpu_ms", wide(asked.cpu_ms), ms(most.cpu)),
        ("wall_ms", wide(asked.wall_ms), ms(most.wall)),
        ("fuel", asked.fuel, most.fuel.unwrap_or(u64::MAX)),
        ("host_calls", wide(asked.host_calls), most.host_calls.into()),
        ("sent_kib", wide(asked.sent_kib), most.sent_bytes / KIB),
        ("received_kib", wide(asked.received_kib), most.received_bytes / KIB),
        ("log_lines", wide(asked.log_lines), most.log_lines.into()),
        ("log_kib", wide(asked.log_kib), most.log_bytes / KIB),
        ("result_kib", wide(asked.result_kib), most.result_bytes / KIB),
        ("skill_calls", wide(asked.skill_calls), most.skill_calls.into()),
    ];
    for (name, asked, most) in rows {
        let field = format!("limits.{name}");
        match asked {
            Some(asked) if asked > most => findings.push(Finding::warning(
                field,
                format!("{asked} is asked for; this host gives {most} at most, and gives no more"),
                "ask for less, or tell operators that they have to raise [limits] in postern.toml",
            )),
            Some(0) => findings.push(Finding::error(
                field,
                "with 0, no call can succeed",
                "ask for what a call needs, or leave it out",
            )),
            _ => {}
        }
    }
}
