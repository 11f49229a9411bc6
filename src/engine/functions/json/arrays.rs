//! The functions over JSON arrays.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanBuilder, Int64Builder, LargeStringBuilder},
    datatypes::{DataType, Float64Type, Int64Type},
};
use datafusion::{
    common::{plan_err, utils::take_function_args},
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::{
    FAMILY, Members, done,
    find::{Elements, Finder, unescaped},
    is_float, json, one, rows, walk_one, write,
};
use crate::{
    engine::{
        functions::{
            Function,
            scalar::{Scalar, Text, is_varchar},
        },
        types::type_name,
    },
    logs::cloudtrail::scan,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "json_array_get",
            aliases: &[],
            family: FAMILY,
            signature: "json_array_get(json_array, index) → json",
            text: "The element at the index, from 0; a negative one counts from the end. As in \
                   Trino a string comes without its quotes, which is no JSON any more: \
                   json_extract(…, '$[0]') does better.",
            examples: &[
                ("json_array_get('[[3, 9], 5]', 0)", "[3,9]"),
                ("json_array_get('[[3, 9], 5]', -1)", "5"),
                (r#"json_array_get('["a"]', 0)"#, "a"),
                ("json_array_get('[]', 0)", "NULL"),
            ],
            make: || Scalar::new("json_array_get", index, |_| Ok(DataType::LargeUtf8), get).made(),
        },
        Function {
            name: "json_array_length",
            aliases: &[],
            family: FAMILY,
            signature: "json_array_length(json) → bigint",
            text: "How many elements the array has; NULL for anything that is no JSON array.",
            examples: &[
                ("json_array_length('[1, 2, 3]')", "3"),
                ("json_array_length('{}')", "NULL"),
            ],
            make: || {
                let coerce = |types: &[DataType]| one("json_array_length", types, json);
                Scalar::new("json_array_length", coerce, |_| Ok(DataType::Int64), length).made()
            },
        },
        Function {
            name: "json_array_contains",
            aliases: &[],
            family: FAMILY,
            signature: "json_array_contains(json, value) → boolean",
            text: "Whether the array has the value, a boolean, number or string, as an element. \
                   Whole numbers are found among those written without fraction or exponent only, \
                   doubles among the others; NULL for anything that is no JSON array.",
            examples: &[
                ("json_array_contains('[1, 2, 3]', 2)", "true"),
                (r#"json_array_contains('["a", "b"]', 'c')"#, "false"),
                ("json_array_contains('no array', 'c')", "NULL"),
            ],
            make: || {
                Scalar::new("json_array_contains", value, |_| Ok(DataType::Boolean), contains)
                    .made()
            },
        },
    ]
}

fn index(types: &[DataType]) -> Result<Vec<DataType>> {
    let [array, index] = take_function_args("json_array_get", types)?;
    if !(index.is_integer() || index.is_null()) {
        return plan_err!("json_array_get takes a bigint as index, not {}", type_name(index));
    }
    Ok(vec![json("json_array_get", array)?, DataType::Int64])
}

fn value(types: &[DataType]) -> Result<Vec<DataType>> {
    let [array, value] = take_function_args("json_array_contains", types)?;
    let value = match value {
        DataType::Boolean => DataType::Boolean,
        DataType::Null => DataType::Utf8,
        integer if integer.is_integer() => DataType::Int64,
        number if number.is_numeric() => DataType::Float64,
        text if is_varchar(text) => text.clone(),
        DataType::Dictionary(_, text) if is_varchar(text) => (**text).clone(),
        other => {
            return plan_err!(
                "json_array_contains looks for a boolean, number or varchar, not {}",
                type_name(other)
            );
        }
    };
    Ok(vec![json("json_array_contains", array)?, value])
}

/// The elements of `text`, if it begins as an array.
fn elements(text: &str) -> Option<Elements<'_>> {
    let open = scan::space(text.as_bytes(), 0);
    (text.as_bytes().get(open) == Some(&b'[')).then(|| Elements::new(text, open))
}

fn count(finder: &mut Finder, text: &str) -> Option<i64> {
    let mut elements = elements(text)?;
    let n = std::iter::from_fn(|| elements.next(finder)).count();
    elements.closed.then(|| i64::try_from(n).ok())?
}

fn length(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (mut finder, mut lengths) = (Finder::new(), Int64Builder::new());
    walk_one(args, |row| {
        lengths.append_option(row.and_then(|row| count(&mut finder, row)));
        Ok(())
    })?;
    done(args, Arc::new(lengths.finish()))
}

fn get(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let [array, index] = take_function_args("json_array_get", &args.args)?;
    let rows = rows(args);
    let (array, index) = (array.to_array(rows)?, index.to_array(rows)?);
    let (array, index) = (Text::of(&array)?, index.as_primitive::<Int64Type>());
    let (mut finder, mut found) = (Finder::new(), LargeStringBuilder::new());
    for row in 0..rows {
        let at = index.is_valid(row).then(|| index.value(row));
        let raw = array.get(row).zip(at).and_then(|(text, at)| nth(&mut finder, text, at));
        found.append_option(raw.map(element).transpose()?.flatten());
    }
    done(args, Arc::new(found.finish()))
}

/// The element at `index`, which counts from the end where it is negative.
fn nth<'a>(finder: &mut Finder, text: &'a str, index: i64) -> Option<&'a str> {
    let index = if index < 0 { count(finder, text)?.checked_add(index)? } else { index };
    let mut elements = elements(text)?;
    for _ in 0..usize::try_from(index).ok()? {
        elements.next(finder)?;
    }
    elements.next(finder)
}

/// An element as Trino's `json_array_get` gives it: strings bare, null as nothing.
fn element(raw: &str) -> Result<Option<Cow<'_, str>>> {
    if let Some(inside) = scan::inside(raw) {
        return Ok(Some(unescaped(inside)));
    }
    if !raw.starts_with(['{', '[']) {
        return Ok((raw != "null").then_some(Cow::Borrowed(raw)));
    }
    let mut text = String::new();
    write(raw, Members::InOrder, &mut text)?;
    Ok(Some(Cow::Owned(text)))
}

/// What an element is compared with.
enum Wanted<'a> {
    Boolean(bool),
    Bigint(i64),
    Double(f64),
    Varchar(&'a str),
}

impl Wanted<'_> {
    fn is(&self, raw: &str) -> bool {
        let number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        match self {
            Self::Boolean(value) => raw == if *value { "true" } else { "false" },
            Self::Bigint(value) => number && !is_float(raw) && raw.parse() == Ok(*value),
            #[expect(clippy::float_cmp, reason = "it is equality that is asked for")]
            Self::Double(value) => {
                number && is_float(raw) && raw.parse::<f64>().is_ok_and(|n| n == *value)
            }
            Self::Varchar(value) => scan::inside(raw).is_some_and(|text| unescaped(text) == *value),
        }
    }
}

fn contains(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let [array, value] = take_function_args("json_array_contains", &args.args)?;
    let rows = rows(args);
    let (array, values) = (array.to_array(rows)?, value.to_array(rows)?);
    let array = Text::of(&array)?;
    let texts = Text::of(&values).ok();
    let (mut finder, mut found) = (Finder::new(), BooleanBuilder::new());
    for row in 0..rows {
        let wanted = wanted(&values, texts.as_ref(), row);
        found.append_option(
            array.get(row).zip(wanted).and_then(|(text, wanted)| has(&mut finder, text, &wanted)),
        );
    }
    done(args, Arc::new(found.finish()))
}

fn wanted<'a>(values: &ArrayRef, texts: Option<&Text<'a>>, row: usize) -> Option<Wanted<'a>> {
    if values.is_null(row) {
        return None;
    }
    match values.data_type() {
        DataType::Boolean => Some(Wanted::Boolean(values.as_boolean().value(row))),
        DataType::Int64 => Some(Wanted::Bigint(values.as_primitive::<Int64Type>().value(row))),
        DataType::Float64 => Some(Wanted::Double(values.as_primitive::<Float64Type>().value(row))),
        _ => texts?.get(row).map(Wanted::Varchar),
    }
}

fn has(finder: &mut Finder, text: &str, wanted: &Wanted<'_>) -> Option<bool> {
    if matches!(wanted, Wanted::Double(value) if !value.is_finite()) {
        return Some(false);
    }
    let mut elements = elements(text)?;
    while let Some(raw) = elements.next(finder) {
        if wanted.is(raw) {
            return Some(true);
        }
    }
    elements.closed.then_some(false)
}
