//! Where records rest: tables of Parquet with a transaction log, the ledger of files, compaction.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use crate::{Result, logs::cloudtrail::decode::Rows};

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
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Events, Self::Aggregated, Self::LogFiles, Self::Duplicates, Self::Rejects];

    /// The name it has in SQL and as a directory of the cache.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "cloudtrail_logs",
            Self::Aggregated => "cloudtrail_aggregated",
            Self::LogFiles => "log_files",
            Self::Duplicates => "duplicates",
            Self::Rejects => "rejects",
        }
    }

    /// The Arrow schema it is stored with.
    pub fn schema(self) -> SchemaRef {
        todo!()
    }
}

/// A Parquet file of a table, as the transaction log tells of it.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its rows.
    pub n_records: u64,
    /// The smallest and largest `event_ts` in it, in microseconds, where all its rows have one.
    pub event_ts: Option<(i64, i64)>,
    /// Minimum and maximum by column name, and null counts, as JSON of Delta's `stats`.
    pub stats: Option<Arc<str>>,
}

/// What is in the cache at one moment; it never changes.
#[derive(Debug, Clone)]
pub struct Snapshot {
    files: Arc<std::collections::HashMap<&'static str, Vec<DataFile>>>,
}

impl Snapshot {
    /// The Parquet files of `table`.
    pub fn files(&self, table: Table) -> &[DataFile] {
        self.files.get(table.name()).map_or(&[], Vec::as_slice)
    }

    /// A number that grows with every commit: the same number, the same rows.
    pub fn version(&self) -> u64 {
        todo!()
    }
}

/// A cache: one case's evidence in columns.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
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
}

/// Batches and the order of those of their rows that are to be stored.
#[derive(Debug, Default)]
pub struct Sorted {
    /// The batches.
    pub batches: Vec<Arc<Rows>>,
    /// (batch, row) of each row to store, in order.
    pub order: Vec<(u32, u32)>,
}

/// How a commit ended.
#[derive(Debug)]
pub enum CommitOutcome {
    /// It is in the cache, durably.
    Committed,
    /// Another writer committed first: nothing was added. Look again and retry.
    Conflict,
}

impl Cache {
    /// Opens the cache at `dir`, finishing what a crashed writer left half applied.
    ///
    /// # Errors
    /// There is no cache, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self { dir: dir.to_owned() })
    }

    /// Opens the cache at `dir`, creating it where there is none.
    ///
    /// # Errors
    /// The directory cannot be created or read.
    pub fn create(dir: &Path) -> Result<Self> {
        Ok(Self { dir: dir.to_owned() })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is in it now; rolls forward what a crashed writer left.
    ///
    /// # Errors
    /// The transaction logs cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot> {
        todo!()
    }

    /// Writes `chunk`'s Parquet files and commits them, if nobody committed since `base`.
    ///
    /// # Errors
    /// The files cannot be written or the log cannot be.
    pub fn commit(&self, base: &Snapshot, chunk: &Chunk) -> Result<CommitOutcome> {
        let _ = (base, chunk);
        todo!()
    }

    /// Reads the columns `columns` of those rows of `table` whose file may hold an `event_ts`
    /// in one of `ranges` (microseconds, inclusive, sorted, disjoint), batch by batch.
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
        let _ = (snapshot, table, columns, ranges, each);
        todo!()
    }
}
