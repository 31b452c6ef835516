//! The `postern` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The host starts this program once more for everything that it compiles.
    if let Some(code) = postern::registry::answer_if_asked() {
        return code;
    }
    postern::cli::Cli::read().map_or_else(|code| code, postern::cli::main)
}
