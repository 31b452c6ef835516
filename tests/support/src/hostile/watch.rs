//! What a process holds: file descriptors and memory.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

/// How long closing may take: the other end of a connection closes when it gets
/// to it.
const PATIENCE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

/// How many files, sockets and the like this process has open.
fn open_files() -> Result<usize> {
    let files = fs::read_dir("/proc/self/fd").context("/proc/self/fd")?;
    // One of them is the folder itself.
    Ok(files.count().saturating_sub(1))
}

/// Waits until no more than `most` files are open, and answers how many are.
pub(crate) async fn files_at_most(most: usize) -> Result<usize> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let open = open_files()?;
        if open <= most || Instant::now() > deadline {
            return Ok(open);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Resident memory of this process in KiB.
pub(crate) fn resident_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).context("VmRSS in /proc/self/status")
}
