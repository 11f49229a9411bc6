//! Times as digests, keys and names of files spell them, in microseconds since 1970 in UTC.

use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use serde_json::Value;

/// An hour.
pub(super) const HOUR: i64 = 3_600_000_000;

/// A time of a digest, `2015-08-17T14:01:31Z`.
pub(super) fn of_iso(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.timestamp_micros())
}

/// A time in JSON that the AWS CLI printed: ISO, or seconds since 1970 as a number or text,
/// depending on its version and settings.
pub(super) fn of_json(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => of_iso(text).or_else(|| of_seconds(text)),
        Value::Number(number) => of_seconds(&number.to_string()),
        _ => None,
    }
}

fn of_seconds(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let micros = format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
}

/// The time in a file's name, `20150817T140131Z` of a digest or `20150817T1401Z` of a log.
pub(super) fn of_name(word: &str) -> Option<i64> {
    let whole = match word.len() {
        14 => format!("{}00Z", word.strip_suffix('Z')?),
        _ => word.to_owned(),
    };
    let at = NaiveDateTime::parse_from_str(&whole, "%Y%m%dT%H%M%SZ").ok()?;
    Some(at.and_utc().timestamp_micros())
}

/// A time for people and scripts, `2015-08-17T14:01:31Z`.
pub(super) fn text(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map_or_else(|| micros.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_their_spellings() {
        let at = 1_439_820_091_000_000;
        assert_eq!(of_iso("2015-08-17T14:01:31Z"), Some(at));
        assert_eq!(of_iso("2015-08-17T16:01:31+02:00"), Some(at));
        assert_eq!(of_json(&"1439820091.0".into()), Some(at));
        assert_eq!(of_json(&1_439_820_091.into()), Some(at));
        assert_eq!(of_json(&Value::Null), None);
        assert_eq!(of_name("20150817T140131Z"), Some(at));
        assert_eq!(of_name("20150817T1401Z"), Some(at - 31_000_000));
        assert_eq!(of_name("20159999T1401Z"), None);
        assert_eq!(text(at), "2015-08-17T14:01:31Z");
    }
}
