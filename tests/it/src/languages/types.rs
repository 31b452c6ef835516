//! The types of the libraries: what is generated is that of the interfaces, and what is
//! written by hand holds.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Result, ensure};
use postern_domain::Digest;
use postern_test_support::paths;
use tokio::process::Command;

use super::workshop::{Language, Workshop, run, tools, tools_of};

/// A world with every interface.
const WORLD: &str = "package postern:component;

world component {
    import postern:log/logging@0.1.0;
    import postern:records/store@0.1.0;
    import postern:http/client@0.1.0;
    import postern:kv/state@0.1.0;
    import postern:knowledge/search@0.1.0;
    import postern:model/completion@0.1.0;
    import postern:ticket/tickets@0.1.0;
    import postern:message/sending@0.1.0;
    import postern:handover/people@0.1.0;
    import postern:schedule/timer@0.1.0;
    export postern:skill/tools@0.1.0;
}
";
/// Set, the generated types are written instead of compared.
const WRITE: &str = "POSTERN_WRITE_TYPES";
/// What checks types in Python, with digests.
const MYPY: &str = include_str!("mypy.txt");

fn lay_out_world(into: &Path) -> Result<()> {
    fs::create_dir_all(into)?;
    fs::write(into.join("world.wit"), WORLD)?;
    for package in fs::read_dir(paths::repository().join("wit"))? {
        let package = package?.path();
        let name = package.file_name().unwrap_or_default();
        if !package.is_dir() || name == "frozen" {
            continue;
        }
        let folder = into.join("deps").join(name);
        fs::create_dir_all(&folder)?;
        for file in fs::read_dir(&package)? {
            let file = file?;
            fs::copy(file.path(), folder.join(file.file_name()))?;
        }
    }
    Ok(())
}

fn texts(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        texts.insert(
            file.file_name().to_string_lossy().into_owned(),
            fs::read_to_string(file.path())?,
        );
    }
    Ok(texts)
}

pub(super) async fn of_javascript() -> Result<()> {
    let (packages, library) =
        (tools_of(Language::JavaScript)?.join("node_modules"), Language::JavaScript.library());
    let folder = tempfile::tempdir()?;
    let (wit, generated) = (folder.path().join("wit"), folder.path().join("types"));
    lay_out_world(&wit)?;
    let mut jco = Command::new("node");
    jco.arg(packages.join("@bytecodealliance/jco/src/jco.js"));
    jco.arg("guest-types").arg(&wit).args(["--world-name", "component", "--quiet", "--out-dir"]);
    run(jco.arg(&generated)).await?;
    let (generated, kept) = (texts(&generated.join("interfaces"))?, library.join("types"));
    if std::env::var_os(WRITE).is_some() {
        for (name, text) in &generated {
            fs::write(kept.join(name), text)?;
        }
    }
    let same = texts(&kept)? == generated;
    ensure!(same, "sdk/js/types is not what wit/ says; next step: run this with {WRITE}=1");

    let mut tsc = Command::new("node");
    tsc.arg(packages.join("typescript/bin/tsc")).arg("--project").arg(library);
    run(&mut tsc).await.map(drop)
}

pub(super) async fn of_python(workshop: &Workshop) -> Result<()> {
    let place = tools().join(format!("mypy-{}", Digest::of_bytes(MYPY.as_bytes()).short()));
    let (python, ready) = (place.join("bin/python"), place.join("ready"));
    if !ready.is_file() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place)).await?;
        let pins = place.join("requirements.txt");
        fs::write(&pins, MYPY)?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement"]);
        run(pip.arg(pins)).await?;
        fs::write(&ready, "")?;
    }
    let folder = tempfile::tempdir()?;
    let (wit, bindings) = (folder.path().join("wit"), folder.path().join("bindings"));
    lay_out_world(&wit)?;
    let mut generate = Command::new(tools_of(Language::Python)?.join("venv/bin/python"));
    generate.args(["-c", "import sys; from componentize_py import script; sys.exit(script())"]);
    generate.arg("--wit-path").arg(&wit).args(["--world", "component", "bindings"]).arg(&bindings);
    run(&mut generate).await?;

    // The library against the bindings, and a skill as its author checks it.
    let cache = folder.path().join("cache");
    let mypy = || {
        let mut mypy = Command::new(&python);
        mypy.args(["-B", "-m", "mypy", "--cache-dir"]).arg(&cache);
        mypy
    };
    let mut library = mypy();
    library.args(["--strict", "--python-version", "3.11", "-p", "postern", "-p", "tests"]);
    library.current_dir(Language::Python.library()).env("MYPYPATH", &bindings);
    run(&mut library).await?;
    run(mypy().current_dir(workshop.folder())).await.map(drop)
}
