//! How logs enter the cache: plan, fetch, inflate, decode, deduplicate, write; the report.

mod books;
mod commit;
mod dedupe;
pub(crate) mod inflate;
mod ledger;
mod plan;
mod round;
mod stream;
mod worker;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use serde::Serialize;

use self::{
    commit::Committer,
    ledger::Ledger,
    plan::Planned,
    round::{Context, Driver},
};
use crate::{
    ErrorKind, Result,
    aws::AwsOptions,
    cache::{Cache, CompactOptions, SweepOptions},
    logs::Limits,
    source::{self, FetchOptions, Fetcher, Filter, ListOptions, Traffic},
};

/// Memory for rows in flight unless told: with it, the whole process stays below 1 GiB.
pub const DEFAULT_MEMORY_BYTES: usize = 512 << 20;

/// What to ingest, and within which bounds.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// The sources: files, directories, archives, `s3://bucket/prefix`, `-`.
    pub sources: Vec<String>,
    /// Which of their files.
    pub filter: Filter,
    /// How AWS is reached, for sources in S3.
    pub aws: AwsOptions,
    /// Whether versions of objects that were deleted or overwritten are read as well.
    pub versions: bool,
    /// S3 Inventory reports that stand in for listings: manifests, or folders with one.
    pub inventories: Vec<String>,
    /// Bounds on one record.
    pub limits: Limits,
    /// Bounds on inflation.
    pub inflate: InflateLimits,
    /// Memory for rows in flight, in bytes.
    pub memory_bytes: usize,
    /// Worker threads; as many as cores unless told.
    pub threads: usize,
    /// Where spools go.
    pub temp_dir: std::path::PathBuf,
}

/// Bounds on what one file may inflate to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InflateLimits {
    /// Inflated bytes for each stored byte, once 64 MiB have come out.
    pub max_ratio: u64,
    /// Inflated bytes of one file.
    pub max_bytes: u64,
}

impl Default for InflateLimits {
    fn default() -> Self {
        Self { max_ratio: 250, max_bytes: 64 << 30 }
    }
}

/// How far an ingest is; shared with whoever draws it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Objects of buckets that were listed so far.
    pub n_listed: AtomicU64,
    /// Files the plan holds so far.
    pub files_total: AtomicU64,
    /// Stored bytes the plan holds so far.
    pub bytes_total: AtomicU64,
    /// Files done with, whatever the outcome.
    pub files_done: AtomicU64,
    /// Stored bytes done with.
    pub bytes_done: AtomicU64,
    /// Records read.
    pub records: AtomicU64,
    /// Files skipped.
    pub skipped: AtomicU64,
    /// What came from buckets.
    pub traffic: Arc<Traffic>,
    /// Set it to stop after what is being committed.
    pub cancelled: Arc<AtomicBool>,
}

/// What an ingest did: the object that `ingest --json` prints. The counts are those of what is
/// committed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IngestReport {
    /// Files by outcome; `seen` is their sum.
    pub files: FileCounts,
    /// Records; `read = written + duplicates + rejected`.
    pub records: RecordCounts,
    /// Bytes read.
    pub bytes: ByteCounts,
    /// Wall-clock time.
    pub seconds: f64,
    /// Faults: unreadable, damaged, over a limit.
    pub skipped: Vec<Skipped>,
    /// Recognised, but no CloudTrail log.
    pub other: Vec<OtherFile>,
    /// What to tell people beside it: what the choice of files may hide.
    #[serde(skip)]
    pub notices: Vec<String>,
}

/// Files by outcome.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileCounts {
    /// All of them.
    pub seen: u64,
    /// Read and in the cache.
    pub ingested: u64,
    /// As in the ledger; not opened.
    pub unchanged: u64,
    /// No CloudTrail logs.
    pub other: u64,
    /// Faults.
    pub skipped: u64,
}

/// Records by outcome.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RecordCounts {
    /// All of them.
    pub read: u64,
    /// Rows added.
    pub written: u64,
    /// Copies of rows that are in the cache.
    pub duplicates: u64,
    /// Kept in `rejects`.
    pub rejected: u64,
}

/// Bytes of the files that were read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ByteCounts {
    /// As stored.
    pub compressed: u64,
    /// After inflation.
    pub raw: u64,
}

/// A fault.
#[derive(Debug, Clone, Serialize)]
pub struct Skipped {
    /// The file's URI.
    pub path: String,
    /// Where in its inflated bytes, if there is a place.
    pub offset: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

/// A file that is no CloudTrail log.
#[derive(Debug, Clone, Serialize)]
pub struct OtherFile {
    /// The file's URI.
    pub path: String,
    /// What it is.
    pub kind: String,
}

/// Ingests what `options` name into `cache`.
///
/// # Errors
/// A source cannot be listed, or the cache cannot be written, or the work was cancelled. Files
/// that cannot be read are no error: they are in the report.
pub fn run(
    cache: &Cache,
    options: &IngestOptions,
    progress: &Arc<Progress>,
) -> Result<IngestReport> {
    let mut report = IngestReport::default();
    run_into(cache, options, progress, &mut report)?;
    Ok(report)
}

/// As [`run`], with a report that holds what is committed when it ends in an error, too.
///
/// # Errors
/// As [`run`]; [`ErrorKind::Interrupted`] when [`Progress::cancelled`] was set.
pub fn run_into(
    cache: &Cache,
    options: &IngestOptions,
    progress: &Arc<Progress>,
    report: &mut IngestReport,
) -> Result<()> {
    let started_at = Instant::now();
    // Tidying needs the memory that the plan took.
    let result = ingest(cache, options, progress, report).and_then(|()| tidy(cache, options));
    report.seconds = started_at.elapsed().as_secs_f64();
    result
}

fn ingest(
    cache: &Cache,
    options: &IngestOptions,
    progress: &Arc<Progress>,
    report: &mut IngestReport,
) -> Result<()> {
    let fetcher = Arc::new(Fetcher::new(FetchOptions {
        memory_bytes: fetch_bytes(options.memory_bytes) as u64,
        cancelled: Arc::clone(&progress.cancelled),
        traffic: Arc::clone(&progress.traffic),
        ..FetchOptions::default()
    }));
    let result = ingest_with(&fetcher, cache, options, progress, report);
    fetcher.stop();
    result
}

/// Memory for objects of buckets that are fetched ahead: a part of `memory_bytes`.
fn fetch_bytes(memory_bytes: usize) -> usize {
    (memory_bytes / 16).clamp(1 << 20, 256 << 20)
}

fn ingest_with(
    fetcher: &Arc<Fetcher>,
    cache: &Cache,
    options: &IngestOptions,
    progress: &Arc<Progress>,
    report: &mut IngestReport,
) -> Result<()> {
    source::check_apart(cache.name(), Some(&options.temp_dir), &options.sources)?;
    let listing = source::list(
        &options.sources,
        &ListOptions {
            filter: &options.filter,
            aws: &options.aws,
            versions: options.versions,
            inventories: &options.inventories,
            n_listed: &progress.n_listed,
            temp_dir: &options.temp_dir,
            cancelled: &progress.cancelled,
            fetcher,
        },
    )?;
    report.notices = listing.notices;
    let snapshot = cache.snapshot()?;
    let ledger = Ledger::load(cache, &snapshot, options.inflate)?;
    let is_remote = listing.files.iter().any(|file| file.opener.is_remote());
    let context = Context::new(options, progress, &ledger, is_remote);
    let mut planned = Planned::default();
    planned.add(listing.files, listing.unread, None, &ledger);
    planned.expand_local(&context);
    let n_bytes = planned.jobs.iter().map(|job| job.file.size_bytes).sum();
    progress.files_total.fetch_add(planned.jobs.len() as u64, Ordering::Relaxed);
    progress.bytes_total.fetch_add(n_bytes, Ordering::Relaxed);

    let mut committer = Committer::new(cache, options, snapshot, &ledger, report);
    thread::scope(|scope| {
        // Without a place to wait in, a round is decoded while one is committed, and no more.
        let (sender, rounds) = crossbeam_channel::bounded(0);
        let committing =
            scope.spawn(move || rounds.into_iter().try_for_each(|round| committer.commit(round)));
        let mut driver = Driver::new(&context, planned);
        while let Some(round) = driver.next_round() {
            if sender.send(round).is_err() {
                // The committer failed; it says why.
                break;
            }
        }
        drop(sender);
        committing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    if context.is_cancelled() {
        return Err(ErrorKind::Interrupted.into());
    }
    context.into_result()
}

/// Merges what many commits left small, and deletes what is long unused.
fn tidy(cache: &Cache, options: &IngestOptions) -> Result<()> {
    let memory_bytes = options.memory_bytes / 4;
    cache.compact(&CompactOptions { memory_bytes, ..CompactOptions::default() })?;
    cache.sweep(&SweepOptions::default())?;
    Ok(())
}
