//! Times as people type them: a day, a moment, how long ago.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// Which end of a span of time a value stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// A day is its first moment.
    Since,
    /// A day is its last moment.
    Until,
}

/// Parses `--since`: microseconds since 1970 in UTC.
///
/// # Errors
/// It is no time; what was expected.
pub fn since(text: &str) -> Result<i64, String> {
    time(text, Edge::Since, Utc::now())
}

/// Parses `--until`: microseconds since 1970 in UTC.
///
/// # Errors
/// It is no time; what was expected.
pub fn until(text: &str) -> Result<i64, String> {
    time(text, Edge::Until, Utc::now())
}

fn time(text: &str, edge: Edge, now: DateTime<Utc>) -> Result<i64, String> {
    let text = text.trim();
    if let Some(ago) = ago(text) {
        let at = now.checked_sub_signed(ago).ok_or("that is before the calendar begins")?;
        return Ok(at.timestamp_micros());
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let start = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
        let is_last = day.checked_add_days(Days::new(1)).is_none();
        return match edge {
            Edge::Since => Ok(start),
            Edge::Until if is_last => Err("that is where the calendar ends".to_owned()),
            Edge::Until => Ok(start + 86_400_000_000 - 1),
        };
    }
    let with_t = text.replacen(' ', "T", 1);
    if let Ok(at) = DateTime::parse_from_rfc3339(&with_t.to_ascii_uppercase()) {
        return Ok(at.timestamp_micros());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%MZ"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&with_t, format).ok())
        .map(|at| at.and_utc().timestamp_micros())
        .ok_or_else(|| {
            "expected a time such as 2024-01-31, 2024-01-31T08:00:00Z, 7d or 24h".to_owned()
        })
}

/// `7d`: how long before now.
fn ago(text: &str) -> Option<TimeDelta> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: i64 = number.parse().ok()?;
    match unit {
        "m" | "min" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        "w" => TimeDelta::try_weeks(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2024-03-10T12:00:00Z".parse().unwrap()
    }

    fn shown(text: &str, edge: Edge) -> String {
        let micros = time(text, edge, now()).unwrap();
        format!("{:?}", DateTime::from_timestamp_micros(micros).unwrap())
    }

    #[test]
    fn times_are_days_moments_or_spans_before_now() {
        for (text, expected) in [
            ("2024-01-02", "2024-01-02T00:00:00Z"),
            ("2024-01-02T03:04", "2024-01-02T03:04:00Z"),
            ("2024-01-02T03:04Z", "2024-01-02T03:04:00Z"),
            ("2024-01-02 03:04:05", "2024-01-02T03:04:05Z"),
            ("2024-01-02T03:04:05.25Z", "2024-01-02T03:04:05.250Z"),
            ("2024-01-02t03:04:05z", "2024-01-02T03:04:05Z"),
            ("2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z"),
            ("7d", "2024-03-03T12:00:00Z"),
            ("24h", "2024-03-09T12:00:00Z"),
            ("30m", "2024-03-10T11:30:00Z"),
            ("2w", "2024-02-25T12:00:00Z"),
        ] {
            assert_eq!(shown(text, Edge::Since), expected, "{text}");
        }
    }

    #[test]
    fn a_day_as_the_end_is_meant_whole() {
        assert_eq!(shown("2024-01-07", Edge::Until), "2024-01-07T23:59:59.999999Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "2024-13-01", "7", "7y", "99999999999d", "2024-01-02T25:00"] {
            assert!(time(text, Edge::Since, now()).is_err(), "{text}");
        }
    }
}
