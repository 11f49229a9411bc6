//! Rows of the tables that keep the books: `log_files`, `duplicates`, `rejects`.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Int32Array, Int64Array,
        RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
    },
    compute::{cast, concat_batches, interleave},
};

use super::{
    InflateLimits,
    dedupe::{Duplicate, Kept, Origin},
    inflate::Digest,
    ledger::{Counts, Outcome, hex, limits_text},
    plan::Job,
    round::Ending,
    worker::Reject,
};
use crate::{
    ErrorKind, Result,
    aws::s3::Head,
    cache::Table,
    error::BoxError,
    logs::cloudtrail::{decode::Rows, decode::SortKey, key::LogKey},
};

/// A row of `log_files` in the making.
pub(super) struct FileRow {
    pub(super) job: Arc<Job>,
    pub(super) version: i32,
    pub(super) part: i32,
    /// `None` for a file that is not read to its end yet.
    pub(super) ending: Option<Ending>,
    /// The records settled so far, those of earlier parts included.
    pub(super) counts: Counts,
    pub(super) records_done: u32,
}

impl FileRow {
    pub(super) fn again(&self) -> Self {
        Self { job: Arc::clone(&self.job), ending: self.ending.clone(), ..*self }
    }
}

/// What is the same for all rows of a chunk.
pub(super) struct Stamp {
    /// Microseconds since 1970.
    pub(super) now: i64,
    pub(super) limits: InflateLimits,
}

/// The rows of `log_files`.
pub(super) fn log_files(rows: &[FileRow], stamp: &Stamp) -> Result<RecordBatch> {
    build(Table::LogFiles, rows.len(), |name| Some(log_files_column(name, rows, stamp)))
}

fn digest(row: &FileRow) -> Option<&Digest> {
    row.ending.as_ref()?.digest.as_ref()
}

/// What the store said of the content that was read, where that is another than was listed.
fn newer(row: &FileRow) -> Option<&Head> {
    let (file, head) = (&row.job.file, row.ending.as_ref()?.head.as_deref()?);
    let is_as_listed = match (&file.etag, &head.etag) {
        (Some(listed), Some(read)) => **listed == **read,
        _ => head.size_bytes.is_none_or(|size_bytes| size_bytes == file.size_bytes),
    };
    (!is_as_listed).then_some(head)
}

fn metadata(row: &FileRow) -> Option<String> {
    let metadata = &row.ending.as_ref()?.head.as_ref()?.metadata;
    if metadata.is_empty() { None } else { serde_json::to_string(metadata).ok() }
}

fn log_files_column(name: &str, rows: &[FileRow], stamp: &Stamp) -> ArrayRef {
    let text = |of: &dyn Fn(&FileRow) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let count = |of: &dyn Fn(&FileRow) -> Option<u64>| -> ArrayRef {
        let counts = rows.iter().map(|row| of(row).and_then(|n| i64::try_from(n).ok()));
        Arc::new(counts.collect::<Int64Array>())
    };
    let small = |of: &dyn Fn(&FileRow) -> Option<i32>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Int32Array>())
    };
    let time = |of: &dyn Fn(&FileRow) -> Option<i64>| times(rows.iter().map(of));
    let read = |row: &FileRow| row.ending.as_ref().is_none_or(|ending| ending.digest.is_some());
    match name {
        "uri" => text(&|row| Some(row.job.file.uri.to_string())),
        "version" => small(&|row| Some(row.version)),
        "container" => text(&|row| {
            let file = &row.job.file;
            match &file.container {
                Some(archive) => Some(archive.to_string()),
                None => (file.uri != file.source).then(|| file.source.to_string()),
            }
        }),
        "source" => text(&|row| Some(row.job.file.source.to_string())),
        "size_bytes" => count(&|row| {
            let listed = row.job.file.size_bytes;
            let size_bytes = newer(row).and_then(|head| head.size_bytes).unwrap_or(listed);
            (read(row) || row.job.file.modified_at.is_some()).then_some(size_bytes)
        }),
        "modified_at" => time(&|row| match newer(row) {
            Some(head) => head.modified_at,
            None => row.job.file.modified_at,
        }),
        "etag" => text(&|row| match newer(row) {
            Some(head) => head.etag.clone(),
            None => row.job.file.etag.as_deref().map(str::to_owned),
        }),
        "object_version" => text(&|row| {
            let told = || row.ending.as_ref()?.head.as_ref()?.version_id.clone();
            row.job.file.object_version.as_deref().map(str::to_owned).or_else(told)
        }),
        "removed" => text(&|row| row.job.file.removed.map(|removed| removed.as_str().to_owned())),
        "removed_at" => time(&|row| row.job.file.removed.and_then(|removed| removed.at)),
        "metadata" => text(&metadata),
        "sha256" => text(&|row| digest(row).map(|digest| hex(&digest.sha256))),
        "sha256_inflated" => text(&|row| {
            digest(row).and_then(|digest| digest.sha256_inflated).map(|hash| hex(&hash))
        }),
        "inflated_bytes" => count(&|row| {
            let inflated = digest(row).filter(|digest| digest.sha256_inflated.is_some());
            inflated.map(|digest| digest.inflated_bytes)
        }),
        "kind" => text(&|row| row.ending.as_ref()?.kind.as_deref().map(str::to_owned)),
        "outcome" => text(&|row| {
            let outcome = row.ending.as_ref().and_then(|ending| ending.outcome);
            Some(outcome.unwrap_or(Outcome::Partial).as_str().to_owned())
        }),
        "reason" => text(&|row| row.ending.as_ref()?.reason.clone()),
        "reason_offset" => count(&|row| row.ending.as_ref()?.reason_offset),
        "records_read" => count(&|row| Some(row.counts.read)),
        "records_written" => count(&|row| Some(row.counts.written)),
        "records_duplicate" => count(&|row| Some(row.counts.duplicates)),
        "records_rejected" => count(&|row| Some(row.counts.rejected)),
        "records_done" => count(&|row| Some(row.records_done.into())),
        "account" => text(&|row| row.job.file.key.account.clone()),
        "region" => text(&|row| row.job.file.key.region.clone()),
        "first_event_at" => time(&|row| row.counts.span.map(|(first, _last)| first)),
        "last_event_at" => time(&|row| row.counts.span.map(|(_first, last)| last)),
        "gzip_members" => {
            small(&|row| digest(row).and_then(|digest| i32::try_from(digest.gzip_members).ok()))
        }
        "wrapper" => text(&|row| row.ending.as_ref()?.wrapper.clone()),
        "limits" => text(&|row| {
            let reached = row.ending.as_ref().is_some_and(|ending| ending.limits_reached);
            reached.then(|| limits_text(stamp.limits))
        }),
        "ingested_at" => time(&|_row| Some(stamp.now)),
        "trailhound_version" => text(&|_row| Some(env!("CARGO_PKG_VERSION").to_owned())),
        "part" => small(&|row| Some(row.part)),
        _ => new_null_array(&arrow::datatypes::DataType::Null, rows.len()),
    }
}

/// Rows of `log_files` as they were, for files of which only the time is news.
pub(super) fn touched(old: &[RecordBatch], rows: &[FileRow], stamp: &Stamp) -> Result<RecordBatch> {
    let old =
        concat_batches(&Table::LogFiles.schema(), old).map_err(|error| failed(error.into()))?;
    build(Table::LogFiles, rows.len(), |name| match name {
        "size_bytes" | "modified_at" | "etag" | "object_version" | "metadata" | "part"
        | "ingested_at" | "source" => Some(log_files_column(name, rows, stamp)),
        _ => old.column_by_name(name).cloned(),
    })
}

/// The rows of `duplicates`.
pub(super) fn duplicates(
    batches: &[Arc<Rows>],
    duplicates: &[Duplicate],
    origin: &dyn Fn(&SortKey) -> Option<Origin>,
    stamp: &Stamp,
) -> Result<RecordBatch> {
    let kept: Vec<Option<Origin>> = duplicates
        .iter()
        .map(|duplicate| match &duplicate.kept {
            Kept::Here(key) => origin(key),
            Kept::Cached(origin) => Some(origin.clone()),
        })
        .collect();
    let at: Vec<(usize, usize)> = duplicates
        .iter()
        .map(|duplicate| (duplicate.at.0 as usize, duplicate.at.1 as usize))
        .collect();
    build(Table::Duplicates, duplicates.len(), |name| match name {
        "of_file" | "kept_source_file" => {
            let files = kept.iter().map(|kept| kept.as_ref().map(|kept| &*kept.file));
            Some(Arc::new(files.collect::<StringArray>()))
        }
        "of_version" | "kept_source_version" => {
            let versions = kept.iter().map(|kept| kept.as_ref().map(|kept| kept.version));
            Some(Arc::new(versions.collect::<Int32Array>()))
        }
        "of_record_no" | "kept_record_no" => {
            let numbers = kept.iter().map(|kept| kept.as_ref().map(|kept| kept.record_no));
            Some(Arc::new(numbers.collect::<Int64Array>()))
        }
        "found_at" | "ingested_at" => Some(times(duplicates.iter().map(|_row| Some(stamp.now)))),
        _ => {
            let columns: Option<Vec<&dyn Array>> = batches
                .iter()
                .map(|rows| rows.batch.column_by_name(name).map(|column| &**column))
                .collect();
            columns.and_then(|columns| interleave(&columns, &at).ok())
        }
    })
}

/// The rows of `rejects`; each with the file it lies in and that file's version.
pub(super) fn rejects(rows: &[(&Reject, &Job, i32)], stamp: &Stamp) -> Result<RecordBatch> {
    build(Table::Rejects, rows.len(), |name| Some(rejects_column(name, rows, stamp)))
}

fn rejects_column(name: &str, rows: &[(&Reject, &Job, i32)], stamp: &Stamp) -> ArrayRef {
    let text = |of: &dyn Fn(&Reject, &Job) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(|(reject, job, _)| of(reject, job)).collect::<StringArray>())
    };
    let count = |of: &dyn Fn(&Reject) -> u64| -> ArrayRef {
        let counts = rows.iter().map(|(reject, ..)| i64::try_from(of(reject)).ok());
        Arc::new(counts.collect::<Int64Array>())
    };
    match name {
        "source_file" => text(&|_reject, job| Some(job.file.uri.to_string())),
        "source_version" => {
            Arc::new(rows.iter().map(|(.., version)| Some(*version)).collect::<Int32Array>())
        }
        "record_no" => count(&|reject| reject.record_no.into()),
        "record_offset" | "offset" => count(&|reject| reject.offset),
        "appended" => Arc::new(
            rows.iter().map(|(reject, ..)| Some(reject.appended)).collect::<BooleanArray>(),
        ),
        "length" | "length_bytes" => count(&|reject| reject.length),
        "reason" => text(&|reject, _job| Some(reject.why.reason.as_str().to_owned())),
        "detail" => text(&|reject, _job| Some(reject.why.detail.clone())),
        "at" => count(&|reject| reject.why.at as u64),
        "text" | "raw" => Arc::new(
            rows.iter().map(|(reject, ..)| Some(reject.text.as_slice())).collect::<BinaryArray>(),
        ),
        "shape" => text(&|reject, _job| reject.shape.map(|shape| shape.as_str().to_owned())),
        "account" => text(&|_reject, job| job.file.key.account.clone()),
        "region" => text(&|_reject, job| job.file.key.region.clone()),
        "delivery_date" => {
            Arc::new(rows.iter().map(|(_, job, _)| day(&job.file.key)).collect::<Date32Array>())
        }
        "found_at" | "ingested_at" => times(rows.iter().map(|_row| Some(stamp.now))),
        _ => new_null_array(&arrow::datatypes::DataType::Null, rows.len()),
    }
}

/// The day of a key, in days since 1970.
fn day(key: &LogKey) -> Option<i32> {
    let (year, month, day) = key.day?;
    let date = chrono::NaiveDate::from_ymd_opt(year, month, day)?;
    date.signed_duration_since(chrono::NaiveDate::default()).num_days().try_into().ok()
}

fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// A batch of `table`; columns that are not given are NULL.
fn build(
    table: Table,
    n_rows: usize,
    column: impl Fn(&str) -> Option<ArrayRef>,
) -> Result<RecordBatch> {
    let schema = table.schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match column(field.name()) {
            None => Ok(new_null_array(field.data_type(), n_rows)),
            Some(values) if values.data_type() == field.data_type() => Ok(values),
            Some(values) => cast(&values, field.data_type()),
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(error.into()))?;
    RecordBatch::try_new(schema, columns).map_err(|error| failed(error.into()))
}

fn failed(source: BoxError) -> crate::Error {
    ErrorKind::Columnar { action: "write up what was ingested", source }.into()
}
