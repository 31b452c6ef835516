//! A host of its own for one scenario.

use std::sync::{Arc, Mutex, PoisonError};

use postern_domain::{
    AuditEntry, AuditKind, Channel, ConversationId, Customer, Digest, IdentityLevel, InboundKind,
    InboundMessage, InvocationId, SkillId, Ticket, TicketId, Timestamp,
};
use postern_runtime::Usage;
use postern_scenario::{Given, Level, Moment, Scenario, TicketStatus};
use postern_store::{Change, Commit, IndexedDocument, Store, Work};

use super::{RunError, Suite, edge::Pretence};
use crate::{
    app::{self, App, Parts, Watch},
    clock::ManualClock,
    config::Config,
    gate::Revocations,
};

/// How long a lease of the only worker lasts.
const LEASE_MS: i64 = 3_600_000;
/// How long what a skill kept is there.
const KEPT_MS: i64 = 30 * 86_400_000;
/// Who writes in a scenario.
const SENDER: &str = "scenario";

/// What calls of tools used.
#[derive(Default)]
pub(super) struct Gauge(Mutex<Vec<(InvocationId, Usage)>>);

impl Gauge {
    pub(super) fn all(&self) -> Vec<(InvocationId, Usage)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watch for Gauge {
    fn used(&self, invocation: &InvocationId, usage: &Usage) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((invocation.clone(), usage.clone()));
    }
}

/// A running host, and what is around it.
pub(super) struct Host {
    pub(super) app: Arc<App>,
    pub(super) clock: ManualClock,
    pub(super) edge: Arc<Pretence>,
    pub(super) gauge: Arc<Gauge>,
    pub(super) conversation: ConversationId,
    channel: Channel,
    language: String,
    customer: Customer,
    _folder: tempfile::TempDir,
}

impl Host {
    /// A host that knows what is given.
    pub(super) async fn new(suite: &Suite, scenario: &Scenario) -> Result<Self, RunError> {
        let Scenario { about, given, .. } = scenario;
        if !given.knowledge.is_empty() {
            let reason = "[[given.knowledge]]: this host has no knowledge base; the articles are \
                          there in native runs only";
            return Err(RunError::Impossible(reason.to_owned()));
        }
        let channel = channel(&about.channel)?;
        let folder = suite.place()?;
        let config = suite.config(&given.settings)?;
        let store: Arc<dyn Store> = Arc::new(app::open_store(folder.path()).await?);
        let clock = ManualClock::at(timestamp(about.time));
        let registry = suite.registry()?;
        let loaded = suite.loaded(&registry, &config, &given.settings)?;
        let edge = Arc::new(Pretence::new(&given.http));
        let gauge = Arc::new(Gauge::default());
        let records = records(&config, given)?;
        let parts = Parts {
            key: suite.key.clone(),
            policy: Arc::clone(&suite.policy),
            registry,
            runtime: Arc::clone(&suite.runtime),
            revoked: Arc::new(Revocations::default()),
            trust: None::<Digest>,
            loaded,
            edge: Some(Arc::clone(&edge) as _),
            watch: Some(Arc::clone(&gauge) as _),
        };
        app::install_crypto();
        let app = App::of_parts(config, store, Arc::new(clock.clone()), parts)?;
        let customer = customer(given);
        let conversation = message(channel, SENDER, 0, String::new(), None, Timestamp::default())
            .conversation_id();
        let language = about.language.clone();
        let host = Self {
            app,
            clock,
            edge,
            gauge,
            conversation,
            channel,
            language,
            customer,
            _folder: folder,
        };
        let now = host.app.clock.now();
        let entry =
            AuditEntry::new(now, AuditKind::Operator, "operator:scenario", "import", "given");
        host.app.store.import(records, entry).await?;
        host.earlier_tickets(given).await?;
        host.kept(&suite.manifest.skill.id, given).await?;
        Ok(host)
    }

    /// Lets a message arrive and answers the work that it makes, with the lease of its
    /// conversation.
    pub(super) async fn arrive(
        &self,
        number: usize,
        text: String,
    ) -> Result<(postern_store::Lease, Work), RunError> {
        let now = self.app.clock.now();
        let language = Some(self.language.clone());
        let message = message(self.channel, SENDER, number, text, language, now);
        self.take_in(message).await?;
        let (lease, mut work) = self.next().await?.ok_or_else(|| {
            RunError::Impossible("the message was not taken up; does a call still wait?".to_owned())
        })?;
        if number == 0 {
            work.conversation.customer.clone_from(&self.customer);
        }
        Ok((lease, work))
    }

    async fn take_in(&self, message: InboundMessage) -> Result<(), RunError> {
        let mark = crate::pipeline::mark(&self.app.key, &message);
        self.app.store.accept(&[message], &[mark]).await?;
        Ok(())
    }

    /// What is due now.
    pub(super) async fn next(&self) -> Result<Option<(postern_store::Lease, Work)>, RunError> {
        let (store, now) = (&self.app.store, self.app.clock.now());
        let Some(lease) = store.lease_next(SENDER, now, LEASE_MS).await? else { return Ok(None) };
        match store.work(&lease, now).await? {
            Some(work) => Ok(Some((lease, work))),
            None => {
                store.release(&lease).await?;
                Ok(None)
            }
        }
    }

    /// Tickets of an earlier conversation.
    async fn earlier_tickets(&self, given: &Given) -> Result<(), RunError> {
        if given.tickets.is_empty() {
            return Ok(());
        }
        let now = self.app.clock.now();
        let before = message(self.channel, "earlier", 0, "before".to_owned(), None, now);
        let conversation = before.conversation_id();
        self.take_in(before).await?;
        let Some((lease, work)) = self.next().await? else {
            return Err(RunError::Impossible("the earlier conversation is not there".to_owned()));
        };
        let mut changes = vec![Change::InboxDone(work.message.id())];
        for (n, ticket) in given.tickets.iter().enumerate() {
            let age = i64::try_from(given.tickets.len() - n).unwrap_or(1) * 86_400_000;
            let at = now.plus_millis(-age);
            let ticket = Ticket {
                id: TicketId::derive(&["scenario", &n.to_string()]),
                conversation: conversation.clone(),
                customer: given.customer.key.clone(),
                subject: ticket.subject.clone(),
                status: status(ticket.status),
                priority: ticket.priority.to_lowercase().parse().map_err(|_| {
                    RunError::Impossible(format!("{:?}: a priority is P1 to P4", ticket.priority))
                })?,
                queue: None,
                reason: None,
                tags: ticket.tags.clone(),
                follows: None,
                created_at: at,
                updated_at: at,
            };
            changes.push(Change::Ticket { ticket, events: Vec::new() });
        }
        let commit = Commit { lease: Some(lease.clone()), changes, audit: Vec::new() };
        self.app.store.commit(commit).await?;
        Ok(self.app.store.release(&lease).await?)
    }

    /// What the skill kept for the customer, or in the conversation.
    async fn kept(&self, skill: &SkillId, given: &Given) -> Result<(), RunError> {
        let scope = match &self.customer {
            Customer { key: Some(key), level: IdentityLevel::Verified } => {
                format!("customer:{key}")
            }
            Customer { .. } => format!("conversation:{}:0", self.conversation),
        };
        let expires_at = self.app.clock.now().plus_millis(KEPT_MS);
        let changes = given.kv.iter().map(|(key, value)| Change::KvSet {
            skill: skill.clone(),
            scope: scope.clone(),
            key: key.clone(),
            value: value.clone().into_bytes(),
            expires_at,
        });
        let commit = Commit { lease: None, changes: changes.collect(), audit: Vec::new() };
        if !commit.changes.is_empty() {
            self.app.store.commit(commit).await?;
        }
        Ok(())
    }
}

fn timestamp(moment: Moment) -> Timestamp {
    Timestamp::from_millis(i64::try_from(moment.millis).unwrap_or(i64::MAX))
}

fn customer(given: &Given) -> Customer {
    let level = match given.customer.level {
        Level::Unknown => IdentityLevel::Unknown,
        Level::Identified => IdentityLevel::Identified,
        Level::Verified => IdentityLevel::Verified,
    };
    Customer { key: given.customer.key.clone(), level }
}

fn channel(name: &str) -> Result<Channel, RunError> {
    let known = [Channel::Web, Channel::Terminal, Channel::Telegram];
    known.into_iter().find(|channel| channel.as_str() == name).ok_or_else(|| {
        let known = known.map(Channel::as_str).join(", ");
        RunError::Impossible(format!("[scenario] channel = {name:?}: choose one of {known}"))
    })
}

const fn status(status: TicketStatus) -> postern_domain::TicketStatus {
    match status {
        TicketStatus::New => postern_domain::TicketStatus::New,
        TicketStatus::Open => postern_domain::TicketStatus::Open,
        TicketStatus::WaitingCustomer => postern_domain::TicketStatus::WaitingCustomer,
        TicketStatus::WaitingThirdParty => postern_domain::TicketStatus::WaitingThirdParty,
        TicketStatus::Resolved => postern_domain::TicketStatus::Resolved,
        TicketStatus::Closed => postern_domain::TicketStatus::Closed,
    }
}

fn message(
    channel: Channel,
    sender: &str,
    number: usize,
    text: String,
    language: Option<String>,
    now: Timestamp,
) -> InboundMessage {
    InboundMessage {
        channel,
        account: "main".to_owned(),
        dedupe_key: format!("{sender}-{number}"),
        chat: sender.to_owned(),
        sender: sender.to_owned(),
        external_id: number.to_string(),
        private: true,
        kind: InboundKind::Text,
        text,
        language,
        received_at: now,
    }
}

type Records = std::collections::BTreeMap<String, Vec<IndexedDocument>>;

/// The given records, as an import brings them in.
fn records(config: &Config, given: &Given) -> Result<Records, RunError> {
    let mut all = Records::new();
    for (collection, documents) in &given.records {
        let Some(rules) = config.collections.get(collection) else { continue };
        let mut list = Vec::with_capacity(documents.len());
        for (key, body) in documents {
            let missing = rules.owner.as_ref().filter(|_| rules.owner_of(body).is_none());
            if let Some(owner) = missing {
                return Err(RunError::Impossible(format!(
                    "given.records.{collection}.{key:?}: the field {owner} is missing; it names the \
                     customer to whom the record belongs"
                )));
            }
            list.push(IndexedDocument {
                key: key.clone(),
                body: body.clone(),
                index: rules.index(body),
            });
        }
        all.insert(collection.clone(), list);
    }
    Ok(all)
}
