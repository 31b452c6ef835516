//! The target to which skills are compiled.

use std::path::{Path, PathBuf};

use crate::run::{Failure, Run};

/// The target's name.
pub(crate) const NAME: &str = "wasm32-wasip2";

/// Makes sure that the target's standard library is installed, adding it with
/// rustup if need be.
///
/// # Errors
/// Where it cannot be added, with the next step.
pub(crate) fn ensure(root: &Path) -> Result<(), Failure> {
    if is_installed(root)? {
        return Ok(());
    }
    eprintln!("The Rust target {NAME}, to which skills are compiled, is missing.");
    if !Run::new("rustup").args(["--version"]).succeeds() {
        return Err(Failure::Told(format!(
            "rustup, which could add the target {NAME}, is not here.\n\
             Next step: install Rust with rustup and run this command again, or install the \
             {NAME} standard library for your compiler where\n  {}\nsays that it looks for it.",
            library_folder(root)?.display()
        )));
    }
    eprintln!("Adding it: rustup target add {NAME}");
    let added = Run::new("rustup").within(root).args(["target", "add", NAME]).run();
    if added.is_ok() && is_installed(root)? {
        return Ok(());
    }
    Err(Failure::Told(format!(
        "the target {NAME} could not be added; rustup says above why.\n\
         Next step: check that this machine has a connection (rustup honours https_proxy), run \
         `rustup target add {NAME}`, then this command again."
    )))
}

fn is_installed(root: &Path) -> Result<bool, Failure> {
    let Ok(mut files) = std::fs::read_dir(library_folder(root)?) else {
        return Ok(false);
    };
    Ok(files.any(|file| {
        file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
    }))
}

/// Where the compiler looks for the target's standard library.
fn library_folder(root: &Path) -> Result<PathBuf, Failure> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Run::new(rustc)
        .within(root)
        .args(["--print", "target-libdir", "--target", NAME])
        .output()
        .map_err(|failure| match failure {
            Failure::Exit(_) => Failure::Told(format!(
                "this compiler does not know the target {NAME}. Next step: update Rust to 1.95 \
                 or newer (`rustup update stable`)."
            )),
            Failure::Told(message) => Failure::Told(message),
        })?;
    Ok(PathBuf::from(printed.trim()))
}
