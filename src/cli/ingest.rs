//! `trailhound ingest`: logs → the cache.

use clap::Args;

use super::{
    Outcome,
    args::{FilterArgs, LimitArgs},
    ingest_into_cache, print,
    settings::Settings,
};
use crate::{ErrorKind, Result, output, repl, source};

const EXAMPLES: &str = "\
Examples:
  trailhound ingest ./AWSLogs                        a directory, searched to the bottom
  trailhound ingest evidence.zip events.json.gz      archives and files, in any shape
  trailhound ingest ./AWSLogs --since 2024-01-01 --until 2024-01-31 --region us-east-1
  trailhound ingest s3://acme-logs/AWSLogs --profile audit --since 7d
  trailhound ingest --event-history --since 7d       an account without a trail
  aws cloudtrail lookup-events | trailhound ingest -
  trailhound ingest ./AWSLogs --json | jq .files     counts for scripts

Every file met is in the table `log_files` with its outcome. The exit code is 1 where some were
skipped or records were rejected. It may be interrupted at any time and run again.";

/// Read logs into the cache; what is in it already is not read again
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct IngestArgs {
    /// Files, directories, zip or tar archives, `s3://bucket/prefix`, or `-` for standard input
    #[arg(required_unless_present = "event_history", value_name = "SOURCE")]
    sources: Vec<String>,

    /// Read the account's event history: 90 days of management events, without a trail
    ///
    /// All regions are asked, or those of --region; --since and --until choose the time. AWS
    /// grants two requests a second and region, 50 events each. The same as the SOURCE
    /// `event-history://`.
    #[arg(long)]
    event_history: bool,

    /// Print the report as one JSON object on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

pub(super) fn run(settings: &Settings, args: &IngestArgs) -> Result<Outcome> {
    let mut sources = args.sources.clone();
    if args.event_history {
        sources.push(source::EVENT_HISTORY.to_owned());
    }
    let options = settings.ingest_chosen(&sources, &args.filter, args.limits)?;
    let (_, report, interrupted) = ingest_into_cache(settings, &options)?;
    if args.json {
        print(&format!("{}\n", output::json_text(&report)?))?;
    } else {
        settings.screen.say(&repl::summary(&report));
    }
    if interrupted { Err(ErrorKind::Interrupted.into()) } else { Ok(Outcome::of(&report)) }
}
