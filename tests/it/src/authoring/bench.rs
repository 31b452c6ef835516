//! A new skill's folder, and the programs that work on it.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use postern_test_support::{
    host::{self, DataFolder},
    paths,
};
use tempfile::TempDir;
use tokio::process::Command;
use toml_edit::{DocumentMut, Item, Table};

/// A skill in Rust that was made of a template.
pub(super) struct Bench {
    temporary: TempDir,
    name: String,
    began: Instant,
}

impl Bench {
    /// Of a template.
    pub(super) async fn new(template: &str) -> Result<Self> {
        Self::named(&format!("my-{template}"), template).await
    }

    /// Of a template, with a name.
    pub(super) async fn named(name: &str, template: &str) -> Result<Self> {
        let began = Instant::now();
        let bench = Self { temporary: tempfile::tempdir()?, name: name.to_owned(), began };
        let new = ["skill", "new", name, "--lang", "rust", "--template", template];
        run(bench.command(&new)?.current_dir(bench.temporary.path())).await?;
        Ok(bench)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.temporary.path().join(&self.name)
    }

    /// Seconds since it was begun.
    pub(super) fn age(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// What `postern` says with these arguments, in the skill's folder.
    pub(super) async fn postern(&self, arguments: &[&str]) -> Result<String> {
        run(self.command(arguments)?.current_dir(self.folder())).await
    }

    /// What cargo says with these arguments, in the skill's folder.
    pub(super) async fn cargo(&self, arguments: &[&str]) -> Result<String> {
        let mut cargo = Command::new("cargo");
        run(prepared(&mut cargo).args(arguments).current_dir(self.folder())).await
    }

    /// What is said in the author's own world.
    pub(super) async fn chat(&self, lines: &str) -> Result<String> {
        let input = self.temporary.path().join("said");
        fs::write(&input, lines)?;
        let mut command = self.command(&["--data", ".postern", "chat"])?;
        run(command.current_dir(self.folder()).stdin(File::open(&input)?)).await
    }

    /// `postern` with these arguments.
    pub(super) fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(host::binary()?);
        prepared(&mut command).args(arguments);
        Ok(command)
    }
}

/// A command that knows where skills are compiled, and nothing of how this test is.
pub(super) fn prepared(command: &mut Command) -> &mut Command {
    let target = paths::repository().join("target").join("authoring");
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "POSTERN_DATA"] {
        command.env_remove(name);
    }
    command.env("CARGO_TARGET_DIR", target).kill_on_drop(true)
}

/// What a program prints, if all goes well; otherwise what it complains about.
pub(super) async fn run(command: &mut Command) -> Result<String> {
    let output = command.output().await;
    let command = command.as_std();
    let program = Path::new(command.get_program()).file_name().map(OsStr::to_string_lossy);
    let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let what = format!("{} {}", program.unwrap_or_default(), words.join(" "));
    let output = output.with_context(|| what.clone())?;
    let (out, complaints) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{what}: {}\n{out}\n{complaints}", output.status);
    Ok(out.into_owned())
}

/// Puts what a skill's author proposes into an operator's configuration.
pub(super) fn merge_config(data: &DataFolder, proposed: &Path) -> Result<()> {
    let proposed: DocumentMut = fs::read_to_string(proposed)?.parse()?;
    Ok(data.edit_config(|config| merge(config.as_table_mut(), proposed.as_table()))?)
}

fn merge(into: &mut Table, proposed: &Table) {
    for (name, item) in proposed {
        match (into.get_mut(name).and_then(Item::as_table_mut), item.as_table()) {
            (Some(into), Some(proposed)) => merge(into, proposed),
            _ => {
                into.insert(name, item.clone());
            }
        }
    }
}

/// A program that is a script.
pub(super) fn write_program(path: &Path, script: &str) -> Result<()> {
    fs::write(path, script)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}
