//! How expressions tell the time of an event, and which instants a value beside them means.
//!
//! What is said here prunes files, so it may be wider than what is asked for and never narrower.

use arrow::datatypes::DataType;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Timelike, Utc};
use datafusion::{
    logical_expr::{Expr, Operator},
    scalar::ScalarValue,
};

use super::{DAY, HOUR, asked::Asked};
use crate::engine::{functions::time::TimeCast, lenient};

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// How an expression tells the time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// As text, `2023-07-10T12:40:00Z`.
    Text,
    /// As an instant, or as the clock in UTC.
    Instant,
    /// As an instant whose clock is that of another zone: only as an instant it is understood.
    Zoned,
    /// As what begins with the unit that it lies in: a day, the first minute of an hour, `2023-07`.
    Cut(Unit),
}

/// What times are cut to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

/// The instants that a value beside a time means.
struct Bounds {
    /// The first.
    at: i64,
    /// The first that is not meant any more.
    next: i64,
    /// From where on times are greater than the value.
    above: i64,
    /// Up to where times are less than it.
    below: i64,
}

impl Bounds {
    fn point(at: i64) -> Self {
        Self { at, next: at, above: at, below: at }
    }
}

/// How `expr` tells the time of an event; nothing where it does not, or not in a way that is known.
pub(super) fn time_of(expr: &Expr) -> Option<Time> {
    match expr {
        Expr::Column(column) => match column.name.as_str() {
            "eventtime" => Some(Time::Text),
            "event_ts" => Some(Time::Instant),
            "delivery_date" => Some(Time::Cut(Unit::Day)),
            _ => None,
        },
        Expr::Alias(alias) => time_of(&alias.expr),
        Expr::Cast(cast) => retyped(time_of(&cast.expr)?, cast.field.data_type()),
        Expr::TryCast(cast) => retyped(time_of(&cast.expr)?, cast.field.data_type()),
        Expr::ScalarFunction(call) => {
            if let Some(cast) = call.func.inner().downcast_ref::<TimeCast>() {
                return retyped(time_of(call.args.first()?)?, cast.to());
            }
            called(call.func.name(), &call.args)
        }
        _ => None,
    }
}

fn called(name: &str, args: &[Expr]) -> Option<Time> {
    let text = |at: usize| args.get(at)?.as_literal()?.try_as_str()?;
    if name == "date_trunc" {
        let unit = Unit::named(text(0)?)?;
        return match time_of(args.get(1)?)? {
            Time::Instant => Some(Time::Cut(unit)),
            Time::Cut(finer) if unit.holds(finer) => Some(Time::Cut(unit)),
            _ => None,
        };
    }
    let inner = time_of(args.first()?)?;
    match (name, inner) {
        ("substr" | "substring" | "left", Time::Text) => {
            let length = match args {
                [_, start, length] if start.as_literal().and_then(whole) == Some(1) => length,
                [_, length] if name == "left" => length,
                _ => return None,
            };
            match length.as_literal().and_then(whole)? {
                19.. => Some(Time::Text),
                length => Unit::of_text(length).map(Time::Cut),
            }
        }
        ("from_iso8601_timestamp" | lenient::INSTANT, Time::Text) => Some(Time::Instant),
        ("from_iso8601_timestamp" | lenient::INSTANT, Time::Cut(_)) => Some(inner),
        ("date_parse" | "parse_datetime", Time::Text | Time::Cut(_)) => {
            let read = Unit::of_format(text(1)?)?;
            match inner {
                // What is read beyond the text's end is an error.
                Time::Cut(unit) if unit == read => Some(inner),
                Time::Text if read == Unit::Second => Some(Time::Instant),
                _ => None,
            }
        }
        ("date_format" | "format_datetime", Time::Instant) => {
            Unit::of_format(text(1)?).map(Time::Cut)
        }
        // DataFusion's own.
        (name, Time::Text | Time::Instant) if name.starts_with("to_timestamp") => {
            Some(Time::Instant)
        }
        ("date" | "to_date", _) => retyped(inner, &DataType::Date32),
        _ => None,
    }
}

fn retyped(time: Time, to: &DataType) -> Option<Time> {
    let in_utc = |zone: &str| matches!(zone, "UTC" | "Z" | "+00:00");
    match (time, to) {
        (Time::Text | Time::Cut(_), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
            Some(time)
        }
        (Time::Text | Time::Instant, DataType::Timestamp(_, zone)) => {
            let known = zone.as_deref().is_none_or(in_utc);
            Some(if known { Time::Instant } else { Time::Zoned })
        }
        (Time::Zoned, DataType::Timestamp(_, Some(zone))) => {
            Some(if in_utc(zone) { Time::Instant } else { Time::Zoned })
        }
        (Time::Cut(_), DataType::Timestamp(_, zone)) => {
            zone.as_deref().is_none_or(in_utc).then_some(time)
        }
        (Time::Text | Time::Instant, DataType::Date32 | DataType::Date64) => {
            Some(Time::Cut(Unit::Day))
        }
        (Time::Cut(unit), DataType::Date32 | DataType::Date64) => {
            Some(Time::Cut(if unit.holds(Unit::Day) { unit } else { Unit::Day }))
        }
        _ => None,
    }
}

fn whole(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(value) => *value,
        ScalarValue::Int32(value) => value.map(i64::from),
        ScalarValue::UInt64(value) => value.and_then(|value| i64::try_from(value).ok()),
        _ => None,
    }
}

impl Time {
    /// What `op value` beside it asks for.
    pub(super) fn compared(self, op: Operator, value: &ScalarValue) -> Asked {
        let Some(Bounds { at, next, above, below }) = self.bounds(value) else {
            return Asked::default();
        };
        match op {
            Operator::Eq => Asked::between(Some(at), Some(next)),
            Operator::GtEq => Asked::between(Some(at), None),
            Operator::Gt => Asked::between(Some(above), None),
            Operator::Lt => Asked::between(None, Some(below)),
            // After a day is from the next day on; after an instant is from it on.
            Operator::LtEq => {
                let to = if matches!(self, Self::Cut(_)) { next } else { at };
                Asked::between(None, Some(to))
            }
            _ => Asked::default(),
        }
    }

    /// What a text that begins with `prefix` asks for.
    pub(super) fn starting_with(self, prefix: &str) -> Asked {
        match prefix_range(prefix) {
            Some((from, to)) if matches!(self, Self::Text | Self::Cut(_)) => {
                Asked::between(Some(from), Some(to))
            }
            _ => Asked::default(),
        }
    }

    fn bounds(self, value: &ScalarValue) -> Option<Bounds> {
        let stamp = match value {
            ScalarValue::TimestampSecond(Some(at), _) => at.checked_mul(SECOND),
            ScalarValue::TimestampMillisecond(Some(at), _) => at.checked_mul(1_000),
            ScalarValue::TimestampMicrosecond(Some(at), _) => Some(*at),
            ScalarValue::TimestampNanosecond(Some(at), _) => Some(at.div_euclid(1_000)),
            ScalarValue::Date32(Some(day)) => i64::from(*day).checked_mul(DAY),
            _ => None,
        };
        match (stamp, self) {
            (Some(at), Self::Cut(unit)) => {
                let next = unit.after(at)?;
                let whole = unit.begins_at(at);
                let (above, below) = if whole { (next, at) } else { (at, next) };
                Some(Bounds { at, next, above, below })
            }
            (Some(at), _) => {
                // Beside a day, an instant of that day.
                let is_day = matches!(value, ScalarValue::Date32(_));
                let next = if is_day { at.checked_add(DAY)? } else { at };
                Some(Bounds { next, ..Bounds::point(at) })
            }
            (None, time) => time.text_bounds(value.try_as_str().flatten()?),
        }
    }

    fn text_bounds(self, text: &str) -> Option<Bounds> {
        match self {
            Self::Instant | Self::Zoned => full(text).map(Bounds::point),
            Self::Text => {
                let (at, next) = prefix_range(text)?;
                Some(Bounds { next, ..Bounds::point(at) })
            }
            Self::Cut(unit) => {
                let (at, end) = prefix_range(text)?;
                let next = unit.after(at)?.max(end);
                let length = i64::try_from(text.len()).ok()?;
                // A longer text is greater than what is cut in front of its end.
                let (same, shorter) = match unit.text_length() {
                    Some(own) => (length == own, length < own),
                    None => (false, false),
                };
                let whole = unit.begins_at(at);
                Some(Bounds {
                    at,
                    next,
                    above: if same && whole { next } else { at },
                    below: if (same || shorter) && whole { at } else { next },
                })
            }
        }
    }
}

impl Unit {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            _ => return None,
        })
    }

    /// The unit that so many letters of an ISO 8601 text tell.
    fn of_text(length: i64) -> Option<Self> {
        [Self::Year, Self::Month, Self::Day, Self::Hour, Self::Minute]
            .into_iter()
            .find(|unit| unit.text_length() == Some(length))
    }

    fn text_length(self) -> Option<i64> {
        match self {
            Self::Year => Some(4),
            Self::Month => Some(7),
            Self::Day => Some(10),
            Self::Hour => Some(13),
            Self::Minute => Some(16),
            Self::Second => Some(19),
            Self::Quarter | Self::Week => None,
        }
    }

    /// The smallest unit in a format of `MySQL` or Joda-Time that writes times as ISO 8601 does.
    fn of_format(format: &str) -> Option<Self> {
        let format = format
            .replace("%T", "%H:%i:%s")
            .replace("%S", "%s")
            .replace("'T'", "T")
            .replace("'Z'", "Z");
        Some(match format.as_str() {
            "%Y" | "yyyy" => Self::Year,
            "%Y-%m" | "yyyy-MM" => Self::Month,
            "%Y-%m-%d" | "yyyy-MM-dd" => Self::Day,
            "%Y-%m-%d %H" | "%Y-%m-%dT%H" | "yyyy-MM-dd HH" => Self::Hour,
            "%Y-%m-%d %H:%i" | "%Y-%m-%dT%H:%i" | "yyyy-MM-dd HH:mm" => Self::Minute,
            "%Y-%m-%d %H:%i:%s"
            | "%Y-%m-%dT%H:%i:%s"
            | "%Y-%m-%dT%H:%i:%sZ"
            | "yyyy-MM-dd HH:mm:ss"
            | "yyyy-MM-ddTHH:mm:ss"
            | "yyyy-MM-ddTHH:mm:ssZ"
            | "yyyy-MM-ddTHH:mm:ssZZ" => Self::Second,
            _ => return None,
        })
    }

    /// Whether a `finer` one lies in one of these whole.
    fn holds(self, finer: Self) -> bool {
        let rank = |unit: Self| match unit {
            Self::Year => 7,
            Self::Quarter => 6,
            Self::Month => 5,
            Self::Week => 4,
            Self::Day => 3,
            Self::Hour => 2,
            Self::Minute => 1,
            Self::Second => 0,
        };
        // Months begin in the midst of weeks.
        rank(self) >= rank(finer) && (finer != Self::Week || self == Self::Week)
    }

    /// The instant one unit after `at`.
    fn after(self, at: i64) -> Option<i64> {
        let time = DateTime::from_timestamp_micros(at)?;
        let later = match self {
            Self::Year => time.checked_add_months(Months::new(12)),
            Self::Quarter => time.checked_add_months(Months::new(3)),
            Self::Month => time.checked_add_months(Months::new(1)),
            Self::Week => time.checked_add_days(Days::new(7)),
            Self::Day => return at.checked_add(DAY),
            Self::Hour => return at.checked_add(HOUR),
            Self::Minute => return at.checked_add(60 * SECOND),
            Self::Second => return at.checked_add(SECOND),
        };
        later.map(|later| later.timestamp_micros())
    }

    /// Whether one begins at `at`.
    fn begins_at(self, at: i64) -> bool {
        let Some(time) = DateTime::from_timestamp_micros(at) else { return false };
        let midnight = at.rem_euclid(DAY) == 0;
        match self {
            Self::Year => midnight && time.ordinal0() == 0,
            Self::Quarter => midnight && time.day0() == 0 && time.month0().is_multiple_of(3),
            Self::Month => midnight && time.day0() == 0,
            Self::Week => midnight && time.weekday() == chrono::Weekday::Mon,
            Self::Day => midnight,
            Self::Hour => at.rem_euclid(HOUR) == 0,
            Self::Minute => time.second() == 0 && at.rem_euclid(SECOND) == 0,
            Self::Second => at.rem_euclid(SECOND) == 0,
        }
    }
}

/// The instants whose text begins with `text`, as far as that is whole years, months, days, hours
/// or minutes: the first, and the first after them.
pub(super) fn prefix_range(text: &str) -> Option<(i64, i64)> {
    if let Some(at) = full(text) {
        return Some((at, at));
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let day = |year: i32, month, day| NaiveDate::from_ymd_opt(year, month, day);
    let year: i32 = text.get(..4)?.parse().ok()?;
    let midnight =
        |date: NaiveDate| date.and_hms_opt(0, 0, 0).map(|time| time.and_utc().timestamp_micros());
    let month = text.get(4..5).filter(|c| *c == "-").and_then(|_| number(5..7));
    let Some(month) = month else {
        return Some((midnight(day(year, 1, 1)?)?, midnight(day(year + 1, 1, 1)?)?));
    };
    let of_month = text.get(7..8).filter(|c| *c == "-").and_then(|_| number(8..10));
    let Some(of_month) = of_month else {
        let first = day(year, month, 1)?;
        return Some((midnight(first)?, midnight(first.checked_add_months(Months::new(1))?)?));
    };
    let start = midnight(day(year, month, of_month)?)?;
    let hour = text.get(10..11).filter(|c| matches!(*c, "T" | " ")).and_then(|_| number(11..13));
    let Some(hour) = hour.filter(|hour| *hour < 24) else { return Some((start, start + DAY)) };
    let from = start + i64::from(hour) * HOUR;
    let minute = text.get(13..14).filter(|c| *c == ":").and_then(|_| number(14..16));
    Some(match minute.filter(|minute| *minute < 60) {
        Some(minute) => {
            let from = from + i64::from(minute) * 60 * SECOND;
            (from, from + 60 * SECOND)
        }
        None => (from, from + HOUR),
    })
}

/// The instant that `text` tells whole.
fn full(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.fZ"];
    let time =
        formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    let time: DateTime<Utc> = time.and_utc();
    (time.year() > 0).then(|| time.timestamp_micros())
}
