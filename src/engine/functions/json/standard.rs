//! `json_exists`, `json_value` and `json_query` of the SQL standard, as plain calls.
//!
//! <https://trino.io/docs/current/functions/json.html>, "JSON path language" and what follows. Of
//! the path language there are the modes, members (`.name`, `."name"`, `.*`) and elements (`[0]`,
//! `[last]`, `[*]`); filters, methods and arithmetic are refused. Of the clauses there are the
//! defaults: FALSE or NULL on error and on nothing found, no wrapper, quotes kept.
//!
//! Unlike [`super::path`] this reads the whole text: of a repeated member the last one counts.

use std::{borrow::Cow, sync::Arc};

use arrow::{array::BooleanBuilder, datatypes::DataType};
use datafusion::{
    common::{exec_datafusion_err, exec_err, utils::take_function_args},
    error::{DataFusionError, Result},
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::{
    FAMILY, Members, Varchars, done, double_as_varchar, find::Finder, is_float, rows, unescaped,
    write,
};
use crate::{
    engine::functions::{
        Function,
        call::excerpt,
        scalar::{Scalar, Text},
    },
    logs::cloudtrail::scan,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "json_exists",
            aliases: &[],
            family: FAMILY,
            signature: "json_exists(json, json_path) → boolean",
            text: "Whether there is anything at the standard SQL/JSON path, which begins with lax or \
                   strict. False for text that is no JSON.",
            examples: &[
                (r#"json_exists('{"a":[1,2]}', 'lax $.a')"#, "true"),
                (r#"json_exists('{"a":[1,2]}', 'lax $.b')"#, "false"),
            ],
            make: || {
                Scalar::new("json_exists", super::with_path, |_| Ok(DataType::Boolean), exists)
                    .made()
            },
        },
        Function {
            name: "json_value",
            aliases: &[],
            family: FAMILY,
            signature: "json_value(json, json_path) → varchar",
            text: "The one scalar at the standard SQL/JSON path, as text; NULL for null, nothing, \
                   several values, an object or an array.",
            examples: &[
                (r#"json_value('{"a":{"b":"x"}}', 'lax $.a.b')"#, "x"),
                (r#"json_value('{"a":[1,2]}', 'lax $.a[last]')"#, "2"),
            ],
            make: || {
                Scalar::new("json_value", super::with_path, |_| Ok(DataType::Utf8), value).made()
            },
        },
        Function {
            name: "json_query",
            aliases: &[],
            family: FAMILY,
            signature: "json_query(json, json_path) → varchar",
            text: "The one value at the standard SQL/JSON path, as JSON text; NULL for nothing and \
                   for several values.",
            examples: &[
                (r#"json_query('{"a":{"b": 1}}', 'lax $.a')"#, r#"{"b":1}"#),
                (r#"json_query('{"a":"x"}', 'lax $.a')"#, r#""x""#),
            ],
            make: || {
                Scalar::new("json_query", super::with_path, |_| Ok(DataType::Utf8), query).made()
            },
        },
    ]
}

/// One step down, from each value that is reached so far.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Members,
    Element(usize),
    Last,
    Elements,
}

/// A path of the standard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    lax: bool,
    steps: Vec<Step>,
}

impl Path {
    pub(super) fn read(text: &str) -> Result<Self> {
        let trimmed = text.trim_start();
        let (lax, rest) = match (trimmed.strip_prefix("lax"), trimmed.strip_prefix("strict")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(invalid(text, "it begins with `lax` or `strict`")),
        };
        if !rest.starts_with([' ', '\t', '\n', '$']) {
            return Err(invalid(text, "it begins with `lax` or `strict`"));
        }
        let mut rest =
            rest.trim().strip_prefix('$').ok_or_else(|| invalid(text, "expected `$`"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, tail) = step(rest).ok_or_else(|| {
                invalid(
                    text,
                    "only `.name`, `.\"name\"`, `.*`, `[0]`, `[last]` and `[*]` are supported",
                )
            })?;
            steps.push(step);
            rest = tail.trim_start();
        }
        Ok(Self { lax, steps })
    }
}

/// The step that `text` begins with, and the rest.
fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(inside) = text.strip_prefix('[') {
        let (subscript, rest) = inside.split_once(']')?;
        let step = match subscript.trim() {
            "*" => Step::Elements,
            "last" => Step::Last,
            index if index.bytes().all(|b| b.is_ascii_digit()) => {
                Step::Element(index.parse().ok()?)
            }
            _ => return None,
        };
        return Some((step, rest));
    }
    let name = text.strip_prefix('.')?;
    if let Some(rest) = name.strip_prefix('*') {
        return Some((Step::Members, rest));
    }
    if let Some(mut rest) = name.strip_prefix('"') {
        let mut name = String::new();
        loop {
            let (part, tail) = rest.split_once('"')?;
            name.push_str(part);
            // A quote inside is doubled.
            let Some(more) = tail.strip_prefix('"') else {
                return Some((Step::Member(name), tail));
            };
            name.push('"');
            rest = more;
        }
    }
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let (name, rest) = name.split_at_checked(end.unwrap_or(name.len()))?;
    let method = rest.trim_start().starts_with('(');
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (named && !method).then(|| (Step::Member(name.to_owned()), rest))
}

fn invalid(text: &str, why: &str) -> DataFusionError {
    exec_datafusion_err!("invalid SQL/JSON path '{}': {why}", excerpt(text))
}

/// The values that `path` leads to in `text`; nothing where that is an error, which the defaults of
/// the three functions turn into false and NULL.
pub(super) fn items<'a>(finder: &mut Finder, text: &'a str, path: &Path) -> Option<Vec<&'a str>> {
    let mut items = vec![finder.whole(text)?];
    for step in &path.steps {
        let mut next = Vec::new();
        for item in items {
            let inner = matches!(step, Step::Member(_) | Step::Members);
            if path.lax && inner && item.starts_with('[') {
                for range in scan::elements(item, 0) {
                    down(item.get(range)?, step, true, &mut next)?;
                }
            } else {
                down(item, step, path.lax, &mut next)?;
            }
        }
        items = next;
    }
    Some(items)
}

/// Adds what `step` finds in `item`; nothing where the mode makes its absence an error.
fn down<'a>(item: &'a str, step: &Step, lax: bool, found: &mut Vec<&'a str>) -> Option<()> {
    let before = found.len();
    match step {
        Step::Member(_) | Step::Members if !item.starts_with('{') => return lax.then_some(()),
        Step::Member(name) => {
            let same = |entry: &scan::Entry| {
                item.get(entry.key.clone()).is_some_and(|key| unescaped(key) == *name)
            };
            if let Some(entry) = scan::entries(item, 0).filter(same).last() {
                found.push(item.get(entry.value)?);
            }
        }
        Step::Members => {
            found.extend(scan::entries(item, 0).filter_map(|entry| item.get(entry.value)));
            return Some(());
        }
        // A value that is no array counts as an array of one.
        _ if !item.starts_with('[') => {
            if !lax {
                return None;
            }
            if *step != Step::Element(0) && matches!(step, Step::Element(_)) {
                return Some(());
            }
            found.push(item);
        }
        Step::Element(index) => {
            found.extend(scan::elements(item, 0).nth(*index).and_then(|range| item.get(range)));
        }
        Step::Last => {
            found.extend(scan::elements(item, 0).last().and_then(|range| item.get(range)));
        }
        Step::Elements => {
            found.extend(scan::elements(item, 0).filter_map(|range| item.get(range)));
            return Some(());
        }
    }
    (lax || found.len() > before).then_some(())
}

/// Gives each row's values to `each`: nothing for a row that is NULL, `Some(None)` for an error.
fn walk(
    args: &ScalarFunctionArgs,
    mut each: impl FnMut(Option<Option<Vec<&str>>>) -> Result<()>,
) -> Result<()> {
    let [document, path] = take_function_args("a function of JSON", &args.args)?;
    let ColumnarValue::Scalar(path) = path else {
        return exec_err!("an SQL/JSON path is a literal");
    };
    let path = path.try_as_str().flatten().map(Path::read).transpose()?;
    let document = document.to_array(rows(args))?;
    let document = Text::of(&document)?;
    let mut finder = Finder::new();
    (0..rows(args)).try_for_each(|row| {
        each(
            document.get(row).zip(path.as_ref()).map(|(text, path)| items(&mut finder, text, path)),
        )
    })
}

fn exists(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let mut found = BooleanBuilder::new();
    walk(args, |row| {
        found.append_option(row.map(|items| items.is_some_and(|items| !items.is_empty())));
        Ok(())
    })?;
    done(args, Arc::new(found.finish()))
}

fn value(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let mut found = Varchars::default();
    walk(args, |row| {
        let items = row.flatten().unwrap_or_default();
        let scalar = match items.as_slice() {
            [raw] if !raw.starts_with(['{', '[', 'n']) => match scan::inside(raw) {
                Some(inside) => Some(unescaped(inside)),
                None if !raw.starts_with(['t', 'f']) && is_float(raw) => {
                    raw.parse().ok().map(|value| Cow::Owned(double_as_varchar(value)))
                }
                None => Some(Cow::Borrowed(*raw)),
            },
            _ => None,
        };
        found.push(scalar.as_deref())
    })?;
    done(args, found.finish())
}

fn query(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let mut found = Varchars::default();
    let mut text = String::new();
    walk(args, |row| {
        let items = row.flatten().unwrap_or_default();
        let [raw] = items.as_slice() else {
            return found.push(None);
        };
        text.clear();
        write(raw, Members::InOrder, &mut text)?;
        found.push(Some(&text))
    })?;
    done(args, found.finish())
}
