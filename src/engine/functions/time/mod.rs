//! Dates and times.
//!
//! <https://trino.io/docs/current/functions/datetime.html>
//!
//! A `timestamp with time zone` has its zone in its type, not in each value as in Trino: where text
//! with an offset is a literal, that offset is the zone; where it comes from a column, whose rows
//! may differ, the zone is UTC. The instant is the same either way. The session's zone is UTC.

mod arithmetic;
mod casts;
mod fields;
mod format;
mod iso;
mod joda;
mod mysql;
mod now;
mod parts;
mod text;
mod unix;
mod values;
mod zone;
mod zones;

pub(in crate::engine) use self::{
    arithmetic::{interval_minus, interval_plus, interval_times},
    casts::TimeCast,
    iso::instant_of_text,
    parts::part,
    text::stamp_literal,
};
use super::Function;

/// The name that types carry for the zone of this name.
pub(in crate::engine) fn zone_name(name: &str) -> datafusion::error::Result<std::sync::Arc<str>> {
    Ok(zone::Zone::named(name)?.name())
}

/// The function of this name that reads timestamps, whose zone is UTC even where its arguments become
/// literals when a plan is optimised: a type must not change then.
pub(in crate::engine) fn in_utc(name: &str) -> Option<datafusion::logical_expr::ScalarUDF> {
    let scalar = if name == "parse_datetime" { joda::in_utc() } else { iso::in_utc(name)? };
    match scalar.made() {
        super::Made::Scalar(function) => Some(function),
        _ => None,
    }
}

const FAMILY: &str = "date and time";

pub(super) fn functions() -> Vec<Function> {
    [
        iso::functions(),
        mysql::functions(),
        joda::functions(),
        parts::functions(),
        arithmetic::functions(),
        unix::functions(),
        zones::functions(),
        now::functions(),
    ]
    .concat()
}

/// Appends a number with at least `width` digits.
fn push_number(out: &mut String, value: i64, width: usize) {
    if value < 0 {
        out.push('-');
    }
    out.extend(std::iter::repeat_n('0', width.saturating_sub(20)));
    let mut digits = [b'0'; 20];
    let mut rest = value.unsigned_abs();
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        if rest == 0 && used >= width.max(1) {
            break;
        }
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        used += 1;
    }
    let start = digits.len().saturating_sub(used);
    out.extend(digits.iter().skip(start).map(|digit| char::from(*digit)));
}
