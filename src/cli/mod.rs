//! The command line: definitions, and one file per subcommand.

use std::process::ExitCode;

/// Parses the arguments, runs, and gives the exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
