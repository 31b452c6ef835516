//! `postern operator`

use anyhow::Context as _;
use clap::{Args, Subcommand};
use postern_domain::{OperatorBinding, OperatorId, OperatorToken, Role, Timestamp};
use postern_store::Store as _;

use super::{Context, Office, output, output::out};
use crate::{
    clock::{Clock as _, SystemClock},
    operators::{self, OperatorDetail, TOKEN_DAYS, TokenRequest, told},
    redaction,
};

#[derive(Debug, Subcommand)]
pub(super) enum Operator {
    /// Add an operator with one or more roles.
    ///
    /// viewer looks; agent also talks to customers and works on tickets; approver
    /// decides approvals; author writes rules for review and installs skills; admin
    /// does everything but decide what they asked for. The rules in force say so
    /// (policies/operators.cedar), and can say otherwise.
    ///
    /// Next: `postern operator token NAME` makes a token to sign in with.
    Add {
        /// Their name: lower-case letters, digits and hyphens.
        name: OperatorId,
        /// What they may do; may be given more than once.
        #[arg(long = "role", required = true, value_parser = role)]
        roles: Vec<Role>,
    },
    /// Show the operators.
    List,
    /// Show an operator with their tokens and bound accounts.
    Show {
        /// Their name.
        name: OperatorId,
    },
    /// Make a token for an operator. It is shown once and kept nowhere.
    ///
    /// It signs in to the operator page, goes with requests to the JSON API
    /// (`Authorization: Bearer …`), and lets commands act in the operator's name:
    /// POSTERN_OPERATOR_TOKEN, or --token-file.
    Token(NewToken),
    /// Show an operator's tokens, by the first digits of their digests.
    Tokens {
        /// Their name.
        name: OperatorId,
    },
    /// Revoke a token. Whoever is signed in with it is not any more, and accounts that
    /// were bound with it are not bound any more.
    Revoke {
        /// Their name.
        name: OperatorId,
        /// How its digest begins, as `postern operator tokens` shows it.
        token: String,
    },
    /// Take an account of a channel from an operator.
    Unbind {
        /// Their name.
        name: OperatorId,
        /// Its number, as `postern operator show` shows it.
        number: usize,
    },
    /// Remove an operator with their tokens and bound accounts.
    ///
    /// The name stays taken, because the audit log speaks of it.
    Remove {
        /// Their name.
        name: OperatorId,
    },
}

#[derive(Debug, Args)]
pub(super) struct NewToken {
    /// Their name.
    name: OperatorId,
    /// What it is for.
    #[arg(long, default_value = "")]
    label: String,
    /// For how many days it counts.
    #[arg(long, default_value_t = TOKEN_DAYS)]
    days: u32,
    /// Confine it to this role of theirs; may be given more than once.
    #[arg(long = "role", value_parser = role)]
    roles: Vec<Role>,
}

fn role(text: &str) -> Result<Role, String> {
    let found = Role::ALL.into_iter().find(|role| role.as_str() == text);
    found.ok_or_else(|| format!("the roles are {}", told(&Role::ALL)))
}

impl Operator {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let office = context.office().await?;
        match self {
            Self::Add { name, roles } => {
                let added = operators::add(&office.desk(), name, &roles).await?;
                if context.json {
                    return output::json(&added);
                }
                out!("Added {} ({}).", added.id, told(&added.roles));
                out!("Next: `postern operator token {}` makes a token to sign in with.", added.id);
                Ok(())
            }
            Self::List => list(context, &office).await,
            Self::Show { name } => show(context, &operators::show(&office.store, &name).await?),
            Self::Token(wanted) => token(context, &office, wanted).await,
            Self::Tokens { name } => {
                let tokens = operators::show(&office.store, &name).await?.tokens;
                if context.json {
                    return tokens.iter().try_for_each(output::json);
                }
                table_of(&tokens)
            }
            Self::Revoke { name, token } => {
                let gone = operators::revoke_token(&office.desk(), &name, &token).await?;
                if context.json {
                    return output::json(&gone);
                }
                out!("Revoked token {} of {name}.", gone.digest.short());
                Ok(())
            }
            Self::Unbind { name, number } => {
                let gone = operators::unbind(&office.desk(), &name, number).await?;
                if context.json {
                    return output::json(&gone);
                }
                out!("{name} no longer acts from {}/{}.", gone.channel, gone.account);
                Ok(())
            }
            Self::Remove { name } => {
                operators::remove(&office.desk(), &name).await?;
                if context.json {
                    return output::json(&serde_json::json!({ "removed": name }));
                }
                out!("Removed {name}: no token and no bound account of theirs counts any more.");
                Ok(())
            }
        }
    }
}

async fn list(context: &Context, office: &Office) -> anyhow::Result<()> {
    let found = office.store.operators().await?;
    if context.json {
        return found.iter().try_for_each(output::json);
    }
    let row = |operator: &postern_domain::Operator| {
        let gone = operator.removed_at.map(|at| format!("removed {at}"));
        vec![
            operator.id.to_string(),
            told(&operator.roles),
            operator.created_at.to_string(),
            gone.unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    output::table(&["operator", "roles", "since", ""], &rows)
}

fn show(context: &Context, detail: &OperatorDetail) -> anyhow::Result<()> {
    if context.json {
        return output::json(detail);
    }
    let operator = &detail.operator;
    out!("{}", operator.id);
    out!("roles: {}", told(&operator.roles));
    out!("since: {}", operator.created_at);
    if let Some(at) = operator.removed_at {
        out!("removed: {at}");
    }
    for (place, binding) in detail.bindings.iter().enumerate() {
        let (number, roles) = (place + 1, told(&operators::roles_in(operator, binding)));
        let OperatorBinding { channel, account, token, created_at, .. } = binding;
        let token = token.short();
        out!("acts from ({number}): {channel}/{account} as {roles} since {created_at}, by {token}");
    }
    if !detail.tokens.is_empty() {
        table_of(&detail.tokens)?;
    }
    Ok(())
}

fn table_of(tokens: &[OperatorToken]) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let until = |at: Timestamp| if now < at { at.to_string() } else { format!("{at} (over)") };
    let row = |token: &OperatorToken| {
        let roles = if token.scope.is_empty() { "all".to_owned() } else { told(&token.scope) };
        vec![
            token.digest.short(),
            token.label.clone(),
            roles,
            token.created_at.to_string(),
            until(token.expires_at),
        ]
    };
    let rows: Vec<_> = tokens.iter().map(row).collect();
    output::table(&["token", "label", "roles", "since", "until"], &rows)
}

async fn token(context: &Context, office: &Office, wanted: NewToken) -> anyhow::Result<()> {
    let NewToken { name, label, days, roles } = wanted;
    let request = TokenRequest { label, scope: roles, days };
    let made = operators::make_token(&office.desk(), &name, &request).await;
    let (secret, token) = made.with_context(|| format!("no token for {name}"))?;
    if context.json {
        let shown = serde_json::json!({ "secret": secret.expose(), "token": token });
        return output::json(&shown);
    }
    out!("{}", secret.expose());
    redaction::tell(&format!(
        "Keep it: it is not shown again. It counts until {}; `postern operator revoke {name} {}` \
         ends it.",
        token.expires_at,
        token.digest.short()
    ));
    Ok(())
}
