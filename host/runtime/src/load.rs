//! From compiled code to something that can be instantiated at once.

use std::collections::BTreeSet;

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

/// Links exactly the granted interfaces, and WASI, which gives nothing.
pub(crate) fn prepare(
    engine: &Engine,
    skill: &SkillId,
    code: &[u8],
    granted: &BTreeSet<Interface>,
) -> Result<SkillPre<State>, LoadError> {
    let component = deserialize(engine, code).map_err(|error| refused(skill, error))?;
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
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the code must be the unchanged output of `Engine::precompile_component`.
    // `Runtime::load_bytes` demands it of its callers, which keep what was compiled
    // under a seal of their own and check it over the bytes that they pass. Code of
    // another engine is recognised by its header and refused.
    unsafe { Component::deserialize(engine, code) }
}

/// Tells code that cannot be used from code of a component that needs too much.
fn refused(skill: &SkillId, error: wasmtime::Error) -> LoadError {
    let skill = skill.clone();
    // The pool says it in words only.
    if error.chain().any(|cause| cause.to_string().contains("exceeds the")) {
        LoadError::Pool { skill, source: error.into() }
    } else {
        LoadError::Code { skill, source: error.into() }
    }
}
