//! Runs skills: wasmtime, limits and one fresh instance per call.
//!
//! The only crate that names wasmtime. A component comes in as bytes, is looked
//! over ([`Runtime::inspect`]), compiled once ([`Runtime::compile`]), loaded with
//! exactly the interfaces that its skill was granted ([`Runtime::load`]), and then
//! called ([`LoadedSkill::invoke`]). Whatever the component wants from the world
//! arrives at one trait, [`HostPort`], as a value.

mod bindings;
mod engine;
mod error;
mod halt;
mod host;
mod import;
mod inspect;
mod limits;
mod load;
mod meter;
mod port;
mod relay;
mod skill;
mod state;
mod wasi;

pub use engine::{Runtime, RuntimeConfig};
pub use error::{BoxError, LoadError, RuntimeError};
pub use inspect::{ComponentInfo, InspectError, MAX_COMPONENT_BYTES};
pub use limits::{Limits, Usage};
pub use port::{HostPort, PortError};
pub use skill::{Invocation, InvokeError, LoadedSkill, Report};
