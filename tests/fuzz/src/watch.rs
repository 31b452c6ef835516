//! Ends the process when one input takes far too long.

use std::{
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Time for one input, which the slowest takes on a busy machine.
const LONGEST: Duration = Duration::from_secs(120);

/// Looks on while a target runs.
pub(crate) struct Watch {
    since: Instant,
    /// Milliseconds from `since` to the beginning of a run; 0 between runs.
    began: Arc<AtomicU64>,
}

impl Watch {
    /// Begins to look on. `current` is the file with the input.
    pub(crate) fn start(name: &'static str, current: &Path) -> Self {
        let since = Instant::now();
        let began = Arc::new(AtomicU64::new(0));
        let (seen, file) = (Arc::downgrade(&began), current.display().to_string());
        thread::spawn(move || {
            while let Some(began) = seen.upgrade() {
                let now = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
                let began = began.load(Relaxed);
                if began > 0 && now.saturating_sub(began) > LONGEST.as_millis() as u64 {
                    eprintln!(
                        "fuzz: {name}: an input takes longer than {} s: {file}",
                        LONGEST.as_secs()
                    );
                    process::exit(1);
                }
                thread::sleep(Duration::from_millis(500));
            }
        });
        Self { since, began }
    }

    pub(crate) fn begin(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.began.store(now.max(1), Relaxed);
    }

    pub(crate) fn end(&self) {
        self.began.store(0, Relaxed);
    }
}
