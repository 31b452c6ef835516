//! `postern ticket`

use clap::Subcommand;
use postern_domain::{TicketEventKind, TicketId};
use postern_store::{Page, Store as _};

use super::{Context, output, output::out};

#[derive(Debug, Subcommand)]
pub(super) enum Ticket {
    /// Show tickets, newest first.
    List {
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
        /// After how many.
        #[arg(long, default_value_t = 0)]
        offset: u32,
    },
    /// Show one ticket and what happened to it.
    Show {
        /// The ticket, such as tkt_0123456789abcdef01234567.
        id: TicketId,
    },
}

impl Ticket {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let store = context.store().await?;
        match self {
            Self::List { limit, offset } => {
                let tickets = store.tickets(Page { limit, offset }).await?;
                if context.json {
                    return tickets.iter().try_for_each(output::json);
                }
                let rows: Vec<Vec<String>> = tickets
                    .iter()
                    .map(|ticket| {
                        vec![
                            ticket.id.to_string(),
                            ticket.status.to_string(),
                            ticket.priority.as_str().to_owned(),
                            ticket.queue.clone().unwrap_or_default(),
                            ticket.subject.clone(),
                            ticket.updated_at.to_string(),
                        ]
                    })
                    .collect();
                output::table(
                    &["ticket", "status", "priority", "queue", "subject", "changed"],
                    &rows,
                )?;
            }
            Self::Show { id } => {
                let Some(detail) = store.ticket(&id).await? else {
                    anyhow::bail!("there is no ticket {id}; `postern ticket list` shows them");
                };
                if context.json {
                    return output::json(&detail);
                }
                let ticket = &detail.ticket;
                out!("{}  {}  {}", ticket.id, ticket.status, ticket.subject);
                out!("priority:     {}", ticket.priority.as_str());
                out!("conversation: {}", ticket.conversation);
                for (name, value) in [("queue", &ticket.queue), ("reason", &ticket.reason)] {
                    if let Some(value) = value {
                        out!("{:<13} {value}", format!("{name}:"));
                    }
                }
                for event in &detail.events {
                    out!("{}  {}  {}", event.at, event.actor, happened(&event.kind));
                }
            }
        }
        Ok(())
    }
}

fn happened(kind: &TicketEventKind) -> String {
    match kind {
        TicketEventKind::Opened => "opened".to_owned(),
        TicketEventKind::Answered => "the machine answered".to_owned(),
        TicketEventKind::Asked => "the customer was asked something".to_owned(),
        TicketEventKind::CustomerWrote => "the customer wrote".to_owned(),
        TicketEventKind::Escalated { reason, priority, queue } => {
            format!("waits for a person in {queue} ({}): {reason}", priority.as_str())
        }
        TicketEventKind::SkillFailed { reason } => format!("failed: {reason}"),
        TicketEventKind::Changed { .. } => "changed".to_owned(),
        TicketEventKind::Tagged { tag } => format!("tagged {tag}"),
        TicketEventKind::Commented { text } => format!("remark: {text}"),
    }
}
