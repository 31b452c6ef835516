//! Measures an optimised host with the shipped skills.

use std::{fs, path::Path};

use crate::{
    build,
    run::{Failure, Run, step},
};

/// The skills that the benchmark calls.
const SKILLS: [&str; 2] = ["crm-lookup", "order-status"];

/// Builds, prepares a fresh data folder below the target folder, and measures;
/// `arguments` go to `postern bench`.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    build::skills(root, 1, 3)?;
    step(2, 3, "building an optimised host");
    Run::cargo(root).args(["build", "--release", "--locked", "--package", "postern"]).run()?;

    step(3, 3, "measuring");
    let target = build::target_folder(root);
    let data = target.join("bench-data");
    if data.exists() {
        fs::remove_dir_all(&data)
            .map_err(|error| Failure::Told(format!("cannot empty {}: {error}", data.display())))?;
    }
    let postern = || {
        let binary = target.join("release").join("postern");
        Run::new(binary).args(["--data".as_ref(), data.as_os_str()])
    };
    postern().args(["init"]).run()?;
    for skill in SKILLS {
        let component = format!("{}.wasm", skill.replace('-', "_"));
        let built = root.join("skills/target/wasm32-wasip2/release").join(component);
        let manifest = root.join("skills").join(skill).join("skill.toml");
        postern()
            .args(["skill", "install", "--grant", "requested", "--manifest"])
            .args([manifest, built])
            .run()?;
    }
    postern().args(["bench"]).args(arguments).run()
}
