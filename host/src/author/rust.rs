//! Components from Rust, with cargo.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use super::{AuthorError, BuildOptions, Toolchain, answer_of, process};

/// The target of components.
const TARGET: &str = "wasm32-wasip2";
/// The oldest compiler that the SDK compiles with.
const LEAST_RUST: (u32, u32) = (1, 95);
/// Parts of cargo's environment that change what it builds. What stays says where
/// things are (`CARGO_HOME`, `CARGO_TARGET_DIR`) and how they are fetched.
const STEERING: [&str; 8] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "CARGO_PROFILE_",
    "CARGO_TARGET_WASM32",
    "RUSTC_BOOTSTRAP",
    "RUSTC_W",
    "RUSTFLAGS",
];
/// Variables of cargo that begin like one of those and change nothing that is built.
const HARMLESS: [&str; 2] = ["CARGO_BUILD_JOBS", "CARGO_BUILD_TARGET_DIR"];

/// Rust's own toolchain.
pub(super) struct Cargo;

impl Toolchain for Cargo {
    fn check(&self, folder: &Path) -> Result<(), AuthorError> {
        let version = answer_of(rustc(folder).arg("--version")).ok_or_else(no_rust)?;
        let numbers = numbers(&version).ok_or_else(no_rust)?;
        if numbers < LEAST_RUST {
            return Err(AuthorError::Missing {
                what: format!("{version} is too old; 1.95 is the least that will do"),
                next: "rustup update stable".to_owned(),
            });
        }
        let libraries =
            answer_of(rustc(folder).args(["--print", "target-libdir", "--target", TARGET]));
        let is_std = |name: OsString| name.to_string_lossy().starts_with("libstd-");
        let has_std = libraries
            .and_then(|folder| std::fs::read_dir(folder).ok())
            .is_some_and(|mut files| files.any(|file| file.is_ok_and(|it| is_std(it.file_name()))));
        if !has_std {
            return Err(AuthorError::Missing {
                what: format!("the Rust target {TARGET} is not installed"),
                next: format!("rustup target add {TARGET}"),
            });
        }
        Ok(())
    }

    fn build(
        &self,
        folder: &Path,
        options: &BuildOptions,
        progress: &dyn Fn(&str),
    ) -> Result<PathBuf, AuthorError> {
        self.check(folder)?;
        let folder = folder.canonicalize().map_err(AuthorError::io(folder))?;
        progress("compiling with cargo");
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&folder);
        for (name, _) in env::vars_os().filter(|(name, _)| steers(&name.to_string_lossy())) {
            cargo.env_remove(name);
        }
        cargo
            // What it made is said by cargo itself; errors are shown as always.
            .args(["build", "--lib", "--target", TARGET])
            .arg("--message-format=json-render-diagnostics")
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_ENCODED_RUSTFLAGS", remapped(&folder).join("\x1f"));
        if !options.debug {
            cargo.arg("--release");
        }
        if options.locked {
            cargo.arg("--locked");
        }
        let said = process::run_and_read("compiling", &mut cargo, options)?;
        component_of(&said, &folder).ok_or(AuthorError::NoComponent { folder })
    }
}

fn rustc(folder: &Path) -> Command {
    let mut command = Command::new("rustc");
    // A rust-toolchain.toml of the skill counts.
    command.current_dir(folder);
    command
}

fn no_rust() -> AuthorError {
    AuthorError::Missing {
        what: "there is no Rust compiler here (rustc)".to_owned(),
        next: format!("install Rust from https://rustup.rs, then `rustup target add {TARGET}`"),
    }
}

/// The first two numbers of `rustc 1.95.0 (…)`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split_whitespace().nth(1)?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Whether a variable of the environment changes what cargo builds.
fn steers(name: &str) -> bool {
    !HARMLESS.contains(&name) && STEERING.iter().any(|beginning| name.starts_with(beginning))
}

/// Flags that take this machine's folders out of what is built: the same source makes
/// the same bytes wherever it lies.
fn remapped(folder: &Path) -> Vec<String> {
    let mut flags = vec![format!("--remap-path-prefix={}=/skill", folder.display())];
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    if let Some(home) = home {
        flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
    }
    if let Some(sysroot) = answer_of(rustc(folder).args(["--print", "sysroot"])) {
        flags.push(format!("--remap-path-prefix={sysroot}/lib/rustlib/src/rust=/rust"));
    }
    flags
}

/// The component that cargo says it made of the package in this folder.
fn component_of(said: &str, folder: &Path) -> Option<PathBuf> {
    let manifest = folder.join("Cargo.toml");
    let messages =
        said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    messages
        .rev()
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| {
            message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest)
        })
        .find_map(|message| {
            let files = message["filenames"].as_array()?;
            let wasm = files.iter().filter_map(|file| file.as_str());
            wasm.filter(|file| file.ends_with(".wasm")).map(PathBuf::from).next()
        })
}

/// The workspace around the SDK in a skill's folder: what its crates inherit, and
/// nothing else of this repository's.
pub(super) fn vendored_workspace(own: &str) -> Result<String, AuthorError> {
    let own: toml::Table = toml::from_str(own)
        .map_err(|error| AuthorError::Embedded { reason: error.message().to_owned() })?;
    let inherited = |name: &str| own.get("workspace").and_then(|all| all.get(name)).cloned();
    let mut workspace = toml::Table::new();
    workspace.insert("resolver".to_owned(), "3".into());
    workspace.insert("members".to_owned(), vec!["sdk/rust", "sdk/scenario"].into());
    for name in ["package", "lints", "dependencies"] {
        let Some(mut value) = inherited(name) else { continue };
        if let (true, Some(table)) = (name == "dependencies", value.as_table_mut()) {
            // Crates of the repository are not here.
            table.retain(|_, dependency| {
                dependency
                    .get("path")
                    .and_then(toml::Value::as_str)
                    .is_none_or(|path| ["sdk/rust", "sdk/scenario"].contains(&path))
            });
        }
        workspace.insert(name.to_owned(), value);
    }
    let whole = toml::Table::from_iter([("workspace".to_owned(), toml::Value::from(workspace))]);
    let text = toml::to_string(&whole)
        .map_err(|error| AuthorError::Embedded { reason: error.to_string() })?;
    Ok(format!("# The SDK's crates inherit from here. Made by `postern skill new`.\n{text}"))
}

/// A lock file with its packages in cargo's order, whatever the skill is called.
pub(super) fn in_order(lock: &str) -> String {
    const PACKAGE: &str = "[[package]]\n";
    let mut parts = lock.split(PACKAGE);
    let head = parts.next().unwrap_or_default();
    let mut packages: Vec<&str> = parts.map(str::trim_end).collect();
    let name = |package: &&str| package.lines().next().unwrap_or_default().to_owned();
    packages.sort_by_key(name);
    let packages: Vec<_> = packages.iter().map(|package| format!("{PACKAGE}{package}\n")).collect();
    format!("{head}{}", packages.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(numbers("rustc 1.95.0 (59807616e 2026-04-14)"), Some((1, 95)));
        assert_eq!(numbers("rustc 1.100.0-nightly"), Some((1, 100)));
        assert!(numbers("rustc 1.100.0").unwrap() > LEAST_RUST);
        assert_eq!(numbers("cargo"), None);
    }

    #[test]
    fn what_steers_a_build_is_taken_out_of_its_environment() {
        for name in
            ["RUSTFLAGS", "CARGO_PROFILE_RELEASE_LTO", "RUSTC_WRAPPER", "CARGO_BUILD_RUSTFLAGS"]
        {
            assert!(steers(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "PATH", "RUSTUP_HOME"] {
            assert!(!steers(name), "{name}");
        }
    }

    #[test]
    fn the_component_is_the_one_of_the_skill_and_of_nothing_that_it_needs() {
        let line = |manifest: &str, file: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"{manifest}","filenames":["{file}"]}}"#
            )
        };
        let said = [
            line("/s/vendor/Cargo.toml", "/s/target/other.wasm"),
            "no JSON".to_owned(),
            line("/s/Cargo.toml", "/s/target/skill.wasm"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let found = component_of(&said.join("\n"), Path::new("/s"));
        assert_eq!(found, Some(PathBuf::from("/s/target/skill.wasm")));
        assert_eq!(component_of("", Path::new("/s")), None);
    }

    #[test]
    fn packages_of_a_lock_file_are_in_order() {
        let lock = "version = 4\n\n[[package]]\nname = \"b\"\nx = 1\n\n[[package]]\nname = \"a\"\n";
        let sorted =
            "version = 4\n\n[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"\nx = 1\n";
        assert_eq!(in_order(lock), sorted);
        assert_eq!(in_order(sorted), sorted);
    }
}
