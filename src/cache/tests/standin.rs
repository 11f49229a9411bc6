//! A schema with every kind of column that the events have, and rows for it.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Date32Array, Int32Array, Int64Array, ListArray, MapArray,
        RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, new_null_array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit},
};

use crate::{
    cache::{Cache, Schemas, Snapshot, Sorted, Table},
    logs::cloudtrail::decode::{Rows, SortKey},
};

pub(super) const MIN_TS: i64 = 1_704_067_200_000_000;

pub(super) fn schemas() -> Schemas {
    Schemas { events: events(), aggregated: aggregated() }
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn provenance() -> Vec<Field> {
    vec![
        text("shape"),
        text("envelope"),
        text("account"),
        text("region"),
        Field::new("delivery_date", DataType::Date32, true),
        text("source_file"),
        Field::new("source_version", DataType::Int32, true),
        Field::new("record_no", DataType::Int64, true),
        Field::new("record_offset", DataType::Int64, true),
        Field::new("appended", DataType::Boolean, true),
    ]
}

fn attributes() -> Field {
    let entries = Field::new(
        "entries",
        DataType::Struct(Fields::from(vec![
            Field::new("keys", DataType::Utf8, false),
            text("values"),
        ])),
        false,
    );
    Field::new("attributes", DataType::Map(Arc::new(entries), false), true)
}

fn identity() -> Fields {
    Fields::from(vec![text("type"), text("arn"), text("accesskeyid"), attributes()])
}

fn resource() -> Field {
    let fields = Fields::from(vec![text("arn"), text("accountid"), text("type")]);
    Field::new("item", DataType::Struct(fields), true)
}

fn events() -> SchemaRef {
    let mut fields = vec![
        Field::new("useridentity", DataType::Struct(identity()), true),
        text("eventtime"),
        text("eventsource"),
        text("eventname"),
        text("awsregion"),
        text("requestparameters"),
        text("eventid"),
        Field::new("resources", DataType::List(Arc::new(resource())), true),
        text("recipientaccountid"),
        Field::new(
            "event_ts",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            true,
        ),
        Field::new("is_write", DataType::Boolean, true),
        text("annotation"),
    ];
    fields.extend(provenance());
    Arc::new(Schema::new(fields))
}

fn aggregated() -> SchemaRef {
    let mut fields = vec![
        text("eventid"),
        Field::new(
            "event_ts",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            true,
        ),
        text("eventjson"),
    ];
    fields.extend(provenance());
    Arc::new(Schema::new(fields))
}

/// A row: where from, when (seconds after [`MIN_TS`]; none has no time), which event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) ts: Option<i64>,
    pub(super) eventid: String,
    pub(super) source_file: String,
    pub(super) record_no: i64,
}

pub(super) fn row(ts: i64, eventid: &str, source_file: &str, record_no: i64) -> Row {
    Row {
        ts: Some(ts),
        eventid: eventid.to_owned(),
        source_file: source_file.to_owned(),
        record_no,
    }
}

/// `n` rows of `file`, the `i`th at second `i * step`.
pub(super) fn rows_of(file: &str, n: i64, step: i64) -> Vec<Row> {
    (0..n).map(|i| row(i * step, &format!("{file}-{i}"), file, i + 1)).collect()
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn column(field: &Field, rows: &[Row]) -> ArrayRef {
    let n = rows.len();
    match field.name().as_str() {
        "event_ts" => {
            let times = rows.iter().map(|row| row.ts.map(|ts| MIN_TS + ts * 1_000_000));
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        "eventid" => texts(rows.iter().map(|row| Some(row.eventid.as_str()))),
        "source_file" => texts(rows.iter().map(|row| Some(row.source_file.as_str()))),
        "record_no" => Arc::new(rows.iter().map(|row| row.record_no).collect::<Int64Array>()),
        "record_offset" => {
            Arc::new(rows.iter().map(|row| row.record_no * 100).collect::<Int64Array>())
        }
        "source_version" => Arc::new(Int32Array::from(vec![1; n])),
        "delivery_date" => Arc::new(Date32Array::from(vec![19_723; n])),
        "appended" | "is_write" => Arc::new(BooleanArray::from(vec![false; n])),
        "useridentity" => identities(rows),
        "resources" => resources(rows),
        "annotation" | "envelope" => new_null_array(field.data_type(), n),
        "recipientaccountid" | "account" => texts(rows.iter().map(|_| Some("111122223333"))),
        "awsregion" | "region" => texts(rows.iter().map(|_| Some("us-east-1"))),
        "shape" => texts(rows.iter().map(|_| Some("records"))),
        "eventjson" | "requestparameters" => {
            let texts = rows.iter().map(|row| format!(r#"{{"of":"{}"}}"#, row.eventid));
            Arc::new(StringArray::from_iter_values(texts))
        }
        _ => texts(rows.iter().map(|row| (row.record_no % 3 != 0).then_some("ListBuckets"))),
    }
}

fn identities(rows: &[Row]) -> ArrayRef {
    let n = rows.len();
    let keys = texts(rows.iter().map(|_| Some("AKIAIOSFODNN7EXAMPLE")));
    let arns = StringArray::from_iter_values(
        rows.iter().map(|row| format!("arn:aws:iam::111122223333:user/{}", row.record_no % 7)),
    );
    let DataType::Map(entries, _) = attributes().data_type().clone() else { unreachable!() };
    let DataType::Struct(entry) = entries.data_type() else { unreachable!() };
    let pairs = StructArray::new(
        entry.clone(),
        vec![texts(rows.iter().map(|_| Some("aud"))), texts(rows.iter().map(|_| None))],
        None,
    );
    let attributes = MapArray::new(
        Arc::clone(&entries),
        OffsetBuffer::from_lengths(vec![1; n]),
        pairs,
        None,
        false,
    );
    let columns: Vec<ArrayRef> = vec![
        texts(rows.iter().map(|_| Some("IAMUser"))),
        Arc::new(arns),
        keys,
        Arc::new(attributes),
    ];
    let valid: NullBuffer = rows.iter().map(|row| row.record_no % 5 != 0).collect();
    Arc::new(StructArray::new(identity(), columns, Some(valid)))
}

fn resources(rows: &[Row]) -> ArrayRef {
    let DataType::Struct(fields) = resource().data_type().clone() else { unreachable!() };
    let lengths: Vec<usize> =
        rows.iter().map(|row| usize::try_from(row.record_no % 3).unwrap()).collect();
    let n: usize = lengths.iter().sum();
    let values = StructArray::new(
        fields,
        vec![
            Arc::new(StringArray::from_iter_values((0..n).map(|i| format!("arn:{i}")))) as ArrayRef,
            new_null_array(&DataType::Utf8, n),
            new_null_array(&DataType::Utf8, n),
        ],
        None,
    );
    Arc::new(ListArray::new(
        Arc::new(resource()),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(values),
        None,
    ))
}

pub(super) fn batch(schema: &SchemaRef, rows: &[Row]) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| column(field, rows)).collect();
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

/// Batches of `per_batch` rows in the order given, to be stored in the order of time.
pub(super) fn sorted(schema: &SchemaRef, rows: &[Row], per_batch: usize) -> Sorted {
    let mut order = Vec::new();
    let mut batches = Vec::new();
    for (b, part) in rows.chunks(per_batch).enumerate() {
        let key =
            |row: &Row| SortKey { ts: row.ts.unwrap_or(i64::MIN), id: 0, seq: 0, record_no: 0 };
        let keys: Vec<SortKey> = part.iter().map(key).collect();
        order.extend(
            (0..part.len()).map(|r| (u32::try_from(b).unwrap(), u32::try_from(r).unwrap())),
        );
        batches.push(Arc::new(Rows { batch: batch(schema, part), keys }));
    }
    order.sort_by_key(|&(b, r)| batches[b as usize].keys[r as usize].ts);
    Sorted { batches, order }
}

/// A row of `log_files`, `duplicates` or `rejects` with `values`, the others NULL.
pub(super) fn book(table: Table, rows: &[&[(&str, ArrayRef)]]) -> RecordBatch {
    let schema = table.schema();
    let parts: Vec<RecordBatch> = rows
        .iter()
        .map(|values| {
            let columns = schema.fields().iter().map(|field| {
                let value = values.iter().find(|(name, _)| name == field.name());
                value.map_or_else(|| new_null_array(field.data_type(), 1), |(_, v)| Arc::clone(v))
            });
            RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
        })
        .collect();
    arrow::compute::concat_batches(&schema, &parts).unwrap()
}

pub(super) fn s(value: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

pub(super) fn i32(value: i32) -> ArrayRef {
    Arc::new(Int32Array::from(vec![value]))
}

pub(super) fn i64(value: i64) -> ArrayRef {
    Arc::new(Int64Array::from(vec![value]))
}

/// A ledger row.
pub(super) fn ledger(uri: &str, source: &str, n: i64) -> RecordBatch {
    book(
        Table::LogFiles,
        &[&[
            ("uri", s(uri)),
            ("version", i32(1)),
            ("source", s(source)),
            ("outcome", s("ingested")),
            ("records_read", i64(n)),
            ("records_written", i64(n)),
            ("records_duplicate", i64(0)),
            ("records_rejected", i64(0)),
            ("part", i32(1)),
        ]],
    )
}

/// The rows of `table` in the order they lie in the files.
pub(super) fn stored(cache: &Cache, snapshot: &Snapshot, table: Table) -> Vec<Row> {
    let mut rows = Vec::new();
    let columns = ["event_ts", "eventid", "source_file", "record_no"];
    cache
        .read(snapshot, table, &columns, None, &mut |batch| {
            let text = |i: usize, r: usize| {
                batch.column(i).as_any().downcast_ref::<StringArray>().unwrap().value(r).to_owned()
            };
            let times =
                batch.column(0).as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap();
            let numbers = batch.column(3).as_any().downcast_ref::<Int64Array>().unwrap();
            for r in 0..batch.num_rows() {
                let ts = times.is_valid(r).then(|| (times.value(r) - MIN_TS) / 1_000_000);
                let record_no = numbers.value(r);
                rows.push(Row { ts, eventid: text(1, r), source_file: text(2, r), record_no });
            }
            Ok(())
        })
        .unwrap();
    rows
}

/// The values of one text column of `table`.
pub(super) fn texts_of(
    cache: &Cache,
    snapshot: &Snapshot,
    table: Table,
    name: &str,
) -> Vec<String> {
    let mut values = Vec::new();
    cache
        .read(snapshot, table, &[name], None, &mut |batch| {
            let column = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap();
            values.extend(column.iter().map(|value| value.unwrap_or("NULL").to_owned()));
            Ok(())
        })
        .unwrap();
    values
}
