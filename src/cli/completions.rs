//! `trailhound completions`: a script for the user's shell.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Outcome, args::Arguments, print};
use crate::Result;

const EXAMPLES: &str = "\
Examples:
  trailhound completions bash > ~/.local/share/bash-completion/completions/trailhound
  trailhound completions zsh > ~/.zfunc/_trailhound
  trailhound completions fish > ~/.config/fish/completions/trailhound.fish";

/// Print a script that completes commands and flags in a shell
#[derive(Debug, Clone, Copy, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: CompletionsArgs) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "trailhound", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_names_the_commands() {
        for shell in <Shell as clap::ValueEnum>::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "trailhound", &mut script);
            let script = String::from_utf8(script).unwrap();
            for name in ["ingest", "convert", "--cache"] {
                // fish spells long flags without their dashes.
                assert!(script.contains(name.trim_start_matches('-')), "{shell} {name}");
            }
        }
    }
}
