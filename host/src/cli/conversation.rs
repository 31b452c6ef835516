//! `postern conversation`

use clap::{Args, Subcommand};
use postern_domain::ConversationId;

use super::{
    Context, output,
    output::{out, words},
};
use crate::operators;

#[derive(Debug, Subcommand)]
pub(super) enum Conversation {
    /// Show the value behind a placeholder of a conversation. Rules say whose role sees
    /// which types, and the audit log keeps who saw what and why.
    Reveal(Reveal),
}

#[derive(Debug, Args)]
pub(super) struct Reveal {
    /// The conversation, as the operator page shows it.
    conversation: ConversationId,
    /// The placeholder, such as '<EMAIL_1.k3f9>'.
    placeholder: String,
    /// Why, in 1 to 500 characters; the audit log keeps it.
    #[arg(long)]
    why: String,
}

impl Conversation {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Reveal(Reveal { conversation, placeholder, why }) => {
                let office = context.office().await?;
                let desk = office.desk();
                let revealed = operators::reveal(&desk, &conversation, &placeholder, &why).await?;
                if context.json {
                    return output::json(&serde_json::json!({
                        "placeholder": revealed.placeholder,
                        "type": revealed.kind,
                        "value": revealed.value.expose(),
                    }));
                }
                out!("{}", words(revealed.value.expose()));
                Ok(())
            }
        }
    }
}
