//! Files that are there whole or not at all, also after a loss of power.

use std::{
    fs::TryLockError,
    io::{self, ErrorKind, Read as _, Write as _},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions},
};

use crate::fault;

/// How often a lock that somebody holds is tried.
const LOCK_TRY: Duration = Duration::from_millis(20);

/// How many files this process has staged: no two of them have one name.
static STAGED: AtomicU64 = AtomicU64::new(0);

/// A folder out of which no path leads. Paths are relative, with `/`.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: Dir,
}

impl Folder {
    /// Opens a folder with these parts, which are made if they are not there.
    pub(crate) fn open(root: &Path, parts: &[&str]) -> io::Result<Self> {
        std::fs::create_dir_all(root)?;
        let dir = Dir::open_ambient_dir(root, ambient_authority())?;
        for part in parts {
            dir.create_dir_all(part)?;
        }
        Ok(Self { dir })
    }

    /// At most so many bytes of a file; none if it is not there.
    pub(crate) fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.dir.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let size = file.metadata()?.len().min(most);
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(most).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// The names in a part of the folder, in no order.
    pub(crate) fn names(&self, part: &str) -> io::Result<Vec<String>> {
        let entries = self.dir.read_dir(part)?;
        let name = |entry: io::Result<cap_std::fs::DirEntry>| {
            entry.map(|entry| entry.file_name().into_string().ok())
        };
        entries.filter_map(|entry| name(entry).transpose()).collect()
    }

    /// Whether something has this name.
    pub(crate) fn has(&self, path: &str) -> io::Result<bool> {
        self.dir.try_exists(path)
    }

    /// Bytes of a file; none if it is not there.
    pub(crate) fn size(&self, path: &str) -> io::Result<Option<u64>> {
        match self.dir.symlink_metadata(path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a file and answers its size; none if it was not there.
    pub(crate) fn remove(&self, path: &str) -> io::Result<Option<u64>> {
        let Some(size) = self.size(path)? else { return Ok(None) };
        match self.dir.remove_file(path) {
            Ok(()) => Ok(Some(size)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Locks a file, which is made if it is not there, against all other processes and
    /// threads; none if somebody else holds it for so long. Dropping the answer gives
    /// the lock up.
    pub(crate) fn lock(&self, path: &str, wait: Duration) -> io::Result<Option<std::fs::File>> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = self.dir.open_with(path, &options)?.into_std();
        let end = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    thread::sleep(LOCK_TRY);
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Writes a file, in place of one that is there.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.stage(path, bytes, |staged| self.dir.rename(staged, &self.dir, path))
    }

    /// Writes a file that must not be there.
    pub(crate) fn write_new(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.stage(path, bytes, |staged| {
            self.dir.hard_link(staged, &self.dir, path)?;
            self.dir.remove_file(staged)
        })
    }

    /// Stages, syncs, puts in place with `put`, and syncs the folder.
    fn stage(
        &self,
        path: &str,
        bytes: &[u8],
        put: impl FnOnce(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        let number = STAGED.fetch_add(1, Ordering::Relaxed);
        let staged = format!("{path}.{}-{number}.new", std::process::id());
        let write = || {
            let mut file = self.dir.create(&staged)?;
            file.write_all(bytes)?;
            fault::point("file.staged");
            file.sync_all()?;
            put(&staged)?;
            let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
            self.dir.open(folder)?.sync_all()
        };
        write().inspect_err(|_| {
            // Nobody writes under this name again; often there is no such file.
            let _gone = self.dir.remove_file(&staged);
        })
    }
}
