//! The cache that SQL is tested on: `fixture.json`, decoded and committed without an ingest, so
//! that its files can have any URI.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Int32Array, Int64Array, RecordBatch,
        StringArray, TimestampMicrosecondArray,
    },
    datatypes::{DataType, SchemaRef},
};
use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use trailhound::{
    cache::{Cache, Chunk, CommitOutcome, Sorted, Table},
    engine::{Session, SessionOptions},
    logs::{
        Limits,
        cloudtrail::{
            decode::{Decoder, FileMeta, RecordMeta, Rows},
            envelope::Shape,
            key::LogKey,
        },
    },
};

#[derive(Deserialize)]
struct Fixture<'a> {
    #[serde(borrow)]
    files: Vec<File<'a>>,
    log_files: Vec<Value>,
    duplicates: Vec<Value>,
    rejects: Vec<Value>,
}

#[derive(Deserialize)]
struct File<'a> {
    uri: String,
    version: i32,
    account: Option<String>,
    region: Option<String>,
    day: Option<String>,
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

/// A cache at `dir` that holds the fixture.
pub(crate) fn cache(dir: &Path) -> Arc<Cache> {
    let text = include_str!("fixture.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    let cache = Cache::create(dir).unwrap();
    // Two commits: files that do not overlap in time, so that pruning has something to do.
    for (first, files) in fixture.files.chunks(1).enumerate() {
        let events = sorted(decode(files, u32::try_from(first).unwrap()));
        let books = |rows: &[Value], table: Table| {
            (first == 0 && !rows.is_empty()).then(|| batch(table.schema(), rows))
        };
        let chunk = Chunk {
            events,
            log_files: books(&fixture.log_files, Table::LogFiles),
            duplicates: books(&fixture.duplicates, Table::Duplicates),
            rejects: books(&fixture.rejects, Table::Rejects),
            ..Chunk::default()
        };
        let base = cache.snapshot().unwrap();
        assert_eq!(cache.commit(&base, &chunk).unwrap(), CommitOutcome::Committed);
    }
    Arc::new(cache)
}

/// Commits the events of the first file once more.
#[allow(dead_code, reason = "one of the two test binaries does")]
pub(crate) fn first_file_again(cache: &Cache) {
    let fixture: Fixture = serde_json::from_str(include_str!("fixture.json")).unwrap();
    let events = sorted(decode(&fixture.files[..1], 9));
    let base = cache.snapshot().unwrap();
    let chunk = Chunk { events, ..Chunk::default() };
    assert_eq!(cache.commit(&base, &chunk).unwrap(), CommitOutcome::Committed);
}

/// A session with the names and bounds that the tests assume.
pub(crate) fn session(cache: &Arc<Cache>, temp_dir: &Path, memory_bytes: usize) -> Session {
    let options = SessionOptions {
        memory_bytes,
        temp_dir: temp_dir.to_owned(),
        threads: 2,
        table_names: vec![
            ("security.trail_logs".to_owned(), "cloudtrail_logs".to_owned()),
            ("Evidence".to_owned(), "log_files".to_owned()),
        ],
        strict: false,
    };
    Session::open(Arc::clone(cache), &options).unwrap()
}

fn decode(files: &[File<'_>], first: u32) -> Rows {
    let mut decoder = Decoder::new(Limits::default());
    for (seq, file) in files.iter().enumerate() {
        let day = file.day.as_ref().map(|day| {
            let mut parts = day.split('-').map(|part| part.parse::<u32>().unwrap());
            let mut next = || parts.next().unwrap();
            (i32::try_from(next()).unwrap(), next(), next())
        });
        let meta = FileMeta {
            seq: first + u32::try_from(seq).unwrap(),
            source_file: file.uri.as_str().into(),
            source_version: file.version,
            key: LogKey {
                account: file.account.clone(),
                region: file.region.clone(),
                day,
                kind: Some("CloudTrail".to_owned()),
            },
        };
        for (index, record) in file.records.iter().enumerate() {
            let meta_of_record = RecordMeta {
                record_no: u32::try_from(index + 1).unwrap(),
                offset: u64::try_from(index).unwrap() * 1_000,
                appended: false,
                shape: Shape::Records,
                envelope: None,
            };
            decoder.push(&meta, &meta_of_record, record.get().as_bytes()).unwrap();
        }
    }
    decoder.take().events.unwrap()
}

fn sorted(rows: Rows) -> Sorted {
    let mut order: Vec<u32> = (0..u32::try_from(rows.keys.len()).unwrap()).collect();
    order.sort_by_key(|row| rows.keys[*row as usize]);
    let order = order.into_iter().map(|row| (0, row)).collect();
    Sorted { batches: vec![Arc::new(rows)], order }
}

/// `rows` as a batch of `schema`; what they lack is NULL.
pub(crate) fn batch(schema: SchemaRef, rows: &[Value]) -> RecordBatch {
    let column = |field: &arrow::datatypes::Field| -> ArrayRef {
        let values = rows.iter().map(|row| row.get(field.name()).filter(|v| !v.is_null()));
        let text = values.clone().map(|value| value.and_then(Value::as_str));
        let number = values.clone().map(|value| value.and_then(Value::as_i64));
        match field.data_type() {
            DataType::Utf8 => Arc::new(text.collect::<StringArray>()),
            DataType::Int64 => Arc::new(number.collect::<Int64Array>()),
            DataType::Int32 => Arc::new(
                number.map(|n| n.map(|n| i32::try_from(n).unwrap())).collect::<Int32Array>(),
            ),
            DataType::Boolean => {
                Arc::new(values.map(|v| v.and_then(Value::as_bool)).collect::<BooleanArray>())
            }
            DataType::Binary => {
                Arc::new(text.map(|t| t.map(str::as_bytes)).collect::<BinaryArray>())
            }
            DataType::Date32 => Arc::new(
                text.map(|t| {
                    let date: NaiveDate = t?.parse().unwrap();
                    let days = date.signed_duration_since(NaiveDate::default()).num_days();
                    Some(i32::try_from(days).unwrap())
                })
                .collect::<Date32Array>(),
            ),
            DataType::Timestamp(..) => Arc::new(
                text.map(|t| Some(DateTime::parse_from_rfc3339(t?).unwrap().timestamp_micros()))
                    .collect::<TimestampMicrosecondArray>()
                    .with_data_type(field.data_type().clone()),
            ),
            other => panic!("no fixture for {other}"),
        }
    };
    let columns = schema.fields().iter().map(|field| column(field)).collect();
    RecordBatch::try_new(schema, columns).unwrap()
}
