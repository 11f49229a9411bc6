//! Times as records spell them, parsed by hand: once per record, for all records.

const SECOND: i64 = 1_000_000;

/// Microseconds since 1970 in UTC.
///
/// Reads ISO 8601 in its extended and basic forms, with `T` or a space, with a fraction of any
/// length (cut to microseconds), with an offset (none means UTC); a day alone; and numbers since
/// 1970 in seconds, with a fraction or an exponent, or in milli-, micro- or nanoseconds, told
/// apart by their size.
#[inline]
pub(crate) fn event_time(text: &str) -> Option<i64> {
    let text = text.as_bytes();
    if let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
        b'Z',
    ] = text
    {
        let two = |a: &u8, b: &u8| number(&[*a, *b]);
        return instant(
            number(&[*y0, *y1, *y2, *y3])?,
            (two(m0, m1)?, two(d0, d1)?),
            (two(h0, h1)?, two(n0, n1)?, two(s0, s1)?),
        );
    }
    any_time(text)
}

fn any_time(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    let (digits, _) = run(text);
    match (digits.len(), text.get(4)) {
        (4, Some(b'-')) => {}
        // 20240102T030405Z and 20240102 alone.
        (8, _) if matches!(text.get(8), Some(b'T') | None) => {}
        _ => return epoch(text),
    }
    let (year, rest) = fixed(text, 4)?;
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let (month, rest) = fixed(rest, 2)?;
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let (day, rest) = fixed(rest, 2)?;
    if rest.is_empty() {
        return instant(year, (month, day), (0, 0, 0));
    }
    let rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b" "))?;
    let (hour, rest) = fixed(rest, 2)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (minute, rest) = fixed(rest, 2)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (second, rest) = fixed(rest, 2).unwrap_or((0, rest));
    let (micros, rest) = match rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) {
        Some(rest) => fraction(rest),
        None => (0, rest),
    };
    let offset = offset(rest)?;
    Some(instant(year, (month, day), (hour, minute, second))? + micros - offset)
}

/// Seconds, milli-, micro- or nanoseconds since 1970.
fn epoch(text: &[u8]) -> Option<i64> {
    let (sign, unsigned) = match text.strip_prefix(b"-") {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (digits, rest) = run(unsigned);
    let whole = number(digits).filter(|_| !digits.is_empty())?;
    match rest {
        [] => match digits.len() {
            ..=11 => whole.checked_mul(SECOND),
            12..=14 => whole.checked_mul(1_000),
            15..=17 => Some(whole),
            _ => Some(whole / 1_000),
        },
        [b'.', rest @ ..] if digits.len() <= 11 && run(rest).1.is_empty() => {
            whole.checked_mul(SECOND)?.checked_add(fraction(rest).0)
        }
        _ => float(unsigned),
    }
    .map(|micros| sign * micros)
}

/// A number with an exponent, in seconds, or in milliseconds where it is too large for that.
#[expect(clippy::cast_possible_truncation, reason = "bounded before")]
fn float(text: &[u8]) -> Option<i64> {
    let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    let micros = if value < 1e11 { value * 1e6 } else { value * 1e3 };
    (micros.is_finite() && micros < 1e18).then_some(micros.round() as i64)
}

/// An offset from UTC in microseconds: `Z`, ` UTC`, `+11:00`, `-0800`, `+11`, or nothing.
fn offset(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii_start();
    let (sign, rest) = match text {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = fixed(rest, 2)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let minutes = if rest.is_empty() { 0 } else { fixed(rest, 2).filter(|f| f.1.is_empty())?.0 };
    Some(sign * (hours * 60 + minutes) * 60 * SECOND)
}

/// The digits behind a point as microseconds, and what follows them.
fn fraction(text: &[u8]) -> (i64, &[u8]) {
    let (digits, rest) = run(text);
    let mut padded = [b'0'; 6];
    for (place, digit) in padded.iter_mut().zip(digits) {
        *place = *digit;
    }
    (number(&padded).unwrap_or(0), rest)
}

/// The digits that `text` begins with, and the rest.
fn run(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len()))
}

fn fixed(text: &[u8], length: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(length)?;
    Some((number(digits)?, rest))
}

#[inline]
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(i64::from(digit))
    })
}

#[inline]
fn instant(
    year: i64,
    (month, day): (i64, i64),
    (hour, minute, second): (i64, i64, i64),
) -> Option<i64> {
    let days = days_from_civil(year, month, day)?;
    // A leap second is 23:59:60.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * SECOND)
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, if there is such a day.
///
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": `days_from_civil`.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    // The year begins in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}
