//! Host calls in a few words.

use postern_domain::{CallRecord, CallState, Decision, HostCall, RecordStep};

/// On what a call acts.
pub(super) fn on(call: &HostCall) -> String {
    match call {
        HostCall::Log { line } => line.message.clone(),
        HostCall::RecordsGet { collection, key } => format!("{collection}/{key}"),
        HostCall::RecordsQuery { collection, conditions, .. } => {
            let fields: Vec<_> = conditions.iter().map(|c| c.field.as_str()).collect();
            format!("{collection} by {}", fields.join(", "))
        }
        HostCall::RecordsWrite { steps } => {
            let steps: Vec<_> = steps.iter().map(step).collect();
            steps.join(", ")
        }
        HostCall::RecordsIdentify { collection, details } => {
            let fields: Vec<_> = details.iter().map(|c| c.field.as_str()).collect();
            format!("{collection} by {}", fields.join(", "))
        }
        HostCall::HttpSend { request } => format!("{} {}", request.method.as_str(), request.url),
        HostCall::KvGet { key } | HostCall::KvSet { key, .. } | HostCall::KvDelete { key } => {
            key.clone()
        }
        HostCall::TicketCreate { subject, .. } => subject.clone(),
        HostCall::TicketUpdate { id, .. } | HostCall::TicketComment { id, .. } => id.to_string(),
        HostCall::TicketTag { id, tag } => format!("{id} {tag}"),
        HostCall::TicketHistory { limit } => format!("the last {limit}"),
        HostCall::HandOver { request } => {
            format!("{} ({})", request.reason, request.severity.as_str())
        }
        HostCall::KnowledgeSearch { collection, .. } => collection.clone(),
        HostCall::ModelComplete { request } => request.purpose.clone(),
        HostCall::MessageSend { audience, .. } => audience.as_str().to_owned(),
        HostCall::ScheduleCreate { job } => job.tool.clone(),
        HostCall::ScheduleCancel { id } => id.clone(),
    }
}

fn step(step: &RecordStep) -> String {
    let (collection, key) = step.target();
    match step {
        RecordStep::Put { .. } => format!("put {collection}/{key}"),
        RecordStep::Delete { .. } => format!("delete {collection}/{key}"),
    }
}

/// Why a call that policy allowed did not succeed.
pub(super) fn failure(record: &CallRecord) -> Option<&str> {
    match (&record.state, record.decision) {
        (CallState::Failed { failure }, Decision::Allow) => Some(&failure.message),
        (CallState::Intended, _) => Some("its result is not known"),
        (CallState::Failed { .. }, Decision::Deny | Decision::RequireApproval)
        | (CallState::Done { .. } | CallState::Waiting { .. }, _) => None,
    }
}
