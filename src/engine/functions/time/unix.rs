//! Seconds since the epoch, and durations.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date-and-time-functions>

use arrow::{
    array::{Array, AsArray},
    compute::cast,
    datatypes::{DataType, DurationMillisecondType, Float64Type, TimeUnit},
};
use datafusion::{
    common::{ScalarValue, exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::{
    super::{
        Function,
        call::{Call, excerpt, scalar},
    },
    FAMILY,
    values::{Count, Param, coerce, zoned},
    zone::Zone,
    zones,
};

pub(super) fn functions() -> Vec<Function> {
    [epoch(), durations()].concat()
}

fn epoch() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "from_unixtime",
            [],
            "from_unixtime(seconds [, zone | hours, minutes]) → timestamp(3) with time zone",
            "The instant so many seconds after the epoch, in UTC, a named zone or one with an \
             offset.",
            [
                ("to_iso8601(from_unixtime(1709634030))", "2024-03-05T10:20:30.000Z"),
                ("to_iso8601(from_unixtime(0, 'Asia/Tokyo'))", "1970-01-01T09:00:00.000+09:00"),
            ],
            unixtime_types,
            unixtime_zone,
            from_unixtime,
        ),
        scalar!(
            FAMILY,
            "from_unixtime_nanos",
            [],
            "from_unixtime_nanos(nanoseconds) → timestamp(9) with time zone",
            "The instant so many nanoseconds after the epoch, in UTC.",
            [("to_iso8601(from_unixtime_nanos(1))", "1970-01-01T00:00:00.000000001Z")],
            |types| coerce("from_unixtime_nanos", &[&[Param::Integer]], types),
            |_| Ok(zoned(TimeUnit::Nanosecond, Zone::Utc)),
            |args| {
                let call = Call::of(args)?;
                let nanos = call.integers(0)?;
                call.stamps(args.return_type(), |row| Ok(nanos.get(row)))
            },
        ),
        scalar!(
            FAMILY,
            "to_unixtime",
            [],
            "to_unixtime(timestamp) → double",
            "The seconds from the epoch to the timestamp.",
            [("CAST(to_unixtime(TIMESTAMP '2024-03-05 10:20:30') AS bigint)", "1709634030")],
            |types| coerce("to_unixtime", &[&[Param::Moment]], types),
            |_| Ok(DataType::Float64),
            to_unixtime,
        ),
    ]
}

fn durations() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "to_milliseconds",
            [],
            "to_milliseconds(interval) → bigint",
            "The milliseconds of an interval of days, hours, minutes and seconds.",
            [("to_milliseconds(INTERVAL '1' DAY)", "86400000")],
            |types| coerce("to_milliseconds", &[&[Param::Interval]], types),
            |_| Ok(DataType::Int64),
            to_milliseconds,
        ),
        scalar!(
            FAMILY,
            "parse_duration",
            [],
            "parse_duration(string) → interval",
            "The interval that text like `90m`, `1.5h` or `7d` means.",
            [("to_milliseconds(parse_duration('1.5h'))", "5400000")],
            |types| coerce("parse_duration", &[&[Param::Text]], types),
            |_| Ok(DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano)),
            parse_duration,
        ),
        scalar!(
            FAMILY,
            "human_readable_seconds",
            [],
            "human_readable_seconds(seconds) → varchar",
            "Seconds in words; those before zero as those after it.",
            [("human_readable_seconds(3762)", "1 hour, 2 minutes, 42 seconds")],
            |types| coerce("human_readable_seconds", &[&[Param::Double]], types),
            |_| Ok(DataType::Utf8),
            human_readable_seconds,
        ),
    ]
}

fn unixtime_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let forms: &[&[Param]] = &[
        &[Param::Double],
        &[Param::Double, Param::Text],
        &[Param::Double, Param::Integer, Param::Integer],
    ];
    coerce("from_unixtime", forms, types)
}

fn unixtime_zone(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let zone = match args.scalar_arguments {
        [_] => Zone::Utc,
        [_, _] => zones::literal_zone(args, 1)?,
        [_, hours, minutes] => {
            let number = |value: Option<&ScalarValue>| match value {
                Some(value) if value.is_null() => Some(0),
                Some(value) => match value.cast_to(&DataType::Int64) {
                    Ok(ScalarValue::Int64(Some(number))) => Some(number),
                    _ => None,
                },
                None => None,
            };
            let Some((hours, minutes)) = number(*hours).zip(number(*minutes)) else {
                return plan_err!("from_unixtime takes hours and minutes that are literals");
            };
            let minutes = hours.checked_mul(60).and_then(|hours| hours.checked_add(minutes));
            let zone = minutes.and_then(|minutes| Zone::minutes(i32::try_from(minutes).ok()?));
            let Some(zone) = zone else {
                return plan_err!("an offset is 14 hours at most");
            };
            zone
        }
        _ => return plan_err!("from_unixtime takes one to three arguments"),
    };
    Ok(zoned(TimeUnit::Millisecond, zone))
}

fn from_unixtime(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (seconds, one) = call.column(0)?;
    let seconds = seconds.as_primitive::<Float64Type>();
    let count = Count::Units(TimeUnit::Millisecond);
    call.stamps(args.return_type(), |row| {
        let row = if one { 0 } else { row };
        if seconds.is_null(row) {
            return Ok(None);
        }
        let given = seconds.value(row);
        // As Java rounds: halves up.
        let Some(millis) =
            rounded((given * 1_000.0 + 0.5).floor()).filter(|at| count.moment(*at).is_ok())
        else {
            return exec_err!("{given} seconds are out of range for a timestamp");
        };
        Ok(Some(millis))
    })
}

/// A whole number as such; nothing where it is too large, or none.
fn rounded(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
    (value.abs() < 9e18).then_some(value as i64)
}

#[expect(clippy::cast_precision_loss, reason = "a double is what is asked for")]
fn to_unixtime(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let moments = call.moments(0)?;
    let micros = Count::Units(TimeUnit::Microsecond);
    let mut values = arrow::array::Float64Array::builder(call.rows());
    for row in 0..call.rows() {
        let at = moments.utc(row)?.map(|at| micros.count(at)).transpose()?;
        values.append_option(at.map(|at| at as f64 / 1_000_000.0));
    }
    call.finish(std::sync::Arc::new(values.finish()))
}

fn to_milliseconds(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (array, one) = call.column(0)?;
    if let Some(intervals) = array.as_primitive_opt::<arrow::datatypes::IntervalMonthDayNanoType>()
    {
        return call.stamps(&DataType::Int64, |row| {
            let row = if one { 0 } else { row };
            if intervals.is_null(row) {
                return Ok(None);
            }
            let value = intervals.value(row);
            if value.months != 0 {
                return exec_err!("months have no fixed number of milliseconds");
            }
            Ok(Some(i64::from(value.days) * 86_400_000 + value.nanoseconds / 1_000_000))
        });
    }
    let millis = cast(array, &DataType::Duration(TimeUnit::Millisecond))?;
    let millis = millis.as_primitive::<DurationMillisecondType>();
    call.stamps(&DataType::Int64, |row| {
        let row = if one { 0 } else { row };
        Ok(millis.is_valid(row).then(|| millis.value(row)))
    })
}

/// The milliseconds that text like `1.5h` means.
fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let end = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(end)?;
    let number = number.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let millis = match unit {
        "ns" => 1e-6,
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 60e3,
        "h" => 3_600e3,
        "d" => 86_400e3,
        _ => return None,
    };
    rounded((number.parse::<f64>().ok()? * millis + 0.5).floor())
}

fn parse_duration(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    let mut intervals = arrow::array::IntervalMonthDayNanoArray::builder(call.rows());
    for row in 0..call.rows() {
        let Some(text) = texts.get(row) else {
            intervals.append_null();
            continue;
        };
        let millis = duration(text);
        let parts = millis.and_then(|millis| {
            let days = i32::try_from(millis / 86_400_000).ok()?;
            Some((days, (millis % 86_400_000).checked_mul(1_000_000)?))
        });
        let Some((days, nanos)) = parts else {
            return exec_err!("'{}' is not a duration", excerpt(text));
        };
        intervals.append_value(arrow::datatypes::IntervalMonthDayNano::new(0, days, nanos));
    }
    call.finish(std::sync::Arc::new(intervals.finish()))
}

fn human_readable_seconds(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (seconds, one) = call.column(0)?;
    let seconds = seconds.as_primitive::<Float64Type>();
    call.write_text(|row, out| {
        let row = if one { 0 } else { row };
        if seconds.is_null(row) {
            return Ok(None);
        }
        let given = seconds.value(row);
        match rounded((given.abs() + 0.5).floor()) {
            Some(whole) => words(whole, out),
            None => return exec_err!("{given} is no number of seconds to read"),
        }
        Ok(Some(()))
    })
}

/// Appends `1 hour, 2 minutes`; units that are none of are left out.
fn words(seconds: i64, out: &mut String) {
    let mut rest = seconds;
    for (unit, name) in
        [(604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")]
    {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || (seconds == 0 && unit == 1) {
            if !out.is_empty() {
                out.push_str(", ");
            }
            super::push_number(out, count, 1);
            out.push(' ');
            out.push_str(name);
            if count != 1 {
                out.push('s');
            }
        }
    }
}
