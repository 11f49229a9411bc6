//! `array_join`: the elements as text, one after the other.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray, builder::StringBuilder},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Float32Type, Float64Type, TimeUnit},
    util::display::FormatOptions,
};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::super::{
    call::excerpt,
    json::{double_as_varchar, real_as_varchar},
    nested::{as_list, cast_to, column, element, lists, refuse},
    scalar::{Text, is_varchar},
};

const WANTS: &str = "an array, a delimiter and perhaps what stands for NULL";

/// An array of what can be text, and one or two texts.
pub(super) fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    let Some((list, rest)) = types.split_first() else { return refuse(WANTS, types) };
    let text = |data_type: &DataType| is_varchar(data_type) || data_type.is_null();
    match as_list(list) {
        Some(list)
            if (1..=2).contains(&rest.len())
                && rest.iter().all(text)
                && !element(&list)?.is_nested() =>
        {
            let mut all = vec![list];
            all.resize(types.len(), DataType::Utf8);
            Ok(all)
        }
        _ => refuse(WANTS, types),
    }
}

/// `array_join(array, delimiter[, null_replacement])`.
pub(super) fn run(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let elements = text(&lists.values)?;
    let elements = Text::of(&elements)?;
    let delimiters = column(args, 1)?;
    let delimiters = Text::of(&delimiters)?;
    let replacements = if args.args.len() > 2 { Some(column(args, 2)?) } else { None };
    let replacements = replacements.as_ref().map(Text::of).transpose()?;
    let mut joined = StringBuilder::with_capacity(lists.len(), lists.values.len() * 8);
    let mut text = String::new();
    for (row, span) in lists.rows().enumerate() {
        let replacement = replacements.as_ref().map(|replacements| replacements.get(row));
        let (Some(span), Some(delimiter)) = (span, delimiters.get(row)) else {
            joined.append_null();
            continue;
        };
        if replacement == Some(None) {
            joined.append_null();
            continue;
        }
        text.clear();
        let parts = span.filter_map(|at| elements.get(at).or_else(|| replacement.flatten()));
        for (at, part) in parts.enumerate() {
            if at > 0 {
                text.push_str(delimiter);
            }
            text.push_str(part);
        }
        joined.append_value(&text);
    }
    Ok(ColumnarValue::Array(Arc::new(joined.finish())))
}

/// `values` as text, as CAST gives it.
fn text(values: &ArrayRef) -> Result<ArrayRef> {
    let unit = match values.data_type() {
        DataType::LargeUtf8 => return unquoted(values),
        data_type if is_varchar(data_type) => return Ok(Arc::clone(values)),
        DataType::Timestamp(unit, _) => *unit,
        DataType::Float64 => {
            let doubles = values.as_primitive::<Float64Type>().iter();
            let texts = doubles.map(|value| value.map(double_as_varchar));
            return Ok(Arc::new(texts.collect::<StringArray>()));
        }
        DataType::Float32 => {
            let reals = values.as_primitive::<Float32Type>().iter();
            let texts = reals.map(|value| value.map(real_as_varchar));
            return Ok(Arc::new(texts.collect::<StringArray>()));
        }
        _ => return cast_to(values, &DataType::Utf8),
    };
    let (plain, zoned) = match unit {
        TimeUnit::Second => ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
        TimeUnit::Millisecond => ("%Y-%m-%d %H:%M:%S%.3f", "%Y-%m-%d %H:%M:%S%.3f"),
        TimeUnit::Microsecond => ("%Y-%m-%d %H:%M:%S%.6f", "%Y-%m-%d %H:%M:%S%.6f"),
        TimeUnit::Nanosecond => ("%Y-%m-%d %H:%M:%S%.9f", "%Y-%m-%d %H:%M:%S%.9f"),
    };
    let format = FormatOptions::new()
        .with_timestamp_format(Some(plain))
        .with_timestamp_tz_format(Some(zoned));
    let options = CastOptions { safe: false, format_options: format };
    let text = cast_with_options(values, &DataType::Utf8, &options)?;
    let DataType::Timestamp(_, Some(zone)) = values.data_type() else { return Ok(text) };
    let named =
        text.as_string::<i32>().iter().map(|text| text.map(|text| format!("{text} {zone}")));
    Ok(Arc::new(named.collect::<StringArray>()))
}

/// JSON values as text: strings without their quotes, `null` as NULL.
fn unquoted(values: &ArrayRef) -> Result<ArrayRef> {
    let mut all = StringBuilder::with_capacity(values.len(), 0);
    for json in values.as_string::<i64>() {
        match json.map(|json| (json, json.as_bytes().first())) {
            None | Some(("null", _)) => all.append_null(),
            Some((json, Some(b'"'))) => match serde_json::from_str::<String>(json) {
                Ok(text) => all.append_value(text),
                Err(_) => return exec_err!("`{}` is no JSON text", excerpt(json)),
            },
            Some((json, Some(b'{' | b'['))) => {
                return exec_err!(
                    "cannot join `{}`: JSON objects and arrays are no text",
                    excerpt(json)
                );
            }
            Some((json, _)) => all.append_value(json),
        }
    }
    Ok(Arc::new(all.finish()))
}
