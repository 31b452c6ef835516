//! Tests that cannot run here say so, and fail where that must not happen.

use std::{fs::OpenOptions, io::Write as _};

/// Tells that `what` is skipped and how to get it: on standard error, and as a
/// line in the file that `POSTERN_SKIPPED` names, for whoever runs the tests
/// and shows it at the end.
///
/// # Panics
/// With `CI=true`: there everything must be present.
pub fn skip(what: &str, how: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "cannot run {what}: {how}");
    eprintln!("skipped: {what}: {how}");
    if let Some(path) = std::env::var_os("POSTERN_SKIPPED") {
        let file = OpenOptions::new().append(true).create(true).open(path);
        // The line above was printed; a file that cannot be written changes
        // nothing about the test.
        if let Ok(mut file) = file {
            let _ = writeln!(file, "{what}: {how}");
        }
    }
}
