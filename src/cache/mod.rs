//! Where records rest: tables of Parquet with a transaction log, the ledger of files, compaction.
//! A cache lies in a directory or in S3 ([`Place`]); what differs is in `files` and `remote`.
//!
//! ```text
//! <cache>/trailhound.json                format marker
//! <cache>/cloudtrail_logs/               a Delta table each: Parquet files and `_delta_log`
//! <cache>/cloudtrail_aggregated/
//! <cache>/log_files/  duplicates/  rejects/
//! <cache>/digest_files/  digest_verdicts/
//! <cache>/declared.json                  tables and views that SQL declared
//! ```
//!
//! # The commit point
//! A commit touches several tables, and a crash may come at any moment. So everything is decided
//! by ONE log entry, in `cloudtrail_logs`:
//! 1. the Parquet files of all tables are written and made durable;
//! 2. one entry is put, if absent, into the log of `cloudtrail_logs`. It adds that table's files,
//!    carries our application transaction with the next number, and in its `commitInfo` the
//!    changes *promised* for the other tables;
//! 3. the other tables' entries follow, each with the same number, `log_files` last.
//!
//! Whoever looks at the cache first does what was promised and not done: it is enough to compare
//! the numbers. A reader that may not write adds the promised files in memory. Hence nobody, ever,
//! sees a state between nothing and everything, and no locks are needed.
//!
//! Writers conflict when rows came or went since they looked ([`CommitOutcome::Conflict`]); that
//! rows moved between files (compaction) disturbs nobody but another such mover.

mod commit;
mod compact;
mod declared;
mod delta;
mod encode;
mod files;
mod forget;
mod marker;
mod merge;
mod place;
mod read;
mod recover;
mod remote;
mod settings;
mod stats;
mod store;
mod sweep;
pub mod tables;
mod texts;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use object_store::ObjectStore;
use url::Url;

pub(crate) use self::forget::OF_THE_COPY;
pub use self::{
    compact::{CompactOptions, CompactReport},
    forget::ForgetReport,
    place::{Place, S3Place},
    sweep::{SweepOptions, SweepReport},
};
use self::{
    delta::Log,
    files::{Files, Folder},
    recover::Known,
};
use crate::{
    Result,
    bridge::Bridge,
    error::BoxError,
    logs::cloudtrail::{decode::Rows, schema},
};

/// The tables of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// `cloudtrail_logs`: the events.
    Events,
    /// `cloudtrail_aggregated`: aggregated data events, a row per dimension bucket.
    Aggregated,
    /// `log_files`: the ledger, every file or archive member met.
    LogFiles,
    /// `duplicates`: the copies that were not written again.
    Duplicates,
    /// `rejects`: what stood in a record's place and could not be written.
    Rejects,
    /// `digest_files`: what verifications found of digest files.
    DigestFiles,
    /// `digest_verdicts`: what they found of log files.
    DigestVerdicts,
}

/// How many tables there are.
pub(crate) const N_TABLES: usize = 7;

impl Table {
    /// All of them.
    pub const ALL: [Self; N_TABLES] = [
        Self::Events,
        Self::Aggregated,
        Self::LogFiles,
        Self::Duplicates,
        Self::Rejects,
        Self::DigestFiles,
        Self::DigestVerdicts,
    ];

    /// The name it has in SQL and as a directory of the cache.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "cloudtrail_logs",
            Self::Aggregated => "cloudtrail_aggregated",
            Self::LogFiles => "log_files",
            Self::Duplicates => "duplicates",
            Self::Rejects => "rejects",
            Self::DigestFiles => "digest_files",
            Self::DigestVerdicts => "digest_verdicts",
        }
    }

    /// Whether caches of the first release are without it. They have it as soon as someone opens
    /// them who may write; for others it is empty.
    fn came_later(self) -> bool {
        matches!(self, Self::DigestFiles | Self::DigestVerdicts)
    }

    /// The Arrow schema it is stored with.
    pub fn schema(self) -> SchemaRef {
        match self {
            Self::Events => schema::events(),
            Self::Aggregated => schema::aggregated(),
            _ => tables::schema(self),
        }
    }
}

/// A Parquet file of a table, as the transaction log tells of it.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Its absolute path, or its address in S3.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its rows.
    pub n_records: u64,
    /// The smallest and largest `event_ts` in it, in microseconds, where all its rows have one.
    pub event_ts: Option<(i64, i64)>,
    /// Minimum and maximum by column name, and null counts, as JSON of Delta's `stats`.
    pub stats: Option<Arc<str>>,
    /// Its path from the table's directory.
    name: Arc<str>,
    /// When it was written, in milliseconds since 1970.
    written_at: i64,
    folder: Folder,
}

impl DataFile {
    /// The file `name` of `folder`, with what its statistics say.
    fn new(
        folder: &Folder,
        name: &str,
        size_bytes: u64,
        written_at: i64,
        summary: &stats::Summary,
        stats: Option<String>,
    ) -> Self {
        Self {
            path: folder.path_of(name),
            size_bytes,
            n_records: summary.n_records.unwrap_or_default(),
            event_ts: summary.event_ts,
            stats: stats.map(Arc::from),
            name: name.into(),
            written_at,
            folder: folder.clone(),
        }
    }

    /// Where [`Cache::object_store`], or one whose root is that of the file system, has it.
    pub fn location(&self) -> Option<object_store::path::Path> {
        self.folder.location(&self.name)
    }
}

/// What is in the cache at one moment; it never changes.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The files by table, in the order of [`Table::ALL`].
    files: [Arc<[DataFile]>; N_TABLES],
    /// The version of the log of `cloudtrail_logs`.
    version: u64,
    /// The number of our newest transaction.
    n: i64,
}

impl Snapshot {
    /// The Parquet files of `table`, in the order they were written.
    pub fn files(&self, table: Table) -> &[DataFile] {
        self.files.get(table as usize).map_or(&[], |files| files)
    }

    /// A number that grows with every commit: the same number, the same rows.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The rows of `table`.
    pub fn n_records(&self, table: Table) -> u64 {
        self.files(table).iter().map(|file| file.n_records).sum()
    }
}

/// The schemas of the tables of events; those of the books never vary.
#[derive(Debug, Clone)]
struct Schemas {
    events: SchemaRef,
    aggregated: SchemaRef,
}

impl Schemas {
    fn current() -> Self {
        Self { events: schema::events(), aggregated: schema::aggregated() }
    }

    fn of(&self, table: Table) -> SchemaRef {
        match table {
            Table::Events => Arc::clone(&self.events),
            Table::Aggregated => Arc::clone(&self.aggregated),
            _ => tables::schema(table),
        }
    }
}

/// A cache: one case's evidence in columns.
///
/// It may be shared between threads, and any number of processes may have it open.
#[derive(Debug)]
pub struct Cache {
    files: Files,
    schemas: Schemas,
    threads: usize,
    logs: Vec<Log>,
    known: Mutex<Option<Known>>,
    runtime: Arc<Bridge>,
    #[cfg(test)]
    fail_after: Mutex<Option<Step>>,
}

/// The steps of a commit after which a crash is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// All Parquet files are written.
    Files,
    /// The entry in `cloudtrail_logs` is written.
    Decided,
    /// The promised entry of this table is written.
    Applied(Table),
}

/// What one commit adds, all of it or nothing.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Rows of `cloudtrail_logs` with the order to store them in: (index into the batches, row).
    pub events: Sorted,
    /// The same for `cloudtrail_aggregated`.
    pub aggregated: Sorted,
    /// Rows of `log_files`, in its schema.
    pub log_files: Option<RecordBatch>,
    /// Rows of `duplicates`, in its schema.
    pub duplicates: Option<RecordBatch>,
    /// Rows of `rejects`, in its schema.
    pub rejects: Option<RecordBatch>,
    /// Rows of `digest_files`, in its schema.
    pub digest_files: Option<RecordBatch>,
    /// Rows of `digest_verdicts`, in its schema.
    pub digest_verdicts: Option<RecordBatch>,
}

/// Batches and the order of those of their rows that are to be stored.
#[derive(Debug, Default)]
pub struct Sorted {
    /// The batches.
    pub batches: Vec<Arc<Rows>>,
    /// (batch, row) of each row to store, in order: by `event_ts`, rows without one first.
    pub order: Vec<(u32, u32)>,
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is in the cache, durably.
    Committed,
    /// Another writer committed first: nothing was added. Look again and retry.
    Conflict,
}

impl Cache {
    /// Opens the cache at `place`, finishing what a crashed writer left half applied.
    ///
    /// # Errors
    /// There is no cache, or it cannot be read.
    pub fn open(place: impl Into<Place>) -> Result<Self> {
        Self::open_with(place, Schemas::current())
    }

    fn open_with(place: impl Into<Place>, schemas: Schemas) -> Result<Self> {
        let (files, runtime) = reach(&place.into())?;
        Self::of(files, runtime, schemas)
    }

    /// Opens the cache at `place`, creating it where there is none.
    ///
    /// # Errors
    /// The place cannot be written or read, holds something else, or a cache of a newer format.
    pub fn create(place: impl Into<Place>) -> Result<Self> {
        Self::create_with(place, Schemas::current())
    }

    fn create_with(place: impl Into<Place>, schemas: Schemas) -> Result<Self> {
        let (files, runtime) = reach(&place.into())?;
        marker::create(&files)?;
        let cache = Self::of(files, runtime, schemas)?;
        cache.grow_tables().map_err(|source| cache.failed("open", source))?;
        Ok(cache)
    }

    fn of(files: Files, runtime: Arc<Bridge>, schemas: Schemas) -> Result<Self> {
        marker::check(&files)?;
        let logs = || -> Result<Vec<Log>, BoxError> {
            let store = files.store()?;
            Table::ALL.into_iter().map(|table| Log::new(files.folder(table), &store)).collect()
        };
        let logs = logs().map_err(|source| files.failed("open", source))?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let cache = Self {
            files,
            schemas,
            threads,
            logs,
            known: Mutex::new(None),
            runtime,
            #[cfg(test)]
            fail_after: Mutex::new(None),
        };
        if cache.snapshot().is_err() {
            cache.ensure_tables().map_err(|source| cache.failed("open", source))?;
            cache.snapshot()?;
        }
        Ok(cache)
    }

    /// Creates the tables that are not there: all of them at first, and those that a crash at
    /// that moment left out.
    fn ensure_tables(&self) -> Result<(), BoxError> {
        let tables: Vec<(Log, SchemaRef)> =
            Table::ALL.map(|table| (self.log(table), self.schemas.of(table))).into();
        self.runtime.wait(async move {
            let ensure = tables.iter().zip(Table::ALL).map(|((log, schema), table)| async move {
                if log.exists().await? {
                    return Ok(());
                }
                match log.create(schema).await {
                    Err(_) if table.came_later() => Ok(()),
                    created => created,
                }
            });
            futures::future::try_join_all(ensure).await.map(drop)
        })
    }

    /// Adds the columns that tables of an earlier build lack, and the tables it did not know.
    fn grow_tables(&self) -> Result<(), BoxError> {
        let tables: Vec<(Log, SchemaRef)> =
            Table::ALL.map(|table| (self.log(table), self.schemas.of(table))).into();
        let tables: Vec<_> = tables
            .into_iter()
            .filter(|(log, schema)| recover::lacks(self, log.table(), schema))
            .collect();
        self.runtime.wait(async move {
            let grow = tables.iter().map(|(log, schema)| async move {
                if log.exists().await? { log.grow(schema).await } else { log.create(schema).await }
            });
            futures::future::try_join_all(grow).await.map(drop)
        })
    }

    /// Sets how many threads encode; as many as cores unless told.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// What it is called: its directory, or `s3://bucket/prefix`.
    pub fn name(&self) -> &Path {
        self.files.name()
    }

    /// Where its Parquet files are read from, unless that is the file system: the store whose root
    /// is the bucket, and the bucket's address.
    pub fn object_store(&self) -> Option<(Url, Arc<dyn ObjectStore>)> {
        match &self.files {
            Files::Local(_) => None,
            Files::Remote(remote) => Some(remote.bucket()),
        }
    }

    /// What to tell of `error`, met when its files were read through [`Cache::object_store`].
    ///
    /// # Errors
    /// `error` itself, if it is not that S3 refused or did not answer.
    pub fn explain(&self, error: BoxError) -> Result<crate::Error, BoxError> {
        match &self.files {
            Files::Local(_) => Err(error),
            Files::Remote(remote) => remote.explain(error),
        }
    }

    /// What is in it now; rolls forward what a crashed writer left.
    ///
    /// # Errors
    /// The transaction logs cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot> {
        recover::snapshot(self)
    }

    /// Writes `chunk`'s Parquet files and commits them, if nobody committed since `base`.
    ///
    /// # Errors
    /// The files cannot be written or the log cannot be. An error from the log itself may come
    /// when the commit is decided already: [`Cache::snapshot`] tells.
    pub fn commit(&self, base: &Snapshot, chunk: &Chunk) -> Result<CommitOutcome> {
        commit::commit(self, base, chunk)
    }

    /// Gives each distinct text of the leaves `leaves` (`eventname`, `useridentity.arn`) of `file`
    /// to `each`, with the leaf's place, without reading rows; a text may come more than once. The
    /// places of leaves of which texts may be missing.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn texts_of(
        &self,
        file: &DataFile,
        leaves: &[&str],
        each: &mut dyn FnMut(usize, &str),
    ) -> Result<Vec<usize>> {
        texts::of_file(file, leaves, each)
    }

    /// Reads the columns `columns` of those rows of `table` whose `event_ts` is in one of `ranges`
    /// (microseconds, inclusive, sorted, disjoint), batch by batch. Rows without a time count as
    /// `i64::MIN`; without `ranges`, all rows are read.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(
        &self,
        snapshot: &Snapshot,
        table: Table,
        columns: &[&str],
        ranges: Option<&[(i64, i64)]>,
        each: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        read::read(self, snapshot, table, columns, ranges, each)
    }

    /// Merges small files where a table has many, one merge at a time; others may commit
    /// meanwhile. Rows and their order stay what they are. The files merged stay on disk for
    /// readers that have a snapshot with them, until [`Cache::sweep`].
    ///
    /// # Errors
    /// A file cannot be read or written, or the log cannot be.
    pub fn compact(&self, options: &CompactOptions) -> Result<CompactReport> {
        compact::compact(self, options)
    }

    /// Removes what came from `source`, a SOURCE as in the ledger or a URI of a file, directory
    /// or archive: rows, duplicates and rejects. A row that another file has a copy of stays, and
    /// says from now on that it comes from there. The ledger gets rows with the outcome
    /// `forgotten`. All of it happens at one moment, or nothing.
    ///
    /// # Errors
    /// A file cannot be read or written, or the log cannot be.
    pub fn forget(&self, source: &str) -> Result<ForgetReport> {
        forget::forget(self, source)
    }

    /// Deletes files that no table needs any more, and log entries that checkpoints replace.
    ///
    /// # Errors
    /// A directory cannot be read, or a file not be deleted.
    pub fn sweep(&self, options: &SweepOptions) -> Result<SweepReport> {
        sweep::sweep(self, options)
    }

    #[expect(clippy::indexing_slicing, reason = "there is a log for each table")]
    fn log(&self, table: Table) -> Log {
        self.logs[table as usize].clone()
    }

    fn failed(&self, action: &'static str, source: BoxError) -> crate::Error {
        self.files.failed(action, source)
    }

    /// What is in it now, without keeping promises: what a reader sees who cannot write.
    #[cfg(test)]
    fn overlaid(&self) -> Result<Snapshot> {
        recover::overlaid(self)
    }

    /// Where a crash can be simulated.
    #[cfg_attr(
        not(test),
        expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "fails in tests only")
    )]
    fn step(&self, step: Step) -> Result<()> {
        #[cfg(test)]
        if self.fail_after.lock().unwrap().is_some_and(|fail| fail == step) {
            return Err(self.failed("go on in", format!("test: crashed after {step:?}").into()));
        }
        let _ = step;
        Ok(())
    }
}

/// The files of `place`, and the threads that wait for them.
fn reach(place: &Place) -> Result<(Files, Arc<Bridge>)> {
    let runtime =
        Arc::new(Bridge::new("trailhound-cache", "the table library").map_err(|source| {
            files::io_error("start the threads of", Path::new("the cache"), source)
        })?);
    Ok((Files::at(place, &runtime)?, runtime))
}

#[cfg(test)]
mod tests;
