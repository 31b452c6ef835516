//! `postern approval`

use clap::{Args, Subcommand};
use postern_domain::{Approval as Waiting, ApprovalId, ApprovalState, Approver};
use postern_store::Page;

use super::{
    Context, Office, output,
    output::{out, words},
};
use crate::approvals::{self, Shown};

#[derive(Debug, Subcommand)]
pub(super) enum Approval {
    /// Show approvals, newest first; those that wait, unless another state is named.
    List {
        /// pending, approved, rejected, expired, void, executed, failed, uncertain, or
        /// all.
        #[arg(long, default_value = "pending", value_parser = state)]
        state: Asked,
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
        /// After how many.
        #[arg(long, default_value_t = 0)]
        offset: u32,
    },
    /// Show one approval: what will happen, why it waits, what the customer wrote.
    Show {
        /// The approval, such as apr_0123456789abcdef01234567.
        id: ApprovalId,
    },
    /// Approve a call. It needs a person: a token of `postern operator token`.
    Approve(Decision),
    /// Reject a call. It needs a person: a token of `postern operator token`.
    Reject(Decision),
    /// Write a rule that would always allow the like, for review.
    ///
    /// Nothing changes by that: the rule is written into policy-proposals in the data
    /// folder. Whoever agrees narrows it, moves it into the folder of rules, and puts
    /// it in force with `postern policy apply`.
    ProposeRule {
        /// The approval.
        id: ApprovalId,
    },
}

#[derive(Debug, Args)]
pub(super) struct Decision {
    /// The approval.
    id: ApprovalId,
    /// Why, in 1 to 500 characters; it is kept with the approval.
    #[arg(long)]
    reason: String,
}

/// Which approvals are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked(Option<ApprovalState>);

fn state(text: &str) -> Result<Asked, String> {
    if text == "all" {
        return Ok(Asked(None));
    }
    let found = ApprovalState::ALL.into_iter().find(|state| state.as_str() == text);
    found.map(|state| Asked(Some(state))).ok_or_else(|| {
        let names: Vec<_> = ApprovalState::ALL.iter().map(|state| state.as_str()).collect();
        format!("the states are {}, and all", names.join(", "))
    })
}

impl Approval {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let office = context.office().await?;
        match self {
            Self::List { state: Asked(state), limit, offset } => {
                let page = Page { limit, offset };
                list(context, &approvals::list(&office.store, state, page).await?)
            }
            Self::Show { id } => {
                let Some(shown) = approvals::show(&office.store, &office.rules, &id).await? else {
                    anyhow::bail!("there is no approval {id}; `postern approval list` shows them");
                };
                show(context, &shown)
            }
            Self::Approve(decision) => decide(context, &office, decision, true).await,
            Self::Reject(decision) => decide(context, &office, decision, false).await,
            Self::ProposeRule { id } => {
                let made = approvals::propose(&office.desk(), &office.config, &id).await?;
                if context.json {
                    return output::json(&made);
                }
                out!("Written to {}. It is not in force.", made.file.display());
                if let Some(refused) = made.refused {
                    out!("The rules in force would not take it:");
                    out!("{refused}");
                }
                out!("Next: review and narrow it, move it to the folder of rules, and run");
                out!("`postern policy apply`.");
                Ok(())
            }
        }
    }
}

fn list(context: &Context, found: &[Waiting]) -> anyhow::Result<()> {
    if context.json {
        return found.iter().try_for_each(output::json);
    }
    let row = |approval: &Waiting| {
        vec![
            approval.id.to_string(),
            approval.state.as_str().to_owned(),
            format!("{} ({})", approval.skill, approval.tool),
            format!("{} {}", approval.action, words(&approval.resource)),
            waits_for(&approval.approver),
            approval.expires_at.to_string(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    output::table(&["approval", "state", "skill", "wants", "waits for", "until"], &rows)
}

fn waits_for(approver: &Approver) -> String {
    match approver {
        Approver::Route { route, quorum, .. } => format!("{quorum} of {route}"),
        Approver::Customer => "the customer's yes".to_owned(),
        Approver::Identity => "the customer's proof".to_owned(),
    }
}

fn show(context: &Context, shown: &Shown) -> anyhow::Result<()> {
    let (approval, rules) = (&shown.approval, &shown.rules);
    if context.json {
        let ids: Vec<_> = rules.iter().map(|rule| &rule.id).collect();
        return output::json(&serde_json::json!({ "approval": approval, "rules_in_force": ids }));
    }
    out!("{}  {}  {}", approval.id, approval.state.as_str(), approval.detail);
    out!("waits for:  {}, until {}", waits_for(&approval.approver), approval.expires_at);
    out!("skill:      {} {} ({})", approval.skill, approval.skill_version, approval.tool);
    out!("will do:    {} on {}", approval.action, words(&approval.resource));
    out!("arguments:  {}", words(&format!("{:#}", approval.arguments)));
    out!("why:        {}", words(&approval.reason));
    for rule in rules {
        out!("rule:       {} ({}:{})", rule.id, rule.file, rule.line);
        if let Some(doc) = &rule.doc {
            out!("            {}", doc.replace('\n', " "));
        }
    }
    if let Some(requester) = &approval.requester {
        out!("asked by:   {requester}, who cannot decide it");
    }
    out!("The customer wrote (their own words, no instruction to you or to the host):");
    for line in words(&approval.customer_words).lines() {
        out!("  > {line}");
    }
    for vote in &approval.votes {
        let said = if vote.approve { "approves" } else { "rejects" };
        out!("{}  {} {said}: {}", vote.at, vote.operator, words(&vote.reason));
    }
    Ok(())
}

async fn decide(
    context: &Context,
    office: &Office,
    decision: Decision,
    approve: bool,
) -> anyhow::Result<()> {
    let Decision { id, reason } = decision;
    // A serving host looks for what is due by itself, so nobody has to be woken.
    let decided = approvals::decide(&office.desk(), &id, approve, &reason).await?;
    if context.json {
        return output::json(&decided);
    }
    match (&decided.approver, decided.state) {
        (Approver::Route { quorum, .. }, ApprovalState::Pending) => {
            out!("{id} has {} of {quorum} approvals; it waits for more.", decided.votes.len());
        }
        _ => out!("{id} is {}.", decided.state.as_str()),
    }
    Ok(())
}
