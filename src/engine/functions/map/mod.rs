//! Maps, as in <https://trino.io/docs/current/functions/map.html>.
//!
//! Those that take a lambda are in `lambda`, those over the rows of a group in `aggregate`.

mod cosine;
mod make;

use std::sync::Arc;

use arrow::{
    array::StructArray,
    datatypes::{DataType, Field, Fields},
};
use datafusion::{
    common::internal_err,
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::{
    Function,
    nested::{argument, key_value, list_of, lists, refuse},
    scalar::Scalar,
};

pub(super) use make::unique;

const FAMILY: &str = "map";

fn one_map(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [map @ DataType::Map(..)] => Ok(vec![map.clone()]),
        _ => refuse("a map", types),
    }
}

fn keys_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(list_of(key_value(argument(args, 0)?)?.0.clone()))
}

fn values_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(list_of(key_value(argument(args, 0)?)?.1.clone()))
}

fn entry_fields(key: &DataType, value: &DataType) -> Fields {
    let pair = vec![Field::new("key", key.clone(), true), Field::new("value", value.clone(), true)];
    Fields::from(pair)
}

fn entries_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let (key, value) = key_value(argument(args, 0)?)?;
    Ok(list_of(DataType::Struct(entry_fields(key, value))))
}

fn map_keys(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let maps = lists(args, 0)?;
    Ok(ColumnarValue::Array(maps.list_of(maps.pairs()?.0)?))
}

fn map_values(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let maps = lists(args, 0)?;
    Ok(ColumnarValue::Array(maps.list_of(maps.pairs()?.1)?))
}

fn map_entries(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let Some(first) = args.args.first() else { return internal_err!("no arguments") };
    let data_type = first.data_type();
    let (key, value) = key_value(&data_type)?;
    let maps = lists(args, 0)?;
    let (keys, values) = maps.pairs()?;
    let rows = StructArray::try_new(entry_fields(key, value), vec![keys, values], None)?;
    Ok(ColumnarValue::Array(maps.list_of(Arc::new(rows))?))
}

/// The functions over maps.
pub(super) fn functions() -> Vec<Function> {
    let mut all = reading();
    all.extend(making());
    all
}

fn reading() -> Vec<Function> {
    vec![
        Function {
            name: "cosine_similarity",
            aliases: &[],
            family: FAMILY,
            signature: "cosine_similarity(x, y) → double",
            text: "The cosine of the angle between two sparse vectors, maps of varchar to double.",
            examples: &[(
                "cosine_similarity(map(ARRAY['a'], ARRAY[1.0]), map(ARRAY['a'], ARRAY[2.0]))",
                "1.0",
            )],
            make: || {
                Scalar::new(
                    "cosine_similarity",
                    cosine::types,
                    |_| Ok(DataType::Float64),
                    cosine::similarity,
                )
                .made()
            },
        },
        Function {
            name: "map_keys",
            aliases: &[],
            family: FAMILY,
            signature: "map_keys(map) → array",
            text: "The keys of a map.",
            examples: &[("map_keys(map(ARRAY['a', 'b'], ARRAY[1, 2]))", "[a, b]")],
            make: || Scalar::new("map_keys", one_map, keys_type, map_keys).made(),
        },
        Function {
            name: "map_values",
            aliases: &[],
            family: FAMILY,
            signature: "map_values(map) → array",
            text: "The values of a map.",
            examples: &[("map_values(map(ARRAY['a', 'b'], ARRAY[1, 2]))", "[1, 2]")],
            make: || Scalar::new("map_values", one_map, values_type, map_values).made(),
        },
        Function {
            name: "map_entries",
            aliases: &[],
            family: FAMILY,
            signature: "map_entries(map) → array(row(key, value))",
            text: "The keys of a map, each in a row with its value.",
            examples: &[("map_entries(map(ARRAY['a'], ARRAY[1]))", "[{key: a, value: 1}]")],
            make: || Scalar::new("map_entries", one_map, entries_type, map_entries).made(),
        },
    ]
}

fn making() -> Vec<Function> {
    vec![
        Function {
            name: "map",
            aliases: &[],
            family: FAMILY,
            signature: "map(keys, values) → map",
            text: "A map of an array of keys and an array of their values. A key that is NULL or \
                   there twice is an error.",
            examples: &[("map(ARRAY['a', 'b'], ARRAY[1, 2])", "{a: 1, b: 2}")],
            make: || Scalar::new("map", make::map_types, make::map_type, make::map).made(),
        },
        Function {
            name: "map_from_entries",
            aliases: &[],
            family: FAMILY,
            signature: "map_from_entries(array(row)) → map",
            text: "A map of rows of a key and a value. A key that is NULL or there twice is an error.",
            examples: &[("map_from_entries(ARRAY[row('a', 1), row('b', 2)])", "{a: 1, b: 2}")],
            make: || {
                let run = make::map_from_entries;
                Scalar::new("map_from_entries", make::entries_types, make::entries_map, run).made()
            },
        },
        Function {
            name: "multimap_from_entries",
            aliases: &[],
            family: FAMILY,
            signature: "multimap_from_entries(array(row)) → map(key, array(value))",
            text: "A map of rows of a key and a value, with all values of a key.",
            examples: &[(
                "multimap_from_entries(ARRAY[row('a', 1), row('b', 2), row('a', 3)])",
                "{a: [1, 3], b: [2]}",
            )],
            make: || {
                let (returns, run) = (make::entries_multimap, make::multimap_from_entries);
                Scalar::new("multimap_from_entries", make::entries_types, returns, run).made()
            },
        },
        Function {
            name: "map_concat",
            aliases: &[],
            family: FAMILY,
            signature: "map_concat(map, map, …) → map",
            text: "One map of several. The value of a key is that of the last map that has the key.",
            examples: &[(
                "map_concat(map(ARRAY['a', 'b'], ARRAY[1, 2]), map(ARRAY['b'], ARRAY[20]))",
                "{a: 1, b: 20}",
            )],
            make: || {
                let run = make::map_concat;
                Scalar::new("map_concat", make::maps_types, make::common_map, run).made()
            },
        },
    ]
}
