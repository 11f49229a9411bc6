//! Regular expressions: <https://trino.io/docs/current/functions/regexp.html>.
//!
//! Patterns are Java's, as far as an engine goes that never takes more than linear time: what it
//! lacks (look-around, back references, possessive quantifiers) is refused by name.

mod pattern;
mod replacement;

use std::rc::Rc;

use arrow::datatypes::DataType;
use datafusion::{
    common::{ScalarValue, exec_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use self::{
    pattern::{Pattern, Patterns},
    replacement::Replacement,
};
use super::{
    Function,
    call::{
        Call,
        Kind::{BigInt, Varchar},
        bigint, boolean, given, scalar, take, too_large, varchar, varchars,
    },
    scalar::Returns,
};

const FAMILY: &str = "regular expressions";

pub(super) fn functions() -> Vec<Function> {
    let mut all = finding();
    all.extend(changing());
    all
}

fn finding() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "regexp_like",
            [],
            "regexp_like(string, pattern) → boolean",
            "Whether the pattern matches anywhere in the string; `^` and `$` anchor it.",
            [("regexp_like('DeleteTrail', '^(Stop|Delete)')", "true")],
            |types| take(types, &[&[Varchar, Varchar]]),
            |args| known(args, boolean),
            like
        ),
        scalar!(
            FAMILY,
            "regexp_extract",
            [],
            "regexp_extract(string, pattern[, group]) → varchar",
            "The first match, or what a group of it matched; NULL where there is none.",
            [
                ("regexp_extract('key=AKIA1;', 'key=(\\w+)', 1)", "AKIA1"),
                ("regexp_extract('abc', '[0-9]+')", "NULL"),
            ],
            |types| take(types, &[&[Varchar, Varchar], &[Varchar, Varchar, BigInt]]),
            |args| known(args, varchar),
            extract
        ),
        scalar!(
            FAMILY,
            "regexp_extract_all",
            [],
            "regexp_extract_all(string, pattern[, group]) → array(varchar)",
            "All matches, or what a group of each matched.",
            [("cardinality(regexp_extract_all('1a 2b 14m', '\\d+'))", "3")],
            |types| take(types, &[&[Varchar, Varchar], &[Varchar, Varchar, BigInt]]),
            |args| known(args, varchars),
            extract_all
        ),
        scalar!(
            FAMILY,
            "regexp_count",
            [],
            "regexp_count(string, pattern) → bigint",
            "How often the pattern matches.",
            [("regexp_count('1a 2b 14m', '\\s*[a-z]+\\s*')", "3")],
            |types| take(types, &[&[Varchar, Varchar]]),
            |args| known(args, bigint),
            count
        ),
        scalar!(
            FAMILY,
            "regexp_position",
            [],
            "regexp_position(string, pattern[, start[, occurrence]]) → bigint",
            "Where the pattern matches, from a start on and the so manieth time; both count from \
             1. -1 where it does not.",
            [("regexp_position('a1b22', '\\d', 3)", "4"), ("regexp_position('abc', '\\d')", "-1")],
            |types| {
                let forms: [&[_]; 3] = [
                    &[Varchar, Varchar],
                    &[Varchar, Varchar, BigInt],
                    &[Varchar, Varchar, BigInt, BigInt],
                ];
                take(types, &forms)
            },
            |args| known(args, bigint),
            position
        ),
    ]
}

fn changing() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "regexp_replace",
            [],
            "regexp_replace(string, pattern[, replacement]) → varchar",
            "The string with every match replaced, or taken out. `$1` and `${name}` stand for \
             groups, `\\$` for the character.",
            [
                ("regexp_replace('1a 2b', '(\\d)([ab])', '$2$1')", "a1 b2"),
                ("regexp_replace('a1b22', '\\d')", "ab"),
            ],
            |types| take(types, &[&[Varchar, Varchar], &[Varchar, Varchar, Varchar]]),
            |args| known(args, varchar),
            replace
        ),
        scalar!(
            FAMILY,
            "regexp_split",
            [],
            "regexp_split(string, pattern) → array(varchar)",
            "The pieces between the matches, empty ones too.",
            [("regexp_split('1a 2b', '\\s+')[2]", "2b")],
            |types| take(types, &[&[Varchar, Varchar]]),
            |args| known(args, varchars),
            split
        ),
    ]
}

/// The type that `returns` gives, where a pattern that is a literal is one: that is told before any
/// row is read.
fn known(args: &ReturnFieldArgs<'_>, returns: Returns) -> Result<DataType> {
    let literal = args.scalar_arguments.get(1).copied().flatten();
    if let Some(text) = literal.and_then(ScalarValue::try_as_str).flatten() {
        pattern::check(text)?;
    }
    returns(args)
}

fn like(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, mut patterns) = (call.texts(0)?, Patterns::new(call.texts(1)?));
    let (_, one) = call.column(1)?;
    if let (true, Some(pattern)) = (one, patterns.get(0)?) {
        return call.make_booleans(|row| {
            let text = given!(texts.get(row));
            Ok(Some(pattern.over(text)?.is_match(text)))
        });
    }
    call.make_booleans(|row| {
        let text = given!(texts.get(row));
        let pattern = given!(patterns.get(row)?);
        Ok(Some(pattern.over(text)?.is_match(text)))
    })
}

/// The groups that are asked for, the whole match where none is.
struct Groups<'a>(Option<super::call::Longs<'a>>);

impl Groups<'_> {
    fn get(&self, row: usize, pattern: &Pattern) -> Result<Option<usize>> {
        let group = match &self.0 {
            Some(groups) => given!(groups.get(row)),
            None => 0,
        };
        let last = pattern.groups();
        match usize::try_from(group) {
            Ok(group) if group <= last => Ok(Some(group)),
            _ => exec_err!("the pattern has {last} groups; there is no group {group}"),
        }
    }
}

fn extract(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, mut patterns) = (call.texts(0)?, Patterns::new(call.texts(1)?));
    let groups = Groups(call.optional_longs(2)?);
    call.cut_text(|row| {
        let text = given!(texts.get(row));
        let pattern = given!(patterns.get(row)?);
        let group = given!(groups.get(row, &pattern)?);
        let regex = pattern.over(text)?;
        if group == 0 {
            return Ok(regex.find(text).map(|found| found.as_str()));
        }
        let found = regex.captures(text).and_then(|captures| captures.get(group));
        Ok(found.map(|found| found.as_str()))
    })
}

fn extract_all(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, mut patterns) = (call.texts(0)?, Patterns::new(call.texts(1)?));
    let groups = Groups(call.optional_longs(2)?);
    call.make_lists(|row, elements| {
        let text = given!(texts.get(row));
        let pattern = given!(patterns.get(row)?);
        let group = given!(groups.get(row, &pattern)?);
        pattern.each(text, |captures| {
            elements.push(captures.get(group).map(|found| found.as_str()))
        })?;
        Ok(Some(()))
    })
}

fn count(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, mut patterns) = (call.texts(0)?, Patterns::new(call.texts(1)?));
    call.make_longs(|row| {
        let text = given!(texts.get(row));
        let pattern = given!(patterns.get(row)?);
        let matches = pattern.matches(text, 0)?.count();
        Ok(Some(i64::try_from(matches).unwrap_or(i64::MAX)))
    })
}

fn position(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, mut patterns) = (call.texts(0)?, Patterns::new(call.texts(1)?));
    let (starts, occurrences) = (call.optional_longs(2)?, call.optional_longs(3)?);
    let number = |numbers: &Option<super::call::Longs<'_>>, row: usize| match numbers {
        Some(numbers) => numbers.get(row),
        None => Some(1),
    };
    call.make_longs(|row| {
        let text = given!(texts.get(row));
        let pattern = given!(patterns.get(row)?);
        let start = given!(number(&starts, row));
        let occurrence = given!(number(&occurrences, row));
        let (Ok(start @ 1..), Ok(occurrence @ 1..)) =
            (usize::try_from(start), usize::try_from(occurrence))
        else {
            return exec_err!(
                "start and occurrence of regexp_position count from 1; they are {start} and \
                 {occurrence}"
            );
        };
        // Behind the last character nothing is found, not even the end.
        let Some((from, _)) = text.char_indices().nth(start - 1) else { return Ok(Some(-1)) };
        let found = pattern.matches(text, from)?.nth(occurrence - 1);
        let before = found.and_then(|found| text.get(..found.start()));
        let place = |before: &str| i64::try_from(before.chars().count() + 1).unwrap_or(i64::MAX);
        Ok(Some(before.map_or(-1, place)))
    })
}

/// More than one string may grow to.
const LONGEST: usize = 256 << 20;

fn replace(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, mut patterns) = (call.texts(0)?, Patterns::new(call.texts(1)?));
    let replacements = call.optional_texts(2)?;
    let mut last: Option<(&str, Rc<Pattern>, Replacement)> = None;
    call.write_text(|row, out| {
        let text = given!(texts.get(row));
        let pattern = given!(patterns.get(row)?);
        let template = match &replacements {
            Some(replacements) => given!(replacements.get(row)),
            None => "",
        };
        let replacement = match &last {
            Some((seen, with, replacement)) if *seen == template && Rc::ptr_eq(with, &pattern) => {
                replacement
            }
            _ => {
                let parsed = Replacement::parse(template, &pattern)?;
                &last.insert((template, Rc::clone(&pattern), parsed)).2
            }
        };
        let mut end = 0;
        let mut before = |from: usize, out: &mut String, to: usize| {
            out.push_str(text.get(end..from).unwrap_or_default());
            end = to;
        };
        let checked = |out: &String| if out.len() > LONGEST { too_large() } else { Ok(()) };
        if let Some(literal) = replacement.literal() {
            for found in pattern.matches(text, 0)? {
                before(found.start(), out, found.end());
                out.push_str(literal);
                checked(out)?;
            }
        } else {
            pattern.each(text, |captures| {
                if let Some(whole) = captures.get(0) {
                    before(whole.start(), out, whole.end());
                }
                replacement.write(captures, out);
                checked(out)
            })?;
        }
        before(text.len(), out, text.len());
        Ok(Some(()))
    })
}

fn split(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, mut patterns) = (call.texts(0)?, Patterns::new(call.texts(1)?));
    call.make_lists(|row, elements| {
        let text = given!(texts.get(row));
        let pattern = given!(patterns.get(row)?);
        let mut end = 0;
        for found in pattern.matches(text, 0)? {
            elements.push(text.get(end..found.start()))?;
            end = found.end();
        }
        elements.push(text.get(end..))?;
        Ok(Some(()))
    })
}
