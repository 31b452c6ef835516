//! Who is an operator, for how long, and who can say so.

use postern_domain::{AuditRow, Channel, Role};

use super::*;
use crate::{clock::Clock as _, http::fixture::TestHost, keys::Secret};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn name(name: &str) -> OperatorId {
    name.parse().unwrap()
}

fn wanted(scope: &[Role], days: u32) -> TokenRequest {
    TokenRequest { label: "desk".to_owned(), scope: scope.to_vec(), days }
}

/// An office in which an actor works.
macro_rules! desk {
    ($host:expr, $actor:expr) => {
        Desk {
            store: &*$host.app.store,
            policy: &$host.app.policy.current(),
            actor: $actor,
            now: $host.clock.now(),
        }
    };
}

async fn who(host: &TestHost, token: &str) -> Option<Actor> {
    let configured = &host.app.config.server.operator_token;
    sign_in(&*host.app.store, configured, token, host.clock.now()).await.unwrap()
}

async fn with_token(host: &TestHost, id: &str, roles: &[Role], scope: &[Role]) -> Secret {
    let local = Actor::local();
    if host.app.store.operator(&name(id)).await.unwrap().is_none() {
        add(&desk!(host, &local), name(id), roles).await.unwrap();
    }
    make_token(&desk!(host, &local), &name(id), &wanted(scope, 90)).await.unwrap().0
}

async fn rows(host: &TestHost) -> Vec<AuditRow> {
    host.app.store.audit_tail(100, None).await.unwrap()
}

#[tokio::test]
async fn an_operator_signs_in_with_a_token_that_is_kept_nowhere() {
    let host = TestHost::new().await;
    let secret = with_token(&host, "ann", &[Role::Approver, Role::Viewer], &[]).await;
    let token = secret.expose();
    assert!(token.starts_with(TOKEN_PREFIX) && token.len() == TOKEN_PREFIX.len() + 43, "{token}");
    let actor = who(&host, token).await.unwrap();
    assert_eq!((actor.name().as_str(), actor.is_person()), ("operator:ann", true));
    assert_eq!(actor.roles(), [Role::Viewer, Role::Approver]);
    for other in ["", "pop_", &token[..token.len() - 1], &format!("{token}x")] {
        assert_eq!(who(&host, other).await, None, "{other}");
    }
    assert_eq!(who(&host, &format!(" {token}\n")).await, Some(actor));

    let kept = serde_json::to_string(&rows(&host).await).unwrap();
    assert!(kept.contains("operator:token") && !kept.contains(&token[8..]), "{kept}");
    let shown = show(&*host.app.store, &name("ann")).await.unwrap();
    assert!(!serde_json::to_string(&shown).unwrap().contains(&token[8..]));
}

#[tokio::test]
async fn a_token_ends_with_its_time_its_revocation_and_its_operator() {
    let host = TestHost::new().await;
    let local = Actor::local();
    let (first, second) = (
        with_token(&host, "ann", &[Role::Admin], &[]).await,
        with_token(&host, "ann", &[Role::Admin], &[]).await,
    );
    let short = {
        let tokens = host.app.store.operator_tokens(&name("ann")).await.unwrap();
        let of = postern_domain::Digest::of_bytes(first.expose().as_bytes());
        tokens.iter().find(|token| token.digest == of).unwrap().digest.short()
    };
    for begins in ["", "zz"] {
        let error = revoke_token(&desk!(host, &local), &name("ann"), begins).await.unwrap_err();
        assert!(matches!(error, OperatorError::Token { found: 0, .. }), "{error}");
    }
    revoke_token(&desk!(host, &local), &name("ann"), &short).await.unwrap();
    assert_eq!(who(&host, first.expose()).await, None);
    assert!(who(&host, second.expose()).await.is_some());

    host.clock.advance_ms(90 * DAY_MS - 1);
    assert!(who(&host, second.expose()).await.is_some());
    host.clock.advance_ms(1);
    assert_eq!(who(&host, second.expose()).await, None);

    let third = with_token(&host, "ann", &[], &[]).await;
    remove(&desk!(host, &local), &name("ann")).await.unwrap();
    assert_eq!(who(&host, third.expose()).await, None);
    let again = add(&desk!(host, &local), name("ann"), &[Role::Viewer]).await.unwrap_err();
    assert!(matches!(again, OperatorError::Exists(_)), "{again}");
    let more = make_token(&desk!(host, &local), &name("ann"), &wanted(&[], 1)).await.unwrap_err();
    assert!(matches!(more, OperatorError::Removed(_)), "{more}");
}

#[tokio::test]
async fn a_token_can_be_confined_and_never_widened() {
    let host = TestHost::new().await;
    let roles = [Role::Approver, Role::Admin];
    let confined = with_token(&host, "ann", &roles, &[Role::Approver]).await;
    let actor = who(&host, confined.expose()).await.unwrap();
    assert_eq!(actor.roles(), [Role::Approver]);
    // What the operator may, this token may not.
    let error = add(&desk!(host, &actor), name("bob"), &[Role::Viewer]).await.unwrap_err();
    assert!(matches!(error, OperatorError::Act(ActError::Refused { .. })), "{error}");

    let local = Actor::local();
    let wider = wanted(&[Role::Author], 90);
    let error = make_token(&desk!(host, &local), &name("ann"), &wider).await.unwrap_err();
    assert!(matches!(error, OperatorError::Scope { role: Role::Author, .. }), "{error}");
    for days in [0, 367] {
        let error = make_token(&desk!(host, &local), &name("ann"), &wanted(&[], days)).await;
        assert!(matches!(error.unwrap_err(), OperatorError::Days { .. }), "{days}");
    }
}

#[tokio::test]
async fn only_admins_and_the_owner_of_the_folder_manage_operators() {
    let host = TestHost::new().await;
    for role in [Role::Viewer, Role::Agent, Role::Approver, Role::Author] {
        let token = with_token(&host, role.as_str(), &[role], &[]).await;
        let actor = who(&host, token.expose()).await.unwrap();
        let before = rows(&host).await.len();
        let error = add(&desk!(host, &actor), name("bob"), &[Role::Admin]).await.unwrap_err();
        assert!(matches!(error, OperatorError::Act(ActError::Refused { .. })), "{error}");
        let rows = rows(&host).await;
        assert_eq!(rows.len(), before + 1);
        let entry = &rows.last().unwrap().entry;
        assert_eq!((entry.actor.as_str(), entry.action.as_str()), (&*actor.name(), "operator:add"));
        assert_eq!(entry.verdict.as_ref().unwrap().decision, postern_domain::Decision::Deny);
    }
    let root = who(&host, crate::http::fixture::TOKEN).await.unwrap();
    assert_eq!(root, Actor::root());
    add(&desk!(host, &root), name("bob"), &[Role::Admin]).await.unwrap();
    for reserved in [ROOT, LOCAL] {
        let error = add(&desk!(host, &root), name(reserved), &[Role::Viewer]).await.unwrap_err();
        assert!(matches!(error, OperatorError::Reserved(_)), "{error}");
    }
    let error = add(&desk!(host, &root), name("kim"), &[]).await.unwrap_err();
    assert!(matches!(error, OperatorError::NoRole), "{error}");
}

fn chat(sender: &str) -> Chat {
    Chat {
        channel: Channel::Telegram,
        account: "main".to_owned(),
        sender: sender.to_owned(),
        chat: sender.to_owned(),
    }
}

/// Tries a code from a chat; `once` is the message that brought it.
async fn try_code(
    host: &TestHost,
    from: &str,
    code: &str,
    once: &str,
) -> Result<OperatorId, BindError> {
    bind(&*host.app.store, &chat(from), code, once, host.clock.now(), |_| Vec::new()).await
}

#[tokio::test]
async fn a_code_binds_one_account_once() {
    let host = TestHost::new().await;
    let token = with_token(&host, "ann", &[Role::Approver], &[]).await;
    let ann = who(&host, token.expose()).await.unwrap();
    let (code, _) = new_code(&desk!(host, &ann)).await.unwrap();
    let code = code.expose();
    assert_eq!(code.len(), 8);
    let typed = format!("{}-{}", &code[..4].to_lowercase(), &code[4..]);
    assert_eq!(try_code(&host, "7", &typed, "m1").await.unwrap(), name("ann"));
    let actor = bound(&*host.app.store, &chat("7")).await.unwrap().unwrap();
    assert_eq!((actor.name().as_str(), actor.is_person()), ("operator:ann", true));
    assert!(matches!(try_code(&host, "8", code, "m2").await, Err(BindError::Wrong)));
    assert_eq!(bound(&*host.app.store, &chat("8")).await.unwrap(), None);
    let kept = serde_json::to_string(&rows(&host).await).unwrap();
    assert!(!kept.contains(code) && kept.contains("operator:bind"), "{kept}");

    // Removed, they act from nowhere.
    remove(&desk!(host, &Actor::local()), &name("ann")).await.unwrap();
    assert_eq!(bound(&*host.app.store, &chat("7")).await.unwrap(), None);
}

#[tokio::test]
async fn codes_end_after_ten_minutes_and_tries_after_five() {
    let host = TestHost::new().await;
    let token = with_token(&host, "ann", &[Role::Viewer], &[]).await;
    let ann = who(&host, token.expose()).await.unwrap();
    let (old, _) = new_code(&desk!(host, &ann)).await.unwrap();
    host.clock.advance_ms(10 * 60 * 1_000);
    assert!(matches!(try_code(&host, "7", old.expose(), "m0").await, Err(BindError::Wrong)));

    let (code, _) = new_code(&desk!(host, &ann)).await.unwrap();
    for number in 1..5 {
        let tried = try_code(&host, "7", "ABCDEFGH", &format!("m{number}")).await;
        assert!(matches!(tried, Err(BindError::Wrong)), "{number}");
    }
    let tried = try_code(&host, "7", code.expose(), "m5").await;
    assert!(matches!(tried, Err(BindError::TooMany)), "even the right one");
    let refused = rows(&host).await.pop().unwrap().entry;
    assert_eq!(refused.actor, "channel:telegram/main");
    // Other chats are not held up.
    assert!(try_code(&host, "8", code.expose(), "m6").await.is_ok());
}

#[tokio::test]
async fn an_account_can_do_no_more_than_the_token_that_bound_it() {
    let host = TestHost::new().await;
    let roles = [Role::Approver, Role::Admin];
    let tokens = [
        with_token(&host, "ann", &roles, &[Role::Approver]).await,
        with_token(&host, "ann", &roles, &[]).await,
    ];
    let mut codes = Vec::new();
    for (token, sender) in tokens.iter().zip(["7", "8"]) {
        let ann = who(&host, token.expose()).await.unwrap();
        let (code, _) = new_code(&desk!(host, &ann)).await.unwrap();
        try_code(&host, sender, code.expose(), sender).await.unwrap();
        codes.push(new_code(&desk!(host, &ann)).await.unwrap().0);
    }
    let acts = async |sender| bound(&*host.app.store, &chat(sender)).await.unwrap();
    let confined = acts("7").await.unwrap();
    assert_eq!(confined.roles(), [Role::Approver]);
    assert_eq!(acts("8").await.unwrap().roles(), roles);
    let error = add(&desk!(host, &confined), name("bob"), &[Role::Viewer]).await.unwrap_err();
    assert!(matches!(error, OperatorError::Act(ActError::Refused { .. })), "{error}");

    // With its token goes all that was made by it.
    let digest = postern_domain::Digest::of_bytes(tokens[0].expose().as_bytes());
    let local = Actor::local();
    revoke_token(&desk!(host, &local), &name("ann"), &digest.short()).await.unwrap();
    assert_eq!(acts("7").await, None);
    let gone = try_code(&host, "9", codes[0].expose(), "9").await;
    assert!(matches!(gone, Err(BindError::Wrong)), "{gone:?}");
    assert!(acts("8").await.is_some());
    try_code(&host, "9", codes[1].expose(), "10").await.unwrap();

    // An account can be taken away by itself.
    for number in [0, 3] {
        let error = unbind(&desk!(host, &local), &name("ann"), number).await.unwrap_err();
        assert!(matches!(error, OperatorError::Binding { found: 2, .. }), "{error}");
    }
    unbind(&desk!(host, &local), &name("ann"), 1).await.unwrap();
    assert_eq!(acts("8").await, None);
    assert!(acts("9").await.is_some());
    assert_eq!(rows(&host).await.pop().unwrap().entry.action, "operator:unbind");
}

#[tokio::test]
async fn a_token_of_nobody_in_particular_binds_nothing() {
    let host = TestHost::new().await;
    for actor in [Actor::root(), Actor::local()] {
        let error = new_code(&desk!(host, &actor)).await.unwrap_err();
        assert!(matches!(error, BindError::NoPerson(_)), "{error}");
    }
}
