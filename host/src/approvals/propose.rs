//! "Always allow this": a rule for review, never a rule in force.

use std::{fmt::Write as _, fs, path::PathBuf};

use postern_domain::{Approval, ApprovalId, OperatorId};
use postern_policy::Act;

use crate::{
    config::Config,
    keys::write_private,
    operators::{ActError, Desk},
    policies::{self, PoliciesError},
};

/// The folder of proposals in the data folder.
const FOLDER: &str = "policy-proposals";

/// A rule that somebody proposes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Proposal {
    /// Where it is.
    pub file: PathBuf,
    /// The whole text.
    pub text: String,
    /// Why the rules that are in force would not take it, if they would not.
    pub refused: Option<String>,
}

/// Why nothing was proposed.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// Rules or the store do not let it happen.
    #[error(transparent)]
    Act(#[from] ActError),
    /// There is no such approval.
    #[error("there is no approval {0}; `postern approval list` shows them")]
    Unknown(ApprovalId),
    /// Nobody asked a person for it.
    #[error("approval {0} waits for the customer; no rule can say yes for them")]
    NotForPeople(ApprovalId),
    /// Somebody has proposed one.
    #[error("{} is there already: review it, or take it away first", .0.display())]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("{}: {source}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The rules in force cannot be read.
    #[error(transparent)]
    Policies(#[from] PoliciesError),
}

impl From<postern_store::StoreError> for ProposeError {
    fn from(error: postern_store::StoreError) -> Self {
        Self::Act(error.into())
    }
}

/// Writes a rule that would have allowed what an approval is about, into the
/// folder of proposals of the data folder. It does nothing there: whoever agrees
/// narrows it, puts it into the folder of rules, and applies that.
///
/// # Errors
/// There is no such approval, a proposal is there already, or the actor may not.
pub async fn propose(
    desk: &Desk<'_>,
    config: &Config,
    id: &ApprovalId,
) -> Result<Proposal, ProposeError> {
    const ACTION: &str = "approval:propose-rule";
    let verdict = desk.allow(Act::WriteRules, ACTION, id.as_str()).await?;
    let found = desk.store.approval(id).await?;
    let approval = found.ok_or_else(|| ProposeError::Unknown(id.clone()))?;
    let Some(route) = approval.approver.route() else {
        return Err(ProposeError::NotForPeople(id.clone()));
    };
    let folder = config.data.join(FOLDER);
    let file = folder.join(format!("{id}.cedar"));
    if file.exists() {
        return Err(ProposeError::Exists(file));
    }
    let text = text(&approval, route, desk.actor.id());
    let refused = refused(config, id, &text)?;
    let write = || {
        fs::create_dir_all(&folder)?;
        write_private(&file, text.as_bytes())
    };
    // First, because what is not recorded must not be done.
    let fits = if refused.is_some() { "the rules in force would refuse it" } else { "it fits" };
    let recorded = desk.commit(Vec::new(), ACTION, id.as_str(), fits.to_owned(), verdict).await;
    recorded.map_err(ActError::from)?;
    write().map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => ProposeError::Exists(file.clone()),
        _ => ProposeError::File { file: file.clone(), source },
    })?;
    Ok(Proposal { file, text, refused })
}

/// Why the rules in force would not take this text beside them.
fn refused(config: &Config, id: &ApprovalId, text: &str) -> Result<Option<String>, PoliciesError> {
    let generations = policies::Generations::open(&config.data)?;
    let Some(current) = generations.current()? else { return Ok(None) };
    let sources = generations.read(current)?.sources.with(&format!("{id}.cedar"), text);
    match sources.load(None, &config.collections.rules()) {
        Ok(_) => Ok(None),
        Err(error @ PoliciesError::Refused(_)) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}

/// The proposal: what waited and why, what would have to be excepted, and a rule
/// as narrow as what was asked for.
fn text(approval: &Approval, route: &str, author: &OperatorId) -> String {
    let Approval { id, skill, tool, action, resource, rules, .. } = approval;
    let mut text = String::new();
    let mut line = |it: std::fmt::Arguments<'_>| {
        // Writing to a text cannot fail.
        let _written = writeln!(text, "{it}");
    };
    line(format_args!("// A proposal from approval {id}, written for operator:{author}."));
    line(format_args!("// It is not in force. Review it, narrow it, move it into the folder of"));
    line(format_args!("// rules, add a case, and put it in force with `postern policy apply`."));
    line(format_args!("//"));
    line(format_args!("// {skill} ({tool}) wanted {action} on {resource}, and people of the"));
    line(format_args!("// route {route} were asked because of: {}.", rules.join(", ")));
    line(format_args!("// A permit lifts no forbid, so this rule alone changes nothing about"));
    line(format_args!("// that. To let the like happen without a person, add to the condition of"));
    line(format_args!("// each of them:"));
    line(format_args!("//"));
    line(format_args!("//     && !({})", excepted(approval)));
    line(format_args!("//"));
    line(format_args!("// Whoever adds it says that nobody looks at such calls any more."));
    line(format_args!("@id(\"proposed-{}\")", &id.as_str()["apr_".len()..]));
    line(format_args!("@doc(\"Proposed from approval {id}.\")"));
    line(format_args!("permit ("));
    line(format_args!("    principal == Skill::\"{skill}\","));
    line(format_args!("    action in Action::\"{action}\","));
    line(format_args!("    resource{}", kind_of(approval)));
    line(format_args!(")"));
    line(format_args!("when {{ {} }};", narrowed(approval)));
    text
}

/// The type of record, where the call is about records.
fn kind_of(approval: &Approval) -> String {
    let collection = approval.resource.split('/').next().unwrap_or_default();
    let is_name = !collection.is_empty()
        && collection.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if approval.action.starts_with("records:") && is_name {
        format!(" is Record::{collection}")
    } else {
        String::new()
    }
}

/// The tool, and no more money than was asked for.
fn narrowed(approval: &Approval) -> String {
    let tool = format!("context.tool == {}", quoted(&approval.tool));
    match approval.amount {
        Some(amount) => format!(
            "{tool} && context.arguments has amount && context.arguments.amount <= {amount}"
        ),
        None => tool,
    }
}

fn excepted(approval: &Approval) -> String {
    format!("principal == Skill::\"{}\" && {}", approval.skill, narrowed(approval))
}

/// A text as Cedar writes it; names of tools have nothing else to escape.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
