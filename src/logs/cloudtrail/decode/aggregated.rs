//! Rows of `cloudtrail_aggregated` under construction: one per bucket of a dimension.
//!
//! Source: "CloudTrail record contents for aggregated events" of the AWS CloudTrail User Guide.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    datatypes::{Int32Type, Int64Type, TimestampMicrosecondType},
};

use crate::logs::cloudtrail::{
    derive::{self, Hasher},
    fields::Leaf,
    scan, schema,
};

use super::{
    FileMeta, RecordMeta, SortKey,
    columns::{BooleanColumn, NumberColumn, TextColumn},
    events::batch,
    origin::{Fallback, Origin},
    record::Parsed,
};

/// Whether the record is an aggregated event.
pub(super) fn is_aggregated(json: &[u8], parsed: &Parsed) -> bool {
    let is = |leaf, word: &[u8]| parsed.get(leaf, json).is_some_and(|piece| piece.raw == word);
    is(Leaf::EventCategory, b"Aggregated") || is(Leaf::EventType, b"AwsAggregatedEvent")
}

/// The texts of a record, the same in all its rows, in the order of their columns.
const PATHS: [(&str, &[&str]); 11] = [
    ("eventversion", &["eventVersion"]),
    ("accountid", &["accountId"]),
    ("eventid", &["eventId"]),
    ("eventcategory", &["eventCategory"]),
    ("eventtype", &["eventType"]),
    ("awsregion", &["awsRegion"]),
    ("eventsource", &["eventSource"]),
    ("windowstart", &["timeWindow", "windowStart"]),
    ("windowend", &["timeWindow", "windowEnd"]),
    ("windowsize", &["timeWindow", "windowSize"]),
    ("addendum_reason", &["addendum", "reason"]),
];
const ACCOUNT: usize = 1;
const EVENT_ID: usize = 2;
const REGION: usize = 5;
const WINDOW_START: usize = 7;
const WINDOW_END: usize = 8;

/// The columns of `cloudtrail_aggregated`.
#[derive(Debug)]
pub(super) struct Aggregated {
    rows: usize,
    texts: [TextColumn; PATHS.len()],
    is_primary: BooleanColumn,
    dimension: TextColumn,
    aggregation_type: TextColumn,
    name: TextColumn,
    value: NumberColumn<Int64Type>,
    event_json: TextColumn,
    event_ts: NumberColumn<TimestampMicrosecondType>,
    window_end_ts: NumberColumn<TimestampMicrosecondType>,
    bucket_no: NumberColumn<Int32Type>,
    origin: Origin,
}

/// One bucket of a record.
#[derive(Debug, Default)]
struct Bucket {
    primary: Option<bool>,
    dimension: Option<Vec<u8>>,
    aggregation_type: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
    value: Option<i64>,
}

impl Aggregated {
    pub(super) fn new() -> Self {
        Self {
            rows: 0,
            texts: std::array::from_fn(|_| TextColumn::new()),
            is_primary: BooleanColumn::default(),
            dimension: TextColumn::new(),
            aggregation_type: TextColumn::new(),
            name: TextColumn::new(),
            value: NumberColumn::new(),
            event_json: TextColumn::new(),
            event_ts: NumberColumn::new(),
            window_end_ts: NumberColumn::new(),
            bucket_no: NumberColumn::new(),
            origin: Origin::new(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends the record's rows; gives their number, the key they share, and their bytes.
    pub(super) fn push(
        &mut self,
        file: &FileMeta,
        record: &RecordMeta<'_>,
        json: &[u8],
    ) -> (usize, SortKey, usize) {
        let mut compact = Vec::with_capacity(json.len());
        scan::compact(json, &mut compact);
        let texts = PATHS.map(|(_, path)| text_at(&compact, path));
        let get = |index: usize| texts.get(index).and_then(Option::as_deref);
        let time = |index| get(index).and_then(derive::event_time);
        let (start, end) = (time(WINDOW_START), time(WINDOW_END));
        let mut buckets = buckets(&compact);
        let numbers = if buckets.is_empty() {
            buckets.push(Bucket::default());
            0..
        } else {
            1..
        };
        let fallback = Fallback { account: get(ACCOUNT), region: get(REGION), time: start };
        let mut size = 0;
        let n_buckets = buckets.len();
        for (bucket, number) in buckets.into_iter().zip(numbers) {
            let row = self.rows;
            for (column, text) in self.texts.iter_mut().zip(&texts) {
                put(column, row, text.as_deref());
            }
            self.event_json.push(row, &compact);
            self.bucket_no.push(row, number);
            if let Some(start) = start {
                self.event_ts.push(row, start);
            }
            if let Some(end) = end {
                self.window_end_ts.push(row, end);
            }
            self.push_bucket(row, &bucket);
            size += self.origin.push(row, file, record, fallback) + 2 * compact.len() + 128;
            self.rows += 1;
        }
        let mut hasher = Hasher::new();
        match get(EVENT_ID) {
            Some(id) => {
                hasher.add(get(ACCOUNT).unwrap_or_default());
                hasher.add(id);
            }
            None => hasher.add(&compact),
        }
        let ts = start.unwrap_or(i64::MIN);
        let id = hasher.finish();
        (n_buckets, SortKey { ts, id, seq: file.seq, record_no: record.record_no }, size)
    }

    fn push_bucket(&mut self, row: usize, bucket: &Bucket) {
        if let Some(primary) = bucket.primary {
            self.is_primary.push(row, primary);
        }
        put(&mut self.dimension, row, bucket.dimension.as_deref());
        put(&mut self.aggregation_type, row, bucket.aggregation_type.as_deref());
        put(&mut self.name, row, bucket.name.as_deref());
        if let Some(value) = bucket.value {
            self.value.push(row, value);
        }
    }

    /// The rows gathered; starts anew.
    pub(super) fn take(&mut self) -> RecordBatch {
        let rows = std::mem::take(&mut self.rows);
        batch(schema::aggregated_columns(), &schema::aggregated(), |column| {
            if let Some(array) = self.origin.take(column.name, rows) {
                return array;
            }
            let text = PATHS.iter().position(|(name, _)| *name == column.name);
            if let Some(text) = text.and_then(|index| self.texts.get_mut(index)) {
                return Arc::new(text.take(rows));
            }
            match column.name {
                "is_primary" => Arc::new(self.is_primary.take(rows)),
                "dimension" => Arc::new(self.dimension.take(rows)),
                "aggregationtype" => Arc::new(self.aggregation_type.take(rows)),
                "name" => Arc::new(self.name.take(rows)),
                "value" => Arc::new(self.value.take(rows)),
                "eventjson" => Arc::new(self.event_json.take(rows)),
                "event_ts" => Arc::new(self.event_ts.take(rows).with_timezone("UTC")),
                "window_end_ts" => Arc::new(self.window_end_ts.take(rows).with_timezone("UTC")),
                "bucket_no" => Arc::new(self.bucket_no.take(rows)),
                _ => arrow::array::new_null_array(&column.ty.arrow(), rows),
            }
        })
    }
}

/// The buckets of the record's summary, in its order.
fn buckets(json: &[u8]) -> Vec<Bucket> {
    let mut buckets = Vec::new();
    let Some(summary) = scan::find(json, "summary") else { return buckets };
    if let Some(primary) = scan::find(summary, "primaryDimension") {
        dimension(primary, true, &mut buckets);
    }
    if let Some(details) = scan::find(summary, "details") {
        for detail in scan::elements(details, 0) {
            dimension(details.get(detail).unwrap_or_default(), false, &mut buckets);
        }
    }
    buckets
}

fn dimension(json: &[u8], primary: bool, buckets: &mut Vec<Bucket>) {
    let Some(statistics) = scan::find(json, "statistics") else { return };
    for statistic in scan::elements(statistics, 0) {
        let statistic = statistics.get(statistic).unwrap_or_default();
        buckets.push(Bucket {
            primary: Some(primary),
            dimension: text_at(json, &["dimension"]),
            aggregation_type: text_at(json, &["aggregationType"]),
            name: text_at(statistic, &["name"]),
            value: scan::find(statistic, "value")
                .and_then(|value| str::from_utf8(value).ok()?.parse().ok()),
        });
    }
}

/// The string at `path`, or another value as JSON; nothing for null.
fn text_at(json: &[u8], path: &[&str]) -> Option<Vec<u8>> {
    let value = path.iter().try_fold(json, |json, key| scan::find(json, key))?;
    if value == b"null" {
        return None;
    }
    let mut text = Vec::new();
    match value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) {
        Some(inside) => {
            scan::unescape(inside, &mut text);
        }
        None => text.extend_from_slice(value),
    }
    Some(text)
}

fn put(column: &mut TextColumn, row: usize, value: Option<&[u8]>) {
    if let Some(value) = value {
        column.push(row, value);
    }
}
