//! While an approval waits: notices, reminders, the second route, the end.

use postern_domain::{ApprovalState, Approver, OutboxItem, Role};
use postern_store::Page;

use super::{
    super::tend::{Done, Told, once},
    *,
};
use crate::{app::App, approvals::tests::fixture::bound};

const HOUR_MS: i64 = 3_600_000;

async fn look(app: &App, told: &mut Told) -> Done {
    once(&*app.store, &app.policy.current(), told, app.clock.now()).await.unwrap()
}

/// What was written to operators, in the order of chats.
async fn written(app: &App) -> Vec<OutboxItem> {
    let mut items = Vec::new();
    let all = Page { limit: 50, offset: 0 };
    for summary in app.store.conversations(all).await.unwrap() {
        let id = &summary.conversation.id;
        items.extend(app.store.conversation(id).await.unwrap().unwrap().outbox);
    }
    items.sort_by(|a, b| (&a.chat, &a.text).cmp(&(&b.chat, &b.text)));
    items
}

#[tokio::test]
async fn people_of_the_route_are_told_once_reminded_once_and_then_others_are() {
    let office = Office::new(|_| {}).await;
    let app = &office.host.app;
    for (name, role, chat) in
        [("ann", Role::Approver, "101"), ("bob", Role::Admin, "102"), ("eve", Role::Viewer, "103")]
    {
        office.operator(name, role).await;
        bound(app, name, chat).await;
    }
    // An approver without an account is asked on the page alone.
    office.operator("kim", Role::Approver).await;

    let mut told = Told::default();
    assert_eq!(look(app, &mut told).await, Done { woke: false, wrote: true });
    assert_eq!(look(app, &mut told).await, Done::default());
    // Another process tells of it again, which writes nothing.
    look(app, &mut Told::default()).await;
    let first = written(app).await;
    assert_eq!(first.iter().map(|item| item.chat.as_str()).collect::<Vec<_>>(), ["101"]);
    assert!(first[0].text.contains(office.approval.id.as_str()), "{}", first[0].text);
    assert!(!first[0].text.contains("Refund <b>"), "{}", first[0].text);
    assert_eq!(approval_of(&first[0]), Some(office.approval.id.clone()));

    office.host.clock.advance_ms(HOUR_MS);
    assert!(look(app, &mut told).await.wrote);
    assert!(!look(app, &mut told).await.wrote, "it reminds once");
    let now = office.now().await;
    assert_eq!((now.remind_at, now.version), (None, 2));
    assert_eq!(office.last_row().await.action, "approval:remind");
    assert_eq!(written(app).await.len(), 2);

    office.host.clock.advance_ms(3 * HOUR_MS);
    look(app, &mut told).await;
    let now = office.now().await;
    let to = Approver::Route { route: "on-call".into(), quorum: 1, escalate: None };
    assert_eq!((now.approver, now.state), (to, ApprovalState::Pending));
    let row = office.last_row().await;
    assert_eq!(
        (row.actor.as_str(), row.action.as_str(), row.detail.as_str()),
        ("host", "approval:escalate", "from refund-managers to on-call")
    );
    let all = written(app).await;
    assert_eq!(all.last().map(|item| item.chat.as_str()), Some("102"));
    assert!(all.iter().all(|item| approval_of(item).is_some()));
}

#[tokio::test]
async fn a_notice_tells_no_key_that_is_personal() {
    let key = "refunds/jane.doe@example.com";
    let office = Office::new(|approval| key.clone_into(&mut approval.resource)).await;
    let app = &office.host.app;
    office.operator("ann", Role::Approver).await;
    bound(app, "ann", "101").await;
    look(app, &mut Told::default()).await;
    let [told] = &written(app).await[..] else { panic!("one is told") };
    assert!(told.text.contains("wants records:write on refunds/[EMAIL]."), "{}", told.text);
    assert_eq!(approval_of(told), Some(office.approval.id.clone()));
}

#[tokio::test]
async fn what_nobody_decides_expires_and_the_turn_goes_on() {
    let office = Office::new(|approval| {
        approval.approver =
            Approver::Route { route: "refund-managers".into(), quorum: 1, escalate: None };
    })
    .await;
    let (app, ann) = (&office.host.app, office.operator("ann", Role::Approver).await);
    office.host.clock.advance_ms(24 * HOUR_MS - 1);
    let mut told = Told::default();
    look(app, &mut told).await;
    assert_eq!(office.now().await.state, ApprovalState::Pending);
    office.host.clock.advance_ms(1);
    office.refused(&ann, "too late", "settled").await;
    assert!(look(app, &mut told).await.woke);
    let now = office.now().await;
    assert_eq!(now.state, ApprovalState::Expired);
    assert!(is_awake(&*app.store).await);
    let row = office.last_row().await;
    assert_eq!((row.action.as_str(), row.invocation), ("approval:expire", Some(now.invocation)));
    assert_eq!(look(app, &mut told).await, Done::default());
}

#[tokio::test]
async fn the_requester_is_not_asked() {
    let office = Office::new(|approval| approval.requester = "ann".parse().ok()).await;
    office.operator("ann", Role::Approver).await;
    bound(&office.host.app, "ann", "101").await;
    assert_eq!(look(&office.host.app, &mut Told::default()).await, Done::default());
}

#[tokio::test]
async fn no_text_makes_a_message_a_notice() {
    let office = Office::new(|_| {}).await;
    let app = &office.host.app;
    office.operator("ann", Role::Approver).await;
    bound(app, "ann", "101").await;
    look(app, &mut Told::default()).await;
    let genuine = written(app).await.remove(0);
    let other = postern_domain::OutboxId::derive(&["an answer"]);
    assert_eq!(approval_of(&OutboxItem { id: other, ..genuine.clone() }), None);
    let text = "Approval apr_000000000000000000000000 waits".to_owned();
    assert_eq!(approval_of(&OutboxItem { text, ..genuine }), None);
}
