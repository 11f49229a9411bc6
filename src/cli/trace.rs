//! `trailhound trace`: where credentials came from, and what came of them.

use std::sync::Arc;

use clap::Args;

use super::{Outcome, open_cache, print, settings::Settings, values};
use crate::{
    Result,
    engine::Session,
    output,
    pivots::trace::{Direction, TextOptions, TraceOptions, render, trace},
    repl::{self, Runner},
};

const EXAMPLES: &str = "\
Examples:
  trailhound trace ASIAIOSFODNN7EXAMPLE
  trailhound trace data-platform-admin --since 2024-05-14
  trailhound trace AKIAIOSFODNN7EXAMPLE --down --json | jq .trees

What was asked for is marked with ◀. What is alike is folded, with counts. The links are also a
table: SELECT * FROM sessions WHERE credential = 'ASIAIOSFODNN7EXAMPLE'";

/// The width of text where no screen has one.
const WIDTH: usize = 100;

/// Trace credentials to what began them, and to all that was done with what came of them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TraceArgs {
    /// An access key id; the ARN or name of a user, role or session; an instance, a service, an
    /// identity provider that credentials came from
    #[arg(required = true, value_name = "KEY|PRINCIPAL")]
    subject: Vec<String>,

    /// Only credentials that lived at this time or later: 2024-01-31, 7d or 24h ago
    #[arg(long, value_name = "TIME", value_parser = values::since)]
    since: Option<i64>,

    /// Only credentials that lived at this time or earlier; a day is meant whole
    #[arg(long, value_name = "TIME", value_parser = values::until)]
    until: Option<i64>,

    /// Only what they came from
    #[arg(long, conflicts_with = "down")]
    up: bool,

    /// Only what came of them
    #[arg(long)]
    down: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(settings: &Settings, args: &TraceArgs) -> Result<Outcome> {
    let options = TraceOptions {
        since: args.since,
        until: args.until,
        direction: Direction::of(args.up, args.down),
    };
    let session = Session::open(Arc::clone(&open_cache(settings)?), &settings.session())?;
    let runner = Runner::new(settings.threads)?;
    let found = runner.until_interrupted(trace(&session, &args.subject.join(" "), options))?;
    for notice in &found.notices {
        settings.screen.notice(notice);
    }
    if args.json {
        print(&format!("{}\n", output::json_text(&found)?))?;
    } else {
        let screen = settings.screen;
        let width = screen.size().map_or(WIDTH, |(width, _)| width);
        let (color, unicode) = (screen.stdout_color, repl::speaks_unicode());
        print(&render(&found, &TextOptions { width, color, unicode }))?;
    }
    Ok(Outcome::Done)
}
