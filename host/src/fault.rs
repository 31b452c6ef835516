//! Places at which crash tests let the host die.
//!
//! The program of the crash tests, `postern-faulty`, is built with the feature
//! `fault-injection`: it counts how often it comes to such a place and ends itself
//! with `SIGKILL` where an environment variable says so. Without the feature a
//! place is nothing at all.

/// Every place, in the order in which a message comes to them.
pub const POINTS: [&str; 20] = [
    "intake.before",
    "intake.kept",
    "lease.taken",
    "turn.begun",
    "commit.before",
    "commit.after",
    "write.before",
    "write.after",
    "effect.before",
    "effect.intended",
    "effect.performed",
    "effect.settled",
    "park.before",
    "park.after",
    "decide.taken",
    "lease.done",
    "lease.released",
    "outbox.claimed",
    "outbox.sent",
    "outbox.kept",
];

/// Every place to which a command that changes skills comes, in order.
pub const SKILL_POINTS: [&str; 12] = [
    "file.staged",
    "skills.component.before",
    "skills.component.after",
    "skills.compiled.after",
    "skills.assets.after",
    "skills.recorded",
    "skills.generation.before",
    "skills.generation.after",
    "skills.current.after",
    "skills.collect.before",
    "skills.collect.one",
    "skills.collect.after",
];

/// A place at which the host may die.
#[cfg(not(feature = "fault-injection"))]
#[inline]
pub(crate) const fn point(_name: &'static str) {}

#[cfg(feature = "fault-injection")]
pub(crate) use injected::point;

#[cfg(feature = "fault-injection")]
mod injected {
    use std::{
        process,
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    use rustix::process::{Signal, getpid, kill_process};

    /// Where to die: `12` at the twelfth place of any name, `effect.intended:2` at
    /// the second of this name.
    const VARIABLE: &str = "POSTERN_FAULT_AT";

    /// Where the process dies.
    #[derive(Debug, PartialEq, Eq)]
    struct Fault {
        /// Only places of this name count, if there is one.
        name: Option<String>,
        /// At which of them, from 1.
        at: u64,
    }

    static FAULT: LazyLock<Option<Fault>> = LazyLock::new(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let fault = parse(&text);
        if fault.is_none() {
            eprintln!("{VARIABLE}={text:?} is neither a number nor the name of a place with one");
            process::exit(2);
        }
        fault
    });

    fn known(name: &str) -> bool {
        super::POINTS.contains(&name) || super::SKILL_POINTS.contains(&name)
    }

    static PASSED: AtomicU64 = AtomicU64::new(0);

    fn parse(text: &str) -> Option<Fault> {
        let (name, at) = match text.rsplit_once(':') {
            Some((name, at)) => (Some(name), at),
            None => (None, text),
        };
        if name.is_some_and(|name| !known(name)) {
            return None;
        }
        let at = at.parse().ok().filter(|at| *at > 0)?;
        Some(Fault { name: name.map(str::to_owned), at })
    }

    /// A place at which the host may die.
    pub(crate) fn point(name: &'static str) {
        debug_assert!(known(name), "{name} is not in the list");
        let Some(fault) = &*FAULT else { return };
        if fault.name.as_deref().is_some_and(|only| only != name) {
            return;
        }
        if PASSED.fetch_add(1, Ordering::Relaxed) + 1 == fault.at {
            eprintln!("fault: killed at {name}");
            // Nothing is unwound or written out; should the system refuse, it is
            // the next best that this offers.
            let _refused = kill_process(getpid(), Signal::KILL);
            process::abort();
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_fault_is_a_number_or_a_name_with_one() {
            let fault = |name: Option<&str>, at| Some(Fault { name: name.map(str::to_owned), at });
            assert_eq!(parse("12"), fault(None, 12));
            assert_eq!(parse("effect.intended:2"), fault(Some("effect.intended"), 2));
            for wrong in ["", "0", "effect.intended", "effect.intended:0", "nowhere:1", "-1"] {
                assert_eq!(parse(wrong), None, "{wrong}");
            }
        }
    }
}
