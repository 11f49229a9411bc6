//! Adding to dates and timestamps, and what lies between them.
//!
//! <https://trino.io/docs/current/functions/datetime.html#interval-functions>,
//! <https://trino.io/docs/current/functions/datetime.html#date-and-time-operators>

use arrow::{
    array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray},
    compute::cast,
    datatypes::{
        DataType, DurationNanosecondType, Float64Type, IntervalMonthDayNano,
        IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
    },
};
use chrono::{Datelike, Months, NaiveDateTime, TimeDelta, Timelike};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF},
};

use super::{
    super::{
        Function, Made,
        call::{Call, excerpt, scalar},
        scalar::Scalar,
    },
    FAMILY,
    values::{Count, Moments, Param, coerce, first, instant, literal, local, midnight, typed},
    zone::Zone,
};

pub(super) fn functions() -> Vec<Function> {
    [adding(), cutting()].concat()
}

fn adding() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "date_add",
            [],
            "date_add(unit, n, x) → as x",
            "`x` and `n` units: `millisecond`, `second`, `minute`, `hour`, `day`, `week`, \
             `month`, `quarter` or `year`. A day that a month lacks becomes its last.",
            [
                ("date_add('month', 1, DATE '2024-01-31')", "2024-02-29"),
                ("date_add('day', -7, DATE '2024-03-05')", "2024-02-27"),
            ],
            |types| { coerce("date_add", &[&[Param::Text, Param::Integer, Param::Moment]], types) },
            added_type,
            date_add,
        ),
        scalar!(
            FAMILY,
            "date_diff",
            [],
            "date_diff(unit, a, b) → bigint",
            "How many whole units `b` is after `a`; negative where it is before.",
            [
                ("date_diff('month', DATE '2024-01-15', DATE '2024-03-14')", "1"),
                (
                    "date_diff('second', TIMESTAMP '2024-03-05 10:00:00', TIMESTAMP '2024-03-05 10:01:30')",
                    "90",
                ),
            ],
            |types| { coerce("date_diff", &[&[Param::Text, Param::Moment, Param::Moment]], types) },
            |_| Ok(DataType::Int64),
            date_diff,
        ),
    ]
}

fn cutting() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "date_trunc",
            [],
            "date_trunc(unit, x) → as x",
            "`x` cut off to `unit`: the first moment of its hour, day, week (from Monday), month.",
            [
                (
                    "date_format(date_trunc('hour', TIMESTAMP '2024-03-05 10:20:30'), '%T')",
                    "10:00:00",
                ),
                ("date_trunc('week', DATE '2024-08-22')", "2024-08-19"),
            ],
            |types| coerce("date_trunc", &[&[Param::Text, Param::Moment]], types),
            |args| typed(args, 1),
            date_trunc,
        ),
        scalar!(
            FAMILY,
            "last_day_of_month",
            [],
            "last_day_of_month(x) → date",
            "The last day of the month.",
            [("last_day_of_month(DATE '2024-02-10')", "2024-02-29")],
            |types| coerce("last_day_of_month", &[&[Param::Moment]], types),
            |_| Ok(DataType::Date32),
            last_day_of_month,
        ),
    ]
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

const UNITS: [(&str, Unit); 9] = [
    ("millisecond", Unit::Millisecond),
    ("second", Unit::Second),
    ("minute", Unit::Minute),
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
];

impl Unit {
    /// The unit of this name, which a date has only from the day on.
    fn named(name: &str, of: Count) -> Result<Self> {
        let unit = UNITS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let day = matches!(of, Count::Days);
        match unit {
            Some((_, unit)) if !day || *unit >= Self::Day => Ok(*unit),
            _ => {
                let of = if day { "date" } else { "timestamp" };
                exec_err!("'{}' is not a unit of a {of}", excerpt(name))
            }
        }
    }

    fn millis(self) -> i64 {
        match self {
            Self::Millisecond => 1,
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Week => 7 * 86_400_000,
            _ => 86_400_000,
        }
    }

    fn months(self) -> Option<i64> {
        match self {
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::Year => Some(12),
            _ => None,
        }
    }
}

/// The wall clock `months` later, or the last day of that month.
fn add_months(at: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let size = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { at.checked_sub_months(size) } else { at.checked_add_months(size) }
}

fn add_millis(at: NaiveDateTime, millis: i64) -> Option<NaiveDateTime> {
    at.checked_add_signed(TimeDelta::try_milliseconds(millis)?)
}

/// `utc` and `n` units: those up to hours have one length, days and longer ones are counted on the
/// calendar of the zone.
fn added(utc: NaiveDateTime, zone: Zone, unit: Unit, n: i64) -> Option<NaiveDateTime> {
    if unit < Unit::Day {
        return add_millis(utc, n.checked_mul(unit.millis())?);
    }
    let at = zone.local(utc)?;
    let at = match unit.months() {
        Some(months) => add_months(at, n.checked_mul(months)?)?,
        None => add_millis(at, n.checked_mul(unit.millis())?)?,
    };
    zone.instant(at, Some(zone.offset_at(utc)))
}

/// Milliseconds make a timestamp without a fraction one that has it.
fn added_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let given = typed(args, 2)?;
    let whole = literal(args, 0).is_some_and(|unit| !unit.eq_ignore_ascii_case("millisecond"));
    Ok(if whole { given } else { finer(given) })
}

/// With milliseconds where there was no fraction.
fn finer(given: DataType) -> DataType {
    match given {
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone)
        }
        other => other,
    }
}

fn date_add(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (units, counts, moments) = (call.texts(0)?, call.integers(1)?, call.moments(2)?);
    let to = Count::of(args.return_type())?;
    call.stamps(args.return_type(), |row| {
        let (Some(unit), Some(n), Some(utc)) = (units.get(row), counts.get(row), moments.utc(row)?)
        else {
            return Ok(None);
        };
        let Some(at) = added(utc, moments.zone, Unit::named(unit, moments.count)?, n) else {
            return exec_err!("{utc} and {n} times '{}' is out of range", excerpt(unit));
        };
        to.count(at).map(Some)
    })
}

fn date_diff(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (units, from, to) = (call.texts(0)?, call.moments(1)?, call.moments(2)?);
    let of = if from.count == Count::Days { to.count } else { from.count };
    call.stamps(&DataType::Int64, |row| {
        let (Some(unit), Some(start), Some(end)) = (units.get(row), from.utc(row)?, to.utc(row)?)
        else {
            return Ok(None);
        };
        between(Unit::named(unit, of)?, from.zone, whole_millis(start)?, whole_millis(end)?)
            .map(Some)
    })
}

/// Without what is finer than a millisecond, which does not count.
fn whole_millis(at: NaiveDateTime) -> Result<NaiveDateTime> {
    let count = Count::Units(TimeUnit::Millisecond);
    count.moment(count.count(at)?)
}

fn between(unit: Unit, zone: Zone, start: NaiveDateTime, end: NaiveDateTime) -> Result<i64> {
    if unit < Unit::Day {
        return Ok(end.signed_duration_since(start).num_milliseconds() / unit.millis());
    }
    let (start, end) = (local(zone, start)?, local(zone, end)?);
    Ok(match unit.months() {
        Some(months) => months_between(start, end) / months,
        None => end.signed_duration_since(start).num_milliseconds() / unit.millis(),
    })
}

/// The whole months: from the 31st to the last day of a shorter month is one.
fn months_between(start: NaiveDateTime, end: NaiveDateTime) -> i64 {
    if end < start {
        return -months_between(end, start);
    }
    let index = |at: NaiveDateTime| i64::from(at.year()) * 12 + i64::from(at.month0());
    let months = index(end) - index(start);
    let last = u32::from(end.num_days_in_month());
    let day = if end.day() == last { start.day().min(last) } else { start.day() };
    months - i64::from((end.day(), end.time()) < (day, start.time()))
}

fn date_trunc(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (units, moments) = (call.texts(0)?, call.moments(1)?);
    call.stamps(args.return_type(), |row| {
        let (Some(unit), Some(utc)) = (units.get(row), moments.utc(row)?) else {
            return Ok(None);
        };
        let unit = Unit::named(unit, moments.count)?;
        let at = local(moments.zone, utc)?;
        let Some(at) = truncated(at, unit) else {
            return exec_err!("{at} cannot be truncated");
        };
        let at = instant(moments.zone, at, Some(moments.zone.offset_at(utc)))?;
        moments.count.count(at).map(Some)
    })
}

fn truncated(at: NaiveDateTime, unit: Unit) -> Option<NaiveDateTime> {
    let date = at.date();
    Some(match unit {
        Unit::Millisecond => at.with_nanosecond(at.nanosecond() / 1_000_000 * 1_000_000)?,
        Unit::Second => at.with_nanosecond(0)?,
        Unit::Minute => date.and_hms_opt(at.hour(), at.minute(), 0)?,
        Unit::Hour => date.and_hms_opt(at.hour(), 0, 0)?,
        Unit::Day => midnight(date),
        Unit::Week => {
            let days = date.weekday().num_days_from_monday();
            midnight(date.checked_sub_signed(TimeDelta::days(i64::from(days)))?)
        }
        Unit::Month => midnight(date.with_day(1)?),
        Unit::Quarter => midnight(date.with_day(1)?.with_month0(date.month0() / 3 * 3)?),
        Unit::Year => midnight(date.with_ordinal(1)?),
    })
}

fn last_day_of_month(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let moments = call.moments(0)?;
    call.stamps(&DataType::Date32, |row| {
        let Some(at) = moments.local(row)? else { return Ok(None) };
        let Some(at) = at.with_day(u32::from(at.num_days_in_month())) else {
            return exec_err!("{at} is out of range");
        };
        Count::Days.count(at).map(Some)
    })
}

fn udf(scalar: Scalar) -> Option<ScalarUDF> {
    match scalar.made() {
        Made::Scalar(function) => Some(function),
        _ => None,
    }
}

/// `x + interval`.
pub(in crate::engine) fn interval_plus() -> Option<ScalarUDF> {
    let types = |types: &[DataType]| coerce("+", &[&[Param::Moment, Param::Interval]], types);
    udf(Scalar::new("plus_interval", types, |args| first(args).map(finer), |args| shift(args, 1)))
}

/// `x - interval`.
pub(in crate::engine) fn interval_minus() -> Option<ScalarUDF> {
    let types = |types: &[DataType]| coerce("-", &[&[Param::Moment, Param::Interval]], types);
    udf(Scalar::new("minus_interval", types, |args| first(args).map(finer), |args| shift(args, -1)))
}

/// `interval * number`.
pub(in crate::engine) fn interval_times() -> Option<ScalarUDF> {
    let types = |types: &[DataType]| coerce("*", &[&[Param::Interval, Param::Double]], types);
    udf(Scalar::new("interval_times", types, |_| Ok(INTERVAL), times))
}

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// Intervals of either type as months, days and nanoseconds.
fn intervals(array: &ArrayRef) -> Result<IntervalMonthDayNanoArray> {
    if matches!(array.data_type(), DataType::Interval(_)) {
        return Ok(cast(array, &INTERVAL)?.as_primitive::<IntervalMonthDayNanoType>().clone());
    }
    let nanos = cast(array, &DataType::Duration(TimeUnit::Nanosecond))?;
    let nanos = nanos.as_primitive::<DurationNanosecondType>();
    Ok(nanos.unary(|nanos| IntervalMonthDayNano::new(0, 0, nanos)))
}

fn shift(args: &ScalarFunctionArgs, sign: i32) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let moments = call.moments(0)?;
    let (array, one) = call.column(1)?;
    let intervals = intervals(array)?;
    let to = Count::of(args.return_type())?;
    call.stamps(args.return_type(), |row| {
        let index = if one { 0 } else { row };
        let Some(utc) = moments.utc(row)? else { return Ok(None) };
        if intervals.is_null(index) {
            return Ok(None);
        }
        let interval = intervals.value(index);
        if to == Count::Days && interval.nanoseconds % 86_400_000_000_000 != 0 {
            return exec_err!("hours, minutes or seconds cannot be added to a date");
        }
        let Some(at) = shifted(utc, &moments, interval, sign) else {
            return exec_err!("{utc} and the interval is out of range");
        };
        to.count(at).map(Some)
    })
}

/// Months are counted on the calendar of the zone; a day of an interval is 24 hours.
fn shifted(
    utc: NaiveDateTime,
    moments: &Moments,
    interval: IntervalMonthDayNano,
    sign: i32,
) -> Option<NaiveDateTime> {
    let mut at = utc;
    if interval.months != 0 {
        let wall = moments.zone.local(utc)?;
        let wall = add_months(wall, i64::from(interval.months) * i64::from(sign))?;
        at = moments.zone.instant(wall, Some(moments.zone.offset_at(utc)))?;
    }
    let days = TimeDelta::try_days(i64::from(interval.days) * i64::from(sign))?;
    let rest = interval.nanoseconds.checked_mul(i64::from(sign))?;
    at.checked_add_signed(days)?.checked_add_signed(TimeDelta::nanoseconds(rest))
}

fn times(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (array, one) = call.column(0)?;
    let intervals = intervals(array)?;
    let (factors, single) = call.column(1)?;
    let factors = factors.as_primitive::<Float64Type>();
    let mut products = IntervalMonthDayNanoArray::builder(call.rows());
    for row in 0..call.rows() {
        let (index, factor) = (if one { 0 } else { row }, if single { 0 } else { row });
        if intervals.is_null(index) || factors.is_null(factor) {
            products.append_null();
            continue;
        }
        let Some(product) = product(intervals.value(index), factors.value(factor)) else {
            return exec_err!("the interval is out of range");
        };
        products.append_value(product);
    }
    call.finish(std::sync::Arc::new(products.finish()))
}

/// Months are cut off to whole ones, the rest to milliseconds.
fn product(interval: IntervalMonthDayNano, factor: f64) -> Option<IntervalMonthDayNano> {
    let months = whole(f64::from(interval.months) * factor)?;
    let millis = i64::from(interval.days)
        .checked_mul(86_400_000)?
        .checked_add(interval.nanoseconds / 1_000_000)?;
    if interval.months != 0 && millis != 0 {
        return None;
    }
    // Milliseconds of 285 years are exact.
    #[expect(clippy::cast_precision_loss, reason = "an interval's milliseconds are below 2^53")]
    let millis = whole(millis as f64 * factor)?;
    let day = 86_400_000;
    Some(IntervalMonthDayNano::new(
        i32::try_from(months).ok()?,
        i32::try_from(millis / day).ok()?,
        (millis % day).checked_mul(1_000_000)?,
    ))
}

fn whole(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "in range")]
    (value.abs() < 9e15).then(|| value.trunc() as i64)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn at(secs: i64) -> NaiveDateTime {
        DateTime::from_timestamp(secs, 0).unwrap().naive_utc()
    }

    proptest! {
        #[test]
        fn what_is_added_lies_between(
            secs in -60_000_000_000_i64..250_000_000_000,
            n in -500_i64..500,
            unit in 0_usize..9,
        ) {
            let unit = UNITS[unit].1;
            let zone = Zone::Utc;
            let end = added(at(secs), zone, unit, n).unwrap();
            let found = between(unit, zone, at(secs), end).unwrap();
            prop_assert_eq!(found, n);
        }

        #[test]
        fn truncating_is_idempotent_and_never_later(secs in any::<i32>(), unit in 0_usize..9) {
            let unit = UNITS[unit].1;
            let start = truncated(at(i64::from(secs)), unit).unwrap();
            prop_assert!(start <= at(i64::from(secs)));
            prop_assert_eq!(truncated(start, unit).unwrap(), start);
        }
    }
}
