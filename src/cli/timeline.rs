//! `trailhound timeline`: what was done, in plain words and in order.

use std::sync::Arc;

use clap::Args;

use super::{
    Outcome, open_cache, query,
    settings::Settings,
    sql::{AnswerArgs, Answers},
    values,
};
use crate::{
    Result,
    engine::Session,
    pivots::timeline::{self, TimelineOptions},
};

const EXAMPLES: &str = "\
Examples:
  trailhound timeline AKIAIOSFODNN7EXAMPLE 203.0.113.0/24
  trailhound timeline data-platform-admin --since 2024-05-14 --until 2024-05-15
  trailhound timeline --query failed_calls since=2024-05-14T00:00:00Z
  trailhound timeline 203.0.113.77 --all -o timeline.jsonl

It has what changed something, whatever was refused, and the reads that matter by themselves:
secrets, objects, passwords, sign-ins, roles. The same again and again is one line, unless
--no-fold. CSV and JSON lines are as Timesketch imports them.";

/// Tell what was done, in plain words and in order
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TimelineArgs {
    /// Whose events: access keys, addresses, networks, ARNs, accounts, services, names of users,
    /// roles and sessions [default: all events]; with --query its parameters, as key=value
    #[arg(value_name = "SUBJECT")]
    subjects: Vec<String>,

    /// The events that a saved query names, in a column `eventid`
    #[arg(long, value_name = "NAME")]
    query: Option<String>,

    /// From this time on: 2024-01-31, 2024-01-31T08:00:00Z, 7d or 24h ago
    #[arg(long, value_name = "TIME", value_parser = values::since)]
    since: Option<i64>,

    /// Until this time; a day is meant whole
    #[arg(long, value_name = "TIME", value_parser = values::until)]
    until: Option<i64>,

    /// What only reads, too
    #[arg(long)]
    all: bool,

    /// A line for each event
    #[arg(long)]
    no_fold: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn run(settings: &Settings, args: &TimelineArgs) -> Result<Outcome> {
    let answers = Answers::new(settings, &args.answer)?.written_by(timeline::writer);
    let mut options = TimelineOptions {
        subjects: Vec::new(),
        since: args.since,
        until: args.until,
        everything: args.all,
        unfolded: args.no_fold,
    };
    let cache = open_cache(settings)?;
    let session = Arc::new(Session::open(Arc::clone(&cache), &settings.session())?);
    let statement = match &args.query {
        None => {
            options.subjects.clone_from(&args.subjects);
            timeline::statement(&session, &options)?
        }
        Some(name) => {
            let library = settings.library()?;
            let query = library.get(name)?;
            let given = timeline::given(&args.subjects)?;
            let literals = query.literals(&given, &mut query::read_list)?;
            let asked = timeline::statement_of_query(&session, &options, query, literals);
            answers.runner().until_interrupted(asked)?
        }
    };
    answers.write_all(&cache, &session, &[statement])
}
