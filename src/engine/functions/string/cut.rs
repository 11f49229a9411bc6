//! Parts of strings: `substr`, `trim`, where something is.

use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};
use memchr::memmem;

use super::{
    super::{
        Function,
        call::{
            Call,
            Kind::{BigInt, Varbinary, Varchar},
            as_first, bigint, given, scalar, take, varchar,
        },
    },
    FAMILY, byte_of, characters, count,
};

pub(super) fn functions() -> Vec<Function> {
    let mut all = positions();
    all.extend(trims());
    all
}

fn positions() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "substr",
            ["substring"],
            "substr(string, start[, length]) → varchar",
            "The rest of the string from a position, or so many characters of it. The first is 1; \
             a negative start counts from the end, 0 gives the empty string.",
            [
                ("substr('2024-03-05T10:20:30Z', 1, 10)", "2024-03-05"),
                ("substr('abcdef', -2)", "ef"),
            ],
            |types| take(
                types,
                &[
                    &[Varchar, BigInt],
                    &[Varchar, BigInt, BigInt],
                    &[Varbinary, BigInt],
                    &[Varbinary, BigInt, BigInt]
                ]
            ),
            as_first,
            substr
        ),
        scalar!(
            FAMILY,
            "strpos",
            ["position"],
            "strpos(string, substring[, instance]) → bigint",
            "Where the substring starts, counted from 1; 0 where it is not found. The third \
             argument asks for a later occurrence, from the end when it is negative.",
            [("strpos('u:7', ':')", "2"), ("strpos('a/b/c', '/', -1)", "4")],
            |types| take(types, &[&[Varchar, Varchar], &[Varchar, Varchar, BigInt]]),
            bigint,
            strpos
        ),
    ]
}

fn trims() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "trim",
            ["btrim"],
            "trim([characters FROM] string) → varchar",
            "The string without white space, or without the characters given, at both ends.",
            [("trim('  a b ')", "a b"), ("trim('x' FROM 'xxaxx')", "a")],
            |types| take(types, &[&[Varchar], &[Varchar, Varchar]]),
            varchar,
            |args| trim(args, true, true)
        ),
        scalar!(
            FAMILY,
            "ltrim",
            [],
            "ltrim(string[, characters]) → varchar",
            "The string without white space, or without the characters given, at its start.",
            [("ltrim('007', '0')", "7")],
            |types| take(types, &[&[Varchar], &[Varchar, Varchar]]),
            varchar,
            |args| trim(args, true, false)
        ),
        scalar!(
            FAMILY,
            "rtrim",
            [],
            "rtrim(string[, characters]) → varchar",
            "The string without white space, or without the characters given, at its end.",
            [("rtrim('logs///', '/')", "logs")],
            |types| take(types, &[&[Varchar], &[Varchar, Varchar]]),
            varchar,
            |args| trim(args, false, true)
        ),
    ]
}

/// The range that `start` and `length` mean in something `size` long.
fn window(size: usize, start: i64, length: Option<i64>) -> (usize, usize) {
    const NOTHING: (usize, usize) = (0, 0);
    let size_i = count(size);
    let from = match start {
        0 => return NOTHING,
        1.. => start - 1,
        _ => size_i.saturating_add(start),
    };
    if from < 0 || from >= size_i || length.is_some_and(|length| length <= 0) {
        return NOTHING;
    }
    let to = length.map_or(size_i, |length| from.saturating_add(length).min(size_i));
    (usize::try_from(from).unwrap_or(size), usize::try_from(to).unwrap_or(size))
}

fn substr(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (starts, lengths) = (call.longs(1)?, call.optional_longs(2)?);
    let length = |row: usize| match &lengths {
        None => Some(None),
        Some(lengths) => lengths.get(row).map(Some),
    };
    if let Ok(bytes) = call.bytes(0) {
        return call.write_bytes(|row, out| {
            let all = given!(bytes.get(row));
            let (start, length) = (given!(starts.get(row)), given!(length(row)));
            let (from, to) = window(all.len(), start, length);
            out.extend_from_slice(all.get(from..to).unwrap_or_default());
            Ok(Some(()))
        });
    }
    let texts = call.texts(0)?;
    call.cut_text(|row| {
        let text = given!(texts.get(row));
        let (start, length) = (given!(starts.get(row)), given!(length(row)));
        let (from, to) = window(characters(text), start, length);
        let range = byte_of(text, from).zip(byte_of(text, to));
        Ok(Some(range.and_then(|(from, to)| text.get(from..to)).unwrap_or_default()))
    })
}

fn strpos(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, parts, instances) = (call.texts(0)?, call.texts(1)?, call.optional_longs(2)?);
    call.make_longs(|row| {
        let (text, part) = (given!(texts.get(row)), given!(parts.get(row)));
        let instance = match &instances {
            Some(instances) => given!(instances.get(row)),
            None => 1,
        };
        if instance == 0 {
            return exec_err!("the instance that strpos looks for cannot be 0");
        }
        if part.is_empty() {
            return Ok(Some(1));
        }
        let found = if instance > 0 {
            from_start(text.as_bytes(), part.as_bytes(), instance)
        } else {
            from_end(text.as_bytes(), part.as_bytes(), instance)
        };
        let before = found.and_then(|at| text.get(..at));
        Ok(Some(before.map_or(0, |before| count(characters(before)) + 1)))
    })
}

/// The `instance`th place of `part`; occurrences may overlap.
fn from_start(text: &[u8], part: &[u8], instance: i64) -> Option<usize> {
    let (mut from, mut left) = (0, instance);
    loop {
        let at = from + memmem::find(text.get(from..)?, part)?;
        left -= 1;
        if left == 0 {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The place of `part` that is the `-instance`th from the end.
fn from_end(text: &[u8], part: &[u8], instance: i64) -> Option<usize> {
    let (mut end, mut left) = (text.len(), instance);
    loop {
        let at = memmem::rfind(text.get(..end)?, part)?;
        left = left.saturating_add(1);
        if left == 0 {
            return Some(at);
        }
        // The next may share all but the last byte with this one.
        end = (at + part.len()).checked_sub(1)?;
    }
}

fn trim(args: &ScalarFunctionArgs, left: bool, right: bool) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, sets) = (call.texts(0)?, call.optional_texts(1)?);
    call.cut_text(|row| {
        let mut text = given!(texts.get(row));
        let set = match &sets {
            Some(sets) => Some(given!(sets.get(row))),
            None => None,
        };
        let goes = |character: char| match set {
            Some(set) => set.contains(character),
            None => is_white_space(character),
        };
        if left {
            text = text.trim_start_matches(goes);
        }
        if right {
            text = text.trim_end_matches(goes);
        }
        Ok(Some(text))
    })
}

/// White space as Java has it: no space that forbids a line break.
fn is_white_space(character: char) -> bool {
    matches!(
        character,
        '\u{9}'..='\u{d}'
            | '\u{1c}'..='\u{20}'
            | '\u{1680}'
            | '\u{2000}'..='\u{2006}'
            | '\u{2008}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{205f}'
            | '\u{3000}'
    )
}
