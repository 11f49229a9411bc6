//! Delta's per-file statistics: written from Parquet's own, read for what we prune by.
//!
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics>

use arrow::datatypes::Schema;
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta};
use parquet::file::{metadata::ParquetMetaData, statistics::Statistics};
use serde_json::{Map, Value, json};

use super::{settings, tables};

/// What Delta's statistics say about a file, as far as we use it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Its rows.
    pub(super) n_records: Option<u64>,
    /// The bounds of `event_ts` in microseconds, where all its rows have one.
    pub(super) event_ts: Option<(i64, i64)>,
}

/// Reads the `stats` of an Add action; what cannot be understood is as if not there.
pub(super) fn summary(stats: &str) -> Summary {
    let Ok(stats) = serde_json::from_str::<Value>(stats) else {
        return Summary::default();
    };
    let bound = |side: &str| stats.get(side)?.get(settings::SORT_COLUMN)?.as_str().and_then(micros);
    let nulls = stats.pointer(&format!("/nullCount/{}", settings::SORT_COLUMN));
    let event_ts = match (nulls.and_then(Value::as_u64), bound("minValues"), bound("maxValues")) {
        (Some(0), Some(min), Some(max)) => Some((min, max)),
        _ => None,
    };
    Summary { n_records: stats.get("numRecords").and_then(Value::as_u64), event_ts }
}

fn micros(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros())
}

/// The statistics of a file just written, as JSON.
pub(super) fn of(metadata: &ParquetMetaData, schema: &Schema) -> String {
    let names = tables::stats_columns(schema);
    let (mut min, mut max, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (leaf, (path, _)) in settings::leaves(schema).iter().enumerate() {
        let [name] = path.as_slice() else { continue };
        if !names.contains(&name.as_str()) {
            continue;
        }
        let column = Bounds::of(metadata, leaf);
        if let Some(count) = column.nulls {
            nulls.insert(name.clone(), count.into());
        }
        if let (Some(least), Some(most)) = (column.min, column.max) {
            min.insert(name.clone(), least.into());
            max.insert(name.clone(), most.into());
        }
    }
    json!({
        "numRecords": metadata.file_metadata().num_rows(),
        "minValues": min,
        "maxValues": max,
        "nullCount": nulls,
    })
    .to_string()
}

/// The bounds of one leaf over all row groups.
#[derive(Default)]
struct Bounds {
    min: Option<String>,
    max: Option<String>,
    nulls: Option<u64>,
}

impl Bounds {
    fn of(metadata: &ParquetMetaData, leaf: usize) -> Self {
        let mut texts: Vec<(&str, &str)> = Vec::new();
        let mut times: Vec<(i64, i64)> = Vec::new();
        let mut days: Vec<(i32, i32)> = Vec::new();
        let mut nulls = 0;
        let mut known = true;
        for group in metadata.row_groups() {
            let rows = group.num_rows().unsigned_abs();
            let statistics = group.columns().get(leaf).and_then(|column| column.statistics());
            let Some((statistics, count)) =
                statistics.and_then(|s| s.null_count_opt().map(|count| (s, count)))
            else {
                return Self::default();
            };
            nulls += count;
            if count == rows {
                continue;
            }
            match bounds(statistics) {
                Some(Bound::Text(min, max)) => texts.push((min, max)),
                Some(Bound::Time(min, max)) => times.push((min, max)),
                Some(Bound::Day(min, max)) => days.push((min, max)),
                None => known = false,
            }
        }
        let bare = Self { nulls: Some(nulls), ..Self::default() };
        if !known {
            return bare;
        }
        let (min, max) = if !days.is_empty() {
            let min = days.iter().map(|(min, _)| *min).min();
            let max = days.iter().map(|(_, max)| *max).max();
            (min.and_then(date), max.and_then(date))
        } else if times.is_empty() {
            let min = texts.iter().map(|(min, _)| *min).min();
            let max = texts.iter().map(|(_, max)| *max).max();
            (min.map(str::to_owned), max.map(str::to_owned))
        } else {
            let min = times.iter().map(|(min, _)| *min).min();
            let max = times.iter().map(|(_, max)| *max).max();
            (min.and_then(timestamp), max.and_then(timestamp))
        };
        Self { min, max, ..bare }
    }
}

/// A row group's bounds of a leaf.
enum Bound<'a> {
    Text(&'a str, &'a str),
    Time(i64, i64),
    Day(i32, i32),
}

/// Parquet's bounds. A long text's are cut, the greater one rounded up, so they stay bounds.
fn bounds(statistics: &Statistics) -> Option<Bound<'_>> {
    match statistics {
        Statistics::ByteArray(values) => {
            let min = std::str::from_utf8(values.min_bytes_opt()?).ok()?;
            let max = std::str::from_utf8(values.max_bytes_opt()?).ok()?;
            Some(Bound::Text(min, max))
        }
        // The only ones of this type that are asked for are dates.
        Statistics::Int32(values) => Some(Bound::Day(*values.min_opt()?, *values.max_opt()?)),
        Statistics::Int64(values) => Some(Bound::Time(*values.min_opt()?, *values.max_opt()?)),
        _ => None,
    }
}

/// A time as Delta's statistics spell it; none outside of the years that every reader parses.
fn timestamp(micros: i64) -> Option<String> {
    let time = DateTime::from_timestamp_micros(micros)?;
    (1..=9999).contains(&time.year()).then(|| time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// A day, counted from 1970, as Delta's statistics spell it.
fn date(days: i32) -> Option<String> {
    let day = NaiveDate::default().checked_add_signed(TimeDelta::try_days(days.into())?)?;
    (1..=9999).contains(&day.year()).then(|| day.format("%Y-%m-%d").to_string())
}
