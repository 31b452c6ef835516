//! A look at a component without running or compiling it.

use std::collections::BTreeMap;

use postern_domain::Interface;
use semver::Version;
use wasmparser::{Encoding, Parser, Payload};

use crate::{
    BoxError,
    import::{self, Import},
};

/// Largest component that is looked at, in bytes.
pub const MAX_COMPONENT_BYTES: usize = 32 << 20;

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
    /// Too large.
    #[error("the component has {size} bytes; at most {MAX_COMPONENT_BYTES} are accepted")]
    TooBig {
        /// Its size in bytes.
        size: usize,
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

/// Reads imports and exports of the outermost component. Nothing is validated
/// beyond them: compilation does that.
pub(crate) fn inspect(bytes: &[u8]) -> Result<ComponentInfo, InspectError> {
    if bytes.len() > MAX_COMPONENT_BYTES {
        return Err(InspectError::TooBig { size: bytes.len() });
    }
    let mut info = ComponentInfo {
        imports: BTreeMap::new(),
        wasi: Vec::new(),
        exports_tools: false,
        size: bytes.len(),
    };
    // Modules and components inside are linked by the component itself: what they
    // import is not asked of the host.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(InspectError::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    info.add_import(import.map_err(malformed)?.name.name)?;
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let name = export.map_err(malformed)?.name.name;
                    info.exports_tools |= import::is_tools(name)?;
                }
            }
            _ => {}
        }
    }
    if !info.exports_tools {
        return Err(InspectError::NoTools);
    }
    info.wasi.sort();
    Ok(info)
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
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_refused() {
        assert!(matches!(inspect(b""), Err(InspectError::Malformed { .. })));
        assert!(matches!(inspect(b"#!/bin/sh"), Err(InspectError::Malformed { .. })));
        let module = b"\0asm\x01\0\0\0";
        assert!(matches!(inspect(module), Err(InspectError::CoreModule)));
        let empty = b"\0asm\x0d\0\x01\0";
        assert!(matches!(inspect(empty), Err(InspectError::NoTools)));
        assert!(matches!(inspect(&empty[..6]), Err(InspectError::Malformed { .. })));
        let big = vec![0; MAX_COMPONENT_BYTES + 1];
        assert!(matches!(inspect(&big), Err(InspectError::TooBig { .. })));
    }
}
