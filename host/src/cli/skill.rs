//! `postern skill`

mod change;
mod inspect;
mod install;
mod list;
mod offer;
mod review;

use clap::Subcommand;
use postern_domain::SkillId;
use postern_store::SqliteStore;

use self::inspect::What;
use super::Context;
use crate::{
    app,
    config::Config,
    keys::MasterKey,
    registry::{Compiler, Registry, RegistryError},
};

#[derive(Debug, Subcommand)]
pub(super) enum Skill {
    /// Install a skill with exactly the capabilities that you grant.
    ///
    /// It is fetched, its signature is judged, and then you are shown what it is, who
    /// signed it, what it wants and what your rules would permit. Nothing is installed
    /// unless you say so, with --grant or with a yes. A running host takes it up within a
    /// second. For a skill that is installed, this is `upgrade`.
    Install(install::Install),
    /// Replace an installed skill, and see first how the new version differs.
    ///
    /// What asks for no more than before keeps its grants; wider wishes and other signers
    /// need a new one. With --canary some conversations get it first.
    Upgrade(install::Upgrade),
    /// Go back to what was active before, as a new generation, or to a generation.
    ///
    /// What runs goes on with the version that it began with; every new turn gets the old
    /// ones. Rolling back again goes further back. A trial is not taken up again.
    Rollback {
        /// Its number, as `postern skill history` shows it.
        generation: Option<u64>,
    },
    /// Show the generations: what was changed when, and by whom.
    History,
    /// Show the installed skills.
    List,
    /// Show what skills are, may do, get at most and have used.
    Inspect {
        /// An installed skill, or the component (.wasm) of any; by default all
        /// that are installed.
        what: Option<What>,
        /// Print what it was built from, as CycloneDX JSON, if it says so.
        #[arg(long, requires = "what")]
        sbom: bool,
    },
    /// Keep a skill as it is: it is neither replaced nor removed.
    Pin {
        /// The skill.
        id: SkillId,
    },
    /// Let a pinned skill be replaced again.
    Unpin {
        /// The skill.
        id: SkillId,
    },
    /// Keep a skill installed without running it: what it answers is answered by nobody.
    Disable {
        /// The skill.
        id: SkillId,
    },
    /// Run a disabled skill again.
    Enable {
        /// The skill.
        id: SkillId,
    },
    /// Take a skill out of service. Its component stays for replay, until `gc`.
    Remove {
        /// The skill.
        id: SkillId,
    },
    /// Remove components, code and files that no generation needs that is kept.
    ///
    /// Kept are the active generation, the one before it, the last ones, and those of
    /// turns that are not finished or can be replayed.
    Gc {
        /// How many generations to keep.
        #[arg(long, value_name = "N", default_value_t = 5)]
        keep: usize,
        /// Only say what would be removed.
        #[arg(long)]
        dry_run: bool,
    },
}

impl Skill {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Install(install) => install.run(context).await,
            Self::Upgrade(upgrade) => upgrade.run(context).await,
            Self::Rollback { generation } => change::roll_back(context, generation).await,
            Self::History => list::history(context),
            Self::List => list::list(context),
            Self::Inspect { what: Some(What::File(path)), sbom } => {
                inspect::file(context, &path, sbom)
            }
            Self::Inspect { what: Some(What::Skill(id)), sbom } => {
                inspect::installed(context, &registry(context)?, Some(id), sbom).await
            }
            Self::Inspect { what: None, .. } => {
                inspect::installed(context, &registry(context)?, None, false).await
            }
            Self::Pin { id } => mark(context, "skill:pin", id, Mark::Pin).await,
            Self::Unpin { id } => mark(context, "skill:unpin", id, Mark::Unpin).await,
            Self::Disable { id } => mark(context, "skill:disable", id, Mark::Disable).await,
            Self::Enable { id } => mark(context, "skill:enable", id, Mark::Enable).await,
            Self::Remove { id } => mark(context, "skill:remove", id, Mark::Remove).await,
            Self::Gc { keep, dry_run } => list::gc(context, keep, dry_run).await,
        }
    }
}

/// What is done to a skill that is installed.
#[derive(Clone, Copy)]
enum Mark {
    Pin,
    Unpin,
    Disable,
    Enable,
    Remove,
}

async fn mark(context: &Context, action: &str, id: SkillId, mark: Mark) -> anyhow::Result<()> {
    change::activate(context, action, &id.clone(), move |generation| {
        let done = match mark {
            Mark::Pin => generation.set_pinned(&id, true).map(|()| "pinned"),
            Mark::Unpin => generation.set_pinned(&id, false).map(|()| "unpinned"),
            Mark::Disable => generation.set_disabled(&id, true).map(|()| "disabled"),
            Mark::Enable => generation.set_disabled(&id, false).map(|()| "enabled"),
            Mark::Remove => generation.take_out(&id).map(|()| "removed"),
        }?;
        Ok::<_, RegistryError>(format!("{done} {id}"))
    })
    .await
}

/// The registry of the data folder, which must exist.
pub(super) fn registry(context: &Context) -> anyhow::Result<Registry> {
    context.require_folder()?;
    let key = MasterKey::read(&context.data.join(app::KEY_FILE))?;
    Ok(Registry::open(&context.data, key, Compiler::this_program())?)
}

/// The store, and who acts, as the audit log names them.
async fn actor(context: &Context, config: &Config) -> anyhow::Result<(SqliteStore, String)> {
    let store = context.store().await?;
    let by = context.actor(&store, config).await?.name();
    Ok((store, by))
}

/// The text with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
