//! Compiled formats of dates and times, to write with and to read with. `MySQL`'s and Joda-Time's
//! patterns compile to the same pieces.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike};
use datafusion::error::Result;

use super::{
    fields::{Field, Fields, Reader},
    push_number,
    values::{Count, Moments, local, per_second},
    zone::{Zone, push_offset},
};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// Written with at least `least` digits, read with at most `most`.
    Number {
        field: Field,
        least: usize,
        most: usize,
    },
    /// The year's last two digits; read as the year within 50 of `pivot`. A lenient one reads more
    /// digits too.
    TwoDigits {
        field: Field,
        pivot: i32,
        lenient: bool,
    },
    /// Tenths, hundredths, …: written with `least` digits, read with at most `most`.
    Fraction {
        least: usize,
        most: usize,
    },
    MonthName {
        short: bool,
    },
    DayName {
        short: bool,
    },
    /// `AM` or `PM`.
    Halfday,
    /// `AD` or `BC`.
    Era,
    /// `+05:30`, or `+0530`.
    Offset {
        colon: bool,
    },
    /// `America/New_York`.
    ZoneId,
    /// `EDT`.
    ZoneName,
}

/// A compiled format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) pieces: Vec<Piece>,
}

impl Format {
    pub(super) fn literal(&mut self, letter: char) {
        if let Some(Piece::Literal(text)) = self.pieces.last_mut() {
            text.push(letter);
        } else {
            self.pieces.push(Piece::Literal(letter.to_string()));
        }
    }

    pub(super) fn number(&mut self, field: Field, least: usize, most: usize) {
        self.pieces.push(Piece::Number { field, least, most });
    }

    /// Whether it tells the zone.
    pub(super) fn has_zone(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Offset { .. } | Piece::ZoneId | Piece::ZoneName))
    }

    /// The seconds for which the text stays the same, from one multiple of them to the next; nothing
    /// where it tells parts of a second.
    fn stretch(&self) -> Option<i64> {
        let of_piece = |piece: &Piece| match piece {
            Piece::Fraction { .. } => None,
            Piece::Number { field: Field::Second, .. } => Some(1),
            Piece::Number { field: Field::Minute, .. } => Some(60),
            Piece::Number {
                field: Field::Hour | Field::ClockHour | Field::HalfdayHour | Field::HalfdayClockHour,
                ..
            }
            | Piece::Halfday => Some(3600),
            _ => Some(86_400),
        };
        self.pieces.iter().try_fold(86_400, |least, piece| Some(least.min(of_piece(piece)?)))
    }

    /// Appends the moment: an instant and the wall clock of its zone.
    pub(super) fn write(
        &self,
        utc: NaiveDateTime,
        at: NaiveDateTime,
        zone: Zone,
        out: &mut String,
    ) {
        // Joda-Time counts milliseconds: half of one and more are one more.
        let up = |at: NaiveDateTime| at.checked_add_signed(TimeDelta::microseconds(500));
        let (utc, at) = up(utc).zip(up(at)).unwrap_or((utc, at));
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Number { field, least, .. } => push_number(out, value(*field, at), *least),
                Piece::TwoDigits { field, .. } => {
                    push_number(out, value(*field, at).rem_euclid(100), 2);
                }
                Piece::Fraction { least, .. } => {
                    let millis = i64::from(at.nanosecond() / 1_000_000);
                    let mut digits = String::new();
                    push_number(&mut digits, millis, 3);
                    out.extend(digits.chars().chain(std::iter::repeat('0')).take(*least));
                }
                Piece::MonthName { short } => {
                    push_name(&MONTHS, usize::try_from(at.month0()), *short, out);
                }
                Piece::DayName { short } => {
                    let day = at.weekday().num_days_from_monday();
                    push_name(&DAYS, usize::try_from(day), *short, out);
                }
                Piece::Halfday => out.push_str(if at.hour() < 12 { "AM" } else { "PM" }),
                Piece::Era => out.push_str(if at.year() > 0 { "AD" } else { "BC" }),
                Piece::Offset { colon } => push_offset(out, zone.offset_at(utc), *colon),
                Piece::ZoneId => out.push_str(&zone.name()),
                Piece::ZoneName => out.push_str(&zone.abbreviation(utc)),
            }
        }
    }

    /// The fields of text that has this form as a whole.
    pub(super) fn read(&self, text: &str) -> Option<Fields> {
        let mut reader = Reader { rest: text };
        let mut fields = Fields::default();
        for piece in &self.pieces {
            read_piece(piece, &mut reader, &mut fields)?;
        }
        reader.rest.is_empty().then_some(fields)
    }
}

fn read_piece(piece: &Piece, reader: &mut Reader<'_>, fields: &mut Fields) -> Option<()> {
    match piece {
        Piece::Literal(text) => reader.take(text).then_some(()),
        Piece::Number { field, most, .. } => {
            let signed = matches!(field, Field::Year | Field::Weekyear | Field::YearOfEra);
            let value = if signed { reader.signed(*most) } else { reader.number(*most) };
            fields.set(*field, value?).then_some(())
        }
        Piece::TwoDigits { field, pivot, lenient } => {
            let value = read_two_digits(reader, i64::from(*pivot), *lenient)?;
            fields.set(*field, value).then_some(())
        }
        Piece::Fraction { most, .. } => {
            let nanos = reader.fraction(*most)?;
            // As Joda-Time, which counts milliseconds.
            fields.set_nanos(nanos / 1_000_000 * 1_000_000);
            Some(())
        }
        Piece::MonthName { .. } => {
            let month = read_name(&MONTHS, reader)?;
            fields.set(Field::Month, month).then_some(())
        }
        Piece::DayName { .. } => {
            let day = read_name(&DAYS, reader)?;
            fields.set(Field::DayOfWeek, day).then_some(())
        }
        Piece::Halfday => {
            let afternoon = reader.take("PM");
            fields.set_afternoon(afternoon);
            (afternoon || reader.take("AM")).then_some(())
        }
        Piece::Era => {
            let before = reader.take("BC");
            fields.set_before_christ(before);
            (before || reader.take("AD")).then_some(())
        }
        Piece::Offset { .. } => {
            fields.zone = Some(reader.offset()?);
            Some(())
        }
        Piece::ZoneId | Piece::ZoneName => {
            let name = |letter: &char| letter.is_ascii_alphanumeric() || "/_+-:".contains(*letter);
            let length = reader.rest.chars().take_while(name).count();
            let (name, rest) = reader.rest.split_at_checked(length)?;
            fields.zone = Some(Zone::named(name).ok()?);
            reader.rest = rest;
            Some(())
        }
    }
}

fn read_two_digits(reader: &mut Reader<'_>, pivot: i64, lenient: bool) -> Option<i64> {
    let digits = reader.rest.bytes().take_while(u8::is_ascii_digit).count();
    if lenient && digits != 2 {
        return reader.signed(9);
    }
    let value = reader.digits(2).filter(|digits| digits.len() == 2)?.parse::<i64>().ok()?;
    let low = pivot - 50;
    Some(low + (value - low).rem_euclid(100))
}

/// The number, from 1, of the name that stands there, whole or its first three letters.
fn read_name(names: &[&str], reader: &mut Reader<'_>) -> Option<i64> {
    let found = names.iter().position(|name| reader.take(name));
    let found = found.or_else(|| {
        names.iter().position(|name| name.get(..3).is_some_and(|short| reader.take(short)))
    });
    i64::try_from(found?).ok()?.checked_add(1)
}

fn push_name<E>(
    names: &[&str],
    index: std::result::Result<usize, E>,
    short: bool,
    out: &mut String,
) {
    let name = index.ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
    out.push_str(if short { name.get(..3).unwrap_or(name) } else { name });
}

/// A field of a wall clock.
pub(super) fn value(field: Field, at: NaiveDateTime) -> i64 {
    let hour = at.hour();
    match field {
        Field::Year => i64::from(at.year()),
        Field::YearOfEra => era_year(at),
        Field::Century => era_year(at) / 100,
        Field::Weekyear => i64::from(at.iso_week().year()),
        Field::Week => i64::from(at.iso_week().week()),
        Field::Month => i64::from(at.month()),
        Field::DayOfMonth => i64::from(at.day()),
        Field::DayOfYear => i64::from(at.ordinal()),
        Field::DayOfWeek => i64::from(at.weekday().number_from_monday()),
        Field::Hour => i64::from(hour),
        Field::ClockHour => i64::from(if hour == 0 { 24 } else { hour }),
        Field::HalfdayHour => i64::from(hour % 12),
        Field::HalfdayClockHour => i64::from(at.hour12().1),
        Field::Minute => i64::from(at.minute()),
        Field::Second => i64::from(at.second()),
    }
}

fn era_year(at: NaiveDateTime) -> i64 {
    let year = i64::from(at.year());
    if year > 0 { year } else { 1 - year }
}

/// Formats by their patterns, so that the same one is compiled once.
pub(super) struct Formats {
    compile: fn(&str) -> Result<Format>,
    pattern: String,
    format: Option<Format>,
    written: Option<Written>,
}

/// A text, and the stretch of time that all has it: rows come in order of time mostly.
struct Written {
    stretch: i64,
    text: String,
}

impl Formats {
    pub(super) fn new(compile: fn(&str) -> Result<Format>) -> Self {
        Self { compile, pattern: String::new(), format: None, written: None }
    }

    /// The format that `pattern` stands for.
    pub(super) fn get(&mut self, pattern: &str) -> Result<&Format> {
        if self.format.is_none() || self.pattern != pattern {
            self.format = Some((self.compile)(pattern)?);
            pattern.clone_into(&mut self.pattern);
            self.written = None;
        }
        Ok(self.format.get_or_insert_default())
    }

    /// Appends the moment of `row` by `pattern`; nothing where it is NULL.
    pub(super) fn write(
        &mut self,
        pattern: &str,
        moments: &Moments,
        row: usize,
        out: &mut String,
    ) -> Result<Option<()>> {
        let Some(count) = moments.counted(row) else { return Ok(None) };
        let seconds = self.get(pattern)?.stretch();
        let stretch = match (moments.count, moments.zone, seconds) {
            (Count::Days, Zone::Utc, Some(_)) => Some(count),
            // Half a millisecond before its end a stretch is over: see `Format::write`.
            (Count::Units(unit), Zone::Utc, Some(seconds)) => count
                .checked_add(per_second(unit) / 2000)
                .map(|count| count.div_euclid(seconds * per_second(unit))),
            _ => None,
        };
        let known = self.written.as_ref().filter(|known| Some(known.stretch) == stretch);
        if let Some(known) = known {
            out.push_str(&known.text);
            return Ok(Some(()));
        }
        let utc = moments.count.moment(count)?;
        let start = out.len();
        self.get(pattern)?.write(utc, local(moments.zone, utc)?, moments.zone, out);
        self.written = stretch.map(|stretch| {
            let text = out.get(start..).unwrap_or_default().to_owned();
            Written { stretch, text }
        });
        Ok(Some(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, TimestampMicrosecondArray, TimestampSecondArray};
    use proptest::prelude::*;

    use super::*;

    fn check(column: &ArrayRef, pattern: &str) -> Result<()> {
        let moments = Moments::new(column, false)?;
        let mut formats = Formats::new(super::super::mysql::compile);
        for row in 0..column.len() {
            let (mut written, mut one) = (String::new(), String::new());
            formats.write(pattern, &moments, row, &mut written)?;
            let utc = moments.count.moment(moments.counted(row).unwrap_or_default())?;
            let format = super::super::mysql::compile(pattern)?;
            format.write(utc, local(moments.zone, utc)?, moments.zone, &mut one);
            assert_eq!(written, one, "{pattern} {utc}");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_would_be_written(
            start in -4_000_000_000_i64..4_000_000_000,
            steps in prop::collection::vec(-4000_i64..40_000, 1..60),
            directives in prop::collection::vec("[abcdefHhIijklMmprSsTvWxYy%/ ]", 1..6),
        ) {
            let pattern: String = directives
                .iter()
                .map(|letter| if letter == " " { " ".to_owned() } else { format!("%{letter}") })
                .collect();
            prop_assume!(super::super::mysql::compile(&pattern).is_ok());
            let seconds: Vec<i64> = steps
                .iter()
                .scan(start, |at, step| {
                    *at += step;
                    Some(*at)
                })
                .collect();
            let micros = seconds.iter().zip(&steps).map(|(at, step)| at * 1_000_000 - step % 1000);
            let days = seconds.iter().map(|at| i32::try_from(at / 86_400).unwrap());
            let micros = TimestampMicrosecondArray::from_iter_values(micros);
            let columns: [ArrayRef; 5] = [
                Arc::new(micros.clone()),
                Arc::new(micros.clone().with_timezone("Asia/Kolkata")),
                Arc::new(micros.with_timezone("-03:30")),
                Arc::new(TimestampSecondArray::from_iter_values(seconds.iter().copied())),
                Arc::new(Date32Array::from_iter_values(days)),
            ];
            for column in columns {
                prop_assert!(check(&column, &pattern).is_ok());
            }
        }
    }
}
