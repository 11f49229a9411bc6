//! The event history of an account as a source: what `CloudTrail` remembers without a trail.
//!
//! 90 days of management events a region, from `CloudTrail`'s own API. Each hour of a region is a
//! file, `event-history://ACCOUNT/REGION/2026-11-01T00:00:00Z/PT1H`, and what came of it stands in
//! the ledger, so that a later run asks for no hour twice. Only hours that were not over, or hardly,
//! when they were asked for are asked for again: `CloudTrail` may be minutes late.

mod fetch;
mod progress;
mod regions;
mod window;

use std::{
    path::Path,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chrono::{DateTime, Datelike as _};
use futures::future::join_all;
use serde::Deserialize;

pub use self::progress::HistoryProgress;
use self::{fetch::Region, window::Window};
use super::{Filter, ListOptions, Listing, LogFile, Unread, Why};
use crate::{
    ErrorKind, Result,
    aws::{
        Aws, AwsOptions, Failure, FailureKind,
        cloudtrail::{EventHistory, HistoryPage},
    },
    logs::cloudtrail::key::LogKey,
};

/// What the SOURCE of an event history, and the URIs in it, begin with.
pub const SCHEME: &str = "event-history://";

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;

/// How far back `CloudTrail` remembers.
///
/// Source: "Working with `CloudTrail` Event history" of the `CloudTrail` User Guide.
const MEMORY: i64 = 90 * 24 * HOUR;

/// How late events may arrive and still be asked for. They take some five minutes on average
/// (the same source); there is no bound.
const LATENESS: i64 = 15 * 60 * SECOND;

/// How often who waits looks whether the user interrupted.
const LOOK: Duration = Duration::from_millis(100);

/// What all windows of an account share.
#[derive(Debug)]
struct History {
    /// Keeps the connection as long as there are windows.
    aws: Arc<Aws>,
    regions: Vec<Arc<Region>>,
    temp_dir: Arc<Path>,
    progress: Arc<HistoryProgress>,
    /// Is set to stop.
    cancelled: Arc<AtomicBool>,
    started: Once,
}

impl History {
    /// Begins to fetch all regions side by side: by now the ledger has let go of the windows that
    /// it has.
    fn start(&self) {
        self.started.call_once(|| {
            for region in &self.regions {
                let (temp_dir, progress) = (Arc::clone(&self.temp_dir), Arc::clone(&self.progress));
                let fetching = Arc::clone(region).fetch_all(temp_dir, progress);
                drop(self.aws.spawn(fetching));
            }
        });
    }
}

/// The times asked for, in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// The first moment that is still remembered.
    oldest: i64,
    /// The first and last moment asked for.
    since: i64,
    until: i64,
    now: i64,
}

impl Times {
    fn new(filter: &Filter) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        // A minute less: what is asked for at the very end of memory is gone when it is looked for.
        let oldest = now - MEMORY + 60 * SECOND;
        let since = filter.since.unwrap_or(oldest).max(oldest);
        Self { oldest, since, until: filter.until.unwrap_or(now).min(now), now }
    }

    /// The hours asked for, by their first moment.
    fn hours(self) -> impl Iterator<Item = i64> {
        let first = self.since.div_euclid(HOUR);
        (first..=self.until.div_euclid(HOUR)).map(|hour| hour * HOUR)
    }
}

/// What one region answered when it was first asked.
struct Answer {
    region: String,
    client: EventHistory,
    page: std::result::Result<HistoryPage, Failure>,
}

/// Adds the windows of the event history of the credentials' account to `listing`.
///
/// # Errors
/// No region answers, or it is not known whose events these are.
pub(super) fn list(
    source: &str,
    aws: &Arc<Aws>,
    options: &ListOptions<'_>,
    listing: &mut Listing,
) -> Result<()> {
    if source != SCHEME {
        return Err(ErrorKind::Source {
            uri: source.to_owned(),
            reason: format!(
                "it is `{SCHEME}` alone: --region chooses regions, --profile the account"
            ),
        }
        .into());
    }
    let times = Times::new(options.filter);
    remind(options.filter, times, listing);
    if times.since > times.until {
        return Ok(());
    }
    let answers = ask(aws, options, times)?;
    let account = account(aws, &answers)?;
    if !options.filter.accounts.is_empty() && !options.filter.accounts.contains(&account) {
        let text =
            format!("the credentials are those of account {account}, which --account leaves out");
        listing.notices.push(text);
        return Ok(());
    }
    let n_asked = answers.len();
    let (mut read, mut empty, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    for answer in answers {
        match &answer.page {
            Ok(page) if page.events.is_empty() && page.next.is_none() => empty.push(answer.region),
            Ok(_) => read.push(answer),
            Err(failure) if is_closed(&answer.region, failure, options.filter) => {
                closed.push(answer.region);
            }
            Err(failure) => {
                let (region, times) = (answer.region.clone(), (times.oldest, times.now));
                let lost = Region::new(region, answer.client.clone(), times).lost(failure);
                let uri = format!("{SCHEME}{account}/{}", answer.region);
                listing.unread.push(unread(uri, &account, Why::Fault(lost.reason)));
            }
        }
    }
    if let Some(kind) = nothing_there(&empty, &closed) {
        listing.unread.push(unread(format!("{SCHEME}{account}"), &account, Why::Other(kind)));
    }
    let names: Vec<&str> = read.iter().map(|answer| answer.region.as_str()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    listing.notices.push(format!(
        "of {n_asked} regions asked, the event history of account {account} has events in: {names}"
    ));
    windows(&account, read, times, (aws, options), listing);
    Ok(())
}

/// Tells what an event history does not hold.
fn remind(filter: &Filter, times: Times, listing: &mut Listing) {
    let lacks =
        "an event history holds management events alone: no data events, no network activity";
    listing.notices.push(lacks.to_owned());
    if filter.since.is_some_and(|since| since < times.oldest) {
        listing.notices.push(format!(
            "an event history reaches back 90 days, to {}: only a trail has what is older",
            instant(times.oldest)
        ));
    }
}

/// Asks each region for its latest events of that time, all at once.
fn ask(aws: &Arc<Aws>, options: &ListOptions<'_>, times: Times) -> Result<Vec<Answer>> {
    let (connection, mut names) = (Arc::clone(aws), options.filter.regions.clone());
    let cancelled = Arc::clone(options.cancelled);
    let answers = aws.wait(async move {
        if names.is_empty() {
            names = regions::of_partition(&connection.home_region().await);
        }
        names.sort();
        names.dedup();
        let asked = names.into_iter().map(|region| {
            let aws = Arc::clone(&connection);
            async move {
                let client = aws.event_history(&region).await;
                let page = client.page(times.since, times.until, None).await;
                Answer { region, client, page }
            }
        });
        let interrupted = async {
            while !cancelled.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK).await;
            }
        };
        Ok(tokio::select! {
            answers = join_all(asked) => Some(answers),
            () = interrupted => None,
        })
    });
    let answers = answers.map_err(|failure| refused(&failure, "", aws.options()))?;
    let answers = answers.ok_or(ErrorKind::Interrupted)?;
    match answers.iter().find_map(|answer| Some((answer.page.as_ref().err()?, &answer.region))) {
        Some((failure, region)) if answers.iter().all(|answer| answer.page.is_err()) => {
            Err(refused(failure, region, aws.options()).into())
        }
        _ => Ok(answers),
    }
}

fn refused(failure: &Failure, region: &str, options: &AwsOptions) -> ErrorKind {
    let help = match failure.kind {
        FailureKind::Denied => Some(
            "the policy must allow cloudtrail:LookupEvents in each region that is to be read"
                .to_owned(),
        ),
        _ => failure.advice(options),
    };
    let (action, uri) = ("read", format!("{SCHEME}{region}"));
    ErrorKind::S3 { action, uri, reason: failure.text.clone(), help }
}

/// Whether a region may just not be enabled for the account; one that was named is to be read.
fn is_closed(region: &str, failure: &Failure, filter: &Filter) -> bool {
    failure.kind == FailureKind::Credentials
        && filter.regions.is_empty()
        && regions::is_opt_in(region)
}

/// What is said of regions in which there is nothing to read.
fn nothing_there(empty: &[String], closed: &[String]) -> Option<String> {
    let of = |what: &str, regions: &[String]| {
        (!regions.is_empty()).then(|| format!("{what}: {}", regions.join(", ")))
    };
    let parts = [
        of("event histories without events in the time asked for", empty),
        of(
            "regions that do not accept the credentials (not enabled for the account, or closed to \
             session tokens of STS's global endpoint)",
            closed,
        ),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn unread(uri: String, account: &str, why: Why) -> Unread {
    Unread { uri: uri.into(), container: None, source: source_of(account), why }
}

fn source_of(account: &str) -> Arc<str> {
    format!("{SCHEME}{account}").into()
}

/// Whose events these are: that account's whose trail would have recorded them, as the events
/// themselves say. Only where there is none, what the credentials say: keys alone do not.
fn account(aws: &Arc<Aws>, answers: &[Answer]) -> Result<String> {
    let mut pages = answers.iter().filter_map(|answer| answer.page.as_ref().ok());
    let recipient = pages.find_map(|page| page.events.iter().find_map(|e| recipient(e.json.get())));
    if let Some(account) = recipient {
        return Ok(account);
    }
    let connection = Arc::clone(aws);
    let own = aws.wait(async move { Ok(connection.own_account().await) });
    own.ok().flatten().ok_or_else(|| {
        ErrorKind::Source {
            uri: SCHEME.to_owned(),
            reason: "no region asked has an event in the time asked for, so there is nothing to \
                     read, and nothing says whose history it is"
                .to_owned(),
        }
        .into()
    })
}

/// The account in whose history an event stands.
fn recipient(event: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Event {
        #[serde(rename = "CloudTrailEvent")]
        record: String,
    }
    #[derive(Deserialize)]
    struct Record {
        #[serde(rename = "recipientAccountId")]
        account: String,
    }
    let event: Event = serde_json::from_str(event).ok()?;
    let record: Record = serde_json::from_str(&event.record).ok()?;
    let is_account =
        record.account.len() == 12 && record.account.bytes().all(|b| b.is_ascii_digit());
    is_account.then_some(record.account)
}

/// Adds the windows of the regions that have events.
fn windows(
    account: &str,
    read: Vec<Answer>,
    times: Times,
    (aws, options): (&Arc<Aws>, &ListOptions<'_>),
    listing: &mut Listing,
) {
    let regions: Vec<Arc<Region>> = read
        .into_iter()
        .map(|answer| Region::new(answer.region, answer.client, (times.oldest, times.now)))
        .map(Arc::new)
        .collect();
    let history = Arc::new(History {
        aws: Arc::clone(aws),
        regions: regions.clone(),
        temp_dir: options.temp_dir.into(),
        progress: Arc::clone(options.histories),
        cancelled: Arc::clone(options.cancelled),
        started: Once::new(),
    });
    let source = source_of(account);
    for region in regions {
        for start in times.hours() {
            let key = LogKey {
                account: Some(account.to_owned()),
                region: Some(region.name.clone()),
                day: day(start),
                kind: Some("CloudTrail".to_owned()),
            };
            if !options.filter.chooses(&key) {
                continue;
            }
            let end = start + HOUR;
            let window = Window::new(start, end, Arc::clone(&region), Arc::clone(&history));
            let window = Arc::new(window);
            region.add(&window);
            let is_settled = end + LATENESS <= times.now;
            listing.files.push(LogFile {
                // What may still change is another one each time it is listed.
                modified_at: Some(if is_settled { end } else { times.now }),
                key: Arc::new(key),
                ..LogFile::new(
                    format!("{source}/{}/{}/PT1H", region.name, instant(start)).into(),
                    Arc::clone(&source),
                    window,
                )
            });
        }
    }
}

/// A moment as ISO 8601 has it, in UTC.
fn instant(micros: i64) -> String {
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn day(micros: i64) -> Option<(i32, u32, u32)> {
    let time = DateTime::from_timestamp_micros(micros)?;
    Some((time.year(), time.month(), time.day()))
}
