//! A skill's own files: read from its folder when it is installed, and kept as one
//! file under the digest of its content.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read as _},
    path::Path,
};

use cap_std::{ambient_authority, fs::Dir};
use postern_domain::Digest;
use postern_runtime::{AssetError, Assets, MAX_ASSET_BYTES, MAX_ASSETS, MAX_ASSETS_BYTES};

use super::{RegistryError, files::Files};

/// The folder beside a manifest.
const FOLDER: &str = "assets";

/// Files and folders that are looked at.
const MOST_ENTRIES: usize = 4 * MAX_ASSETS;

/// How the stored form begins. After it, for each file in the order of names: the
/// length of its name, the name, the length of its content, the content; lengths
/// are four bytes, the highest first.
const MAGIC: &[u8] = b"postern-assets-1\n";

/// Reads the folder `assets` that lies beside a manifest. Without one there are
/// none. Nothing outside of it is read: symbolic links are refused.
///
/// # Errors
/// The folder cannot be read, or holds something that no skill may bring; the error
/// names the file.
pub fn read_assets(beside: &Path) -> Result<Assets, RegistryError> {
    // The parent of a bare name is the empty path.
    let beside = if beside.as_os_str().is_empty() { Path::new(".") } else { beside };
    let shown = beside.join(FOLDER).display().to_string();
    let io = |source| RegistryError::Io { path: shown.clone(), source };
    let mut reading = Reading { shown: &shown, files: BTreeMap::new(), entries: 0, bytes: 0 };
    let parent = match Dir::open_ambient_dir(beside, ambient_authority()) {
        Ok(parent) => parent,
        Err(error) if error.kind() == ErrorKind::NotFound => return reading.done(),
        Err(error) => return Err(io(error)),
    };
    match parent.symlink_metadata(FOLDER) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(reading.refused("", "must be a folder")),
        Err(error) if error.kind() == ErrorKind::NotFound => return reading.done(),
        Err(error) => return Err(io(error)),
    }
    reading.folder(&parent.open_dir(FOLDER).map_err(io)?, "")?;
    reading.done()
}

struct Reading<'a> {
    /// The folder as the operator gave it.
    shown: &'a str,
    files: BTreeMap<String, Vec<u8>>,
    entries: usize,
    bytes: usize,
}

impl Reading<'_> {
    fn done(self) -> Result<Assets, RegistryError> {
        let Self { shown, files, .. } = self;
        Assets::new(files)
            .map_err(|source| RegistryError::Assets { path: shown.to_owned(), source })
    }

    fn bad(&self, source: AssetError) -> RegistryError {
        RegistryError::Assets { path: self.shown.to_owned(), source }
    }

    fn refused(&self, name: &str, reason: &'static str) -> RegistryError {
        let below =
            if name.is_empty() { String::new() } else { format!("/{}", name.escape_debug()) };
        RegistryError::AssetFile { path: format!("{}{below}", self.shown), reason }
    }

    /// Takes a file up. What is too much ends the reading here, whatever folder it
    /// is in.
    fn keep(&mut self, name: String, content: Vec<u8>) -> Result<(), RegistryError> {
        if content.len() > MAX_ASSET_BYTES {
            return Err(self.bad(AssetError::FileTooBig { name }));
        }
        self.bytes += content.len();
        if self.bytes > MAX_ASSETS_BYTES {
            return Err(self.bad(AssetError::TooBig));
        }
        self.files.insert(name, content);
        if self.files.len() > MAX_ASSETS {
            return Err(self.bad(AssetError::TooMany));
        }
        Ok(())
    }

    fn folder(&mut self, dir: &Dir, prefix: &str) -> Result<(), RegistryError> {
        let shown = self.shown;
        let io = |name: &str, source| RegistryError::Io {
            path: format!("{shown}/{}", name.escape_debug()),
            source,
        };
        for entry in dir.entries().map_err(|error| io(prefix, error))? {
            let entry = entry.map_err(|error| io(prefix, error))?;
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return Err(self.bad(AssetError::TooMany));
            }
            let file_name = entry.file_name();
            let Some(part) = file_name.to_str() else {
                let name = format!("{prefix}{}", file_name.to_string_lossy());
                return Err(self.refused(&name, "must have a name in UTF-8"));
            };
            let name = format!("{prefix}{part}");
            Assets::check_name(&name).map_err(|source| self.bad(source))?;
            let kind = entry.file_type().map_err(|error| io(&name, error))?;
            if kind.is_dir() {
                let inner = entry.open_dir().map_err(|error| io(&name, error))?;
                self.folder(&inner, &format!("{name}/"))?;
            } else if kind.is_file() {
                let file = entry.open().map_err(|error| io(&name, error))?;
                let mut content = Vec::new();
                file.take(MAX_ASSET_BYTES as u64 + 1)
                    .read_to_end(&mut content)
                    .map_err(|error| io(&name, error))?;
                self.keep(name, content)?;
            } else {
                return Err(self.refused(&name, "must be a regular file, not a link or a device"));
            }
        }
        Ok(())
    }
}

/// The one stored form of these files.
pub(crate) fn encode(assets: &Assets) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for (name, content) in assets.files() {
        for part in [name.as_bytes(), content] {
            let length = u32::try_from(part.len()).expect("assets are far below 4 GiB");
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

/// Files from their stored form; none if it is not exactly that.
pub(crate) fn decode(bytes: &[u8]) -> Option<Assets> {
    fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (part, after) = after.split_at_checked(length)?;
        *rest = after;
        Some(part)
    }
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut files = BTreeMap::new();
    while !rest.is_empty() {
        let name = std::str::from_utf8(part(&mut rest)?).ok()?.to_owned();
        let content = part(&mut rest)?.to_vec();
        if files.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return None;
        }
        files.insert(name, content);
    }
    Assets::new(files).ok()
}

impl Files {
    /// Keeps assets, unless there are none, and answers their digest.
    pub(super) fn keep_assets(&self, assets: &Assets) -> Result<Option<Digest>, RegistryError> {
        if assets.is_empty() {
            return Ok(None);
        }
        let bytes = encode(assets);
        let digest = Digest::of_bytes(&bytes);
        self.keep_blob(digest, "assets", &bytes)?;
        Ok(Some(digest))
    }

    /// The assets of this digest.
    pub(super) fn assets(&self, digest: Digest) -> Result<Assets, RegistryError> {
        let bytes = self.blob(digest, "assets")?;
        decode(&bytes).ok_or_else(|| RegistryError::Damaged {
            path: format!("skills/blobs/{}.assets", digest.hex()),
            reason: "it does not hold the files of a skill as this version keeps them".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    fn shown(assets: &Assets) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assets.files().map(|(name, content)| (name.to_owned(), text(content))).collect()
    }

    fn pair(name: &str, content: &str) -> (String, String) {
        (name.to_owned(), content.to_owned())
    }

    #[test]
    fn a_folder_is_read_with_everything_below_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_assets(folder.path()).unwrap().is_empty());
        assert!(read_assets(&folder.path().join("missing")).unwrap().is_empty());
        let assets = folder.path().join("assets");
        fs::create_dir_all(assets.join("texts/de")).unwrap();
        fs::create_dir(assets.join("empty")).unwrap();
        fs::write(assets.join("texts/de/hello"), "Hallo").unwrap();
        fs::write(assets.join("a"), "1").unwrap();
        let read = read_assets(folder.path()).unwrap();
        assert_eq!(shown(&read), [pair("a", "1"), pair("texts/de/hello", "Hallo")]);
    }

    #[test]
    fn links_devices_and_what_is_too_much_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let assets = folder.path().join("assets");
        let refused = || read_assets(folder.path()).unwrap_err().to_string();

        symlink("/etc", &assets).unwrap();
        assert!(refused().ends_with("assets must be a folder"), "{}", refused());
        fs::remove_file(&assets).unwrap();
        fs::create_dir(&assets).unwrap();

        for target in ["/etc/passwd", "../skill.toml", "a"] {
            fs::write(assets.join("a"), "1").unwrap();
            symlink(target, assets.join("link")).unwrap();
            let error = refused();
            assert!(error.contains("assets/link must be a regular file"), "{error}");
            fs::remove_file(assets.join("link")).unwrap();
        }
        let socket = std::os::unix::net::UnixListener::bind(assets.join("socket")).unwrap();
        assert!(refused().contains("assets/socket must be a regular file"), "{}", refused());
        drop(socket);
        fs::remove_file(assets.join("socket")).unwrap();

        fs::write(assets.join("b\nc"), "").unwrap();
        assert!(refused().contains("control character"), "{}", refused());
        fs::remove_file(assets.join("b\nc")).unwrap();

        let big = fs::File::create(assets.join("big")).unwrap();
        big.set_len(1 << 30).unwrap();
        assert!(refused().contains("asset \"big\" has more than"), "{}", refused());
        fs::remove_file(assets.join("big")).unwrap();

        for n in 0..MAX_ASSETS {
            fs::write(assets.join(n.to_string()), "").unwrap();
        }
        assert!(refused().contains("more than 256 assets"), "{}", refused());
    }

    #[test]
    fn what_is_too_much_ends_the_reading_in_all_folders() {
        let folder = tempfile::tempdir().unwrap();
        let read = |files: usize, bytes: u64| {
            let root = folder.path().join(format!("{files}-{bytes}"));
            for inner in ["a", "b", "c"] {
                fs::create_dir_all(root.join(inner)).unwrap();
                for n in 0..files {
                    let file = fs::File::create(root.join(inner).join(n.to_string())).unwrap();
                    file.set_len(bytes).unwrap();
                }
            }
            let mut reading =
                Reading { shown: "assets", files: BTreeMap::new(), entries: 0, bytes: 0 };
            let dir = Dir::open_ambient_dir(&root, ambient_authority()).unwrap();
            let error = reading.folder(&dir, "").unwrap_err().to_string();
            (error, reading.files.len(), reading.bytes)
        };
        let (error, files, _) = read(MAX_ASSETS + 1, 0);
        assert!(error.contains("more than 256 assets"), "{error}");
        assert_eq!(files, MAX_ASSETS + 1);
        // Each folder holds all that a skill may have.
        let (error, files, bytes) =
            read(MAX_ASSETS_BYTES / MAX_ASSET_BYTES, MAX_ASSET_BYTES as u64);
        assert!(error.contains("bytes together"), "{error}");
        assert_eq!(files, MAX_ASSETS_BYTES / MAX_ASSET_BYTES);
        assert_eq!(bytes, MAX_ASSETS_BYTES + MAX_ASSET_BYTES);
    }

    #[test]
    fn the_stored_form_is_unique_and_anything_else_is_refused() {
        let assets = |files: &[(&str, &str)]| {
            let files = files.iter().map(|(n, c)| ((*n).to_owned(), c.as_bytes().to_vec()));
            Assets::new(files.collect()).unwrap()
        };
        let bytes = encode(&assets(&[("b/c", "2"), ("a", "")]));
        assert_eq!(bytes, encode(&assets(&[("a", ""), ("b/c", "2")])));
        assert_eq!(shown(&decode(&bytes).unwrap()), [pair("a", ""), pair("b/c", "2")]);
        for cut in 0..bytes.len() {
            // What is left may be a whole form of fewer files, never of others.
            assert!(decode(&bytes[..cut]).is_none_or(|fewer| fewer.files().count() < 2), "{cut}");
        }
        let twice = [&bytes[..], &bytes[MAGIC.len()..]].concat();
        assert!(decode(&twice).is_none());
        let mut outside = bytes.clone();
        outside[MAGIC.len() + 4] = b'/';
        assert!(decode(&outside).is_none());
    }

    #[test]
    fn kept_files_come_back_and_changed_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path()).unwrap();
        assert_eq!(files.keep_assets(&Assets::default()).unwrap(), None);
        let texts = BTreeMap::from([("a".to_owned(), b"1".to_vec())]);
        let digest = files.keep_assets(&Assets::new(texts).unwrap()).unwrap().expect("a digest");
        assert_eq!(shown(&files.assets(digest).unwrap()), [pair("a", "1")]);

        let stored = folder.path().join(format!("skills/blobs/{}.assets", digest.hex()));
        let mut bytes = fs::read(&stored).unwrap();
        *bytes.last_mut().unwrap() = b'2';
        fs::write(&stored, bytes).unwrap();
        let error = files.assets(digest).unwrap_err();
        assert!(matches!(error, RegistryError::Damaged { .. }), "{error}");
    }
}
