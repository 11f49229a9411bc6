//! One record's JSON → one row.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::{envelope::Shape, key::LogKey};
use crate::logs::{Limits, Reject};

/// The file a record lies in.
#[derive(Debug, Clone)]
pub struct FileMeta {
    /// The file's place in plan order within this ingest; never stored.
    pub seq: u32,
    /// The file's or member's URI, as in the ledger.
    pub source_file: Arc<str>,
    /// Which version of the file at that URI this is, from 1.
    pub source_version: i32,
    /// What the URI tells of account, region and day.
    pub key: LogKey,
}

/// Where in its file a record lies and what it came wrapped in.
#[derive(Debug, Clone, Copy)]
pub struct RecordMeta<'a> {
    /// The record's number in the file, from 1.
    pub record_no: u32,
    /// The offset of its first byte in the inflated file (for a record inside a string or a CSV
    /// cell: of the value that holds it).
    pub offset: u64,
    /// Whether it lies behind the end of the first gzip member.
    pub appended: bool,
    /// The shape it came in.
    pub shape: Shape,
    /// What wrapped it, as JSON with `null` in the record's place.
    pub envelope: Option<&'a str>,
}

/// Orders rows for storing, and brings copies of one record together.
///
/// Sorting by it gives event time, then identity, then plan order: of rows with equal
/// (`ts`, `id`) the first is the one that stays when their contents agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey {
    /// Microseconds since 1970 in UTC; `i64::MIN` where the record has no time.
    pub ts: i64,
    /// A hash of (recipient account, event id); without an event id, of the content.
    pub id: u64,
    /// [`FileMeta::seq`].
    pub seq: u32,
    /// [`RecordMeta::record_no`].
    pub record_no: u32,
}

/// Decoded rows and their keys, one each.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The rows, in the schema they are stored with.
    pub batch: RecordBatch,
    /// `keys[i]` belongs to row `i`.
    pub keys: Vec<SortKey>,
}

/// What a [`Decoder`] has gathered.
#[derive(Debug, Clone, Default)]
pub struct Decoded {
    /// Rows of `cloudtrail_logs`, of [`super::schema::events`].
    pub events: Option<Rows>,
    /// Rows of `cloudtrail_aggregated`, of [`super::schema::aggregated`]. Every row of one record
    /// has that record's key.
    pub aggregated: Option<Rows>,
}

/// Turns records into rows, many files to a batch.
pub struct Decoder {
    _limits: Limits,
}

impl Decoder {
    /// An empty decoder.
    pub fn new(limits: Limits) -> Self {
        Self { _limits: limits }
    }

    /// Appends one record.
    ///
    /// # Errors
    /// The record's JSON is damaged or over a limit; nothing was appended then.
    pub fn push(
        &mut self,
        file: &FileMeta,
        record: &RecordMeta<'_>,
        json: &[u8],
    ) -> Result<(), Reject> {
        let _ = (file, record, json);
        todo!()
    }

    /// Bytes held by the rows gathered so far.
    pub fn bytes(&self) -> usize {
        todo!()
    }

    /// The number of rows gathered so far.
    pub fn rows(&self) -> usize {
        todo!()
    }

    /// Gives the rows gathered and starts anew.
    pub fn take(&mut self) -> Decoded {
        todo!()
    }
}
