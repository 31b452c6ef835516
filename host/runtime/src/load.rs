//! From compiled code to something that can be instantiated at once.

use std::{collections::BTreeSet, path::Path};

use postern_domain::{Interface, SkillId};
use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker},
};

use crate::{
    LoadError,
    bindings::{SkillPre, postern},
    import::{self, Import},
    state::State,
    wasi,
};

/// Compiled code, by whichever way it comes.
#[derive(Clone, Copy)]
pub(crate) enum Code<'a> {
    File(&'a Path),
    Bytes(&'a [u8]),
}

/// Links exactly the granted interfaces, and WASI, which gives nothing.
pub(crate) fn prepare(
    engine: &Engine,
    skill: &SkillId,
    code: Code<'_>,
    granted: &BTreeSet<Interface>,
) -> Result<SkillPre<State>, LoadError> {
    let component = deserialize(engine, code)
        .map_err(|error| LoadError::Code { skill: skill.clone(), source: error.into() })?;
    for (name, _) in component.component_type().imports(engine) {
        match import::classify(name) {
            Ok(Import::Capability(interface, _)) if !granted.contains(&interface) => {
                return Err(LoadError::Ungranted {
                    skill: skill.clone(),
                    interface,
                    import: name.to_owned(),
                });
            }
            Ok(Import::Capability(..) | Import::SkillTypes | Import::Wasi) => {}
            Err(source) => {
                return Err(LoadError::Import { skill: skill.clone(), source });
            }
        }
    }
    link(engine, &component, granted)
        .map_err(|error| LoadError::Link { skill: skill.clone(), source: error.into() })
}

fn link(
    engine: &Engine,
    component: &Component,
    granted: &BTreeSet<Interface>,
) -> wasmtime::Result<SkillPre<State>> {
    type Own = HasSelf<State>;
    let mut linker = Linker::<State>::new(engine);
    wasi::link(&mut linker)?;
    for interface in granted {
        match interface {
            Interface::Log => postern::log::logging::add_to_linker::<_, Own>(&mut linker, |s| s)?,
            Interface::Records => {
                postern::records::store::add_to_linker::<_, Own>(&mut linker, |s| s)?;
            }
            Interface::Http => postern::http::client::add_to_linker::<_, Own>(&mut linker, |s| s)?,
            Interface::Kv => postern::kv::state::add_to_linker::<_, Own>(&mut linker, |s| s)?,
            Interface::Ticket => {
                postern::ticket::tickets::add_to_linker::<_, Own>(&mut linker, |s| s)?;
            }
            Interface::Knowledge => {
                postern::knowledge::search::add_to_linker::<_, Own>(&mut linker, |s| s)?;
            }
            Interface::Model => {
                postern::model::completion::add_to_linker::<_, Own>(&mut linker, |s| s)?;
            }
            Interface::Message => {
                postern::message::sending::add_to_linker::<_, Own>(&mut linker, |s| s)?;
            }
            Interface::Handover => {
                postern::handover::people::add_to_linker::<_, Own>(&mut linker, |s| s)?;
            }
            Interface::Schedule => {
                postern::schedule::timer::add_to_linker::<_, Own>(&mut linker, |s| s)?;
            }
        }
    }
    SkillPre::new(linker.instantiate_pre(component)?)
}

#[expect(unsafe_code, reason = "compiled code can only be loaded by trusting it")]
fn deserialize(engine: &Engine, code: Code<'_>) -> wasmtime::Result<Component> {
    // SAFETY: the code must be the unchanged output of `Engine::precompile_component`.
    // `Runtime::load` and `load_bytes` demand it of their callers, which keep what
    // `Runtime::compile` made in a folder of their own and check its digest. Code of
    // another engine is recognised by its header and refused.
    unsafe {
        match code {
            Code::File(path) => Component::deserialize_file(engine, path),
            Code::Bytes(bytes) => Component::deserialize(engine, bytes),
        }
    }
}
