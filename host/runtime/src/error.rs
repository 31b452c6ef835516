//! What can go wrong before a skill runs.

use postern_domain::{Interface, SkillId};

use crate::InspectError;

/// Any error, as the source of one of ours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The engine could not be built, or a component could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The configuration does not suit the machine.
    #[error(
        "the WebAssembly engine does not start with {concurrent_calls} concurrent calls; \
         lower that number or raise the limit of address space (`ulimit -v`)"
    )]
    Engine {
        /// Configured number of calls at a time.
        concurrent_calls: u32,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The thread that pre-empts guests did not start.
    #[error(
        "the thread that pre-empts guests does not start; raise the limit of processes (`ulimit -u`)"
    )]
    Ticker {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The compiler does not support this machine.
    #[error("components cannot be compiled on this machine")]
    Compiler {
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The process has no memory left for what the component needs.
    #[error("there is not enough memory to compile the component")]
    Memory,
    /// The component is not valid WebAssembly, or uses a proposal that is off.
    #[error("the component does not compile; build it for wasm32-wasip2 with a current toolchain")]
    Compile {
        /// Why.
        #[source]
        source: BoxError,
    },
}

/// A component could not be made ready to run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No engine for the stack that the skill's limits say.
    #[error("skill {skill} cannot be given its stack")]
    Engine {
        /// The skill.
        skill: SkillId,
        /// Why.
        #[source]
        source: RuntimeError,
    },
    /// The component imports an interface that its skill was not granted.
    #[error(
        "component imports {import}, which skill {skill} was not granted; \
         grant it with `--grant {interface}` when you install the skill"
    )]
    Ungranted {
        /// The skill.
        skill: SkillId,
        /// What it wants.
        interface: Interface,
        /// The import in full.
        import: String,
    },
    /// The component imports something that this host does not have.
    #[error("skill {skill}: {source}")]
    Import {
        /// The skill.
        skill: SkillId,
        /// What.
        source: InspectError,
    },
    /// The compiled code is missing, damaged, or of another engine.
    #[error("the compiled code of skill {skill} cannot be used; compile the component again")]
    Code {
        /// The skill.
        skill: SkillId,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The component consists of more than the pool has for one call.
    #[error(
        "skill {skill} has more instances, memories or tables than a call can be given; \
         make it simpler, or make several skills of it"
    )]
    Pool {
        /// The skill.
        skill: SkillId,
        /// Of what, how much, and what the pool has.
        #[source]
        source: BoxError,
    },
    /// An import or export has another type than the host's.
    #[error(
        "skill {skill} does not fit this host's interfaces; build it against the host's WIT files"
    )]
    Link {
        /// The skill.
        skill: SkillId,
        /// Why.
        #[source]
        source: BoxError,
    },
}
