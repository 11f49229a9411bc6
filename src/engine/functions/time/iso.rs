//! ISO 8601.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date-and-time-functions>,
//! <https://www.joda.org/joda-time/apidocs/org/joda/time/format/ISODateTimeFormat.html#dateTimeParser-->

use arrow::datatypes::{DataType, TimeUnit};
use chrono::NaiveDateTime;
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
    fields::{Field, Fields, Reader},
    text::{push_date, push_time},
    values::{Count, Param, coerce, instant, literal, local, per_second, zoned},
    zone::{Zone, push_offset},
};

pub(super) fn functions() -> Vec<Function> {
    [reading(), writing()].concat()
}

fn reading() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "from_iso8601_timestamp",
            [],
            "from_iso8601_timestamp(string) → timestamp(3) with time zone",
            "The instant that ISO 8601 text means, as in `eventtime`. Without an offset it is in \
             UTC; text of another form is an error.",
            [
                (
                    "to_iso8601(from_iso8601_timestamp('2024-03-05T10:20:30Z'))",
                    "2024-03-05T10:20:30.000Z",
                ),
                ("to_iso8601(from_iso8601_timestamp('2024-W10-2'))", "2024-03-05T00:00:00.000Z"),
            ],
            |types| coerce("from_iso8601_timestamp", &[&[Param::Text]], types),
            |args| Ok(read_type(args, TimeUnit::Millisecond)),
            from_iso8601_timestamp,
        ),
        scalar!(
            FAMILY,
            "from_iso8601_timestamp_nanos",
            [],
            "from_iso8601_timestamp_nanos(string) → timestamp(9) with time zone",
            "The same with nine digits of the second.",
            [(
                "to_iso8601(from_iso8601_timestamp_nanos('2024-03-05T10:20:30.123456789Z'))",
                "2024-03-05T10:20:30.123456789Z",
            )],
            |types| coerce("from_iso8601_timestamp_nanos", &[&[Param::Text]], types),
            |args| Ok(read_type(args, TimeUnit::Nanosecond)),
            from_iso8601_timestamp,
        ),
        scalar!(
            FAMILY,
            "from_iso8601_date",
            [],
            "from_iso8601_date(string) → date",
            "The date that ISO 8601 text means: `2024-03-05`, `2024-W10-2`, `2024-065`.",
            [("from_iso8601_date('2024-065')", "2024-03-05")],
            |types| coerce("from_iso8601_date", &[&[Param::Text]], types),
            |_| Ok(DataType::Date32),
            from_iso8601_date,
        ),
    ]
}

fn writing() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "to_iso8601",
            [],
            "to_iso8601(x) → varchar",
            "A date or timestamp as ISO 8601 text.",
            [
                ("to_iso8601(DATE '2024-03-05')", "2024-03-05"),
                ("to_iso8601(TIMESTAMP '2024-03-05 10:20:30.5')", "2024-03-05T10:20:30.500"),
            ],
            |types| coerce("to_iso8601", &[&[Param::Moment]], types),
            |_| Ok(DataType::Utf8),
            to_iso8601,
        ),
        scalar!(
            FAMILY,
            "date",
            [],
            "date(x) → date",
            "The date of a timestamp, in its zone, or of text like `2024-03-05`: \
             `CAST(x AS date)`.",
            [("date(TIMESTAMP '2024-03-05 10:20:30')", "2024-03-05")],
            |types| coerce("date", &[&[Param::Text], &[Param::Moment]], types),
            |_| Ok(DataType::Date32),
            date,
        ),
    ]
}

/// What ISO 8601 text says.
fn read(text: &str) -> Option<Fields> {
    let mut reader = Reader { rest: text };
    let mut fields = Fields::default();
    if !text.starts_with(['T', 't']) {
        read_date(&mut reader, &mut fields)?;
    }
    if !reader.rest.is_empty() {
        if !reader.take("T") {
            return None;
        }
        if reader.rest.starts_with(|letter: char| letter.is_ascii_digit()) {
            read_time(&mut reader, &mut fields)?;
        }
        if !reader.rest.is_empty() {
            fields.zone = Some(reader.offset()?);
        }
    }
    reader.rest.is_empty().then_some(fields)
}

/// `yyyy[-MM[-dd]]`, `yyyy-DDD` or `xxxx-Www[-e]`.
fn read_date(reader: &mut Reader<'_>, fields: &mut Fields) -> Option<()> {
    let year = reader.signed(9)?;
    if reader.rest.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("-w")) {
        reader.rest = reader.rest.get(2..)?;
        let week = reader.number(2)?;
        let mut known = fields.set(Field::Weekyear, year) && fields.set(Field::Week, week);
        if reader.take("-") {
            known &= fields.set(Field::DayOfWeek, reader.number(1)?);
        }
        return known.then_some(());
    }
    let mut known = fields.set(Field::Year, year);
    if reader.take("-") {
        let digits = reader.digits(3)?;
        let value = digits.parse().ok()?;
        if digits.len() == 3 {
            known &= fields.set(Field::DayOfYear, value);
        } else {
            known &= fields.set(Field::Month, value);
            if reader.take("-") {
                known &= fields.set(Field::DayOfMonth, reader.number(2)?);
            }
        }
    }
    known.then_some(())
}

/// `HH[:mm[:ss]]` with a fraction of the last.
fn read_time(reader: &mut Reader<'_>, fields: &mut Fields) -> Option<()> {
    let mut known = fields.set(Field::Hour, reader.number(2)?);
    for field in [Field::Minute, Field::Second] {
        if !reader.take(":") {
            break;
        }
        known &= fields.set(field, reader.number(2)?);
    }
    if reader.take(".") || reader.take(",") {
        fields.set_fraction(reader.digits(9)?)?;
    }
    known.then_some(())
}

/// The instant of ISO 8601 text, and its zone.
fn read_instant(text: &str) -> Result<(NaiveDateTime, Zone)> {
    let found = read(text).and_then(|fields| Some((fields.moment()?, fields.zone)));
    let Some((at, zone)) = found else {
        return exec_err!("'{}' is not an ISO 8601 timestamp", excerpt(text));
    };
    let zone = zone.unwrap_or(Zone::Utc);
    Ok((instant(zone, at, None)?, zone))
}

/// The instant that `text` tells: ISO 8601 with a `T` or a space, or as AWS's oldest records have it,
/// `20131102T010628Z`; in UTC where it has no zone. Nothing where it tells none.
pub(in crate::engine) fn instant_of_text(text: &str) -> Option<NaiveDateTime> {
    if !text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    if let Some(fields) = read(text).or_else(|| read_spaced(text))
        && let Some(at) = fields.moment()
    {
        return fields.zone.unwrap_or(Zone::Utc).instant(at, None);
    }
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()
}

/// `yyyy-MM-dd HH:mm:ss` with a zone behind it or none.
fn read_spaced(text: &str) -> Option<Fields> {
    let mut reader = Reader { rest: text };
    let mut fields = Fields::default();
    read_date(&mut reader, &mut fields)?;
    if !reader.take(" ") {
        return None;
    }
    read_time(&mut reader, &mut fields)?;
    let spaced = reader.take(" ");
    if spaced && reader.rest == "UTC" {
        return Some(fields);
    }
    if spaced || !reader.rest.is_empty() {
        fields.zone = Some(reader.offset()?);
    }
    reader.rest.is_empty().then_some(fields)
}

/// The functions that read timestamps, with UTC as the zone of whatever they read.
pub(super) fn in_utc(name: &str) -> Option<Scalar> {
    Some(match name {
        "from_iso8601_timestamp" => Scalar::new(
            "from_iso8601_timestamp",
            |types| coerce("from_iso8601_timestamp", &[&[Param::Text]], types),
            |_| Ok(zoned(TimeUnit::Millisecond, Zone::Utc)),
            from_iso8601_timestamp,
        ),
        "from_iso8601_timestamp_nanos" => Scalar::new(
            "from_iso8601_timestamp_nanos",
            |types| coerce("from_iso8601_timestamp_nanos", &[&[Param::Text]], types),
            |_| Ok(zoned(TimeUnit::Nanosecond, Zone::Utc)),
            from_iso8601_timestamp,
        ),
        _ => return None,
    })
}

/// In the zone of the text where it is a literal.
fn read_type(args: &ReturnFieldArgs<'_>, unit: TimeUnit) -> DataType {
    let zone = literal(args, 0).and_then(|text| read_instant(text).ok());
    zoned(unit, zone.map_or(Zone::Utc, |(_, zone)| zone))
}

fn from_iso8601_timestamp(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    let count = Count::of(args.return_type())?;
    let in_a_second = match count {
        Count::Days => None,
        Count::Units(unit) => Some(per_second(unit)),
    };
    call.stamps(args.return_type(), |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        let usual = usual(text.as_bytes()).zip(in_a_second);
        match usual.and_then(|(seconds, in_a_second)| seconds.checked_mul(in_a_second)) {
            Some(stamp) => Ok(Some(stamp)),
            None => count.count(read_instant(text)?.0).map(Some),
        }
    })
}

/// The seconds from the epoch to `YYYY-MM-DDThh:mm:ssZ`, the form of `eventtime`; nothing for any
/// other text. Without it, reading a timestamp would cost more than all else that a query does.
fn usual(text: &[u8]) -> Option<i64> {
    let text: &[u8; 20] = text.try_into().ok()?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
        b'Z',
    ] = *text
    else {
        return None;
    };
    let digits = [y1, y2, y3, y4, mo1, mo2, d1, d2, h1, h2, mi1, mi2, s1, s2];
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let year = two(y1, y2) * 100 + two(y3, y4);
    let (month, day) = (two(mo1, mo2), two(d1, d2));
    let (hour, minute, second) = (two(h1, h2), two(mi1, mi2), two(s1, s2));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days in a calendar that begins in March, so that a leap day is a year's last.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day
        - DAYS_TO_EPOCH;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// From the last day of February of the year 0 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_469;

fn from_iso8601_date(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    call.stamps(&DataType::Date32, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        let mut reader = Reader { rest: text };
        let mut fields = Fields::default();
        let read = read_date(&mut reader, &mut fields).filter(|()| reader.rest.is_empty());
        let Some(at) = read.and_then(|()| fields.moment()) else {
            return exec_err!("'{}' is not an ISO 8601 date", excerpt(text));
        };
        Count::Days.count(at).map(Some)
    })
}

fn to_iso8601(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let moments = call.moments(0)?;
    call.write_text(|row, out| {
        let Some(utc) = moments.utc(row)? else { return Ok(None) };
        let at = local(moments.zone, utc)?;
        push_date(out, at.date());
        if let Count::Units(unit) = moments.count {
            out.push('T');
            push_time(out, at, unit);
        }
        if moments.zoned {
            match moments.zone.offset_at(utc) {
                0 => out.push('Z'),
                offset => push_offset(out, offset, true),
            }
        }
        Ok(Some(()))
    })
}

fn date(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (array, _) = call.column(0)?;
    if matches!(array.data_type(), DataType::Utf8 | DataType::Utf8View | DataType::Null) {
        let texts = call.texts(0)?;
        return call.stamps(&DataType::Date32, |row| {
            texts.get(row).map(super::text::read_date).transpose()
        });
    }
    let moments = call.moments(0)?;
    call.stamps(&DataType::Date32, |row| {
        moments.local(row)?.map(|at| Count::Days.count(at)).transpose()
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveTime, SecondsFormat};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rfc_3339_is_read(millis in -62_135_596_800_000_i64..253_402_300_800_000, minutes in -720..=720) {
            let offset = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
            let at = DateTime::from_timestamp_millis(millis).unwrap();
            let text = at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Millis, true);
            prop_assume!(!text.starts_with(['-', '+']));
            prop_assert_eq!(read_instant(&text).unwrap().0, at.naive_utc(), "{}", text);
        }

        #[test]
        fn the_usual_form_is_read_as_any_other(text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z") {
            let slow = read_instant(&text).ok().map(|(at, _)| at.and_utc().timestamp());
            let fast = usual(text.as_bytes());
            prop_assert!(fast == slow || fast.is_none() && text.starts_with("0000"), "{text}");
        }

        #[test]
        fn no_other_form_is_usual(text in "[0-9]{4}[-:]?[01][0-9a]-?[0-9]{2}[Tt ][0-2][0-9]:?[0-9]{2}:?[0-9]{2}[.]?[Z+z]?") {
            if let Some(fast) = usual(text.as_bytes()) {
                prop_assert_eq!(fast, read_instant(&text).unwrap().0.and_utc().timestamp());
            }
        }

        #[test]
        fn every_second_is_read_in_the_usual_form(seconds in -62_135_596_800_i64..253_402_300_800) {
            let text = DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339_opts(SecondsFormat::Secs, true);
            prop_assert_eq!(usual(text.as_bytes()), Some(seconds), "{}", text);
        }

        #[test]
        fn any_text_does_no_harm(text in "[0-9TWZ:.,+-]{0,24}") {
            let _ = read_instant(&text);
        }
    }

    #[test]
    fn any_usual_text_tells_its_instant() {
        let at = |text: &str| instant_of_text(text).map(|at| at.to_string());
        for text in [
            "2023-07-10T11:42:17Z",
            "2023-07-10 11:42:17",
            "2023-07-10 11:42:17 UTC",
            "2023-07-10 13:42:17+02:00",
            "20230710T114217Z",
        ] {
            assert_eq!(at(text).as_deref(), Some("2023-07-10 11:42:17"), "{text}");
        }
        assert_eq!(at("2023-07-10").as_deref(), Some("2023-07-10 00:00:00"));
        for text in ["", "soon", "T10", "2023-13-01", "2023-07-10 11:42:17 x", "2023-07-10 "] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_are_of_the_smallest_unit() {
        for (text, time) in [
            ("T10.5", (10, 30, 0, 0)),
            ("T10:30,25", (10, 30, 15, 0)),
            ("T10:30:15.25", (10, 30, 15, 250_000_000)),
        ] {
            let (hour, minute, second, nanos) = time;
            let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).unwrap();
            assert_eq!(read_instant(text).unwrap().0.time(), time, "{text}");
        }
    }
}
