//! The fields that text gives, and the moment they make.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use super::zone::Zone;

/// A field of a date or time, as Joda-Time knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    YearOfEra,
    Century,
    Weekyear,
    Week,
    Month,
    DayOfMonth,
    DayOfYear,
    /// 1, Monday, to 7.
    DayOfWeek,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    ClockHour,
    /// 0 to 11.
    HalfdayHour,
    /// 1 to 12.
    HalfdayClockHour,
    Minute,
    Second,
}

/// What was read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fields {
    year: Option<i64>,
    before_christ: bool,
    weekyear: Option<i64>,
    week: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    ordinal: Option<i64>,
    weekday: Option<i64>,
    hour: Option<i64>,
    halfday_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    nanos: Option<u32>,
    pub(super) zone: Option<Zone>,
}

impl Fields {
    /// Takes a number; false where the field cannot have it.
    pub(super) fn set(&mut self, field: Field, value: i64) -> bool {
        let (place, range) = match field {
            Field::Year => (&mut self.year, -262_000..=262_000),
            Field::YearOfEra => (&mut self.year, 1..=262_000),
            Field::Century => return false,
            Field::Weekyear => (&mut self.weekyear, -262_000..=262_000),
            Field::Week => (&mut self.week, 1..=53),
            Field::Month => (&mut self.month, 1..=12),
            Field::DayOfMonth => (&mut self.day, 1..=31),
            Field::DayOfYear => (&mut self.ordinal, 1..=366),
            Field::DayOfWeek => (&mut self.weekday, 1..=7),
            Field::Hour => (&mut self.hour, 0..=23),
            Field::ClockHour => {
                let fits = (1..=24).contains(&value);
                self.hour = Some(value % 24);
                return fits;
            }
            Field::HalfdayHour => (&mut self.halfday_hour, 0..=11),
            Field::HalfdayClockHour => {
                let fits = (1..=12).contains(&value);
                self.halfday_hour = Some(value % 12);
                return fits;
            }
            Field::Minute => (&mut self.minute, 0..=59),
            Field::Second => (&mut self.second, 0..=59),
        };
        *place = Some(value);
        range.contains(&value)
    }

    pub(super) fn set_nanos(&mut self, nanos: u32) {
        self.nanos = Some(nanos);
    }

    pub(super) fn set_afternoon(&mut self, afternoon: bool) {
        self.afternoon = Some(afternoon);
    }

    pub(super) fn set_before_christ(&mut self, before: bool) {
        self.before_christ = before;
    }

    /// Adds a fraction of the smallest unit read: `10.5` is half past ten.
    pub(super) fn set_fraction(&mut self, digits: &str) -> Option<()> {
        let unit: u64 = match (self.minute, self.second) {
            (_, Some(_)) => 1_000_000_000,
            (Some(_), None) => 60_000_000_000,
            (None, None) => 3_600_000_000_000,
        };
        let scale = 10_u64.checked_pow(u32::try_from(digits.len()).ok()?)?;
        let fraction = u128::from(digits.parse::<u64>().ok()?);
        let nanos = u64::try_from(fraction * u128::from(unit) / u128::from(scale)).ok()?;
        if self.second.is_none() {
            let seconds = nanos / 1_000_000_000;
            if self.minute.is_none() {
                self.minute = Some(i64::try_from(seconds / 60).ok()?);
            }
            self.second = Some(i64::try_from(seconds % 60).ok()?);
        }
        self.nanos = Some(u32::try_from(nanos % 1_000_000_000).ok()?);
        Some(())
    }

    /// The wall clock: what is missing is as at the epoch, and the year 2000 where a month, week or
    /// day was read but no year, as Joda-Time has it.
    pub(super) fn moment(&self) -> Option<NaiveDateTime> {
        Some(self.date()?.and_time(self.time()?))
    }

    fn date(&self) -> Option<NaiveDate> {
        let smaller = [self.month, self.week, self.day, self.ordinal, self.weekday];
        let dated = smaller.iter().any(Option::is_some);
        let year = match self.year {
            Some(year) if self.before_christ => 1 - year,
            Some(year) => year,
            None if dated && self.weekyear.is_none() => 2000,
            None => 1970,
        };
        let year = i32::try_from(year).ok()?;
        let month = self.month.map_or(Some(1), |month| u32::try_from(month).ok())?;
        let mut date = NaiveDate::from_ymd_opt(year, month, 1)?;
        if let Some(weekyear) = self.weekyear {
            date = NaiveDate::from_isoywd_opt(i32::try_from(weekyear).ok()?, 1, Weekday::Mon)?;
        }
        if let Some(week) = self.week {
            let weekyear = date.iso_week().year();
            date = NaiveDate::from_isoywd_opt(weekyear, u32::try_from(week).ok()?, Weekday::Mon)?;
        }
        if let Some(ordinal) = self.ordinal {
            date = NaiveDate::from_yo_opt(date.year(), u32::try_from(ordinal).ok()?)?;
        }
        if let Some(day) = self.day {
            date = date.with_day(u32::try_from(day).ok()?)?;
        }
        if let Some(weekday) = self.weekday {
            let now = i64::from(date.weekday().number_from_monday());
            date = date.checked_add_signed(TimeDelta::days(weekday - now))?;
        }
        Some(date)
    }

    fn time(&self) -> Option<NaiveTime> {
        let hour = match (self.hour, self.halfday_hour) {
            (_, Some(hour)) => hour + if self.afternoon == Some(true) { 12 } else { 0 },
            (Some(hour), None) => match self.afternoon {
                Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
                None => hour,
            },
            (None, None) => 12 * i64::from(self.afternoon == Some(true)),
        };
        NaiveTime::from_hms_nano_opt(
            u32::try_from(hour).ok()?,
            u32::try_from(self.minute.unwrap_or(0)).ok()?,
            u32::try_from(self.second.unwrap_or(0)).ok()?,
            self.nanos.unwrap_or(0),
        )
    }
}

/// Reads from the beginning of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Up to `most` digits, at least one.
    pub(super) fn digits(&mut self, most: usize) -> Option<&'a str> {
        let found = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(found)?;
        if digits.is_empty() {
            return None;
        }
        self.rest = rest;
        Some(digits)
    }

    /// A number of up to `most` digits.
    pub(super) fn number(&mut self, most: usize) -> Option<i64> {
        self.digits(most)?.parse().ok()
    }

    /// A number that may have a sign.
    pub(super) fn signed(&mut self, most: usize) -> Option<i64> {
        let negative = self.rest.starts_with('-');
        if negative || self.rest.starts_with('+') {
            self.rest = self.rest.get(1..)?;
        }
        let value = self.number(most)?;
        Some(if negative { -value } else { value })
    }

    /// Passes over `text`, in any case; false where something else stands there.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let Some((start, rest)) = self.rest.split_at_checked(text.len()) else { return false };
        let same = start.eq_ignore_ascii_case(text);
        if same {
            self.rest = rest;
        }
        same
    }

    /// The digits of a fraction as nanoseconds; further digits are passed over.
    pub(super) fn fraction(&mut self, most: usize) -> Option<u32> {
        nanos(self.digits(most)?)
    }

    /// `Z`, or an offset with or without colon.
    pub(super) fn offset(&mut self) -> Option<Zone> {
        if self.take("Z") {
            return Some(Zone::Utc);
        }
        let (minutes, rest) = super::zone::offset_minutes(self.rest)?;
        self.rest = rest;
        Zone::minutes(minutes)
    }
}

/// The nanoseconds that the digits of a fraction are; those beyond the ninth are cut off.
pub(super) fn nanos(digits: &str) -> Option<u32> {
    let used = digits.get(..digits.len().min(9))?;
    let missing = u32::try_from(9_usize.checked_sub(used.len())?).ok()?;
    used.parse::<u32>().ok()?.checked_mul(10_u32.checked_pow(missing)?)
}
