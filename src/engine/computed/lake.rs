//! What `CloudTrail` Lake's schema and the books are made of.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html>

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, ListArray, MapBuilder, MapFieldNames, RecordBatch, StringArray,
        StringBuilder, StructArray, TimestampMicrosecondBuilder,
    },
    compute::cast,
    datatypes::{DataType, Field, FieldRef, Fields, TimeUnit},
};
use chrono::{DateTime, NaiveDateTime};
use datafusion::{
    common::{exec_err, utils::take_function_args},
    error::Result,
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};

use super::{call, json};
use crate::logs::cloudtrail::{rebuild, schema};

/// What a function of this module makes of its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    JsonMap,
    MapOf(&'static [&'static str]),
    Instant,
    Resources,
    EventJson,
    LossyText,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Lake {
    kind: Kind,
    signature: Signature,
}

fn lake(kind: Kind, args: Vec<Expr>) -> Expr {
    call(Lake { kind, signature: Signature::variadic_any(Volatility::Immutable) }, args)
}

/// The members of the JSON object in `text` as a map of text: a string's content, anything else
/// as JSON. NULL where it is no object.
pub(in crate::engine) fn json_map(text: Expr) -> Expr {
    lake(Kind::JsonMap, vec![text])
}

/// A map of `keys` to `values` without the values that are NULL; NULL where all of them are.
pub(in crate::engine) fn map_of(keys: &'static [&'static str], values: Vec<Expr>) -> Expr {
    lake(Kind::MapOf(keys), values)
}

/// The instant that `text` tells, as AWS writes it: `2024-08-02T08:23:24Z` or
/// `20131102T010628Z`; else NULL.
pub(in crate::engine) fn instant(text: Expr) -> Expr {
    lake(Kind::Instant, vec![text])
}

/// `resources` with the prefixes that stand in `prefixes` beside them.
pub(in crate::engine) fn resources(resources: Expr, prefixes: Expr) -> Expr {
    lake(Kind::Resources, vec![resources, prefixes])
}

/// The record itself, rebuilt from all its stored `columns`.
pub(in crate::engine) fn event_json(columns: Vec<Expr>) -> Expr {
    lake(Kind::EventJson, columns)
}

/// `bytes` as text; what is no UTF-8 is replaced by U+FFFD.
pub(in crate::engine) fn lossy_text(bytes: Expr) -> Expr {
    lake(Kind::LossyText, vec![bytes])
}

const MAP_NAMES: [&str; 3] = ["key_value", "key", "value"];

fn map_type() -> DataType {
    let [entries, key, value] = MAP_NAMES;
    let pair = Fields::from(vec![
        Field::new(key, DataType::Utf8, false),
        Field::new(value, DataType::Utf8, true),
    ]);
    DataType::Map(Arc::new(Field::new(entries, DataType::Struct(pair), false)), false)
}

fn resource_fields() -> Fields {
    let names = ["accountid", "type", "arn", "arnprefix"];
    names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect()
}

fn resource_item() -> FieldRef {
    Arc::new(Field::new("element", DataType::Struct(resource_fields()), true))
}

fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

impl ScalarUDFImpl for Lake {
    fn name(&self) -> &str {
        match self.kind {
            Kind::JsonMap => "json_map",
            Kind::MapOf(_) => "map_of",
            Kind::Instant => "instant",
            Kind::Resources => "lake_resources",
            Kind::EventJson => "event_json",
            Kind::LossyText => "lossy_text",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::JsonMap | Kind::MapOf(_) => map_type(),
            Kind::Instant => instant_type(),
            Kind::Resources => DataType::List(resource_item()),
            Kind::EventJson | Kind::LossyText => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let args: Vec<ArrayRef> =
            args.args.into_iter().map(|arg| arg.into_array(rows)).collect::<Result<_>>()?;
        let made = match self.kind {
            Kind::JsonMap => json_maps(&args)?,
            Kind::MapOf(keys) => maps(keys, &args, rows)?,
            Kind::Instant => instants(&args)?,
            Kind::Resources => with_prefixes(args)?,
            Kind::EventJson => event_jsons(args, rows)?,
            Kind::LossyText => lossy_texts(&args)?,
        };
        Ok(ColumnarValue::Array(made))
    }
}

fn map_builder() -> MapBuilder<StringBuilder, StringBuilder> {
    let [entry, key, value] = MAP_NAMES.map(str::to_owned);
    let names = MapFieldNames { entry, key, value };
    MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
}

fn texts(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(array, &DataType::Utf8)?)
}

fn json_maps(args: &[ArrayRef]) -> Result<ArrayRef> {
    let [text] = take_function_args("json_map", args)?;
    let text = texts(text)?;
    let mut maps = map_builder();
    for text in text.as_string::<i32>() {
        let members = text.and_then(json::members);
        for (key, value) in members.iter().flatten() {
            maps.keys().append_value(key);
            maps.values().append_option(value.as_deref());
        }
        maps.append(members.is_some())?;
    }
    Ok(Arc::new(maps.finish()))
}

fn maps(keys: &[&str], args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let values: Vec<ArrayRef> = args.iter().map(texts).collect::<Result<_>>()?;
    let mut maps = map_builder();
    for row in 0..rows {
        let mut any = false;
        for (key, values) in keys.iter().zip(&values) {
            let values = values.as_string::<i32>();
            if values.is_valid(row) {
                maps.keys().append_value(key);
                maps.values().append_value(values.value(row));
                any = true;
            }
        }
        maps.append(any)?;
    }
    Ok(Arc::new(maps.finish()))
}

fn instants(args: &[ArrayRef]) -> Result<ArrayRef> {
    let [text] = take_function_args("instant", args)?;
    let text = texts(text)?;
    let mut instants = TimestampMicrosecondBuilder::new().with_data_type(instant_type());
    for text in text.as_string::<i32>() {
        instants.append_option(text.and_then(micros));
    }
    Ok(Arc::new(instants.finish()))
}

fn micros(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let basic = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()?;
    Some(basic.and_utc().timestamp_micros())
}

fn with_prefixes(args: Vec<ArrayRef>) -> Result<ArrayRef> {
    let [resources, prefixes] = take_function_args("lake_resources", args)?;
    let (Some(resources), Some(prefixes)) =
        (resources.as_list_opt::<i32>(), prefixes.as_list_opt::<i32>())
    else {
        return exec_err!("lake_resources takes two arrays");
    };
    let (_, offsets, items, nulls) = resources.clone().into_parts();
    let Some(items) = items.as_struct_opt() else {
        return exec_err!("lake_resources takes an array of rows");
    };
    let mut prefix = StringBuilder::with_capacity(items.len(), 0);
    // Values before the first offset and between rows belong to no row.
    prefix.append_nulls(usize::try_from(offsets.first().copied().unwrap_or(0)).unwrap_or(0));
    for row in 0..resources.len() {
        let of_row = prefixes.is_valid(row).then(|| prefixes.value(row));
        let of_row = of_row.as_ref().map(|values| cast(values, &DataType::Utf8)).transpose()?;
        let of_row = of_row.as_ref().map(AsArray::as_string::<i32>);
        let length = usize::try_from(resources.value_length(row)).unwrap_or(0);
        for at in 0..length {
            let value = of_row.filter(|values| at < values.len() && values.is_valid(at));
            prefix.append_option(value.map(|values| values.value(at)));
        }
    }
    let made = prefix.offsets_slice().len().saturating_sub(1);
    prefix.append_nulls(items.len().saturating_sub(made));
    let prefix: ArrayRef = Arc::new(prefix.finish());
    let mut columns = Vec::with_capacity(4);
    for name in ["accountid", "type", "arn"] {
        match items.column_by_name(name) {
            Some(column) => columns.push(texts(column)?),
            None => return exec_err!("resources have no member {name}"),
        }
    }
    columns.push(prefix);
    let items = StructArray::try_new(resource_fields(), columns, items.nulls().cloned())?;
    Ok(Arc::new(ListArray::try_new(resource_item(), offsets, Arc::new(items), nulls)?))
}

fn lossy_texts(args: &[ArrayRef]) -> Result<ArrayRef> {
    let [bytes] = take_function_args("lossy_text", args)?;
    let bytes = cast(bytes, &DataType::Binary)?;
    let texts = bytes.as_binary::<i32>().iter();
    Ok(Arc::new(texts.map(|bytes| bytes.map(String::from_utf8_lossy)).collect::<StringArray>()))
}

fn event_jsons(args: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef> {
    let stored = schema::events();
    let columns: Vec<ArrayRef> = stored
        .fields()
        .iter()
        .zip(args)
        .map(|(field, column)| Ok(cast(&column, field.data_type())?))
        .collect::<Result<_>>()?;
    let batch = RecordBatch::try_new(stored, columns)?;
    let mut records = StringBuilder::new();
    for row in 0..rows {
        records.append_value(rebuild::record(&batch, row));
    }
    Ok(Arc::new(records.finish()))
}
