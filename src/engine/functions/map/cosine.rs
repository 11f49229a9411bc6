//! `cosine_similarity`: <https://trino.io/docs/current/functions/math.html#cosine_similarity>.

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray, Float64Array},
    datatypes::{DataType, Float64Type},
};
use datafusion::{
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::super::nested::{Lists, cast_to, key_value, lists, map_of, refuse};
use crate::engine::functions::scalar::Text;

/// Two maps from varchar to double.
pub(super) fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    let fits = |map: &DataType| {
        if map.is_null() {
            return Some(());
        }
        let (key, value) = key_value(map).ok()?;
        let text = matches!(key, DataType::Utf8 | DataType::Utf8View | DataType::Null);
        (text && (value.is_numeric() || value.is_null())).then_some(())
    };
    match types {
        [left, right] if fits(left).and(fits(right)).is_some() => {
            Ok(vec![map_of(DataType::Utf8, DataType::Float64); 2])
        }
        _ => refuse("two maps of varchar to double", types),
    }
}

struct Vectors {
    maps: Lists,
    keys: arrow::array::ArrayRef,
    values: Float64Array,
}

impl Vectors {
    fn of(args: &ScalarFunctionArgs, at: usize) -> Result<Self> {
        let maps = lists(args, at)?;
        let (keys, values) = maps.pairs()?;
        let values = cast_to(&values, &DataType::Float64)?;
        Ok(Self { maps, keys, values: values.as_primitive::<Float64Type>().clone() })
    }

    fn value(&self, at: usize) -> Option<f64> {
        self.values.is_valid(at).then(|| self.values.value(at))
    }

    /// The length of the vector of `row`; nothing where a part of it is NULL.
    fn length(&self, row: usize) -> Option<f64> {
        let squares = self.maps.row(row)?.map(|at| self.value(at).map(|value| value * value));
        squares.sum::<Option<f64>>().map(f64::sqrt)
    }
}

/// `cosine_similarity(x, y)`.
pub(super) fn similarity(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (left, right) = (Vectors::of(args, 0)?, Vectors::of(args, 1)?);
    let (left_keys, right_keys) = (Text::of(&left.keys)?, Text::of(&right.keys)?);
    let of_row = |row| {
        let lengths = left.length(row)? * right.length(row)?;
        let product: f64 = left
            .maps
            .span(row)
            .map(|at| {
                let same = |other: &usize| right_keys.get(*other) == left_keys.get(at);
                let other = right.maps.span(row).find(same);
                let pair = left.value(at).zip(other.and_then(|other| right.value(other)));
                pair.map_or(0.0, |(left, right)| left * right)
            })
            .sum();
        Some(product / lengths)
    };
    let found: Float64Array = (0..left.maps.len()).map(of_row).collect();
    Ok(ColumnarValue::Array(Arc::new(found)))
}
