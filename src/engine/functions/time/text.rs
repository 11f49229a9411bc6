//! Timestamps and dates as Trino's casts and literals write them: `2024-03-05 10:20:30.123 UTC`.
//!
//! <https://trino.io/docs/current/language/types.html#date-and-time>

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use datafusion::{
    common::{ScalarValue, exec_err},
    error::Result,
};

use super::{
    super::call::excerpt,
    fields::Reader,
    push_number,
    values::{Count, instant, per_second},
    zone::Zone,
};

/// What text says.
struct Written<'a> {
    seconds: NaiveDateTime,
    /// The digits of the fraction.
    fraction: &'a str,
    zone: &'a str,
}

impl Written<'_> {
    /// The count of `unit` since the epoch, in UTC.
    fn counted(&self, unit: TimeUnit) -> Result<i64> {
        let seconds = if self.zone.is_empty() {
            self.seconds
        } else {
            instant(Zone::named(self.zone)?, self.seconds, None)?
        };
        counted(seconds, self.fraction, unit)
    }
}

fn date(reader: &mut Reader<'_>) -> Option<NaiveDate> {
    let before = reader.rest;
    let year = reader.signed(6)?;
    let digits = before.len() - reader.rest.len() - usize::from(before.starts_with(['+', '-']));
    if digits < 4 || !reader.take("-") {
        return None;
    }
    let month = reader.number(2)?;
    if !reader.take("-") {
        return None;
    }
    let day = reader.number(2)?;
    NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        u32::try_from(month).ok()?,
        u32::try_from(day).ok()?,
    )
}

/// What text says; a literal may have a `T` between date and time, as ISO 8601 has it and Trino not.
fn written(text: &str, literal: bool) -> Option<Written<'_>> {
    let mut reader = Reader { rest: text.trim() };
    let date = date(&mut reader)?;
    let (mut hour, mut minute, mut second, mut fraction) = (0, 0, 0, "");
    let end = reader.rest.is_empty();
    if !(end || reader.take(" ") || literal && reader.take("T")) {
        return None;
    }
    if reader.rest.starts_with(|letter: char| letter.is_ascii_digit()) {
        hour = reader.number(2)?;
        if !reader.take(":") {
            return None;
        }
        minute = reader.number(2)?;
        if reader.take(":") {
            second = reader.number(2)?;
            if reader.take(".") {
                fraction = reader.digits(usize::MAX)?;
            }
        }
    }
    let seconds = date.and_hms_opt(
        u32::try_from(hour).ok()?,
        u32::try_from(minute).ok()?,
        u32::try_from(second).ok()?,
    )?;
    Some(Written { seconds, fraction, zone: reader.rest.trim_start() })
}

/// The count of `unit` since the epoch; further digits round.
fn counted(seconds: NaiveDateTime, fraction: &str, unit: TimeUnit) -> Result<i64> {
    let digits = match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    let mut part = 0_i64;
    for index in 0..digits {
        let digit = fraction.as_bytes().get(index).map_or(0, |byte| byte.wrapping_sub(b'0'));
        part = part * 10 + i64::from(digit);
    }
    part += i64::from(fraction.as_bytes().get(digits).is_some_and(|byte| *byte >= b'5'));
    let whole = seconds.and_utc().timestamp().checked_mul(per_second(unit));
    let Some(count) = whole.and_then(|whole| whole.checked_add(part)) else {
        return exec_err!("{seconds} is out of range for timestamp({digits})");
    };
    Ok(count)
}

/// The timestamp that text is, counted in `unit`: an instant where `zoned`, a wall clock otherwise.
pub(super) fn read_stamp(text: &str, unit: TimeUnit, zoned: bool) -> Result<i64> {
    let Some(mut found) = written(text, false) else {
        let name = if zoned { "timestamp with time zone" } else { "timestamp" };
        let hint = if text.contains('T') { "; from_iso8601_timestamp reads it" } else { "" };
        return exec_err!("'{}' cannot be cast to {name}{hint}", excerpt(text));
    };
    if !zoned && !found.zone.is_empty() {
        // The wall clock, whatever the zone.
        Zone::named(found.zone)?;
        found.zone = "";
    }
    found.counted(unit)
}

/// The day that text is, counted from the epoch.
pub(super) fn read_date(text: &str) -> Result<i64> {
    let mut reader = Reader { rest: text.trim() };
    let Some(date) = date(&mut reader).filter(|_| reader.rest.is_empty()) else {
        let hint = if text.contains('T') { "; from_iso8601_timestamp reads it" } else { "" };
        return exec_err!("'{}' cannot be cast to date{hint}", excerpt(text));
    };
    Count::Days.count(super::values::midnight(date))
}

/// The value of `TIMESTAMP '…'`: its digits are its precision, and it has a zone where the text does.
pub(in crate::engine) fn stamp_literal(text: &str) -> Result<ScalarValue> {
    let Some(found) = written(text, true) else {
        return exec_err!("'{}' is not a timestamp", excerpt(text));
    };
    let unit = match found.fraction.len() {
        0 => TimeUnit::Second,
        1..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        7..=9 => TimeUnit::Nanosecond,
        _ => return exec_err!("'{}' has more than nine digits after the point", excerpt(text)),
    };
    let zone = if found.zone.is_empty() { None } else { Some(Zone::named(found.zone)?) };
    let count = found.counted(unit)?;
    let data_type = DataType::Timestamp(unit, zone.map(Zone::name));
    ScalarValue::Int64(Some(count)).cast_to(&data_type)
}

/// Appends `2024-03-05`.
pub(super) fn push_date(out: &mut String, date: NaiveDate) {
    if date.year() > 9999 {
        out.push('+');
    }
    push_number(out, i64::from(date.year()), 4);
    out.push('-');
    push_number(out, i64::from(date.month()), 2);
    out.push('-');
    push_number(out, i64::from(date.day()), 2);
}

/// Appends `10:20:30.123`, with the digits of `unit`.
pub(super) fn push_time(out: &mut String, at: NaiveDateTime, unit: TimeUnit) {
    push_number(out, i64::from(at.hour()), 2);
    out.push(':');
    push_number(out, i64::from(at.minute()), 2);
    out.push(':');
    push_number(out, i64::from(at.second()), 2);
    let (divisor, digits) = match unit {
        TimeUnit::Second => return,
        TimeUnit::Millisecond => (1_000_000, 3),
        TimeUnit::Microsecond => (1_000, 6),
        TimeUnit::Nanosecond => (1, 9),
    };
    out.push('.');
    push_number(out, i64::from(at.nanosecond() / divisor), digits);
}
