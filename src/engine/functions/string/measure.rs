//! What strings are: their length, their distance, their code points.

use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};
use std::sync::Arc;

use arrow::{array::Int32Builder, datatypes::DataType};

use super::{
    super::{
        Function, Made,
        call::{
            Call,
            Kind::{Varbinary, Varchar},
            bigint, boolean, given, quoted, scalar, take, varchar,
        },
    },
    FAMILY, characters, count,
};

pub(super) fn functions() -> Vec<Function> {
    let mut all = distances();
    all.extend(kinds());
    all
}

fn distances() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "length",
            ["char_length", "character_length"],
            "length(string or varbinary) → bigint",
            "How many characters a string has, or bytes a varbinary.",
            [("length('日本語')", "3"), ("length(to_utf8('日本語'))", "9")],
            |types| take(types, &[&[Varchar], &[Varbinary]]),
            bigint,
            length
        ),
        scalar!(
            FAMILY,
            "levenshtein_distance",
            [],
            "levenshtein_distance(string, string) → bigint",
            "How many characters must be inserted, deleted or replaced to get from one string to \
             the other.",
            [("levenshtein_distance('kitten', 'sitting')", "3")],
            |types| take(types, &[&[Varchar, Varchar]]),
            bigint,
            levenshtein
        ),
        scalar!(
            FAMILY,
            "hamming_distance",
            [],
            "hamming_distance(string, string) → bigint",
            "At how many places two strings of the same length differ.",
            [("hamming_distance('karolin', 'kathrin')", "3")],
            |types| take(types, &[&[Varchar, Varchar]]),
            bigint,
            hamming
        ),
        scalar!(
            FAMILY,
            "soundex",
            [],
            "soundex(string) → varchar",
            "The Soundex code of a name: names that sound alike in English have the same.",
            [("soundex('Robert') = soundex('Rupert')", "true")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            soundex
        ),
    ]
}

fn kinds() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "codepoint",
            [],
            "codepoint(character) → integer",
            "The Unicode code point of a string of one character.",
            [("codepoint('é')", "233")],
            |types| take(types, &[&[Varchar]]),
            |_| Ok(DataType::Int32),
            codepoint
        ),
        scalar!(
            FAMILY,
            "luhn_check",
            [],
            "luhn_check(string) → boolean",
            "Whether a string of digits ends in its right Luhn check digit, as card numbers do.",
            [("luhn_check('79927398713')", "true")],
            |types| take(types, &[&[Varchar]]),
            boolean,
            luhn_check
        ),
        Function {
            name: "starts_with",
            aliases: &[],
            family: FAMILY,
            signature: "starts_with(string, start) → boolean",
            text: "Whether a string starts with another.",
            examples: &[("starts_with('arn:aws:s3', 'arn:')", "true")],
            make: || Made::Native,
        },
        Function {
            name: "ends_with",
            aliases: &[],
            family: FAMILY,
            signature: "ends_with(string, end) → boolean",
            text: "Whether a string ends with another.",
            examples: &[("ends_with('file.gz', '.gz')", "true")],
            make: || Made::Native,
        },
    ]
}

fn length(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    if let Ok(bytes) = call.bytes(0) {
        return call.make_longs(|row| Ok(bytes.get(row).map(|bytes| count(bytes.len()))));
    }
    let texts = call.texts(0)?;
    call.make_longs(|row| Ok(texts.get(row).map(|text| count(characters(text)))))
}

/// The work for a pair of strings that is still done: the product of their lengths.
const MOST_WORK: usize = 1_000_000;

fn levenshtein(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (lefts, rights) = (call.texts(0)?, call.texts(1)?);
    let (mut right, mut costs) = (Vec::new(), Vec::new());
    call.make_longs(|row| {
        let left = given!(lefts.get(row));
        right.clear();
        right.extend(given!(rights.get(row)).chars());
        if characters(left).saturating_mul(right.len()) > MOST_WORK {
            return exec_err!(
                "the strings are too long for levenshtein_distance: the product of their lengths \
                 is more than {MOST_WORK}"
            );
        }
        // costs[j]: from what was seen of `left` to the first j characters of `right`.
        costs.clear();
        costs.extend(0..=right.len());
        for (seen, from) in left.chars().enumerate() {
            let mut diagonal = seen;
            let mut before = seen + 1;
            if let Some(first) = costs.first_mut() {
                *first = before;
            }
            for (to, cost) in right.iter().zip(costs.iter_mut().skip(1)) {
                let replaced = diagonal + usize::from(from != *to);
                diagonal = *cost;
                before = replaced.min(*cost + 1).min(before + 1);
                *cost = before;
            }
        }
        Ok(Some(count(costs.last().copied().unwrap_or_default())))
    })
}

fn hamming(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (lefts, rights) = (call.texts(0)?, call.texts(1)?);
    call.make_longs(|row| {
        let (left, right) = (given!(lefts.get(row)), given!(rights.get(row)));
        if characters(left) != characters(right) {
            return exec_err!(
                "hamming_distance takes strings of the same length, not {} and {}",
                quoted(left),
                quoted(right)
            );
        }
        let pairs = left.chars().zip(right.chars());
        Ok(Some(count(pairs.filter(|(left, right)| left != right).count())))
    })
}

/// The code of a letter: consonants by how they are spoken, `0` for what is not.
fn soundex_digit(letter: char) -> char {
    match letter {
        'B' | 'F' | 'P' | 'V' => '1',
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => '2',
        'D' | 'T' => '3',
        'L' => '4',
        'M' | 'N' => '5',
        'R' => '6',
        _ => '0',
    }
}

fn soundex(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    const LENGTH: usize = 4;
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    call.write_text(|row, out| {
        let text = given!(texts.get(row));
        if let Some(other) = text.chars().find(|c| c.is_alphabetic() && !c.is_ascii()) {
            return exec_err!("soundex knows the letters of English only, not '{other}'");
        }
        let letters = text.chars().filter(char::is_ascii_alphabetic);
        let mut letters = letters.map(|letter| letter.to_ascii_uppercase());
        let Some(first) = letters.next() else { return Ok(Some(())) };
        out.push(first);
        let mut last = soundex_digit(first);
        // H and W do not part two letters of one code; vowels do.
        for letter in letters.filter(|letter| !matches!(letter, 'H' | 'W')) {
            let digit = soundex_digit(letter);
            if digit != '0' && digit != last && out.len() < LENGTH {
                out.push(digit);
            }
            last = digit;
        }
        while out.len() < LENGTH {
            out.push('0');
        }
        Ok(Some(()))
    })
}

fn codepoint(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    let mut points = Int32Builder::with_capacity(call.rows());
    for row in 0..call.rows() {
        let Some(text) = texts.get(row) else {
            points.append_null();
            continue;
        };
        let mut all = text.chars();
        match (all.next(), all.next()) {
            (Some(one), None) => points.append_option(i32::try_from(u32::from(one)).ok()),
            _ => return exec_err!("codepoint takes one character, not {}", quoted(text)),
        }
    }
    call.finish(Arc::new(points.finish()))
}

fn luhn_check(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    call.make_booleans(|row| {
        let text = given!(texts.get(row));
        let mut sum = 0_u64;
        for (place, character) in text.chars().rev().enumerate() {
            let Some(digit) = character.to_digit(10) else {
                return exec_err!("luhn_check takes digits only, not {}", quoted(text));
            };
            let weighed = if place % 2 == 1 { digit * 2 } else { digit };
            sum += u64::from(if weighed > 9 { weighed - 9 } else { weighed });
        }
        Ok(Some(!text.is_empty() && sum.is_multiple_of(10)))
    })
}
