//! `postern:handover`

use postern_domain::{HandOver, HostCall, HostReply, Severity};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::handover::people::{self, Failure, Host, Request},
    state::State,
};

impl Host for State {
    async fn hand_over(&mut self, request: Request) -> Answer<String, Failure> {
        let bytes = weight::of_texts([&request.reason, &request.summary]);
        answer!(self.ask(Handover, bytes, hand_over(request)), HostReply::Queued { queue } => queue)
    }
}

fn hand_over(request: Request) -> Checked<HostCall> {
    let Request { reason, severity, summary } = request;
    check::slug("reason", &reason, check::REASON_BYTES)?;
    check::length("summary", summary.len(), 0, 2_000)?;
    let severity = match severity {
        people::Severity::Low => Severity::Low,
        people::Severity::Normal => Severity::Normal,
        people::Severity::High => Severity::High,
        people::Severity::Critical => Severity::Critical,
    };
    Ok(HostCall::HandOver { request: HandOver { reason, severity, summary } })
}
