//! The `postern` command for crash tests: it dies where it is told to.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    if let Some(code) = postern::registry::answer_if_asked() {
        return code;
    }
    postern::cli::main(postern::cli::Cli::parse())
}
