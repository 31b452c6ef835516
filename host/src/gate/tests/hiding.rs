//! What of the outside a skill sees, and what of the inside leaves.

use postern_domain::Expected;
use postern_store::IndexedDocument;
use serde_json::Value;

use super::*;

const BODY: &str = r##"{"order":"#W1","total":12999, "customer":{"email":"ann@shop.example",
    "phone": 13800138000}, "note":"ann@shop.example wrote from 4111 1111 1111 1111"}"##;

fn ask(fixture: &Fixture) -> HostCall {
    let HostCall::HttpSend { mut request } = post(fixture, true) else { panic!() };
    request.method = HttpMethod::Get;
    request.body.clear();
    HostCall::HttpSend { request }
}

#[tokio::test]
async fn an_answer_of_a_server_is_seen_and_kept_in_placeholders() {
    let fixture = Fixture::new(Mode::Says(BODY)).await;
    let reply = fixture.gate(vec![]).call(ask(&fixture)).await.unwrap().answer.unwrap();
    let HostReply::Http { response } = &reply else { panic!("{reply:?}") };
    let wanted = r##"{"order":"#W1","total":12999, "customer":{"email":"<EMAIL_1.k3f9>",
    "phone": "<PHONE_1.k3f9>"}, "note":"<EMAIL_1.k3f9> wrote from <CARD_1.k3f9>"}"##;
    assert_eq!(std::str::from_utf8(&response.body).unwrap(), wanted);
    fixture.commit().await;
    let journal = fixture.journal().await;
    let kept = serde_json::to_string(&journal).unwrap();
    for value in ["ann@shop", "13800138000", "4111"] {
        assert!(!kept.contains(value), "{value} in {kept}");
        assert!(!format!("{response:?}").contains(value), "{value} in {response:?}");
    }
    // A run from the journal sees the same, and the next value gets the next number.
    let records: Vec<_> = journal.into_iter().map(|entry| entry.record).collect();
    let mut gate = fixture.gate(records);
    assert_eq!(gate.call(ask(&fixture)).await.unwrap().answer.unwrap(), reply);
    let mut ledger = fixture.ledger.lock().await;
    // The second stands for an address that the answer has in percent signs.
    assert_eq!(ledger.vault.placeholder("EMAIL", "bob@shop.example"), "<EMAIL_3.k3f9>");
    assert_eq!(ledger.vault.placeholder("EMAIL", "ann@shop.example"), "<EMAIL_1.k3f9>");
}

#[tokio::test]
async fn what_a_skill_kept_itself_comes_back_in_placeholders() {
    let rules = r#"@id("test-kv") permit (principal, action in Action::"kv", resource);"#;
    let fixture = Fixture::with_rules(Mode::Answers, rules).await;
    let mut gate = fixture.gate(vec![]);
    for (key, value, seen) in [
        ("text", &b"call ann@shop.example"[..], &b"call <EMAIL_1.k3f9>"[..]),
        ("json", br#"{"to":"ann@shop.example","n":7}"#, br#"{"to":"<EMAIL_1.k3f9>","n":7}"#),
        ("bytes", b"\xff\xfeann@shop.example", b"\xff\xfeann@shop.example"),
    ] {
        let set = HostCall::KvSet { key: key.into(), value: value.into(), ttl_s: 60 };
        gate.call(set).await.unwrap().answer.unwrap();
        let reply = gate.call(HostCall::KvGet { key: key.into() }).await.unwrap().answer.unwrap();
        assert_eq!(reply, HostReply::Value { value: Some(seen.to_vec()) }, "{key}");
    }
}

#[tokio::test]
async fn a_record_is_written_back_as_it_was_where_the_skill_changed_nothing() {
    let fixture = Fixture::new(Mode::Answers).await;
    let body = json!({
        "user_id": "ann", "status": "ann@shop.example", "address": {"zip": "10001"},
        "note": "call ann@shop.example", "phone": 13_800_138_000_u64, "parts": ["x", "bob@shop.example"],
    });
    let order = IndexedDocument { key: "#W9".into(), index: vec![], body: body.clone() };
    let now = postern_domain::Timestamp::from_millis(1);
    let entry = postern_domain::AuditEntry::new(
        now,
        postern_domain::AuditKind::Operator,
        "operator:test",
        "import",
        "orders",
    );
    fixture.store.import([("orders".into(), vec![order])].into(), entry).await.unwrap();
    let mut gate = fixture.gate(vec![]);
    let reply = gate.call(get("#W9")).await.unwrap().answer.unwrap();
    let HostReply::Document { document } = reply else { panic!("{reply:?}") };
    let mut seen = Value::clone(&document.body);
    assert_eq!(
        seen,
        json!({
            // Rules read it, so skills do as well.
            "user_id": "ann", "status": "ann@shop.example", "address": {"zip": "<POSTCODE_1.k3f9>"},
            "note": "call <EMAIL_1.k3f9>", "phone": "<PHONE_1.k3f9>", "parts": ["x", "<EMAIL_2.k3f9>"],
        })
    );
    seen["parts"] = json!(["<EMAIL_2.k3f9>", "y"]);
    seen["more"] = json!("for <EMAIL_1.k3f9>");
    let put = HostCall::RecordsWrite {
        steps: vec![RecordStep::Put {
            collection: "orders".into(),
            key: "#W9".into(),
            body: seen,
            expected: Expected::Version(document.version),
        }],
    };
    gate.call(put).await.unwrap().answer.unwrap();
    let held = fixture.store.record("orders", "#W9").await.unwrap().unwrap().body;
    let mut wanted = body;
    wanted["parts"] = json!(["bob@shop.example", "y"]);
    // A text that did not stand there before is no value, and takes none.
    wanted["more"] = json!("for <EMAIL_1.k3f9>");
    assert_eq!(held, wanted);
}

const REVEALED: &str = r#"
@id("test-reveal")
permit (principal == Skill::"tester", action == Action::"data:reveal", resource == Datum::"EMAIL")
when { ["to", "query.to", "path.2"].contains(context.arguments.field) };
"#;

#[tokio::test]
async fn a_value_goes_into_forms_queries_and_paths_where_a_rule_names_the_field() {
    let fixture = Fixture::with_rules(Mode::Says(r#"{"to":"ann@shop.example"}"#), REVEALED).await;
    let placeholder = fixture.ledger.lock().await.vault.placeholder("EMAIL", "ann@shop.example");
    let written = placeholder.replace('<', "%3C").replace('>', "%3E");
    let HostCall::HttpSend { request } = post(&fixture, true) else { panic!() };
    let form = HttpRequest {
        headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
        body: format!("to={written}&cc={written}&n=x{written}").into_bytes(),
        ..request.clone()
    };
    let query = HttpRequest {
        method: HttpMethod::Get,
        url: format!("{}/{written}?to={written}&cc={written}", request.url),
        body: Vec::new(),
        ..request
    };
    let mut gate = fixture.gate(vec![]);
    for request in [form, query] {
        let reply = gate.call(HostCall::HttpSend { request }).await.unwrap().answer.unwrap();
        assert!(!format!("{reply:?}").contains("ann%40shop"), "{reply:?}");
        let HostReply::Http { response } = reply else { panic!() };
        assert_eq!(response.body, br#"{"to":"<EMAIL_1.k3f9>"}"#);
    }
    let seen = fixture.server.seen();
    let body = String::from_utf8(seen[0].body.clone()).unwrap();
    assert_eq!(body, format!("to=ann%40shop.example&cc={written}&n=x{written}"));
    assert_eq!(
        seen[1].target,
        format!("/pay/ann%40shop.example?to=ann%40shop.example&cc={written}")
    );
    fixture.commit().await;
    let kept = serde_json::to_string(&fixture.journal().await).unwrap();
    assert!(!kept.contains("ann@shop") && !kept.contains("ann%40shop"), "{kept}");
}

#[tokio::test]
async fn a_value_that_would_lead_elsewhere_stays_here() {
    let fixture = Fixture::with_rules(Mode::Answers, REVEALED).await;
    let placeholder = fixture.ledger.lock().await.vault.placeholder("EMAIL", "a/../b@c.example");
    let written = placeholder.replace('<', "%3C").replace('>', "%3E");
    let HostCall::HttpSend { mut request } = post(&fixture, true) else { panic!() };
    request.method = HttpMethod::Get;
    request.body.clear();
    request.url = format!("{}/{written}", request.url);
    let call = HostCall::HttpSend { request };
    refused(fixture.gate(vec![]).call(call).await);
    assert!(fixture.server.seen().is_empty());
}

#[tokio::test]
async fn of_values_only_tags_tell_whose_they_are() {
    let fixture = Fixture::new(Mode::Says(BODY)).await;
    fixture.ledger.lock().await.vault.placeholder("EMAIL", "own@shop.example");
    fixture.gate(vec![]).call(ask(&fixture)).await.unwrap().answer.unwrap();
    fixture.commit().await;
    let tag = |value: &str| {
        fixture.blind.tags(&[("EMAIL".to_owned(), value.to_owned())]).pop().unwrap().tag
    };
    let conversation = fixture.ledger.lock().await.conversation.id.clone();
    let asked = [tag("own@shop.example"), tag("ann@shop.example")];
    let hits = fixture.store.vault_hits(&conversation, None, &asked).await.unwrap();
    let [hit] = &hits[..] else { panic!("{hits:?}") };
    assert!(hit.own && hit.tag.tag == asked[0], "what a server says is nobody's: {hit:?}");
}

/// What a skill gives to people has placeholders, and a run from the journal, which knows
/// the call as the skill made it, goes on as before.
#[tokio::test]
async fn what_a_skill_writes_for_people_is_performed_and_kept_in_placeholders() {
    let rules = r#"@id("test-people") permit (
        principal, action in [Action::"ticket", Action::"handover", Action::"kv"], resource);"#;
    let fixture = Fixture::with_rules(Mode::Answers, rules).await;
    let said = "call ann@shop.example".to_owned();
    let severity = postern_domain::Severity::Normal;
    let create = HostCall::TicketCreate { subject: said.clone(), priority: severity.priority() };
    let mut gate = fixture.gate(vec![]);
    let reply = gate.call(create.clone()).await.unwrap().answer.unwrap();
    let HostReply::Ticket { ticket } = &reply else { panic!("{reply:?}") };
    assert_eq!(ticket.subject, "call <EMAIL_1.k3f9>");
    let id = ticket.id.clone();
    let request = postern_domain::HandOver {
        reason: "bob@shop.example".to_owned(),
        severity,
        summary: said.clone(),
    };
    let calls = [
        HostCall::TicketTag { id: id.clone(), tag: "ann@shop.example".to_owned() },
        HostCall::TicketComment { id, text: said.clone() },
        HostCall::HandOver { request },
        HostCall::KvSet { key: "k".into(), value: said.into_bytes(), ttl_s: 60 },
    ];
    for call in calls.clone() {
        gate.call(call).await.unwrap().answer.unwrap();
    }
    let ticket = format!("{:?}", fixture.ledger.lock().await.ticket);
    assert!(ticket.contains("[EMAIL]") && !ticket.contains("@shop"), "{ticket}");
    fixture.commit().await;
    let journal = fixture.journal().await;
    let kept = serde_json::to_string(&journal).unwrap();
    assert!(!kept.contains("@shop"), "{kept}");
    for entry in &journal {
        if let HostCall::KvSet { value, .. } = &entry.record.call {
            assert_eq!(value, b"call [EMAIL]");
        }
    }
    let mut gate = fixture.gate(journal.into_iter().map(|entry| entry.record).collect());
    for call in [create].into_iter().chain(calls) {
        gate.call(call).await.unwrap().answer.unwrap();
    }
}
