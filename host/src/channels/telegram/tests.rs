//! Operators in Telegram, against a Bot API that writes down what it is told.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, http::Uri, routing::any};
use postern_domain::{ApprovalState, OutboxState, Role};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    approvals::tests::fixture::{actor, bound, is_awake, operator, waiting},
    clock::Clock as _,
    config::TelegramAccount,
    http::fixture::{Answer, TestHost, request},
    keys::Secret,
    operators::{self, Desk},
};

const SECRET: &str = "a-secret-of-the-webhook";

type Calls = mpsc::UnboundedReceiver<(String, Value)>;

/// A Bot API that answers everything with yes.
async fn bot_api() -> (url::Url, Calls) {
    let (told, calls) = mpsc::unbounded_channel();
    let told = Arc::new(Mutex::new(told));
    let answer = async |State(told): State<Arc<Mutex<_>>>, uri: Uri, Json(body): Json<Value>| {
        let told: std::sync::MutexGuard<'_, mpsc::UnboundedSender<(String, Value)>> =
            told.lock().unwrap();
        let name = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        told.send((name, body)).unwrap();
        Json(json!({ "ok": true, "result": true }))
    };
    let router = Router::new().fallback(any(answer)).with_state(told);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, calls)
}

struct Bot {
    host: TestHost,
    calls: Calls,
    updates: std::cell::Cell<u32>,
}

impl Bot {
    async fn new() -> Self {
        let (api_base, calls) = bot_api().await;
        let account = TelegramAccount {
            bot_token: Secret::new("1:token"),
            secret_token: Secret::new(SECRET),
            previous_secret_token: None,
            api_base,
        };
        let host = TestHost::with(|config| {
            config.telegram.insert("main".to_owned(), account);
        })
        .await;
        Self { host, calls, updates: std::cell::Cell::new(0) }
    }

    async fn update(&self, mut update: Value) -> Answer {
        self.updates.set(self.updates.get() + 1);
        update["update_id"] = self.updates.get().into();
        self.deliver(&update).await
    }

    async fn deliver(&self, update: &Value) -> Answer {
        let headers =
            [("x-telegram-bot-api-secret-token", SECRET), ("content-type", "application/json")];
        let path = "/webhooks/telegram/main";
        self.host.public(request("POST", path, &headers, &update.to_string())).await
    }

    async fn writes(&self, sender: u32, text: &str) {
        let chat = json!({ "id": sender, "type": "private" });
        let message =
            json!({ "message_id": 5, "from": { "id": sender }, "chat": chat, "text": text });
        assert_eq!(self.update(json!({ "message": message })).await.status, 200);
    }

    /// Presses a button, and answers what the presser is shown.
    async fn presses(&mut self, sender: u32, data: &str) -> String {
        let chat = json!({ "id": sender, "type": "private" });
        let query = json!({
            "id": "q1", "from": { "id": sender }, "data": data,
            "message": { "message_id": 6, "date": 0, "chat": chat },
        });
        assert_eq!(self.update(json!({ "callback_query": query })).await.status, 200);
        let (name, body) = self.calls.recv().await.unwrap();
        assert_eq!(
            (name.as_str(), &body["callback_query_id"]),
            ("answerCallbackQuery", &json!("q1"))
        );
        body["text"].as_str().unwrap().to_owned()
    }

    async fn code_of(&self, token: &Secret) -> String {
        let (app, actor) = (&self.host.app, actor(&self.host.app, token).await);
        let (rules, now) = (app.policy.current(), self.host.clock.now());
        let desk = Desk { store: &*app.store, policy: &rules, actor: &actor, now };
        operators::new_code(&desk).await.unwrap().0.expose().to_owned()
    }

    /// What was written to the chat of a sender, oldest first.
    async fn answers(&self, sender: u32) -> Vec<String> {
        let sender = sender.to_string();
        let id = postern_domain::ConversationId::derive(&["telegram", "main", &sender, &sender]);
        let detail = self.host.app.store.conversation(&id).await.unwrap().unwrap();
        assert!(detail.messages.is_empty(), "an operator's message is no customer's");
        detail.outbox.into_iter().map(|item| item.text).collect()
    }

    async fn last_row(&self) -> postern_domain::AuditEntry {
        self.host.app.store.audit_tail(1, None).await.unwrap().pop().unwrap().entry
    }
}

#[tokio::test]
async fn an_operator_binds_an_account_and_decides_by_a_button() {
    let mut bot = Bot::new().await;
    let app = Arc::clone(&bot.host.app);
    let token = operator(&app, "ann", &[Role::Approver]).await;
    let code = bot.code_of(&token).await;
    bot.writes(7, &format!("/bind {code}")).await;
    assert_eq!(bot.answers(7).await, ["You act here as ann now. Approvals come to this chat."]);
    assert_eq!(app.store.backlog().await.unwrap().0, 0, "nothing is left to work on");
    // Telegram delivers again what it thinks was not taken.
    let again = json!({
        "update_id": 1, "message": { "message_id": 5, "from": { "id": 7 },
        "chat": { "id": 7, "type": "private" }, "text": format!("/bind {code}") },
    });
    assert_eq!(bot.deliver(&again).await.status, 200);
    assert_eq!(bot.answers(7).await.len(), 1);

    let approval = waiting(&*app.store, bot.host.clock.now(), |_| {}).await;
    let data = format!("apr:approve:{}", approval.id);
    let said = bot.presses(8, &data).await;
    assert!(said.starts_with("Sorry, this button is for"), "{said}");
    let row = bot.last_row().await;
    assert_eq!(
        (row.actor.as_str(), row.action.as_str()),
        ("channel:telegram/main", "approval:approve")
    );
    assert_eq!(row.detail, "refused: the account is no operator's");
    assert!(!is_awake(&*app.store).await);

    assert_eq!(bot.presses(7, &data).await, "Approved.");
    assert_eq!(bot.last_row().await.actor, "operator:ann");
    let now = app.store.approval(&approval.id).await.unwrap().unwrap();
    assert_eq!(now.state, ApprovalState::Approved);
    assert_eq!(now.votes[0].reason, "approved in Telegram");
    assert!(is_awake(&*app.store).await);
    let said = bot.presses(7, &data).await;
    assert!(said.starts_with("Not decided: the approval is approved"), "{said}");
}

#[tokio::test]
async fn a_bound_account_without_the_role_decides_nothing() {
    let mut bot = Bot::new().await;
    let app = Arc::clone(&bot.host.app);
    operator(&app, "eve", &[Role::Viewer]).await;
    bound(&app, "eve", "9").await;
    let approval = waiting(&*app.store, bot.host.clock.now(), |_| {}).await;
    let said = bot.presses(9, &format!("apr:reject:{}", approval.id)).await;
    assert!(said.starts_with("Not decided: eve may not do this"), "{said}");
    assert_eq!(app.store.approval(&approval.id).await.unwrap(), Some(approval));
}

#[tokio::test]
async fn a_wrong_code_is_answered_and_kept_nowhere() {
    let bot = Bot::new().await;
    bot.writes(7, "/bind WRONG-CODE").await;
    let answers = bot.answers(7).await;
    assert_eq!(answers.len(), 1);
    assert!(answers[0].starts_with("That did not work: this code does not count"), "{answers:?}");
    let rows = bot.host.app.store.audit_tail(50, None).await.unwrap();
    assert!(!serde_json::to_string(&rows).unwrap().contains("WRONG"), "{rows:?}");
    for number in 0..5 {
        bot.writes(7, &format!("/bind WRONG-{number}")).await;
    }
    assert!(bot.answers(7).await.last().unwrap().contains("too many tries"));
}

#[tokio::test]
async fn strangers_leave_so_many_rows_and_no_more() {
    let bot = Bot::new().await;
    let app = Arc::clone(&bot.host.app);
    for number in 0..30 {
        let chat = json!({ "id": 8, "type": "private" });
        let query = json!({
            "id": format!("q{number}"), "from": { "id": 8 },
            "data": "apr:approve:apr_000000000000000000000000",
            "message": { "message_id": 6, "date": 0, "chat": chat },
        });
        assert_eq!(bot.update(json!({ "callback_query": query })).await.status, 200);
        bot.writes(9, &format!("/bind WRONG-{number}")).await;
    }
    let rows = app.store.audit_tail(200, None).await.unwrap();
    let of = |action: &str| rows.iter().filter(|row| row.entry.action == action).count();
    assert_eq!((of("approval:approve"), of("operator:bind")), (10, 10));
    assert_eq!(bot.answers(9).await.len(), 10);
}

#[tokio::test]
async fn only_notices_have_buttons() {
    let mut bot = Bot::new().await;
    let app = Arc::clone(&bot.host.app);
    operator(&app, "ann", &[Role::Approver]).await;
    bound(&app, "ann", "7").await;
    let approval = waiting(&*app.store, bot.host.clock.now(), |_| {}).await;
    crate::approvals::tests::look_once(&app).await;
    let notice = app.store.claim_outbox(app.clock.now(), 5).await.unwrap().remove(0);
    assert_eq!(notice.state, OutboxState::Sending);
    app.channels.send(&notice, &notice.text).await.unwrap();
    let (name, body) = bot.calls.recv().await.unwrap();
    assert_eq!((name.as_str(), &body["chat_id"]), ("sendMessage", &json!(7)));
    let keys = &body["reply_markup"]["inline_keyboard"][0];
    assert_eq!(keys[0]["callback_data"], format!("apr:approve:{}", approval.id));
    assert_eq!(keys[1]["callback_data"], format!("apr:reject:{}", approval.id));

    let other = postern_domain::OutboxId::derive(&["an answer"]);
    let answer = postern_domain::OutboxItem { id: other, ..notice };
    app.channels.send(&answer, &answer.text).await.unwrap();
    let (_, body) = bot.calls.recv().await.unwrap();
    assert!(body.get("reply_markup").is_none(), "{body}");
}
