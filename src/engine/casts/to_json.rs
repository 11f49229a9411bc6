//! Casts to JSON.
//!
//! Text becomes a JSON string (it is not parsed), NULL inside of something `null`; a row becomes an
//! object, a map an object with its keys in order; dates and timestamps become strings.

use std::{fmt::Write as _, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, LargeStringBuilder, StructArray},
    compute::cast,
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, TimeUnit,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType,
    },
    util::display::array_value_to_string,
};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
};

use super::JSON;
use crate::{
    engine::{
        functions::json::{unescaped, write_double, write_real},
        types::type_name,
    },
    logs::cloudtrail::scan,
};

/// Fails where values of the type `source` cannot be cast to JSON.
pub(super) fn check(source: &DataType) -> Result<()> {
    match source {
        DataType::List(item) => check(item.data_type()),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check(field.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => match pair.first().map(|key| key.data_type()) {
                Some(key) if key.is_nested() || is_time(key) || *key == JSON => {
                    plan_err!("cannot cast a map with keys of type {} to json", type_name(key))
                }
                _ => pair.iter().try_for_each(|field| check(field.data_type())),
            },
            other => check(other),
        },
        DataType::Dictionary(_, value) => check(value),
        DataType::Timestamp(_, None)
        | DataType::Date32
        | DataType::Boolean
        | DataType::Null
        | DataType::Utf8
        | DataType::Utf8View
        | DataType::LargeUtf8
        | DataType::Decimal128(..) => Ok(()),
        number if number.is_integer() => Ok(()),
        DataType::Float32 | DataType::Float64 => Ok(()),
        other => plan_err!("cannot cast {} to json", type_name(other)),
    }
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Timestamp(..))
}

/// The column `values` as JSON.
pub(super) fn column(values: &ArrayRef) -> Result<ArrayRef> {
    let mut made = LargeStringBuilder::new();
    let mut text = String::new();
    let nulls = values.logical_nulls();
    for row in 0..values.len() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            made.append_null();
            continue;
        }
        text.clear();
        write(values, row, &mut text)?;
        made.append_value(&text);
    }
    Ok(Arc::new(made.finish()))
}

/// Appends the value of `row`.
fn write(values: &ArrayRef, row: usize, out: &mut String) -> Result<()> {
    if values.is_null(row) || values.data_type().is_null() {
        out.push_str("null");
        return Ok(());
    }
    match values.data_type() {
        DataType::Boolean => {
            out.push_str(if values.as_boolean().value(row) { "true" } else { "false" });
        }
        DataType::Utf8 => scan::write_string(values.as_string::<i32>().value(row), out),
        DataType::Utf8View => scan::write_string(values.as_string_view().value(row), out),
        DataType::LargeUtf8 => out.push_str(values.as_string::<i64>().value(row)),
        DataType::Float64 => write_double(values.as_primitive::<Float64Type>().value(row), out),
        DataType::Float32 => write_real(values.as_primitive::<Float32Type>().value(row), out),
        DataType::Decimal128(..) => {
            out.push_str(&values.as_primitive::<Decimal128Type>().value_as_string(row));
        }
        DataType::Date32 | DataType::Timestamp(_, None) => write_time(values, row, out)?,
        DataType::List(_) => {
            let items = values.as_list::<i32>().value(row);
            out.push('[');
            for n in 0..items.len() {
                if n > 0 {
                    out.push(',');
                }
                write(&items, n, out)?;
            }
            out.push(']');
        }
        DataType::Struct(fields) => {
            out.push('{');
            for (n, (field, column)) in fields.iter().zip(values.as_struct().columns()).enumerate()
            {
                if n > 0 {
                    out.push(',');
                }
                scan::write_string(field.name(), out);
                out.push(':');
                write(column, row, out)?;
            }
            out.push('}');
        }
        DataType::Map(..) => write_map(&values.as_map().value(row), out)?,
        DataType::Dictionary(_, value) => write(&cast(&values.slice(row, 1), value)?, 0, out)?,
        DataType::Int64 => {
            // A String takes everything.
            let _ = write!(out, "{}", values.as_primitive::<Int64Type>().value(row));
        }
        integer if integer.is_integer() => {
            out.push_str(&array_value_to_string(values, row)?);
        }
        other => return exec_err!("cannot cast {} to json", type_name(other)),
    }
    Ok(())
}

/// Appends a date or timestamp as a string, as it is shown.
fn write_time(values: &ArrayRef, row: usize, out: &mut String) -> Result<()> {
    if let DataType::Date32 = values.data_type() {
        let date = values.as_primitive::<Date32Type>().value_as_date(row);
        let Some(date) = date else { return exec_err!("a date out of range") };
        out.push_str(&date.format("\"%Y-%m-%d\"").to_string());
        return Ok(());
    }
    let time = match values.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            values.as_primitive::<TimestampSecondType>().value_as_datetime(row)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            values.as_primitive::<TimestampMillisecondType>().value_as_datetime(row)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            values.as_primitive::<TimestampMicrosecondType>().value_as_datetime(row)
        }
        _ => values.as_primitive::<TimestampNanosecondType>().value_as_datetime(row),
    };
    let format = match values.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => "\"%Y-%m-%d %H:%M:%S\"",
        DataType::Timestamp(TimeUnit::Millisecond, _) => "\"%Y-%m-%d %H:%M:%S%.3f\"",
        DataType::Timestamp(TimeUnit::Microsecond, _) => "\"%Y-%m-%d %H:%M:%S%.6f\"",
        _ => "\"%Y-%m-%d %H:%M:%S%.9f\"",
    };
    let Some(time) = time else { return exec_err!("a timestamp out of range") };
    out.push_str(&time.format(format).to_string());
    Ok(())
}

/// Appends a map's entries, keys in order; of a repeated key the last.
fn write_map(entries: &StructArray, out: &mut String) -> Result<()> {
    let [keys, values] = entries.columns() else {
        return exec_err!("a map without keys and values");
    };
    let mut order: Vec<(Vec<u16>, String, usize)> = Vec::with_capacity(keys.len());
    for n in 0..keys.len() {
        let mut key = String::new();
        write(keys, n, &mut key)?;
        if !key.starts_with('"') {
            key = format!("\"{key}\"");
        }
        // As Java orders strings: by UTF-16 units.
        let plain = unescaped(scan::inside(&key).unwrap_or(&key)).encode_utf16().collect();
        order.push((plain, key, n));
    }
    order.sort();
    order.reverse();
    order.dedup_by(|a, b| a.0 == b.0);
    order.reverse();
    out.push('{');
    for (place, (_, key, n)) in order.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(key);
        out.push(':');
        write(values, *n, out)?;
    }
    out.push('}');
    Ok(())
}
