//! What stops a call before any rule is asked: the manifest of its skill does not ask
//! for so much, or the skill is revoked.

use postern_domain::{CallFailure, FailureKind, HostCall, HttpRequest, Retry};
use url::Url;

use super::{Caller, GateShared};

/// Recorded in place of rules when the manifest does not ask for a call.
const NOT_REQUESTED: &str = "not-requested";
/// Recorded in place of rules when the skill is revoked.
const REVOKED: &str = "revoked";

/// Why a call is refused without asking rules.
pub(super) struct Barred {
    /// What stands in the record where rules would.
    pub(super) rule: &'static str,
    /// What the skill is told.
    pub(super) failure: CallFailure,
}

/// Whether a call is refused before rules are asked.
pub(super) fn barred(shared: &GateShared, caller: &Caller, call: &HostCall) -> Option<Barred> {
    let barred = |rule, message| {
        let failure = CallFailure { kind: FailureKind::Denied, message, retry: Retry::Never };
        Some(Barred { rule, failure })
    };
    let signed_by = caller.signed_by.as_ref();
    if shared.revoked.why(&caller.skill, caller.digest, signed_by).is_some() {
        let why = "is revoked and can do nothing any more; `postern trust list` says why";
        return barred(REVOKED, format!("skill {} {why}", caller.skill));
    }
    let host = if let HostCall::HttpSend { request } = call { host_of(request) } else { None };
    if caller.asks_for.iter().any(|capability| capability.covers(call, host.as_deref())) {
        return None;
    }
    barred(NOT_REQUESTED, beyond(caller, call))
}

/// The host of a request's URL, lower case.
fn host_of(request: &HttpRequest) -> Option<String> {
    Url::parse(&request.url).ok()?.host_str().map(str::to_owned)
}

/// What the manifest asks for instead, and what has to be done. It names what stands in
/// the manifest alone, never what the skill wrote into the call.
fn beyond(caller: &Caller, call: &HostCall) -> String {
    let (skill, interface) = (&caller.skill, call.interface());
    let of_interface = caller.asks_for.iter().filter(|it| it.interface == interface);
    let lists: Vec<String> = of_interface
        .flat_map(|capability| capability.bounds())
        .filter_map(|(name, list)| {
            let names: Vec<&str> = list?.iter().map(String::as_str).collect();
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            Some(format!("{name}: {names}"))
        })
        .collect();
    let asked = if lists.is_empty() {
        format!("it does not ask for {interface} at all")
    } else {
        format!("under {interface} it lists {}", lists.join("; "))
    };
    format!(
        "{} is more than the manifest of {skill} {} asks for: {asked}; its author adds to \
         [[capabilities]] what is missing, and an upgrade that is granted brings it",
        call.action(),
        caller.version
    )
}
