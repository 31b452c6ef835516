//! Whatever is wrong with what an operator brings in is refused with file,
//! place and reason, and nothing changes.

mod config;
mod manifest;
mod policy;
mod records;

use anyhow::{Result, ensure};
use postern_test_support::host::DataFolder;

use crate::setup::{Untouched, outcome};

/// Runs a command that must be refused for these reasons and change nothing.
async fn refused(
    data: &DataFolder,
    before: &Untouched,
    arguments: &[&str],
    reasons: &[&str],
) -> Result<()> {
    let (code, out, complaint) = outcome(data, arguments).await?;
    let missing: Vec<_> = reasons.iter().filter(|reason| !complaint.contains(**reason)).collect();
    ensure!(
        code == Some(1) && out.is_empty() && missing.is_empty(),
        "{arguments:?}: {code:?}, {missing:?} is not in: {complaint}"
    );
    before.must_hold(data, &format!("{arguments:?}")).await
}
