//! Components from JavaScript and TypeScript, with componentize-js.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    AuthorError, BuildOptions, Toolchain, answer_of, run,
    tools::{Tools, Workplace},
};

const TOOLS: Tools = Tools {
    language: "javascript",
    folder: "sdk/js/tools",
    pins: &["package.json", "package-lock.json"],
    script: "build.mjs",
};
/// The oldest Node.js that runs the tools.
const OLDEST: u32 = 20;
/// The library, as the skill's own packages see it.
const LIBRARY: &str = "../vendor/postern/sdk/js";

/// componentize-js, esbuild and the TypeScript compiler.
pub(super) struct ComponentizeJs;

impl Toolchain for ComponentizeJs {
    fn check(&self, _folder: &Path) -> Result<(), AuthorError> {
        let missing = |what: String| AuthorError::Missing {
            what,
            next: format!(
                "install Node.js {OLDEST} or newer with npm (on Debian 13 or newer: apt-get \
                 install nodejs npm)"
            ),
        };
        let version = answer_of(Command::new("node").arg("--version"))
            .ok_or_else(|| missing("`node` is missing, which makes components".to_owned()))?;
        if major(&version).is_none_or(|major| major < OLDEST) {
            let shown: String = version.chars().take(40).collect();
            return Err(missing(format!("`node` is too old: {shown}")));
        }
        if !TOOLS.are_installed("")? && answer_of(Command::new("npm").arg("--version")).is_none() {
            return Err(missing("`npm` is missing, which fetches the tools once".to_owned()));
        }
        Ok(())
    }

    fn build(
        &self,
        folder: &Path,
        options: &BuildOptions,
        progress: &dyn Fn(&str),
    ) -> Result<PathBuf, AuthorError> {
        let place = Workplace::of(folder)?;
        let tools = TOOLS.installed(options, "", |into| {
            progress("fetching the tools for JavaScript (once, 250 MB)");
            install(into, options)
        })?;
        link_library(folder)?;
        if folder.join("tsconfig.json").is_file() {
            progress("checking types");
            let mut tsc = node();
            tsc.arg(tools.join("node_modules/typescript/bin/tsc"));
            tsc.args(["--noEmit", "--project"]).arg(folder.join("tsconfig.json"));
            run("checking types", &mut tsc, options)?;
        }
        progress("making a component of the JavaScript");
        let mut make = node();
        make.arg(TOOLS.script(&tools)?);
        place.arguments(folder, &mut make)?;
        run("making the component", &mut make, options)?;
        place.finish(folder)
    }
}

/// Packages exactly as they are pinned, of which nothing runs.
fn install(into: &Path, options: &BuildOptions) -> Result<(), AuthorError> {
    let mut npm = Command::new("npm");
    npm.current_dir(into)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
        .args(["--loglevel", "error"])
        .env_remove("NODE_OPTIONS");
    run("fetching the tools", &mut npm, options)
}

/// Node.js without what the author's own work may have set for it.
fn node() -> Command {
    let mut node = Command::new("node");
    node.env_remove("NODE_OPTIONS").env_remove("NODE_PATH");
    node
}

/// Puts the library where skills, tests and editors look for it, as `npm install` does.
fn link_library(folder: &Path) -> Result<(), AuthorError> {
    let packages = folder.join("node_modules");
    let link = packages.join("postern");
    if link.exists() {
        return Ok(());
    }
    fs::create_dir_all(&packages).map_err(AuthorError::io(&packages))?;
    // One that leads nowhere is left over from another place of the folder.
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link).map_err(AuthorError::io(&link))?;
    }
    match symlink(LIBRARY, &link) {
        // Another build was faster.
        Err(_) if link.exists() => Ok(()),
        linked => linked.map_err(AuthorError::io(&link)),
    }
}

/// `20` of `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major("v4.9"), Some(4));
        assert_eq!(major("20.11.1"), None);
        assert_eq!(major(""), None);
    }

    #[test]
    fn the_library_is_linked_once_and_what_leads_nowhere_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("vendor/postern/sdk/js");
        fs::create_dir_all(&library).unwrap();
        fs::write(library.join("package.json"), "{}").unwrap();
        let link = folder.path().join("node_modules/postern");
        fs::create_dir(folder.path().join("node_modules")).unwrap();
        symlink("/no/such/folder", &link).unwrap();
        for _ in 0..2 {
            link_library(folder.path()).unwrap();
            assert!(link.join("package.json").is_file());
        }

        // What `npm install` put there stays.
        fs::remove_file(&link).unwrap();
        fs::create_dir(&link).unwrap();
        link_library(folder.path()).unwrap();
        assert!(!link.is_symlink());
    }
}
