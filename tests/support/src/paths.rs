//! Where things are, relative to the repository.

use std::path::PathBuf;

use crate::notice;

/// The root of the repository.
pub fn repository() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root.pop();
    root
}

/// A file or folder beside the repository, such as `data/tau2-retail/db.json`.
/// Where it is missing, the test that needs it is skipped, and `None` says so.
///
/// # Panics
/// Where it is missing in CI, so that nothing is skipped there unseen.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = repository().join("..").join("shared").join(path);
    if found.exists() {
        return Some(found);
    }
    notice::skip(&format!("tests on ../shared/{path}"), "put the file there and run again");
    None
}
