//! `format`, with the patterns of `java.util.Formatter`, and `format_number`:
//! <https://trino.io/docs/current/functions/conversion.html>.

mod number;
mod pattern;

use arrow::{
    array::{Array, AsArray},
    datatypes::{DataType, Decimal128Type, Float64Type, Int64Type},
};
use datafusion::{
    common::plan_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use self::{
    number::Digits,
    pattern::{Argument, Pattern},
};
use super::{
    super::{
        Function,
        call::{
            Call,
            Kind::{BigInt, Double},
            given, scalar, take, varchar,
        },
        scalar::{Text, is_varchar},
    },
    FAMILY,
};
use crate::engine::type_name;

pub(super) fn functions() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "format",
            [],
            "format(pattern, value, …) → varchar",
            "The values in the places of a pattern such as `%s`, `%05d`, `%,d`, `%.2f` or `%x`, \
             written as Java's Formatter does. Dates (`%t`) have functions of their own.",
            [
                ("format('%s has %d', 'bob', 3)", "bob has 3"),
                ("format('%,d', 1234567)", "1,234,567"),
                ("format('%05.1f', 2.25)", "002.3"),
                ("format('%2$s %1$s', 'a', 'b')", "b a"),
            ],
            format_types,
            varchar,
            format
        ),
        scalar!(
            FAMILY,
            "format_number",
            [],
            "format_number(number) → varchar",
            "A number of up to three digits and a unit: K, M, B, T or Q, thousand times each.",
            [("format_number(1234567)", "1.23M"), ("format_number(742)", "742")],
            |types| take(types, &[&[BigInt], &[Double]]),
            varchar,
            format_number
        ),
    ]
}

fn format_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let value = |data_type: &DataType| match data_type {
        DataType::Null | DataType::Date32 => Ok(DataType::Utf8),
        DataType::Float32 | DataType::Float64 => Ok(DataType::Float64),
        DataType::Decimal128(..) | DataType::Boolean | DataType::LargeUtf8 => Ok(data_type.clone()),
        integer if integer.is_integer() => Ok(DataType::Int64),
        text if is_varchar(text) => Ok(text.clone()),
        other => plan_err!("a {} must be cast to varchar first", type_name(other)),
    };
    match types.split_first() {
        Some((pattern, values)) if is_varchar(pattern) || pattern.is_null() => {
            let mut all = vec![if pattern.is_null() { DataType::Utf8 } else { pattern.clone() }];
            for data_type in values {
                all.push(value(data_type)?);
            }
            Ok(all)
        }
        _ => plan_err!("it takes a pattern and values"),
    }
}

fn format(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let patterns = call.texts(0)?;
    let mut last: Option<(&str, Pattern)> = None;
    let mut values = Vec::with_capacity(call.len());
    call.write_text(|row, out| {
        let text = given!(patterns.get(row));
        let pattern = match &last {
            Some((seen, pattern)) if *seen == text => pattern,
            _ => &last.insert((text, Pattern::parse(text)?)).1,
        };
        values.clear();
        for index in 1..call.len() {
            values.push(argument(&call, index, row)?);
        }
        pattern.write(&values, out)?;
        Ok(Some(()))
    })
}

/// The value of an argument in a row.
fn argument(call: &Call, index: usize, row: usize) -> Result<Argument<'_>> {
    let (array, one) = call.column(index)?;
    let row = if one { 0 } else { row };
    if array.is_null(row) {
        return Ok(Argument::Null);
    }
    Ok(match array.data_type() {
        DataType::Int64 => Argument::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Argument::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Argument::Boolean(array.as_boolean().value(row)),
        DataType::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            Argument::Decimal(Digits::of_decimal(value, *scale))
        }
        _ => Text::of(array)?.get(row).map_or(Argument::Null, Argument::Text),
    })
}

fn format_number(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    const UNITS: [&str; 6] = ["", "K", "M", "B", "T", "Q"];
    let call = Call::of(args)?;
    let (longs, doubles) = (call.longs(0).ok(), call.doubles(0).ok());
    // Of a double, the whole number before its point, or the nearest that a bigint can be.
    #[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
    #[expect(clippy::cast_possible_truncation, reason = "meant")]
    let value = |row: usize| match (&longs, &doubles) {
        (Some(longs), _) => longs.get(row).map(|value| value as f64),
        (_, Some(doubles)) => doubles.get(row).map(|value| value as i64 as f64),
        _ => None,
    };
    call.write_text(|row, out| {
        let mut value = given!(value(row));
        let mut units = UNITS.into_iter();
        let mut unit = units.next().unwrap_or_default();
        while value.abs() >= 1000.0 {
            let Some(larger) = units.next() else { break };
            unit = larger;
            value /= 1000.0;
        }
        let places = match value.abs() {
            small if small < 10.0 => 2,
            medium if medium < 100.0 => 1,
            _ => 0,
        };
        let mut digits = Digits::of_double(value);
        digits.round(places);
        if value < 0.0 && !digits.is_zero() {
            out.push('-');
        }
        digits.write_plain(None, out);
        out.push_str(unit);
        Ok(Some(()))
    })
}
