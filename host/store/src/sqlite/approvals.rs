//! Calls that wait for somebody's word.

use postern_domain::{
    Approval, ApprovalId, ApprovalState, Approver, InvocationId, Timestamp, TurnId,
};
use sqlx::SqliteConnection;

use super::run::{Fields, MOST_ROWS, read_all, read_one};
use crate::{
    Page, StoreError,
    form::Form,
    sql::{Statement, values},
};

const WHAT: &str = "approval";

const INSERT: Statement<9> = Statement::new(
    "keep an approval",
    "INSERT INTO approvals (id, version, state, invocation, conversation, created_at, \
     expires_at, due_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
     ON CONFLICT (id) DO NOTHING",
);

const REPLACE: Statement<6> = Statement::new(
    "change an approval",
    "UPDATE approvals SET version = $2, state = $3, expires_at = $4, due_at = $5, body = $6 \
     WHERE id = $1 AND version = $2 - 1",
);

const ONE: Statement<1> =
    Statement::new("read an approval", "SELECT body FROM approvals WHERE id = $1");

const LIST: Statement<2> = Statement::new(
    "list approvals",
    "SELECT body FROM approvals ORDER BY created_at DESC, seq DESC LIMIT $1 OFFSET $2",
);

const LIST_OF_STATE: Statement<3> = Statement::new(
    "list approvals of a state",
    "SELECT body FROM approvals WHERE state = $3 \
     ORDER BY created_at DESC, seq DESC LIMIT $1 OFFSET $2",
);

const OF_INVOCATION: Statement<2> = Statement::new(
    "read the approvals of an invocation",
    "SELECT body FROM approvals WHERE invocation = $1 ORDER BY seq LIMIT $2",
);

const OF_TURN: Statement<2> = Statement::new(
    "read the approvals of a turn",
    "SELECT a.body FROM invocations i JOIN approvals a ON a.invocation = i.id \
     WHERE i.turn = $1 ORDER BY i.step, a.seq LIMIT $2",
);

const DUE: Statement<2> = Statement::new(
    "find approvals that are due",
    "SELECT body FROM approvals WHERE due_at <= $1 ORDER BY due_at, seq LIMIT $2",
);

fn read(f: &Fields<'_>) -> Result<Approval, StoreError> {
    f.form("body")
}

/// When something is to be done about it: people are reminded, another route is
/// taken, or it expires.
fn due_at(approval: &Approval) -> Option<Timestamp> {
    if approval.state != ApprovalState::Pending {
        return None;
    }
    let escalate_at = match &approval.approver {
        Approver::Route { escalate, .. } => escalate.as_ref().map(|escalate| escalate.at),
        Approver::Customer | Approver::Identity => None,
    };
    [Some(approval.expires_at), approval.remind_at, escalate_at].into_iter().flatten().min()
}

pub(super) async fn put(on: &mut SqliteConnection, approval: &Approval) -> Result<(), StoreError> {
    let (id, state) = (approval.id.as_str(), approval.state.as_str());
    let (due_at, body) = (due_at(approval), approval.to_form());
    let met = if approval.version == 1 {
        let (invocation, conversation) = (&approval.invocation, &approval.conversation);
        let values = values![
            id,
            approval.version,
            state,
            invocation.as_str(),
            conversation.as_str(),
            approval.created_at,
            approval.expires_at,
            due_at,
            body,
        ];
        INSERT.execute(on, values).await?
    } else {
        let values = values![id, approval.version, state, approval.expires_at, due_at, body];
        REPLACE.execute(on, values).await?
    };
    if met > 0 { Ok(()) } else { Err(StoreError::Stale { what: WHAT, id: id.to_owned() }) }
}

pub(super) async fn one(
    on: &mut SqliteConnection,
    id: &ApprovalId,
) -> Result<Option<Approval>, StoreError> {
    let row = ONE.row(on, values![id.as_str()]).await?;
    read_one(WHAT, row.as_ref(), read)
}

pub(super) async fn list(
    on: &mut SqliteConnection,
    state: Option<ApprovalState>,
    page: Page,
) -> Result<Vec<Approval>, StoreError> {
    let limit = page.limit.min(MOST_ROWS);
    let rows = match state {
        None => LIST.rows(on, values![limit, page.offset]).await?,
        Some(state) => LIST_OF_STATE.rows(on, values![limit, page.offset, state.as_str()]).await?,
    };
    read_all(WHAT, &rows, read)
}

pub(super) async fn of_invocation(
    on: &mut SqliteConnection,
    invocation: &InvocationId,
) -> Result<Vec<Approval>, StoreError> {
    let rows = OF_INVOCATION.rows(on, values![invocation.as_str(), MOST_ROWS]).await?;
    read_all(WHAT, &rows, read)
}

pub(super) async fn of_turn(
    on: &mut SqliteConnection,
    turn: &TurnId,
) -> Result<Vec<Approval>, StoreError> {
    read_all(WHAT, &OF_TURN.rows(on, values![turn.as_str(), MOST_ROWS]).await?, read)
}

pub(super) async fn due(
    on: &mut SqliteConnection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Approval>, StoreError> {
    read_all(WHAT, &DUE.rows(on, values![now, limit.min(MOST_ROWS)]).await?, read)
}
