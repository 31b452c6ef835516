//! The targets to which components and modules are compiled.

use std::path::{Path, PathBuf};

use crate::run::{Failure, Run};

/// The target of skills and guests.
pub(crate) const NAME: &str = "wasm32-wasip2";

/// The target of the one module that is no component: the benchmark's Extism
/// plugin.
pub(crate) const PLAIN: &str = "wasm32-unknown-unknown";

/// Makes sure that a target's standard library is installed, adding it with
/// rustup if need be.
///
/// # Errors
/// Where it cannot be added, with the next step.
pub(crate) fn ensure(root: &Path, name: &str) -> Result<(), Failure> {
    if is_installed(root, name)? {
        return Ok(());
    }
    eprintln!("The Rust target {name} is missing.");
    if !Run::new("rustup").args(["--version"]).succeeds() {
        return Err(Failure::Told(format!(
            "rustup, which could add the target {name}, is not here.\n\
             Next step: install Rust with rustup and run this command again, or install the \
             {name} standard library for your compiler where\n  {}\nsays that it looks for it.",
            library_folder(root, name)?.display()
        )));
    }
    eprintln!("Adding it: rustup target add {name}");
    let added = Run::new("rustup").within(root).args(["target", "add", name]).run();
    if added.is_ok() && is_installed(root, name)? {
        return Ok(());
    }
    Err(Failure::Told(format!(
        "the target {name} could not be added; rustup says above why.\n\
         Next step: check that this machine has a connection (rustup honours https_proxy), run \
         `rustup target add {name}`, then this command again."
    )))
}

fn is_installed(root: &Path, name: &str) -> Result<bool, Failure> {
    let Ok(mut files) = std::fs::read_dir(library_folder(root, name)?) else {
        return Ok(false);
    };
    Ok(files.any(|file| {
        file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
    }))
}

/// Where the compiler looks for the target's standard library.
fn library_folder(root: &Path, name: &str) -> Result<PathBuf, Failure> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Run::new(rustc)
        .within(root)
        .args(["--print", "target-libdir", "--target", name])
        .output()
        .map_err(|failure| match failure {
            Failure::Exit(_) => Failure::Told(format!(
                "this compiler does not know the target {name}. Next step: update Rust to 1.95 \
                 or newer (`rustup update stable`)."
            )),
            Failure::Told(message) => Failure::Told(message),
        })?;
    Ok(PathBuf::from(printed.trim()))
}
