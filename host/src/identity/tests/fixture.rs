//! A shop with a gateway to contacts, and turns in its chats.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use postern_domain::{
    AuditEntry, AuditKind, Channel, Customer, IdentityLevel, InboundKind, InboundMessage,
    MessageId, OutboxItem, Timestamp, TurnId,
};
use postern_store::{Change, IndexedDocument, Lease, Store, TurnRow};
use serde_json::{Value, json};

use crate::{
    config::{Contact, Delivery},
    http::fixture::TestHost,
    identity::{Answer, Challenged, Codes, code_in},
    keys::Secret,
    ledger::Ledger,
    pipeline::deliver,
    privacy::{Vault, mark_of},
};

pub(super) const ANN: &str = "ann@shop.example";

/// What the operator's gateway was asked, and what it answers.
#[derive(Clone)]
pub(super) struct Gateway {
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    status: Arc<Mutex<StatusCode>>,
}

impl Gateway {
    pub(super) async fn start() -> (Self, String) {
        let gateway =
            Self { asked: Arc::default(), status: Arc::new(Mutex::new(StatusCode::ACCEPTED)) };
        let router = Router::new().route("/send", post(take)).with_state(gateway.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (gateway, url)
    }

    pub(super) fn asked(&self) -> Vec<(HeaderMap, Value)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn answers(&self, status: StatusCode) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// The code in the last text.
    pub(super) fn code(&self) -> String {
        let (_, body) = self.asked().pop().expect("the gateway was asked");
        code_in(body["text"].as_str().unwrap()).expect("the text has a code")
    }
}

async fn take(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> StatusCode {
    gateway.asked.lock().unwrap_or_else(PoisonError::into_inner).push((headers, body));
    *gateway.status.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Desk {
    pub(super) host: TestHost,
    pub(super) gateway: Gateway,
    pub(super) codes: Codes,
}

/// A turn under way.
pub(super) struct Turn {
    pub(super) ledger: Ledger,
    lease: Lease,
    message: MessageId,
}

impl Desk {
    pub(super) async fn new() -> Self {
        let (gateway, url) = Gateway::start().await;
        let host = TestHost::with(|config| {
            config.identity.contacts = vec![
                Contact { kind: "email", path: "email".into() },
                Contact { kind: "phone", path: "phone".into() },
            ];
            config.identity.delivery = Some(Delivery {
                url: url.parse().unwrap(),
                token: Secret::new("a-token-of-the-gateway"),
            });
        })
        .await;
        let codes = Codes::new(&host.app.config, &host.app.key);
        let desk = Self { host, gateway, codes };
        desk.import(json!({"user_id": "ann", "email": ANN, "phone": "+15550100"})).await;
        desk.import(json!({"user_id": "bob", "email": " "})).await;
        desk.import(json!({"user_id": "cem", "phone": "+15550199"})).await;
        desk
    }

    pub(super) async fn import(&self, body: Value) {
        let users = self.host.app.config.collections.get("users").unwrap();
        let key = body["user_id"].as_str().unwrap().to_owned();
        let document = IndexedDocument { key, index: users.index(&body), body };
        let entry = AuditEntry::new(self.now(), AuditKind::Operator, "test", "import", "users");
        let documents = [("users".to_owned(), vec![document])].into();
        self.host.app.store.import(documents, entry).await.unwrap();
    }

    pub(super) fn now(&self) -> Timestamp {
        self.host.app.clock.now()
    }

    /// The next turn of a chat, whose customer is said to be `customer`.
    pub(super) async fn turn(&self, chat: &str, customer: &str) -> Turn {
        self.turn_in(Arc::clone(&self.host.app.store), chat, customer, true).await
    }

    pub(super) async fn turn_in(
        &self,
        store: Arc<dyn Store>,
        chat: &str,
        customer: &str,
        private: bool,
    ) -> Turn {
        let now = self.now();
        let message = InboundMessage {
            channel: Channel::Web,
            account: "main".into(),
            dedupe_key: crate::keys::random_token().unwrap(),
            chat: chat.into(),
            sender: chat.into(),
            external_id: String::new(),
            private,
            kind: InboundKind::Text,
            text: "hello".into(),
            language: None,
            received_at: now,
        };
        store.accept(std::slice::from_ref(&message), &["k3f9".into()]).await.unwrap();
        let lease = store.lease_next("test", now, 60_000).await.unwrap().unwrap();
        let mut conversation = store.work(&lease, now).await.unwrap().unwrap().conversation;
        assert_eq!(conversation.id, message.conversation_id());
        if conversation.customer.key.is_none() {
            let key = (!customer.is_empty()).then(|| customer.to_owned());
            let level = match key {
                Some(_) => IdentityLevel::Identified,
                None => IdentityLevel::Unknown,
            };
            conversation.customer = Customer { key, level };
        }
        let message = message.id();
        let turn = TurnRow {
            id: TurnId::derive(&[message.as_str()]),
            conversation: conversation.id.clone(),
            message: message.clone(),
            plan: json!({}),
            generation: "0".into(),
            summary: None,
            started_at: now,
            completed_at: None,
        };
        let vault = Vault::new(&mark_of(&conversation), vec![]);
        let ledger = Ledger::new(store, lease.clone(), turn, conversation, vault, None);
        Turn { ledger, lease, message }
    }

    pub(super) async fn end(&self, mut turn: Turn) {
        let done = Change::InboxDone(turn.message.clone());
        turn.ledger.commit(vec![done], vec![]).await.unwrap();
        turn.ledger.store().release(&turn.lease).await.unwrap();
    }

    /// Asks for a code in a turn of its own.
    pub(super) async fn challenge(&self, chat: &str, customer: &str) -> Challenged {
        let mut turn = self.turn(chat, customer).await;
        let challenged = self.codes.challenge(&mut turn.ledger, self.now()).await.unwrap();
        self.end(turn).await;
        challenged
    }

    /// Gives a code in a turn of its own; what it proves, and the level after it.
    pub(super) async fn answer(&self, chat: &str, text: &str) -> (Answer, IdentityLevel) {
        let mut turn = self.turn(chat, "").await;
        let answer = self.codes.answer(&mut turn.ledger, text, self.now()).await.unwrap();
        let level = turn.ledger.conversation.customer.level;
        self.end(turn).await;
        (answer, level)
    }

    /// Sends everything that is due once, and tells what became of it.
    pub(super) async fn deliver(&self) -> Vec<OutboxItem> {
        let app = &self.host.app;
        let mut after = Vec::new();
        for item in app.store.claim_outbox(self.now(), 16).await.unwrap() {
            let id = item.id.clone();
            deliver::settle(app, item).await.unwrap();
            after.extend(app.store.outbox_item(&id).await.unwrap());
        }
        after
    }

    /// What the audit log says about codes.
    pub(super) async fn audited(&self) -> Vec<(String, String)> {
        let rows = self.host.app.store.audit_tail(100, None).await.unwrap();
        let ours = rows.into_iter().filter(|row| row.entry.kind == AuditKind::Identity);
        ours.map(|row| (row.entry.action, row.entry.detail)).collect()
    }
}
