//! Casts between numbers, text, booleans and intervals that Arrow would do otherwise than Trino:
//! numbers are rounded and not cut, text is read by Java's spellings and no others, and doubles and
//! intervals are written as Trino writes them.
//!
//! <https://trino.io/docs/current/functions/conversion.html>,
//! <https://trino.io/docs/current/language/types.html>

use std::{fmt::Write, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array,
        IntervalMonthDayNanoArray, PrimitiveArray, StringArray,
    },
    compute::{CastOptions, cast, cast_with_options},
    datatypes::{
        DataType, Decimal128Type, DurationNanosecondType, Float32Type, Float64Type, Int8Type,
        Int16Type, Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
        IntervalUnit, TimeUnit,
    },
};
use datafusion::{
    common::{DataFusionError, exec_datafusion_err},
    error::Result,
};

use super::from_json::{boolean_of_text, decimal, double_of_text};
use crate::engine::functions::json::{Text, double_as_varchar, real_as_varchar};

/// Whether a cast of these scalars is ours.
pub(super) fn covers(source: &DataType, target: &DataType) -> bool {
    let text = |part: &DataType| matches!(part, DataType::Utf8 | DataType::Utf8View);
    let float = |part: &DataType| matches!(part, DataType::Float32 | DataType::Float64);
    let whole = |part: &DataType| {
        matches!(part, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
    };
    let decimal = |part: &DataType| matches!(part, DataType::Decimal128(..));
    let interval = |part: &DataType| matches!(part, DataType::Interval(_) | DataType::Duration(_));
    if text(source) {
        return *target == DataType::Boolean || whole(target) || float(target) || decimal(target);
    }
    if text(target) {
        return float(source) || interval(source);
    }
    (float(source) || decimal(source)) && whole(target)
}

/// `values` cast to `target`; what cannot be cast is an error or, where `lenient`, NULL.
pub(super) fn column(values: &ArrayRef, target: &DataType, lenient: bool) -> Result<ArrayRef> {
    match (values.data_type(), target) {
        (DataType::Float64, DataType::Utf8 | DataType::Utf8View) => {
            let doubles = values.as_primitive::<Float64Type>();
            text_as(doubles.iter().map(|value| value.map(double_as_varchar)), target)
        }
        (DataType::Float32, DataType::Utf8 | DataType::Utf8View) => {
            let reals = values.as_primitive::<Float32Type>();
            text_as(reals.iter().map(|value| value.map(real_as_varchar)), target)
        }
        (DataType::Interval(_) | DataType::Duration(_), _) => {
            let intervals = intervals(values)?;
            text_as(intervals.iter().map(|value| value.map(interval_as_varchar)), target)
        }
        (DataType::Utf8 | DataType::Utf8View, _) => {
            let texts = Text::of(values)?;
            let texts = (0..values.len()).map(|row| texts.get(row));
            read(texts, target, lenient)
        }
        (DataType::Float32, _) => column(&cast(values, &DataType::Float64)?, target, lenient),
        (DataType::Float64, _) => {
            let doubles = values.as_primitive::<Float64Type>().iter();
            let rounded = each(doubles, lenient, bigint, |value| {
                out_of_range(&double_as_varchar(value), target)
            });
            narrowed(rounded?, target, lenient)
        }
        (DataType::Decimal128(_, scale), _) => {
            let unit = 10_i128.pow(u32::try_from(*scale).unwrap_or_default());
            let decimals = values.as_primitive::<Decimal128Type>().iter();
            let rounded = each(
                decimals,
                lenient,
                |value| quotient(value, unit),
                |value| out_of_range(&(value / unit).to_string(), target),
            );
            narrowed(rounded?, target, lenient)
        }
        _ => Ok(cast_with_options(
            values,
            target,
            &CastOptions { safe: lenient, ..Default::default() },
        )?),
    }
}

/// What `of` makes of the values; where it makes nothing, the error, or NULL where `lenient`.
fn each<T: Copy, R>(
    values: impl Iterator<Item = Option<T>>,
    lenient: bool,
    of: impl Fn(T) -> Option<R>,
    error: impl Fn(T) -> DataFusionError,
) -> Result<Vec<Option<R>>> {
    values
        .map(|value| match value.map(|value| (of(value), value)) {
            None => Ok(None),
            Some((Some(made), _)) => Ok(Some(made)),
            Some((None, _)) if lenient => Ok(None),
            Some((None, value)) => Err(error(value)),
        })
        .collect()
}

fn read<'a>(
    texts: impl Iterator<Item = Option<&'a str>>,
    target: &DataType,
    lenient: bool,
) -> Result<ArrayRef> {
    // The words that a diagnosis knows.
    let wrong =
        |text: &str| exec_datafusion_err!("Cannot cast string '{text}' to value of {target} type");
    Ok(match target {
        DataType::Boolean => {
            let made = each(texts, lenient, boolean_of_text, wrong)?;
            Arc::new(made.into_iter().collect::<BooleanArray>())
        }
        DataType::Float64 => {
            let made = each(texts, lenient, double_of_text, wrong)?;
            Arc::new(made.into_iter().collect::<PrimitiveArray<Float64Type>>())
        }
        DataType::Float32 => {
            #[expect(clippy::cast_possible_truncation, reason = "a real has fewer digits")]
            let real = |text| double_of_text(text).map(|value| value as f32);
            let made = each(texts, lenient, real, wrong)?;
            Arc::new(made.into_iter().collect::<PrimitiveArray<Float32Type>>())
        }
        DataType::Decimal128(precision, scale) => {
            let number = |text: &str| text.bytes().all(|b| b"0123456789+-.eE".contains(&b));
            let of = |text: &'a str| decimal(text, *precision, *scale).filter(|_| number(text));
            let made = each(texts, lenient, of, wrong)?;
            let made = made.into_iter().collect::<Decimal128Array>();
            Arc::new(made.with_precision_and_scale(*precision, *scale)?)
        }
        DataType::Int8 => whole::<Int8Type>(each(texts, lenient, |text| text.parse().ok(), wrong)?),
        DataType::Int16 => {
            whole::<Int16Type>(each(texts, lenient, |text| text.parse().ok(), wrong)?)
        }
        DataType::Int32 => {
            whole::<Int32Type>(each(texts, lenient, |text| text.parse().ok(), wrong)?)
        }
        _ => whole::<Int64Type>(each(texts, lenient, |text| text.parse().ok(), wrong)?),
    })
}

fn whole<T: ArrowPrimitiveType>(values: Vec<Option<T::Native>>) -> ArrayRef
where
    PrimitiveArray<T>: FromIterator<Option<T::Native>>,
{
    Arc::new(values.into_iter().collect::<PrimitiveArray<T>>())
}

/// Bigints as integers of the target's size.
fn narrowed(values: Vec<Option<i64>>, target: &DataType, lenient: bool) -> Result<ArrayRef> {
    let values: ArrayRef = Arc::new(values.into_iter().collect::<PrimitiveArray<Int64Type>>());
    let options = CastOptions { safe: lenient, ..CastOptions::default() };
    Ok(cast_with_options(&values, target, &options)?)
}

fn out_of_range(value: &str, target: &DataType) -> DataFusionError {
    exec_datafusion_err!("Can't cast value {value} to type {target}")
}

/// The nearest bigint; a half goes away from zero.
pub(super) fn bigint(value: f64) -> Option<i64> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    let rounded = value.round();
    // The largest bigint is no double; the one above it is.
    #[expect(clippy::cast_possible_truncation, reason = "in range")]
    (-TWO_TO_63..TWO_TO_63).contains(&rounded).then_some(rounded as i64)
}

/// The nearest bigint to a decimal that counts `unit`ths; a half goes away from zero.
fn quotient(value: i128, unit: i128) -> Option<i64> {
    let rest = value.checked_rem(unit)?;
    let up = i128::from(rest.abs() >= unit - rest.abs()) * value.signum();
    i64::try_from(value.checked_div(unit)?.checked_add(up)?).ok()
}

fn text_as(values: impl Iterator<Item = Option<String>>, target: &DataType) -> Result<ArrayRef> {
    let texts: ArrayRef = Arc::new(values.collect::<StringArray>());
    Ok(if texts.data_type() == target { texts } else { cast(&texts, target)? })
}

fn intervals(values: &ArrayRef) -> Result<IntervalMonthDayNanoArray> {
    const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
    if matches!(values.data_type(), DataType::Interval(_)) {
        return Ok(cast(values, &INTERVAL)?.as_primitive::<IntervalMonthDayNanoType>().clone());
    }
    let nanos = cast(values, &DataType::Duration(TimeUnit::Nanosecond))?;
    let nanos = nanos.as_primitive::<DurationNanosecondType>();
    Ok(nanos.unary(|nanos| IntervalMonthDayNano::new(0, 0, nanos)))
}

/// An interval as Trino casts it to varchar: years and months `1-2`, or days and a time
/// `1 02:03:04.500`.
fn interval_as_varchar(value: IntervalMonthDayNano) -> String {
    let mut text = String::new();
    let millis = i64::from(value.days) * 86_400_000 + value.nanoseconds / 1_000_000;
    // A String takes everything.
    if value.months != 0 {
        let sign = if value.months < 0 { "-" } else { "" };
        let months = value.months.unsigned_abs();
        let _ = write!(text, "{sign}{}-{}", months / 12, months % 12);
        if millis == 0 {
            return text;
        }
        text.push(' ');
    }
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let _ = write!(
        text,
        "{sign}{} {:02}:{:02}:{:02}.{rest:03}",
        hours / 24,
        hours % 24,
        minutes % 60,
        seconds % 60
    );
    text
}
