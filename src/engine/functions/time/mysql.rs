//! `date_format` and `date_parse`, with `MySQL`'s patterns.
//!
//! <https://trino.io/docs/current/functions/datetime.html#mysql-date-functions>

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::{
    super::{
        Function,
        call::{Call, excerpt, scalar},
    },
    FAMILY,
    fields::Field,
    format::{Format, Formats, Piece},
    values::{Count, Param, coerce},
};

/// The middle of the hundred years that `%y` means.
const PIVOT: i32 = 2020;

pub(super) fn functions() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "date_format",
            [],
            "date_format(timestamp, format) → varchar",
            "The timestamp as text, by a MySQL pattern: `%Y-%m-%d %H:%i:%s`.",
            [
                (
                    "date_format(TIMESTAMP '2024-03-05 09:07:08', '%Y-%m-%d %H:%i:%s')",
                    "2024-03-05 09:07:08",
                ),
                ("date_format(DATE '2024-03-05', '%a %e %M')", "Tue 5 March"),
            ],
            |types| coerce("date_format", &[&[Param::Moment, Param::Text]], types),
            |_| Ok(DataType::Utf8),
            date_format,
        ),
        scalar!(
            FAMILY,
            "date_parse",
            [],
            "date_parse(string, format) → timestamp(3)",
            "The timestamp that text means, by a MySQL pattern. Text of another form is an error.",
            [("date_format(date_parse('05/Mar/2024', '%d/%b/%Y'), '%Y-%m-%d')", "2024-03-05")],
            |types| coerce("date_parse", &[&[Param::Text, Param::Text]], types),
            |_| Ok(DataType::Timestamp(TimeUnit::Millisecond, None)),
            date_parse,
        ),
    ]
}

fn date_format(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (moments, patterns) = (call.moments(0)?, call.texts(1)?);
    let mut formats = Formats::new(compile);
    call.write_text(|row, out| match patterns.get(row) {
        Some(pattern) => formats.write(pattern, &moments, row, out),
        None => Ok(None),
    })
}

fn date_parse(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let mut formats = Formats::new(compile);
    call.stamps(args.return_type(), |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else {
            return Ok(None);
        };
        let Some(at) = formats.get(pattern)?.read(text).and_then(|fields| fields.moment()) else {
            return exec_err!("'{}' is not of the form '{}'", excerpt(text), excerpt(pattern));
        };
        Count::Units(TimeUnit::Millisecond).count(at).map(Some)
    })
}

/// Compiles a pattern.
pub(super) fn compile(pattern: &str) -> Result<Format> {
    let mut format = Format::default();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            format.literal(letter);
            continue;
        }
        let Some(letter) = letters.next() else {
            // A % at the end means nothing.
            break;
        };
        directive(letter, &mut format)?;
    }
    if format.pieces.is_empty() {
        return exec_err!("the format '{}' is empty", excerpt(pattern));
    }
    Ok(format)
}

fn directive(letter: char, format: &mut Format) -> Result<()> {
    match letter {
        'a' => format.pieces.push(Piece::DayName { short: true }),
        'W' => format.pieces.push(Piece::DayName { short: false }),
        'b' => format.pieces.push(Piece::MonthName { short: true }),
        'M' => format.pieces.push(Piece::MonthName { short: false }),
        'c' => format.number(Field::Month, 1, 2),
        'm' => format.number(Field::Month, 2, 2),
        'd' => format.number(Field::DayOfMonth, 2, 2),
        'e' => format.number(Field::DayOfMonth, 1, 2),
        'j' => format.number(Field::DayOfYear, 3, 3),
        'v' => format.number(Field::Week, 2, 2),
        'x' => format.number(Field::Weekyear, 4, 4),
        'Y' => format.number(Field::Year, 4, 4),
        'y' => format.pieces.push(Piece::TwoDigits {
            field: Field::Year,
            pivot: PIVOT,
            lenient: false,
        }),
        'f' => format.pieces.push(Piece::Fraction { least: 6, most: 9 }),
        'H' => format.number(Field::Hour, 2, 2),
        'k' => format.number(Field::Hour, 1, 2),
        'h' | 'I' => format.number(Field::HalfdayClockHour, 2, 2),
        'l' => format.number(Field::HalfdayClockHour, 1, 2),
        'i' => format.number(Field::Minute, 2, 2),
        's' | 'S' => format.number(Field::Second, 2, 2),
        'p' => format.pieces.push(Piece::Halfday),
        'r' | 'T' => {
            let hour = if letter == 'T' { Field::Hour } else { Field::HalfdayClockHour };
            format.number(hour, 2, 2);
            format.literal(':');
            format.number(Field::Minute, 2, 2);
            format.literal(':');
            format.number(Field::Second, 2, 2);
            if letter == 'r' {
                format.literal(' ');
                format.pieces.push(Piece::Halfday);
            }
        }
        'D' | 'U' | 'u' | 'V' | 'w' | 'X' => {
            return exec_err!("%{letter} is not supported in a date format");
        }
        other => format.literal(other),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Timelike};
    use proptest::prelude::*;

    use super::*;
    use crate::engine::functions::time::zone::Zone;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            millis in -62_135_596_800_000_i64..253_402_300_800_000,
            pattern in prop::sample::select(vec![
                "%Y-%m-%d %H:%i:%s.%f",
                "%d/%b/%Y %T.%f",
                "%M %e, %Y %r %f",
                "%W %a %x-%v %k:%i:%S,%f",
                "%Y %j %l %i %s %p %f",
            ]),
        ) {
            let at = DateTime::from_timestamp_millis(millis).unwrap().naive_utc();
            let format = compile(pattern).unwrap();
            let mut text = String::new();
            format.write(at, at, Zone::Utc, &mut text);
            let read = format.read(&text).and_then(|fields| fields.moment());
            prop_assert_eq!(read, Some(at), "{}", text);
        }

        #[test]
        fn any_pattern_and_text_do_no_harm(pattern in ".{0,12}", text in ".{0,20}", secs in any::<i32>()) {
            if let Ok(format) = compile(&pattern) {
                let at = DateTime::from_timestamp(i64::from(secs), 0).unwrap().naive_utc();
                let mut out = String::new();
                format.write(at, at.with_nanosecond(999_999_999).unwrap(), Zone::Utc, &mut out);
                let _ = format.read(&text).and_then(|fields| fields.moment());
            }
        }
    }
}
