//! `format_datetime` and `parse_datetime`, with Joda-Time's patterns.
//!
//! <https://trino.io/docs/current/functions/datetime.html#java-date-functions>,
//! <https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html>

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{Datelike, NaiveDateTime, Utc};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::{
    super::{
        Function,
        call::{Call, excerpt, scalar},
        scalar::Scalar,
    },
    FAMILY,
    fields::Field,
    format::{Format, Formats, Piece},
    values::{Count, Param, coerce, instant, literal, zoned},
    zone::Zone,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "format_datetime",
            [],
            "format_datetime(timestamp, format) → varchar",
            "The timestamp as text, by a Joda-Time pattern: `yyyy-MM-dd HH:mm:ss`.",
            [
                (
                    "format_datetime(TIMESTAMP '2024-03-05 09:07:08', 'yyyy/MM/dd HH:mm')",
                    "2024/03/05 09:07",
                ),
                (
                    "format_datetime(from_iso8601_timestamp('2024-03-05T10:20:30Z'), 'EEE h:mm a ZZ')",
                    "Tue 10:20 AM +00:00",
                ),
            ],
            |types| coerce("format_datetime", &[&[Param::Moment, Param::Text]], types),
            |_| Ok(DataType::Utf8),
            format_datetime,
        ),
        scalar!(
            FAMILY,
            "parse_datetime",
            [],
            "parse_datetime(string, format) → timestamp(3) with time zone",
            "The timestamp that text means, by a Joda-Time pattern. Text of another form is an \
             error; without a zone it is in UTC.",
            [(
                "to_iso8601(parse_datetime('2024/03/05 22:15', 'yyyy/MM/dd HH:mm'))",
                "2024-03-05T22:15:00.000Z",
            )],
            |types| coerce("parse_datetime", &[&[Param::Text, Param::Text]], types),
            |args| Ok(parsed_type(args)),
            parse_datetime,
        ),
    ]
}

fn format_datetime(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (moments, patterns) = (call.moments(0)?, call.texts(1)?);
    let mut formats = Formats::new(compile);
    call.write_text(|row, out| {
        let (Some(_), Some(pattern)) = (moments.counted(row), patterns.get(row)) else {
            return Ok(None);
        };
        if !moments.zoned && formats.get(pattern)?.has_zone() {
            return exec_err!(
                "the format '{}' asks for a time zone, which a timestamp without one does not have",
                excerpt(pattern)
            );
        }
        formats.write(pattern, &moments, row, out)
    })
}

/// `parse_datetime` with UTC as the zone of whatever it reads.
pub(super) fn in_utc() -> Scalar {
    Scalar::new(
        "parse_datetime",
        |types| coerce("parse_datetime", &[&[Param::Text, Param::Text]], types),
        |_| Ok(zoned(TimeUnit::Millisecond, Zone::Utc)),
        parse_datetime,
    )
}

/// In the zone of the text where text and pattern are literals.
fn parsed_type(args: &ReturnFieldArgs<'_>) -> DataType {
    let literals = literal(args, 0).zip(literal(args, 1));
    let fields = literals.and_then(|(text, pattern)| compile(pattern).ok()?.read(text));
    let zone = fields.and_then(|fields| fields.zone).unwrap_or(Zone::Utc);
    zoned(TimeUnit::Millisecond, zone)
}

fn parse_datetime(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let mut formats = Formats::new(compile);
    call.stamps(args.return_type(), |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else {
            return Ok(None);
        };
        let Some(at) = read(formats.get(pattern)?, text)? else {
            return exec_err!("'{}' is not of the form '{}'", excerpt(text), excerpt(pattern));
        };
        Count::Units(TimeUnit::Millisecond).count(at).map(Some)
    })
}

/// The instant that text means.
fn read(format: &Format, text: &str) -> Result<Option<NaiveDateTime>> {
    let Some(fields) = format.read(text) else { return Ok(None) };
    let Some(at) = fields.moment() else { return Ok(None) };
    instant(fields.zone.unwrap_or(Zone::Utc), at, None).map(Some)
}

/// A run of one letter, or text.
enum Token {
    Letters(char, usize),
    Text(String),
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_alphabetic() {
            let mut count = 1;
            while letters.next_if_eq(&letter).is_some() {
                count += 1;
            }
            tokens.push(Token::Letters(letter, count));
        } else if letter != '\'' {
            tokens.push(Token::Text(letter.to_string()));
        } else if letters.next_if_eq(&'\'').is_some() {
            tokens.push(Token::Text("'".to_owned()));
        } else {
            let mut text = String::new();
            loop {
                match letters.next() {
                    Some('\'') if letters.next_if_eq(&'\'').is_some() => text.push('\''),
                    // Text without an end ends with the pattern.
                    Some('\'') | None => break,
                    Some(other) => text.push(other),
                }
            }
            tokens.push(Token::Text(text));
        }
    }
    tokens
}

/// Compiles a pattern.
pub(super) fn compile(pattern: &str) -> Result<Format> {
    let tokens = tokens(pattern);
    if tokens.is_empty() {
        return exec_err!("the format is empty");
    }
    let mut format = Format::default();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Text(text) => text.chars().for_each(|letter| format.literal(letter)),
            Token::Letters(letter, count) => {
                // A year's digits must end where the next number begins.
                let next = tokens.get(index + 1);
                letters(*letter, *count, next.is_some_and(is_number), &mut format)?;
            }
        }
    }
    Ok(format)
}

fn is_number(token: &Token) -> bool {
    match token {
        Token::Letters('M', count) => *count <= 2,
        Token::Letters(letter, _) => "CxyYdhHmsSeDwkK".contains(*letter),
        Token::Text(_) => false,
    }
}

fn letters(letter: char, count: usize, before_number: bool, format: &mut Format) -> Result<()> {
    let piece = match letter {
        'G' => Piece::Era,
        'y' | 'Y' | 'x' => {
            let field = match letter {
                'y' => Field::Year,
                'Y' => Field::YearOfEra,
                _ => Field::Weekyear,
            };
            if count == 2 {
                let pivot = Utc::now().year() - 30;
                Piece::TwoDigits { field, pivot, lenient: !before_number }
            } else {
                let most = if before_number { count } else { 9 };
                Piece::Number { field, least: count, most }
            }
        }
        'M' if count >= 3 => Piece::MonthName { short: count == 3 },
        'E' => Piece::DayName { short: count < 4 },
        'a' => Piece::Halfday,
        'S' => Piece::Fraction { least: count, most: count },
        'z' if count < 4 => Piece::ZoneName,
        'Z' if count <= 2 => Piece::Offset { colon: count == 2 },
        'Z' => Piece::ZoneId,
        _ => {
            let (field, most) = match letter {
                'C' => (Field::Century, 9),
                'w' => (Field::Week, 2),
                'e' => (Field::DayOfWeek, 1),
                'D' => (Field::DayOfYear, 3),
                'M' => (Field::Month, 2),
                'd' => (Field::DayOfMonth, 2),
                'K' => (Field::HalfdayHour, 2),
                'h' => (Field::HalfdayClockHour, 2),
                'H' => (Field::Hour, 2),
                'k' => (Field::ClockHour, 2),
                'm' => (Field::Minute, 2),
                's' => (Field::Second, 2),
                other => {
                    return exec_err!("the letters '{other}' mean nothing in a date format");
                }
            };
            Piece::Number { field, least: count, most }
        }
    };
    format.pieces.push(piece);
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            millis in -62_135_596_800_000_i64..253_402_300_800_000,
            minutes in -720_i32..=720,
            pattern in prop::sample::select(vec![
                "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
                "yyyyMMddHHmmssSSSZZ",
                "EEEE, d MMMM yyyy h:mm:ss.SSS a ZZZ",
                "xxxx-'W'ww-e kk''mm:ss.SSSZZ",
                "Y G D K:m:s a SSS ZZ",
            ]),
        ) {
            let zone = Zone::minutes(minutes).unwrap();
            let utc = DateTime::from_timestamp_millis(millis).unwrap().naive_utc();
            let format = compile(pattern).unwrap();
            let mut text = String::new();
            format.write(utc, zone.local(utc).unwrap(), zone, &mut text);
            // What is before the year 1 or after 9999 in the zone needs other patterns.
            prop_assume!((1..=9998).contains(&zone.local(utc).unwrap().year()));
            prop_assert_eq!(read(&format, &text).unwrap(), Some(utc), "{}", text);
        }

        #[test]
        fn any_pattern_and_text_do_no_harm(pattern in ".{0,12}", text in ".{0,20}") {
            if let Ok(format) = compile(&pattern) {
                let _ = read(&format, &text);
            }
        }
    }
}
