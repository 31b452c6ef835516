//! How a call on its way through the gate is written down.

use postern_domain::{
    AuditEntry, AuditKind, AuditVerdict, CallRecord, CallState, HostCall, JournalEntry, RequestId,
    Timestamp,
};
use postern_store::Change;
use serde_json::Value;

use super::{passage::Passage, record};

impl Passage {
    /// Tells a judged call in the host's own log, as audit does: without arguments and
    /// personal data.
    pub(super) fn tell(&self, audit: &AuditEntry) {
        let verdict = audit.verdict.as_ref();
        let request = RequestId::of_message(&self.ledger.turn.message);
        tracing::info!(
            target: "tool_calls",
            request = request.as_str(),
            invocation = self.caller.invocation.as_str(),
            seq = self.seq,
            skill = audit.actor,
            tool = self.caller.tool,
            action = audit.action,
            resource = audit.resource,
            decision = verdict.map(|verdict| verdict.decision.as_str()),
            rules = verdict.map(|verdict| verdict.rules.join(",")),
            took_us = audit.took_us,
            "tool call"
        );
    }

    /// The journal entry and the audit row of this call.
    pub(super) fn entry(
        &self,
        call: &HostCall,
        verdict: &AuditVerdict,
        facts: Option<Value>,
        state: CallState,
        at: Timestamp,
    ) -> (Change, AuditEntry) {
        let took = u64::try_from(self.stopwatch.elapsed().as_micros()).unwrap_or(u64::MAX);
        let audit = AuditEntry {
            verdict: Some(verdict.clone()),
            detail: record::state(&state),
            took_us: Some(took),
            invocation: Some(self.caller.invocation.clone()),
            seq: Some(self.seq),
            skill: Some(self.caller.skill.clone()),
            component: Some(self.caller.digest),
            policy: Some(self.shared.policy.generation()),
            duties: self.duties.clone(),
            ..AuditEntry::new(
                self.started,
                AuditKind::HostCall,
                self.caller.actor(),
                call.action(),
                self.resource(call),
            )
        };
        let record = CallRecord {
            seq: self.seq,
            digest: self.digest,
            call: record::kept(call),
            decision: verdict.decision,
            rules: verdict.rules.clone(),
            state,
            at,
            facts,
        };
        if self.shared.log_calls {
            self.tell(&audit);
        }
        let entry = JournalEntry { invocation: self.caller.invocation.clone(), record };
        (Change::Journal(entry), audit)
    }
}
