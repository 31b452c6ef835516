//! What may be installed: a component with its manifest and files, read and checked.

use std::{fs::File, io, io::Read as _, path::Path};

use postern_domain::{Digest, Manifest, manifest::ManifestError};
use postern_runtime::{Assets, Bounds, ComponentInfo, Runtime};

use super::{RegistryError, read_assets};
use crate::{
    config::{bounded, located},
    package,
};

/// Bytes of a manifest.
pub(crate) const MOST_MANIFEST_BYTES: usize = 256 * 1024;

/// Bytes of a file with a component.
pub(crate) const MOST_COMPONENT_BYTES: u64 = 256 * 1024 * 1024;

/// The manifest in a skill's folder.
const MANIFEST_FILE: &str = "skill.toml";

/// Where a skill's folder has what was built of it.
const BUILT: &str = "target/skill";

/// A component and its manifest, checked against each other. Nothing of it is
/// compiled, and nothing says whether it may be trusted.
pub struct Candidate {
    /// The manifest.
    pub manifest: Manifest,
    /// What the component imports and exports.
    pub info: ComponentInfo,
    /// The packed component: its digest names the manifest and the files, too.
    pub(super) bytes: Vec<u8>,
    pub(super) assets: Assets,
}

impl Candidate {
    /// Checks a component, within these bounds, and its manifest against each other,
    /// and packs them into one file.
    ///
    /// # Errors
    /// The first thing that is wrong; the error names the file and the field.
    pub fn of_parts(
        bounds: &Bounds,
        component_file: &str,
        component: &[u8],
        manifest: Manifest,
        assets: Assets,
    ) -> Result<Self, RegistryError> {
        let info = inspect(bounds, component_file, component, &manifest)?;
        let bytes = package::pack(component, &manifest, &assets)
            .map_err(|source| RegistryError::Package { file: component_file.to_owned(), source })?;
        Ok(Self { manifest, info, bytes, assets })
    }

    /// Checks a packed component within these bounds; none if it carries no manifest.
    ///
    /// # Errors
    /// As [`Candidate::of_parts`].
    pub fn of_package(
        bounds: &Bounds,
        file: &str,
        bytes: Vec<u8>,
    ) -> Result<Option<Self>, RegistryError> {
        // First, because what follows looks at parts of it.
        let malformed = |source| RegistryError::Component { file: file.to_owned(), source };
        let info = Runtime::inspect_within(&bytes, bounds).map_err(malformed)?;
        let Some(package) = package::unpack(&bytes)
            .map_err(|source| RegistryError::Package { file: file.to_owned(), source })?
        else {
            return Ok(None);
        };
        let package::Package { manifest, assets } = package;
        check_manifest(file, &manifest)?;
        requested(&info, &manifest)?;
        Ok(Some(Self { manifest, info, bytes, assets }))
    }

    /// Digest of the packed component.
    pub fn digest(&self) -> Digest {
        Digest::of_bytes(&self.bytes)
    }

    /// Bytes of the packed component.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The skill's own files.
    pub fn assets(&self) -> &Assets {
        &self.assets
    }
}

/// Reads a candidate from this machine: a packed component, one beside its
/// `skill.toml` (or the manifest that is named), or the folder of a skill that was
/// built. A manifest that is named counts, whatever the component carries.
///
/// # Errors
/// Something is missing, too large, or does not fit; the error names the file.
pub fn read_folder_or_file(
    path: &Path,
    manifest: Option<&Path>,
    bounds: &Bounds,
) -> Result<Candidate, RegistryError> {
    if path.is_dir() {
        let file = path.join(MANIFEST_FILE);
        let manifest = manifest.unwrap_or(&file);
        let about = read_manifest(manifest)?;
        let component = path.join(BUILT).join(format!("{}.wasm", about.skill.id));
        if !component.exists() {
            return Err(RegistryError::NotBuilt {
                folder: name(path),
                component: name(&component),
            });
        }
        let bytes = read(&component, MOST_COMPONENT_BYTES)?;
        return parts(bounds, &component, &bytes, manifest, about);
    }
    let bytes = read(path, MOST_COMPONENT_BYTES)?;
    if let Some(manifest) = manifest {
        return parts(bounds, path, &bytes, manifest, read_manifest(manifest)?);
    }
    let shown = name(path);
    if package::unpack(&bytes).is_ok_and(|package| package.is_none()) {
        // What carries nothing is no package; what cannot be read says so itself.
        let beside = path.with_file_name(MANIFEST_FILE);
        let about = read_manifest(&beside).map_err(|error| match error {
            RegistryError::Io { path, source } if source.kind() == io::ErrorKind::NotFound => {
                RegistryError::NoManifest { file: shown.clone(), beside: path }
            }
            other => other,
        })?;
        return parts(bounds, path, &bytes, &beside, about);
    }
    let candidate = Candidate::of_package(bounds, &shown, bytes)?;
    candidate
        .ok_or_else(|| RegistryError::NoManifest { file: shown, beside: MANIFEST_FILE.to_owned() })
}

fn parts(
    bounds: &Bounds,
    component_file: &Path,
    component: &[u8],
    manifest_file: &Path,
    manifest: Manifest,
) -> Result<Candidate, RegistryError> {
    let assets = read_assets(manifest_file.parent().unwrap_or_else(|| Path::new(".")))?;
    Candidate::of_parts(bounds, &name(component_file), component, manifest, assets)
}

fn inspect(
    bounds: &Bounds,
    file: &str,
    component: &[u8],
    manifest: &Manifest,
) -> Result<ComponentInfo, RegistryError> {
    let info = Runtime::inspect_within(component, bounds)
        .map_err(|source| RegistryError::Component { file: file.to_owned(), source })?;
    requested(&info, manifest)?;
    Ok(info)
}

/// Whether the manifest asks for everything that the component imports.
fn requested(info: &ComponentInfo, manifest: &Manifest) -> Result<(), RegistryError> {
    let requested = manifest.requested();
    match info.imports.keys().find(|interface| !requested.contains(interface)) {
        Some(interface) => Err(RegistryError::Unrequested {
            skill: manifest.skill.id.clone(),
            interface: *interface,
        }),
        None => Ok(()),
    }
}

/// Reads and checks a manifest.
///
/// # Errors
/// It is too large, is not TOML of the known shape, or makes no sense.
pub fn parse_manifest(file: &str, text: &str) -> Result<Manifest, RegistryError> {
    if text.len() > MOST_MANIFEST_BYTES {
        let message = format!("{} bytes; at most {MOST_MANIFEST_BYTES}", text.len());
        return Err(RegistryError::ManifestSyntax { file: file.to_owned(), message });
    }
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        RegistryError::ManifestSyntax { file: file.to_owned(), message: located(text, &error) }
    })?;
    check_manifest(file, &manifest)?;
    Ok(manifest)
}

/// Reads and checks the manifest in a file.
///
/// # Errors
/// The file cannot be read, or as [`parse_manifest`].
pub fn read_manifest(path: &Path) -> Result<Manifest, RegistryError> {
    let file = name(path);
    let text = String::from_utf8(read(path, MOST_MANIFEST_BYTES as u64)?).map_err(|error| {
        RegistryError::ManifestSyntax {
            file: file.clone(),
            message: error.utf8_error().to_string(),
        }
    })?;
    parse_manifest(&file, &text)
}

fn check_manifest(file: &str, manifest: &Manifest) -> Result<(), RegistryError> {
    manifest.check().map_err(|ManifestError { field, reason }| {
        let source = ManifestError { field: bounded(&field), reason: bounded(&reason) };
        RegistryError::Manifest { file: file.to_owned(), source }
    })
}

/// A file of at most so many bytes. What its metadata say of its size does not
/// count: a pipe has none, and a device has no end.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|source| RegistryError::Io { path: name(path), source })?;
    if bytes.len() as u64 > most {
        return Err(RegistryError::TooLarge { file: name(path), most });
    }
    Ok(bytes)
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::fd::AsRawFd as _, path::PathBuf};

    use super::*;

    #[test]
    fn files_are_read_within_their_bound_whatever_they_say_of_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        let refused = |path: &Path, most| read(path, most).unwrap_err().to_string();
        assert!(refused(&file, 4).ends_with("/file: more than 4 bytes"), "{}", refused(&file, 4));
        assert_eq!(refused(Path::new("/dev/zero"), 9), "/dev/zero: more than 9 bytes");
        assert!(refused(Path::new("/no/file"), 9).starts_with("/no/file: "));

        for (text, most) in [("12345", 5), ("123456", 5)] {
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(text.as_bytes()).unwrap();
            drop(writer);
            let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
            assert_eq!(read(&path, most).is_ok(), text.len() as u64 <= most, "{text}");
        }
    }
}
