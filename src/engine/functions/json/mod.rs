//! The functions over JSON text.
//!
//! <https://trino.io/docs/current/functions/json.html>, the part "Other JSON functions", and
//! `json_exists`, `json_value`, `json_query` as far as they are plain calls ([`standard`]).
//!
//! They take text (`varchar`) and the type `json` alike. Text that is no JSON gives NULL; only
//! `json_parse` and `is_json_scalar` fail on it. How a path is followed: [`find`].

mod arrays;
mod find;
mod folded;
mod path;
mod standard;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Int64Builder, LargeStringBuilder, StringBuilder},
    datatypes::DataType,
};
use datafusion::{
    common::{ScalarValue, exec_err, plan_err, utils::take_function_args},
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use self::{
    find::Elements,
    path::{Path, Paths},
};
pub(in crate::engine) use self::{
    find::{Finder, unescaped},
    text::{
        Members, double_as_varchar, is_float, real_as_varchar, write, write_double, write_real,
    },
};
pub(in crate::engine) use super::scalar::Text;
use super::{
    Function,
    call::excerpt,
    scalar::{Scalar, is_varchar},
};
use crate::engine::types::type_name;

const FAMILY: &str = "json";

/// The functions of this family.
pub(super) fn functions() -> Vec<Function> {
    [at_a_path(), of_a_whole(), arrays::functions(), standard::functions()].concat()
}

/// Those that follow a path.
fn at_a_path() -> Vec<Function> {
    vec![
        Function {
            name: "json_extract_scalar",
            aliases: &[],
            family: FAMILY,
            signature: "json_extract_scalar(json, json_path) → varchar",
            text: "The string, number or boolean at the path, as text. NULL for an object, an array \
                   or null, where the path leads nowhere, and where the text is no JSON.",
            examples: &[
                (r#"json_extract_scalar('{"user":{"name":"alice"}}', '$.user.name')"#, "alice"),
                (r#"json_extract_scalar('{"ports":[22,443]}', '$.ports[1]')"#, "443"),
                (r#"json_extract_scalar('{"aws:arn":"a"}', '$["aws:arn"]')"#, "a"),
                (r#"json_extract_scalar('{"user":{}}', '$.user')"#, "NULL"),
            ],
            make: || {
                Scalar::new(
                    "json_extract_scalar",
                    with_path,
                    |_| Ok(DataType::Utf8),
                    extract_scalar,
                )
                .made()
            },
        },
        Function {
            name: "json_extract",
            aliases: &[],
            family: FAMILY,
            signature: "json_extract(json, json_path) → json",
            text: "What is at the path, as JSON. NULL where the path leads nowhere or the text is \
                   no JSON.",
            examples: &[
                (r#"json_extract('{"a":{"b":[1, 2]}}', '$.a')"#, r#"{"b":[1,2]}"#),
                (r#"json_extract('{"a":"x"}', '$.a')"#, r#""x""#),
            ],
            make: || {
                Scalar::new("json_extract", with_path, |_| Ok(DataType::LargeUtf8), extract).made()
            },
        },
        Function {
            name: "json_size",
            aliases: &[],
            family: FAMILY,
            signature: "json_size(json, json_path) → bigint",
            text: "How many members the object, or elements the array, at the path has; 0 for \
                   anything else there.",
            examples: &[
                (r#"json_size('{"x":{"a":1,"b":2}}', '$.x')"#, "2"),
                (r#"json_size('{"x":[1,2,3]}', '$.x')"#, "3"),
                (r#"json_size('{"x":1}', '$.x')"#, "0"),
            ],
            make: || Scalar::new("json_size", with_path, |_| Ok(DataType::Int64), size).made(),
        },
    ]
}

/// Those that take a text as a whole.
fn of_a_whole() -> Vec<Function> {
    vec![
        Function {
            name: "json_parse",
            aliases: &[],
            family: FAMILY,
            signature: "json_parse(string) → json",
            text: "The text as JSON: compact, members sorted by key. Fails on text that is no JSON.",
            examples: &[(r#"json_parse('{"b": 2, "a": 1.0}')"#, r#"{"a":1.0,"b":2}"#)],
            make: || {
                let coerce = |types: &[DataType]| one("json_parse", types, varchar);
                Scalar::new("json_parse", coerce, |_| Ok(DataType::LargeUtf8), parse).made()
            },
        },
        Function {
            name: "json_format",
            aliases: &[],
            family: FAMILY,
            signature: "json_format(json) → varchar",
            text: "JSON as text. Takes the type json alone: what json_parse, json_extract and casts \
                   give.",
            examples: &[(r#"json_format(json_parse('[ "x", 1 ]'))"#, r#"["x",1]"#)],
            make: || {
                let coerce = |types: &[DataType]| one("json_format", types, json_only);
                Scalar::new("json_format", coerce, |_| Ok(DataType::Utf8), format).made()
            },
        },
        Function {
            name: "is_json_scalar",
            aliases: &[],
            family: FAMILY,
            signature: "is_json_scalar(json) → boolean",
            text: "Whether the JSON is a string, a number, true, false or null. Fails on text that \
                   is no JSON.",
            examples: &[("is_json_scalar('1')", "true"), ("is_json_scalar('[1, 2]')", "false")],
            make: || {
                let coerce = |types: &[DataType]| one("is_json_scalar", types, json);
                Scalar::new("is_json_scalar", coerce, |_| Ok(DataType::Boolean), is_scalar).made()
            },
        },
    ]
}

/// What takes JSON in any form: text or `json`.
fn json(name: &str, data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Ok(data_type.clone()),
        DataType::Null => Ok(DataType::Utf8),
        DataType::Dictionary(_, value) => json(name, value),
        other => plan_err!("{name} reads JSON from a varchar or json, not {}", type_name(other)),
    }
}

/// What takes text that is not of type `json`.
fn varchar(name: &str, data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Null => Ok(DataType::Utf8),
        DataType::Dictionary(_, value) => varchar(name, value),
        text if is_varchar(text) => Ok(text.clone()),
        other => plan_err!("{name} takes a varchar, not {}", type_name(other)),
    }
}

/// What takes the type `json` alone.
fn json_only(name: &str, data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Null | DataType::LargeUtf8 => Ok(DataType::LargeUtf8),
        other => {
            plan_err!("{name} takes json, not {}; json_parse makes json of text", type_name(other))
        }
    }
}

type Takes = fn(&str, &DataType) -> Result<DataType>;

fn one(name: &str, types: &[DataType], takes: Takes) -> Result<Vec<DataType>> {
    let [only] = take_function_args(name, types)?;
    Ok(vec![takes(name, only)?])
}

/// JSON and a path.
fn with_path(types: &[DataType]) -> Result<Vec<DataType>> {
    let [document, path] = take_function_args("this function", types)?;
    Ok(vec![json("this function", document)?, varchar("the path", path)?])
}

/// How many rows to work out: one where no argument is a column.
fn rows(args: &ScalarFunctionArgs) -> usize {
    let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    if constant { 1 } else { args.number_rows }
}

/// The outcome of as many rows as [`rows`] says.
fn done(args: &ScalarFunctionArgs, array: ArrayRef) -> Result<ColumnarValue> {
    if args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
    }
    Ok(ColumnarValue::Array(array))
}

/// Gives each row's JSON and path to `each`; nothing where one of them is NULL.
///
/// A path that is written out in the statement is read once a batch.
fn walk(
    args: &ScalarFunctionArgs,
    mut each: impl FnMut(Option<(&str, &Path)>) -> Result<()>,
) -> Result<()> {
    let [document, path] = take_function_args("a function of JSON", &args.args)?;
    let rows = rows(args);
    let document = document.to_array(rows)?;
    let document = Text::of(&document)?;
    if let ColumnarValue::Scalar(path) = path {
        let path = path.try_as_str().flatten().map(Path::read).transpose()?;
        return (0..rows).try_for_each(|row| each(document.get(row).zip(path.as_ref())));
    }
    let texts = path.to_array(rows)?;
    let texts = Text::of(&texts)?;
    let mut paths = Paths::default();
    (0..rows).try_for_each(|row| match document.get(row).zip(texts.get(row)) {
        Some((document, path)) => each(Some((document, paths.get(path)?))),
        None => each(None),
    })
}

/// Gives each row's only argument to `each`.
fn walk_one(args: &ScalarFunctionArgs, each: impl FnMut(Option<&str>) -> Result<()>) -> Result<()> {
    let [document] = take_function_args("a function of JSON", &args.args)?;
    let rows = rows(args);
    let document = document.to_array(rows)?;
    let document = Text::of(&document)?;
    (0..rows).map(|row| document.get(row)).try_for_each(each)
}

/// Builds a column of text, which holds 2 GiB at most.
#[derive(Debug, Default)]
struct Varchars(StringBuilder);

impl Varchars {
    fn push(&mut self, text: Option<&str>) -> Result<()> {
        let length = self.0.values_slice().len() + text.map_or(0, str::len);
        if i32::try_from(length).is_err() {
            return exec_err!("more than 2 GiB of text in one batch of rows");
        }
        self.0.append_option(text);
        Ok(())
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

fn extract_scalar(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (mut finder, mut found) = (Finder::new(), Varchars::default());
    walk(args, |row| {
        let scalar = row.and_then(|(document, path)| finder.scalar(document, path));
        found.push(scalar.as_deref())
    })?;
    done(args, found.finish())
}

fn extract(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (mut finder, mut found) = (Finder::new(), LargeStringBuilder::new());
    let mut text = String::new();
    walk(args, |row| {
        let raw = row.and_then(|(document, path)| {
            let at = finder.find(document, path)?;
            document.get(at..finder.end(document, at)?)
        });
        text.clear();
        found.append_option(raw.map(|raw| {
            text::copy(raw, &mut text);
            text.as_str()
        }));
        Ok(())
    })?;
    done(args, Arc::new(found.finish()))
}

fn size(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (mut finder, mut found) = (Finder::new(), Int64Builder::new());
    walk(args, |row| {
        found.append_option(row.and_then(|(document, path)| {
            let at = finder.find(document, path)?;
            count(&mut finder, document, at)
        }));
        Ok(())
    })?;
    done(args, Arc::new(found.finish()))
}

/// The members or elements of what begins at `at`.
fn count(finder: &mut Finder, document: &str, at: usize) -> Option<i64> {
    let json = document.as_bytes();
    let end = finder.end(document, at)?;
    let n = match json.get(at)? {
        b'{' => crate::logs::cloudtrail::scan::entries(document.get(at..end)?, 0).count(),
        b'[' => {
            let mut elements = Elements::new(document, at);
            std::iter::from_fn(|| elements.next(finder)).count()
        }
        _ => 0,
    };
    i64::try_from(n).ok()
}

fn parse(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (mut finder, mut parsed) = (Finder::new(), LargeStringBuilder::new());
    let mut text = String::new();
    walk_one(args, |row| {
        let Some(row) = row else {
            parsed.append_null();
            return Ok(());
        };
        let Some(raw) = finder.whole(row) else {
            return exec_err!("cannot convert value to JSON: '{}'", excerpt(row));
        };
        text.clear();
        write(raw, Members::Sorted, &mut text)?;
        parsed.append_value(&text);
        Ok(())
    })?;
    done(args, Arc::new(parsed.finish()))
}

fn format(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let mut texts = Varchars::default();
    walk_one(args, |row| texts.push(row))?;
    done(args, texts.finish())
}

fn is_scalar(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (mut finder, mut scalar) = (Finder::new(), arrow::array::BooleanBuilder::new());
    walk_one(args, |row| {
        let raw = match row.map(|row| finder.whole(row).ok_or(row)).transpose() {
            Ok(raw) => raw,
            Err(row) => return exec_err!("invalid JSON value: '{}'", excerpt(row)),
        };
        scalar.append_option(raw.map(|raw| !raw.starts_with(['{', '['])));
        Ok(())
    })?;
    done(args, Arc::new(scalar.finish()))
}
