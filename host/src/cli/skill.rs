//! `postern skill`

mod build;
mod call;
mod change;
mod check;
mod dev;
mod inspect;
mod install;
mod list;
mod new;
mod offer;
mod pack;
mod pull;
mod push;
mod review;
pub(in crate::cli) mod sign;
mod test;

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
    /// Make a new skill's folder, which builds, passes its tests and answers as it is.
    ///
    /// Everything that it stands on is put into the folder: nothing of this program's
    /// repository is needed to go on.
    New(new::New),
    /// Build a skill's folder into one file, target/skill/NAME.wasm, ready to install.
    ///
    /// What is missing on this machine is said with the command that installs it. The same
    /// source in Rust makes the same bytes wherever it lies.
    Build(build::Build),
    /// Try a skill: a host of your own that follows the folder while you change it.
    ///
    /// Its data folder is made with the skill's proposed rules, records and dev/host.toml,
    /// and takes your unsigned builds. Each change is built and made active at once; if it
    /// does not build, the last one that did goes on. Calls are shown with what rules
    /// decided. Servers that the skill asks are stood in for by dev/answers.toml.
    Dev(dev::Dev),
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
    /// Look for what is wrong in a skill, before anybody else does.
    ///
    /// Compares the manifest with the component and with what customers and operators need.
    /// Exit code 1 if there is an error; warnings alone end with 0.
    Check(check::Check),
    /// Make one file of a component, its manifest and its files.
    ///
    /// The same parts make the same bytes; the digest covers all of them.
    Pack(pack::Pack),
    /// Sign a packed skill: its id, version and digest, as minisign does.
    Sign(sign::Sign),
    /// Say who signed a skill, or why it would not be taken.
    Verify(sign::Verify),
    /// Run a skill's scenarios, the files in its folder `scenarios`.
    ///
    /// The real component runs in the real sandbox, under the rules that this program
    /// ships with and the skill's own policy.cedar, with an edge that only pretends to be
    /// the network. docs/testing-skills.md says how scenarios are written. Exit code 1 if
    /// anything is not as expected.
    Test(test::Test),
    /// Call one tool once, and show every host call with what rules said of it.
    ///
    /// It runs as in `test`, on a host that is thrown away: no real record is read or
    /// written, nothing goes out, and clocks stand still.
    Call(call::Call),
    /// Put a packed skill into an OCI registry.
    ///
    /// Prints the reference with the digest by which it can be fetched unchanged from then
    /// on. Credentials come from the docker configuration.
    Push(push::Push),
    /// Fetch a skill into a file, without installing it.
    ///
    /// Its signature lands beside it, if it has one. All of it is checked before anything
    /// is written.
    Pull(pull::Pull),
}

impl Skill {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::New(new) => new.run(context),
            Self::Build(build) => build.run(context).await,
            Self::Dev(dev) => dev.run(context).await,
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
            Self::Check(check) => check.run(context),
            Self::Pack(pack) => pack.run(context),
            Self::Sign(sign) => sign.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Call(call) => call.run(context).await,
            Self::Test(test) => test.run(context).await,
            Self::Push(push) => push.run(context).await,
            Self::Pull(pull) => pull.run(context).await,
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
