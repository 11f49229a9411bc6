//! What the cache knows of earlier verifications, and keeps of this one.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray as _, BooleanArray, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use serde_json::Value;

use super::{
    VerifyReport,
    check::Facts,
    group::Verified,
    report::{DigestRow, FileVersion, LogRow},
    signature::Signature,
    stops::{self, TrailEvent},
    time::HOUR,
};
use crate::{
    Result,
    cache::{Cache, Chunk, CommitOutcome, Table},
    error::ErrorKind,
    source::LogFile,
};

/// The columns by which a file and what was found of it are known again.
const KNOWN: [&str; 10] = [
    "uri",
    "size_bytes",
    "modified_at",
    "etag",
    "sha256",
    "sha256_inflated",
    "facts",
    "status",
    "reason",
    "verified_at",
];

/// The same of digest files, which have no facts to keep.
const KNOWN_DIGESTS: [&str; 9] = [
    "uri",
    "size_bytes",
    "modified_at",
    "etag",
    "sha256",
    "sha256_inflated",
    "status",
    "reason",
    "verified_at",
];

/// The columns of an event that tell whether it ends a trail.
const OF_EVENTS: [&str; 8] = [
    "eventtime",
    "eventsource",
    "eventname",
    "useridentity",
    "sourceipaddress",
    "requestparameters",
    "errorcode",
    "eventid",
];

/// What is known of a file.
#[derive(Debug)]
struct Entry {
    verified_at: i64,
    /// A hash of what tells that the file was not touched; 0 where nothing does.
    identity: u64,
    /// A hash of the row, without when it was written.
    row: u64,
    facts: Option<Facts>,
    /// Whether it is a finding about a file that is not there.
    is_absent: bool,
}

/// The findings in a cache.
pub(super) struct Store<'a> {
    cache: &'a Cache,
    /// By a hash of the URI.
    known: HashMap<u128, Entry>,
    /// Signatures that came with digests when they were ingested, by the SHA-256 of their bytes.
    signatures: HashMap<[u8; 32], String>,
    verified_at: i64,
}

impl<'a> Store<'a> {
    /// Reads the latest findings.
    pub(super) fn open(cache: &'a Cache) -> Result<Self> {
        let verified_at = chrono::Utc::now().timestamp_micros();
        let (known, signatures) = (HashMap::new(), HashMap::new());
        let mut store = Self { cache, known, signatures, verified_at };
        let snapshot = cache.snapshot()?;
        let tables =
            [(Table::DigestVerdicts, &KNOWN[..]), (Table::DigestFiles, &KNOWN_DIGESTS[..])];
        for (table, columns) in tables {
            cache.read(&snapshot, table, columns, None, &mut |batch| {
                store.gather(&batch);
                Ok(())
            })?;
        }
        cache.read(&snapshot, Table::LogFiles, &["sha256", "metadata"], None, &mut |batch| {
            store.gather_signatures(&batch);
            Ok(())
        })?;
        Ok(store)
    }

    fn gather_signatures(&mut self, batch: &RecordBatch) {
        let rows = Rows { batch };
        for row in 0..batch.num_rows() {
            let Some(metadata) = rows.text("metadata", row) else { continue };
            let sha256 = rows.text("sha256", row).and_then(super::unhex);
            let metadata = serde_json::from_str::<Value>(metadata).unwrap_or_default();
            let signature = metadata.get("signature").and_then(Value::as_str);
            if let (Some(sha256), Some(signature)) = (sha256, signature) {
                self.signatures.insert(sha256, signature.to_owned());
            }
        }
    }

    /// The signature that came with a digest of these bytes when it was ingested.
    pub(super) fn signature(&self, sha256: &[u8; 32]) -> Option<Signature> {
        let hex = self.signatures.get(sha256)?.clone();
        Some(Signature { hex, from: "ledger" })
    }

    fn gather(&mut self, batch: &RecordBatch) {
        let rows = Rows { batch };
        for row in 0..batch.num_rows() {
            let Some(uri) = rows.text("uri", row) else { continue };
            let verified_at = rows.time("verified_at", row).unwrap_or(i64::MIN);
            let hash = hash128(uri);
            if self.known.get(&hash).is_some_and(|known| known.verified_at > verified_at) {
                continue;
            }
            let (sha256, inflated) = (rows.text("sha256", row), rows.text("sha256_inflated", row));
            let facts = match (sha256, inflated, rows.text("facts", row)) {
                (Some(sha256), Some(inflated), Some(json)) => {
                    Facts::of_kept(sha256, inflated, json)
                }
                _ => None,
            };
            let size_bytes = rows.count("size_bytes", row);
            let (modified_at, etag) = (rows.time("modified_at", row), rows.text("etag", row));
            let status = rows.text("status", row);
            let entry = Entry {
                verified_at,
                identity: identity(size_bytes, modified_at, etag),
                row: finding(status, rows.text("reason", row), sha256),
                facts,
                is_absent: sha256.is_none() && status.is_some(),
            };
            self.known.insert(hash, entry);
        }
    }

    /// What the bytes of `file` were when it was read before, unless it was touched since.
    pub(super) fn facts(&self, file: &LogFile) -> Option<Facts> {
        let entry = self.known.get(&hash128(&file.uri))?;
        let own = identity(Some(file.size_bytes), file.modified_at, file.etag.as_deref());
        (own != 0 && entry.identity == own).then(|| entry.facts.clone()).flatten()
    }

    /// Keeps what was found of an account and region: all of it, or nothing.
    pub(super) fn keep(&self, verified: &Verified) -> Result<()> {
        let digests: Vec<&DigestRow> =
            verified.digests.iter().filter(|row| self.is_new_digest(row)).collect();
        let logs: Vec<&LogRow> = verified.logs.iter().filter(|row| self.is_new_log(row)).collect();
        let gone = |s3: &Option<String>, uri: &Option<Arc<str>>| -> Option<String> {
            let place = s3.clone().filter(|s3| uri.as_deref().is_some_and(|uri| uri != s3))?;
            self.known.get(&hash128(&place)).filter(|known| known.is_absent).map(|_| place)
        };
        let found_digests: Vec<String> =
            verified.digests.iter().filter_map(|row| gone(&row.s3, &row.uri)).collect();
        let found_logs: Vec<String> =
            verified.logs.iter().filter_map(|row| gone(&row.s3, &row.uri)).collect();
        if digests.is_empty()
            && logs.is_empty()
            && found_digests.is_empty()
            && found_logs.is_empty()
        {
            return Ok(());
        }
        let chunk = Chunk {
            digest_files: Some(self.digest_rows(&digests, &found_digests)?),
            digest_verdicts: Some(self.log_rows(&logs, &found_logs)?),
            ..Chunk::default()
        };
        loop {
            let base = self.cache.snapshot()?;
            if self.cache.commit(&base, &chunk)? == CommitOutcome::Committed {
                return Ok(());
            }
        }
    }

    fn is_new_digest(&self, row: &DigestRow) -> bool {
        let Some(uri) = row.uri.as_deref().or(row.s3.as_deref()) else { return false };
        self.is_new(uri, row.status.map(super::Status::word), row.reason.as_ref(), &row.version)
    }

    fn is_new_log(&self, row: &LogRow) -> bool {
        let Some(uri) = row.uri.as_deref().or(row.s3.as_deref()) else { return false };
        self.is_new(uri, row.status.map(super::Status::word), row.reason.as_ref(), &row.version)
    }

    fn is_new(
        &self,
        uri: &str,
        status: Option<&str>,
        reason: Option<&super::Reason>,
        version: &FileVersion,
    ) -> bool {
        let reason = reason.map(ToString::to_string);
        let sha256 = version.sha256.as_ref().map(super::hex);
        let row = finding(status, reason.as_deref(), sha256.as_deref());
        let own = identity(version.size_bytes, version.modified_at, version.etag.as_deref());
        self.known.get(&hash128(uri)).is_none_or(|known| known.row != row || known.identity != own)
    }

    /// The rows, and rows that take back that something was not there.
    fn digest_rows(&self, rows: &[&DigestRow], found: &[String]) -> Result<RecordBatch> {
        let mut table = Columns::new(rows.len(), found, self.verified_at);
        table.text(rows.iter().map(|row| row.uri.as_deref().or(row.s3.as_deref())), true);
        table.text(rows.iter().map(|row| row.s3.as_deref()), false);
        table.text(rows.iter().map(|row| Some(row.chain.account.as_str())), false);
        table.text(rows.iter().map(|row| Some(row.chain.region.as_str())), false);
        table.text(rows.iter().map(|row| Some(row.chain.trail.as_str())), false);
        table.flag(rows.iter().map(|row| row.chain.backfill));
        table.time(rows.iter().map(|row| row.span.from));
        table.time(rows.iter().map(|row| row.span.to));
        table.text(rows.iter().map(|row| row.status.map(super::Status::word)), false);
        table.texts(rows.iter().map(|row| row.reason.as_ref().map(ToString::to_string)));
        table.texts(rows.iter().map(|row| lines(&row.warnings)));
        table.text(rows.iter().map(|row| row.fingerprint.as_deref()), false);
        table.text(rows.iter().map(|row| row.signature_from), false);
        table.text(rows.iter().map(|row| row.previous.as_deref()), false);
        table.count(rows.iter().map(|row| row.log_files));
        table.version(rows.iter().map(|row| &row.version));
        table.texts(rows.iter().map(|row| row.version.sha256.as_ref().map(super::hex)));
        table.texts(rows.iter().map(|row| row.sha256_inflated.as_ref().map(super::hex)));
        table.finish(Table::DigestFiles)
    }

    fn log_rows(&self, rows: &[&LogRow], found: &[String]) -> Result<RecordBatch> {
        let mut table = Columns::new(rows.len(), found, self.verified_at);
        table.text(rows.iter().map(|row| row.uri.as_deref().or(row.s3.as_deref())), true);
        table.text(rows.iter().map(|row| row.s3.as_deref()), false);
        table.text(rows.iter().map(|row| row.digest.as_deref()), false);
        table.flag(rows.iter().map(|row| row.backfill));
        table.text(rows.iter().map(|row| Some(row.account.as_str())), false);
        table.text(rows.iter().map(|row| Some(row.region.as_str())), false);
        table.time(rows.iter().map(|row| row.delivered_at));
        table.text(rows.iter().map(|row| row.status.map(super::Status::word)), false);
        table.texts(rows.iter().map(|row| row.reason.as_ref().map(ToString::to_string)));
        table.texts(rows.iter().map(|row| lines(&row.warnings)));
        table.texts(rows.iter().map(|row| row.expected_sha256.as_ref().map(super::hex)));
        table.texts(rows.iter().map(|row| row.actual_sha256.as_ref().map(super::hex)));
        table.version(rows.iter().map(|row| &row.version));
        table.texts(rows.iter().map(|row| row.version.sha256.as_ref().map(super::hex)));
        table.text(rows.iter().map(|row| row.facts.as_deref()), false);
        table.finish(Table::DigestVerdicts)
    }

    /// The calls in the cache that end log files or digests, about the times without digests and
    /// about the ends of chains.
    pub(super) fn trail_events(&self, report: &VerifyReport) -> Result<Vec<TrailEvent>> {
        let holes = report.gaps.iter().chain(&report.missing_hours).map(|hole| hole.span);
        let ends = report.chains.iter().map(|chain| {
            let end = chain.span.to;
            super::Span { from: end, to: end.map(|end| end.saturating_add(HOUR)) }
        });
        let ranges = holes
            .chain(ends)
            .filter_map(|span| Some((span.from?.saturating_sub(2 * HOUR), span.to?)));
        let ranges = merged(ranges.collect());
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let (snapshot, mut events) = (self.cache.snapshot()?, Vec::new());
        self.cache.read(&snapshot, Table::Events, &OF_EVENTS, Some(&ranges), &mut |batch| {
            let rows = Rows { batch: &batch };
            for row in 0..batch.num_rows() {
                let name = rows.text("eventname", row).unwrap_or_default();
                if stops::STOPPING.contains(&name) {
                    events.extend(stops::of_record(&rows.record(row)));
                }
            }
            Ok(())
        })?;
        Ok(events)
    }
}

/// Sorts ranges and joins those that overlap.
fn merged(mut ranges: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    ranges.retain(|(from, to)| from <= to);
    ranges.sort_unstable();
    let mut out: Vec<(i64, i64)> = Vec::new();
    for (from, to) in ranges {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

fn lines(warnings: &[String]) -> Option<String> {
    (!warnings.is_empty()).then(|| warnings.join("\n"))
}

/// The columns of rows to be stored, one after the other.
struct Columns<'a> {
    n_rows: usize,
    /// URIs of rows that take a finding back; they come last.
    found: &'a [String],
    verified_at: i64,
    arrays: Vec<ArrayRef>,
}

impl<'a> Columns<'a> {
    fn new(n_rows: usize, found: &'a [String], verified_at: i64) -> Self {
        Self { n_rows, found, verified_at, arrays: Vec::new() }
    }

    /// A column of text; the first, `is_uri`, is all that the last rows have.
    fn text<'r>(&mut self, values: impl Iterator<Item = Option<&'r str>>, is_uri: bool) {
        let last = self.found.iter().map(|uri| Some(uri.clone()).filter(|_| is_uri));
        let values = values.map(|value| value.map(str::to_owned));
        let array: StringArray = values.chain(last).collect();
        self.arrays.push(Arc::new(array));
    }

    fn texts(&mut self, values: impl Iterator<Item = Option<String>>) {
        let array: StringArray = values.chain(self.found.iter().map(|_| None)).collect();
        self.arrays.push(Arc::new(array));
    }

    fn flag(&mut self, values: impl Iterator<Item = bool>) {
        let last = self.found.iter().map(|_| None);
        let array: BooleanArray = values.map(Some).chain(last).collect();
        self.arrays.push(Arc::new(array));
    }

    fn time(&mut self, values: impl Iterator<Item = Option<i64>>) {
        let last = self.found.iter().map(|_| None);
        let array: TimestampMicrosecondArray = values.chain(last).collect();
        self.arrays.push(Arc::new(array.with_timezone("UTC")));
    }

    fn count(&mut self, values: impl Iterator<Item = Option<u64>>) {
        let last = self.found.iter().map(|_| None);
        let number = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok());
        let array: Int64Array = values.map(number).chain(last).collect();
        self.arrays.push(Arc::new(array));
    }

    /// Size, time and `ETag`.
    fn version<'r>(&mut self, versions: impl Iterator<Item = &'r FileVersion> + Clone) {
        self.count(versions.clone().map(|version| version.size_bytes));
        self.time(versions.clone().map(|version| version.modified_at));
        self.text(versions.map(|version| version.etag.as_deref()), false);
    }

    /// Adds what all rows have in common.
    fn finish(mut self, table: Table) -> Result<RecordBatch> {
        let n_all = self.n_rows + self.found.len();
        let at = TimestampMicrosecondArray::from_value(self.verified_at, n_all);
        self.arrays.push(Arc::new(at.with_timezone("UTC")));
        let by = std::iter::repeat_n(Some(env!("CARGO_PKG_VERSION")), n_all);
        self.arrays.push(Arc::new(by.collect::<StringArray>()));
        RecordBatch::try_new(table.schema(), self.arrays).map_err(|source| {
            ErrorKind::Columnar { action: "store findings", source: source.into() }.into()
        })
    }
}

/// The columns of a batch, by name.
struct Rows<'a> {
    batch: &'a RecordBatch,
}

impl<'a> Rows<'a> {
    fn text(&self, name: &str, row: usize) -> Option<&'a str> {
        text_of(self.batch.column_by_name(name)?, row)
    }

    fn count(&self, name: &str, row: usize) -> Option<u64> {
        let column = self.batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row)).and_then(|value| value.try_into().ok())
    }

    fn time(&self, name: &str, row: usize) -> Option<i64> {
        let column =
            self.batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    /// What of an event tells whether it ends a trail, as its record has it.
    fn record(&self, row: usize) -> Value {
        let identity = self.batch.column_by_name("useridentity").and_then(|c| c.as_struct_opt());
        let member = |name: &str| text_of(identity?.column_by_name(name)?, row);
        let parameters = self.text("requestparameters", row);
        let parameters = parameters.and_then(|text| serde_json::from_str::<Value>(text).ok());
        serde_json::json!({
            "eventTime": self.text("eventtime", row),
            "eventSource": self.text("eventsource", row),
            "eventName": self.text("eventname", row),
            "userIdentity": { "arn": member("arn"), "principalId": member("principalid") },
            "sourceIPAddress": self.text("sourceipaddress", row),
            "requestParameters": parameters,
            "errorCode": self.text("errorcode", row),
            "eventID": self.text("eventid", row),
        })
    }
}

fn text_of(column: &ArrayRef, row: usize) -> Option<&str> {
    let column: &StringArray = column.as_string_opt()?;
    column.is_valid(row).then(|| column.value(row))
}

/// What tells that a file was not touched since; 0 where it has no time.
fn identity(size_bytes: Option<u64>, modified_at: Option<i64>, etag: Option<&str>) -> u64 {
    match (size_bytes, modified_at) {
        (Some(size), Some(at)) => hash64(&format!("{size} {at} {}", etag.unwrap_or_default())),
        _ => 0,
    }
}

fn finding(status: Option<&str>, reason: Option<&str>, sha256: Option<&str>) -> u64 {
    hash64(&format!("{status:?} {reason:?} {sha256:?}"))
}

fn hash128(text: &str) -> u128 {
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes().first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes))
}

/// Never 0, which stands for nothing.
fn hash64(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes().first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes)).max(1)
}
