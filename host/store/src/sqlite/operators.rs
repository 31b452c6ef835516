//! People who run the host: their tokens and their accounts of channels.

use postern_domain::{
    BindingCode, Channel, Digest, Operator, OperatorBinding, OperatorId, OperatorToken, Timestamp,
};
use sqlx::SqliteConnection;

use super::run::{Fields, MOST_ROWS, read_all, read_one};
use crate::{
    StoreError,
    form::write,
    sql::{Statement, values},
};

/// How many expired codes one use of a code removes.
const SWEEP: u32 = 256;

const PUT: Statement<4> = Statement::new(
    "write an operator",
    "INSERT INTO operators (id, roles, created_at, removed_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, created_at = excluded.created_at, \
     removed_at = excluded.removed_at",
);

const ALL: Statement<1> =
    Statement::new("list operators", "SELECT * FROM operators ORDER BY id LIMIT $1");

const ONE: Statement<1> =
    Statement::new("read an operator", "SELECT * FROM operators WHERE id = $1");

const ADD_TOKEN: Statement<6> = Statement::new(
    "keep a token of an operator",
    "INSERT INTO operator_tokens (digest, operator, label, scope, created_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6)",
);

const DROP_TOKEN: Statement<1> = Statement::new(
    "forget a token of an operator",
    "DELETE FROM operator_tokens WHERE digest = $1",
);

const DROP_TOKENS: Statement<1> = Statement::new(
    "forget the tokens of an operator",
    "DELETE FROM operator_tokens WHERE operator = $1",
);

const TOKEN: Statement<1> = Statement::new(
    "read a token of an operator",
    "SELECT * FROM operator_tokens WHERE digest = $1",
);

const TOKENS: Statement<2> = Statement::new(
    "list the tokens of an operator",
    "SELECT * FROM operator_tokens WHERE operator = $1 ORDER BY created_at, digest LIMIT $2",
);

const UNBIND_TOKEN: Statement<1> = Statement::new(
    "forget what was bound with a token of an operator",
    "DELETE FROM operator_bindings WHERE token = $1",
);

const DROP_CODES: Statement<1> = Statement::new(
    "forget the codes of a token of an operator",
    "DELETE FROM binding_codes WHERE token = $1",
);

const BIND: Statement<8> = Statement::new(
    "bind an account of a channel",
    "INSERT INTO operator_bindings (channel, account, sender, operator, roles, token, chat, \
     created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (channel, account, sender) DO UPDATE SET operator = excluded.operator, \
     roles = excluded.roles, token = excluded.token, chat = excluded.chat, created_at = excluded.created_at",
);

const UNBIND: Statement<3> = Statement::new(
    "forget a binding",
    "DELETE FROM operator_bindings WHERE channel = $1 AND account = $2 AND sender = $3",
);

const BINDINGS: Statement<1> = Statement::new(
    "list bindings",
    "SELECT * FROM operator_bindings ORDER BY channel, account, sender LIMIT $1",
);

const BINDINGS_OF: Statement<2> = Statement::new(
    "list the bindings of an operator",
    "SELECT * FROM operator_bindings WHERE operator = $1 \
     ORDER BY channel, account, sender LIMIT $2",
);

const BINDING: Statement<3> = Statement::new(
    "read a binding",
    "SELECT * FROM operator_bindings WHERE channel = $1 AND account = $2 AND sender = $3",
);

const ADD_CODE: Statement<5> = Statement::new(
    "keep a code for a binding",
    "INSERT INTO binding_codes (digest, operator, roles, token, expires_at) \
     VALUES ($1, $2, $3, $4, $5)",
);

const CODE: Statement<1> =
    Statement::new("read a code for a binding", "SELECT * FROM binding_codes WHERE digest = $1");

const USE_CODE: Statement<2> = Statement::new(
    "use a code for a binding",
    "DELETE FROM binding_codes WHERE digest = $1 AND expires_at > $2",
);

const EXPIRE_CODES: Statement<2> = Statement::new(
    "drop expired codes for bindings",
    "DELETE FROM binding_codes WHERE digest IN \
     (SELECT digest FROM binding_codes WHERE expires_at <= $1 LIMIT $2)",
);

fn read(f: &Fields<'_>) -> Result<Operator, StoreError> {
    Ok(Operator {
        id: f.parsed("id")?,
        roles: f.json("roles")?,
        created_at: f.time("created_at")?,
        removed_at: f.time_or_none("removed_at")?,
    })
}

fn read_token(f: &Fields<'_>) -> Result<OperatorToken, StoreError> {
    Ok(OperatorToken {
        digest: f.digest("digest")?,
        operator: f.parsed("operator")?,
        label: f.text("label")?,
        scope: f.json("scope")?,
        created_at: f.time("created_at")?,
        expires_at: f.time("expires_at")?,
    })
}

fn read_binding(f: &Fields<'_>) -> Result<OperatorBinding, StoreError> {
    Ok(OperatorBinding {
        operator: f.parsed("operator")?,
        roles: f.json("roles")?,
        token: f.digest("token")?,
        channel: f.parsed("channel")?,
        account: f.text("account")?,
        sender: f.text("sender")?,
        chat: f.text("chat")?,
        created_at: f.time("created_at")?,
    })
}

fn read_code(f: &Fields<'_>) -> Result<BindingCode, StoreError> {
    Ok(BindingCode {
        digest: f.digest("digest")?,
        operator: f.parsed("operator")?,
        roles: f.json("roles")?,
        token: f.digest("token")?,
        expires_at: f.time("expires_at")?,
    })
}

pub(super) async fn put(on: &mut SqliteConnection, operator: &Operator) -> Result<(), StoreError> {
    let values = values![
        operator.id.as_str(),
        write(&operator.roles),
        operator.created_at,
        operator.removed_at,
    ];
    PUT.execute(on, values).await.map(drop)
}

pub(super) async fn all(on: &mut SqliteConnection) -> Result<Vec<Operator>, StoreError> {
    read_all("operator", &ALL.rows(on, values![MOST_ROWS]).await?, read)
}

pub(super) async fn one(
    on: &mut SqliteConnection,
    id: &OperatorId,
) -> Result<Option<Operator>, StoreError> {
    let row = ONE.row(on, values![id.as_str()]).await?;
    read_one("operator", row.as_ref(), read)
}

pub(super) async fn add_token(
    on: &mut SqliteConnection,
    token: &OperatorToken,
) -> Result<(), StoreError> {
    let values = values![
        token.digest.to_string(),
        token.operator.as_str(),
        token.label.as_str(),
        write(&token.scope),
        token.created_at,
        token.expires_at,
    ];
    ADD_TOKEN.execute(on, values).await.map(drop)
}

/// Forgets a token with what was made by it: codes and bindings.
pub(super) async fn drop_token(
    on: &mut SqliteConnection,
    digest: Digest,
) -> Result<(), StoreError> {
    UNBIND_TOKEN.execute(&mut *on, values![digest.to_string()]).await?;
    DROP_CODES.execute(&mut *on, values![digest.to_string()]).await?;
    DROP_TOKEN.execute(on, values![digest.to_string()]).await.map(drop)
}

pub(super) async fn drop_tokens(
    on: &mut SqliteConnection,
    operator: &OperatorId,
) -> Result<(), StoreError> {
    DROP_TOKENS.execute(on, values![operator.as_str()]).await.map(drop)
}

pub(super) async fn tokens(
    on: &mut SqliteConnection,
    operator: &OperatorId,
) -> Result<Vec<OperatorToken>, StoreError> {
    let rows = TOKENS.rows(on, values![operator.as_str(), MOST_ROWS]).await?;
    read_all("token", &rows, read_token)
}

pub(super) async fn by_token(
    on: &mut SqliteConnection,
    digest: Digest,
) -> Result<Option<(OperatorToken, Operator)>, StoreError> {
    let row = TOKEN.row(&mut *on, values![digest.to_string()]).await?;
    let Some(token) = read_one("token", row.as_ref(), read_token)? else {
        return Ok(None);
    };
    Ok(one(on, &token.operator).await?.map(|operator| (token, operator)))
}

pub(super) async fn bind(
    on: &mut SqliteConnection,
    binding: &OperatorBinding,
) -> Result<(), StoreError> {
    let values = values![
        binding.channel.as_str(),
        binding.account.as_str(),
        binding.sender.as_str(),
        binding.operator.as_str(),
        write(&binding.roles),
        binding.token.to_string(),
        binding.chat.as_str(),
        binding.created_at,
    ];
    BIND.execute(on, values).await.map(drop)
}

pub(super) async fn unbind(
    on: &mut SqliteConnection,
    channel: Channel,
    account: &str,
    sender: &str,
) -> Result<(), StoreError> {
    UNBIND.execute(on, values![channel.as_str(), account, sender]).await.map(drop)
}

pub(super) async fn bindings(
    on: &mut SqliteConnection,
    operator: Option<&OperatorId>,
) -> Result<Vec<OperatorBinding>, StoreError> {
    let rows = match operator {
        None => BINDINGS.rows(on, values![MOST_ROWS]).await?,
        Some(operator) => BINDINGS_OF.rows(on, values![operator.as_str(), MOST_ROWS]).await?,
    };
    read_all("binding", &rows, read_binding)
}

pub(super) async fn binding(
    on: &mut SqliteConnection,
    channel: Channel,
    account: &str,
    sender: &str,
) -> Result<Option<OperatorBinding>, StoreError> {
    let row = BINDING.row(on, values![channel.as_str(), account, sender]).await?;
    read_one("binding", row.as_ref(), read_binding)
}

pub(super) async fn add_code(
    on: &mut SqliteConnection,
    code: &BindingCode,
) -> Result<(), StoreError> {
    let values = values![
        code.digest.to_string(),
        code.operator.as_str(),
        write(&code.roles),
        code.token.to_string(),
        code.expires_at,
    ];
    ADD_CODE.execute(on, values).await.map(drop)
}

pub(super) async fn code(
    on: &mut SqliteConnection,
    digest: Digest,
) -> Result<Option<BindingCode>, StoreError> {
    let row = CODE.row(on, values![digest.to_string()]).await?;
    read_one("code for a binding", row.as_ref(), read_code)
}

/// Uses a code up, and drops expired ones. The error tells the beginning of the
/// digest only.
pub(super) async fn use_code(
    on: &mut SqliteConnection,
    digest: Digest,
    at: Timestamp,
) -> Result<(), StoreError> {
    let met = USE_CODE.execute(&mut *on, values![digest.to_string(), at]).await?;
    if met == 0 {
        return Err(StoreError::Stale { what: "code for a binding", id: digest.short() });
    }
    EXPIRE_CODES.execute(on, values![at, SWEEP]).await.map(drop)
}
