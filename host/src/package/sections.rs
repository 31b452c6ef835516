//! Custom sections of the outermost component.

use std::ops::Range;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Chunk, Encoding, Parser, Payload};

use super::{ASSETS, MANIFEST, PackageError};
use crate::config::bounded;

/// What a component carries of ours.
#[derive(Debug, Default)]
pub(super) struct Sections<'a> {
    pub(super) manifest: Option<&'a [u8]>,
    pub(super) assets: Option<&'a [u8]>,
}

/// A custom section: where the whole of it lies, its name and its content.
struct Custom<'a> {
    whole: Range<usize>,
    name: &'a str,
    data: &'a [u8],
}

fn not_component(reason: impl ToString) -> PackageError {
    PackageError::NotComponent { reason: bounded(&reason.to_string()) }
}

/// The custom sections of the outermost component. What is inside is skipped unread.
fn customs(bytes: &[u8]) -> Result<Vec<Custom<'_>>, PackageError> {
    let mut parser = Parser::new(0);
    let mut customs = Vec::new();
    let mut at = 0;
    while at < bytes.len() || at == 0 {
        let rest = bytes.get(at..).unwrap_or_default();
        let Chunk::Parsed { consumed, payload } =
            parser.parse(rest, true).map_err(not_component)?
        else {
            return Err(not_component("it ends too early"));
        };
        let whole = at..at + consumed;
        at += consumed;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => {
                return Err(not_component("it is a core module"));
            }
            Payload::CustomSection(section) => {
                customs.push(Custom { whole, name: section.name(), data: section.data() });
            }
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => at = unchecked_range.end,
            _ => {}
        }
    }
    if at > bytes.len() {
        return Err(not_component("it ends too early"));
    }
    Ok(customs)
}

/// Our sections of a component.
pub(super) fn find(bytes: &[u8]) -> Result<Sections<'_>, PackageError> {
    let mut found = Sections::default();
    for custom in customs(bytes)? {
        let (section, place) = match custom.name {
            MANIFEST => (MANIFEST, &mut found.manifest),
            ASSETS => (ASSETS, &mut found.assets),
            _ => continue,
        };
        if place.replace(custom.data).is_some() {
            return Err(PackageError::Twice { section });
        }
    }
    Ok(found)
}

/// The component without its sections of these names.
pub(super) fn without(bytes: &[u8], names: &[&str]) -> Result<Vec<u8>, PackageError> {
    let mut left = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for custom in customs(bytes)?.into_iter().filter(|custom| names.contains(&custom.name)) {
        left.extend_from_slice(&bytes[from..custom.whole.start]);
        from = custom.whole.end;
    }
    left.extend_from_slice(&bytes[from..]);
    Ok(left)
}

/// Puts a section behind everything else.
pub(super) fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    CustomSection { name: name.into(), data: data.into() }.append_to_component(component);
}
