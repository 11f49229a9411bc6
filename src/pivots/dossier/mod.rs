//! The dossier: everything about one caller, address, API, access key or resource.
//!
//! One statement reads the subject's events, as few columns as the report needs, and `tally`
//! counts them by everything at once. What the rest of the cache has in common with them is found
//! from a few of its rows first; only what is not among those is looked up (`rest`). Values too
//! many for memory are counted in SQL (`top`).

mod chart;
mod columns;
mod counts;
mod event;
mod key;
mod names;
mod near;
mod next;
mod paper;
mod report;
mod rest;
mod subject;
mod tally;
mod text;
mod times;
mod top;

use std::{num::NonZeroUsize, sync::Arc, thread};

use futures::StreamExt as _;

pub use self::{
    event::{EqualCopy, EventRecord, EventReport, Neighbour, event, render_event},
    report::{
        Activity, Bucket, Counterpart, Counterparts, Dossier, Match, Near, Nothing, Novelty,
        Outside, Pivot, Span, Step,
    },
    subject::{Kind, Subject},
    tally::{Dimension, Window},
    text::{TextOptions, render_dossier},
};
use self::{
    tally::{Plan, Stat, Tally, Tallying},
    times::instant,
};
use crate::{ErrorKind, Result, engine::Session};

/// The fewest bytes that the values of all dimensions may take.
const MIN_BUDGET_BYTES: usize = 1 << 20;

/// How a dossier is made.
#[derive(Debug, Clone, Copy)]
pub struct DossierOptions {
    /// The window of time.
    pub window: Window,
    /// How many values of each dimension are named.
    pub top: usize,
    /// Memory to work with, in bytes.
    pub memory_bytes: usize,
}

/// A report, and what is to be said beside it on stderr.
#[derive(Debug, Clone)]
pub struct Told<T> {
    /// The report.
    pub report: T,
    /// One line each.
    pub notices: Vec<String>,
}

/// Makes the dossier on `subject`.
///
/// # Errors
/// The cache cannot be read.
pub async fn dossier(
    session: &Session,
    subject: &Subject,
    options: &DossierOptions,
) -> Result<Told<Dossier>> {
    let ((tally, mut notices), others) =
        tokio::try_join!(tallied(session, subject, options), rest::others(session, subject))?;
    for notice in asked_beyond(session, subject, options.window).await? {
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }
    let (events, total) = tally.totals.all.map_or((0, 0), |all| (all.events, all.total));
    let mut found = Found::default();
    if total == 0 {
        found.nothing = Some(near::nothing(session, subject).await?);
    }
    if events == 0 {
        found.history = key::history(session, subject).await?;
    } else {
        (found.only_here, found.tops, found.history) = tokio::try_join!(
            rest::only_here(session, subject, &tally, &others, options.top),
            top::overflowed(session, subject, &tally, options),
            key::history(session, subject),
        )?;
    }
    Ok(Told { report: assembled(subject, options, tally, found), notices })
}

/// What was found beside the counts.
#[derive(Debug, Default)]
struct Found {
    nothing: Option<Nothing>,
    only_here: Vec<Novelty>,
    /// The dimensions that had too many values to count in memory.
    tops: Vec<Counterparts>,
    history: Vec<Step>,
}

/// Counts the subject's events, those outside the window too: what is new needs them.
async fn tallied(
    session: &Session,
    subject: &Subject,
    options: &DossierOptions,
) -> Result<(Tally, Vec<String>)> {
    let plan = Plan { window: options.window, needle: subject.needle.clone() };
    // Nothing else that is kept meanwhile is of size: the scan needs the rest.
    let budget = (options.memory_bytes / 4 * 3).max(MIN_BUDGET_BYTES);
    let tallying = Arc::new(Tallying::new(plan, budget));
    let mut columns = vec![
        "event_ts",
        "outcome",
        "awsregion",
        "eventsource",
        "eventname",
        "is_write",
        "errorcode",
        "principal_key",
        "session_name",
        "sourceipaddress",
        "useragent",
        "useridentity.accesskeyid AS accesskeyid",
        "recipientaccountid",
        "actor_account",
        "resources",
        "requestparameters",
    ];
    if subject.needle.is_some() {
        columns.push("responseelements");
    }
    let sql =
        format!("SELECT {} FROM cloudtrail_logs WHERE {}", columns.join(", "), subject.condition);
    let (mut notices, mut closing) = (Vec::new(), None);
    for mut statement in session.parse(&sql, None)? {
        statement.parameters = Arc::from(subject.parameters.clone());
        let answer = session.run(&statement).await?;
        notices.extend(answer.notices);
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut counted = answer
            .rows
            .map(|batch| {
                let tallying = Arc::clone(&tallying);
                async move {
                    let batch = batch?;
                    Ok(tokio::task::spawn_blocking(move || tallying.count(&batch)).await)
                }
            })
            .buffer_unordered(threads);
        while let Some(done) = counted.next().await {
            let done = done.map_err(|error| session.explain(&statement, error))?;
            done.map_err(|panicked| ErrorKind::Engine(Box::new(panicked)))??;
        }
        drop(counted);
        closing = Some(answer.outcome);
    }
    let tally = Arc::into_inner(tallying)
        .ok_or_else(|| ErrorKind::Engine("events of the dossier are still being counted".into()))?;
    let tally = tally.finish();
    if let Some(outcome) = closing.filter(|_| tally.totals.all.is_none()) {
        notices.extend(outcome.closing_notices().await);
    }
    Ok((tally, notices))
}

/// What is to be said where the window, or the API, reaches beyond what the cache covers. The
/// statement is planned and not run.
async fn asked_beyond(session: &Session, subject: &Subject, window: Window) -> Result<Vec<String>> {
    let mut conditions: Vec<String> = subject.asks.iter().cloned().collect();
    let mut parameters = subject.parameters.clone();
    for (name, operator, time) in [("since", ">=", window.since), ("until", "<=", window.until)] {
        if let Some(time) = time {
            conditions.push(format!("event_ts {operator} from_iso8601_timestamp(:{name})"));
            parameters.push((name.to_owned(), subject::literal(&instant(time))));
        }
    }
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT 1 FROM cloudtrail_logs WHERE {}", conditions.join(" AND "));
    let mut notices = Vec::new();
    for mut statement in session.parse(&sql, None)? {
        statement.parameters = Arc::from(parameters.clone());
        notices.extend(session.run(&statement).await?.notices);
    }
    Ok(notices)
}

/// Puts the report together.
fn assembled(
    subject: &Subject,
    options: &DossierOptions,
    mut tally: Tally,
    found: Found,
) -> Dossier {
    let all = tally.totals.all.unwrap_or(Stat::NONE);
    let (first_seen, last_seen) = seen(all.times);
    let window = options.window;
    let outside = window.is_bounded().then(|| {
        let (first_seen, last_seen) = seen(tally.totals.span);
        let after = all.total - all.before - all.events;
        Outside { before: all.before, after, first_seen, last_seen }
    });
    let new_in_window = match window.since {
        Some(_) if all.before > 0 => rest::new_in_window(&tally, subject.kind, options.top),
        _ => Vec::new(),
    };
    let matches = matches(subject, &tally);
    let counterparts = counterparts(&tally, found.tops, options.top);
    let activity = activity(&mut tally.totals.activity);
    let mut dossier = Dossier {
        kind: subject.kind,
        value: subject.value.clone(),
        read_as: subject.read_as,
        matches,
        window: window
            .is_bounded()
            .then(|| Span { since: window.since.map(instant), until: window.until.map(instant) }),
        events: all.events,
        failed: all.failed,
        first_seen,
        last_seen,
        outside,
        activity,
        counterparts,
        only_here: found.only_here,
        new_in_window,
        history: found.history,
        next: Vec::new(),
        nothing: found.nothing,
    };
    dossier.next = next::pivots(&dossier);
    dossier
}

/// The values of each dimension that has any: those in `tops` are counted already.
fn counterparts(tally: &Tally, mut tops: Vec<Counterparts>, top: usize) -> Vec<Counterparts> {
    for (dimension, values) in &tally.values {
        let (distinct, first) = values.ranked(top + 1, |_| true);
        if distinct > 0 {
            tops.push(Counterparts {
                dimension: *dimension,
                distinct: Some(distinct),
                top: named(distinct, first, top),
            });
        }
    }
    tops.sort_by_key(|counted| counted.dimension);
    tops
}

fn seen(times: Option<(i64, i64)>) -> (Option<String>, Option<String>) {
    (times.map(|(first, _)| instant(first)), times.map(|(_, last)| instant(last)))
}

/// The first `top` of `distinct` values; one more where that is all there are.
fn named(distinct: u64, mut first: Vec<(&str, &Stat)>, top: usize) -> Vec<Counterpart> {
    if distinct > top as u64 + 1 {
        first.truncate(top);
    }
    first.into_iter().map(counterpart).collect()
}

fn counterpart((value, stat): (&str, &Stat)) -> Counterpart {
    let (first_seen, last_seen) = seen(stat.times);
    Counterpart {
        value: value.to_owned(),
        events: stat.events,
        failed: stat.failed,
        first_seen,
        last_seen,
    }
}

/// What a caller's name turned out to be: principals that end in it, and others in whose sessions
/// it is the name.
fn matches(subject: &Subject, tally: &Tally) -> Vec<Match> {
    if subject.kind != Kind::Who || !matches!(subject.read_as, "name" | "service" | "principal id")
    {
        return Vec::new();
    }
    let Some(principals) = tally.values.get(&Dimension::Principals) else { return Vec::new() };
    let (_, principals) = principals.ranked(usize::MAX, |_| true);
    let mut matches: Vec<Match> = principals
        .into_iter()
        .map(|(principal, stat)| Match {
            what: what(principal, &subject.value),
            principal: principal.to_owned(),
            events: stat.events,
        })
        .collect();
    matches.sort_by(|a, b| {
        (a.what == "session").cmp(&(b.what == "session")).then(b.events.cmp(&a.events))
    });
    matches
}

/// What `principal` is to whom its name, or its session's, is `name`.
fn what(principal: &str, name: &str) -> &'static str {
    let is_own = principal
        .strip_suffix(name)
        .is_some_and(|head| head.is_empty() || head.ends_with('/') || head.ends_with('|'));
    match principal {
        _ if !is_own && principal.contains(":user/") => "user",
        _ if !is_own && !principal.starts_with("arn:") => "user name",
        _ if !is_own => "session",
        _ if principal.contains(":user/") => "user",
        _ if principal.contains(":role/") || principal.contains(":assumed-role/") => "role",
        _ if principal.contains(":federated-user/") => "federated user",
        _ if principal.contains("amazonaws.com") => "service",
        _ => "principal",
    }
}

/// The events by the hour, or by longer stretches where there are too many.
fn activity(activity: &mut tally::Activity) -> Activity {
    let ordered = |activity: &tally::Activity| {
        let mut fine: Vec<(i64, u64, u64)> = activity
            .stretches
            .iter()
            .map(|(stretch, (events, failed))| (*stretch, *events, *failed))
            .collect();
        fine.sort_unstable();
        fine
    };
    let (fine, fine_seconds) = (ordered(activity), activity.seconds);
    if activity.seconds < times::HOUR {
        activity.coarsen_to(times::HOUR);
    }
    let seconds = activity.seconds;
    let buckets = ordered(activity)
        .into_iter()
        .map(|(stretch, events, failed)| Bucket {
            from: instant(stretch.saturating_mul(seconds).saturating_mul(1_000_000)),
            events,
            failed,
        })
        .collect();
    Activity { unit: times::unit(seconds), buckets, fine, fine_seconds }
}
