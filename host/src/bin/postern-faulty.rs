//! The `postern` command for crash tests: it dies where it is told to.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = postern::registry::answer_if_asked() {
        return code;
    }
    postern::cli::Cli::read().map_or_else(|code| code, postern::cli::main)
}
