//! The host put together: everything that channels, pipeline and console share.

mod generations;

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use postern_runtime::{InUse, Runtime, RuntimeConfig, RuntimeError};
use postern_store::{SqliteStore, Store, StoreError};
use tokio::{sync::watch, task::JoinSet};

use self::generations::{Pinned, Refused};
use crate::{
    approvals, audit,
    breaker::Breakers,
    channels::Channels,
    clock::{Clock, SystemClock},
    config::{Config, ConfigError},
    effects::{
        Ports,
        http::{HttpClient, HttpSetupError},
    },
    gate::GateShared,
    identity::Codes,
    keys::{KeyError, MasterKey},
    metrics::Metrics,
    pipeline::{self, Bell, Events, Intake, deliver},
    policies::{Policies, PoliciesError},
    redaction,
    registry::{Compiler, Registry, RegistryError, Skills},
};

/// Where the master key lies in the data folder.
pub const KEY_FILE: &str = "keys/master";
/// Name of this host's audit chain.
pub(crate) const CHAIN: &str = "host-1";
/// How often the host looks for a new generation of skills.
const GENERATION_CHECK: std::time::Duration = std::time::Duration::from_secs(1);

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
    registry: Registry,
    runtime: Arc<Runtime>,
    skills: RwLock<Arc<Skills>>,
    pinned: Pinned,
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
        let skills = registry.load(&runtime, &config, &registry.current()?)?;
        let collections = Arc::new(config.collections.clone());
        let metrics = Arc::new(Metrics::default());
        let gate = Arc::new(GateShared {
            policy: Arc::clone(&policy),
            collections: Arc::clone(&collections),
            ports: Arc::new(Ports {
                http: HttpClient::new(config.endpoints.clone(), config.secrets.clone())?,
                collections,
                queue: config.pipeline.queue.clone(),
            }),
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            log_calls: config.audit.log_tool_calls,
            concurrency: Arc::default(),
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
            skills: RwLock::new(Arc::new(skills)),
            pinned: Pinned::default(),
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

    /// The active skills.
    pub fn skills(&self) -> Arc<Skills> {
        Arc::clone(&self.skills.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What of the sandbox's pools is in use now.
    pub fn in_use(&self) -> InUse {
        self.runtime.in_use()
    }

    /// The skills of the generation under which an interrupted turn began.
    ///
    /// # Errors
    /// The generation cannot be loaded.
    pub async fn skills_of(
        self: &Arc<Self>,
        generation: &str,
    ) -> Result<Arc<Skills>, RegistryError> {
        let current = self.skills();
        match generation.parse::<u64>() {
            Ok(number) if number != current.number => {
                self.pinned.get(number, self.load(Some(number))).await
            }
            Ok(_) | Err(_) => Ok(current),
        }
    }

    /// Loads a generation, or the active one, off the request path.
    async fn load(self: &Arc<Self>, number: Option<u64>) -> Result<Skills, RegistryError> {
        let app = Arc::clone(self);
        let load = move || {
            let generation = match number {
                Some(number) => app.registry.generation(number)?,
                None => app.registry.current()?,
            };
            app.registry.load(&app.runtime, &app.config, &generation)
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
        tasks.spawn(Arc::clone(self).follow_generations(stop));
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(error = &error as &dyn std::error::Error, "a task died");
            }
        }
        Ok(())
    }

    /// Swaps the active skills and the rules in force when an operator has activated
    /// a generation.
    async fn follow_generations(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(GENERATION_CHECK);
        let (mut refused, mut told) = (None, None);
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                _ = tick.tick() => {}
            }
            self.metrics.tidy();
            self.look_around().await;
            self.follow_once(&mut refused).await;
            self.follow_rules(&mut told).await;
        }
    }

    /// Looks once for another generation of rules, and whether the folder of rules
    /// is as it is in force. `told` is the last thing that went wrong, which is told
    /// once.
    async fn follow_rules(self: &Arc<Self>, told: &mut Option<String>) {
        let app = Arc::clone(self);
        let look = move || {
            let taken = app.policy.follow(&app.config)?;
            Ok::<_, PoliciesError>((taken, app.policy.compare(&app.config)?))
        };
        let looked = match tokio::task::spawn_blocking(look).await {
            Ok(looked) => looked.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match looked {
            Ok((taken, differing)) => {
                *told = None;
                if let Some(generation) = taken {
                    tracing::info!(generation, "rules put in force");
                }
                match differing {
                    Some(files) if files.is_empty() => {
                        tracing::info!("the folder of rules is as it is in force");
                    }
                    Some(files) => tracing::warn!(
                        files = files.join(", "),
                        "the folder of rules is not as it is in force; \
                         `postern policy apply` puts it in force"
                    ),
                    None => {}
                }
            }
            Err(error) => {
                if told.as_ref() != Some(&error) {
                    tracing::error!(error, "rules not looked at; those in force stay");
                    *told = Some(error);
                }
            }
        }
    }

    /// Wakes workers for what another process left in the store: a command that
    /// decided an approval cannot ring here.
    async fn look_around(&self) {
        if let Ok(Some(due)) = self.store.next_due().await
            && due <= self.clock.now()
        {
            self.inbox_bell.ring();
            self.outbox_bell.ring();
        }
    }

    /// Looks once for another generation. `refused` is the one that did not load
    /// the last time.
    async fn follow_once(self: &Arc<Self>, refused: &mut Option<Refused>) {
        let Ok(number) = self.registry.current_number() else { return };
        let now = self.clock.now();
        if number == self.skills().number || refused.is_some_and(|it| it.rests(number, now)) {
            return;
        }
        match self.load(None).await {
            Ok(skills) => {
                tracing::info!(generation = skills.number, "skills activated");
                let active = skills.active.iter();
                self.breakers
                    .keep_only(&active.map(|(id, skill)| (id.clone(), skill.digest)).collect());
                *self.skills.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(skills);
                *refused = None;
            }
            Err(error) => {
                // The wait begins when the try has ended, which may take minutes.
                let again = Refused::again(*refused, number, self.clock.now());
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    generation = number,
                    again_in_seconds = again.wait().as_secs(),
                    "generation not loaded; the last one stays active"
                );
                *refused = Some(again);
            }
        }
    }
}

#[cfg(test)]
mod tests;
