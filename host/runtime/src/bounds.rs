//! How large and how intricate a component may be before anybody compiles it.

use std::fmt;

use crate::InspectError;

/// What a component may consist of. The defaults have room for the largest that
/// toolchains make of Python and JavaScript, interpreters included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the whole file.
    pub component_bytes: u64,
    /// Imports of the outermost component.
    pub imports: u64,
    /// Exports of the outermost component.
    pub exports: u64,
    /// Levels of components and modules below the outermost component.
    pub nesting: u64,
    /// Core modules, at any level.
    pub modules: u64,
    /// Components within the component, at any level.
    pub components: u64,
    /// Functions of all core modules together.
    pub functions: u64,
    /// Types, instances, aliases and conversions together, at any level.
    pub definitions: u64,
    /// Custom sections, at any level.
    pub custom_sections: u64,
    /// Bytes of all custom sections together.
    pub custom_bytes: u64,
    /// Bytes that all linear memories have from the start, together.
    pub memory_bytes: u64,
    /// Elements that all tables have from the start, together.
    pub table_elements: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            component_bytes: 32 << 20,
            imports: 128,
            exports: 256,
            nesting: 8,
            modules: 64,
            components: 128,
            functions: 200_000,
            definitions: 100_000,
            custom_sections: 512,
            custom_bytes: 8 << 20,
            memory_bytes: 64 << 20,
            table_elements: 100_000,
        }
    }
}

/// One of the [`Bounds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`Bounds::component_bytes`].
    Size,
    /// [`Bounds::imports`].
    Imports,
    /// [`Bounds::exports`].
    Exports,
    /// [`Bounds::nesting`].
    Nesting,
    /// [`Bounds::modules`].
    Modules,
    /// [`Bounds::components`].
    Components,
    /// [`Bounds::functions`].
    Functions,
    /// [`Bounds::definitions`].
    Definitions,
    /// [`Bounds::custom_sections`].
    CustomSections,
    /// [`Bounds::custom_bytes`].
    CustomBytes,
    /// [`Bounds::memory_bytes`].
    Memory,
    /// [`Bounds::table_elements`].
    Tables,
}

impl Bound {
    const fn most(self, bounds: &Bounds) -> u64 {
        match self {
            Self::Size => bounds.component_bytes,
            Self::Imports => bounds.imports,
            Self::Exports => bounds.exports,
            Self::Nesting => bounds.nesting,
            Self::Modules => bounds.modules,
            Self::Components => bounds.components,
            Self::Functions => bounds.functions,
            Self::Definitions => bounds.definitions,
            Self::CustomSections => bounds.custom_sections,
            Self::CustomBytes => bounds.custom_bytes,
            Self::Memory => bounds.memory_bytes,
            Self::Tables => bounds.table_elements,
        }
    }

    /// What can be done about it.
    pub(crate) const fn next(self) -> &'static str {
        match self {
            Self::Size => {
                "build it smaller, or raise `component_mib` under [limits] in postern.toml"
            }
            Self::CustomSections | Self::CustomBytes => {
                "strip it (`strip = true` in Cargo's profile, or `wasm-tools strip`)"
            }
            Self::Memory => {
                "start with less memory (`--initial-memory` of the linker), or raise \
                 `memory_mib` under [limits] in postern.toml"
            }
            Self::Imports
            | Self::Exports
            | Self::Nesting
            | Self::Modules
            | Self::Components
            | Self::Functions
            | Self::Definitions
            | Self::Tables => "make it simpler, or make several skills of it",
        }
    }
}

impl fmt::Display for Bound {
    /// What is counted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "bytes",
            Self::Imports => "imports",
            Self::Exports => "exports",
            Self::Nesting => "levels of components within components",
            Self::Modules => "core modules",
            Self::Components => "components within it",
            Self::Functions => "functions",
            Self::Definitions => "types, instances and aliases",
            Self::CustomSections => "custom sections",
            Self::CustomBytes => "bytes in custom sections",
            Self::Memory => "bytes of memory from the start",
            Self::Tables => "table elements from the start",
        })
    }
}

/// What has been counted of a component so far.
pub(crate) struct Count<'a> {
    bounds: &'a Bounds,
    counted: [u64; 12],
}

impl<'a> Count<'a> {
    pub(crate) const fn new(bounds: &'a Bounds) -> Self {
        Self { bounds, counted: [0; 12] }
    }

    /// Counts some more.
    pub(crate) fn add(&mut self, bound: Bound, more: u64) -> Result<(), InspectError> {
        let counted = &mut self.counted[bound as usize];
        *counted = counted.saturating_add(more);
        check(bound, *counted, self.bounds)
    }

    /// Checks something of which only the largest counts.
    pub(crate) fn reach(&self, bound: Bound, found: u64) -> Result<(), InspectError> {
        check(bound, found, self.bounds)
    }
}

const fn check(bound: Bound, found: u64, bounds: &Bounds) -> Result<(), InspectError> {
    let most = bound.most(bounds);
    if found > most { Err(InspectError::TooMuch { bound, found, most }) } else { Ok(()) }
}
