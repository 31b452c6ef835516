use postern_domain::{TicketEventKind, TicketStatus};
use postern_store::{Change, Page, Store, TicketDetail};

use super::{Engine, data::*};

pub(crate) async fn a_ticket_keeps_its_events_in_order(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, _) = leased(&store, "a").await;
    let opened = ticket(&lease.conversation, "t", 0);
    let mut events = vec![
        happened(TicketEventKind::Opened, 1),
        happened(TicketEventKind::Tagged { tag: "vip".into() }, 1),
    ];
    let change = Change::Ticket { ticket: opened.clone(), events: events.clone() };
    store.commit(under(&lease, [change])).await.unwrap();

    let mut ticket = opened.clone().apply(&TicketEventKind::Answered, at(7)).unwrap();
    ticket.tags = vec!["order".into(), "vip".into()];
    ticket.queue = Some("support".into());
    ticket.reason = Some("asked".into());
    ticket.follows = Some(super::data::ticket(&lease.conversation, "old", 0).id);
    let later = vec![happened(TicketEventKind::Answered, 7)];
    let change = Change::Ticket { ticket: ticket.clone(), events: later.clone() };
    store.commit(under(&lease, [change])).await.unwrap();

    events.extend(later);
    assert_eq!(ticket.status, TicketStatus::Resolved);
    let detail = store.ticket(&opened.id).await.unwrap();
    assert_eq!(detail, Some(TicketDetail { ticket, events }));
    let other = super::data::ticket(&lease.conversation, "none", 0);
    assert_eq!(store.ticket(&other.id).await.unwrap(), None);
}

pub(crate) async fn tickets_are_listed_newest_first(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, _) = leased(&store, "a").await;
    for (name, customer, ms) in [("one", "anna", 1), ("three", "ben", 3), ("two", "anna", 2)] {
        let mut ticket = ticket(&lease.conversation, name, ms);
        ticket.customer = Some(customer.into());
        store.commit(under(&lease, [Change::Ticket { ticket, events: vec![] }])).await.unwrap();
    }
    let names = |tickets: Vec<postern_domain::Ticket>| -> Vec<String> {
        tickets.into_iter().map(|ticket| ticket.subject).collect()
    };
    let page = |limit, offset| store.tickets(Page { limit, offset });
    assert_eq!(names(page(9, 0).await.unwrap()), ["three", "two", "one"]);
    assert_eq!(names(page(1, 1).await.unwrap()), ["two"]);
    assert_eq!(names(store.tickets_of("anna", 9).await.unwrap()), ["two", "one"]);
    assert_eq!(names(store.tickets_of("anna", 1).await.unwrap()), ["two"]);
    assert_eq!(names(store.tickets_of("nobody", 9).await.unwrap()), [""; 0]);
}
