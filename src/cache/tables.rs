//! The columns of the tables that keep the books: `log_files`, `duplicates`, `rejects`, and what
//! verifications found, `digest_files` and `digest_verdicts`.
//!
//! The events' own columns are [`crate::logs::cloudtrail::schema`]'s.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::Table;

/// One column of a table of the books.
#[derive(Debug, Clone)]
pub struct BookColumn {
    /// Its name in SQL.
    pub name: &'static str,
    /// Its Arrow type.
    pub data_type: DataType,
    /// What it holds, with units and sources.
    pub doc: &'static str,
}

/// The columns of `table` in the order they are stored; none for the tables of events.
pub fn columns(table: Table) -> &'static [BookColumn] {
    static LOG_FILES: LazyLock<Vec<BookColumn>> = LazyLock::new(log_files);
    static DUPLICATES: LazyLock<Vec<BookColumn>> = LazyLock::new(duplicates);
    static REJECTS: LazyLock<Vec<BookColumn>> = LazyLock::new(rejects);
    static DIGEST_FILES: LazyLock<Vec<BookColumn>> = LazyLock::new(digest_files);
    static DIGEST_VERDICTS: LazyLock<Vec<BookColumn>> = LazyLock::new(digest_verdicts);
    match table {
        Table::LogFiles => &LOG_FILES,
        Table::Duplicates => &DUPLICATES,
        Table::Rejects => &REJECTS,
        Table::DigestFiles => &DIGEST_FILES,
        Table::DigestVerdicts => &DIGEST_VERDICTS,
        Table::Events | Table::Aggregated => &[],
    }
}

/// The Arrow schema of a table of the books; empty for the tables of events.
pub(super) fn schema(table: Table) -> SchemaRef {
    const BOOKS: [Table; 5] = [
        Table::LogFiles,
        Table::Duplicates,
        Table::Rejects,
        Table::DigestFiles,
        Table::DigestVerdicts,
    ];
    static SCHEMAS: LazyLock<[SchemaRef; 5]> = LazyLock::new(|| BOOKS.map(build));
    let known = BOOKS.iter().zip(&*SCHEMAS).find(|(book, _)| **book == table);
    known.map_or_else(|| Arc::new(Schema::empty()), |(_, schema)| Arc::clone(schema))
}

fn build(table: Table) -> SchemaRef {
    let fields = columns(table).iter().map(|c| Field::new(c.name, c.data_type.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn column(name: &'static str, data_type: DataType, doc: &'static str) -> BookColumn {
    BookColumn { name, data_type, doc }
}

fn text(name: &'static str, doc: &'static str) -> BookColumn {
    column(name, DataType::Utf8, doc)
}

fn count(name: &'static str, doc: &'static str) -> BookColumn {
    column(name, DataType::Int64, doc)
}

fn small(name: &'static str, doc: &'static str) -> BookColumn {
    column(name, DataType::Int32, doc)
}

fn time(name: &'static str, doc: &'static str) -> BookColumn {
    column(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), doc)
}

fn log_files() -> Vec<BookColumn> {
    vec![
        text("uri", "URI of the file; of an archive's member `a.zip!/member`"),
        small("version", "which content of this URI, from 1"),
        text("container", "URI of the archive or directory it was found in"),
        text("source", "the SOURCE it was found through, as given, absolute"),
        count("size_bytes", "size as stored, in bytes"),
        time("modified_at", "when it was last modified"),
        text("etag", "ETag, where the store has one"),
        text("object_version", "version id of the object, where the store has one"),
        text("removed", "`deleted` or `overwritten`: of a version that someone took the place of"),
        time("removed_at", "when that happened"),
        text("metadata", "what the object's writer said of it (`x-amz-meta-…`), as JSON"),
        text("sha256", "SHA-256 of the stored bytes, hex"),
        text("sha256_inflated", "SHA-256 of the inflated bytes, hex"),
        count("inflated_bytes", "size after inflation, in bytes"),
        text("kind", "what it is"),
        text("outcome", "`ingested`, `other`, `skipped`, `partial`, `archive` or `forgotten`"),
        text("reason", "why it was skipped, or what the other is"),
        count("reason_offset", "where in the inflated bytes the fault is"),
        count("records_read", "records read"),
        count("records_written", "records that became rows"),
        count("records_duplicate", "records that were copies of rows"),
        count("records_rejected", "records kept in `rejects`"),
        count("records_done", "of an outcome `partial`: the records committed so far"),
        text("account", "account of its key"),
        text("region", "region of its key"),
        time("first_event_at", "smallest event time in it"),
        time("last_event_at", "largest event time in it"),
        small("gzip_members", "gzip members it consists of"),
        text("wrapper", "members that follow the records in their container, as JSON"),
        text("limits", "the limits it was read under, where one was reached"),
        time("ingested_at", "when this row was written"),
        text("trailhound_version", "the version of trailhound that read it"),
        small("part", "a row with a higher part replaces those of the same URI and version"),
    ]
}

fn duplicates() -> Vec<BookColumn> {
    vec![
        text("source_file", "URI of the file the copy lies in"),
        small("source_version", "which content of that URI, from 1"),
        count("record_no", "the copy's number in its file, from 1"),
        count("record_offset", "the copy's offset in the inflated file, in bytes"),
        column("appended", DataType::Boolean, "the copy lies behind the first gzip member"),
        text("shape", "the shape the copy came in"),
        text("envelope", "what wrapped the copy, as JSON"),
        text("account", "account of the copy's key, else of the event"),
        text("region", "region of the copy's key, else of the event"),
        column("delivery_date", DataType::Date32, "day of the copy's key, else of the event"),
        text("of_file", "URI of the file of the row that stayed"),
        small("of_version", "which content of that URI, from 1"),
        count("of_record_no", "the number in its file of the record that stayed"),
        time("event_ts", "the event's time"),
        text("recipientaccountid", "the event's recipient account"),
        text("eventid", "the event's id"),
        time("found_at", "when the copy was met"),
    ]
}

fn rejects() -> Vec<BookColumn> {
    vec![
        text("source_file", "URI of the file it lies in"),
        small("source_version", "which content of that URI, from 1"),
        count("record_no", "its number among the file's records, from 1"),
        count("record_offset", "its offset in the inflated file, in bytes"),
        column("appended", DataType::Boolean, "it lies behind the first gzip member"),
        count("length", "its whole length in bytes"),
        text("reason", "the class of the fault"),
        text("detail", "what exactly"),
        count("at", "where in the text, in bytes from its start"),
        column("text", DataType::Binary, "its bytes as far as kept"),
        text("shape", "the shape it came in"),
        text("account", "account of its file's key"),
        text("region", "region of its file's key"),
        column("delivery_date", DataType::Date32, "day of its file's key"),
        time("found_at", "when it was met"),
    ]
}

fn digest_files() -> Vec<BookColumn> {
    vec![
        text("uri", "URI of the digest file; of one that is not there, where it should be"),
        text("s3_uri", "where CloudTrail delivered it, as it says itself, `s3://…`"),
        text("account", "account of its chain"),
        text("region", "region of its chain"),
        text("trail", "the trail's name"),
        column("is_backfill", DataType::Boolean, "it is of the chain of log files that came late"),
        time("start_at", "start of its hour"),
        time("end_at", "end of its hour"),
        text("status", "`valid`, `invalid` or `unverifiable`"),
        text("reason", "why it is not valid"),
        text("warnings", "what else is odd about it, one a line"),
        text("fingerprint", "MD5 of the key it names, hex"),
        text("signature_from", "`object metadata`, `sidecar`, `ledger` or `next digest`"),
        text(
            "previous_s3_uri",
            "where the digest before it is said to be; NULL at a chain's start",
        ),
        count("n_log_files", "log files it lists"),
        count("size_bytes", "size as stored, in bytes"),
        time("modified_at", "when it was last modified"),
        text("etag", "ETag, where the store has one"),
        text("sha256", "SHA-256 of the stored bytes, hex"),
        text("sha256_inflated", "SHA-256 of the inflated bytes, hex"),
        time("verified_at", "when this was found"),
        text("trailhound_version", "the version of trailhound that found it"),
    ]
}

fn digest_verdicts() -> Vec<BookColumn> {
    vec![
        text("uri", "URI of the log file; of one that is not there, where it should be"),
        text("s3_uri", "where CloudTrail delivered it, as the digest says, `s3://…`"),
        text("digest_uri", "URI of the digest file that decides"),
        column("is_backfill", DataType::Boolean, "that is one of log files that came late"),
        text("account", "account of its key"),
        text("region", "region of its key"),
        time("delivered_at", "when it was delivered, as its name tells"),
        text("status", "`valid`, `invalid`, `unverifiable` or `undigested`"),
        text("reason", "why it is not valid"),
        text("warnings", "what else is odd about it, one a line"),
        text("expected_sha256", "SHA-256 that the digest has for the inflated bytes, hex"),
        text("sha256_inflated", "SHA-256 of its first gzip stream, inflated, hex"),
        count("size_bytes", "size as stored, in bytes"),
        time("modified_at", "when it was last modified"),
        text("etag", "ETag, where the store has one"),
        text("sha256", "SHA-256 of the stored bytes, hex: the content that this is about"),
        text("facts", "what was found in its bytes, as JSON"),
        time("verified_at", "when this was found"),
        text("trailhound_version", "the version of trailhound that found it"),
    ]
}

/// The columns whose bounds every Add action carries, of those that `schema` has.
///
/// Delta readers index only the first 32 leaf columns unless the table says which:
/// <https://docs.delta.io/latest/optimizations-oss.html#data-skipping>.
pub(super) fn stats_columns(schema: &Schema) -> Vec<&'static str> {
    const NAMES: [&str; 14] = [
        "event_ts",
        "eventtime",
        "delivery_date",
        "recipientaccountid",
        "account",
        "awsregion",
        "region",
        "eventsource",
        "eventname",
        "source_file",
        "uri",
        "ingested_at",
        "found_at",
        "verified_at",
    ];
    NAMES.into_iter().filter(|name| schema.index_of(name).is_ok()).collect()
}
