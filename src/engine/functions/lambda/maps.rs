//! Lambdas over the keys and values of maps.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, UInt32Array},
    compute::{concat, take},
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    error::Result,
    logical_expr::{ColumnarValue, HigherOrderFunctionArgs, ValueOrLambda},
};

use super::{
    super::{
        map::unique,
        nested::{
            Keys, cast_to, common_or_refuse, index, key_value, map_array, map_of, offset_buffer,
            refuse,
        },
    },
    higher::{
        Known, Parameters, ask, call, expect, gives_boolean, lambda, lists, result_type, value_type,
    },
};

/// One map.
pub(super) fn one_map(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [map @ DataType::Map(..)] => Ok(vec![map.clone()]),
        _ => refuse("a map and a lambda", types),
    }
}

/// A key and its value.
pub(super) fn of_entry(known: Known<'_>) -> Result<Parameters> {
    expect(known, 1, 1)?;
    let (key, value) = key_value(value_type(known, 0)?)?;
    Ok(Parameters::All(vec![vec![key.clone(), value.clone()]]))
}

/// A map like the one given.
pub(super) fn map_filter_type(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    gives_boolean(args, 1)?;
    let (key, value) = key_value(value_type(args, 0)?)?;
    Ok(map_of(key.clone(), value.clone()))
}

/// `map_filter(map, (k, v) -> …)`.
pub(super) fn map_filter(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let maps = lists(args, 0)?;
    let (keys, values) = maps.pairs()?;
    let parameters = [Arc::clone(&keys), Arc::clone(&values)];
    let kept = ask(lambda(args, 1)?, &parameters, &maps.row_of_each())?;
    let (mut picked, mut offsets) = (Vec::new(), vec![0]);
    for row in 0..maps.len() {
        let wanted = maps.span(row).filter(|at| kept.is_valid(*at) && kept.value(*at));
        picked.extend(wanted.map(index));
        offsets.push(picked.len());
    }
    let picked = UInt32Array::from(picked);
    let (keys, values) = (take(&keys, &picked, None)?, take(&values, &picked, None)?);
    let offsets = offset_buffer(offsets.into_iter())?;
    Ok(ColumnarValue::Array(map_array(keys, values, offsets, maps.nulls)?))
}

/// A map with other keys.
pub(super) fn transform_keys_type(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    let (_, value) = key_value(value_type(args, 0)?)?;
    Ok(map_of(result_type(args, 1)?.clone(), value.clone()))
}

/// `transform_keys(map, (k, v) -> …)`.
pub(super) fn transform_keys(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let maps = lists(args, 0)?;
    let (keys, values) = maps.pairs()?;
    let keys = call(lambda(args, 1)?, &[keys, Arc::clone(&values)], &maps.row_of_each())?;
    unique(&maps, &keys)?;
    Ok(ColumnarValue::Array(maps.map_of(keys, values)?))
}

/// A map with other values.
pub(super) fn transform_values_type(
    args: &[ValueOrLambda<FieldRef, FieldRef>],
) -> Result<DataType> {
    let (key, _) = key_value(value_type(args, 0)?)?;
    Ok(map_of(key.clone(), result_type(args, 1)?.clone()))
}

/// `transform_values(map, (k, v) -> …)`.
pub(super) fn transform_values(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let maps = lists(args, 0)?;
    let (keys, values) = maps.pairs()?;
    let values = call(lambda(args, 1)?, &[Arc::clone(&keys), values], &maps.row_of_each())?;
    Ok(ColumnarValue::Array(maps.map_of(keys, values)?))
}

/// Two maps with keys that compare.
pub(super) fn two_maps(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [left @ DataType::Map(..), right @ DataType::Map(..)] => {
            common_or_refuse(key_value(left)?.0, key_value(right)?.0)?;
            Ok(types.to_vec())
        }
        _ => refuse("two maps and a lambda", types),
    }
}

/// A key and the values of both maps.
pub(super) fn of_two_entries(known: Known<'_>) -> Result<Parameters> {
    expect(known, 2, 1)?;
    let (left, right) = (key_value(value_type(known, 0)?)?, key_value(value_type(known, 1)?)?);
    let key = common_or_refuse(left.0, right.0)?;
    Ok(Parameters::All(vec![vec![key, left.1.clone(), right.1.clone()]]))
}

/// A map from the keys of both.
pub(super) fn map_zip_with_type(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    let (left, right) = (key_value(value_type(args, 0)?)?, key_value(value_type(args, 1)?)?);
    Ok(map_of(common_or_refuse(left.0, right.0)?, result_type(args, 2)?.clone()))
}

/// `map_zip_with(map, map, (k, v1, v2) -> …)`: all keys, NULL for the value of a map that has not
/// the key.
pub(super) fn map_zip_with(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let (left, right) = (lists(args, 0)?, lists(args, 1)?);
    let ((left_keys, left_values), (right_keys, right_values)) = (left.pairs()?, right.pairs()?);
    let key = common_or_refuse(left_keys.data_type(), right_keys.data_type())?;
    let left_keys = cast_to(&left_keys, &key)?;
    let right_keys = cast_to(&right_keys, &key)?;
    let all_keys = concat(&[left_keys.as_ref(), right_keys.as_ref()])?;
    let keys = Keys::of(&all_keys)?;
    let shift = left_keys.len();
    let (mut of_key, mut of_left, mut of_right) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rows, mut offsets, mut valid) = (Vec::new(), vec![0], Vec::new());
    let mut others: HashMap<&[u8], usize> = HashMap::new();
    for row in 0..left.len() {
        let both = left.row(row).zip(right.row(row));
        valid.push(both.is_some());
        if let Some((a, b)) = both {
            others.clear();
            others.extend(b.clone().map(|at| (keys.get(shift + at), at)));
            for at in a.clone() {
                of_key.push(index(at));
                of_left.push(Some(index(at)));
                of_right.push(others.remove(keys.get(at)).map(index));
            }
            for at in b.filter(|at| others.contains_key(keys.get(shift + at))) {
                of_key.push(index(shift + at));
                of_left.push(None);
                of_right.push(Some(index(at)));
            }
            rows.resize(of_key.len(), index(row));
        }
        offsets.push(of_key.len());
    }
    let keys = take(&all_keys, &UInt32Array::from(of_key), None)?;
    let side = |values: &ArrayRef, places: Vec<Option<u32>>| -> Result<ArrayRef> {
        Ok(take(values, &UInt32Array::from(places), None)?)
    };
    let parameters =
        [Arc::clone(&keys), side(&left_values, of_left)?, side(&right_values, of_right)?];
    let made = call(lambda(args, 2)?, &parameters, &UInt32Array::from(rows))?;
    let offsets = offset_buffer(offsets.into_iter())?;
    Ok(ColumnarValue::Array(map_array(keys, made, offsets, Some(valid.into()))?))
}
