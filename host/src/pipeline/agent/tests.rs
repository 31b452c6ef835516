use postern_domain::Approver;
use postern_policy::personal::Detector;
use serde_json::json;

use super::*;

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("not an object: {value}") };
    map
}

fn call(arguments: Value) -> CallFile {
    let skill = "order-status".parse().unwrap();
    CallFile::V1 { skill, tool: "order_status".to_owned(), arguments: map(arguments) }
}

#[test]
fn the_same_call_has_the_same_mark_and_no_other() {
    let key = MasterKey::generate().unwrap();
    let one = call(json!({"a": 1, "b": "x"}));
    let mark = one.mark(&key, "helper");
    assert_eq!(mark, call(json!({"b": "x", "a": 1})).mark(&key, "helper"));
    assert_ne!(mark, one.mark(&key, "other"), "agents have calls of their own");
    assert_ne!(mark, call(json!({"a": 1, "b": "y"})).mark(&key, "helper"));
    let another = MasterKey::generate().unwrap();
    assert_ne!(mark, one.mark(&another, "helper"), "nobody can try out what was in a call");
}

#[test]
fn what_an_agent_says_of_people_becomes_placeholders() {
    let mut vault = Vault::new("k3f9", vec![]);
    let detector = Detector::standard();
    let given = json!({
        "email": "ann@shop.example",
        "first_name": "Ann",
        "note": "call +44 20 7946 0018 about #W1",
        "list": [{"postcode": "W1A 1AA"}],
    });
    let kept = hidden(map(given), &mut vault, &detector);
    let text = Value::Object(kept.clone()).to_string();
    for value in ["ann@", "\"Ann\"", "7946", "W1A"] {
        assert!(!text.contains(value), "{text}");
    }
    assert!(text.contains("#W1"), "{text}");
    let email = kept["email"].as_str().unwrap();
    assert_eq!(vault.resolve(email).unwrap().value, "ann@shop.example");
    let again = hidden(kept.clone(), &mut vault, &detector);
    assert_eq!(again, kept, "what it was given, it can give back");
}

#[test]
fn what_an_agent_was_not_given_is_no_placeholder() {
    let mut vault = Vault::new("k3f9", vec![]);
    let detector = Detector::standard();
    for forged in ["<EMAIL_1.k3f9>", "＜EMAIL_1.k3f9＞", "see <EMAIL_7.aaaa>"] {
        let kept = hidden(map(json!({ "email": forged })), &mut vault, &detector);
        let text = kept["email"].as_str().unwrap();
        assert_eq!(privacy::placeholders(text).count(), 0, "{text}");
    }
}

#[test]
fn an_agent_has_no_word_of_a_customers() {
    let plan = |mark: Option<&str>| Plan {
        text: String::new(),
        understanding: Understanding { ranked: vec![], in_scope: false, entities: vec![] },
        action: Action::Say { text: String::new() },
        subject: None,
        customer: Default::default(),
        session: None,
        language: None,
        restricted: None,
        mark: mark.map(str::to_owned),
    };
    let route = Approver::Route { route: "r".to_owned(), quorum: 1, escalate: None };
    assert!(cannot_say(&plan(Some("m")), &Approver::Customer).is_some());
    assert!(cannot_say(&plan(Some("m")), &Approver::Identity).is_some());
    assert!(cannot_say(&plan(Some("m")), &route).is_none(), "people decide as ever");
    assert!(cannot_say(&plan(None), &Approver::Customer).is_none(), "a customer can say yes");
}

#[test]
fn words_of_a_call_are_those_of_its_arguments() {
    let words = call(json!({"a": "one", "b": [{"c": "two"}], "d": 3})).words();
    assert_eq!(words, "a\none\nb\nc\ntwo\nd\n3");
}

#[test]
fn names_are_clean_at_every_depth() {
    let mut vault = Vault::new("k3f9", vec![]);
    let detector = Detector::standard();
    let given = json!({ "list": [{ "ann@shop.example": { "bob@shop.example": 1 } }] });
    let kept = Value::Object(hidden(map(given), &mut vault, &detector)).to_string();
    assert!(!kept.contains("@shop"), "{kept}");
}

#[test]
fn what_is_half_done_is_not_to_be_called_again() {
    let of = |kind, changed: Option<&str>| {
        let came = Came::Refused { refusal: Refusal::new(kind, "it failed") };
        let Came::Refused { refusal } = after(came, changed) else { panic!("it was done") };
        refusal.kind
    };
    let paid = Some("http:send on POST https://till.example");
    for kind in [RefusalKind::Unavailable, RefusalKind::Limit, RefusalKind::InvalidArguments] {
        assert_eq!(of(kind, paid), RefusalKind::Uncertain);
        assert_eq!(of(kind, None), kind);
    }
    assert_eq!(of(RefusalKind::Denied, paid), RefusalKind::Denied);
}
