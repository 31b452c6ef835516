//! What operators may do, by the same rules as everything else.

use postern_domain::{OperatorId, Role};

use crate::{
    Verdict,
    duty::Duties,
    judge::Judge,
    value::{Question, Thing, Value},
};

/// Something that an operator wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Look at conversations, tickets, approvals and settings.
    View,
    /// Write to customers and work on tickets.
    Reply,
    /// Approve or reject a call that waits.
    DecideApproval {
        /// The route on which it waits.
        route: String,
        /// The role that the route asks for.
        role: Role,
        /// Whether this operator asked for the call.
        requester: bool,
    },
    /// Install, grant, activate and remove skills.
    ChangeSkills,
    /// Put another set of rules in force.
    ApplyPolicy,
    /// Write rules for review.
    WriteRules,
    /// Add and remove operators, give them roles and tokens.
    ManageOperators,
    /// Read, search and export audit.
    ReadAudit,
    /// Stop intake, requests and effects.
    Lockdown,
    /// See the value of a placeholder.
    Reveal {
        /// What kind of datum it is.
        datum: String,
    },
}

impl Act {
    /// The action's name in rules and audit.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::View => "operator:view",
            Self::Reply => "operator:reply",
            Self::DecideApproval { .. } => "operator:approve",
            Self::ChangeSkills => "operator:skills",
            Self::ApplyPolicy => "operator:policy",
            Self::WriteRules => "operator:rules",
            Self::ManageOperators => "operator:operators",
            Self::ReadAudit => "operator:audit",
            Self::Lockdown => "operator:lockdown",
            Self::Reveal { .. } => "operator:reveal",
        }
    }
}

/// An operator's act with the roles under which it is judged.
#[derive(Clone, Debug)]
pub struct ActRequest<'a> {
    /// Who.
    pub operator: &'a OperatorId,
    /// The roles of the operator, as far as the token is for them.
    pub roles: &'a [Role],
    /// What.
    pub act: Act,
}

impl Judge {
    pub(crate) fn judge_act(&self, request: &ActRequest<'_>) -> Verdict {
        let words = &self.words;
        let roles = request.roles.iter().map(|role| role.as_str()).collect();
        let attributes = vec![("roles", Value::Names(&words.role, roles))];
        let principal = Thing::new(&words.operator, request.operator.as_str(), attributes);
        let (resource, context, said) = match &request.act {
            Act::DecideApproval { route, role, requester } => (
                Thing::new(&words.route, route, Vec::new()),
                vec![
                    ("role", Value::Name(&words.role, role.as_str())),
                    ("requester", Value::Flag(*requester)),
                ],
                format!("approvals of the route {route}"),
            ),
            Act::Reveal { datum } => (
                Thing::new(&words.datum, datum, Vec::new()),
                Vec::new(),
                format!("values of the type {datum}"),
            ),
            Act::View
            | Act::Reply
            | Act::ChangeSkills
            | Act::ApplyPolicy
            | Act::WriteRules
            | Act::ManageOperators
            | Act::ReadAudit
            | Act::Lockdown => {
                (Thing::new(&words.host, "postern", Vec::new()), Vec::new(), "this host".to_owned())
            }
        };
        self.answer(&[Question {
            principal,
            action: request.act.action(),
            resource,
            sort: "",
            context,
            words: said,
            now: Duties::default(),
        }])
    }
}
