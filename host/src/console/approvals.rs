//! The inbox of approvals: what waits, what was decided, and the deciding.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use postern_domain::{Approval, ApprovalId, ApprovalState, Approver};
use postern_store::Page;
use serde::{Deserialize, Serialize};

use super::{
    Console,
    api::RuleView,
    format,
    reply::{
        ApiError, Asked, ENTRIES, Entries, Failure, Frame, PageError, form_field, json_of,
        one_more, page,
    },
};
use crate::{
    approvals::{self, DecideError, Proposal, ProposeError, Shown},
    operators::Actor,
};

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        let (code, reason) = (error.code(), error.to_string());
        match error {
            DecideError::Act(error) => error.into(),
            DecideError::Unknown(_) => Self::NotFound,
            DecideError::NoPerson(_) => Self::Refused { by_rules: true, code, reason },
            DecideError::Vote(postern_domain::VoteError::Requester) => {
                Self::Refused { by_rules: true, code, reason }
            }
            DecideError::Vote(_) | DecideError::NoRoute(_) | DecideError::Busy(_) => {
                Self::Refused { by_rules: false, code, reason }
            }
        }
    }
}

impl From<ProposeError> for Failure {
    fn from(error: ProposeError) -> Self {
        let reason = error.to_string();
        let refused = |code| Self::Refused { by_rules: false, code, reason };
        match error {
            ProposeError::Act(error) => error.into(),
            ProposeError::Unknown(_) => Self::NotFound,
            ProposeError::NotForPeople(_) => refused("not_for_people"),
            ProposeError::Exists(_) => refused("exists"),
            ProposeError::File { .. } | ProposeError::Policies(_) => refused("not_written"),
        }
    }
}

/// Which approvals are asked for; those that wait, unless the address says
/// otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApprovalPart {
    state: Option<String>,
    limit: Option<u32>,
    offset: u32,
}

impl ApprovalPart {
    /// The state, none for all of them.
    fn state(&self) -> Result<Option<ApprovalState>, Failure> {
        match self.state.as_deref() {
            None => Ok(Some(ApprovalState::Pending)),
            Some("all") => Ok(None),
            Some(name) => {
                let found = ApprovalState::ALL.into_iter().find(|state| state.as_str() == name);
                found.map(Some).ok_or(Failure::Unreadable)
            }
        }
    }

    fn page(&self) -> Result<Page, Failure> {
        super::reply::bounded(self.limit.unwrap_or(ENTRIES), self.offset)
    }
}

#[derive(Template)]
#[template(path = "console/approvals.html")]
struct Inbox {
    frame: Frame,
    shown: &'static str,
    list: Entries<Approval>,
}

/// `GET /approvals?state&limit&offset`
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    Asked(part, _): Asked<ApprovalPart, PageError>,
) -> Result<Response, PageError> {
    let (state, asked) = (part.state()?, part.page()?);
    let found = approvals::list(&*console.app.store, state, one_more(asked)).await?;
    let template = Inbox {
        frame: Frame::of("approvals", "Approvals"),
        shown: state.map_or("all", ApprovalState::as_str),
        list: Entries::new(asked, found),
    };
    Ok(page(StatusCode::OK, &template))
}

/// A rule with its text, for whoever decides.
struct RuleText {
    id: String,
    doc: Option<String>,
    reason: Option<String>,
    place: String,
    text: Option<String>,
}

#[derive(Template)]
#[template(path = "console/approval.html")]
struct ApprovalPage {
    frame: Frame,
    approval: Approval,
    arguments: String,
    rules: Vec<RuleText>,
    /// Rules that asked for it and are not in force any more.
    gone: Vec<String>,
    /// Who waits for whom.
    waits_for: String,
    decidable: bool,
    /// What was said about the last try.
    said: Option<String>,
}

fn waits_for(approver: &Approver) -> String {
    match approver {
        Approver::Route { route, quorum, .. } => match quorum {
            1 => format!("one person of the route {route}"),
            more => format!("{more} different people of the route {route}"),
        },
        Approver::Customer => "the customer's yes".to_owned(),
        Approver::Identity => "the customer's proof of who they are".to_owned(),
    }
}

/// An amount in minor units, as people write it.
fn money(amount: &i64) -> String {
    let sign = if *amount < 0 { "-" } else { "" };
    let minor = amount.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

fn shown(console: &Console, shown: Shown, status: StatusCode, said: Option<String>) -> Response {
    let Shown { approval, rules } = shown;
    let texts: BTreeMap<String, String> = console.app.policy.texts();
    let in_force = |id: &&String| !rules.iter().any(|rule| rule.id == **id);
    let gone = approval.rules.iter().filter(in_force).cloned().collect();
    let rules = rules.into_iter().map(|rule| RuleText {
        text: texts.get(&rule.id).cloned(),
        reason: rule.annotations.get("reason").cloned(),
        place: format!("{}:{}", rule.file, rule.line),
        doc: rule.doc,
        id: rule.id,
    });
    let template = ApprovalPage {
        frame: Frame::of("approvals", "Approval"),
        arguments: format::json(&approval.arguments),
        rules: rules.collect(),
        gone,
        waits_for: waits_for(&approval.approver),
        decidable: approval.state == ApprovalState::Pending && approval.approver.route().is_some(),
        approval,
        said,
    };
    page(status, &template)
}

async fn read(console: &Console, id: &str) -> Result<Shown, Failure> {
    let id: ApprovalId = id.parse().map_err(|_| Failure::NotFound)?;
    let rules = console.app.policy.current();
    approvals::show(&*console.app.store, &rules, &id).await?.ok_or(Failure::NotFound)
}

/// `GET /approvals/{id}`
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    Ok(shown(&console, read(&console, &id).await?, StatusCode::OK, None))
}

/// Decides, and wakes what waits.
async fn decided(
    console: &Console,
    actor: &Actor,
    id: &str,
    approve: bool,
    reason: &str,
) -> Result<Approval, Failure> {
    let id: ApprovalId = id.parse().map_err(|_| Failure::NotFound)?;
    let rules = console.app.policy.current();
    let decided = approvals::decide(&console.desk(&rules, actor), &id, approve, reason).await?;
    console.app.inbox_bell.ring();
    Ok(decided)
}

/// `POST /approvals/{id}`: the form of the page.
pub(super) async fn decide(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, PageError> {
    let body = body.map_err(|_| PageError(Failure::Unreadable))?;
    let approve = match form_field(&body, "decision").as_deref() {
        Some("approve") => true,
        Some("reject") => false,
        Some(_) | None => return Err(PageError(Failure::Unreadable)),
    };
    let reason = form_field(&body, "reason").unwrap_or_default();
    match decided(&console, &actor, &id, approve, &reason).await {
        Ok(approval) => {
            let to = format!("/approvals/{}", approval.id);
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
        }
        // How it stands now is on the page, beside why nothing was decided.
        Err(Failure::Refused { by_rules, reason, .. }) => {
            let status = if by_rules { StatusCode::FORBIDDEN } else { StatusCode::CONFLICT };
            Ok(shown(&console, read(&console, &id).await?, status, Some(reason)))
        }
        Err(failure) => Err(PageError(failure)),
    }
}

async fn proposed(console: &Console, actor: &Actor, id: &str) -> Result<Proposal, Failure> {
    let id: ApprovalId = id.parse().map_err(|_| Failure::NotFound)?;
    let rules = console.app.policy.current();
    Ok(approvals::propose(&console.desk(&rules, actor), &console.app.config, &id).await?)
}

#[derive(Template)]
#[template(path = "console/proposal.html")]
struct ProposalPage {
    frame: Frame,
    id: String,
    file: String,
    proposal: Proposal,
}

/// `POST /approvals/{id}/rule`: "always allow this", for review.
pub(super) async fn propose(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let proposal = proposed(&console, &actor, &id).await?;
    let file = proposal.file.display().to_string();
    let frame = Frame::of("approvals", "A rule for review");
    Ok(page(StatusCode::OK, &ProposalPage { frame, id, file, proposal }))
}

/// `GET /api/approvals?state&limit&offset`
pub(super) async fn api_list(
    State(console): State<Arc<Console>>,
    Asked(part, _): Asked<ApprovalPart, ApiError>,
) -> Result<Json<Vec<Approval>>, ApiError> {
    let (state, page) = (part.state()?, part.page()?);
    Ok(Json(approvals::list(&*console.app.store, state, page).await?))
}

/// An approval in JSON, with the rules that ask for it.
#[derive(Serialize)]
pub(super) struct ApprovalView {
    approval: Approval,
    rules: Vec<RuleView>,
}

/// `GET /api/approvals/{id}`
pub(super) async fn api_show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
) -> Result<Json<ApprovalView>, ApiError> {
    let Shown { approval, rules } = read(&console, &id).await?;
    Ok(Json(ApprovalView { approval, rules: rules.iter().map(RuleView::from).collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    reason: String,
}

/// `POST /api/approvals/{id}/approve`
pub(super) async fn api_approve(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Approval>, ApiError> {
    let Decision { reason } = json_of(&headers, body)?;
    Ok(Json(decided(&console, &actor, &id, true, &reason).await?))
}

/// `POST /api/approvals/{id}/reject`
pub(super) async fn api_reject(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Approval>, ApiError> {
    let Decision { reason } = json_of(&headers, body)?;
    Ok(Json(decided(&console, &actor, &id, false, &reason).await?))
}

/// `POST /api/approvals/{id}/rule`
pub(super) async fn api_propose(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<Proposal>, ApiError> {
    Ok(Json(proposed(&console, &actor, &id).await?))
}
