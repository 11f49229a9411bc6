//! What a scan's predicates ask for, as far as it can be told: a range of time, and sets of
//! accounts, regions, categories, services and APIs.
//!
//! The predicates are those of the optimised plan: constants are folded (`now() - interval '7'
//! day` is a literal), views and virtual columns are stored columns, partition texts are ranges of
//! `delivery_date`. What is not understood narrows nothing.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, Utc};
use datafusion::{
    logical_expr::{BinaryExpr, Expr, Operator, expr::ScalarFunction},
    scalar::ScalarValue,
};

use super::DAY;

/// What is asked for; `None` is anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// From this instant on, in microseconds.
    pub(super) from: Option<i64>,
    /// Up to this instant.
    pub(super) to: Option<i64>,
    pub(super) accounts: Option<BTreeSet<String>>,
    pub(super) regions: Option<BTreeSet<String>>,
    pub(super) categories: Option<BTreeSet<String>>,
    pub(super) sources: Option<BTreeSet<String>>,
    pub(super) names: Option<BTreeSet<String>>,
}

impl Asked {
    /// What all of `filters` together ask for.
    pub(super) fn of(filters: &[Expr]) -> Self {
        filters.iter().map(asked).fold(Self::default(), Self::and)
    }

    fn and(self, other: Self) -> Self {
        let both = |a: Option<BTreeSet<String>>, b: Option<BTreeSet<String>>| match (a, b) {
            (Some(a), Some(b)) => Some(a.intersection(&b).cloned().collect()),
            (a, b) => a.or(b),
        };
        Self {
            from: self.from.max(other.from),
            to: match (self.to, other.to) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            accounts: both(self.accounts, other.accounts),
            regions: both(self.regions, other.regions),
            categories: both(self.categories, other.categories),
            sources: both(self.sources, other.sources),
            names: both(self.names, other.names),
        }
    }

    fn or(self, other: Self) -> Self {
        let either = |a: Option<BTreeSet<String>>, b: Option<BTreeSet<String>>| {
            let (mut most, mut few) = (a?, b?);
            if most.len() < few.len() {
                std::mem::swap(&mut most, &mut few);
            }
            // Not a union, which would copy the longer one for every item of an IN list.
            most.extend(few);
            Some(most)
        };
        Self {
            from: self.from.zip(other.from).map(|(a, b)| a.min(b)),
            to: self.to.zip(other.to).map(|(a, b)| a.max(b)),
            accounts: either(self.accounts, other.accounts),
            regions: either(self.regions, other.regions),
            categories: either(self.categories, other.categories),
            sources: either(self.sources, other.sources),
            names: either(self.names, other.names),
        }
    }

    fn between(from: Option<i64>, to: Option<i64>) -> Self {
        Self { from, to, ..Self::default() }
    }
}

fn asked(expr: &Expr) -> Asked {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            asked(left).and(asked(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            asked(left).or(asked(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            match (left.as_literal(), right.as_literal()) {
                (None, Some(value)) => compared(left, *op, value),
                (Some(value), None) => {
                    op.swap().map_or_else(Asked::default, |op| compared(right, op, value))
                }
                _ => Asked::default(),
            }
        }
        Expr::Between(between) if !between.negated => {
            match (between.low.as_literal(), between.high.as_literal()) {
                (Some(low), Some(high)) => compared(&between.expr, Operator::GtEq, low)
                    .and(compared(&between.expr, Operator::LtEq, high)),
                _ => Asked::default(),
            }
        }
        Expr::InList(list) if !list.negated => {
            let mut each = list.list.iter().map(|item| match item.as_literal() {
                Some(value) => compared(&list.expr, Operator::Eq, value),
                None => Asked::default(),
            });
            let first = each.next().unwrap_or_default();
            each.fold(first, Asked::or)
        }
        Expr::Like(like) if !like.negated && !like.case_insensitive => {
            let pattern = like.pattern.as_literal().and_then(ScalarValue::try_as_str).flatten();
            let prefix = pattern.map(|p| p.split(['%', '_']).next().unwrap_or_default());
            match (time_of(&like.expr), prefix) {
                (Some(Time::Text), Some(prefix)) => starting_with(prefix),
                _ => Asked::default(),
            }
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "starts_with" => {
            let [text, prefix] = args.as_slice() else { return Asked::default() };
            let prefix = prefix.as_literal().and_then(ScalarValue::try_as_str).flatten();
            match (time_of(text), prefix) {
                (Some(Time::Text), Some(prefix)) => starting_with(prefix),
                _ => Asked::default(),
            }
        }
        Expr::Alias(alias) => asked(&alias.expr),
        _ => Asked::default(),
    }
}

/// What `of op value` asks for.
fn compared(of: &Expr, op: Operator, value: &ScalarValue) -> Asked {
    if let Some(time) = time_of(of) {
        return time.compared(op, value);
    }
    let (Operator::Eq, Some(text)) = (op, value.try_as_str().flatten()) else {
        return Asked::default();
    };
    let only = Some(BTreeSet::from([text.to_owned()]));
    match column_of(of).as_deref() {
        Some("recipientaccountid" | "account" | "owner_account" | "actor_account") => {
            Asked { accounts: only, ..Asked::default() }
        }
        Some("useridentity.accountid") => Asked { accounts: only, ..Asked::default() },
        Some("awsregion" | "region") => Asked { regions: only, ..Asked::default() },
        Some("eventcategory" | "category") => Asked { categories: only, ..Asked::default() },
        Some("eventsource") => Asked { sources: only, ..Asked::default() },
        Some("service") => Asked {
            sources: Some(BTreeSet::from([format!("{text}.amazonaws.com")])),
            ..Asked::default()
        },
        Some("eventname" | "event_name_base") => Asked { names: only, ..Asked::default() },
        _ => Asked::default(),
    }
}

/// The name of the column that `expr` reads, of a struct's member with the path.
fn column_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Column(column) => Some(column.name.clone()),
        Expr::Cast(cast) => column_of(&cast.expr),
        Expr::TryCast(cast) => column_of(&cast.expr),
        Expr::Alias(alias) => column_of(&alias.expr),
        Expr::ScalarFunction(call) if call.func.name() == "get_field" => {
            let (base, path) = call.args.split_first()?;
            let mut name = column_of(base)?;
            for member in path {
                name.push('.');
                name.push_str(member.as_literal()?.try_as_str()??);
            }
            Some(name)
        }
        _ => None,
    }
}

/// How an expression tells the time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    /// As text, `2023-07-10T12:40:00Z`, or the front of it.
    Text,
    /// As an instant.
    Instant,
    /// As a day.
    Day,
}

fn time_of(expr: &Expr) -> Option<Time> {
    match expr {
        Expr::Column(column) => match column.name.as_str() {
            "eventtime" => Some(Time::Text),
            "event_ts" => Some(Time::Instant),
            "delivery_date" => Some(Time::Day),
            _ => None,
        },
        Expr::Alias(alias) => time_of(&alias.expr),
        Expr::Cast(cast) => retyped(time_of(&cast.expr)?, cast.field.data_type()),
        Expr::TryCast(cast) => retyped(time_of(&cast.expr)?, cast.field.data_type()),
        Expr::ScalarFunction(call) => {
            let inner = time_of(call.args.first()?)?;
            match (call.func.name(), inner) {
                ("substr" | "substring" | "left", Time::Text) => {
                    let starts = match call.args.as_slice() {
                        [_, start, _] => start.as_literal().is_some_and(is_one),
                        [_, _] => call.func.name() == "left",
                        _ => false,
                    };
                    starts.then_some(Time::Text)
                }
                (name, Time::Text | Time::Instant) if name.starts_with("to_timestamp") => {
                    Some(Time::Instant)
                }
                ("from_iso8601_timestamp", Time::Text) => Some(Time::Instant),
                ("date_parse", Time::Text) => {
                    let format = call.args.get(1)?.as_literal()?.try_as_str()??;
                    matches!(format, "%Y-%m-%dT%H:%i:%sZ" | "%Y-%m-%dT%TZ").then_some(Time::Instant)
                }
                ("to_date" | "date", _) => retyped(inner, &DataType::Date32),
                _ => None,
            }
        }
        _ => None,
    }
}

fn retyped(time: Time, to: &DataType) -> Option<Time> {
    match to {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if time == Time::Text => {
            Some(Time::Text)
        }
        DataType::Timestamp(..) if time != Time::Day => Some(Time::Instant),
        DataType::Date32 | DataType::Date64 => Some(Time::Day),
        _ => None,
    }
}

fn is_one(value: &ScalarValue) -> bool {
    matches!(
        value,
        ScalarValue::Int64(Some(1)) | ScalarValue::Int32(Some(1)) | ScalarValue::UInt64(Some(1))
    )
}

impl Time {
    fn compared(self, op: Operator, value: &ScalarValue) -> Asked {
        let Some((at, next)) = self.bounds(value) else { return Asked::default() };
        match op {
            Operator::Eq => Asked::between(Some(at), Some(next)),
            Operator::GtEq => Asked::between(Some(at), None),
            // After a day is from the next day on; after an instant is from it on.
            Operator::Gt => Asked::between(Some(if self == Self::Day { next } else { at }), None),
            Operator::Lt => Asked::between(None, Some(at)),
            Operator::LtEq => Asked::between(None, Some(if self == Self::Day { next } else { at })),
            _ => Asked::default(),
        }
    }

    /// The first instant that `value` means, and the first after it.
    fn bounds(self, value: &ScalarValue) -> Option<(i64, i64)> {
        let point = |micros: i64| (micros, micros);
        match value {
            ScalarValue::TimestampSecond(Some(at), _) => at.checked_mul(1_000_000).map(point),
            ScalarValue::TimestampMillisecond(Some(at), _) => at.checked_mul(1_000).map(point),
            ScalarValue::TimestampMicrosecond(Some(at), _) => Some(point(*at)),
            ScalarValue::TimestampNanosecond(Some(at), _) => Some(point(at / 1_000)),
            ScalarValue::Date32(Some(day)) => {
                let at = i64::from(*day).checked_mul(DAY)?;
                Some((at, at.checked_add(DAY)?))
            }
            other => {
                let text = other.try_as_str().flatten()?;
                match self {
                    Self::Text => prefix_range(text),
                    Self::Instant | Self::Day => full(text).map(point),
                }
            }
        }
    }
}

fn starting_with(prefix: &str) -> Asked {
    match prefix_range(prefix) {
        Some((from, to)) => Asked::between(Some(from), Some(to)),
        None => Asked::default(),
    }
}

/// The instants whose text begins with `text`, as far as that is whole years, months, days, hours
/// or minutes: the first, and the first after them.
fn prefix_range(text: &str) -> Option<(i64, i64)> {
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
    match hour {
        Some(hour) if hour < 24 => {
            let from = start + i64::from(hour) * super::HOUR;
            Some((from, from + super::HOUR))
        }
        _ => Some((start, start + DAY)),
    }
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
