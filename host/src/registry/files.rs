//! The registry's files, all under one capability: the folder `skills`.

use std::{path::Path, time::Duration};

use postern_domain::Digest;
use subtle::ConstantTimeEq as _;

use super::RegistryError;
use crate::{durable::Folder, keys::MasterKey};

/// Bytes of any file that is read here.
const MOST_BYTES: u64 = 513 * 1024 * 1024;

const CURRENT: &str = "current";
const GENERATIONS: &str = "generations";
/// Held by whoever changes what is active or removes files.
const LOCK: &str = "change.lock";
/// How long another command is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(20);

/// What stands before compiled code in its file.
const SEAL_BYTES: usize = 32;

#[derive(Debug)]
pub(super) struct Files(Folder);

fn io(path: &str) -> impl FnOnce(std::io::Error) -> RegistryError {
    let path = format!("skills/{path}");
    move |source| RegistryError::Io { path, source }
}

fn damaged(path: &str, reason: &str) -> RegistryError {
    RegistryError::Damaged { path: format!("skills/{path}"), reason: reason.to_owned() }
}

impl Files {
    pub(super) fn open(data: &Path) -> Result<Self, RegistryError> {
        let folder = Folder::open(&data.join("skills"), &["blobs", "compiled", "generations"]);
        folder.map(Self).map_err(io(""))
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        self.0.read(path, MOST_BYTES).map_err(io(path))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        self.0.write(path, bytes).map_err(io(path))
    }

    pub(super) fn current(&self) -> Result<Option<u64>, RegistryError> {
        let Some(bytes) = self.read(CURRENT)? else { return Ok(None) };
        let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        number.map(Some).ok_or_else(|| damaged(CURRENT, "must hold the number of a generation"))
    }

    /// A generation with its path; none if there is none of this number.
    pub(super) fn read_generation(
        &self,
        number: u64,
    ) -> Result<Option<(String, Vec<u8>)>, RegistryError> {
        let path = format!("{GENERATIONS}/{number}.json");
        let bytes = self.read(&path)?;
        Ok(bytes.map(|bytes| (format!("skills/{path}"), bytes)))
    }

    /// The numbers of all generations, oldest first.
    pub(super) fn generations(&self) -> Result<Vec<u64>, RegistryError> {
        let names = self.0.names(GENERATIONS).map_err(io(GENERATIONS))?;
        let number = |name: &String| name.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Writes a generation that must not be there.
    pub(super) fn write_generation(&self, number: u64, bytes: &[u8]) -> Result<(), RegistryError> {
        let path = format!("{GENERATIONS}/{number}.json");
        self.0.write_new(&path, bytes).map_err(io(&path))
    }

    /// Makes a generation that is there the active one.
    pub(super) fn set_current(&self, number: u64) -> Result<(), RegistryError> {
        self.write(CURRENT, number.to_string().as_bytes())
    }

    /// Waits until no other command changes skills, for a while. The lock is given up
    /// when the answer is dropped, and when its process dies.
    pub(super) fn lock(&self) -> Result<std::fs::File, RegistryError> {
        let locked = self.0.lock(LOCK, LOCK_WAIT).map_err(io(LOCK))?;
        locked.ok_or(RegistryError::Busy)
    }

    /// Whether something of this digest is there; its content is checked when it is read.
    pub(super) fn has_blob(&self, digest: Digest, kind: &str) -> Result<bool, RegistryError> {
        let path = format!("blobs/{}.{kind}", digest.hex());
        self.0.has(&path).map_err(io(&path))
    }

    /// The names in a part of the folder.
    pub(super) fn names(&self, part: &str) -> Result<Vec<String>, RegistryError> {
        self.0.names(part).map_err(io(part))
    }

    /// Removes a file and answers how large it was; none if it was not there.
    pub(super) fn remove(&self, path: &str) -> Result<Option<u64>, RegistryError> {
        self.0.remove(path).map_err(io(path))
    }

    /// Bytes of a file.
    pub(super) fn size(&self, path: &str) -> Result<Option<u64>, RegistryError> {
        self.0.size(path).map_err(io(path))
    }

    pub(super) fn keep_component(&self, digest: Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        self.keep_blob(digest, "wasm", bytes)
    }

    pub(super) fn component(&self, digest: Digest) -> Result<Vec<u8>, RegistryError> {
        self.blob(digest, "wasm")
    }

    /// Keeps what has this digest; `kind` is the end of its name.
    pub(super) fn keep_blob(
        &self,
        digest: Digest,
        kind: &str,
        bytes: &[u8],
    ) -> Result<(), RegistryError> {
        self.write(&format!("blobs/{}.{kind}", digest.hex()), bytes)
    }

    /// What has this digest, which is checked.
    pub(super) fn blob(&self, digest: Digest, kind: &str) -> Result<Vec<u8>, RegistryError> {
        let path = format!("blobs/{}.{kind}", digest.hex());
        let bytes = self.read(&path)?.ok_or_else(|| damaged(&path, "the file is missing"))?;
        if Digest::of_bytes(&bytes) == digest {
            Ok(bytes)
        } else {
            Err(damaged(&path, "its content has another digest"))
        }
    }

    /// Keeps what a registry said of what a component was built from. It is for people.
    pub(super) fn keep_built_from(
        &self,
        digest: Digest,
        built_from: &serde_json::Value,
    ) -> Result<(), RegistryError> {
        self.write(&built_from_path(digest), built_from.to_string().as_bytes())
    }

    /// What a registry said of what a component was built from.
    pub(super) fn built_from(
        &self,
        digest: Digest,
    ) -> Result<Option<serde_json::Value>, RegistryError> {
        let path = built_from_path(digest);
        let Some(bytes) = self.read(&path)? else { return Ok(None) };
        let value = serde_json::from_slice(&bytes);
        value.map(Some).map_err(|_| damaged(&path, "it must hold JSON"))
    }

    /// Keeps compiled code behind a code of our own, because loading it means to
    /// trust it: nobody without the master key can put code there.
    pub(super) fn keep_compiled(
        &self,
        key: &MasterKey,
        digest: Digest,
        engine: &str,
        mut code: Vec<u8>,
    ) -> Result<Code, RegistryError> {
        let seal = seal(key, digest, engine, &code);
        code.splice(..0, seal);
        self.write(&compiled_path(digest, engine), &code)?;
        Ok(Code(code))
    }

    /// Compiled code for this component and engine; none if there is none or it
    /// is not of our own making.
    pub(super) fn compiled(
        &self,
        key: &MasterKey,
        digest: Digest,
        engine: &str,
    ) -> Result<Option<Code>, RegistryError> {
        let path = compiled_path(digest, engine);
        let Some(bytes) = self.read(&path)? else { return Ok(None) };
        let Some((given, code)) = bytes.split_first_chunk::<SEAL_BYTES>() else {
            return Ok(None);
        };
        let ours: bool = seal(key, digest, engine, code).ct_eq(given).into();
        if !ours {
            tracing::warn!(path, "compiled code does not carry our seal and is not used");
            return Ok(None);
        }
        Ok(Some(Code(bytes)))
    }
}

/// Compiled code that stands behind our seal. The bytes that were checked are the
/// bytes that are loaded: nobody reads the file again.
pub(super) struct Code(Vec<u8>);

impl Code {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0[SEAL_BYTES..]
    }
}

fn built_from_path(digest: Digest) -> String {
    format!("blobs/{}.sbom", digest.hex())
}

fn compiled_path(digest: Digest, engine: &str) -> String {
    format!("compiled/{}-{engine}.cwasm", digest.hex())
}

fn seal(key: &MasterKey, digest: Digest, engine: &str, code: &[u8]) -> [u8; SEAL_BYTES] {
    key.derive("compiled", &[&digest.hex(), engine, &Digest::of_bytes(code).hex()])
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Barrier, thread};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn writers_of_one_file_do_not_meet_in_the_staged_one() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path()).unwrap();
        let together = Barrier::new(4);
        thread::scope(|scope| {
            for writer in 0..4_u8 {
                let (files, together) = (&files, &together);
                scope.spawn(move || {
                    together.wait();
                    for _ in 0..10 {
                        files.write("blobs/one", &[writer; 10_000]).unwrap();
                    }
                });
            }
        });
        let bytes = fs::read(folder.path().join("skills/blobs/one")).unwrap();
        assert_eq!(bytes, [bytes[0]; 10_000]);
        assert_eq!(names(&folder.path().join("skills/blobs")), ["one"]);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path()).unwrap();
        // A file cannot take the place of a folder.
        fs::create_dir(folder.path().join("skills/blobs/one")).unwrap();
        let error = files.write("blobs/one", b"1").unwrap_err();
        assert!(matches!(error, RegistryError::Io { .. }), "{error}");
        assert_eq!(names(&folder.path().join("skills/blobs")), ["one"]);
    }
}
