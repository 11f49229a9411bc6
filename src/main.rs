//! The `trailhound` binary: parse the arguments, run, turn the result into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    trailhound::cli::main()
}
