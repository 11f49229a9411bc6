//! `trailhound status`: what the cache covers, and what was skipped.

use clap::Args;

use super::{Outcome, open_cache, print, settings::Settings};
use crate::{
    Result,
    engine::Session,
    output,
    repl::{Runner, render_status},
};

const EXAMPLES: &str = "\
Examples:
  trailhound status
  trailhound status --json | jq .records

Faults are in full in the ledger: SELECT uri, reason FROM log_files WHERE outcome = 'skipped'";

/// Show what the cache covers, and what was skipped
#[derive(Debug, Clone, Copy, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatusArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(settings: &Settings, args: StatusArgs) -> Result<Outcome> {
    let cache = open_cache(settings)?;
    let session = Session::open(std::sync::Arc::clone(&cache), &settings.session())?;
    let coverage = Runner::new(settings.threads)?.coverage(&session)?;
    if args.json {
        print(&format!("{}\n", output::json_text(&coverage)?))?;
    } else {
        print(&render_status(&coverage, cache.name()))?;
    }
    Ok(Outcome::Done)
}
