//! Strings taken apart at delimiters.

use std::sync::Arc;

use arrow::{
    array::{ListBuilder, MapBuilder, MapFieldNames, StringBuilder},
    datatypes::{DataType, Field},
};
use datafusion::{
    common::exec_err,
    error::{DataFusionError, Result},
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF},
};
use memchr::memmem::Finder;

use super::{
    super::{
        Function, Made,
        call::{
            Call,
            Kind::{BigInt, Varchar},
            bigint, given, quoted, scalar, take, varchar, varchars,
        },
        scalar::Scalar,
    },
    FAMILY, byte_of, characters, count,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "split",
            [],
            "split(string, delimiter[, limit]) → array(varchar)",
            "The pieces between the delimiters, empty ones too. With a limit, the last piece keeps \
             the rest.",
            [("split('a:b:c', ':')[2]", "b"), ("cardinality(split('a,,b,', ','))", "4")],
            |types| take(types, &[&[Varchar, Varchar], &[Varchar, Varchar, BigInt]]),
            varchars,
            split
        ),
        scalar!(
            FAMILY,
            "split_part",
            [],
            "split_part(string, delimiter, index) → varchar",
            "One of the pieces between the delimiters, counted from 1; NULL past the last.",
            [("split_part('bob@example.com', '@', 2)", "example.com")],
            |types| take(types, &[&[Varchar, Varchar, BigInt]]),
            varchar,
            split_part
        ),
        scalar!(
            FAMILY,
            "split_to_map",
            [],
            "split_to_map(string, entry delimiter, key-value delimiter) → map(varchar, varchar)",
            "The entries of a text such as `a=1&b=2`. A key that is there twice is an error.",
            [("split_to_map('a=1&b=2', '&', '=')['b']", "2")],
            |types| take(types, &[&[Varchar, Varchar, Varchar]]),
            |_| Ok(map_type(DataType::Utf8)),
            split_to_map
        ),
        scalar!(
            FAMILY,
            "split_to_multimap",
            [],
            "split_to_multimap(string, entry delimiter, key-value delimiter) → map(varchar, \
             array(varchar))",
            "The entries of a text such as `a=1&a=2`, with all values of a key.",
            [("cardinality(split_to_multimap('a=1&a=2', '&', '=')['a'])", "2")],
            |types| take(types, &[&[Varchar, Varchar, Varchar]]),
            |_: &ReturnFieldArgs<'_>| {
                let item = Field::new_list_field(DataType::Utf8, true);
                Ok(map_type(DataType::List(Arc::new(item))))
            },
            split_to_multimap
        ),
    ]
}

/// The number of pieces between delimiters that are not empty, which `cardinality(split(…))` becomes.
pub(in super::super) fn pieces() -> Option<ScalarUDF> {
    let types = |types: &[DataType]| take(types, &[&[Varchar, Varchar]]);
    match Scalar::new("$pieces", types, bigint, count_pieces).made() {
        Made::Scalar(function) => Some(function),
        _ => None,
    }
}

fn count_pieces(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, delimiters) = (call.texts(0)?, call.texts(1)?);
    call.make_longs(|row| {
        let (text, delimiter) = (given!(texts.get(row)), given!(delimiters.get(row)));
        let n_delimiters = match delimiter.as_bytes() {
            [one] => memchr::memchr_iter(*one, text.as_bytes()).count(),
            all => memchr::memmem::find_iter(text.as_bytes(), all).count(),
        };
        Ok(Some(count(n_delimiters + 1)))
    })
}

fn split(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, delimiters, limits) = (call.texts(0)?, call.texts(1)?, call.optional_longs(2)?);
    let mut last: Option<(&str, Finder<'_>)> = None;
    call.make_lists(|row, elements| {
        let (text, delimiter) = (given!(texts.get(row)), given!(delimiters.get(row)));
        let limit = match &limits {
            Some(limits) => given!(limits.get(row)),
            None => i64::from(i32::MAX),
        };
        if delimiter.is_empty() {
            return exec_err!("the delimiter of split cannot be empty");
        }
        if limit <= 0 || limit > i64::from(i32::MAX) {
            return exec_err!("the limit of split must be from 1 to {}, not {limit}", i32::MAX);
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let finder = match &last {
            Some((seen, finder)) if *seen == delimiter => finder,
            _ => &last.insert((delimiter, Finder::new(delimiter))).1,
        };
        let mut start = 0;
        let mut piece = |at: usize| {
            elements.push(text.get(start..at))?;
            start = at + delimiter.len();
            Ok::<_, DataFusionError>(())
        };
        let bytes = text.as_bytes();
        match delimiter.as_bytes() {
            [one] => memchr::memchr_iter(*one, bytes).take(limit - 1).try_for_each(&mut piece)?,
            _ => finder.find_iter(bytes).take(limit - 1).try_for_each(&mut piece)?,
        }
        piece(text.len())?;
        Ok(Some(()))
    })
}

fn split_part(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, delimiters, indexes) = (call.texts(0)?, call.texts(1)?, call.longs(2)?);
    call.cut_text(|row| {
        let (text, delimiter) = (given!(texts.get(row)), given!(delimiters.get(row)));
        let index = given!(indexes.get(row));
        if index < 1 {
            return exec_err!("the index of split_part counts from 1; it is {index}");
        }
        let index = usize::try_from(index - 1).unwrap_or(usize::MAX);
        if let [one] = delimiter.as_bytes() {
            return Ok(nth_piece(text, *one, index));
        }
        if !delimiter.is_empty() {
            return Ok(text.split(delimiter).nth(index));
        }
        // Every character is a piece.
        if index >= characters(text) {
            return Ok(None);
        }
        let range = byte_of(text, index).zip(byte_of(text, index + 1));
        Ok(range.and_then(|(from, to)| text.get(from..to)))
    })
}

/// The piece number `index`, from 0, between delimiters of one byte.
fn nth_piece(text: &str, delimiter: u8, index: usize) -> Option<&str> {
    let mut ends = memchr::memchr_iter(delimiter, text.as_bytes());
    let start = match index.checked_sub(1) {
        Some(before) => ends.nth(before)? + 1,
        None => 0,
    };
    text.get(start..ends.next().unwrap_or(text.len()))
}

/// Maps have these names all over the engine.
fn names() -> MapFieldNames {
    let [entry, key, value] = ["key_value", "key", "value"].map(str::to_owned);
    MapFieldNames { entry, key, value }
}

fn map_type(value: DataType) -> DataType {
    let names = names();
    let key = Field::new(names.key, DataType::Utf8, false);
    let value = Field::new(names.value, value, true);
    let entries = DataType::Struct(vec![key, value].into());
    DataType::Map(Arc::new(Field::new(names.entry, entries, false)), false)
}

/// The entries of `text`, in order.
fn entries<'a>(text: &'a str, between: &str, within: &str) -> Result<Vec<(&'a str, &'a str)>> {
    if between.is_empty() || within.is_empty() {
        return exec_err!("the delimiters of entries and of keys cannot be empty");
    }
    if between == within {
        return exec_err!("the delimiters of entries and of keys cannot be the same");
    }
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (entry, after) = rest.split_once(between).unwrap_or((rest, ""));
        rest = after;
        match entry.split_once(within) {
            Some((key, value)) if !value.contains(within) => found.push((key, value)),
            _ => {
                return exec_err!(
                    "the key-value delimiter must be in each entry exactly once: {}",
                    quoted(entry)
                );
            }
        }
    }
    Ok(found)
}

fn split_to_map(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, between, within) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let mut maps = MapBuilder::new(Some(names()), StringBuilder::new(), StringBuilder::new());
    for row in 0..call.rows() {
        let Some(((text, between), within)) =
            texts.get(row).zip(between.get(row)).zip(within.get(row))
        else {
            maps.append(false)?;
            continue;
        };
        let found = entries(text, between, within)?;
        let mut keys = std::collections::HashSet::with_capacity(found.len());
        for (key, value) in found {
            if !keys.insert(key) {
                return exec_err!("the key {} is there twice", quoted(key));
            }
            maps.keys().append_value(key);
            maps.values().append_value(value);
        }
        maps.append(true)?;
    }
    call.finish(Arc::new(maps.finish()))
}

fn split_to_multimap(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, between, within) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let values = ListBuilder::new(StringBuilder::new());
    let mut maps = MapBuilder::new(Some(names()), StringBuilder::new(), values);
    for row in 0..call.rows() {
        let Some(((text, between), within)) =
            texts.get(row).zip(between.get(row)).zip(within.get(row))
        else {
            maps.append(false)?;
            continue;
        };
        let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (key, value) in entries(text, between, within)? {
            let place = *places.entry(key).or_insert(grouped.len());
            match grouped.get_mut(place) {
                Some((_, values)) => values.push(value),
                None => grouped.push((key, vec![value])),
            }
        }
        for (key, all) in grouped {
            maps.keys().append_value(key);
            for value in all {
                maps.values().values().append_value(value);
            }
            maps.values().append(true);
        }
        maps.append(true)?;
    }
    call.finish(Arc::new(maps.finish()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nth_piece_is_that_of_all(text in "[a:é]{0,12}", index in 0_usize..14) {
            prop_assert_eq!(super::nth_piece(&text, b':', index), text.split(':').nth(index));
        }
    }
}
