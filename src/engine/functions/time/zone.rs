//! Time zones: their names as Trino has them, and what a wall clock means in one.

use std::{str::FromStr, sync::Arc};

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use datafusion::{common::exec_err, error::Result};

use super::super::call::excerpt;

/// The widest offset: Java's.
const WIDEST_MINUTES: i32 = 14 * 60;

/// A zone.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Zone {
    /// Without a look into any table, since nearly everything is in it.
    Utc,
    /// `+05:30`, in seconds.
    Fixed(i32),
    /// `America/New_York`.
    Named(chrono_tz::Tz),
}

impl Zone {
    /// The zone that a type names, or UTC, the session's zone, where it names none.
    pub(in crate::engine) fn of(name: Option<&str>) -> Result<Self> {
        name.map_or(Ok(Self::Utc), Self::named)
    }

    /// The zone of this name: `UTC`, `+05:30`, `UTC+2`, `Europe/Berlin`.
    pub(in crate::engine) fn named(text: &str) -> Result<Self> {
        let Some(zone) = parse(text) else {
            return exec_err!("'{}' is not a time zone", excerpt(text));
        };
        Ok(zone)
    }

    /// The zone with this offset in minutes.
    pub(super) fn minutes(minutes: i32) -> Option<Self> {
        (-WIDEST_MINUTES..=WIDEST_MINUTES).contains(&minutes).then(|| Self::seconds(minutes * 60))
    }

    fn seconds(seconds: i32) -> Self {
        if seconds == 0 { Self::Utc } else { Self::Fixed(seconds) }
    }

    /// The name that types carry.
    pub(in crate::engine) fn name(self) -> Arc<str> {
        match self {
            Self::Utc => Arc::from("UTC"),
            Self::Fixed(seconds) => {
                let mut name = String::new();
                push_offset(&mut name, seconds, true);
                Arc::from(name)
            }
            Self::Named(zone) => Arc::from(zone.name()),
        }
    }

    /// How far the wall clock is ahead of UTC at an instant, in seconds.
    pub(super) fn offset_at(self, utc: NaiveDateTime) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => zone.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
        }
    }

    /// What the zone is called at an instant: `EDT`.
    pub(super) fn abbreviation(self, utc: NaiveDateTime) -> String {
        match self {
            Self::Named(zone) => DateTime::<Utc>::from_naive_utc_and_offset(utc, Utc)
                .with_timezone(&zone)
                .format("%Z")
                .to_string(),
            other => other.name().to_string(),
        }
    }

    /// The wall clock at an instant.
    pub(super) fn local(self, utc: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Utc => Some(utc),
            _ => utc.checked_add_signed(TimeDelta::seconds(i64::from(self.offset_at(utc)))),
        }
    }

    /// The instant of a wall clock. One that a change of the clocks skips is moved on by what was
    /// skipped; of one that comes twice the first is meant, unless `offset` says which.
    pub(super) fn instant(
        self,
        local: NaiveDateTime,
        offset: Option<i32>,
    ) -> Option<NaiveDateTime> {
        let seconds = match self {
            Self::Utc => return Some(local),
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => match zone.offset_from_local_datetime(&local) {
                LocalResult::Single(found) => found.fix().local_minus_utc(),
                LocalResult::Ambiguous(first, second) => {
                    let second = second.fix().local_minus_utc();
                    if offset == Some(second) { second } else { first.fix().local_minus_utc() }
                }
                LocalResult::None => self.offset_at(local.checked_sub_signed(TimeDelta::days(1))?),
            },
        };
        local.checked_sub_signed(TimeDelta::seconds(i64::from(seconds)))
    }
}

fn parse(text: &str) -> Option<Zone> {
    let upper = text.to_ascii_uppercase();
    if matches!(
        upper.as_str(),
        "UTC"
            | "Z"
            | "GMT"
            | "UT"
            | "ZULU"
            | "ETC/UTC"
            | "ETC/GMT"
            | "ETC/UCT"
            | "UCT"
            | "GMT0"
            | "ETC/GREENWICH"
            | "GREENWICH"
            | "ETC/UNIVERSAL"
            | "UNIVERSAL"
            | "ETC/ZULU"
    ) {
        return Some(Zone::Utc);
    }
    let prefixed = ["UTC", "GMT", "UT"].iter().find_map(|prefix| upper.strip_prefix(prefix));
    let offset = prefixed.unwrap_or(&upper);
    if let Some((minutes, rest)) = offset_minutes(offset)
        && rest.is_empty()
    {
        return Zone::minutes(minutes);
    }
    // The names are the database's, in any case.
    let exact = chrono_tz::Tz::from_str(text);
    let known = chrono_tz::TZ_VARIANTS.iter();
    let found =
        exact.ok().or_else(|| known.copied().find(|zone| zone.name().eq_ignore_ascii_case(text)));
    found.map(Zone::Named)
}

/// Reads `+5`, `+05`, `+0530` or `+05:30`: the minutes and what comes after.
pub(super) fn offset_minutes(text: &str) -> Option<(i32, &str)> {
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (hours, minutes, rest) = match digits {
        4 => (rest.get(..2)?, rest.get(2..4)?, rest.get(4..)?),
        1 | 2 => {
            let (hours, rest) = rest.split_at_checked(digits)?;
            if let Some(after) = rest.strip_prefix(':') {
                let minutes = after.get(..2)?;
                if !minutes.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                (hours, minutes, after.get(2..)?)
            } else {
                (hours, "0", rest)
            }
        }
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 23 && minutes <= 59).then_some((sign * (hours * 60 + minutes), rest))
}

/// Appends `+05:30`, or `+0530` without the colon.
pub(super) fn push_offset(out: &mut String, seconds: i32, colon: bool) {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    out.push(sign);
    super::push_number(out, i64::from(minutes / 60), 2);
    if colon {
        out.push(':');
    }
    super::push_number(out, i64::from(minutes % 60), 2);
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn at(month: u32, day: u32, hour: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2024, month, day).unwrap().and_hms_opt(hour, 30, 0).unwrap()
    }

    #[test]
    fn skipped_and_repeated_hours_are_resolved_as_java_does() {
        for (name, gap, overlap) in [
            ("America/New_York", (3, 10, 2), (11, 3, 1)),
            ("Europe/Berlin", (3, 31, 2), (10, 27, 2)),
        ] {
            let zone = Zone::named(name).unwrap();
            let skipped = at(gap.0, gap.1, gap.2);
            let local = zone.local(zone.instant(skipped, None).unwrap()).unwrap();
            assert_eq!(local, at(gap.0, gap.1, gap.2 + 1), "{name}");
            let twice = at(overlap.0, overlap.1, overlap.2);
            let first = zone.instant(twice, None).unwrap();
            let winter = zone.offset_at(first) - 3600;
            let second = zone.instant(twice, Some(winter)).unwrap();
            assert_eq!(second - first, TimeDelta::hours(1), "{name}");
        }
    }

    #[test]
    fn names_are_read_in_all_spellings() {
        for (text, name) in [
            ("utc", "UTC"),
            ("Z", "UTC"),
            ("+00:00", "UTC"),
            ("+5:30", "+05:30"),
            ("-0330", "-03:30"),
            ("UTC+2", "+02:00"),
            ("america/new_york", "America/New_York"),
        ] {
            assert_eq!(&*Zone::named(text).unwrap().name(), name, "{text}");
        }
        for text in ["", "Mars/Olympus", "+25:00", "+1:2", "+15:00", "+05:60"] {
            assert!(Zone::named(text).is_err(), "{text}");
        }
    }
}
