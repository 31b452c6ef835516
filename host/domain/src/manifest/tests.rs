use serde_json::{Value, json};

use super::*;

fn manifest() -> Value {
    json!({
        "skill": {
            "id": "greeter", "version": "1.0.0", "description": "Says hello.", "publisher": "tests",
        },
        "tools": [{
            "name": "greet", "description": "Says hello.",
            "read_only": true, "idempotent": true, "reversible": true,
            "arguments": { "type": "object", "properties": { "colour": { "type": "string" } } },
        }],
        "intents": [{
            "name": "greet", "tool": "greet", "optional": ["colour"],
            "examples": ["hello you", "hi there you", "good day to you", "greet me", "say hello"],
        }],
        "entities": [{ "name": "colour", "pattern": "red|blue", "ask": "Which colour?" }],
        "capabilities": [{ "interface": "log", "reason": "To say what it did." }],
        "settings": [{ "name": "tone", "description": "How it greets.", "default": "a\nb" }],
    })
}

/// What checking says about the manifest with this text at this place.
fn check(place: &str, text: &str) -> Result<(), ManifestError> {
    let mut manifest = manifest();
    *manifest.pointer_mut(place).expect(place) = text.into();
    serde_json::from_value::<Manifest>(manifest).unwrap().check()
}

#[test]
fn texts_for_people_have_no_control_characters() {
    for (place, field) in [
        ("/skill/description", "skill.description"),
        ("/skill/publisher", "skill.publisher"),
        ("/tools/0/description", "tools[0].description"),
        ("/intents/0/examples/4", "intents[0].examples[4]"),
        ("/entities/0/pattern", "entities[0].pattern"),
        ("/entities/0/ask", "entities[0].ask"),
        ("/capabilities/0/reason", "capabilities[0].reason"),
        ("/settings/0/description", "settings[0].description"),
    ] {
        assert_eq!(check(place, "Größe: 20 °C, «naïve» 日本"), Ok(()), "{field}");
        for control in ['\u{1b}', '\n', '\r', '\u{7f}', '\u{9b}'] {
            let error = check(place, &format!("a{control}[2Jb")).unwrap_err();
            assert_eq!(error.field, field);
            let expected = format!("has the control character {control:?}; leave it out");
            assert_eq!(error.reason, expected);
            assert!(!error.to_string().contains(control), "{error}");
        }
        assert_eq!(check(place, " ").unwrap_err().reason, "must not be empty", "{field}");
        assert_eq!(check(place, &"x".repeat(401)).unwrap_err().field, field);
    }
}

#[test]
fn bounds_of_capabilities_make_sense() {
    let capability = |changes: Value| {
        let mut manifest = manifest();
        manifest["capabilities"][0] = changes;
        serde_json::from_value::<Manifest>(manifest).unwrap().check()
    };
    let records = json!({ "interface": "records", "reason": "r", "reads": ["orders"] });
    assert_eq!(capability(records), Ok(()));
    for (list, interface) in [("reads", "log"), ("writes", "knowledge"), ("hosts", "records")] {
        let error = capability(json!({ "interface": interface, "reason": "r", list: ["x"] }));
        assert_eq!(error.unwrap_err().field, format!("capabilities[0].{list}"));
    }
    let odd = json!({ "interface": "message", "reason": "r", "audiences": ["everybody"] });
    assert_eq!(capability(odd).unwrap_err().field, "capabilities[0].audiences");
}

#[test]
fn hosts_of_capabilities_are_written_as_in_urls() {
    let check = |host: &str| {
        let mut manifest = manifest();
        manifest["capabilities"][0] =
            json!({ "interface": "http", "reason": "r", "hosts": [host] });
        serde_json::from_value::<Manifest>(manifest).unwrap().check()
    };
    for host in [
        "api.example.com",
        "localhost",
        "a_b.example.",
        "xn--bcher-kva.example",
        "192.0.2.1",
        "[2001:db8::1]",
        "[::1]",
        "[::ffff:c000:201]",
    ] {
        assert_eq!(check(host), Ok(()), "{host}");
    }
    for host in [
        "API.example.com",
        "https://api.example.com",
        "api.example.com:443",
        "api.example.com/v1",
        "*.example.com",
        "bücher.example",
        "a..example",
        ".",
        "192.0.2.01",
        "192.0.2",
        "0x7f",
        "2001:db8::1",
        "[2001:DB8::1]",
        "[2001:db8:0:0::1]",
        "[::ffff:192.0.2.1]",
        "[::1]:443",
    ] {
        let error = check(host).unwrap_err();
        assert_eq!(error.field, "capabilities[0].hosts", "{host}");
        assert!(error.reason.contains("must be a host as URLs have it"), "{error}");
    }
}

#[test]
fn a_capability_covers_what_its_lists_name() {
    let get = |collection: &str| HostCall::RecordsGet {
        collection: collection.to_owned(),
        key: "k".to_owned(),
    };
    let mut records = Capability::new(Interface::Records, "r");
    assert!(records.covers(&get("orders"), None), "without a list rules alone decide");
    records.reads = Some(BTreeSet::from(["orders".to_owned()]));
    records.writes = Some(BTreeSet::new());
    assert!(records.covers(&get("orders"), None));
    assert!(!records.covers(&get("users"), None));
    let delete = HostCall::RecordsWrite {
        steps: vec![crate::RecordStep::Delete {
            collection: "orders".to_owned(),
            key: "k".to_owned(),
            version: 1,
        }],
    };
    assert!(!records.covers(&delete, None), "an empty list allows nothing");
    assert!(!Capability::new(Interface::Log, "r").covers(&get("orders"), None));
}

#[test]
fn a_wider_capability_is_told_from_a_narrower_one() {
    let open = Capability::new(Interface::Records, "r");
    let bound = Capability {
        reads: Some(BTreeSet::from(["orders".to_owned(), "users".to_owned()])),
        ..open.clone()
    };
    let narrow = Capability { reads: Some(BTreeSet::from(["orders".to_owned()])), ..open.clone() };
    for (one, other, within) in [
        (&bound, &open, true),
        (&open, &bound, false),
        (&narrow, &bound, true),
        (&bound, &narrow, false),
        (&narrow, &narrow, true),
    ] {
        assert_eq!(one.is_within(other), within, "{one:?} {other:?}");
    }
    assert!(!open.is_within(&Capability::new(Interface::Http, "r")));
}
