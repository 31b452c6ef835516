//! The host put together: everything that channels, pipeline and console share.

mod follow;
mod generations;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use postern_domain::{ConversationId, Digest, InvocationId};
use postern_runtime::{InUse, Runtime, RuntimeConfig, RuntimeError, Usage};
use postern_store::{SqliteStore, Store, StoreError};
use tokio::{sync::watch, task::JoinSet};

use self::generations::Pinned;
use crate::{
    approvals, audit,
    breaker::Breakers,
    canary,
    channels::Channels,
    clock::{Clock, SystemClock},
    config::{Config, ConfigError},
    effects::{
        Ports,
        http::{Edge, HttpClient, HttpSetupError},
    },
    gate::{GateShared, Revocations},
    identity::Codes,
    keys::{KeyError, MasterKey},
    metrics::Metrics,
    pipeline::{self, Bell, Events, Intake, deliver},
    policies::{Policies, PoliciesError},
    redaction,
    registry::{ActiveSkill, Compiler, Loaded, Registry, RegistryError, Skills},
    trust::{Trust, TrustError},
};

/// Where the master key lies in the data folder.
pub const KEY_FILE: &str = "keys/master";
/// Name of this host's audit chain.
pub(crate) const CHAIN: &str = "host-1";

/// Why the host does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no master key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules in force cannot be used.
    #[error(transparent)]
    Policies(#[from] PoliciesError),
    /// A skill cannot be loaded.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// It cannot be known what is revoked.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The sandbox cannot be set up.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The TLS library cannot be set up.
    #[error("HTTP clients cannot be set up: {0}")]
    Http(#[from] reqwest::Error),
    /// Skills have no way to other servers.
    #[error(transparent)]
    Egress(#[from] HttpSetupError),
}

/// A running host.
pub struct App {
    /// What the operator configured.
    pub config: Config,
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// From which tokens and seeds are derived.
    pub key: MasterKey,
    /// The rules in force.
    pub policy: Arc<Policies>,
    /// Where channels put messages.
    pub intake: Intake,
    /// Tells which conversations have changed.
    pub events: Events,
    /// Makes and checks codes that prove who a customer is.
    pub codes: Codes,
    /// Ways out to customers.
    pub channels: Channels,
    /// What all gates share.
    pub gate: Arc<GateShared>,
    /// Which skills rest because they keep breaking.
    pub breakers: Breakers,
    /// What happened since the host started, in figures.
    pub metrics: Arc<Metrics>,
    /// Rings when there may be messages to work on.
    pub inbox_bell: Bell,
    /// Rings when there may be messages to send.
    pub outbox_bell: Bell,
    /// Who is told what calls of tools use, if anybody is.
    pub(crate) watch: Option<Arc<dyn Watch>>,
    registry: Registry,
    runtime: Arc<Runtime>,
    skills: RwLock<Arc<Loaded>>,
    /// Of which state of `trust.toml` the skills in force know.
    trust: Mutex<Option<Digest>>,
    pinned: Pinned,
}

/// Is told what calls of tools use.
pub(crate) trait Watch: Send + Sync {
    /// A call has ended.
    fn used(&self, invocation: &InvocationId, usage: &Usage);
}

/// What a host is made of, besides its configuration, store and clock.
pub(crate) struct Parts {
    pub(crate) key: MasterKey,
    pub(crate) policy: Arc<Policies>,
    pub(crate) registry: Registry,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) revoked: Arc<Revocations>,
    pub(crate) trust: Option<Digest>,
    pub(crate) loaded: Arc<Loaded>,
    /// What answers in the place of the network.
    pub(crate) edge: Option<Arc<dyn Edge>>,
    pub(crate) watch: Option<Arc<dyn Watch>>,
}

/// Opens the store of a data folder: nothing personal comes into its audit log.
///
/// # Errors
/// As [`SqliteStore::open`].
pub async fn open_store(data: &Path) -> Result<SqliteStore, StoreError> {
    Ok(SqliteStore::open(data, CHAIN).await?.cleaning(redaction::clean))
}

/// Makes the TLS library known to the HTTP client; more than once does no harm.
pub fn install_crypto() {
    // The error only says that it was installed before.
    let _before = rustls::crypto::ring::default_provider().install_default();
}

/// The sandbox that a configuration asks for.
///
/// # Errors
/// The engine cannot be set up on this machine.
pub fn runtime(config: &Config) -> Result<Runtime, RuntimeError> {
    Runtime::new(RuntimeConfig {
        concurrent_calls: config.concurrent_calls,
        max_memory_bytes: config.ceilings.memory_bytes,
        ..RuntimeConfig::default()
    })
}

impl App {
    /// Opens a data folder for serving. Nobody else may serve from it.
    ///
    /// # Errors
    /// Something in the folder is refused; the error names what and why.
    pub async fn open(data: &Path) -> Result<Arc<Self>, StartError> {
        // First, because opening the store makes files.
        Self::open_with(Config::load(data)?).await
    }

    /// Opens the data folder of a configuration for serving.
    ///
    /// # Errors
    /// As [`App::open`].
    pub async fn open_with(config: Config) -> Result<Arc<Self>, StartError> {
        let store = open_store(&config.data).await?;
        store.lock_for_serving()?;
        Self::assemble(config, Arc::new(store), Arc::new(SystemClock), Compiler::this_program())
    }

    /// Puts a host together from a configuration that was read before.
    ///
    /// # Errors
    /// As [`App::open`], but for the configuration.
    pub fn assemble(
        config: Config,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        compiler: Compiler,
    ) -> Result<Arc<Self>, StartError> {
        install_crypto();
        let key = MasterKey::read(&config.data.join(KEY_FILE))?;
        let policy = Arc::new(Policies::open(&config)?);
        let registry = Registry::open(&config.data, key.clone(), compiler)?;
        let runtime = Arc::new(runtime(&config)?);
        let trust = Trust::stamp(&config.data)?;
        let revoked = Arc::new(Revocations::new(Trust::load(&config.data)?));
        let current = registry.current()?;
        let loaded = Arc::new(registry.load((&runtime, &config), &revoked, &current, None)?);
        follow::tell(&loaded);
        let (edge, watch) = (None, None);
        let parts = Parts { key, policy, registry, runtime, revoked, trust, loaded, edge, watch };
        Self::of_parts(config, store, clock, parts)
    }

    /// Puts a host together from parts that were made before.
    ///
    /// # Errors
    /// HTTP clients cannot be set up.
    pub(crate) fn of_parts(
        config: Config,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        parts: Parts,
    ) -> Result<Arc<Self>, StartError> {
        let Parts { key, policy, registry, runtime, revoked, trust, loaded, edge, watch } = parts;
        let http = HttpClient::new(config.endpoints.clone(), config.secrets.clone())?;
        let http = match edge {
            Some(edge) => http.with_edge(edge),
            None => http,
        };
        let collections = Arc::new(config.collections.clone());
        let metrics = Arc::new(Metrics::default());
        let gate = Arc::new(GateShared {
            policy: Arc::clone(&policy),
            collections: Arc::clone(&collections),
            ports: Arc::new(Ports { http, collections, queue: config.pipeline.queue.clone() }),
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            log_calls: config.audit.log_tool_calls,
            concurrency: Arc::default(),
            revoked,
        });
        let inbox_bell = Bell::default();
        Ok(Arc::new(Self {
            intake: Intake::start(Arc::clone(&store), key.clone(), inbox_bell.clone()),
            codes: Codes::new(&config, &key),
            channels: Channels::new(&config)?,
            events: Events::default(),
            outbox_bell: Bell::default(),
            breakers: Breakers::new(config.breaker),
            metrics,
            skills: RwLock::new(loaded),
            trust: Mutex::new(trust),
            pinned: Pinned::default(),
            watch,
            inbox_bell,
            config,
            store,
            clock,
            key,
            policy,
            gate,
            registry,
            runtime,
        }))
    }

    /// The active generation.
    pub fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.skills.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The active skills, without a version on trial.
    pub fn skills(&self) -> Arc<Skills> {
        Arc::clone(&self.loaded().stable)
    }

    /// The active skills as a conversation gets them.
    pub fn skills_for(&self, conversation: &ConversationId) -> Arc<Skills> {
        Arc::clone(self.loaded().skills_for(&self.key, conversation))
    }

    /// Why a skill must not run any more, whichever generation it is of.
    pub fn revoked(&self, skill: &ActiveSkill) -> Option<String> {
        let ActiveSkill { manifest, digest, signed_by, .. } = skill;
        self.gate.revoked.why(&manifest.skill.id, *digest, signed_by.as_ref())
    }

    /// The registry of skills.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What of the sandbox's pools is in use now.
    pub fn in_use(&self) -> InUse {
        self.runtime.in_use()
    }

    /// The skills of the generation under which an interrupted turn of a conversation
    /// began.
    ///
    /// # Errors
    /// The generation cannot be loaded.
    pub async fn skills_of(
        self: &Arc<Self>,
        generation: &str,
        conversation: &ConversationId,
    ) -> Result<Arc<Skills>, RegistryError> {
        let current = self.loaded();
        let loaded = match generation.parse::<u64>() {
            Ok(number) if number != current.stable.number => {
                self.pinned.get(number, self.load(Some(number))).await?
            }
            Ok(_) | Err(_) => current,
        };
        Ok(loaded.skills_begun(&self.key, conversation))
    }

    /// Loads a generation, or the active one, off the request path.
    async fn load(self: &Arc<Self>, number: Option<u64>) -> Result<Loaded, RegistryError> {
        let app = Arc::clone(self);
        let load = move || {
            let generation = match number {
                Some(number) => app.registry.generation(number)?,
                None => app.registry.current()?,
            };
            let with = (&*app.runtime, &app.config);
            app.registry.load(with, &app.gate.revoked, &generation, Some(&app.loaded()))
        };
        match tokio::task::spawn_blocking(load).await {
            Ok(loaded) => loaded,
            Err(error) => {
                Err(RegistryError::Damaged { path: "skills".to_owned(), reason: error.to_string() })
            }
        }
    }

    /// Takes up what a dead process left, then works until `stop` changes.
    ///
    /// # Errors
    /// The store fails at the start.
    pub async fn run(self: &Arc<Self>, stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let now = self.clock.now();
        for item in self.store.recover(self.config.pipeline.unknown_send, now).await? {
            tracing::warn!(
                outbox.id = item.id.as_str(),
                state = item.state.as_str(),
                "a send was interrupted"
            );
        }
        let mut tasks = JoinSet::new();
        for number in 0..self.config.pipeline.workers {
            tasks.spawn(pipeline::work(Arc::clone(self), number, stop.clone()));
        }
        tasks.spawn(deliver::run(Arc::clone(self), stop.clone()));
        tasks.spawn(audit::keep_checkpoints(Arc::clone(self), stop.clone()));
        tasks.spawn(approvals::tend(Arc::clone(self), stop.clone()));
        tasks.spawn(canary::tend(Arc::clone(self), stop.clone()));
        tasks.spawn(Arc::clone(self).follow_generations(stop));
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(error = &error as &dyn std::error::Error, "a task died");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
