//! What a web site's word does, over the routes that browsers use.

use postern_domain::{
    Approval, ApprovalId, ApprovalState, Approver, Awaiting, Conversation, Customer, IdentityLevel,
    InvocationId, MessageId, TurnId,
};
use postern_store::{Change, IndexedDocument, InvocationRow, TurnRow};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::{
    channels::web::token::signed,
    clock::Clock as _,
    http::fixture::{Answer, TestHost, request},
    pipeline,
};

const CURRENT: &str = "the current key, of many more bytes than thirty-two";
const PREVIOUS: &str = "the previous key, of many more bytes than thirty-two";
const JSON: (&str, &str) = ("content-type", "application/json");

async fn shop() -> TestHost {
    let host = TestHost::with(|config| {
        config.web.get_mut("main").unwrap().identity_keys =
            [CURRENT, PREVIOUS].map(Secret::new).to_vec();
    })
    .await;
    let users = host.app.config.collections.get("users").unwrap();
    let document = |key: &str| {
        let body = json!({ "user_id": key, "email": format!("{key}@shop.example") });
        IndexedDocument { key: key.to_owned(), index: users.index(&body), body }
    };
    let documents = [("users".to_owned(), vec![document("ann"), document("bob")])].into();
    let entry = AuditEntry::new(host.clock.now(), AuditKind::Operator, "test", "import", "users");
    host.app.store.import(documents, entry).await.unwrap();
    host
}

fn claims(host: &TestHost, change: Value) -> Value {
    let exp = host.clock.now().millis() / 1_000 + 600;
    let mut claims = json!({"sub": "ann", "aud": "main", "exp": exp});
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    claims
}

fn token(host: &TestHost, change: Value) -> String {
    signed(CURRENT, &json!({"alg": "HS256", "typ": "JWT"}), &claims(host, change))
}

/// Opens a session, with the web site's token if there is one.
async fn open(host: &TestHost, identity: Option<&str>) -> Answer {
    let body = identity.map_or(String::new(), |token| json!({ "identity": token }).to_string());
    host.public(request("POST", "/chat/main/session", &[JSON], &body)).await
}

fn session(answer: &Answer) -> (String, ConversationId) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let session = answer.json();
    let bearer = format!("Bearer {}", session["token"].as_str().unwrap());
    (bearer, session["conversation"].as_str().unwrap().parse().unwrap())
}

async fn identify(host: &TestHost, bearer: &str, token: &str) -> Answer {
    let body = json!({ "token": token }).to_string();
    let headers = [("authorization", bearer), JSON];
    host.public(request("POST", "/chat/main/identify", &headers, &body)).await
}

/// Lets the pipeline work until nothing waits.
async fn work(host: &TestHost) {
    let (stop, stopped) = watch::channel(false);
    let mut changes = host.app.events.subscribe();
    let worker = tokio::spawn(pipeline::work(Arc::clone(&host.app), 0, stopped));
    while host.app.store.backlog().await.unwrap().0 > 0 {
        changes.recv().await.unwrap();
    }
    stop.send(true).unwrap();
    worker.await.unwrap();
}

async fn customer(host: &TestHost, conversation: &ConversationId) -> Customer {
    host.app.store.conversation_row(conversation).await.unwrap().unwrap().customer
}

fn verified(key: &str) -> Customer {
    Customer { key: Some(key.to_owned()), level: IdentityLevel::Verified }
}

/// What the audit log says about tokens.
async fn audited(host: &TestHost) -> Vec<String> {
    let rows = host.app.store.audit_tail(200, None).await.unwrap();
    let ours = rows.into_iter().filter(|row| row.entry.kind == AuditKind::Identity);
    ours.map(|row| {
        assert_eq!((&*row.entry.action, &*row.entry.resource), ("identity:token", "web/main"));
        row.entry.detail
    })
    .collect()
}

#[tokio::test]
async fn a_session_opened_with_a_token_is_that_customers() {
    let host = shop().await;
    let (bearer, conversation) = session(&open(&host, Some(&token(&host, json!({})))).await);
    work(&host).await;
    assert_eq!(customer(&host, &conversation).await, verified("ann"));
    let detail = host.app.store.conversation(&conversation).await.unwrap().unwrap();
    assert!(detail.messages.is_empty() && detail.turns.is_empty(), "nothing is said about it");
    assert_eq!(audited(&host).await, ["verified"]);

    // The visitor goes on in the same conversation.
    let headers = [("authorization", &*bearer), JSON];
    let again = host.public(request("POST", "/chat/main/session", &headers, "")).await;
    assert_eq!(session(&again).1, conversation);
}

#[tokio::test]
async fn a_visitor_who_writes_already_says_who_they_are() {
    let host = shop().await;
    let (bearer, _) = session(&open(&host, None).await);
    let previous = signed(PREVIOUS, &json!({"alg": "HS256"}), &claims(&host, json!({})));
    let answer = identify(&host, &bearer, &previous).await;
    let (bearer, conversation) = session(&answer);
    assert_eq!(session(&identify(&host, &bearer, &previous).await).1, conversation, "again");
    work(&host).await;
    assert_eq!(customer(&host, &conversation).await, verified("ann"));
    assert_eq!(audited(&host).await, ["verified"], "the same token says nothing new");
}

#[tokio::test]
async fn whoever_had_the_visitors_token_before_does_not_reach_the_named_chat() {
    let host = shop().await;
    // Somebody puts a session of theirs into the customer's browser.
    let (planted, theirs) = session(&open(&host, None).await);
    write(&host, &planted, "m1").await;
    for signs_in in ["identify", "session"] {
        let answer = if signs_in == "identify" {
            identify(&host, &planted, &token(&host, json!({}))).await
        } else {
            let body = json!({ "identity": token(&host, json!({})) }).to_string();
            let headers = [("authorization", &*planted), JSON];
            host.public(request("POST", "/chat/main/session", &headers, &body)).await
        };
        let (bearer, own) = session(&answer);
        assert_ne!(own, theirs, "{signs_in}");
        assert_ne!(bearer, planted, "{signs_in}");
        work(&host).await;
        assert_eq!(customer(&host, &own).await, verified("ann"));
    }
    write(&host, &planted, "m2").await;
    work(&host).await;
    assert_eq!(customer(&host, &theirs).await, Customer::default());
}

/// Writes as the visitor with this token.
async fn write(host: &TestHost, bearer: &str, id: &str) {
    let body = json!({"id": id, "text": "hello"}).to_string();
    let headers = [("authorization", bearer), JSON];
    host.public(request("POST", "/chat/main/messages", &headers, &body)).await;
}

#[tokio::test]
async fn a_token_that_proves_nothing_changes_nothing() {
    let host = shop().await;
    let (bearer, conversation) = session(&open(&host, None).await);
    let now_s = host.clock.now().millis() / 1_000;
    let none = signed(CURRENT, &json!({"alg": "none"}), &claims(&host, json!({})));
    let foreign = signed(&"x".repeat(40), &json!({"alg": "HS256"}), &claims(&host, json!({})));
    let cases = [
        (token(&host, json!({"exp": now_s})), "expired"),
        (token(&host, json!({"exp": now_s + 7_200})), "good for more than an hour"),
        (token(&host, json!({"aud": "other"})), "for somebody else"),
        (token(&host, json!({"sub": "nobody"})), "no such customer"),
        (token(&host, json!({"x": "x".repeat(5_000)})), "too long"),
        (none, "another algorithm than HS256"),
        (foreign, "not signed with a key of this site"),
        ("x".to_owned(), "not a JSON Web Token with the needed claims"),
    ];
    for (token, reason) in &cases {
        identify(&host, &bearer, token).await.assert_refused(401, "unauthorized");
        open(&host, Some(token)).await.assert_refused(401, "unauthorized");
        let said = format!("refused: {reason}");
        let audited = audited(&host).await;
        assert_eq!(audited[audited.len() - 2..], [said.clone(), said]);
    }
    assert_eq!(host.app.store.backlog().await.unwrap(), (0, 0));
    assert!(host.app.store.conversation_row(&conversation).await.unwrap().is_none());

    let good = token(&host, json!({}));
    identify(&host, "Bearer x", &good).await.assert_refused(401, "unauthorized");
    for (body, code) in [("{}", 400), (r#"{"identity":"a","x":1}"#, 400), ("x", 400)] {
        let answer = host.public(request("POST", "/chat/main/session", &[JSON], body)).await;
        answer.assert_refused(code, "bad_request");
    }
}

#[tokio::test]
async fn a_site_without_keys_believes_nobody() {
    let host = TestHost::new().await;
    let (bearer, _) = session(&open(&host, None).await);
    let token = signed("", &json!({"alg": "HS256"}), &claims(&host, json!({})));
    identify(&host, &bearer, &token).await.assert_refused(404, "not_found");
    open(&host, Some(&token)).await.assert_refused(401, "unauthorized");
}

#[tokio::test]
async fn a_token_with_an_id_counts_once() {
    let host = shop().await;
    let (bearer, _) = session(&open(&host, None).await);
    let once = token(&host, json!({"jti": "7"}));
    let (_, first) = session(&identify(&host, &bearer, &once).await);
    open(&host, Some(&once)).await.assert_refused(401, "unauthorized");
    identify(&host, &bearer, &once).await.assert_refused(401, "unauthorized");
    work(&host).await;
    assert_eq!(customer(&host, &first).await, verified("ann"));
    assert_eq!(audited(&host).await, ["refused: used before", "refused: used before", "verified"]);
}

#[tokio::test]
async fn another_customer_in_the_same_browser_gets_a_chat_of_their_own() {
    let host = shop().await;
    let (bearer, anns) = session(&open(&host, Some(&token(&host, json!({})))).await);
    let (bearer, again) = session(&identify(&host, &bearer, &token(&host, json!({}))).await);
    assert_eq!(again, anns);
    work(&host).await;
    assert_eq!(customer(&host, &anns).await, verified("ann"));
    // The session has ended, and what was said is still there.
    set_customer(&host, &anns, Customer::default()).await;
    let bob = token(&host, json!({"sub": "bob"}));
    let (_, bobs) = session(&identify(&host, &bearer, &bob).await);
    assert_ne!(bobs, anns);

    // Nor is a chat taken over that a code has made another customer's.
    let (bearer, coded) = session(&open(&host, Some(&bob)).await);
    write(&host, &bearer, "m1").await;
    work(&host).await;
    set_customer(&host, &coded, verified("ann")).await;
    let (_, other) = session(&identify(&host, &bearer, &bob).await);
    assert_ne!(other, coded);
    work(&host).await;
    for conversation in [bobs, other] {
        assert_eq!(customer(&host, &conversation).await, verified("bob"));
    }
    assert_eq!(customer(&host, &coded).await, verified("ann"));
}

async fn set_customer(host: &TestHost, conversation: &ConversationId, customer: Customer) {
    let row = host.app.store.conversation_row(conversation).await.unwrap().unwrap();
    host.commit(vec![Change::Conversation(Conversation { customer, ..row })]).await;
}

#[tokio::test]
async fn a_claim_made_in_the_chat_gives_way_to_the_sites_word() {
    let host = shop().await;
    // The token comes before the claim has been taken up, so the visitor stays.
    let (_, conversation) = session(&open(&host, Some(&token(&host, json!({"sub": "bob"})))).await);
    let mut row = host.app.store.conversation_row(&conversation).await.unwrap().unwrap();
    row.customer = Customer { key: Some("ann".to_owned()), level: IdentityLevel::Identified };
    row.state.entities.insert("order_id".to_owned(), "#W1".to_owned());
    host.commit(vec![Change::Conversation(row.clone())]).await;
    work(&host).await;
    let after = host.app.store.conversation_row(&conversation).await.unwrap().unwrap();
    assert_eq!(after.customer, verified("bob"));
    assert_eq!(after.state.session, row.state.session + 1, "what was said before is over");
    assert!(after.state.entities.is_empty());
}

/// A call that waits until a customer has proved who they are.
fn waiting(
    host: &TestHost,
    message: &InboundMessage,
    customer: &str,
    approver: Approver,
) -> Approval {
    let now = host.clock.now();
    Approval {
        id: ApprovalId::derive(&[customer]),
        version: 1,
        approver,
        state: ApprovalState::Pending,
        binding: Digest::of_bytes(b"call"),
        conversation: message.conversation_id(),
        message: message.id(),
        turn: TurnId::derive(&["test"]),
        invocation: InvocationId::derive(&["test"]),
        seq: 3,
        skill: "tester".parse().unwrap(),
        skill_version: "1.0.0".to_owned(),
        skill_digest: Digest::of_bytes(b"component"),
        tool: "test".to_owned(),
        action: "records:put".to_owned(),
        resource: "refunds/1".to_owned(),
        arguments: json!({}),
        rules: vec![],
        duty: "identity:verified".to_owned(),
        duties: vec!["identity:verified".to_owned()],
        amount: None,
        reason: String::new(),
        customer: Some(customer.to_owned()),
        customer_words: String::new(),
        requester: None,
        policy: Digest::of_bytes(b"policy"),
        votes: vec![],
        created_at: now,
        expires_at: now.plus_millis(600_000),
        remind_at: None,
        settled_at: None,
        detail: String::new(),
    }
}

/// The invocation of a call that waits, in a turn of an earlier message.
fn begun(approval: &Approval) -> (TurnRow, InvocationRow) {
    let turn = TurnRow {
        id: approval.turn.clone(),
        conversation: approval.conversation.clone(),
        message: MessageId::derive(&["earlier"]),
        plan: json!({}),
        generation: "0".to_owned(),
        summary: None,
        started_at: approval.created_at,
        completed_at: None,
    };
    let invocation = InvocationRow {
        id: approval.invocation.clone(),
        turn: approval.turn.clone(),
        step: 0,
        skill: approval.skill.clone(),
        version: approval.skill_version.clone(),
        digest: approval.skill_digest,
        tool: approval.tool.clone(),
        arguments: json!({}),
        result: None,
        at: approval.created_at,
        took_us: 0,
        cpu_us: 0,
        memory_bytes: 0,
        host_calls: 0,
    };
    (turn, invocation)
}

#[tokio::test]
async fn a_call_that_waits_for_proof_goes_on_and_no_other() {
    for (customer, approver, state) in [
        ("ann", Approver::Identity, ApprovalState::Approved),
        ("ann", Approver::Customer, ApprovalState::Pending),
        ("bob", Approver::Identity, ApprovalState::Pending),
    ] {
        let host = shop().await;
        let (bearer, conversation) = session(&open(&host, Some(&token(&host, json!({})))).await);
        work(&host).await;
        write(&host, &bearer, "m1").await;
        let now = host.clock.now();
        let lease = host.app.store.lease_next("test", now, 1_000).await.unwrap().unwrap();
        let work_of = host.app.store.work(&lease, now).await.unwrap().unwrap();
        let approval = waiting(&host, &work_of.message, customer, approver);
        let mut row = work_of.conversation;
        row.customer = Customer { key: Some("ann".to_owned()), level: IdentityLevel::Identified };
        row.state.awaiting = Some(Awaiting {
            stack: vec![],
            entity: identity::CODE.to_owned(),
            question: String::new(),
            asked: 1,
            approval: Some(approval.id.clone()),
        });
        let park = Change::Park(work_of.message.id());
        let (turn, invocation) = begun(&approval);
        host.commit(vec![Change::Turn(turn), Change::Invocation(invocation)]).await;
        host.commit(vec![Change::Conversation(row), Change::Approval(approval.clone()), park])
            .await;
        host.app.store.release(&lease).await.unwrap();

        // Another token of the same customer's: that one has been taken up.
        let again = token(&host, json!({"iat": 1}));
        assert_eq!(session(&identify(&host, &bearer, &again).await).1, conversation);
        work(&host).await;
        let after = host.app.store.approval(&approval.id).await.unwrap().unwrap();
        assert_eq!(after.state, state, "{customer} {:?}", approval.approver);
        let detail = host.app.store.conversation(&conversation).await.unwrap().unwrap();
        let went_on = state == ApprovalState::Approved;
        let of_message = detail.turns.iter().filter(|turn| turn.message == approval.message);
        assert_eq!(of_message.count(), usize::from(went_on), "the parked message is woken");
        assert_eq!(detail.conversation.customer, verified("ann"));
        assert_eq!(detail.conversation.state.awaiting.is_none(), went_on);
    }
}

#[tokio::test]
async fn attempts_and_their_records_are_bounded() {
    let host = shop().await;
    let (bearer, _) = session(&open(&host, None).await);
    for _ in 0..10 {
        identify(&host, &bearer, "x").await.assert_refused(401, "unauthorized");
    }
    let answer = identify(&host, &bearer, &token(&host, json!({}))).await;
    answer.assert_refused(429, "too_many");
    assert_eq!(answer.header("retry-after"), "30");
    for _ in 0..100 {
        open(&host, Some("x")).await.assert_refused(401, "unauthorized");
    }
    assert_eq!(audited(&host).await.len(), 60);
    let good = token(&host, json!({}));
    for _ in 0..10 {
        session(&open(&host, Some(&good)).await);
    }
    open(&host, Some(&good)).await.assert_refused(429, "too_many");
    host.clock.advance_ms(30_000);
    session(&identify(&host, &bearer, &good).await);
}
