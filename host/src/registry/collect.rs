//! Takes away what no generation that is kept names.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Generation, Registry, RegistryError, change::named, files::Files};
use crate::fault;

/// Folders of files that generations name.
const FOLDERS: [&str; 3] = ["blobs", "compiled", "generations"];

/// What was taken away, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Files, as paths in the folder `skills`.
    pub files: Vec<String>,
    /// Their size together.
    pub bytes: u64,
    /// The generations that stay.
    pub kept: Vec<u64>,
}

impl Registry {
    /// Removes old generations, and then everything that none names: components, their
    /// code and files, and what a command left half-written when it died. Kept are the
    /// active generation, the one before it, what a rollback goes to, the last `keep`, and
    /// those that are `used`, because a turn began under them or can be replayed. With
    /// `dry_run` nothing is removed.
    ///
    /// # Errors
    /// The active generation is damaged, or something cannot be read or removed. What is
    /// left is removed the next time.
    pub fn collect(
        &self,
        keep: usize,
        used: &BTreeSet<u64>,
        dry_run: bool,
    ) -> Result<Collected, RegistryError> {
        // Whoever activates a generation looks, under this lock, whether everything is
        // there; so nothing is taken from under it.
        let _lock = self.files.lock()?;
        fault::point("skills.collect.before");
        let current = self.current()?.number;
        let (mut all, mut damaged) = (Vec::new(), BTreeSet::new());
        for (number, generation) in self.history()? {
            match generation {
                Ok(generation) => all.push(generation),
                Err(RegistryError::Damaged { .. }) => drop(damaged.insert(number)),
                // It may be whole, and be read the next time.
                Err(error) => return Err(error),
            }
        }
        let kept = kept(&all, &damaged, current, keep, used);
        let mut garbage: Vec<String> = Vec::new();
        let mut wanted = BTreeSet::new();
        for generation in &all {
            if kept.contains(&generation.number) {
                wanted.extend(named(generation).flat_map(|(_, installed)| {
                    let assets = installed.assets.map(|digest| digest.hex());
                    std::iter::once(installed.digest.hex()).chain(assets)
                }));
            } else {
                garbage.push(format!("generations/{}.json", generation.number));
            }
        }
        let gone = damaged.difference(&kept);
        garbage.extend(gone.map(|number| format!("generations/{number}.json")));
        // What a damaged one names is not known. One after the active one was never active.
        let is_known = !damaged.iter().any(|it| kept.contains(it) && *it < current);
        // Generations stand first: while one is there, so is everything that it names.
        for folder in ["blobs", "compiled"].into_iter().filter(|_| is_known) {
            for name in self.files.names(folder)? {
                let digest = name.split(['.', '-']).next().unwrap_or_default();
                if !name.ends_with(STAGED) && !wanted.contains(digest) {
                    garbage.push(format!("{folder}/{name}"));
                }
            }
        }
        garbage.extend(staged(&self.files)?);
        let mut collected = Collected { kept: kept.into_iter().collect(), ..Collected::default() };
        for path in garbage {
            let size = if dry_run { self.files.size(&path)? } else { self.files.remove(&path)? };
            // None: somebody else was faster.
            if let Some(size) = size {
                collected.bytes += size;
                collected.files.push(path);
                fault::point("skills.collect.one");
            }
        }
        fault::point("skills.collect.after");
        Ok(collected)
    }
}

/// The numbers of the generations that stay.
fn kept(
    all: &[Generation],
    damaged: &BTreeSet<u64>,
    current: u64,
    keep: usize,
    used: &BTreeSet<u64>,
) -> BTreeSet<u64> {
    let followed = |number: u64| {
        let next = all.iter().map(|it| it.number).find(|it| *it > number).unwrap_or(u64::MAX);
        // What is damaged may be what followed.
        damaged.range(number..next).next().is_some()
            || all.iter().any(|next| next.made.as_ref().is_some_and(|made| made.before == number))
    };
    let back = way_back(all, current);
    // What nobody followed was never active: its command died before.
    let active = |number: &u64| *number == current || followed(*number);
    let last = all.iter().rev().map(|it| it.number).filter(active).take(keep.max(1));
    let numbers = all.iter().map(|it| it.number).chain(damaged.iter().copied());
    // Numbers after the active one stay taken, so that no other generation gets them.
    let stay = numbers
        .filter(|number| *number >= current || used.contains(number) || back.contains(number));
    stay.chain(last).collect()
}

/// The generation before the active one, and those that [`Registry::roll_back`] reads on
/// its way to where it goes if no number is given, with that one.
fn way_back(all: &[Generation], current: u64) -> BTreeSet<u64> {
    let made = |number| all.iter().find(|it| it.number == number)?.made.as_ref();
    let mut way: BTreeSet<u64> = made(current).map(|made| made.before).into_iter().collect();
    let mut number = current;
    while let Some(made) = made(number) {
        // A number before its own, so this comes to an end.
        let restored = made.restores.filter(|restored| *restored < number);
        way.insert(restored.unwrap_or(made.before));
        let Some(restored) = restored else { break };
        number = restored;
    }
    way
}

/// How the name of a file ends that is not whole yet.
const STAGED: &str = ".new";

/// Half-written files of processes that have died.
fn staged(files: &Files) -> Result<Vec<String>, RegistryError> {
    let mut found = Vec::new();
    for (folder, prefix) in
        FOLDERS.into_iter().map(|it| (it, format!("{it}/"))).chain([(".", String::new())])
    {
        for name in files.names(folder)? {
            let process = name
                .strip_suffix(STAGED)
                .and_then(|name| name.rsplit_once('.')?.1.split_once('-')?.0.parse::<i32>().ok());
            if process.is_some_and(|process| !lives(process)) {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    Ok(found)
}

/// Whether there is a process of this number; one that may not be asked is there.
fn lives(process: i32) -> bool {
    use rustix::{io::Errno, process};
    let Some(pid) = process::Pid::from_raw(process) else { return false };
    process::test_kill_process(pid) != Err(Errno::SRCH)
}
