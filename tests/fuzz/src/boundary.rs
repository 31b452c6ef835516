//! Values across the border: what a guest says arrives as one bounded call, what
//! the host answers arrives or is refused, and the journal gives both back as they
//! were.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use anyhow::{bail, ensure};
use arbitrary::Unstructured;
use async_trait::async_trait;
use fastrand::Rng;
use postern_domain::{
    CallFailure, CallRecord, CallState, Customer, Decision, Digest, HostCall, HostReply, Interface,
    InvocationId, Outcome, SkillFailure, TicketId, Timestamp, digest_of,
};
use postern_runtime::{
    Answered, HostPort, InUse, Invocation, InvokeError, Limits, LoadedSkill, PortError, Runtime,
    RuntimeConfig,
};
use serde_json::{Value, json};

use crate::{
    mutate::noise,
    runner::{Ending, Target},
    seeds, values,
};

/// Calls that the guest makes by name.
const CALLS: [&str; 20] = [
    "log:write",
    "records:get",
    "records:query",
    "records:write",
    "records:identify",
    "http:send",
    "kv:get",
    "kv:set",
    "kv:delete",
    "ticket:create",
    "ticket:update",
    "ticket:tag",
    "ticket:comment",
    "ticket:history",
    "handover:request",
    "knowledge:search",
    "model:complete",
    "message:send",
    "schedule:create",
    "schedule:cancel",
];

/// Arguments that the guest reads as text.
const TEXTS: [&str; 18] = [
    "message",
    "collection",
    "key",
    "body",
    "url",
    "value",
    "subject",
    "id",
    "tag",
    "text",
    "reason",
    "summary",
    "query",
    "purpose",
    "queue",
    "cron",
    "tool",
    "arguments",
];

pub(crate) struct Boundary {
    executor: tokio::runtime::Runtime,
    runtime: Runtime,
    at_rest: InUse,
    echo: LoadedSkill,
}

impl Boundary {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let runtime =
            Runtime::new(RuntimeConfig { concurrent_calls: 2, ..RuntimeConfig::default() })?;
        let code = runtime.compile(&seeds::guest("echo")?)?;
        let granted = BTreeSet::from(Interface::ALL);
        let echo = runtime.load_bytes(&"echo".parse()?, &code, &granted, &Limits::default())?;
        Ok(Self {
            executor: tokio::runtime::Builder::new_current_thread().enable_time().build()?,
            at_rest: runtime.in_use(),
            runtime,
            echo,
        })
    }

    /// One host call by the guest, with these arguments and this answer.
    fn by_guest(
        &self,
        call: &str,
        arguments: &Value,
        answer: Result<HostReply, CallFailure>,
    ) -> anyhow::Result<Ending> {
        let limits = Limits::default();
        let most = limits.sent_bytes.saturating_add(limits.received_bytes);
        let invocation = Invocation {
            id: InvocationId::derive(&[call]),
            tool: "call".to_owned(),
            arguments: arguments.to_string(),
            now: Timestamp::from_millis(1_700_000_000_000),
            language: "en".to_owned(),
            customer: Customer::default(),
            settings: vec![],
            limits,
            seed: [7; 32],
        };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let port = Port { seen: Arc::clone(&seen), answer };
        let report = self.executor.block_on(self.echo.invoke(invocation, Box::new(port)));
        ensure!(self.runtime.in_use() == self.at_rest, "something of the call is left");
        for call in &*seen.lock().expect("the port does not panic") {
            journalled(call, CallState::Intended)?;
            ensure!(serde_json::to_vec(call)?.len() as u64 <= 8 * most, "a call beyond all limits");
        }
        match report.result {
            Ok(Outcome::Reply { text }) => {
                let way: String = text.chars().take(40).collect();
                Ok(Ending::accepted(Ending::refused(&format!("{call} {way}")).way))
            }
            Ok(other) => bail!("the guest answers only with replies, not {other:?}"),
            Err(InvokeError::Skill(failure @ SkillFailure::Trap { .. })) => {
                // The host's own answer does not fit the call: the guest is ended.
                ensure!(!seen.lock().expect("no panic").is_empty(), "a trap: {failure}");
                Ok(Ending::refused(&format!("{call} {failure}")))
            }
            Err(error) => Ok(Ending::refused(&format!("{call} {error}"))),
        }
    }
}

impl Target for Boundary {
    fn name(&self) -> &'static str {
        "boundary"
    }

    fn input(&mut self, random: &mut Rng, kept: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
        if random.u8(..4) == 0 && !kept.is_empty() {
            let mut bytes = kept[random.usize(..kept.len())].clone();
            crate::mutate::mutate(random, &mut bytes, &[], &[]);
            return Ok(bytes);
        }
        Ok(noise(random, 64, 8_192))
    }

    fn attempt(&mut self, input: &[u8]) -> anyhow::Result<Ending> {
        let u = &mut Unstructured::new(input);
        let Ok(kind) = u.int_in_range(0..=5) else { return Ok(Ending::refused("too short")) };
        match kind {
            0 => {
                let Ok(call) = values::call(u) else { return Ok(Ending::refused("too short")) };
                journalled(&call, CallState::Intended)?;
                Ok(Ending::accepted(format!("journal {}", call.action())))
            }
            1 => {
                let Ok(reply) = values::reply(u) else { return Ok(Ending::refused("too short")) };
                journalled(&HostCall::TicketHistory { limit: 1 }, CallState::Done { reply })?;
                Ok(Ending::accepted("journal reply"))
            }
            _ => {
                let Ok((call, arguments, answer)) = conversation(u) else {
                    return Ok(Ending::refused("too short"));
                };
                self.by_guest(call, &arguments, answer)
            }
        }
    }
}

type Conversation = (&'static str, Value, Result<HostReply, CallFailure>);

/// What the guest is to say and what it is answered.
fn conversation(u: &mut Unstructured<'_>) -> arbitrary::Result<Conversation> {
    let call = *u.choose(&CALLS)?;
    let ticket = TicketId::derive(&["a ticket"]);
    let mut arguments = json!({
        "call": call, "collection": "orders", "id": ticket.as_str(), "key": "k", "value": "v",
        "url": "https://api.example.com/", "message": "m", "text": "t", "subject": "s",
        "tag": "vip", "reason": "angry", "summary": "s", "query": "q", "purpose": "answer",
        "tool": "echo", "arguments": "{}", "body": "{\"a\":1.5}", "limit": 5, "ttl_s": 60,
        "max_tokens": 10, "at_ms": 1_800_000_000_000_u64,
    });
    for name in TEXTS {
        if u.ratio(1, 12)? {
            arguments[name] = values::text(u)?.into();
        }
    }
    for name in ["limit", "ttl_s", "max_tokens", "at_ms"] {
        if u.ratio(1, 12)? {
            arguments[name] = u.arbitrary::<u64>()?.into();
        }
    }
    for name in ["headers", "fields", "conditions"] {
        let pairs: u8 = if u.ratio(1, 6)? { u.int_in_range(1..=3)? } else { 0 };
        let pairs = (0..pairs).map(|_| Ok(json!([values::text(u)?, values::text(u)?])));
        arguments[name] = Value::Array(pairs.collect::<arbitrary::Result<_>>()?);
    }
    if u.ratio(1, 4)? {
        arguments["body"] = values::json(u, 0)?.to_string().into();
    }
    let answer = match u.int_in_range(0..=7)? {
        0 => Err(values::failure(u)?),
        // Nothing that fits, as from a host with a mistake.
        1 => Ok(values::reply(u)?),
        _ => Ok(values::reply_to(call, u)?),
    };
    Ok((call, arguments, answer))
}

/// Whether the journal gives a call back as it was.
fn journalled(call: &HostCall, state: CallState) -> anyhow::Result<()> {
    let digest = digest_of(call);
    let record = CallRecord {
        seq: 0,
        digest,
        call: call.clone(),
        decision: Decision::Allow,
        rules: vec![],
        state,
        at: Timestamp::from_millis(0),
        facts: None,
    };
    let kept = serde_json::to_string(&record)?;
    let again: CallRecord = serde_json::from_str(&kept)?;
    let same_digest: Digest = digest_of(&again.call);
    ensure!(same_digest == digest, "a call has another digest after it was kept");
    ensure!(again == record, "a call is another one after it was kept");
    Ok(())
}

/// Answers everything alike and keeps what it was asked.
struct Port {
    seen: Arc<Mutex<Vec<HostCall>>>,
    answer: Result<HostReply, CallFailure>,
}

#[async_trait]
impl HostPort for Port {
    async fn call(&mut self, call: HostCall) -> Result<Answered, PortError> {
        self.seen.lock().map_err(|error| PortError::abort(error.to_string()))?.push(call);
        Ok(Answered { answer: self.answer.clone(), at: Timestamp::from_millis(0) })
    }
}
