//! One conversation as the pipeline leaves it, and what the pages make of it.

use postern_domain::{
    AuditEntry, AuditKind, AuditVerdict, Author, CallFailure, CallRecord, CallState, Channel,
    ConversationId, Decision, Digest, Document, FailureKind, HostCall, HostReply, InboundKind,
    InboundMessage, InvocationId, JournalEntry, MessageId, OutboxId, OutboxItem, OutboxState,
    Outcome, Priority, StoredMessage, Ticket, TicketEvent, TicketEventKind, TicketId, TicketStatus,
    Timestamp, TurnId, VaultEntry, digest_of,
};
use postern_store::{Change, Commit, InvocationRow, TurnRow};
use serde_json::json;

use super::get;
use crate::http::fixture::TestHost;

const EMAIL: &str = "ann@shop.example";
const PHONE_CHAT: &str = "4917012345";

struct Story {
    conversation: ConversationId,
    ticket: TicketId,
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + ms)
}

fn message(conversation: &ConversationId, id: MessageId, author: Author, text: &str) -> Change {
    let conversation = conversation.clone();
    Change::Message(StoredMessage { id, conversation, author, text: text.to_owned(), at: at(5) })
}

fn journal(
    invocation: &InvocationId,
    seq: u32,
    call: HostCall,
    decision: Decision,
    rule: &str,
    state: CallState,
) -> Change {
    let record = CallRecord {
        seq,
        digest: digest_of(&call),
        call,
        decision,
        rules: vec![rule.to_owned()],
        state,
        at: at(5),
        facts: None,
    };
    Change::Journal(JournalEntry { invocation: invocation.clone(), record })
}

/// A customer asks for two orders; one is theirs.
async fn tell(host: &TestHost) -> Story {
    let inbound = InboundMessage {
        channel: Channel::Telegram,
        account: "main".to_owned(),
        dedupe_key: "7".to_owned(),
        chat: PHONE_CHAT.to_owned(),
        sender: PHONE_CHAT.to_owned(),
        external_id: "7".to_owned(),
        private: true,
        kind: InboundKind::Text,
        text: format!("I am {EMAIL}"),
        language: None,
        received_at: at(0),
    };
    let (id, conversation) = (inbound.id(), inbound.conversation_id());
    host.app.intake.accept(inbound).await.unwrap();
    let turn = TurnId::derive(&[id.as_str()]);
    let invocation = InvocationId::derive(&[turn.as_str(), "0"]);
    let ticket = ticket(&conversation);
    let get_order =
        |key: &str| HostCall::RecordsGet { collection: "orders".to_owned(), key: key.to_owned() };
    let document = Document {
        key: "#W1".to_owned(),
        version: 1,
        body: json!({ "email": "<EMAIL_1.k3f9>" }).into(),
    };
    let refused =
        CallFailure::new(FailureKind::Denied, "the record does not belong to this customer");
    let changes = vec![
        Change::Vault {
            conversation: conversation.clone(),
            entries: vec![VaultEntry {
                placeholder: "<EMAIL_1.k3f9>".to_owned(),
                kind: "EMAIL".to_owned(),
                value: EMAIL.to_owned(),
            }],
        },
        message(
            &conversation,
            id.clone(),
            Author::Customer,
            "I am <EMAIL_1.k3f9> <script>alert(1)</script>",
        ),
        Change::Turn(turn_row(&conversation, &turn, &id)),
        Change::Invocation(invocation_row(&turn, &invocation)),
        journal(
            &invocation,
            0,
            get_order("#W1"),
            Decision::Allow,
            "order-status-orders",
            CallState::Done { reply: HostReply::Document { document } },
        ),
        journal(
            &invocation,
            1,
            get_order("#W2"),
            Decision::Deny,
            "records-owner-only",
            CallState::Failed { failure: refused },
        ),
        message(&conversation, MessageId::derive(&["answer"]), Author::Bot, "It is on its way."),
        Change::Outbox(outbox(&conversation)),
        Change::Ticket {
            ticket: ticket.clone(),
            events: vec![TicketEvent {
                at: at(5),
                actor: "host".to_owned(),
                kind: TicketEventKind::Escalated {
                    reason: "asked-for-person".to_owned(),
                    priority: Priority::P2,
                    queue: "support".to_owned(),
                },
            }],
        },
        Change::InboxDone(id),
    ];
    let entry = AuditEntry::new(
        at(5),
        AuditKind::HostCall,
        "skill:order-status@0.1.0",
        "records:get",
        "orders/#W2",
    );
    let verdict =
        AuditVerdict { decision: Decision::Deny, rules: vec!["records-owner-only".to_owned()] };
    let entry =
        AuditEntry { verdict: Some(verdict), conversation: Some(conversation.clone()), ..entry };
    host.app.store.commit(Commit { lease: None, changes, audit: vec![entry] }).await.unwrap();
    Story { conversation, ticket: ticket.id }
}

fn ticket(conversation: &ConversationId) -> Ticket {
    Ticket {
        id: TicketId::derive(&["ticket"]),
        conversation: conversation.clone(),
        customer: None,
        subject: "Order status".to_owned(),
        status: TicketStatus::Open,
        priority: Priority::P2,
        queue: Some("support".to_owned()),
        reason: Some("asked-for-person".to_owned()),
        tags: vec![],
        follows: None,
        created_at: at(1),
        updated_at: at(5),
    }
}

fn turn_row(conversation: &ConversationId, turn: &TurnId, message: &MessageId) -> TurnRow {
    let plan = json!({ "version": "1", "plan": {
        "text": "I am <EMAIL_1.k3f9>",
        "understanding": {
            "ranked": [{ "intent": "order_status", "probability": 0.97 }],
            "in_scope": true,
            "entities": [],
        },
        "action": { "action": "call", "confirmed": false, "stack": [
            { "skill": "order-status", "tool": "get_order", "intent": "order_status", "arguments": {} },
        ]},
        "subject": "Order status",
        "customer": { "key": null, "level": "unknown" },
    }});
    let summary = json!({ "version": "1", "stages": [
        { "stage": "classify", "what": "order_status (97 %)", "took_us": 1_500 },
        { "stage": "respond", "what": "get_order: reply", "took_us": 2_500 },
    ]});
    TurnRow {
        id: turn.clone(),
        conversation: conversation.clone(),
        message: message.clone(),
        plan,
        generation: "3".to_owned(),
        summary: Some(summary),
        started_at: at(1),
        completed_at: Some(at(5)),
    }
}

fn invocation_row(turn: &TurnId, id: &InvocationId) -> InvocationRow {
    InvocationRow {
        id: id.clone(),
        turn: turn.clone(),
        step: 0,
        skill: "order-status".parse().unwrap(),
        version: "0.1.0".to_owned(),
        digest: Digest::of_bytes(b"component"),
        tool: "get_order".to_owned(),
        arguments: json!({ "order": "#W1" }),
        result: Some(Ok(Outcome::Reply { text: "It is on its way.".to_owned() })),
        at: at(1),
        took_us: 2_000,
        cpu_us: 750,
        memory_bytes: 3 << 19,
        host_calls: 2,
    }
}

fn outbox(conversation: &ConversationId) -> OutboxItem {
    OutboxItem {
        id: OutboxId::derive(&["answer"]),
        conversation: conversation.clone(),
        channel: Channel::Telegram,
        account: "main".to_owned(),
        chat: PHONE_CHAT.to_owned(),
        text: "It is on its way.".to_owned(),
        state: OutboxState::Dead,
        attempts: 3,
        next_at: at(5),
        possible_duplicate: true,
        last_error: Some("refused: the chat is closed".to_owned()),
        created_at: at(5),
    }
}

#[tokio::test]
async fn a_conversation_tells_why_the_host_did_what_it_did() {
    let host = TestHost::new().await;
    let story = tell(&host).await;
    let page = get(&host, &format!("/conversations/{}", story.conversation)).await;
    assert_eq!(page.status, 200);
    for told in [
        "order_status 97 %",
        "call order-status.get_order",
        "<td>classify</td>",
        "1.5 ms",
        "order-status@0.1.0",
        "750 µs of processor time",
        "1.5 MiB of memory",
        "orders/#W2",
        "<span class=\"badge deny\">deny</span>",
        "href=\"/rules#records-owner-only\"",
        "Only the owner.",
        "denied: the record does not belong to this customer",
        "possibly sent twice",
        "refused: the chat is closed",
        "&#60;script&#62;alert(1)&#60;/script&#62;",
    ] {
        assert!(page.text.contains(told), "{told} is missing in {}", page.text);
    }
    assert!(!page.text.contains("<script"));
}

#[tokio::test]
async fn pages_show_placeholders_and_no_personal_value() {
    let host = TestHost::new().await;
    let story = tell(&host).await;
    let (conversation, ticket) = (&story.conversation, &story.ticket);
    let mut seen = String::new();
    for path in [
        "/".to_owned(),
        "/conversations".to_owned(),
        format!("/conversations/{conversation}"),
        "/tickets".to_owned(),
        format!("/tickets/{ticket}"),
        "/audit".to_owned(),
        format!("/audit?conversation={conversation}"),
    ] {
        let page = get(&host, &path).await;
        assert_eq!(page.status, 200, "{path}");
        for personal in [EMAIL, PHONE_CHAT] {
            assert!(!page.text.contains(personal), "{personal} in {path}");
        }
        seen += &page.text;
    }
    assert!(seen.contains("&#60;EMAIL_1.k3f9&#62;"));
    for path in [format!("/api/conversations/{conversation}"), format!("/api/tickets/{ticket}")] {
        let answer = get(&host, &path).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text.contains(EMAIL), "{path}");
    }
}

#[tokio::test]
async fn lists_lead_to_what_they_list() {
    let host = TestHost::new().await;
    let story = tell(&host).await;
    let home = get(&host, "/").await.text;
    for told in [
        "Not delivered</dt><dd>1<",
        "Waiting for a person</dt><dd>1<",
        "Order status",
        "asked-for-person",
    ] {
        assert!(home.contains(told), "{told} is missing in {home}");
    }
    let link = format!("href=\"/conversations/{}\"", story.conversation);
    for path in ["/", "/conversations", "/audit", &format!("/tickets/{}", story.ticket)] {
        assert!(get(&host, path).await.text.contains(&link), "{path}");
    }
    let ticket = get(&host, &format!("/tickets/{}", story.ticket)).await.text;
    assert!(
        ticket.contains("a person is needed: asked-for-person (p2, queue support)"),
        "{ticket}"
    );
    let listed = get(&host, "/api/conversations?limit=1").await.json();
    assert_eq!(listed[0]["conversation"]["id"], story.conversation.as_str());
    assert_eq!(listed[0]["messages"], 2);
    let audit = get(&host, &format!("/api/audit?conversation={}", story.conversation)).await.json();
    assert_eq!(audit[0]["entry"]["verdict"]["rules"][0], "records-owner-only");
    let rules = get(&host, "/api/rules").await.json();
    let rule = rules.as_array().unwrap().iter().find(|rule| rule["id"] == "records-owner-only");
    assert_eq!(rule.unwrap()["effect"], "forbid");
}

#[tokio::test]
async fn lists_are_shown_in_parts() {
    let host = TestHost::new().await;
    tell(&host).await;
    let first = get(&host, "/conversations?limit=1").await.text;
    assert!(!first.contains("rel=\"next\""), "there is only one");
    let after = get(&host, "/conversations?limit=1&offset=1").await.text;
    assert!(after.contains("rel=\"prev\" href=\"?limit=1&amp;offset=0\""), "{after}");
}
