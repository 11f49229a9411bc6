//! Parts of dates, timestamps and intervals.
//!
//! <https://trino.io/docs/current/functions/datetime.html#extraction-function>

use arrow::{
    array::{Array, AsArray},
    compute::cast,
    datatypes::{DataType, DurationMillisecondType, IntervalMonthDayNanoType, TimeUnit},
};
use chrono::{NaiveDateTime, Timelike};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF},
};

use super::{
    super::{
        Function, Made,
        call::{Call, scalar},
    },
    FAMILY,
    fields::Field,
    format,
    values::{Moments, Param, coerce},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Of(Field),
    Quarter,
    Millisecond,
    ZoneHour,
    ZoneMinute,
}

macro_rules! part {
    ($name:literal, $aliases:expr, $part:expr, $forms:expr, $text:literal, $example:expr) => {
        scalar!(
            FAMILY,
            $name,
            $aliases,
            concat!($name, "(x) → bigint"),
            $text,
            [$example],
            |types| coerce($name, $forms, types),
            |_| Ok(DataType::Int64),
            |args| run(args, $part),
        )
    };
}

const MOMENT: &[&[Param]] = &[&[Param::Moment]];
const BOTH: &[&[Param]] = &[&[Param::Moment], &[Param::Interval]];

pub(super) fn functions() -> Vec<Function> {
    [of_dates(), of_times()].concat()
}

fn of_dates() -> Vec<Function> {
    vec![
        part!(
            "year",
            [],
            Part::Of(Field::Year),
            BOTH,
            "The year.",
            ("year(DATE '2024-08-22')", "2024")
        ),
        part!(
            "quarter",
            [],
            Part::Quarter,
            MOMENT,
            "The quarter of the year, 1 to 4.",
            ("quarter(DATE '2024-08-22')", "3")
        ),
        part!(
            "month",
            [],
            Part::Of(Field::Month),
            BOTH,
            "The month of the year, 1 to 12.",
            ("month(DATE '2024-08-22')", "8")
        ),
        part!(
            "week",
            ["week_of_year"],
            Part::Of(Field::Week),
            MOMENT,
            "The ISO week of the year, 1 to 53.",
            ("week(DATE '2024-01-08')", "2")
        ),
        part!(
            "year_of_week",
            ["yow"],
            Part::Of(Field::Weekyear),
            MOMENT,
            "The year that the ISO week belongs to.",
            ("yow(DATE '2023-01-01')", "2022")
        ),
        part!(
            "day",
            ["day_of_month"],
            Part::Of(Field::DayOfMonth),
            BOTH,
            "The day of the month, 1 to 31.",
            ("day(DATE '2024-08-22')", "22")
        ),
        part!(
            "day_of_week",
            ["dow"],
            Part::Of(Field::DayOfWeek),
            MOMENT,
            "The ISO day of the week: 1, Monday, to 7, Sunday.",
            ("dow(DATE '2024-03-10')", "7")
        ),
        part!(
            "day_of_year",
            ["doy"],
            Part::Of(Field::DayOfYear),
            MOMENT,
            "The day of the year, 1 to 366.",
            ("doy(DATE '2024-02-01')", "32")
        ),
    ]
}

fn of_times() -> Vec<Function> {
    vec![
        part!(
            "hour",
            [],
            Part::Of(Field::Hour),
            BOTH,
            "The hour of the day, 0 to 23.",
            ("hour(TIMESTAMP '2024-03-05 09:07:08')", "9")
        ),
        part!(
            "minute",
            [],
            Part::Of(Field::Minute),
            BOTH,
            "The minute of the hour, 0 to 59.",
            ("minute(TIMESTAMP '2024-03-05 09:07:08')", "7")
        ),
        part!(
            "second",
            [],
            Part::Of(Field::Second),
            BOTH,
            "The second of the minute, 0 to 59.",
            ("second(TIMESTAMP '2024-03-05 09:07:08')", "8")
        ),
        part!(
            "millisecond",
            [],
            Part::Millisecond,
            BOTH,
            "The millisecond of the second, 0 to 999.",
            ("millisecond(TIMESTAMP '2024-03-05 09:07:08.123')", "123")
        ),
        part!(
            "timezone_hour",
            [],
            Part::ZoneHour,
            MOMENT,
            "The hours of the zone's offset.",
            ("timezone_hour(TIMESTAMP '2024-03-05 09:07:08 -03:30')", "-3")
        ),
        part!(
            "timezone_minute",
            [],
            Part::ZoneMinute,
            MOMENT,
            "The minutes of the zone's offset.",
            ("timezone_minute(TIMESTAMP '2024-03-05 09:07:08 -03:30')", "-30")
        ),
    ]
}

/// The function behind `EXTRACT(name FROM …)`.
pub(in crate::engine) fn part(name: &str) -> Option<ScalarUDF> {
    let name = name.to_ascii_lowercase();
    let parts = functions().into_iter().filter(|part| part.name != "millisecond");
    let found =
        parts.into_iter().find(|part| part.name == name || part.aliases.contains(&name.as_str()));
    match (found?.make)() {
        Made::Scalar(function) => Some(function),
        _ => None,
    }
}

fn run(args: &ScalarFunctionArgs, part: Part) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (array, one) = call.column(0)?;
    match array.data_type() {
        DataType::Interval(_) => {
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
            call.stamps(&DataType::Int64, |row| {
                let row = if one { 0 } else { row };
                if intervals.is_null(row) {
                    return Ok(None);
                }
                let value = intervals.value(row);
                let day = 86_400_000;
                let millis = i64::from(value.days) * day + value.nanoseconds / 1_000_000;
                of_interval(part, i64::from(value.months), millis).map(Some)
            })
        }
        DataType::Duration(_) => {
            let array = cast(array, &DataType::Duration(TimeUnit::Millisecond))?;
            let durations = array.as_primitive::<DurationMillisecondType>();
            call.stamps(&DataType::Int64, |row| {
                let row = if one { 0 } else { row };
                let value = durations.is_valid(row).then(|| durations.value(row));
                value.map(|millis| of_interval(part, 0, millis)).transpose()
            })
        }
        _ => {
            let moments = Moments::new(array, one)?;
            call.stamps(&DataType::Int64, |row| {
                let Some(utc) = moments.utc(row)? else { return Ok(None) };
                let minutes = i64::from(moments.zone.offset_at(utc) / 60);
                Ok(Some(match part {
                    Part::ZoneHour => minutes / 60,
                    Part::ZoneMinute => minutes % 60,
                    _ => of_moment(part, super::values::local(moments.zone, utc)?),
                }))
            })
        }
    }
}

fn of_moment(part: Part, at: NaiveDateTime) -> i64 {
    match part {
        Part::Of(field) => format::value(field, at),
        Part::Quarter => (format::value(Field::Month, at) + 2) / 3,
        Part::Millisecond => i64::from(at.nanosecond() / 1_000_000),
        Part::ZoneHour | Part::ZoneMinute => 0,
    }
}

/// Of an interval the years and the days are all of them, the rest what is left.
fn of_interval(part: Part, months: i64, millis: i64) -> Result<i64> {
    Ok(match part {
        Part::Of(Field::Year) => months / 12,
        Part::Of(Field::Month) => months % 12,
        Part::Of(Field::DayOfMonth) => millis / 86_400_000,
        Part::Of(Field::Hour) => millis % 86_400_000 / 3_600_000,
        Part::Of(Field::Minute) => millis % 3_600_000 / 60_000,
        Part::Of(Field::Second) => millis % 60_000 / 1_000,
        Part::Millisecond => millis % 1_000,
        _ => return exec_err!("an interval does not have that part"),
    })
}
