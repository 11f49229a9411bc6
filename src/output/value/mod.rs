//! One value → text: as a cell for people, or as JSON.

use std::fmt::Write as _;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, StructArray, downcast_dictionary_array, downcast_run_array,
        timezone::Tz,
    },
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
        Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
        Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
    temporal_conversions::{as_datetime, as_datetime_with_timezone},
    util::display::{ArrayFormatter, FormatOptions},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::sanitize::is_hidden;

/// Whether members of objects whose value is NULL are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// As `null`: every row has the same members. For programs.
    Write,
    /// Left out: most of a `useridentity` is NULL. For people.
    Omit,
}

/// Appends the cell's text as it is, nested values as JSON; `false` where it is NULL.
pub(super) fn push_text(array: &dyn Array, row: usize, out: &mut String) -> bool {
    if array.is_null(row) {
        return false;
    }
    match array.data_type() {
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        kind if kind.is_nested() => push_json(array, row, Nulls::Omit, out),
        _ => match bytes(array, row) {
            Some(bytes) => push_hex(bytes, out),
            None => return push_scalar(array, row, out).is_some(),
        },
    }
    true
}

/// Appends the value as JSON.
///
/// Integers of any size and decimals are numbers, timestamps and dates ISO 8601 strings, binary
/// values Base64; NaN and the infinities, which JSON lacks, are strings.
pub(super) fn push_json(array: &dyn Array, row: usize, nulls: Nulls, out: &mut String) {
    if array.is_null(row) {
        out.push_str("null");
        return;
    }
    match array.data_type() {
        DataType::Utf8 => push_json_string(array.as_string::<i32>().value(row), out),
        DataType::LargeUtf8 => push_json_string(array.as_string::<i64>().value(row), out),
        DataType::Utf8View => push_json_string(array.as_string_view().value(row), out),
        DataType::Struct(_) => push_object(array.as_struct(), row, nulls, out),
        DataType::Map(..) => push_map(&array.as_map().value(row), nulls, out),
        DataType::List(_) => push_array(&array.as_list::<i32>().value(row), nulls, out),
        DataType::LargeList(_) => push_array(&array.as_list::<i64>().value(row), nulls, out),
        DataType::ListView(_) => push_array(&array.as_list_view::<i32>().value(row), nulls, out),
        DataType::LargeListView(_) => {
            push_array(&array.as_list_view::<i64>().value(row), nulls, out);
        }
        DataType::FixedSizeList(..) => {
            push_array(&array.as_fixed_size_list().value(row), nulls, out);
        }
        DataType::Union(..) => push_json(&array.as_union().value(row), 0, nulls, out),
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => {
            push_encoded(array, row, out, |values, at, out| push_json(values, at, nulls, out));
        }
        _ => push_json_scalar(array, row, out),
    }
}

fn push_json_scalar(array: &dyn Array, row: usize, out: &mut String) {
    if let Some(bytes) = bytes(array, row) {
        out.push('"');
        BASE64_STANDARD.encode_string(bytes, out);
        out.push('"');
        return;
    }
    let start = out.len();
    match push_scalar(array, row, out) {
        None => out.push_str("null"),
        Some(Literal::Bare) => {}
        Some(Literal::Quoted) => {
            let text = out.split_off(start);
            push_json_string(&text, out);
        }
    }
}

/// How a scalar stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Literal {
    /// A number or a boolean.
    Bare,
    /// Anything else.
    Quoted,
}

/// Appends a value that is neither text, nor binary, nor nested; `None` where it is NULL.
fn push_scalar(array: &dyn Array, row: usize, out: &mut String) -> Option<Literal> {
    macro_rules! number {
        ($type:ty) => {{
            push_display(out, array.as_primitive::<$type>().value(row));
            Some(Literal::Bare)
        }};
    }
    macro_rules! decimal {
        ($type:ty) => {{
            out.push_str(&array.as_primitive::<$type>().value_as_string(row));
            Some(Literal::Bare)
        }};
    }
    match array.data_type() {
        DataType::Boolean => {
            push_display(out, array.as_boolean().value(row));
            Some(Literal::Bare)
        }
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float16 => {
            let value = f32::from(array.as_primitive::<Float16Type>().value(row));
            Some(push_float(value, f64::from(value), out))
        }
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            Some(push_float(value, f64::from(value), out))
        }
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            Some(push_float(value, value, out))
        }
        DataType::Decimal32(..) => decimal!(Decimal32Type),
        DataType::Decimal64(..) => decimal!(Decimal64Type),
        DataType::Decimal128(..) => decimal!(Decimal128Type),
        DataType::Decimal256(..) => decimal!(Decimal256Type),
        DataType::Date32 => Some(push_date::<Date32Type>(array, row, out)),
        DataType::Date64 => Some(push_date::<Date64Type>(array, row, out)),
        DataType::Timestamp(unit, zone) => {
            push_timestamp(array, row, *unit, zone.as_deref(), out);
            Some(Literal::Quoted)
        }
        DataType::Null => None,
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => {
            let mut literal = Some(Literal::Quoted);
            push_encoded(array, row, out, |values, at, out| {
                literal = push_text(values, at, out).then_some(Literal::Quoted);
            });
            literal
        }
        _ => {
            let options = FormatOptions::default();
            match ArrayFormatter::try_new(array, &options) {
                Ok(formatter) => push_display(out, formatter.value(row)),
                Err(error) => push_display(out, error),
            }
            Some(Literal::Quoted)
        }
    }
}

/// The double as its shortest exact text, `1.0` and `1e-7`, which JSON reads too.
fn push_float(exact: impl std::fmt::Debug, value: f64, out: &mut String) -> Literal {
    if value.is_finite() {
        let written = write!(out, "{exact:?}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        return Literal::Bare;
    }
    out.push_str(match value {
        v if v.is_nan() => "NaN",
        v if v > 0.0 => "Infinity",
        _ => "-Infinity",
    });
    Literal::Quoted
}

fn push_date<T: ArrowPrimitiveType>(array: &dyn Array, row: usize, out: &mut String) -> Literal
where
    i64: From<T::Native>,
{
    let value = array.as_primitive::<T>().value(row);
    match as_datetime::<T>(i64::from(value)) {
        Some(at) => push_display(out, at.date()),
        None => push_display(out, i64::from(value)),
    }
    Literal::Quoted
}

/// `2024-01-02T03:04:05Z`, with 3, 6 or 9 digits of fraction where it is not zero. A timestamp
/// without a zone has no `Z`: which zone it means is not ours to say.
fn push_timestamp(
    array: &dyn Array,
    row: usize,
    unit: TimeUnit,
    zone: Option<&str>,
    out: &mut String,
) {
    macro_rules! timestamp {
        ($type:ty) => {
            push_instant::<$type>(array.as_primitive::<$type>().value(row), zone, out)
        };
    }
    match unit {
        TimeUnit::Second => timestamp!(TimestampSecondType),
        TimeUnit::Millisecond => timestamp!(TimestampMillisecondType),
        TimeUnit::Microsecond => timestamp!(TimestampMicrosecondType),
        TimeUnit::Nanosecond => timestamp!(TimestampNanosecondType),
    }
}

fn push_instant<T: ArrowPrimitiveType>(value: i64, zone: Option<&str>, out: &mut String) {
    let is_utc = matches!(zone, Some("UTC" | "Etc/UTC" | "Z" | "+00:00" | "+0000"));
    let local = (!is_utc).then(|| zone?.parse::<Tz>().ok()).flatten();
    let written = match (as_datetime::<T>(value), local) {
        (None, _) => write!(out, "{value}"),
        (Some(naive), None) if zone.is_none() => write!(out, "{naive:?}"),
        (Some(naive), None) => write!(out, "{naive:?}Z"),
        (Some(naive), Some(zone)) => match as_datetime_with_timezone::<T>(value, zone) {
            Some(at) => write!(out, "{:?}{}", at.naive_local(), at.format("%:z")),
            None => write!(out, "{naive:?}Z"),
        },
    };
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

/// The bytes of a binary value.
fn bytes(array: &dyn Array, row: usize) -> Option<&[u8]> {
    match array.data_type() {
        DataType::Binary => Some(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Some(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Some(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => Some(array.as_fixed_size_binary().value(row)),
        _ => None,
    }
}

/// `61 62 63`, as Athena shows binary values.
fn push_hex(bytes: &[u8], out: &mut String) {
    for (place, byte) in bytes.iter().enumerate() {
        let gap = if place == 0 { "" } else { " " };
        push_display(out, format_args!("{gap}{byte:02x}"));
    }
}

/// Hands the values of a dictionary or run array and the place of `row` in them to `push`.
fn push_encoded(
    array: &dyn Array,
    row: usize,
    out: &mut String,
    mut push: impl FnMut(&dyn Array, usize, &mut String),
) {
    downcast_dictionary_array!(
        array => {
            if let Some(key) = array.key(row) {
                push(array.values(), key, out);
            }
        }
        DataType::RunEndEncoded(..) => downcast_run_array!(
            array => push(array.values(), array.get_physical_index(row), out),
            _ => {}
        ),
        _ => {}
    );
}

fn push_object(object: &StructArray, row: usize, nulls: Nulls, out: &mut String) {
    out.push('{');
    let mut first = true;
    for (field, column) in object.fields().iter().zip(object.columns()) {
        if nulls == Nulls::Omit && column.is_null(row) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        push_json_string(field.name(), out);
        out.push(':');
        push_json(column, row, nulls, out);
    }
    out.push('}');
}

fn push_map(entries: &StructArray, nulls: Nulls, out: &mut String) {
    let [keys, values] = entries.columns() else {
        out.push_str("null");
        return;
    };
    out.push('{');
    let mut key = String::new();
    for row in 0..entries.len() {
        if row > 0 {
            out.push(',');
        }
        key.clear();
        push_text(keys, row, &mut key);
        push_json_string(&key, out);
        out.push(':');
        push_json(values, row, nulls, out);
    }
    out.push('}');
}

fn push_array(items: &ArrayRef, nulls: Nulls, out: &mut String) {
    out.push('[');
    for row in 0..items.len() {
        if row > 0 {
            out.push(',');
        }
        push_json(items, row, nulls, out);
    }
    out.push(']');
}

/// Appends `text` as a JSON string that is safe to look at: controls by JSON's rules, and
/// bidirectional and invisible characters as `\uXXXX`. A reader gets the value back exactly.
pub(super) fn push_json_string(text: &str, out: &mut String) {
    out.push('"');
    let is_plain = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                _ if is_hidden(c) => push_unicode_escape(c, out),
                _ => out.push(c),
            }
        }
    }
    out.push('"');
}

/// Appends `\uXXXX`, or the two of a surrogate pair.
pub(super) fn push_unicode_escape(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        push_display(out, format_args!("\\u{unit:04x}"));
    }
}

fn push_display(out: &mut String, value: impl std::fmt::Display) {
    let written = write!(out, "{value}");
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

/// Whether cells of this type are numbers, which tables align to the right.
pub(super) fn is_number(kind: &DataType) -> bool {
    kind.is_numeric()
}

/// Whether cells of this type are text that a log's author may have chosen.
pub(super) fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_text(values),
        DataType::RunEndEncoded(_, values) => is_text(values.data_type()),
        _ => kind.is_string(),
    }
}

/// The type in Athena's words: `varchar`, `bigint`, `timestamp`, `row`, `array`, `map`.
pub fn type_name(kind: &DataType) -> String {
    let name = match kind {
        DataType::Null => "unknown",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint",
        DataType::Float16 | DataType::Float32 => "real",
        DataType::Float64 => "double",
        DataType::Utf8 | DataType::Utf8View => "varchar",
        DataType::LargeUtf8 => "json",
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "varbinary",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        DataType::Duration(_) | DataType::Interval(_) => "interval",
        DataType::Struct(_) | DataType::Union(..) => "row",
        DataType::Map(..) => "map",
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..) => "array",
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => return format!("decimal({precision},{scale})"),
        DataType::Dictionary(_, values) => return type_name(values),
        DataType::RunEndEncoded(_, values) => return type_name(values.data_type()),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
