//! What must be known before a call can be judged, read by the gate itself.

use std::collections::BTreeSet;

use postern_domain::{
    CallFailure, Channel, Condition, Conversation, Expected, FailureKind, HostCall, RecordStep,
};
use postern_policy::{EndpointFacts, Facts, RecordFacts};
use postern_store::{IndexedDocument, RecordWrite, StoredRecord};

use super::{GateError, GateShared, total::Total};
use crate::{
    config::Collection, effects::http::Checked, identity::record_of, ledger::Ledger, privacy::Vault,
};

/// Steps of one atomic write.
const MOST_STEPS: usize = 50;
/// Bytes of a key.
const MOST_KEY_BYTES: usize = 200;
/// Records that a query can answer.
const MOST_RESULTS: u32 = 100;

/// What was read and worked out for a decision, kept for the effect so that
/// both look at the same thing.
pub struct Prepared {
    /// What policy sees.
    pub(crate) facts: Facts,
    /// What the effect needs.
    pub(crate) material: Material,
}

/// What an effect needs besides the call.
pub(crate) enum Material {
    /// Nothing.
    None,
    /// The record that was read.
    Record(Option<StoredRecord>),
    /// Conditions with real, normalised values.
    Conditions(Vec<(String, String)>),
    /// Steps with real values, if the records are what the skill expects.
    Writes(Result<Vec<RecordWrite>, CallFailure>),
    /// Where a request goes.
    Target(Checked),
}

/// A score in steps of ten, rounded up, so that what was found for one score is found
/// again for the next, and what was flagged stays above the threshold.
fn in_steps(score: u8) -> u8 {
    score.min(100).div_ceil(10) * 10
}

type Preparation = Result<Result<Prepared, CallFailure>, GateError>;

/// Reads the facts for a call; `target` is where a request goes. The inner failure
/// means that the call makes no sense and is refused without asking policy.
pub(super) async fn prepare(
    shared: &GateShared,
    ledger: &mut Ledger,
    call: &HostCall,
    target: Option<Checked>,
) -> Preparation {
    let mut facts = Facts {
        channel: ledger.conversation.channel,
        private: ledger.conversation.private,
        agent: agent_of(&ledger.conversation),
        customer: ledger.conversation.customer.clone(),
        // What was granted is told by whoever looked at the approvals.
        confirmed: false,
        approvals: BTreeSet::new(),
        taint: in_steps(ledger.conversation.state.taint),
        tier: tier(shared, ledger).await?,
        identify_failures: ledger.conversation.state.identify_failures,
        now: shared.clock.now(),
        records: Vec::new(),
        endpoint: None,
        own_ticket: false,
        scheduled: false,
        used_up: BTreeSet::new(),
    };
    let material = match call {
        HostCall::Log { .. }
        | HostCall::KvGet { .. }
        | HostCall::KvSet { .. }
        | HostCall::KvDelete { .. }
        | HostCall::HandOver { .. }
        | HostCall::KnowledgeSearch { .. }
        | HostCall::ModelComplete { .. }
        | HostCall::MessageSend { .. }
        | HostCall::ScheduleCreate { .. }
        | HostCall::ScheduleCancel { .. } => Material::None,
        HostCall::TicketCreate { .. } | HostCall::TicketHistory { .. } => {
            facts.own_ticket = true;
            Material::None
        }
        HostCall::TicketUpdate { id, .. }
        | HostCall::TicketTag { id, .. }
        | HostCall::TicketComment { id, .. } => {
            // A chat can go on with another customer after a session has ended.
            let customer = &ledger.conversation.customer.key;
            facts.own_ticket = ledger.ticket.as_ref().is_some_and(|ticket| {
                ticket.id == *id && (ticket.customer.is_none() || ticket.customer == *customer)
            });
            Material::None
        }
        HostCall::RecordsGet { collection, key } => {
            let rules = match declared(shared, collection) {
                Ok(rules) => rules,
                Err(failure) => return Ok(Err(failure)),
            };
            let record = ledger.store().record(collection, key).await?;
            facts.records.push(record_facts(rules, collection, key, record.as_ref()));
            Material::Record(record)
        }
        HostCall::RecordsQuery { collection, conditions, limit } => {
            if !(1..=MOST_RESULTS).contains(limit) {
                let reason = format!("limit {limit}: must be 1 to {MOST_RESULTS}");
                return Ok(Err(CallFailure::invalid(reason)));
            }
            match query(shared, &ledger.vault, collection, conditions) {
                Ok((record, conditions)) => {
                    facts.records.push(record);
                    Material::Conditions(conditions)
                }
                Err(failure) => return Ok(Err(failure)),
            }
        }
        HostCall::RecordsIdentify { collection, details } => {
            match identify(shared, &ledger.vault, collection, details) {
                Ok((record, conditions)) => {
                    facts.records.push(record);
                    Material::Conditions(conditions)
                }
                Err(failure) => return Ok(Err(failure)),
            }
        }
        HostCall::RecordsWrite { steps } => match writes(shared, ledger, steps).await? {
            Ok((records, writes)) => {
                facts.records = records;
                Material::Writes(writes)
            }
            Err(failure) => return Ok(Err(failure)),
        },
        HostCall::HttpSend { .. } => match target {
            Some(checked) => {
                facts.endpoint = Some(endpoint_facts(&checked));
                Material::Target(checked)
            }
            None => return Ok(Err(CallFailure::invalid("nobody checked the request"))),
        },
    };
    Ok(Ok(Prepared { facts, material }))
}

/// The agent that calls, in the channel of agents: its account is its name.
fn agent_of(conversation: &Conversation) -> Option<String> {
    (conversation.channel == Channel::Mcp).then(|| conversation.account.clone())
}

/// The tier in the customer's own record, where the operator says that there is one.
async fn tier(shared: &GateShared, ledger: &mut Ledger) -> Result<Option<String>, GateError> {
    let has_tier = |(_, rules): &(&str, &Collection)| rules.tier.is_some();
    let rules = shared.collections.customers().filter(has_tier);
    let (Some((_, rules)), Some(key)) = (rules, &ledger.conversation.customer.key) else {
        return Ok(None);
    };
    let record = record_of(&**ledger.store(), &shared.collections, key).await?;
    Ok(record.and_then(|record| rules.tier_of(&record.body)))
}

fn declared<'s>(shared: &'s GateShared, name: &str) -> Result<&'s Collection, CallFailure> {
    shared.collections.get(name).ok_or_else(|| {
        let name: String = name.chars().take(64).collect();
        CallFailure::new(
            FailureKind::NotFound,
            format!("no collection {name:?}; the operator declares collections in postern.toml"),
        )
    })
}

fn record_facts(
    rules: &Collection,
    collection: &str,
    key: &str,
    record: Option<&StoredRecord>,
) -> RecordFacts {
    RecordFacts {
        collection: collection.to_owned(),
        key: Some(key.to_owned()),
        exists: record.is_some(),
        owner: record.and_then(|record| rules.owner_of(&record.body)),
        new_owner: None,
        fields: record.map(|record| rules.readable_of(&record.body)).unwrap_or_default(),
        amount: None,
        changes_access: false,
        changes_irreversibly: false,
    }
}

type Wanted = (RecordFacts, Vec<(String, String)>);

/// Conditions with real values. A personal field takes only a placeholder of
/// this conversation, so a skill cannot try out values of its own.
fn resolve(
    rules: &Collection,
    vault: &Vault,
    conditions: &[Condition],
) -> Result<Vec<(String, String)>, CallFailure> {
    let indexed = rules.indexed();
    conditions
        .iter()
        .map(|condition| {
            if !indexed.contains(&condition.field.as_str()) {
                let field: String = condition.field.chars().take(64).collect();
                let known = indexed.join(", ");
                let reason = format!("cannot search by {field:?}; declared fields: {known}");
                return Err(CallFailure::invalid(reason));
            }
            let value = match rules.personal_kind(&condition.field) {
                None => &condition.value,
                Some(_) => match vault.resolve(&condition.value) {
                    Some(entry) => &entry.value,
                    None => {
                        let reason = format!("{} is personal: give a placeholder", condition.field);
                        return Err(CallFailure::invalid(reason));
                    }
                },
            };
            Ok((condition.field.clone(), rules.comparable(&condition.field, value)))
        })
        .collect()
}

fn query(
    shared: &GateShared,
    vault: &Vault,
    collection: &str,
    conditions: &[Condition],
) -> Result<Wanted, CallFailure> {
    let rules = declared(shared, collection)?;
    if conditions.is_empty() || conditions.len() > 8 {
        return Err(CallFailure::invalid("a query needs 1 to 8 conditions"));
    }
    let owner = conditions
        .iter()
        .find(|condition| Some(&condition.field) == rules.owner.as_ref())
        .map(|condition| condition.value.clone());
    let facts = RecordFacts {
        collection: collection.to_owned(),
        key: None,
        exists: false,
        owner,
        new_owner: None,
        fields: Default::default(),
        amount: None,
        changes_access: false,
        changes_irreversibly: false,
    };
    Ok((facts, resolve(rules, vault, conditions)?))
}

fn identify(
    shared: &GateShared,
    vault: &Vault,
    collection: &str,
    details: &[Condition],
) -> Result<Wanted, CallFailure> {
    let rules = declared(shared, collection)?;
    let mut given: Vec<&str> = details.iter().map(|detail| detail.field.as_str()).collect();
    given.sort_unstable();
    let fits = rules.identify_by.iter().any(|set| {
        let mut wanted: Vec<&str> = set.iter().map(String::as_str).collect();
        wanted.sort_unstable();
        wanted == given
    });
    if !fits {
        let sets: Vec<_> = rules.identify_by.iter().map(|set| set.join(" + ")).collect();
        let reason = format!("customers of {collection} are identified by: {}", sets.join("; or "));
        return Err(CallFailure::invalid(reason));
    }
    let facts = RecordFacts {
        collection: collection.to_owned(),
        key: None,
        exists: false,
        owner: None,
        new_owner: None,
        fields: Default::default(),
        amount: None,
        changes_access: false,
        changes_irreversibly: false,
    };
    Ok((facts, resolve(rules, vault, details)?))
}

type Writes = Result<(Vec<RecordFacts>, Result<Vec<RecordWrite>, CallFailure>), CallFailure>;

async fn writes(
    shared: &GateShared,
    ledger: &mut Ledger,
    steps: &[RecordStep],
) -> Result<Writes, GateError> {
    if steps.is_empty() || steps.len() > MOST_STEPS {
        return Ok(Err(CallFailure::invalid(format!("a write needs 1 to {MOST_STEPS} steps"))));
    }
    let (mut facts, mut writes) = (Vec::<RecordFacts>::new(), Vec::new());
    let mut stale = None;
    let mut total = Total::default();
    for (place, step) in steps.iter().enumerate() {
        let (collection, key) = step.target();
        let rules = match declared(shared, collection) {
            Ok(rules) => rules,
            Err(failure) => return Ok(Err(failure)),
        };
        if key.is_empty() || key.len() > MOST_KEY_BYTES || key.chars().any(char::is_control) {
            let reason = format!("a key is 1 to {MOST_KEY_BYTES} bytes without control characters");
            return Ok(Err(CallFailure::invalid(reason)));
        }
        let current = ledger.store().record(collection, key).await?;
        // What is judged must be what is written over: a record that changes
        // between the two would be one that no rule has seen.
        let first = steps[..place].iter().all(|step| step.target() != (collection, key));
        if first && expects(step) != current.as_ref().map(|record| record.version) {
            stale.get_or_insert_with(|| changed(shared, collection, key));
        }
        let mut record = record_facts(rules, collection, key, current.as_ref());
        writes.push(match step {
            RecordStep::Delete { version, .. } => RecordWrite::Delete {
                collection: collection.to_owned(),
                key: key.to_owned(),
                version: *version,
            },
            RecordStep::Put { body, expected, .. } => {
                let held = current.as_ref().map(|record| &record.body);
                let body = match ledger.vault.reveal(rules, held, body) {
                    Ok(body) => body,
                    Err(field) => {
                        let reason = format!("{field} is personal: it takes a placeholder only");
                        return Ok(Err(CallFailure::invalid(reason)));
                    }
                };
                record.new_owner = rules.owner_of(&body);
                let before = current.as_ref().map(|record| &record.body);
                record.changes_access = rules.changes_access(before, &body);
                record.changes_irreversibly = rules.changes_irreversibly(before, &body);
                total.add(rules, &body);
                let index = rules.index(&body);
                RecordWrite::Put {
                    collection: collection.to_owned(),
                    document: IndexedDocument { key: key.to_owned(), body, index },
                    expected: *expected,
                }
            }
        });
        facts.push(record);
    }
    // Each step is judged by what the whole write is about: cut into steps, a large
    // amount is no smaller.
    let amount = total.amount();
    facts.iter_mut().for_each(|record| record.amount = amount);
    Ok(Ok((facts, stale.map_or(Ok(writes), Err))))
}

/// The money that a call is about, in minor units, if that is known.
pub(super) fn amount(facts: &Facts) -> Option<i64> {
    let of_endpoint = facts.endpoint.as_ref().and_then(|endpoint| endpoint.amount);
    facts.records.iter().find_map(|record| record.amount).or(of_endpoint)
}

/// The version that a step expects; none if there must be no record.
fn expects(step: &RecordStep) -> Option<u64> {
    match step {
        RecordStep::Put { expected: Expected::Absent, .. } => None,
        RecordStep::Put { expected: Expected::Version(version), .. }
        | RecordStep::Delete { version, .. } => Some(*version),
    }
}

/// A record is not what the skill expects.
pub(super) fn changed(shared: &GateShared, collection: &str, key: &str) -> CallFailure {
    // The message stands in audit, where keys of customers do not.
    let key = if shared.collections.is_of_customers(collection) { "(customer)" } else { key };
    let message = format!("{collection}/{key} has changed since it was read");
    CallFailure::new(FailureKind::Conflict, message)
}

fn endpoint_facts(checked: &Checked) -> EndpointFacts {
    let url = checked.url();
    EndpointFacts {
        name: Some(checked.endpoint().to_owned()),
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port_or_known_default().unwrap_or_default(),
        scheme: url.scheme().to_owned(),
        path: url.path().to_owned(),
        private: checked.is_private(),
        amount: checked.amount(),
        moves_money: checked.moves_money(),
        irreversible: checked.is_irreversible(),
    }
}
