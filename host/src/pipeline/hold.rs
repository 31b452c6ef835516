//! Turns that wait for somebody's word: how one is put aside, what the customer's
//! word does, and what a turn that goes on again must leave alone.

use postern_domain::{
    Approval, ApprovalId, ApprovalState, Approver, AuditEntry, AuditKind, Awaiting, Severity,
    SkillId, Timestamp,
};
use postern_store::Change;
use serde_json::Value;

use super::{
    agent,
    answer::{Told, answer},
    meanwhile::Meanwhile,
    plan::{Action, Plan, Word},
    respond::{Escalation, Response},
    texts,
    turn::{self, TurnError},
};
use crate::{
    app::App,
    approvals,
    identity::{self, Answer, Challenged},
    ledger::{Ledger, Suspension},
    registry::Skills,
};

/// Lets a turn's own question be the one that is open. Another call that waits for the
/// customer's word waits for it in vain then.
pub(super) async fn ask(
    app: &App,
    ledger: &mut Ledger,
    own: Awaiting,
    other: Option<Awaiting>,
) -> Result<(), TurnError> {
    let replaced =
        other.and_then(|other| other.approval).filter(|id| Some(id) != own.approval.as_ref());
    if let Some(id) = replaced
        && let Some(approval) = app.store.approval(&id).await?
    {
        let why = "another question was asked";
        settle(ledger, &approval, ApprovalState::Void, why, app.clock.now());
    }
    ledger.conversation.state.awaiting = Some(own);
    Ok(())
}

/// Settles what a turn that ends leaves undecided or unused: nothing will come of it,
/// and whoever decided must not believe otherwise.
pub(super) async fn close(
    app: &App,
    ledger: &mut Ledger,
    approvals: &[Approval],
) -> Result<(), TurnError> {
    let now = app.clock.now();
    for approval in approvals {
        if ledger.settled.iter().any(|settled| settled.id == approval.id) {
            continue;
        }
        let why = ledger.void.unwrap_or("the turn ended without it");
        let Some(next) = approval.settled(ApprovalState::Void, now, why) else { continue };
        ledger.audit(row(&next, "host", now));
        let told = approvals::voided(&*app.store, &app.policy.current(), &next, now).await?;
        told.into_iter().for_each(|change| ledger.push(change));
        ledger.push(Change::Approval(next));
    }
    Ok(())
}

/// Puts a turn aside: its journal is kept, whoever has to decide is asked, and the
/// conversation goes on without it.
pub(super) async fn put_aside(
    app: &App,
    ledger: &mut Ledger,
    skills: &Skills,
    plan: &Plan,
    (suspension, meanwhile): (Suspension, Option<Meanwhile>),
) -> Result<(), TurnError> {
    let now = app.clock.now();
    let Suspension { approval, is_new } = suspension;
    let park = Change::Park(ledger.turn.message.clone());
    let mut text = turn::raise_uncertain(app, ledger, plan, now);
    let open = match meanwhile {
        Some(meanwhile) => meanwhile.end(ledger),
        None => ledger.conversation.state.awaiting.clone(),
    };
    let asked = open.as_ref().is_some_and(|it| it.approval.as_ref() == Some(&approval.id));
    // Died before anybody was asked, the turn asks now.
    if !is_new && (asked || approval.approver.route().is_some()) {
        ledger.commit(vec![park], vec![]).await?;
        return Ok(());
    }
    if let Some(why) = agent::cannot_say(plan, &approval.approver) {
        return settle_at_once(ledger, &approval, (ApprovalState::Rejected, why), now).await;
    }
    agent::waits(ledger, plan, approval.expires_at);
    let mut by_skills = String::new();
    let (question, entity) = match &approval.approver {
        Approver::Route { .. } => (texts::WAITS_FOR_PEOPLE.to_owned(), None),
        Approver::Customer => {
            let question = question(app, skills, plan, &approval);
            if let Question::OfCall(text) = &question {
                by_skills.clone_from(text);
            }
            (question.into_text(), Some("confirmed"))
        }
        Approver::Identity => match app.codes.challenge(ledger, now).await? {
            challenged @ Challenged::Sent => (challenged.words().to_owned(), Some(identity::CODE)),
            challenged @ (Challenged::NotIdentified
            | Challenged::NotPrivate
            | Challenged::NoDelivery
            | Challenged::TooMany
            | Challenged::Verified) => {
                return decide_at_once(ledger, &approval, challenged, now).await;
            }
        },
    };
    if let Some(entity) = entity {
        let own = Awaiting {
            stack: Vec::new(),
            entity: entity.to_owned(),
            question: question.clone(),
            asked: 1,
            approval: Some(approval.id.clone()),
        };
        ask(app, ledger, own, open).await?;
    }
    text.push(question);
    let place = format!("ask-{}", approval.id);
    let told = Told { text: &text.join("\n\n"), by_skills: &by_skills };
    answer(app, ledger, told, &place, now).await?;
    crate::fault::point("park.before");
    let detail = format!("{} for {}", approval.id, approval.duty);
    ledger.audit_host(now, AuditKind::Turn, "turn:suspend", detail);
    let mut changes = approvals::announced(app, &approval, now).await?;
    changes.push(park);
    ledger.commit(changes, vec![]).await?;
    crate::fault::point("park.after");
    Ok(())
}

/// No code has to be sent, or none can be: the turn is not put aside and goes on at
/// once with what that means.
async fn decide_at_once(
    ledger: &mut Ledger,
    approval: &Approval,
    challenged: Challenged,
    now: Timestamp,
) -> Result<(), TurnError> {
    let (state, detail) = match challenged {
        Challenged::Verified => (ApprovalState::Approved, "the customer is verified already"),
        Challenged::Sent
        | Challenged::NotIdentified
        | Challenged::NotPrivate
        | Challenged::NoDelivery
        | Challenged::TooMany => (ApprovalState::Rejected, "no code can be sent"),
    };
    settle_at_once(ledger, approval, (state, detail), now).await
}

/// Nobody is asked: the turn is not put aside and goes on at once.
async fn settle_at_once(
    ledger: &mut Ledger,
    approval: &Approval,
    (state, detail): (ApprovalState, &str),
    now: Timestamp,
) -> Result<(), TurnError> {
    settle(ledger, approval, state, detail, now);
    ledger.commit(vec![], vec![]).await?;
    Ok(())
}

/// What the customer is asked before something is done: the sentence that the
/// operator installed with the skill, if what it is filled with stands in the very call
/// that waits; otherwise what the call itself says.
fn question(app: &App, skills: &Skills, plan: &Plan, approval: &Approval) -> Question {
    let amount = approval.amount.map(|amount| money(app, approval, amount));
    let tool =
        skills.active.get(&approval.skill).and_then(|skill| skill.manifest.tool(&approval.tool));
    let call = approval.arguments.to_string();
    let filled = tool.and_then(|tool| tool.confirm.clone()).and_then(|mut text| {
        let arguments = plan.arguments_of(&approval.skill, &approval.tool);
        for (name, value) in arguments.into_iter().flatten() {
            let place = format!("{{{name}}}");
            if !text.contains(&place) {
                continue;
            }
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !call.contains(&value) {
                return None;
            }
            text = text.replace(&place, &value);
        }
        let amount = amount.as_deref().unwrap_or("an amount that is not known");
        Some(text.replace("{amount}", amount))
    });
    filled.map_or_else(
        || {
            let call = format!("{} on {}", approval.action, approval.resource);
            Question::OfCall(texts::shall_i(&call, amount.as_deref()))
        },
        Question::Installed,
    )
}

/// What a customer is asked before something is done.
enum Question {
    /// The operator's sentence.
    Installed(String),
    /// What the skill's call says.
    OfCall(String),
}

impl Question {
    fn into_text(self) -> String {
        match self {
            Self::Installed(text) | Self::OfCall(text) => text,
        }
    }
}

/// An amount with its currency, if the record names one.
pub(super) fn money(app: &App, approval: &Approval, minor: i64) -> String {
    let amount = format!("{}.{:02}", minor / 100, minor % 100);
    let step = approval.arguments.pointer("/steps/0");
    let named = step.and_then(|step| {
        let rules = app.config.collections.get(step.get("collection")?.as_str()?)?;
        step.get("body")?.get(rules.currency.as_deref()?)?.as_str().map(str::to_owned)
    });
    match named {
        Some(currency) if currency.len() <= 8 => format!("{amount} {currency}"),
        Some(_) | None => amount,
    }
}

/// Takes the customer's word on a call that waits for them.
pub(super) async fn decide(
    app: &App,
    ledger: &mut Ledger,
    id: &ApprovalId,
    word: &Word,
    (before, received_at): (Option<&Awaiting>, Timestamp),
) -> Result<Response, TurnError> {
    let now = app.clock.now();
    let waits = app.store.approval(id).await?.filter(|approval| {
        approval.state == ApprovalState::Pending
            && approval.conversation == ledger.conversation.id
            && now < approval.expires_at
    });
    let Some(approval) = waits else {
        return Ok(Response {
            answers: vec![texts::NOTHING_WAITS.to_owned()],
            ..Response::default()
        });
    };
    // A yes that was written before the question is a yes to something else.
    if received_at < approval.created_at
        && let Some(awaiting) = before
    {
        return Ok(Response {
            answers: vec![awaiting.question.clone()],
            by_skills: vec![awaiting.question.clone()],
            awaiting: Some(awaiting.clone()),
            ..Response::default()
        });
    }
    let (state, detail) = match (&approval.approver, word) {
        (Approver::Customer, Word::Yes) => (ApprovalState::Approved, "the customer said yes"),
        (Approver::Customer, Word::No) => (ApprovalState::Rejected, "the customer said no"),
        (Approver::Identity, Word::Code { code }) => {
            match app.codes.answer(ledger, code, now).await? {
                Answer::Verified => (ApprovalState::Approved, "the customer knew the code"),
                answer @ Answer::Wrong { left } if left > 0 => {
                    return Ok(Response {
                        answers: vec![answer.words()],
                        awaiting: before.cloned(),
                        ..Response::default()
                    });
                }
                Answer::Wrong { .. }
                | Answer::Expired
                | Answer::None
                | Answer::NotPrivate
                | Answer::TooMany => (ApprovalState::Rejected, "no code fitted"),
            }
        }
        (Approver::Customer | Approver::Route { .. }, _) | (Approver::Identity, _) => {
            return Ok(Response {
                answers: vec![texts::NOTHING_WAITS.to_owned()],
                ..Response::default()
            });
        }
    };
    settle(ledger, &approval, state, detail, now);
    crate::fault::point("decide.taken");
    Ok(Response { decided: true, steps: vec![detail.to_owned()], ..Response::default() })
}

/// The customer went on to something else: what waits for them counts no more.
pub(super) async fn abandon(
    app: &App,
    ledger: &mut Ledger,
    before: Option<&Awaiting>,
    response: &Response,
) -> Result<(), TurnError> {
    let asked = before.and_then(|awaiting| awaiting.approval.as_ref());
    let still = response.awaiting.as_ref().and_then(|awaiting| awaiting.approval.as_ref());
    let Some(id) = asked.filter(|id| Some(*id) != still && !response.decided) else {
        return Ok(());
    };
    if let Some(approval) = app.store.approval(id).await? {
        let why = "the customer went on to other things";
        settle(ledger, &approval, ApprovalState::Void, why, app.clock.now());
    }
    Ok(())
}

/// Leaves a decision to the turn's commit, which also lets the waiting turn go on.
fn settle(
    ledger: &mut Ledger,
    approval: &Approval,
    to: ApprovalState,
    detail: &str,
    now: Timestamp,
) {
    let Some(next) = approval.settled(to, now, detail) else { return };
    ledger.audit(row(&next, "customer", now));
    ledger.push(Change::Wake(approval.message.clone()));
    ledger.push(Change::Approval(next));
}

/// The audit row of an approval that came to its state.
fn row(approval: &Approval, actor: &str, now: Timestamp) -> AuditEntry {
    let action = format!("approval:{}", approval.state.as_str());
    AuditEntry {
        detail: approval.detail.clone(),
        invocation: Some(approval.invocation.clone()),
        seq: Some(approval.seq),
        skill: Some(approval.skill.clone()),
        ..AuditEntry::new(now, AuditKind::Approval, actor, action, approval.id.to_string())
    }
}

/// What the customer is told of a call that was not allowed in the end. None if
/// nobody decided against it.
pub(super) fn refusal(approval: &Approval) -> Option<Response> {
    let said = |text: &str| Response { answers: vec![text.to_owned()], ..Response::default() };
    let person = |text: &str, reason: &str| Response {
        escalate: Some(Escalation {
            reason: reason.to_owned(),
            severity: Severity::Normal,
            failure: Some(format!("{reason}: {}", approval.id)),
        }),
        ..said(text)
    };
    match (&approval.approver, approval.state) {
        (
            _,
            ApprovalState::Pending
            | ApprovalState::Approved
            | ApprovalState::Executed
            | ApprovalState::Failed
            | ApprovalState::Uncertain,
        ) => None,
        (Approver::Customer, ApprovalState::Rejected) => Some(said(texts::NOT_DONE)),
        // The customer went on or away: an answer would come out of the blue.
        (Approver::Customer, ApprovalState::Expired | ApprovalState::Void) => {
            Some(Response::default())
        }
        (Approver::Identity, ApprovalState::Rejected | ApprovalState::Expired) => {
            Some(person(texts::CANNOT_IDENTIFY, "identity not proven"))
        }
        (Approver::Route { .. }, ApprovalState::Rejected) => Some(said(texts::PEOPLE_SAID_NO)),
        (Approver::Route { .. }, ApprovalState::Expired) => {
            Some(person(texts::PEOPLE_TOO_LATE, "approval expired"))
        }
        (Approver::Identity | Approver::Route { .. }, ApprovalState::Void) => {
            Some(person(texts::COUNTS_NO_MORE, "approval void"))
        }
    }
}

/// Arguments of a tool that a plan calls.
impl Plan {
    fn arguments_of(&self, skill: &SkillId, tool: &str) -> Option<&serde_json::Map<String, Value>> {
        match &self.action {
            Action::Call { stack } => stack
                .iter()
                .find(|call| call.skill == *skill && call.tool == tool)
                .map(|call| &call.arguments),
            Action::Say { .. }
            | Action::Ask { .. }
            | Action::Decide { .. }
            | Action::Refuse { .. }
            | Action::Escalate { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
