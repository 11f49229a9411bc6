//! `trailhound who|ip|api|key|resource|event`: the pivots, for scripts and for people.

use std::sync::Arc;

use clap::Args;

use super::{Outcome, open_cache, print, settings::Settings, values};
use crate::{
    Result,
    engine::Session,
    output,
    pivots::dossier::{
        self, DossierOptions, Kind, Subject, TextOptions, Told, Window, render_dossier,
        render_event,
    },
    repl::{self, Runner},
};

pub(super) const WHO: &str = "\
Examples:
  trailhound who ci-deployer
  trailhound who arn:aws:iam::111122223333:role/orders-service --since 2024-05-14
  trailhound who 111122223333 --json | jq .counterparts

A name stands for the users and roles that have it, and for sessions of that name. What nobody has
is no failure: the exit code is 0, and JSON has \"events\": 0 and what is near.";

pub(super) const IP: &str = "\
Examples:
  trailhound ip 203.0.113.77
  trailhound ip 203.0.113.0/24 --since 24h
  trailhound ip 2001:db8:4f3c::1a --json

An address that is nowhere is no failure: the exit code is 0, and JSON has \"events\": 0.";

pub(super) const API: &str = "\
Examples:
  trailhound api CreateAccessKey
  trailhound api iam:CreateAccessKey
  trailhound api iam.amazonaws.com CreateAccessKey --until 2024-05-14T03:00:00Z
  trailhound api 'iam:*'

A name without the API's version (CreateFunction) stands for all versions.";

pub(super) const KEY: &str = "\
Examples:
  trailhound key AKIAIOSFODNN7EXAMPLE
  trailhound key AKIAIOSFODNN7EXAMPLE --since 2024-05-14 --json

With the key's own history: who made it, changed it, asked about it, and which call issued it.";

pub(super) const RESOURCE: &str = "\
Examples:
  trailhound resource example-analytics-exports
  trailhound resource arn:aws:iam::111122223333:user/svc-backup-agent
  trailhound resource sg-0123456789abcdef0 --json

A resource is found where an event's resources have its ARN, or its name at the end of one, and
where a whole value of the request's parameters or of the response is the text. An ARN also stands
for its name in events of its own service and account.";

pub(super) const EVENT: &str = "\
Examples:
  trailhound event 71dc4a2b-1065-4fa8-b928-02e3f1b878c6
  trailhound event 71dc4a2b-1065-4fa8-b928-02e3f1b878c6 --json | jq .events[0].record";

/// The values of each dimension that are named unless told.
const TOP: u16 = 10;

/// The width of text where no screen has one.
const WIDTH: usize = 100;

/// A value to look for
#[derive(Debug, Args)]
pub(super) struct PivotArgs {
    /// What to look for; words are taken as one value
    #[arg(required = true, value_name = "VALUE")]
    value: Vec<String>,

    /// Only events of this time and later: 2024-01-31, 2024-01-31T08:00:00Z, 7d or 24h ago
    #[arg(long, value_name = "TIME", value_parser = values::since)]
    since: Option<i64>,

    /// Only events of this time and earlier; a day is meant whole
    #[arg(long, value_name = "TIME", value_parser = values::until)]
    until: Option<i64>,

    /// How many values of each kind are named
    #[arg(long, value_name = "N", default_value_t = TOP)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// An event to look for
#[derive(Debug, Args)]
pub(super) struct EventArgs {
    /// The event's id
    #[arg(value_name = "ID")]
    id: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn dossier(settings: &Settings, kind: Kind, args: &PivotArgs) -> Result<Outcome> {
    // What is wrong with the value is told before anything is opened.
    let subject = Subject::parse(kind, &args.value.join(" "))?;
    let options = DossierOptions {
        window: Window { since: args.since, until: args.until },
        top: usize::from(args.top),
        memory_bytes: settings.session().memory_bytes,
    };
    let session = open(settings)?;
    let runner = Runner::new(settings.threads)?;
    let told = runner.until_interrupted(dossier::dossier(&session, &subject, &options))?;
    show(settings, &told, args.json, |report| render_dossier(report, &text_options(settings)))
}

pub(super) fn event(settings: &Settings, args: &EventArgs) -> Result<Outcome> {
    let session = open(settings)?;
    let runner = Runner::new(settings.threads)?;
    let told = runner.until_interrupted(dossier::event(&session, &args.id))?;
    show(settings, &told, args.json, |report| render_event(report, &text_options(settings)))
}

fn open(settings: &Settings) -> Result<Session> {
    Session::open(Arc::clone(&open_cache(settings)?), &settings.session())
}

fn text_options(settings: &Settings) -> TextOptions {
    let screen = settings.screen;
    TextOptions {
        width: screen.size().map_or(WIDTH, |(width, _)| width),
        color: screen.stdout_color,
        unicode: repl::speaks_unicode(),
        is_prompt: false,
    }
}

/// Prints a report, and says what is to be said beside it.
fn show<T: serde::Serialize>(
    settings: &Settings,
    told: &Told<T>,
    json: bool,
    text: impl FnOnce(&T) -> String,
) -> Result<Outcome> {
    for notice in &told.notices {
        settings.screen.notice(notice);
    }
    if json {
        print(&format!("{}\n", output::json_text(&told.report)?))?;
    } else {
        print(&text(&told.report))?;
    }
    Ok(Outcome::Done)
}
