use std::collections::BTreeMap;

use postern_domain::{Interface, manifest::Capability};
use serde_json::json;

use super::{
    Severity::{Error, Warning},
    *,
};

/// A manifest at which there is nothing to find.
fn good() -> Manifest {
    let examples: Vec<String> = (0..15).map(|n| format!("where is my order number {n}")).collect();
    serde_json::from_value(json!({
        "skill": { "id": "orders", "version": "1.0.0", "description": "Orders.", "publisher": "Shop" },
        "tools": [{
            "name": "find_order",
            "description": "Finds an order.",
            "read_only": true, "idempotent": true, "reversible": true,
            "arguments": {
                "type": "object",
                "properties": { "order": { "type": "string" } },
                "required": ["order"],
                "additionalProperties": false,
            },
        }],
        "intents": [{
            "name": "order_status", "tool": "find_order", "required": ["order"],
            "examples": examples,
        }],
        "entities": [{ "name": "order", "pattern": "[A-Z]{2}[0-9]{6}", "ask": "Which order?" }],
        "capabilities": [{
            "interface": "records", "reason": "Looks up orders.", "reads": ["orders"], "writes": [],
        }],
        "limits": { "memory_mib": 32 },
    }))
    .unwrap()
}

fn component() -> ComponentInfo {
    let version = semver::Version::new(0, 1, 0);
    ComponentInfo {
        imports: BTreeMap::from([(Interface::Records, version)]),
        wasi: Vec::new(),
        exports_tools: true,
        size: 1,
    }
}

fn of(manifest: &Manifest, component: Option<&ComponentInfo>) -> Vec<Finding> {
    manifest.check().unwrap();
    let beside = Some(Beside { scenarios: 1, policy: true });
    check(&Subject { manifest, component, beside, ceilings: &Limits::default() })
}

/// After this change there is one finding, here and for this reason.
fn finds(change: impl FnOnce(&mut Manifest), severity: Severity, field: &str, reason: &str) {
    let mut manifest = good();
    change(&mut manifest);
    let findings = of(&manifest, Some(&component()));
    let [finding] = &findings[..] else { panic!("{field}: {findings:?}") };
    assert_eq!((finding.severity, &finding.field[..]), (severity, field), "{finding:?}");
    assert!(finding.reason.contains(reason), "{finding:?}");
    assert!(!finding.next.is_empty());
}

#[test]
fn a_good_skill_has_no_findings() {
    assert_eq!(of(&good(), Some(&component())), []);
}

#[test]
fn each_fault_is_found_where_it_is() {
    let arguments = |manifest: &mut Manifest, path: &str, value: serde_json::Value| {
        *manifest.tools[0].arguments.pointer_mut(path).unwrap() = value;
    };
    finds(
        |m| arguments(m, "/properties/order", json!({ "minLength": "x" })),
        Error,
        "tools[0].arguments/properties/order/minLength",
        "not a JSON Schema",
    );
    finds(
        |m| arguments(m, "/properties/order", json!({ "type": "integer" })),
        Error,
        "intents[0].required",
        "is given as a string",
    );
    finds(
        |m| {
            m.tools[0].arguments["properties"]["day"] = json!({ "type": "string" });
            arguments(m, "/required", json!(["order", "day"]));
        },
        Error,
        "intents[0].required",
        "argument \"day\", which intent \"order_status\" never gives",
    );
    finds(
        |m| {
            m.intents[0].optional = std::mem::take(&mut m.intents[0].required);
        },
        Warning,
        "intents[0].optional",
        "customers need not give",
    );
    finds(
        |m| arguments(m, "/additionalProperties", json!(true)),
        Warning,
        "tools[0].arguments.additionalProperties",
        "does not declare",
    );
    finds(|m| m.tools[0].read_only = false, Warning, "tools[0].confirm", "changes something");
    finds(
        |m| {
            let mut tool = m.tools[0].clone();
            tool.name = "other".to_owned();
            m.tools.push(tool);
        },
        Warning,
        "tools[1]",
        "no customer gets to it",
    );
    finds(
        |m| m.intents[0].examples.truncate(5),
        Warning,
        "intents[0].examples",
        "5 examples, too few",
    );
    finds(
        |m| m.intents[0].examples[3] = "Where is my ORDER number 0".to_owned(),
        Warning,
        "intents[0].examples[3]",
        "twice",
    );
    finds(
        |m| {
            let mut intent = m.intents[0].clone();
            intent.name = "order_lost".to_owned();
            let own = intent.examples.iter_mut().skip(1);
            own.for_each(|example| example.push_str(" gone"));
            m.intents.push(intent);
        },
        Error,
        "intents[1].examples[0]",
        "is an example of \"order_status\", too",
    );
    finds(|m| m.entities[0].pattern = "(?=x)".to_owned(), Error, "entities", "order");
    finds(
        |m| {
            let mut entity = m.entities[0].clone();
            entity.name = "parcel".to_owned();
            m.entities.push(entity);
        },
        Warning,
        "entities[1]",
        "no intent uses",
    );
    finds(|m| m.capabilities[0].writes = None, Warning, "capabilities[0].writes", "without bound");
    finds(
        |m| m.capabilities.push(Capability::new(Interface::Kv, "Remembers.")),
        Warning,
        "capabilities[1].interface",
        "does not import it",
    );
    finds(|m| m.capabilities.clear(), Error, "capabilities", "imports postern:records");
    finds(
        |m| m.limits.memory_mib = Some(65),
        Warning,
        "limits.memory_mib",
        "65 is asked for; this host gives 64 at most",
    );
    finds(|m| m.limits.cpu_ms = Some(0), Error, "limits.cpu_ms", "no call can succeed");
}

#[test]
fn capabilities_that_nothing_bounds_are_told_with_what_to_write() {
    for (interface, fields) in [
        (Interface::Records, &["reads", "writes"][..]),
        (Interface::Http, &["hosts"]),
        (Interface::Message, &["audiences"]),
        (Interface::Knowledge, &["reads"]),
        (Interface::Ticket, &[]),
    ] {
        let mut manifest = good();
        manifest.capabilities = vec![Capability::new(interface, "Needs it.")];
        let findings = of(&manifest, None);
        let found: Vec<_> = findings.iter().map(|finding| finding.field.clone()).collect();
        let wanted: Vec<_> = fields.iter().map(|name| format!("capabilities[0].{name}")).collect();
        assert_eq!(found, wanted);
        assert!(
            findings.iter().zip(fields).all(|(f, name)| f.next.contains(&format!("{name} = [")))
        );
    }
}

#[test]
fn what_a_folder_lacks_is_told_and_errors_come_first() {
    let mut manifest = good();
    manifest.limits.host_calls = Some(0);
    let beside = Some(Beside::default());
    let ceilings = &Limits::default();
    let subject = Subject { manifest: &manifest, component: None, beside, ceilings };
    let findings = check(&subject);
    let fields: Vec<_> = findings.iter().map(|finding| &finding.field[..]).collect();
    assert_eq!(fields, ["limits.host_calls", "scenarios", "policy.cedar"]);
}
