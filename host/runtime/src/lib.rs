//! Runs skills: wasmtime, limits and one fresh instance per call.
//!
//! The only crate that names wasmtime. A component comes in as bytes, is looked
//! over ([`Runtime::inspect`]), compiled once ([`Runtime::compile`]), loaded with
//! exactly the interfaces that its skill was granted ([`Runtime::load_bytes`]), and then
//! called ([`LoadedSkill::invoke`]). Whatever the component wants from the world
//! arrives at one trait, [`HostPort`], as a value.

mod bindings;
mod bounds;
mod compile;
mod engine;
mod error;
mod halt;
mod host;
mod import;
mod inspect;
mod limits;
mod load;
mod meter;
mod pools;
mod port;
mod relay;
mod skill;
mod slots;
mod state;
mod wasi;

pub use bounds::{Bound, Bounds};
pub use compile::CodeCompiler;
pub use engine::{Runtime, RuntimeConfig};
pub use error::{BoxError, LoadError, RuntimeError};
pub use inspect::{ComponentInfo, InspectError};
pub use limits::{InterfaceCalls, Limits, Usage};
pub use pools::{InUse, STACK_CLASSES};
pub use port::{Answered, HostPort, PortError};
pub use skill::{Invocation, InvokeError, LoadedSkill, Report};
pub use wasi::{AssetError, Assets, MAX_ASSET_BYTES, MAX_ASSETS, MAX_ASSETS_BYTES};
