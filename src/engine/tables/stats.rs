//! What the transaction log says of each file, in the form that pruning wants: one array per
//! column with a value per file.

use std::{collections::HashMap, collections::HashSet, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray, UInt64Array},
    datatypes::{DataType, Schema, TimeUnit},
};
use chrono::{DateTime, NaiveDate};
use datafusion::{
    common::{Column, pruning::PruningStatistics},
    scalar::ScalarValue,
};
use serde_json::Value;

use crate::cache::DataFile;

/// Bounds of one column in one file. The true values lie within; they need not be reached, since
/// Delta cuts timestamps to milliseconds and writers cut long text.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) min: Option<ScalarValue>,
    pub(super) max: Option<ScalarValue>,
    pub(super) nulls: Option<u64>,
}

/// The statistics of all files of a table.
#[derive(Debug)]
pub(super) struct FileStats {
    rows: Vec<u64>,
    columns: HashMap<String, Vec<Bounds>>,
    types: HashMap<String, DataType>,
}

impl FileStats {
    pub(super) fn new(files: &[DataFile], schema: &Schema) -> Self {
        let parsed: Vec<Option<Value>> = files
            .iter()
            .map(|file| file.stats.as_deref().and_then(|text| serde_json::from_str(text).ok()))
            .collect();
        let mut columns: HashMap<String, Vec<Bounds>> = HashMap::new();
        let mut types = HashMap::new();
        for field in schema.fields() {
            if !is_prunable(field.data_type()) {
                continue;
            }
            let bounds: Vec<Bounds> = files
                .iter()
                .zip(&parsed)
                .map(|(file, stats)| bounds(field.name(), field.data_type(), file, stats.as_ref()))
                .collect();
            if bounds.iter().any(|b| b.min.is_some() || b.nulls.is_some()) {
                columns.insert(field.name().clone(), bounds);
                types.insert(field.name().clone(), field.data_type().clone());
            }
        }
        Self { rows: files.iter().map(|file| file.n_records).collect(), columns, types }
    }

    /// The bounds of `column` in file `index`, where the log has them.
    pub(super) fn bounds(&self, column: &str, index: usize) -> Option<&Bounds> {
        self.columns.get(column)?.get(index)
    }

    /// The names of the columns there are bounds for.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    fn array(
        &self,
        column: &str,
        pick: impl Fn(&Bounds) -> Option<&ScalarValue>,
    ) -> Option<ArrayRef> {
        let none = ScalarValue::try_from(self.types.get(column)?).ok()?;
        let values = self.columns.get(column)?.iter();
        ScalarValue::iter_to_array(values.map(|b| pick(b).unwrap_or(&none).clone())).ok()
    }
}

fn is_prunable(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8
            | DataType::Utf8View
            | DataType::Int32
            | DataType::Int64
            | DataType::Date32
            | DataType::Timestamp(TimeUnit::Microsecond, _)
    )
}

fn bounds(name: &str, data_type: &DataType, file: &DataFile, stats: Option<&Value>) -> Bounds {
    if let ("event_ts", DataType::Timestamp(_, zone), Some((min, max))) =
        (name, data_type, file.event_ts)
    {
        // The log's own number, not cut to milliseconds; only there when no row lacks it.
        let instant = |at| ScalarValue::TimestampMicrosecond(Some(at), zone.clone());
        return Bounds { min: Some(instant(min)), max: Some(instant(max)), nulls: Some(0) };
    }
    let get = |part: &str| stats.and_then(|all| all.get(part)).and_then(|part| part.get(name));
    Bounds {
        min: get("minValues").and_then(|value| scalar(value, data_type, 0)),
        max: get("maxValues").and_then(|value| scalar(value, data_type, 999)),
        nulls: get("nullCount").and_then(Value::as_u64),
    }
}

/// A bound of Delta's as a value of `data_type`; `slack` microseconds make up for what Delta cut
/// off a timestamp.
fn scalar(value: &Value, data_type: &DataType, slack: i64) -> Option<ScalarValue> {
    match data_type {
        DataType::Utf8 => Some(ScalarValue::Utf8(Some(value.as_str()?.to_owned()))),
        DataType::Utf8View => Some(ScalarValue::Utf8View(Some(value.as_str()?.to_owned()))),
        DataType::Int32 => Some(ScalarValue::Int32(Some(i32::try_from(value.as_i64()?).ok()?))),
        DataType::Int64 => Some(ScalarValue::Int64(Some(value.as_i64()?))),
        DataType::Date32 => {
            let date = NaiveDate::parse_from_str(value.as_str()?, "%Y-%m-%d").ok()?;
            let days = date.signed_duration_since(NaiveDate::default()).num_days();
            Some(ScalarValue::Date32(Some(i32::try_from(days).ok()?)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?.timestamp_micros();
            let at = at.checked_add(slack)?;
            Some(ScalarValue::TimestampMicrosecond(Some(at), zone.clone()))
        }
        _ => None,
    }
}

impl PruningStatistics for FileStats {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.array(column.name(), |bounds| bounds.min.as_ref())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.array(column.name(), |bounds| bounds.max.as_ref())
    }

    fn num_containers(&self) -> usize {
        self.rows.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let bounds = self.columns.get(column.name())?;
        Some(Arc::new(bounds.iter().map(|b| b.nulls).collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.rows.iter().copied().map(Some).collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
