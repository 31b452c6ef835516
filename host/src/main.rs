//! The `postern` command.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // The host starts this program once more for everything that it compiles.
    if let Some(code) = postern::registry::answer_if_asked() {
        return code;
    }
    postern::cli::main(postern::cli::Cli::parse())
}
