//! A skill as one file: a component that carries its manifest and its own files.
//!
//! They lie in custom sections of the outermost component, behind everything else, so
//! that any tool for WebAssembly still reads the file. Its digest covers all of them.

pub mod check;
mod sbom;
mod sections;

use postern_domain::{Manifest, manifest::ManifestError};
use postern_runtime::Assets;

pub use self::sbom::sbom;
use self::sections::Sections;
use crate::{
    config::bounded,
    registry::{MOST_MANIFEST_BYTES, decode_assets, encode_assets},
};

/// The section of the manifest: JSON, the keys of each object sorted.
const MANIFEST: &str = "postern:manifest";

/// The section of the skill's files, in the form in which the registry keeps them.
const ASSETS: &str = "postern:assets";

/// What a package carries besides the code.
#[derive(Debug)]
pub struct Package {
    /// The manifest.
    pub manifest: Manifest,
    /// The skill's own files.
    pub assets: Assets,
}

/// Why a file is no package, or cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// No WebAssembly, or damaged.
    #[error(
        "this is not a WebAssembly component ({reason}); `postern skill build` makes one, or \
         build for wasm32-wasip2"
    )]
    NotComponent {
        /// What does not fit, and where.
        reason: String,
    },
    /// A section stands there more than once.
    #[error("the component has two sections {section:?}; pack it again from its parts")]
    Twice {
        /// The name of the section.
        section: &'static str,
    },
    /// A part is larger than any skill may have.
    #[error("the {part} has {found} bytes; at most {most} are accepted")]
    TooBig {
        /// Which.
        part: &'static str,
        /// How large it is.
        found: usize,
        /// How large it may be.
        most: usize,
    },
    /// The embedded manifest cannot be read.
    #[error("the embedded manifest cannot be read ({reason}); pack the skill again")]
    ManifestSyntax {
        /// Where and what.
        reason: String,
    },
    /// The embedded manifest makes no sense.
    #[error("the embedded manifest: {0}")]
    Manifest(#[from] ManifestError),
    /// The embedded files are not in the one form that they have.
    #[error("the embedded files are damaged; pack the skill again")]
    Assets,
    /// What the component says of its dependencies cannot be read.
    #[error("what the component says of its dependencies cannot be read: {reason}")]
    Sbom {
        /// Why.
        reason: String,
    },
}

/// Makes one file of a component, its manifest and its files. The same parts make the
/// same bytes; what a component carries already is replaced.
///
/// # Errors
/// The bytes are no component, or the manifest makes no sense or is too large.
pub fn pack(
    component: &[u8],
    manifest: &Manifest,
    assets: &Assets,
) -> Result<Vec<u8>, PackageError> {
    manifest.check()?;
    let mut json = serde_json::to_value(manifest)
        .map_err(|error| PackageError::ManifestSyntax { reason: error.to_string() })?;
    json.sort_all_objects();
    let json = json.to_string().into_bytes();
    if json.len() > MOST_MANIFEST_BYTES {
        let (found, most) = (json.len(), MOST_MANIFEST_BYTES);
        return Err(PackageError::TooBig { part: "manifest", found, most });
    }
    let mut bytes = sections::without(component, &[MANIFEST, ASSETS])?;
    sections::append(&mut bytes, MANIFEST, &json);
    if !assets.is_empty() {
        sections::append(&mut bytes, ASSETS, &encode_assets(assets));
    }
    Ok(bytes)
}

/// What a component carries; none if it has no manifest. Sections of modules and
/// components inside of it say nothing.
///
/// # Errors
/// The bytes are no component, or what it carries is damaged, too large or doubled.
pub fn unpack(bytes: &[u8]) -> Result<Option<Package>, PackageError> {
    let Sections { manifest, assets } = sections::find(bytes)?;
    let Some(manifest) = manifest else { return Ok(None) };
    if manifest.len() > MOST_MANIFEST_BYTES {
        let (found, most) = (manifest.len(), MOST_MANIFEST_BYTES);
        return Err(PackageError::TooBig { part: "manifest", found, most });
    }
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| PackageError::ManifestSyntax { reason: bounded(&error.to_string()) })?;
    manifest.check()?;
    let assets = match assets {
        None => Assets::default(),
        Some(assets) => decode_assets(assets).ok_or(PackageError::Assets)?,
    };
    Ok(Some(Package { manifest, assets }))
}

#[cfg(test)]
mod tests;
