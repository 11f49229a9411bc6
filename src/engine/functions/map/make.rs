//! Making maps.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, StructArray, UInt32Array},
    compute::{concat, take},
    datatypes::{DataType, Field},
    util::display::array_value_to_string,
};
use datafusion::{
    common::{exec_err, internal_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::super::{
    call::excerpt,
    nested::{
        Keys, Lists, argument, as_list, cast_to, common_or_refuse, element, index, key_value,
        list_of, lists, map_array, map_of, offset_buffer, refuse,
    },
};

/// Whether the keys of each row are distinct and none is NULL; an error where they are not.
pub(in super::super) fn unique(maps: &Lists, keys: &ArrayRef) -> Result<()> {
    if keys.logical_null_count() > 0 {
        return exec_err!("a map key cannot be NULL");
    }
    let all = Keys::of(keys)?;
    let mut seen = HashSet::new();
    for span in maps.rows().flatten() {
        seen.clear();
        for at in span {
            if !seen.insert(all.get(at)) {
                let key = array_value_to_string(keys, at)?;
                return exec_err!("the map key `{}` is there twice", excerpt(&key));
            }
        }
    }
    Ok(())
}

/// Two arrays.
pub(super) fn map_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [keys, values] => match (as_list(keys), as_list(values)) {
            (Some(keys), Some(values)) => Ok(vec![keys, values]),
            _ => refuse("an array of keys and an array of values", types),
        },
        _ => refuse("an array of keys and an array of values", types),
    }
}

/// A map of the elements.
pub(super) fn map_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let (keys, values) = (element(argument(args, 0)?)?, element(argument(args, 1)?)?);
    Ok(map_of(keys.clone(), values.clone()))
}

/// `map(keys, values)`.
pub(super) fn map(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (keys, values) = (lists(args, 0)?, lists(args, 1)?);
    let (mut picked_keys, mut picked_values) = (Vec::new(), Vec::new());
    let (mut offsets, mut valid) = (vec![0], Vec::with_capacity(keys.len()));
    for (of_keys, of_values) in keys.rows().zip(values.rows()) {
        if let (Some(of_keys), Some(of_values)) = (of_keys, of_values) {
            if of_keys.len() != of_values.len() {
                return exec_err!(
                    "a map has as many keys as values, not {} and {}",
                    of_keys.len(),
                    of_values.len()
                );
            }
            picked_keys.extend(of_keys.map(index));
            picked_values.extend(of_values.map(index));
            valid.push(true);
        } else {
            valid.push(false);
        }
        offsets.push(picked_keys.len());
    }
    let all_keys = take(&keys.values, &UInt32Array::from(picked_keys), None)?;
    let all_values = take(&values.values, &UInt32Array::from(picked_values), None)?;
    checked(&all_keys, all_values, offsets, valid)
}

fn checked(
    keys: &ArrayRef,
    values: ArrayRef,
    offsets: Vec<usize>,
    valid: Vec<bool>,
) -> Result<ColumnarValue> {
    if keys.logical_null_count() > 0 {
        return exec_err!("a map key cannot be NULL");
    }
    let offsets = offset_buffer(offsets.into_iter())?;
    let maps = map_array(Arc::clone(keys), values, offsets, Some(valid.into()))?;
    unique(&Lists::of(&maps)?, keys)?;
    Ok(ColumnarValue::Array(maps))
}

/// An array of rows of two.
pub(super) fn entries_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let wants = "an array of rows of a key and a value";
    if let [list] = types
        && let Some(list) = as_list(list)
        && pair(element(&list)?).is_some()
    {
        return Ok(vec![list]);
    }
    refuse(wants, types)
}

fn pair(row: &DataType) -> Option<(&DataType, &DataType)> {
    if let DataType::Struct(fields) = row
        && let [key, value] = &fields[..]
    {
        return Some((key.data_type(), value.data_type()));
    }
    None
}

fn pair_of(args: &ReturnFieldArgs<'_>) -> Result<(DataType, DataType)> {
    if let Some((key, value)) = pair(element(argument(args, 0)?)?) {
        Ok((key.clone(), value.clone()))
    } else {
        internal_err!("rows of two were expected")
    }
}

/// A map of rows.
pub(super) fn entries_map(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let (key, value) = pair_of(args)?;
    Ok(map_of(key, value))
}

/// A map of rows with all values of a key.
pub(super) fn entries_multimap(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let (key, value) = pair_of(args)?;
    Ok(map_of(key, list_of(value)))
}

fn entries(args: &ScalarFunctionArgs) -> Result<(Lists, ArrayRef, ArrayRef)> {
    let entries = lists(args, 0)?;
    if entries.values.null_count() > 0 {
        return exec_err!("a map entry cannot be NULL");
    }
    let Some([keys, values]) = entries.values.as_struct_opt().map(StructArray::columns) else {
        return internal_err!("rows of two were expected");
    };
    if keys.logical_null_count() > 0 {
        return exec_err!("a map key cannot be NULL");
    }
    let (keys, values) = (Arc::clone(keys), Arc::clone(values));
    Ok((entries, keys, values))
}

/// `map_from_entries(array(row))`.
pub(super) fn map_from_entries(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (entries, keys, values) = entries(args)?;
    unique(&entries, &keys)?;
    Ok(ColumnarValue::Array(entries.map_of(keys, values)?))
}

/// `multimap_from_entries(array(row))`.
pub(super) fn multimap_from_entries(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (entries, keys, values) = entries(args)?;
    let all = Keys::of(&keys)?;
    let (mut picked_keys, mut picked_values) = (Vec::new(), Vec::with_capacity(keys.len()));
    let (mut outer, mut inner) = (vec![0], vec![0]);
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for row in 0..entries.len() {
        places.clear();
        groups.clear();
        for at in entries.span(row) {
            let place = *places.entry(all.get(at)).or_insert_with(|| {
                picked_keys.push(index(at));
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.push(index(at));
            }
        }
        for group in &groups {
            picked_values.extend_from_slice(group);
            inner.push(picked_values.len());
        }
        outer.push(picked_keys.len());
    }
    let keys = take(&keys, &UInt32Array::from(picked_keys), None)?;
    let values = take(&values, &UInt32Array::from(picked_values), None)?;
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let inner = offset_buffer(inner.into_iter())?;
    let values = ListArray::try_new(field, inner, values, None)?;
    let outer = offset_buffer(outer.into_iter())?;
    Ok(ColumnarValue::Array(map_array(keys, Arc::new(values), outer, entries.nulls)?))
}

/// Maps, two or more.
pub(super) fn maps_types(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() < 2 || !types.iter().all(|map| matches!(map, DataType::Map(..))) {
        return refuse("two or more maps", types);
    }
    common_of(types.iter())?;
    Ok(types.to_vec())
}

fn common_of<'a>(types: impl Iterator<Item = &'a DataType>) -> Result<(DataType, DataType)> {
    let mut all = (DataType::Null, DataType::Null);
    for map in types {
        let (key, value) = key_value(map)?;
        all = (common_or_refuse(&all.0, key)?, common_or_refuse(&all.1, value)?);
    }
    Ok(all)
}

/// A map of what keys and values of all maps are.
pub(super) fn common_map(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let (key, value) = common_of(args.arg_fields.iter().map(|field| field.data_type()))?;
    Ok(map_of(key, value))
}

/// `map_concat(map, map, …)`.
pub(super) fn map_concat(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (key, value) = key_value(args.return_field.data_type())?;
    let (mut maps, mut all_keys, mut all_values) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..args.args.len() {
        let map = lists(args, at)?;
        let (keys, values) = map.pairs()?;
        all_keys.push(cast_to(&keys, key)?);
        all_values.push(cast_to(&values, value)?);
        maps.push(map);
    }
    let dynamic = |arrays: &[ArrayRef]| -> Result<ArrayRef> {
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        Ok(concat(&arrays)?)
    };
    let (all_keys, all_values) = (dynamic(&all_keys)?, dynamic(&all_values)?);
    let keys = Keys::of(&all_keys)?;
    let (mut picked_keys, mut picked_values) = (Vec::new(), Vec::new());
    let (mut offsets, mut valid) = (vec![0], Vec::with_capacity(args.number_rows));
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    for row in 0..maps.first().map_or(0, Lists::len) {
        let known = maps.iter().all(|map| map.row(row).is_some());
        places.clear();
        let mut shift = 0;
        for map in maps.iter().filter(|_| known) {
            for at in map.span(row) {
                let at = shift + at;
                let place = *places.entry(keys.get(at)).or_insert_with(|| {
                    picked_keys.push(index(at));
                    picked_values.push(index(at));
                    picked_values.len() - 1
                });
                if let Some(value) = picked_values.get_mut(place) {
                    *value = index(at);
                }
            }
            shift += map.values.len();
        }
        valid.push(known);
        offsets.push(picked_keys.len());
    }
    let keys = take(&all_keys, &UInt32Array::from(picked_keys), None)?;
    let values = take(&all_values, &UInt32Array::from(picked_values), None)?;
    let offsets = offset_buffer(offsets.into_iter())?;
    Ok(ColumnarValue::Array(map_array(keys, values, offsets, Some(valid.into()))?))
}
