//! What a step came to, from what the host wrote down.

use std::collections::BTreeMap;

use postern_domain::{
    ApprovalState, Approver, Author, CallFailure, CallRecord, CallState, Decision, FailureKind,
    HostCall, InvocationId, Outcome, Severity, SkillFailure,
};
use postern_scenario::{
    Decision as Said, Ended, HostCallSeen, OutcomeKind, Seen, TicketSeen, What,
};
use postern_store::{ConversationDetail, InvocationRow};

use super::{RunError, host::Host};
use crate::privacy::Vault;

/// What was there before a step.
#[derive(Default)]
pub(super) struct Before {
    messages: usize,
    requests: usize,
    queue: Option<String>,
    /// How far invocations had come: whether they had ended, or for what they waited.
    ended: BTreeMap<InvocationId, (bool, Option<String>)>,
    /// How far their calls had come.
    calls: BTreeMap<(InvocationId, u32), CallState>,
}

impl Before {
    pub(super) async fn look(host: &Host) -> Result<Self, RunError> {
        let requests = host.edge.look(|edge| edge.requests().len());
        let Some(detail) = host.app.store.conversation(&host.conversation).await? else {
            return Ok(Self { requests, ..Self::default() });
        };
        let mut ended = BTreeMap::new();
        for row in &detail.invocations {
            let waits_for = match row.result {
                Some(_) => None,
                None => waits_for(host, row).await?,
            };
            ended.insert(row.id.clone(), (row.result.is_some(), waits_for));
        }
        Ok(Self {
            messages: detail.messages.len(),
            requests,
            queue: queue(&detail),
            ended,
            calls: detail
                .journal
                .iter()
                .map(|entry| {
                    let CallRecord { seq, state, .. } = &entry.record;
                    ((entry.invocation.clone(), *seq), state.clone())
                })
                .collect(),
        })
    }

    /// What has come since, and how the calls of tools ended.
    pub(super) async fn compare(
        self,
        host: &Host,
        what: &What,
    ) -> Result<(Seen, Vec<Ended>), RunError> {
        let store = &host.app.store;
        let Some(detail) = store.conversation(&host.conversation).await? else {
            return Ok((Seen { judged: true, ..Seen::default() }, Vec::new()));
        };
        let vault = Vault::new(&detail.conversation.nonce, store.vault(&host.conversation).await?);
        let mut seen = Seen {
            text: self.answers(&detail, &vault),
            calls: self.calls(host, &detail),
            requests: host.edge.look(|edge| edge.requests()[self.requests..].to_vec()),
            ticket: detail.tickets.first().map(ticket),
            judged: true,
            ..Seen::default()
        };
        let mut ended = Vec::new();
        for row in &detail.invocations {
            let waits_for = match row.result {
                Some(_) => None,
                None => waits_for(host, row).await?,
            };
            // What had ended before, or waits for the same as before, is old.
            if self.ended.get(&row.id) == Some(&(row.result.is_some(), waits_for.clone())) {
                continue;
            }
            seen.tool = Some(row.tool.clone());
            let outcome = match &row.result {
                Some(result) => {
                    let text = told(&mut seen, result);
                    if matches!(what, What::Call { .. }) {
                        seen.text = vault.restore(&text).into_owned();
                    }
                    kind(result)
                }
                None => {
                    seen.waits_for = waits_for;
                    OutcomeKind::Waits
                }
            };
            seen.outcome = Some(outcome);
            ended.push(Ended { tool: row.tool.clone(), outcome });
        }
        self.by_the_host(&detail, &mut seen);
        Ok((seen, ended))
    }

    /// What the customer was told.
    fn answers(&self, detail: &ConversationDetail, vault: &Vault) -> String {
        let new = detail.messages.iter().skip(self.messages).map(|kept| &kept.message);
        let answers: Vec<String> = new
            .filter(|message| message.author == Author::Bot)
            .map(|message| vault.restore(&message.text).into_owned())
            .collect();
        answers.join("\n\n")
    }

    /// The host calls that came or went on, without log lines.
    fn calls(&self, host: &Host, detail: &ConversationDetail) -> Vec<HostCallSeen> {
        let mut calls = Vec::new();
        for row in &detail.invocations {
            let mut records: Vec<&CallRecord> = detail
                .journal
                .iter()
                .filter(|entry| entry.invocation == row.id)
                .map(|entry| &entry.record)
                .filter(|record| {
                    let before = self.calls.get(&(row.id.clone(), record.seq));
                    before != Some(&record.state) && !matches!(record.call, HostCall::Log { .. })
                })
                .collect();
            records.sort_by_key(|record| record.seq);
            calls.extend(records.into_iter().map(|record| {
                let before = self.calls.get(&(row.id.clone(), record.seq));
                let awaited = matches!(before, Some(CallState::Waiting { .. }));
                HostCallSeen { awaited, ..call(host, row, record) }
            }));
        }
        calls
    }

    /// What the host itself did, if no tool ran: ask, or ask for a person.
    fn by_the_host(&self, detail: &ConversationDetail, seen: &mut Seen) {
        if seen.outcome.is_some() {
            return;
        }
        let asked = asked(detail).filter(|_| !seen.text.is_empty());
        if asked.is_some() {
            seen.outcome = Some(OutcomeKind::Ask);
            seen.asks = asked;
        } else if queue(detail).is_some() && queue(detail) != self.queue {
            seen.outcome = Some(OutcomeKind::HandOver);
            seen.reason = detail.tickets.first().and_then(|ticket| ticket.reason.clone());
        }
    }
}

fn queue(detail: &ConversationDetail) -> Option<String> {
    detail.tickets.first()?.queue.clone()
}

/// What the host waits to be told.
fn asked(detail: &ConversationDetail) -> Option<String> {
    let awaiting = detail.conversation.state.awaiting.as_ref()?;
    awaiting.approval.is_none().then(|| awaiting.entity.clone())
}

fn ticket(ticket: &postern_domain::Ticket) -> TicketSeen {
    TicketSeen {
        status: ticket.status.as_str().to_owned(),
        priority: ticket.priority.as_str().to_uppercase(),
        queue: ticket.queue.clone(),
        subject: ticket.subject.clone(),
        tags: ticket.tags.clone(),
    }
}

/// For whose word a call of an invocation waits.
async fn waits_for(host: &Host, row: &InvocationRow) -> Result<Option<String>, RunError> {
    let approvals = host.app.store.approvals_of(&row.id).await?;
    let pending = approvals.iter().find(|approval| approval.state == ApprovalState::Pending);
    Ok(pending.map(|approval| match &approval.approver {
        Approver::Route { route, .. } => format!("approval:{route}"),
        Approver::Customer => "confirm".to_owned(),
        Approver::Identity => "identity:verified".to_owned(),
    }))
}

/// Takes over what an outcome says and answers its text.
pub(super) fn told(seen: &mut Seen, result: &Result<Outcome, SkillFailure>) -> String {
    seen.waits_for = None;
    match result {
        Ok(Outcome::Reply { text }) => text.clone(),
        Ok(Outcome::Ask { entity, text }) => {
            seen.asks = Some(entity.clone());
            text.clone()
        }
        Ok(Outcome::HandOver { reason, severity, text }) => {
            seen.reason = Some(reason.clone());
            let severity = match severity {
                Severity::Low => "low",
                Severity::Normal => "normal",
                Severity::High => "high",
                Severity::Critical => "critical",
            };
            seen.severity = Some(severity.to_owned());
            text.clone()
        }
        Ok(Outcome::Done) => String::new(),
        Err(
            SkillFailure::InvalidArguments { message }
            | SkillFailure::Denied { message }
            | SkillFailure::Unavailable { message }
            | SkillFailure::Internal { message }
            | SkillFailure::Trap { message },
        ) => message.clone(),
        Err(failure @ SkillFailure::Limit { .. }) => failure.to_string(),
    }
}

pub(super) const fn kind(result: &Result<Outcome, SkillFailure>) -> OutcomeKind {
    match result {
        Ok(Outcome::Reply { .. }) => OutcomeKind::Reply,
        Ok(Outcome::Ask { .. }) => OutcomeKind::Ask,
        Ok(Outcome::HandOver { .. }) => OutcomeKind::HandOver,
        Ok(Outcome::Done) => OutcomeKind::Done,
        Err(SkillFailure::InvalidArguments { .. }) => OutcomeKind::InvalidArguments,
        Err(SkillFailure::Denied { .. }) => OutcomeKind::Denied,
        Err(SkillFailure::Unavailable { .. }) => OutcomeKind::Unavailable,
        Err(SkillFailure::Internal { .. }) => OutcomeKind::Internal,
        Err(SkillFailure::Limit { .. }) => OutcomeKind::Limit,
        Err(SkillFailure::Trap { .. }) => OutcomeKind::Trap,
    }
}

fn failed(record: &CallRecord) -> Option<&CallFailure> {
    match &record.state {
        CallState::Failed { failure } => Some(failure),
        CallState::Waiting { .. } | CallState::Intended | CallState::Done { .. } => None,
    }
}

/// The kind of failure that the skill got, by its name.
pub(super) fn failure_of(record: &CallRecord) -> Option<String> {
    let name = match failed(record)?.kind {
        FailureKind::Denied => "denied",
        FailureKind::Invalid => "invalid",
        FailureKind::NotFound => "not_found",
        FailureKind::Conflict => "conflict",
        FailureKind::Limited => "limited",
        FailureKind::Unavailable => "unavailable",
        FailureKind::Uncertain => "uncertain",
    };
    Some(name.to_owned())
}

fn call(host: &Host, row: &InvocationRow, record: &CallRecord) -> HostCallSeen {
    let failure = failed(record);
    HostCallSeen {
        action: record.call.action().to_owned(),
        resource: resource(host, row, &record.call),
        decision: match record.decision {
            Decision::Allow => Said::Allow,
            Decision::Deny => Said::Deny,
            Decision::RequireApproval => Said::RequireApproval,
        },
        rules: record.rules.clone(),
        fails: failure_of(record),
        message: failure.map(|failure| failure.message.clone()),
        awaited: false,
    }
}

/// On what a call acts, as an author writes it.
fn resource(host: &Host, row: &InvocationRow, call: &HostCall) -> String {
    match call {
        HostCall::RecordsGet { collection, key } => format!("{collection}/{key}"),
        HostCall::RecordsQuery { collection, .. }
        | HostCall::RecordsIdentify { collection, .. }
        | HostCall::KnowledgeSearch { collection, .. } => collection.clone(),
        HostCall::RecordsWrite { steps } => {
            let targets: Vec<_> =
                steps.iter().map(|step| step.target()).map(|(c, k)| format!("{c}/{k}")).collect();
            targets.join(", ")
        }
        HostCall::HttpSend { request } => {
            // `METHOD endpoint path`: of these, authors know the endpoint.
            let words = host.app.gate.ports.http.resource(request, &row.skill);
            words.split(' ').nth(1).unwrap_or(&words).to_owned()
        }
        HostCall::KvGet { key } | HostCall::KvSet { key, .. } | HostCall::KvDelete { key } => {
            key.clone()
        }
        HostCall::HandOver { request } => request.reason.clone(),
        HostCall::ModelComplete { request } => request.purpose.clone(),
        HostCall::MessageSend { audience, .. } => audience.as_str().to_owned(),
        HostCall::ScheduleCreate { job } => job.tool.clone(),
        HostCall::ScheduleCancel { id } => id.clone(),
        HostCall::Log { .. }
        | HostCall::TicketCreate { .. }
        | HostCall::TicketUpdate { .. }
        | HostCall::TicketTag { .. }
        | HostCall::TicketComment { .. }
        | HostCall::TicketHistory { .. } => "ticket".to_owned(),
    }
}
