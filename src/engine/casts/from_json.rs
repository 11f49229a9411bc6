//! Casts from JSON, a column of values at a time.
//!
//! `null` becomes NULL. A string becomes what a cast of its content would be; a number with a
//! fraction or an exponent is a double; numbers, booleans and strings become each other where Trino
//! lets them. Objects and arrays become arrays, maps and rows alone.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{
        ArrayRef, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
        Int32Array, Int64Array, LargeStringArray, ListArray, MapArray, StringArray,
        StringViewArray, StructArray, new_null_array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, FieldRef, Fields},
};
use datafusion::{
    common::{DataFusionError, exec_datafusion_err, exec_err, plan_err},
    error::Result,
};

use super::{JSON, scalar::bigint};
use crate::{
    engine::{
        functions::call::excerpt,
        functions::json::{Finder, Members, Text, double_as_varchar, is_float, unescaped, write},
        types::type_name,
    },
    logs::cloudtrail::scan,
};

/// Fails where JSON cannot be cast to `target`.
pub(super) fn check(target: &DataType) -> Result<()> {
    match target {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Utf8
        | DataType::Utf8View
        | DataType::LargeUtf8 => Ok(()),
        DataType::List(item) => check(item.data_type()),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check(field.data_type())),
        DataType::Map(entries, _) => {
            if let DataType::Struct(pair) = entries.data_type()
                && let [key, value] = pair.as_ref()
                && !key.data_type().is_nested()
                && *key.data_type() != JSON
            {
                check(key.data_type())?;
                return check(value.data_type());
            }
            plan_err!("cannot cast json to {}", type_name(target))
        }
        DataType::Date32 | DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_) => {
            plan_err!(
                "cannot cast json to {}; cast the text that json_extract_scalar gives",
                type_name(target)
            )
        }
        other => plan_err!("cannot cast json to {}", type_name(other)),
    }
}

/// The column of JSON `texts`, cast.
pub(super) fn column(texts: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    if texts.data_type().is_null() {
        return Ok(new_null_array(target, texts.len()));
    }
    let column = Text::of(texts)?;
    let mut finder = Finder::new();
    let whole = |row: usize| match column.get(row) {
        None => Ok(None),
        Some(text) => finder.whole(text).map(Some).ok_or_else(|| {
            let (text, target) = (excerpt(text), type_name(target));
            exec_datafusion_err!("cannot cast '{text}' to {target}: it is no JSON")
        }),
    };
    let values: Result<Vec<Option<&str>>> = (0..texts.len()).map(whole).collect();
    build(&values?, target)
}

fn cannot(raw: &str, target: &DataType) -> DataFusionError {
    exec_datafusion_err!("cannot cast JSON {} to {}", excerpt(raw), type_name(target))
}

/// The column of `values`, each of which is whole JSON.
fn build(values: &[Option<&str>], target: &DataType) -> Result<ArrayRef> {
    let each = || values.iter().map(|value| value.filter(|raw| *raw != "null"));
    let whole = |min: i64, max: i64| {
        each().map(move |value| {
            let cast = |raw| integer(raw).filter(|n| (min..=max).contains(n));
            value.map(|raw| cast(raw).ok_or_else(|| cannot(raw, target))).transpose()
        })
    };
    Ok(match target {
        DataType::LargeUtf8 => Arc::new(texts(values)?),
        DataType::Utf8 => {
            let texts: Vec<Option<Cow<'_, str>>> = varchars(each(), target)?;
            if texts.iter().flatten().map(|text| text.len()).sum::<usize>() > i32::MAX as usize {
                return exec_err!("more than 2 GiB of text in one batch of rows");
            }
            Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>())
        }
        DataType::Utf8View => {
            let texts = varchars(each(), target)?;
            Arc::new(texts.iter().map(Option::as_deref).collect::<StringViewArray>())
        }
        DataType::Boolean => {
            Arc::new(scalars(each(), target, boolean)?.into_iter().collect::<BooleanArray>())
        }
        DataType::Int8 => Arc::new(narrow::<i8, Int8Array>(whole(i8::MIN.into(), i8::MAX.into()))?),
        DataType::Int16 => {
            Arc::new(narrow::<i16, Int16Array>(whole(i16::MIN.into(), i16::MAX.into()))?)
        }
        DataType::Int32 => {
            Arc::new(narrow::<i32, Int32Array>(whole(i32::MIN.into(), i32::MAX.into()))?)
        }
        DataType::Int64 => Arc::new(narrow::<i64, Int64Array>(whole(i64::MIN, i64::MAX))?),
        DataType::Float64 => {
            Arc::new(scalars(each(), target, double)?.into_iter().collect::<Float64Array>())
        }
        #[expect(clippy::cast_possible_truncation, reason = "a real has fewer digits")]
        DataType::Float32 => {
            let values = scalars(each(), target, double)?.into_iter();
            Arc::new(values.map(|value| value.map(|n| n as f32)).collect::<Float32Array>())
        }
        DataType::Decimal128(precision, scale) => {
            let cast = |raw: &str| decimal(raw, *precision, *scale);
            let values = scalars(each(), target, cast)?.into_iter().collect::<Decimal128Array>();
            Arc::new(values.with_precision_and_scale(*precision, *scale)?)
        }
        DataType::List(item) => list(each(), item, target)?,
        DataType::Map(entries, sorted) => map(each(), entries, *sorted, target)?,
        DataType::Struct(fields) => row(each(), fields, target)?,
        other => return exec_err!("cannot cast json to {}", type_name(other)),
    })
}

fn scalars<'a, T>(
    values: impl Iterator<Item = Option<&'a str>>,
    target: &DataType,
    cast: impl Fn(&'a str) -> Option<T>,
) -> Result<Vec<Option<T>>> {
    values
        .map(|value| value.map(|raw| cast(raw).ok_or_else(|| cannot(raw, target))).transpose())
        .collect()
}

fn varchars<'a>(
    values: impl Iterator<Item = Option<&'a str>>,
    target: &DataType,
) -> Result<Vec<Option<Cow<'a, str>>>> {
    scalars(values, target, varchar)
}

/// Whole numbers that were checked to fit.
fn narrow<T: TryFrom<i64>, A: FromIterator<Option<T>>>(
    values: impl Iterator<Item = Result<Option<i64>>>,
) -> Result<A> {
    values.map(|value| Ok(value?.and_then(|n| T::try_from(n).ok()))).collect()
}

/// JSON inside of arrays, maps and rows: `null` stays `null` there.
fn texts(values: &[Option<&str>]) -> Result<LargeStringArray> {
    let mut text = String::new();
    let mut made = arrow::array::LargeStringBuilder::new();
    for value in values {
        text.clear();
        match value {
            Some(raw) => {
                write(raw, Members::InOrder, &mut text)?;
                made.append_value(&text);
            }
            None => made.append_null(),
        }
    }
    Ok(made.finish())
}

fn varchar(raw: &str) -> Option<Cow<'_, str>> {
    match scan::inside(raw) {
        Some(inside) => Some(unescaped(inside)),
        None if raw.starts_with(['{', '[']) => None,
        None if raw.starts_with(['t', 'f']) || !is_float(raw) => Some(Cow::Borrowed(raw)),
        None => Some(Cow::Owned(double_as_varchar(raw.parse().ok()?))),
    }
}

/// A whole number: a double is rounded, half away from zero.
fn integer(raw: &str) -> Option<i64> {
    if let Some(inside) = scan::inside(raw) {
        return unescaped(inside).parse().ok();
    }
    match raw {
        "true" => Some(1),
        "false" => Some(0),
        float if is_float(float) && !float.starts_with(['{', '[']) => bigint(float.parse().ok()?),
        _ => raw.parse().ok(),
    }
}

fn double(raw: &str) -> Option<f64> {
    let Some(inside) = scan::inside(raw) else {
        return match raw {
            "true" => Some(1.0),
            "false" => Some(0.0),
            _ => raw.parse().ok(),
        };
    };
    double_of_text(&unescaped(inside))
}

/// The double that text is, in Java's spelling.
pub(super) fn double_of_text(text: &str) -> Option<f64> {
    let text = text.trim();
    let letters = text.trim_start_matches(['+', '-']);
    // Rust reads more spellings of these than Java.
    if letters.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(letters, "NaN" | "Infinity")
    {
        return None;
    }
    text.parse().ok()
}

/// The boolean that text is.
pub(super) fn boolean_of_text(text: &str) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "t", "1"]) {
        return Some(true);
    }
    is(["false", "f", "0"]).then_some(false)
}

fn boolean(raw: &str) -> Option<bool> {
    if let Some(inside) = scan::inside(raw) {
        return boolean_of_text(&unescaped(inside));
    }
    match raw {
        "true" => Some(true),
        "false" => Some(false),
        float if is_float(float) && !float.starts_with(['{', '[']) => {
            Some(float.parse::<f64>().ok()? != 0.0)
        }
        _ => Some(raw.parse::<i64>().ok()? != 0),
    }
}

/// A decimal without its point, rounded half away from zero to `scale` digits behind it.
pub(super) fn decimal(raw: &str, precision: u8, scale: i8) -> Option<i128> {
    let text = match scan::inside(raw) {
        Some(inside) => unescaped(inside),
        None if raw == "true" => Cow::Borrowed("1"),
        None if raw == "false" => Cow::Borrowed("0"),
        None => Cow::Borrowed(raw),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (&*text, 0),
    };
    let negative = mantissa.starts_with('-');
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    // Digits to keep: those before the point, moved by exponent and scale.
    let keep = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(scale);
    let mut value: i128 = 0;
    let mut digits = whole.bytes().chain(fraction.bytes());
    let mut taken = 0;
    for b in digits.by_ref() {
        let digit = i128::from(char::from(b).to_digit(10)?);
        if taken == keep.max(0) {
            // The first digit that is dropped rounds, unless one before it was dropped too.
            if keep >= 0 && digit >= 5 {
                value += 1;
            }
            break;
        }
        taken += 1;
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    if digits.any(|b| !b.is_ascii_digit()) {
        return None;
    }
    while taken < keep && value != 0 {
        taken += 1;
        value = value.checked_mul(10)?;
    }
    let limit = 10_i128.checked_pow(precision.into())?;
    (value < limit).then_some(if negative { -value } else { value })
}

/// The ends of lists whose lengths are `lengths`.
fn offsets(lengths: &[usize]) -> Result<OffsetBuffer<i32>> {
    if i32::try_from(lengths.iter().sum::<usize>()).is_err() {
        return exec_err!("more than 2³¹ elements in one batch of rows");
    }
    Ok(OffsetBuffer::from_lengths(lengths.iter().copied()))
}

fn list<'a>(
    values: impl Iterator<Item = Option<&'a str>>,
    item: &FieldRef,
    target: &DataType,
) -> Result<ArrayRef> {
    let (mut items, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        let before = items.len();
        if let Some(raw) = value {
            if !raw.starts_with('[') {
                return Err(cannot(raw, target));
            }
            items.extend(scan::elements(raw, 0).map(|range| raw.get(range)));
        }
        valid.push(value.is_some());
        lengths.push(items.len() - before);
    }
    let items = build(&items, item.data_type())?;
    let nulls = NullBuffer::from(valid);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets(&lengths)?, items, Some(nulls))?))
}

fn map<'a>(
    values: impl Iterator<Item = Option<&'a str>>,
    entries: &FieldRef,
    sorted: bool,
    target: &DataType,
) -> Result<ArrayRef> {
    let DataType::Struct(pair) = entries.data_type() else {
        return exec_err!("cannot cast json to {}", type_name(target));
    };
    let [key, value] = pair.as_ref() else {
        return exec_err!("cannot cast json to {}", type_name(target));
    };
    let (mut keys, mut items) = (Vec::new(), Vec::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for object in values {
        let before = keys.len();
        if let Some(raw) = object {
            if !raw.starts_with('{') {
                return Err(cannot(raw, target));
            }
            let mut seen = HashSet::new();
            for entry in scan::entries(raw, 0) {
                // A key is a string and is cast as one, quotes and all.
                let quoted = entry.key.start.saturating_sub(1)..entry.key.end + 1;
                let name = raw.get(entry.key).map(unescaped).unwrap_or_default();
                if !seen.insert(name) {
                    return exec_err!(
                        "cannot cast JSON {} to {}: a key occurs twice",
                        excerpt(raw),
                        type_name(target)
                    );
                }
                keys.push(raw.get(quoted));
                items.push(raw.get(entry.value));
            }
        }
        valid.push(object.is_some());
        lengths.push(keys.len() - before);
    }
    let columns = vec![build(&keys, key.data_type())?, build(&items, value.data_type())?];
    let columns = StructArray::try_new(pair.clone(), columns, None)?;
    let nulls = Some(NullBuffer::from(valid));
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(entries),
        offsets(&lengths)?,
        columns,
        nulls,
        sorted,
    )?))
}

fn row<'a>(
    values: impl Iterator<Item = Option<&'a str>>,
    fields: &Fields,
    target: &DataType,
) -> Result<ArrayRef> {
    let places: HashMap<String, usize> =
        fields.iter().enumerate().map(|(n, field)| (field.name().to_lowercase(), n)).collect();
    let mut columns: Vec<Vec<Option<&str>>> = vec![Vec::new(); fields.len()];
    let mut valid = Vec::new();
    for value in values {
        valid.push(value.is_some());
        let mut members = vec![None; fields.len()];
        if let Some(raw) = value {
            place(raw, &places, &mut members).ok_or_else(|| cannot(raw, target))?;
        }
        for (column, member) in columns.iter_mut().zip(members) {
            column.push(member);
        }
    }
    let length = valid.len();
    let columns = columns.iter().zip(fields);
    let columns: Vec<ArrayRef> =
        columns.map(|(column, field)| build(column, field.data_type())).collect::<Result<_>>()?;
    let nulls = Some(NullBuffer::from(valid));
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, length)?))
}

/// Puts the parts of `raw` where they belong in a row: by name, or by position.
///
/// Nothing where there are too many or too few elements, or a member twice.
fn place<'a>(
    raw: &'a str,
    places: &HashMap<String, usize>,
    members: &mut [Option<&'a str>],
) -> Option<()> {
    if raw.starts_with('[') {
        let mut elements = scan::elements(raw, 0);
        for member in members {
            *member = raw.get(elements.next()?);
        }
        return elements.next().is_none().then_some(());
    }
    if !raw.starts_with('{') {
        return None;
    }
    for entry in scan::entries(raw, 0) {
        let name = unescaped(raw.get(entry.key)?).to_lowercase();
        if let Some(member) = places.get(&name).and_then(|&n| members.get_mut(n)) {
            if member.is_some() {
                return None;
            }
            *member = raw.get(entry.value);
        }
    }
    Some(())
}
