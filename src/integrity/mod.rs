//! Whether log files are what CloudTrail delivered: chains of digest files, verified.
//!
//! ```text
//! sources ─ collect ─► digests ─ read ─► chains ─ walk ─► which digests are genuine ─┐
//!                 └──► logs ─ read ─► hashes ────────────────────── check ◄──────────┴─► report
//! ```
//!
//! An account and region after the other, each on all threads. What can be found of a file is in
//! [`Reason`]; the rules are AWS's ("Validating CloudTrail log file integrity" in the CloudTrail
//! User Guide), and where the AWS CLI has a verdict, this has the same: `docs/INTEGRITY.md` says
//! where it goes further. A file is only ever valid if a signature that one of CloudTrail's keys
//! made leads to it.

mod chain;
mod check;
mod collect;
mod digest;
mod group;
mod key;
mod place;
mod report;
mod signature;
mod stops;
mod store;
mod time;
mod verdict;

use std::{
    borrow::Borrow,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Instant,
};

use self::{collect::Found, group::Verified, store::Store};
pub use self::{
    key::{Key, KeyRing},
    report::{
        ChainName, ChainRow, Counts, DigestRow, FileVersion, HoleRow, LogRow, Span, UnreadRow,
        VerifyReport,
    },
    stops::TrailEvent,
    verdict::{Reason, Status},
};
use crate::{
    Result,
    aws::AwsOptions,
    cache::Cache,
    ingest::{InflateLimits, Progress},
    source::{FetchOptions, Fetcher, Filter, LogFile},
};

/// What to verify, and how.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The sources: files, directories, archives.
    pub sources: Vec<String>,
    /// Which of their files.
    pub filter: Filter,
    /// Whether versions of objects that were deleted or overwritten are verified as well.
    pub versions: bool,
    /// S3 Inventory reports that tell the keys of buckets.
    pub inventories: Vec<String>,
    /// Whether a copy outside S3 is invalid when its path is not the end of its key.
    pub strict_path: bool,
    /// Whether the report names valid files, too.
    pub name_all: bool,
    /// How AWS is reached, for sources in S3.
    pub aws: AwsOptions,
    /// Bounds on inflation.
    pub inflate: InflateLimits,
    /// Memory for objects that are fetched ahead, in bytes.
    pub memory_bytes: usize,
    /// Where spools go.
    pub temp_dir: PathBuf,
    /// Threads that work at once.
    pub threads: usize,
}

/// Gives the public keys of a region that were valid between two times, in microseconds since
/// 1970: those read from files, or those that CloudTrail lists.
pub type KeysOf<'a> = &'a (dyn Fn(&str, i64, i64) -> Result<KeyRing> + Sync);

/// Verifies what `options` name with the keys that `keys` gives. With a cache, what it knows of
/// unchanged files is not read again, and findings are kept in it, an account and region at a time.
///
/// # Errors
/// A source cannot be listed, keys cannot be had, or the cache cannot be read or written. Files
/// that cannot be read are no error: they are in the report, and so is what was done when
/// [`Progress::cancelled`] was set.
pub fn run(
    options: &VerifyOptions,
    keys: KeysOf<'_>,
    cache: Option<&Cache>,
    progress: &Progress,
) -> Result<VerifyReport> {
    let fetcher = Arc::new(Fetcher::new(FetchOptions {
        memory_bytes: (options.memory_bytes / 8) as u64,
        cancelled: Arc::clone(&progress.cancelled),
        traffic: Arc::clone(&progress.traffic),
        ..FetchOptions::default()
    }));
    let result = verify(options, keys, cache, progress, &fetcher);
    fetcher.stop();
    result
}

fn verify(
    options: &VerifyOptions,
    keys: KeysOf<'_>,
    cache: Option<&Cache>,
    progress: &Progress,
    fetcher: &Arc<Fetcher>,
) -> Result<VerifyReport> {
    let started_at = Instant::now();
    let found = Found::list(options, fetcher, progress)?;
    let n_files: usize = found.groups.iter().map(collect::Group::n_files).sum();
    progress.files_total.fetch_add(n_files as u64, Ordering::Relaxed);
    let store = cache.map(Store::open).transpose()?;
    let mut report = VerifyReport {
        requested: Span { from: options.filter.since, to: options.filter.until },
        other_files: found.n_other,
        notices: found.notices,
        ..VerifyReport::default()
    };
    for (uri, reason) in found.faults {
        report.unread.push(UnreadRow { uri, reason });
    }
    let mut events = Vec::new();
    for group in found.groups {
        let work = group::Work {
            options,
            keys,
            sidecars: &found.sidecars,
            store: store.as_ref(),
            progress,
        };
        let Some(verified) = work.run(&group)? else {
            report.interrupted = true;
            break;
        };
        if let Some(store) = &store {
            store.keep(&verified)?;
        }
        add(&mut report, verified, &mut events, options.name_all);
    }
    if let Some(store) = &store {
        events.extend(store.trail_events(&report)?);
    }
    explain(&mut report, events);
    notice(&mut report);
    report.seconds = started_at.elapsed().as_secs_f64();
    Ok(report)
}

/// Adds what was found of an account and region.
fn add(report: &mut VerifyReport, verified: Verified, events: &mut Vec<TrailEvent>, all: bool) {
    for row in verified.digests {
        let Some(status) = row.status else { continue };
        let counts =
            if row.chain.backfill { &mut report.backfill_digests } else { &mut report.digests };
        counts.add(status);
        if let (Status::Valid, Some(from), Some(to)) = (status, row.span.from, row.span.to) {
            report.found.widen(from, to);
        }
        if all || status != Status::Valid || !row.warnings.is_empty() {
            report.digest_files.push(row);
        }
    }
    for row in verified.logs {
        let Some(status) = row.status else { continue };
        report.logs.add(status);
        if all || status != Status::Valid || !row.warnings.is_empty() {
            report.log_files.push(row);
        }
    }
    report.chains.extend(verified.chains);
    report.missing_hours.extend(verified.missing);
    report.gaps.extend(verified.gaps);
    report.log_files_unchanged += verified.n_unchanged;
    report.inflated_bytes += verified.inflated_bytes;
    events.extend(verified.stops);
}

/// Lays calls that stop digests beside the times without them.
fn explain(report: &mut VerifyReport, mut events: Vec<TrailEvent>) {
    events.sort();
    events.dedup_by(|a, b| a.event_id == b.event_id && a.event_time == b.event_time);
    let explaining = |trail: &str, from: Option<i64>, to: Option<i64>| -> Vec<TrailEvent> {
        let Some(span) = from.zip(to) else { return Vec::new() };
        events.iter().filter(|event| event.explains(trail, span)).cloned().collect()
    };
    for hole in report.gaps.iter_mut().chain(&mut report.missing_hours) {
        hole.events = explaining(&hole.chain.trail, hole.span.from, hole.span.to);
    }
    for chain in &mut report.chains {
        let end = chain.span.to;
        chain.ended_by = explaining(&chain.chain.trail, end, end.map(|end| end + time::HOUR));
    }
}

/// Says what concerns all files alike.
fn notice(report: &mut VerifyReport) {
    if !report.has_digests() {
        report.notices.push(
            "there are no digest files: log file validation was off, or they were not copied; they \
             lie beside the logs, below `CloudTrail-Digest`"
                .to_owned(),
        );
        return;
    }
    let valid = report.digests.valid + report.backfill_digests.valid;
    let no_key = |row: &&DigestRow| matches!(row.reason, Some(Reason::KeyNotFound { .. }));
    let n_no_key = report.digest_files.iter().filter(no_key).count();
    if valid == 0 && n_no_key > 0 {
        let regions: std::collections::BTreeSet<&str> =
            report.digest_files.iter().filter(no_key).map(|row| &*row.chain.region).collect();
        let regions: Vec<&str> = regions.into_iter().collect();
        report.notices.push(format!(
            "no digest was signed with any of the public keys: keys belong to a region and a time, \
             so these need those of {}",
            regions.join(", ")
        ));
    }
}

/// Whose turn it is.
#[derive(Debug, Default)]
struct Turns {
    /// The file whose turn comes next.
    next: usize,
    /// The first file that was not told to its store.
    told: usize,
}

/// How many files are told ahead to a store that takes its time.
const AHEAD: usize = 512;

/// Runs `work` on each of `files` on all threads, results in their order; nothing when the user
/// stopped it.
fn on_all_threads<F: Borrow<LogFile> + Sync, R: Send, S>(
    files: &[F],
    threads: usize,
    progress: &Progress,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&LogFile, &mut S) -> R + Sync,
) -> Option<Vec<R>> {
    let turns: Mutex<Turns> = Mutex::default();
    // A file is told before its turn or never: told later, it would be fetched once more.
    let next_turn = || {
        let mut turns = turns.lock().unwrap_or_else(PoisonError::into_inner);
        let at = turns.next;
        turns.next += 1;
        turns.told = turns.told.max(turns.next);
        while let Some(file) = files.get(turns.told).filter(|_| turns.told < at + AHEAD) {
            let file: &LogFile = file.borrow();
            if !file.opener.prepare(file) {
                break;
            }
            turns.told += 1;
        }
        at
    };
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, files.len().max(1)) {
            scope.spawn(|| {
                let (mut scratch, mut own) = (scratch(), Vec::new());
                while !progress.cancelled.load(Ordering::Relaxed) {
                    let at = next_turn();
                    let Some(file) = files.get(at) else { break };
                    own.push((at, work(file.borrow(), &mut scratch)));
                    progress.files_done.fetch_add(1, Ordering::Relaxed);
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    (done.len() == files.len()).then(|| done.into_iter().map(|(_, result)| result).collect())
}

/// Bytes as lower-case hexadecimal.
fn hex(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(text.to_ascii_lowercase()).ok().map(Into::into)
}
