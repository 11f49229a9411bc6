//! Rows of `cloudtrail_aggregated` under construction: one per bucket of a dimension.
//!
//! Source: "CloudTrail record contents for aggregated events" of the AWS CloudTrail User Guide.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    datatypes::{Int32Type, Int64Type, TimestampMicrosecondType},
};

use crate::logs::{
    Reject, RejectReason,
    cloudtrail::{
        derive::{self, Hasher},
        fields::Leaf,
        scan, schema,
    },
};

use super::{
    FileMeta, RecordMeta, SortKey,
    columns::{BooleanColumn, NumberColumn, TextColumn},
    events::batch,
    origin::{Fallback, Origin},
    record::Parsed,
};

/// Whether the record is an aggregated event.
pub(super) fn is_aggregated(json: &str, parsed: &Parsed) -> bool {
    parsed.get(Leaf::EventCategory, json) == Some("Aggregated")
        || parsed.get(Leaf::EventType, json) == Some("AwsAggregatedEvent")
}

/// The most bytes that the rows of one record may take. A record of AWS's has some dozen buckets.
const MAX_BYTES: usize = 64 << 20;

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

/// A dimension of a record's summary.
#[derive(Debug)]
struct Dimension<'a> {
    primary: bool,
    name: Option<String>,
    aggregation_type: Option<String>,
    /// Its buckets, as JSON.
    statistics: Vec<&'a str>,
}

impl Aggregated {
    pub(super) fn new() -> Self {
        Self {
            rows: 0,
            texts: std::array::from_fn(|_| TextColumn::new()),
            is_primary: BooleanColumn::new(),
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
    ///
    /// # Errors
    /// All its rows together would be too large.
    pub(super) fn push(
        &mut self,
        file: &FileMeta,
        record: &RecordMeta<'_>,
        json: &str,
    ) -> Result<(usize, SortKey, usize), Reject> {
        let mut compact = String::with_capacity(json.len());
        scan::compact(json, &mut compact);
        let texts = PATHS.map(|(_, path)| text_at(&compact, path));
        let get = |index: usize| texts.get(index).and_then(Option::as_deref);
        let time = |index| get(index).and_then(derive::event_time);
        let (start, end) = (time(WINDOW_START), time(WINDOW_END));
        let dimensions = dimensions(&compact);
        let n_buckets: usize = dimensions.iter().map(|d| d.statistics.len()).sum();
        if n_buckets.saturating_mul(compact.len()) > MAX_BYTES {
            let detail = format!("{n_buckets} buckets of {} bytes", compact.len());
            return Err(Reject { reason: RejectReason::TooLong, detail, at: 0 });
        }
        let fallback = Fallback { account: get(ACCOUNT), region: get(REGION), time: start };
        let buckets = dimensions.iter().flat_map(|dimension| {
            dimension.statistics.iter().map(move |statistic| Some((dimension, *statistic)))
        });
        // A record without buckets has a row all the same.
        let bare = (n_buckets == 0).then_some(None);
        let mut size = 0;
        for (bucket, number) in buckets.chain(bare).zip(i32::from(n_buckets > 0)..) {
            let row = self.rows;
            for (column, text) in self.texts.iter_mut().zip(&texts) {
                column.put(row, text.as_deref());
            }
            self.event_json.push(row, &compact);
            self.bucket_no.push(row, number);
            if let Some(start) = start {
                self.event_ts.push(row, start);
            }
            if let Some(end) = end {
                self.window_end_ts.push(row, end);
            }
            if let Some((dimension, statistic)) = bucket {
                self.push_bucket(row, dimension, statistic);
            }
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
        Ok((n_buckets.max(1), SortKey { ts, id, seq: file.seq, record_no: record.record_no }, size))
    }

    fn push_bucket(&mut self, row: usize, dimension: &Dimension<'_>, statistic: &str) {
        self.is_primary.push(row, dimension.primary);
        self.dimension.put(row, dimension.name.as_deref());
        self.aggregation_type.put(row, dimension.aggregation_type.as_deref());
        self.name.put(row, text_at(statistic, &["name"]).as_deref());
        let value = scan::find(statistic, "value").and_then(|value| value.parse().ok());
        if let Some(value) = value {
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

/// The dimensions of the record's summary, in its order.
fn dimensions(json: &str) -> Vec<Dimension<'_>> {
    let summary = scan::find(json, "summary").unwrap_or_default();
    let primary = scan::find(summary, "primaryDimension");
    let details = scan::find(summary, "details").unwrap_or_default();
    let details = scan::elements(details, 0).filter_map(|detail| details.get(detail));
    primary
        .map(|dimension| (true, dimension))
        .into_iter()
        .chain(details.map(|dimension| (false, dimension)))
        .map(|(primary, json)| {
            let statistics = scan::find(json, "statistics").unwrap_or_default();
            let buckets = scan::elements(statistics, 0);
            Dimension {
                primary,
                name: text_at(json, &["dimension"]),
                aggregation_type: text_at(json, &["aggregationType"]),
                statistics: buckets.filter_map(|bucket| statistics.get(bucket)).collect(),
            }
        })
        .collect()
}

/// The string at `path`, or another value as JSON; nothing for null.
fn text_at(json: &str, path: &[&str]) -> Option<String> {
    let value = scan::find_path(json, path).filter(|value| *value != "null")?;
    let Some(inside) = scan::inside(value) else { return Some(value.to_owned()) };
    let mut text = String::new();
    scan::unescape(inside, &mut text);
    Some(text)
}
