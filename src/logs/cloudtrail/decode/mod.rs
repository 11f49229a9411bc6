//! One record's JSON → one row.

mod aggregated;
mod columns;
mod companions;
mod events;
mod extra;
mod origin;
mod record;
mod slot;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::{envelope::Shape, key::LogKey};
use crate::logs::{Limits, Reject, RejectReason};

use aggregated::Aggregated;
use events::Events;
use record::Parser;

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
///
/// A record is scanned once, forward; its texts are copied into columns as they lie in it. On an
/// error nothing was copied yet, so nothing has to be undone.
pub struct Decoder {
    limits: Limits,
    parser: Parser,
    events: Events,
    event_keys: Vec<SortKey>,
    aggregated: Aggregated,
    aggregated_keys: Vec<SortKey>,
    bytes: usize,
}

/// The most bytes a decoder gathers before it refuses more: Arrow's texts have offsets of 31
/// bits, and a control character may take six times its byte. Callers take long before.
const MAX_BYTES: usize = i32::MAX as usize / 8;

impl Decoder {
    /// An empty decoder.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            parser: Parser::new(limits),
            events: Events::new(),
            event_keys: Vec::new(),
            aggregated: Aggregated::new(),
            aggregated_keys: Vec::new(),
            bytes: 0,
        }
    }

    /// Appends one record.
    ///
    /// `json` must be all of the record and nothing else, white space aside. Control characters
    /// inside its strings, which JSON forbids but other tools write, are accepted; where a string
    /// is kept as JSON they are kept escaped.
    ///
    /// # Errors
    /// The record's JSON is damaged, not UTF-8, no CloudTrail record or over a limit; nothing was
    /// appended then.
    pub fn push(
        &mut self,
        file: &FileMeta,
        record: &RecordMeta<'_>,
        json: &[u8],
    ) -> Result<(), Reject> {
        let longest = self.limits.max_record_bytes.min(MAX_BYTES);
        let full = self.bytes.saturating_add(json.len()) > MAX_BYTES && self.rows() > 0;
        if json.len() > longest || full {
            let detail = if full {
                "too much was decoded before it without taking it".to_owned()
            } else {
                format!("{} bytes, over the limit of {longest}", json.len())
            };
            return Err(Reject { reason: RejectReason::TooLong, detail, at: longest });
        }
        let Ok(json) = simdutf8::basic::from_utf8(json) else { return Err(not_utf8(json)) };
        let parsed = self.parser.parse(json)?;
        if aggregated::is_aggregated(json, parsed) {
            let (rows, key, size) = self.aggregated.push(file, record, json)?;
            self.aggregated_keys.extend(std::iter::repeat_n(key, rows));
            self.bytes += size;
        } else {
            let (key, size) = self.events.push(file, record, json, parsed);
            self.event_keys.push(key);
            self.bytes += size;
        }
        Ok(())
    }

    /// Bytes held by the rows gathered so far, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of rows gathered so far.
    pub fn rows(&self) -> usize {
        self.events.rows() + self.aggregated.rows()
    }

    /// Gives the rows gathered and starts anew.
    pub fn take(&mut self) -> Decoded {
        self.bytes = 0;
        let events = (self.events.rows() > 0).then(|| Rows {
            keys: std::mem::take(&mut self.event_keys),
            batch: self.events.take(),
        });
        let aggregated = (self.aggregated.rows() > 0).then(|| Rows {
            keys: std::mem::take(&mut self.aggregated_keys),
            batch: self.aggregated.take(),
        });
        Decoded { events, aggregated }
    }
}

#[cold]
fn not_utf8(json: &[u8]) -> Reject {
    let at = str::from_utf8(json).map_or_else(|error| error.valid_up_to(), str::len);
    let byte = json.get(at).copied().unwrap_or_default();
    let detail = format!("byte 0x{byte:02x} is no part of UTF-8 text");
    Reject { reason: RejectReason::NotUtf8, detail, at }
}
