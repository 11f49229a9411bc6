//! Instants and stretches of time as reports write them.

use chrono::{DateTime, SecondsFormat};

/// Seconds in an hour.
pub(super) const HOUR: i64 = 3_600;

/// Seconds in a day.
pub(super) const DAY: i64 = 24 * HOUR;

/// Microseconds since 1970 as the log writes times; with fractions only where there are any.
pub(super) fn instant(micros: i64) -> String {
    match DateTime::from_timestamp_micros(micros) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        None => micros.to_string(),
    }
}

/// The word for a stretch of so many seconds.
pub(super) fn unit(seconds: i64) -> &'static str {
    match seconds {
        60 => "minute",
        300 => "5 minutes",
        900 => "15 minutes",
        HOUR => "hour",
        10_800 => "3 hours",
        21_600 => "6 hours",
        DAY => "day",
        604_800 => "week",
        2_419_200 => "4 weeks",
        31_449_600 => "52 weeks",
        _ => "stretch",
    }
}

/// How long from one instant to another, in microseconds, in its two largest units.
pub(super) fn lasting(from: i64, to: i64) -> String {
    let seconds = to.saturating_sub(from) / 1_000_000;
    let (days, hours, minutes) = (seconds / DAY, seconds / HOUR % 24, seconds / 60 % 60);
    match seconds {
        ..60 => format!("{seconds} s"),
        60..HOUR => format!("{minutes} min {} s", seconds % 60),
        HOUR..DAY => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
