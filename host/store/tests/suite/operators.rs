use postern_domain::{
    BindingCode, Channel, Digest, Operator, OperatorBinding, OperatorToken, Role,
};
use postern_store::{Change, Store, StoreError};

use super::{Engine, data::*};

fn operator(name: &str) -> Operator {
    Operator {
        id: name.parse().unwrap(),
        roles: vec![Role::Approver, Role::Viewer],
        created_at: at(1),
        removed_at: None,
    }
}

fn token(secret: &str, owner: &Operator, ms: i64) -> OperatorToken {
    OperatorToken {
        digest: Digest::of_bytes(secret.as_bytes()),
        operator: owner.id.clone(),
        label: "laptop".into(),
        scope: vec![Role::Viewer],
        created_at: at(ms),
        expires_at: at(1_000),
    }
}

fn binding(owner: &Operator, sender: &str) -> OperatorBinding {
    OperatorBinding {
        operator: owner.id.clone(),
        roles: vec![Role::Viewer],
        token: Digest::of_bytes(b"1"),
        channel: Channel::Telegram,
        account: "shop".into(),
        sender: sender.into(),
        chat: format!("{sender}-chat"),
        created_at: at(3),
    }
}

pub(crate) async fn operators_are_kept_and_replaced(engine: &impl Engine) {
    let store = engine.open().await;
    let (ann, bob) = (operator("ann"), operator("bob"));
    let commit = changes([Change::Operator(bob.clone()), Change::Operator(ann.clone())]);
    store.commit(commit).await.unwrap();
    let gone = Operator { roles: vec![Role::Admin], removed_at: Some(at(9)), ..bob };
    store.commit(changes([Change::Operator(gone.clone())])).await.unwrap();
    drop(store);
    let store = engine.open().await;
    assert_eq!(store.operators().await.unwrap(), [ann, gone.clone()]);
    assert_eq!(store.operator(&gone.id).await.unwrap(), Some(gone));
    assert_eq!(store.operator(&operator("eve").id).await.unwrap(), None);
}

pub(crate) async fn a_token_leads_to_its_operator_until_it_is_forgotten(engine: &impl Engine) {
    let store = engine.open().await;
    let (ann, bob) = (operator("ann"), operator("bob"));
    let [one, two, three] = [token("1", &ann, 2), token("2", &ann, 1), token("3", &bob, 1)];
    let commit = changes([
        Change::OperatorToken(one.clone()),
        Change::OperatorToken(two.clone()),
        Change::OperatorToken(three.clone()),
        Change::Operator(ann.clone()),
        Change::Operator(bob.clone()),
    ]);
    store.commit(commit).await.unwrap();
    assert_eq!(store.operator_tokens(&ann.id).await.unwrap(), [two.clone(), one.clone()]);
    let found = store.operator_by_token(one.digest).await.unwrap();
    assert_eq!(found, Some((one.clone(), ann.clone())));
    assert_eq!(store.operator_by_token(Digest::of_bytes(b"4")).await.unwrap(), None);

    let again = store.commit(changes([Change::OperatorToken(one.clone())])).await;
    assert!(matches!(again, Err(StoreError::Engine { .. })), "a token is made once");
    let forget = changes([Change::OperatorTokenGone(one.digest)]);
    store.commit(forget.clone()).await.unwrap();
    store.commit(forget).await.unwrap();
    assert_eq!(store.operator_by_token(one.digest).await.unwrap(), None);
    assert_eq!(store.operator_tokens(&ann.id).await.unwrap(), std::slice::from_ref(&two));

    let binding = binding(&ann, "7");
    let code = BindingCode {
        digest: Digest::of_bytes(b"code"),
        operator: ann.id.clone(),
        roles: vec![Role::Viewer],
        token: one.digest,
        expires_at: at(1_000),
    };
    let kept = OperatorBinding { sender: "8".into(), token: two.digest, ..binding.clone() };
    let commit = changes([
        Change::OperatorToken(one.clone()),
        Change::Binding(binding),
        Change::Binding(kept.clone()),
        Change::BindingCode(code.clone()),
    ]);
    store.commit(commit).await.unwrap();
    assert_eq!(store.binding_code(code.digest).await.unwrap(), Some(code.clone()));
    store.commit(changes([Change::OperatorTokenGone(one.digest)])).await.unwrap();
    assert_eq!(store.binding_code(code.digest).await.unwrap(), None);
    assert_eq!(store.bindings(None).await.unwrap(), [kept], "what was made by it is gone");

    store.commit(changes([Change::OperatorTokensGone(ann.id.clone())])).await.unwrap();
    assert_eq!(store.operator_tokens(&ann.id).await.unwrap(), []);
    assert_eq!(store.operator_by_token(three.digest).await.unwrap(), Some((three, bob)));
}

pub(crate) async fn a_token_needs_its_operator(engine: &impl Engine) {
    let store = engine.open().await;
    let one = token("1", &operator("nobody"), 1);
    let error = store.commit(changes([Change::OperatorToken(one)])).await.unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error}");
}

pub(crate) async fn an_account_is_one_operators(engine: &impl Engine) {
    let store = engine.open().await;
    let (ann, bob) = (operator("ann"), operator("bob"));
    let (one, two) = (binding(&ann, "1"), binding(&ann, "2"));
    let taken_over = binding(&bob, "2");
    let commit = changes([
        Change::Operator(ann.clone()),
        Change::Operator(bob.clone()),
        Change::Binding(two.clone()),
        Change::Binding(one.clone()),
    ]);
    store.commit(commit).await.unwrap();
    assert_eq!(store.bindings(Some(&ann.id)).await.unwrap(), [one.clone(), two]);
    store.commit(changes([Change::Binding(taken_over.clone())])).await.unwrap();
    assert_eq!(store.bindings(None).await.unwrap(), [one.clone(), taken_over.clone()]);
    assert_eq!(store.bindings(Some(&bob.id)).await.unwrap(), std::slice::from_ref(&taken_over));
    let of = async |channel, sender| store.binding(channel, "shop", sender).await.unwrap();
    assert_eq!(of(Channel::Telegram, "2").await, Some(taken_over));
    assert_eq!(of(Channel::Web, "2").await, None);

    let (account, sender) = ("shop".to_owned(), "2".to_owned());
    let gone = Change::BindingGone { channel: Channel::Telegram, account, sender };
    store.commit(changes([gone.clone()])).await.unwrap();
    store.commit(changes([gone])).await.unwrap();
    assert_eq!(store.bindings(None).await.unwrap(), [one]);
}

pub(crate) async fn a_code_counts_once_and_in_time(engine: &impl Engine) {
    let store = engine.open().await;
    let ann = operator("ann");
    let code = |secret: &str, ms| BindingCode {
        digest: Digest::of_bytes(secret.as_bytes()),
        operator: ann.id.clone(),
        roles: vec![Role::Viewer],
        token: Digest::of_bytes(b"1"),
        expires_at: at(ms),
    };
    let (good, late, old) = (code("1", 100), code("2", 50), code("3", 10));
    let commit = changes([
        Change::Operator(ann.clone()),
        Change::BindingCode(good.clone()),
        Change::BindingCode(late.clone()),
        Change::BindingCode(old.clone()),
    ]);
    store.commit(commit).await.unwrap();
    drop(store);
    let store = engine.open().await;
    assert_eq!(store.binding_code(good.digest).await.unwrap(), Some(good.clone()));
    let used = |code: &BindingCode, ms| {
        let used = Change::BindingCodeUsed { digest: code.digest, at: at(ms) };
        changes([Change::Binding(binding(&ann, "1")), used])
    };
    let refused = async |code: &BindingCode, ms| {
        let error = store.commit(used(code, ms)).await.unwrap_err();
        assert!(matches!(error, StoreError::Stale { .. }), "{error}");
        assert!(!error.to_string().contains(&code.digest.hex()), "{error}");
    };
    refused(&late, 50).await;
    refused(&code("never", 99), 50).await;
    assert_eq!(store.bindings(None).await.unwrap(), [], "nothing is bound by a wrong code");
    store.commit(used(&good, 99)).await.unwrap();
    assert_eq!(store.bindings(None).await.unwrap(), [binding(&ann, "1")]);
    refused(&good, 99).await;
    for gone in [good, late, old] {
        assert_eq!(store.binding_code(gone.digest).await.unwrap(), None);
    }
}
