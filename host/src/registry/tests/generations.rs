//! From one generation to the next, and back.

use std::collections::BTreeSet;

use super::*;
use crate::registry::{Canary, CanaryRules, Installed, Seen};

const BY: &str = "operator:local";

fn now() -> Timestamp {
    Timestamp::from_millis(1)
}

fn id() -> postern_domain::SkillId {
    "greeter".parse().unwrap()
}

/// A version of the greeter, kept as a component of its own.
fn kept(registry: &Registry, version: &str) -> Installed {
    let manifest = parse_manifest("skill.toml", &MANIFEST.replace("1.0.0", version)).unwrap();
    let digest = Digest::of_bytes(version.as_bytes());
    registry.files.keep_component(digest, version.as_bytes()).unwrap();
    Installed {
        manifest,
        digest,
        assets: None,
        grants: BTreeSet::new(),
        installed_at: now(),
        source: None,
        signed_by: None,
    }
}

fn put(registry: &Registry, version: &str) -> Generation {
    let installed = kept(registry, version);
    let made = registry.change(BY, now(), |generation| {
        generation.put(installed).map(|()| format!("upgrade to {version}"))
    });
    let made = made.unwrap();
    registry.activate(&made).unwrap();
    made
}

fn version(registry: &Registry) -> String {
    registry.current().unwrap().skills[&id()].manifest.skill.version.to_string()
}

fn back(registry: &Registry, to: Option<u64>) -> Result<u64, RegistryError> {
    let made = registry.roll_back(BY, now(), to, |_| None)?;
    registry.activate(&made)?;
    Ok(made.number)
}

#[test]
fn of_two_changes_at_once_one_is_lost_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    put(&registry, "1.0.0");
    let pin =
        || registry.change(BY, now(), |it| it.set_pinned(&id(), true).map(|()| "pin".to_owned()));
    let (first, second) = (pin().unwrap(), pin().unwrap());
    registry.activate(&first).unwrap();
    let error = registry.activate(&second).unwrap_err();
    assert!(matches!(error, RegistryError::Moved { expected: 1, current: 2 }), "{error}");
    assert_eq!(registry.current().unwrap(), first);
}

#[test]
fn a_number_that_was_written_is_never_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    put(&registry, "1.0.0");
    // A command died between writing this and making it the active one.
    registry.files.write_generation(2, b"half").unwrap();
    assert_eq!(put(&registry, "1.1.0").number, 3);
    assert_eq!(version(&registry), "1.1.0");
}

#[test]
fn what_is_not_kept_is_not_activated() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    let installed = kept(&registry, "1.0.0");
    let path = format!("blobs/{}.wasm", installed.digest.hex());
    let made = registry.change(BY, now(), |it| it.put(installed).map(|()| String::new())).unwrap();
    // Somebody tidied up meanwhile.
    registry.files.remove(&path).unwrap();
    let error = registry.activate(&made).unwrap_err();
    assert!(matches!(error, RegistryError::Gone { .. }), "{error}");
    assert_eq!(registry.current_number().unwrap(), 0);
}

#[test]
fn versions_are_not_offered_lower_or_otherwise_also_after_removal() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    put(&registry, "1.0.0");
    put(&registry, "2.0.0");
    let check = |version: &str, content: &str| {
        let digest = Digest::of_bytes(content.as_bytes());
        let offered = Seen { version: version.parse().unwrap(), digest };
        registry.current().unwrap().may_follow(&offered, &id())
    };
    for _ in 0..2 {
        assert!(matches!(check("1.9.9", "1.9.9"), Err(RegistryError::Older { .. })));
        assert!(matches!(check("2.0.0", "other"), Err(RegistryError::SameVersion { .. })));
        // Build metadata make no other version.
        assert!(matches!(check("2.0.0+x", "other"), Err(RegistryError::SameVersion { .. })));
        check("2.0.0", "2.0.0").unwrap();
        check("2.0.1", "2.0.1").unwrap();
        let gone =
            registry.change(BY, now(), |it| it.take_out(&id()).map(|()| "remove".to_owned()));
        if let Ok(gone) = gone {
            registry.activate(&gone).unwrap();
        }
    }
}

#[test]
fn going_back_goes_further_each_time_and_stops_at_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        put(&registry, version);
    }
    assert_eq!(back(&registry, None).unwrap(), 4);
    assert_eq!(version(&registry), "2.0.0");
    assert_eq!(back(&registry, None).unwrap(), 5);
    assert_eq!(version(&registry), "1.0.0");
    // What was removed by name is what comes back.
    assert_eq!(back(&registry, Some(3)).unwrap(), 6);
    assert_eq!(version(&registry), "3.0.0");
    assert_eq!(back(&registry, None).unwrap(), 7);
    assert_eq!(version(&registry), "2.0.0");
    back(&registry, None).unwrap();
    // Before the first was nothing.
    back(&registry, None).unwrap();
    assert!(registry.current().unwrap().skills.is_empty());
    let error = back(&registry, None).unwrap_err();
    assert!(matches!(error, RegistryError::First(_)), "{error}");
}

#[test]
fn what_is_revoked_or_damaged_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    put(&registry, "1.0.0");
    put(&registry, "2.0.0");
    let error = registry.roll_back(BY, now(), None, |_| Some("lost".to_owned())).unwrap_err();
    assert!(error.to_string().contains("greeter 1.0.0 must not run: lost"), "{error}");
    let blob = format!("skills/blobs/{}.wasm", Digest::of_bytes(b"1.0.0").hex());
    fs::write(folder.path().join(blob), "changed").unwrap();
    let error = back(&registry, None).unwrap_err();
    assert!(matches!(error, RegistryError::Damaged { .. }), "{error}");
    assert_eq!(version(&registry), "2.0.0");
}

#[test]
fn a_damaged_generation_can_be_left_by_naming_another() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    put(&registry, "1.0.0");
    put(&registry, "2.0.0");
    fs::write(folder.path().join("skills/generations/2.json"), "{").unwrap();
    assert!(matches!(back(&registry, None), Err(RegistryError::Damaged { .. })));
    assert_eq!(back(&registry, Some(1)).unwrap(), 3);
    assert_eq!(version(&registry), "1.0.0");
}

#[test]
fn leaving_a_damaged_generation_forgets_no_version_that_was_active() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        put(&registry, version);
    }
    fs::write(folder.path().join("skills/generations/3.json"), "{").unwrap();
    back(&registry, Some(1)).unwrap();
    assert_eq!(registry.current().unwrap().seen[&id()].version.to_string(), "2.0.0");
}

#[test]
fn what_is_on_trial_is_not_pinned_and_what_is_disabled_is_not_on_trial() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    put(&registry, "1.0.0");
    let canary = Canary {
        installed: kept(&registry, "2.0.0"),
        permille: 50,
        since: now(),
        rules: CanaryRules::default(),
    };
    let mut generation = registry.current().unwrap();
    generation.try_out(canary).unwrap();
    let error = generation.set_pinned(&id(), true).unwrap_err();
    assert!(matches!(error, RegistryError::OnTrial(_)), "{error}");
    generation.set_disabled(&id(), true).unwrap();
    assert!(generation.canaries.is_empty());
    generation.set_pinned(&id(), true).unwrap();
}

#[test]
fn one_version_is_on_trial_at_a_time_and_a_trial_ends_one_way() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    put(&registry, "1.0.0");
    let canary = |version: &str| Canary {
        installed: kept(&registry, version),
        permille: 50,
        since: now(),
        rules: CanaryRules::default(),
    };
    let mut generation = registry.current().unwrap();
    generation.try_out(canary("2.0.0")).unwrap();
    let error = generation.try_out(canary("3.0.0")).unwrap_err();
    assert!(matches!(error, RegistryError::OnTrial(_)), "{error}");
    let mut aborted = generation.clone();
    aborted.abort(&id()).unwrap();
    assert_eq!(aborted.skills[&id()].manifest.skill.version.to_string(), "1.0.0");
    generation.promote(&id()).unwrap();
    assert_eq!(generation.skills[&id()].manifest.skill.version.to_string(), "2.0.0");
    assert!(matches!(generation.promote(&id()), Err(RegistryError::NotOnTrial(_))));
}

#[test]
fn only_what_nobody_needs_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    for version in ["1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0"] {
        put(&registry, version);
    }
    // Left by commands that died: a half file of a process that is gone, and a component.
    let skills = folder.path().join("skills");
    fs::write(skills.join("blobs/half.wasm.2147483647-0.new"), "half").unwrap();
    registry.files.keep_component(Digest::of_bytes(b"left"), b"left").unwrap();
    let collected = registry.collect(1, &BTreeSet::from([2]), false).unwrap();
    assert_eq!(collected.kept, [2, 4, 5]);
    let count = |part: &str| fs::read_dir(skills.join(part)).unwrap().count();
    assert_eq!((count("generations"), count("blobs")), (3, 3));
    for number in collected.kept {
        registry.is_whole(&registry.generation(number).unwrap()).unwrap();
    }
    let again = registry.collect(1, &BTreeSet::from([2]), false).unwrap();
    assert_eq!(again.files, [""; 0]);
}

#[test]
fn what_a_rollback_goes_to_is_not_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    for version in ["1.0.0", "2.0.0", "3.0.0", "4.0.0"] {
        put(&registry, version);
    }
    // Now 6 is 2 again, so it goes on to 1.
    back(&registry, None).unwrap();
    back(&registry, None).unwrap();
    let collected = registry.collect(1, &BTreeSet::new(), false).unwrap();
    assert_eq!(collected.kept, [1, 2, 5, 6]);
    back(&registry, None).unwrap();
    assert_eq!(version(&registry), "1.0.0");
}

#[test]
fn one_damaged_generation_hides_no_other_and_is_taken_away_if_nobody_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder);
    for version in ["1.0.0", "2.0.0", "3.0.0", "4.0.0"] {
        put(&registry, version);
    }
    let skills = folder.path().join("skills");
    fs::write(skills.join("generations/2.json"), "{").unwrap();
    let all = registry.history().unwrap();
    let read: Vec<_> = all.iter().map(|(number, it)| (*number, it.is_ok())).collect();
    assert_eq!(read, [(1, true), (2, false), (3, true), (4, true)]);
    let blobs = || fs::read_dir(skills.join("blobs")).unwrap().count();
    // What it names is not known, so as long as it is needed no component goes.
    let collected = registry.collect(1, &BTreeSet::from([2]), false).unwrap();
    assert_eq!((collected.kept, blobs()), (vec![2, 3, 4], 4));
    let collected = registry.collect(1, &BTreeSet::new(), false).unwrap();
    assert_eq!((collected.kept, blobs()), (vec![3, 4], 2));
    fs::write(skills.join("generations/4.json"), "{").unwrap();
    let error = registry.collect(1, &BTreeSet::new(), false).unwrap_err();
    assert!(matches!(error, RegistryError::Damaged { .. }), "{error}");
}
