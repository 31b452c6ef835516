//! The `postern` command.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    postern::cli::main(postern::cli::Cli::parse())
}
