//! A look at a component without running or compiling it.

use std::collections::BTreeMap;

use postern_domain::Interface;
use semver::Version;
use wasmparser::{Encoding, MemoryType, Parser, Payload};

use crate::{
    BoxError,
    bounds::{Bound, Bounds, Count},
    import::{self, Import},
};

/// Bytes of a page of linear memory, if it does not say otherwise, as a power of 2.
const PAGE_LOG2: u32 = 16;

/// What a component asks for and offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentInfo {
    /// The capabilities that it imports, and in which version.
    pub imports: BTreeMap<Interface, Version>,
    /// The WASI interfaces that it imports, in full.
    pub wasi: Vec<String>,
    /// Whether it exports the tools; [`Runtime::inspect`](crate::Runtime::inspect)
    /// refuses a component that does not.
    pub exports_tools: bool,
    /// Its size in bytes.
    pub size: usize,
}

/// A file is no skill that this host can run.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Too large, or too intricate.
    #[error("the component has {found} {bound}; at most {most} are accepted; {}", bound.next())]
    TooMuch {
        /// Of what.
        bound: Bound,
        /// How much it has, as far as it was counted.
        found: u64,
        /// How much is accepted.
        most: u64,
    },
    /// A core module.
    #[error("this is a core WebAssembly module, not a component; build it for wasm32-wasip2")]
    CoreModule,
    /// No WebAssembly, or damaged.
    #[error("this is not a WebAssembly component; build it for wasm32-wasip2")]
    Malformed {
        /// Why.
        #[source]
        source: BoxError,
    },
    /// An import that the host does not have.
    #[error(
        "the component imports {import}, which this host does not have; remove the import, \
         or build for wasm32-wasip2 and the interfaces in wit/"
    )]
    UnknownImport {
        /// The import in full.
        import: String,
    },
    /// An interface in a version that the host does not serve.
    #[error(
        "{name} is not served by this host, which has {host}; \
         build the skill against the host's WIT files, or upgrade the host"
    )]
    Version {
        /// The import or export in full.
        name: String,
        /// The host's version.
        host: Version,
    },
    /// No tools.
    #[error(
        "the component does not export postern:skill/tools@0.1.0, so it is no skill; export it"
    )]
    NoTools,
}

fn malformed(source: impl Into<BoxError>) -> InspectError {
    InspectError::Malformed { source: source.into() }
}

/// Reads imports and exports of the outermost component and counts what it is made
/// of. Nothing is validated beyond that: compilation does it, where it can be ended.
pub(crate) fn inspect(bytes: &[u8], bounds: &Bounds) -> Result<ComponentInfo, InspectError> {
    let mut count = Count::new(bounds);
    count.add(Bound::Size, bytes.len() as u64)?;
    let mut info = ComponentInfo {
        imports: BTreeMap::new(),
        wasi: Vec::new(),
        exports_tools: false,
        size: bytes.len(),
    };
    // Modules and components inside are linked by the component itself: what they
    // import is not asked of the host.
    let mut depth = 0_u64;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(malformed)?;
        match &payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(InspectError::CoreModule);
            }
            Payload::ModuleSection { .. } => {
                count.add(Bound::Modules, 1)?;
                depth += 1;
            }
            Payload::ComponentSection { .. } => {
                count.add(Bound::Components, 1)?;
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                count.add(Bound::Imports, imports.count().into())?;
                for import in imports.clone() {
                    info.add_import(import.map_err(malformed)?.name.name)?;
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                count.add(Bound::Exports, exports.count().into())?;
                for export in exports.clone() {
                    let name = export.map_err(malformed)?.name.name;
                    info.exports_tools |= import::is_tools(name)?;
                }
            }
            payload => add_contents(&mut count, payload)?,
        }
        count.reach(Bound::Nesting, depth)?;
    }
    if !info.exports_tools {
        return Err(InspectError::NoTools);
    }
    info.wasi.sort();
    Ok(info)
}

/// Counts what a section declares. The numbers are the component's own claims; a
/// section that claims more than it holds is refused by whoever reads it.
fn add_contents(count: &mut Count<'_>, payload: &Payload<'_>) -> Result<(), InspectError> {
    match payload {
        Payload::CustomSection(section) => {
            count.add(Bound::CustomSections, 1)?;
            count.add(Bound::CustomBytes, section.range().len() as u64)
        }
        Payload::FunctionSection(functions) => {
            count.add(Bound::Functions, functions.count().into())
        }
        Payload::TypeSection(section) => count.add(Bound::Definitions, section.count().into()),
        Payload::CoreTypeSection(section) => count.add(Bound::Definitions, section.count().into()),
        Payload::ComponentTypeSection(section) => {
            count.add(Bound::Definitions, section.count().into())
        }
        Payload::InstanceSection(section) => count.add(Bound::Definitions, section.count().into()),
        Payload::ComponentInstanceSection(section) => {
            count.add(Bound::Definitions, section.count().into())
        }
        Payload::ComponentAliasSection(section) => {
            count.add(Bound::Definitions, section.count().into())
        }
        Payload::ComponentCanonicalSection(section) => {
            count.add(Bound::Definitions, section.count().into())
        }
        Payload::ComponentImportSection(section) => {
            count.add(Bound::Definitions, section.count().into())
        }
        Payload::ComponentExportSection(section) => {
            count.add(Bound::Definitions, section.count().into())
        }
        Payload::MemorySection(memories) => memories.clone().into_iter().try_for_each(|memory| {
            count.add(Bound::Memory, initial_bytes(&memory.map_err(malformed)?))
        }),
        Payload::TableSection(tables) => tables
            .clone()
            .into_iter()
            .try_for_each(|table| count.add(Bound::Tables, table.map_err(malformed)?.ty.initial)),
        _ => Ok(()),
    }
}

fn initial_bytes(memory: &MemoryType) -> u64 {
    let page = 1_u64.checked_shl(memory.page_size_log2.unwrap_or(PAGE_LOG2)).unwrap_or(u64::MAX);
    memory.initial.saturating_mul(page)
}

impl ComponentInfo {
    fn add_import(&mut self, name: &str) -> Result<(), InspectError> {
        match import::classify(name)? {
            Import::Capability(interface, version) => {
                self.imports.insert(interface, version);
            }
            Import::SkillTypes => {}
            Import::Wasi => self.wasi.push(name.to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
