//! The dates of partition projection: Java's patterns, and ranges that may end `NOW`.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html>

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

/// A part of a date, from the coarsest to the finest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    /// The unit that `word` names: `DAYS`, `day`.
    pub(super) fn named(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_uppercase();
        Some(match word.strip_suffix('S').unwrap_or(&word) {
            "YEAR" => Self::Year,
            "MONTH" => Self::Month,
            "DAY" => Self::Day,
            "HOUR" => Self::Hour,
            "MINUTE" => Self::Minute,
            "SECOND" => Self::Second,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Piece {
    Digits(Unit, usize),
    Literal(String),
}

/// A pattern such as `yyyy/MM/dd`: digits of a fixed width, and what stands between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::engine) struct DateFormat(Vec<Piece>);

impl DateFormat {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What of it is not supported.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut letters = pattern.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter == '\'' {
                let literal: String = letters.by_ref().take_while(|c| *c != '\'').collect();
                let literal = if literal.is_empty() { "'".to_owned() } else { literal };
                pieces.push(Piece::Literal(literal));
                continue;
            }
            if !letter.is_ascii_alphabetic() {
                pieces.push(Piece::Literal(letter.to_string()));
                continue;
            }
            let mut width = 1;
            while letters.next_if_eq(&letter).is_some() {
                width += 1;
            }
            let (unit, wanted) = match letter {
                'y' | 'u' => (Unit::Year, 4),
                'M' => (Unit::Month, 2),
                'd' => (Unit::Day, 2),
                'H' => (Unit::Hour, 2),
                'm' => (Unit::Minute, 2),
                's' => (Unit::Second, 2),
                _ => return Err(format!("`{letter}` in the date format `{pattern}`")),
            };
            if width != wanted {
                let run = String::from(letter).repeat(width);
                return Err(format!("`{run}` in the date format `{pattern}`"));
            }
            pieces.push(Piece::Digits(unit, width));
        }
        let format = Self(pieces);
        match format.finest() {
            Some(_) => Ok(format),
            None => Err(format!("the date format `{pattern}`, which names no year,")),
        }
    }

    fn units(&self) -> impl Iterator<Item = Unit> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Digits(unit, _) => Some(*unit),
            Piece::Literal(_) => None,
        })
    }

    /// The finest unit in it; nothing where it has no year.
    pub(super) fn finest(&self) -> Option<Unit> {
        self.units().any(|unit| unit == Unit::Year).then(|| self.units().max()).flatten()
    }

    /// A regular expression of the texts it may have.
    pub(super) fn pattern(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Digits(_, width) => format!("[0-9]{{{width}}}"),
            Piece::Literal(text) => regex::escape(text),
        };
        self.0.iter().map(piece).collect()
    }

    /// The first instant that `text` means; nothing where it is not of this form.
    pub(in crate::engine) fn read(&self, text: &str) -> Option<NaiveDateTime> {
        let (mut parts, mut rest) = ([1, 1, 1, 0, 0, 0], text);
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Piece::Digits(unit, width) => {
                    let (digits, behind) = rest.split_at_checked(*width)?;
                    if !digits.bytes().all(|b| b.is_ascii_digit()) {
                        return None;
                    }
                    *parts.get_mut(*unit as usize)? = digits.parse::<u32>().ok()?;
                    rest = behind;
                }
            }
        }
        let [year, month, day, hour, minute, second] = parts;
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        if rest.is_empty() { date.and_hms_opt(hour, minute, second) } else { None }
    }

    /// `at`, cut to the finest unit.
    fn cut(&self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        let finest = self.finest()?;
        let keep = |unit: Unit, value: u32, least: u32| if finest >= unit { value } else { least };
        NaiveDate::from_ymd_opt(
            at.year(),
            keep(Unit::Month, at.month(), 1),
            keep(Unit::Day, at.day(), 1),
        )?
        .and_hms_opt(
            keep(Unit::Hour, at.hour(), 0),
            keep(Unit::Minute, at.minute(), 0),
            keep(Unit::Second, at.second(), 0),
        )
    }
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    /// A date in the column's format.
    At(NaiveDateTime),
    /// `NOW`, `NOW-3YEARS`: months and seconds from now.
    Now { months: i32, seconds: i64 },
}

impl Bound {
    /// Reads an end of a range; nothing where it is neither a date of `format` nor about `NOW`.
    pub(super) fn parse(text: &str, format: &DateFormat) -> Option<Self> {
        let text: String = text.split_whitespace().collect();
        if let Some(at) = format.read(&text) {
            return Some(Self::At(at));
        }
        let offset = text.get(..3).filter(|now| now.eq_ignore_ascii_case("now"))?;
        let offset = text.strip_prefix(offset)?;
        if offset.is_empty() {
            return Some(Self::Now { months: 0, seconds: 0 });
        }
        let sign = match offset.chars().next()? {
            '-' => -1,
            '+' => 1,
            _ => return None,
        };
        let digits = offset.get(1..)?;
        let end = digits.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit) = digits.split_at_checked(end)?;
        let count = sign * count.parse::<i32>().ok()?;
        let seconds = |each: i64| Some(Self::Now { months: 0, seconds: i64::from(count) * each });
        match Unit::named(unit) {
            Some(Unit::Year) => Some(Self::Now { months: count.checked_mul(12)?, seconds: 0 }),
            Some(Unit::Month) => Some(Self::Now { months: count, seconds: 0 }),
            Some(Unit::Day) => seconds(86_400),
            Some(Unit::Hour) => seconds(3_600),
            Some(Unit::Minute) => seconds(60),
            Some(Unit::Second) => seconds(1),
            None if unit.eq_ignore_ascii_case("weeks") || unit.eq_ignore_ascii_case("week") => {
                seconds(7 * 86_400)
            }
            None => None,
        }
    }

    /// The instant it means at `now`, in the units of `format`.
    pub(super) fn at(&self, now: NaiveDateTime, format: &DateFormat) -> Option<NaiveDateTime> {
        match self {
            Self::At(at) => Some(*at),
            Self::Now { months, seconds } => {
                let by = Months::new(months.unsigned_abs());
                let moved = if *months < 0 {
                    now.checked_sub_months(by)?
                } else {
                    now.checked_add_months(by)?
                };
                format.cut(moved.checked_add_signed(TimeDelta::try_seconds(*seconds)?)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    #[test]
    fn dates_are_read_in_their_format_and_in_no_other() {
        let slashes = DateFormat::parse("yyyy/MM/dd").unwrap();
        assert_eq!(slashes.read("2024/02/29"), Some(instant("2024-02-29 00:00:00")));
        for other in ["2024/2/29", "2024-02-29", "2023/02/29", "2024/02/29/01", "", "yyyy/MM/dd"] {
            assert_eq!(slashes.read(other), None, "{other}");
        }
        let hours = DateFormat::parse("yyyy-MM-dd'T'HH").unwrap();
        assert_eq!(hours.read("2024-01-02T23"), Some(instant("2024-01-02 23:00:00")));
        assert_eq!(hours.finest(), Some(Unit::Hour));
        for bad in ["EEE", "yy/MM/dd", "d", "HH", "yyyy/MMM"] {
            assert!(DateFormat::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_may_be_about_now() {
        let format = DateFormat::parse("yyyy/MM/dd").unwrap();
        let now = instant("2024-03-31 12:34:56");
        let at = |text: &str| Bound::parse(text, &format).and_then(|b| b.at(now, &format));
        assert_eq!(at("NOW"), Some(instant("2024-03-31 00:00:00")));
        assert_eq!(at("now - 1 MONTH"), Some(instant("2024-02-29 00:00:00")));
        assert_eq!(at("NOW-3YEARS"), Some(instant("2021-03-31 00:00:00")));
        assert_eq!(at("NOW+1DAYS"), Some(instant("2024-04-01 00:00:00")));
        assert_eq!(at("NOW-2WEEKS"), Some(instant("2024-03-17 00:00:00")));
        assert_eq!(at("2022/01/01"), Some(instant("2022-01-01 00:00:00")));
        for bad in ["2022-01-01", "NOWISH", "NOW-", "NOW-3", "NOW-3FORTNIGHTS", ""] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }
}
