//! Who decides what, when, and what becomes of what nobody decides.

pub(crate) mod fixture;
mod waiting;

use postern_domain::{Approval, ApprovalState, Approver, Role, VoteError};

use self::fixture::{actor, is_awake, operator, waiting};
use super::*;
use crate::{http::fixture::TestHost, keys::Secret, operators::Actor};

struct Office {
    host: TestHost,
    approval: Approval,
}

impl Office {
    async fn new(change: impl FnOnce(&mut Approval)) -> Self {
        let host = TestHost::new().await;
        let approval = waiting(&*host.app.store, host.app.clock.now(), change).await;
        Self { host, approval }
    }

    async fn operator(&self, name: &str, role: Role) -> Actor {
        let token: Secret = operator(&self.host.app, name, &[role]).await;
        actor(&self.host.app, &token).await
    }

    async fn decide(
        &self,
        actor: &Actor,
        approve: bool,
        reason: &str,
    ) -> Result<Approval, DecideError> {
        let (app, rules) = (&self.host.app, self.host.app.policy.current());
        let desk = Desk { store: &*app.store, policy: &rules, actor, now: app.clock.now() };
        decide(&desk, &self.approval.id, approve, reason).await
    }

    async fn refused(&self, actor: &Actor, reason: &str, code: &str) {
        let error = self.decide(actor, true, reason).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let row = self.last_row().await;
        assert_eq!((row.actor.as_str(), row.action.as_str()), (&*actor.name(), "approval:approve"));
        assert!(row.detail.starts_with("refused"), "{row:?}");
        assert_eq!(row.resource, self.approval.id.as_str());
    }

    async fn last_row(&self) -> AuditEntry {
        self.host.app.store.audit_tail(1, None).await.unwrap().pop().unwrap().entry
    }

    async fn now(&self) -> Approval {
        self.host.app.store.approval(&self.approval.id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn an_approver_decides_with_a_reason_and_the_turn_goes_on() {
    for (approve, state) in [(true, ApprovalState::Approved), (false, ApprovalState::Rejected)] {
        let office = Office::new(|_| {}).await;
        let ann = office.operator("ann", Role::Approver).await;
        assert!(!is_awake(&*office.host.app.store).await);
        let decided = office.decide(&ann, approve, " seen the receipt ").await.unwrap();
        assert_eq!((decided.state, decided.version), (state, 2));
        assert_eq!(decided.votes[0].reason, "seen the receipt");
        assert_eq!(office.now().await, decided);
        assert!(is_awake(&*office.host.app.store).await);

        let row = office.last_row().await;
        assert_eq!(row.actor, "operator:ann");
        assert_eq!(row.invocation, Some(decided.invocation));
        assert_eq!(row.verdict.unwrap().rules, ["operator-approve"]);
        assert!(!row.detail.contains("receipt"), "{}", row.detail);
        office.refused(&ann, "again", "settled").await;
    }
}

#[tokio::test]
async fn nobody_decides_without_the_role_or_as_nobody_in_particular() {
    let office = Office::new(|_| {}).await;
    for role in [Role::Viewer, Role::Agent, Role::Author] {
        let other = office.operator(role.as_str(), role).await;
        office.refused(&other, "please", "role").await;
    }
    for nobody in [Actor::local(), Actor::root()] {
        office.refused(&nobody, "please", "no_person").await;
    }
    let ann = office.operator("ann", Role::Approver).await;
    for reason in ["", "  ", &"x".repeat(501)] {
        office.refused(&ann, reason, "reason").await;
    }
    assert_eq!(office.now().await, office.approval);
    assert!(!is_awake(&*office.host.app.store).await);
}

#[tokio::test]
async fn the_requester_cannot_decide_even_as_an_admin() {
    let office = Office::new(|approval| approval.requester = "ann".parse().ok()).await;
    let ann = office.operator("ann", Role::Admin).await;
    let error = office.decide(&ann, true, "mine").await.unwrap_err();
    assert!(matches!(error, DecideError::Vote(VoteError::Requester)), "{error}");
    let verdict = office.last_row().await.verdict.unwrap();
    assert_eq!(verdict.rules, ["approve-not-requester"]);
    let bob = office.operator("bob", Role::Admin).await;
    assert_eq!(office.decide(&bob, true, "fine").await.unwrap().state, ApprovalState::Approved);
}

#[tokio::test]
async fn a_quorum_is_of_different_people_and_one_rejects() {
    let two = |approval: &mut Approval| {
        approval.approver =
            Approver::Route { route: "refund-managers".into(), quorum: 2, escalate: None };
    };
    let office = Office::new(two).await;
    let (ann, bob) = (
        office.operator("ann", Role::Approver).await,
        office.operator("bob", Role::Approver).await,
    );
    assert_eq!(office.decide(&ann, true, "ok").await.unwrap().state, ApprovalState::Pending);
    assert!(!is_awake(&*office.host.app.store).await);
    office.refused(&ann, "ok", "twice").await;
    assert_eq!(office.decide(&bob, true, "ok").await.unwrap().state, ApprovalState::Approved);
    assert!(is_awake(&*office.host.app.store).await);

    let office = Office::new(two).await;
    let ann = office.operator("ann", Role::Approver).await;
    assert_eq!(office.decide(&ann, false, "no").await.unwrap().state, ApprovalState::Rejected);
}

#[tokio::test]
async fn whoever_asked_from_another_account_or_has_bound_it_since_cannot_decide() {
    let office = Office::new(|_| {}).await;
    let ann = office.operator("ann", Role::Approver).await;
    // The person who writes to one account of the channel is bound at another one.
    let binding = postern_domain::OperatorBinding {
        operator: ann.id().clone(),
        roles: vec![Role::Viewer],
        token: ann.token().unwrap(),
        channel: postern_domain::Channel::Web,
        account: "other".to_owned(),
        sender: "visitor-1".to_owned(),
        chat: "chat-2".to_owned(),
        created_at: office.host.app.clock.now(),
    };
    office.host.commit(vec![Change::Binding(binding)]).await;
    fixture::bound(&office.host.app, "ann", "101").await;
    let error = office.decide(&ann, true, "mine").await.unwrap_err();
    assert!(matches!(error, DecideError::Vote(VoteError::Requester)), "{error}");
    assert_eq!(office.last_row().await.verdict.unwrap().rules, ["approve-not-requester"]);
    assert_eq!(office.now().await, office.approval);

    let store = &*office.host.app.store;
    let row = store.conversation_row(&office.approval.conversation).await.unwrap().unwrap();
    assert_eq!(requester(&office.host.app, &row).await.unwrap().as_ref(), Some(ann.id()));
    // Nor are they asked.
    look_once(&office.host.app).await;
    let all = Page { limit: 50, offset: 0 };
    for summary in store.conversations(all).await.unwrap() {
        let detail = store.conversation(&summary.conversation.id).await.unwrap().unwrap();
        assert!(detail.outbox.is_empty(), "{:?}", detail.outbox);
    }
}

#[tokio::test]
async fn a_yes_of_somebody_who_could_not_decide_any_more_does_not_count() {
    let two = |approval: &mut Approval| {
        approval.approver =
            Approver::Route { route: "refund-managers".into(), quorum: 2, escalate: None };
    };
    for becomes in [None, Some(Role::Viewer)] {
        let office = Office::new(two).await;
        let ann = office.operator("ann", Role::Approver).await;
        let bob = office.operator("bob", Role::Approver).await;
        let kim = office.operator("kim", Role::Approver).await;
        office.decide(&ann, true, "ok").await.unwrap();
        let store = &*office.host.app.store;
        let row = store.operator(ann.id()).await.unwrap().unwrap();
        let row = match becomes {
            Some(role) => postern_domain::Operator { roles: vec![role], ..row },
            None => postern_domain::Operator { removed_at: Some(row.created_at), ..row },
        };
        office.host.commit(vec![Change::Operator(row)]).await;
        let decided = office.decide(&bob, true, "ok").await.unwrap();
        assert_eq!(decided.state, ApprovalState::Pending, "{becomes:?}");
        let decided = office.decide(&kim, true, "ok").await.unwrap();
        assert_eq!(decided.state, ApprovalState::Approved, "{becomes:?}");
    }
}

#[tokio::test]
async fn people_who_decide_at_the_same_time_are_both_counted() {
    let office = Office::new(|approval| {
        approval.approver =
            Approver::Route { route: "refund-managers".into(), quorum: 2, escalate: None };
    })
    .await;
    let (ann, bob) = (
        office.operator("ann", Role::Approver).await,
        office.operator("bob", Role::Approver).await,
    );
    let (first, second) =
        tokio::join!(office.decide(&ann, true, "ok"), office.decide(&bob, true, "ok"));
    let states = [first.unwrap().state, second.unwrap().state];
    assert!(states.contains(&ApprovalState::Approved), "{states:?}");
    let now = office.now().await;
    assert_eq!((now.state, now.votes.len(), now.version), (ApprovalState::Approved, 2, 3));
}

#[tokio::test]
async fn what_waits_for_the_customer_or_has_lost_its_route_is_not_for_people() {
    let office = Office::new(|approval| approval.approver = Approver::Customer).await;
    let ann = office.operator("ann", Role::Approver).await;
    office.refused(&ann, "yes", "not_for_people").await;

    let office = Office::new(|approval| {
        approval.approver = Approver::Route { route: "nobody".into(), quorum: 1, escalate: None };
    })
    .await;
    let ann = office.operator("ann", Role::Approver).await;
    office.refused(&ann, "yes", "no_route").await;
}

#[tokio::test]
async fn always_allow_writes_a_rule_that_does_nothing() {
    let office = Office::new(|_| {}).await;
    let (app, rules) = (&office.host.app, office.host.app.policy.current());
    let made = async |actor: &Actor| {
        let desk = Desk { store: &*app.store, policy: &rules, actor, now: app.clock.now() };
        propose(&desk, &app.config, &office.approval.id).await
    };
    let ann = office.operator("ann", Role::Approver).await;
    let error = made(&ann).await.unwrap_err();
    assert!(matches!(error, ProposeError::Act(ActError::Refused { .. })), "{error}");

    let zoe = office.operator("zoe", Role::Author).await;
    let proposal = made(&zoe).await.unwrap();
    assert_eq!(std::fs::read_to_string(&proposal.file).unwrap(), proposal.text);
    assert_eq!(proposal.refused, None, "{}", proposal.text);
    for part in [
        "It is not in force",
        "refund-confirmed",
        "&& !(principal == Skill::\"refund-check\" && context.tool == \"refund_request\"",
        "context.arguments.amount <= 25000",
        "resource is Record::refunds",
    ] {
        assert!(proposal.text.contains(part), "{part}: {}", proposal.text);
    }
    assert!(matches!(made(&zoe).await.unwrap_err(), ProposeError::Exists(_)));
    assert_eq!(app.policy.current().digest(), rules.digest());
    assert_eq!(office.now().await, office.approval);
}

#[tokio::test]
async fn a_proposal_that_does_not_fit_says_why() {
    let office = Office::new(|approval| approval.resource = "shoes/1".to_owned()).await;
    let zoe = office.operator("zoe", Role::Author).await;
    let (app, rules) = (&office.host.app, office.host.app.policy.current());
    let desk = Desk { store: &*app.store, policy: &rules, actor: &zoe, now: app.clock.now() };
    let refused = propose(&desk, &app.config, &office.approval.id).await.unwrap().refused.unwrap();
    assert!(refused.contains("shoes"), "{refused}");
}

/// Sees once to everything that waits.
pub(crate) async fn look_once(app: &crate::app::App) {
    let rules = app.policy.current();
    let mut told = super::tend::Told::default();
    super::tend::once(&*app.store, &rules, &mut told, app.clock.now()).await.unwrap();
}
