//! Looking into arrays and maps: one element, how many, the greatest, where.

use std::{cmp::Ordering, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Int64Array, Scalar as One, UInt32Array,
        builder::BooleanBuilder,
    },
    compute::{concat, kernels::cmp::eq, take},
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::{ScalarValue, exec_err, internal_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::super::nested::{
    Keys, Lists, argument, as_list, cast_to, column, common_or_refuse, element, index, key_value,
    lists, refuse,
};

/// An array and a position, or a map and a key.
pub(super) fn element_at_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [map @ DataType::Map(..), key] => {
            let (keys, _) = key_value(map)?;
            Ok(vec![map.clone(), common_or_refuse(keys, key)?])
        }
        [list, position] if position.is_integer() || position.is_null() => match as_list(list) {
            Some(list) => Ok(vec![list, DataType::Int64]),
            None => refuse("an array and a position, or a map and a key", types),
        },
        _ => refuse("an array and a position, or a map and a key", types),
    }
}

/// The type of the elements, or of the values.
pub(super) fn element_at_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    match argument(args, 0)? {
        map @ DataType::Map(..) => Ok(key_value(map)?.1.clone()),
        list => Ok(element(list)?.clone()),
    }
}

/// `element_at(array, position)` and `element_at(map, key)`.
pub(super) fn element_at(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let Some(first) = args.args.first() else { return internal_err!("no arguments") };
    let picked = if let DataType::Map(..) = first.data_type() {
        value_of_key(args)?
    } else {
        element_of_position(args)?
    };
    Ok(ColumnarValue::Array(picked))
}

fn element_of_position(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let lists = lists(args, 0)?;
    let positions = column(args, 1)?;
    let positions = positions.as_primitive::<Int64Type>();
    let mut picked = Vec::with_capacity(lists.len());
    for (span, position) in lists.rows().zip(positions) {
        let (Some(span), Some(position)) = (span, position) else {
            picked.push(None);
            continue;
        };
        let from_start = match position.cmp(&0) {
            Ordering::Equal => return exec_err!("positions in an array start at 1, not at 0"),
            Ordering::Greater => usize::try_from(position - 1).ok(),
            Ordering::Less => usize::try_from(position.unsigned_abs())
                .ok()
                .and_then(|back| span.len().checked_sub(back)),
        };
        let within = from_start.filter(|at| *at < span.len());
        picked.push(within.map(|at| index(span.start + at)));
    }
    Ok(take(&lists.values, &UInt32Array::from(picked), None)?)
}

fn value_of_key(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let maps = lists(args, 0)?;
    let (keys, values) = maps.pairs()?;
    let mut picked = vec![None; maps.len()];
    match args.args.get(1) {
        Some(ColumnarValue::Scalar(key)) if key.is_null() => {}
        Some(ColumnarValue::Scalar(key)) if !key.data_type().is_nested() => {
            let keys = cast_to(&keys, &key.data_type())?;
            let found = matches(&keys, key)?;
            let rows = maps.row_of_each();
            for at in found.values().set_indices() {
                if let Some(row) = rows.values().get(at)
                    && let Ok(row) = usize::try_from(*row)
                    && let Some(slot) = picked.get_mut(row)
                {
                    *slot = Some(index(at));
                }
            }
        }
        _ => {
            let wanted = column(args, 1)?;
            let keys = cast_to(&keys, wanted.data_type())?;
            let all = Keys::of(&concat(&[keys.as_ref(), wanted.as_ref()])?)?;
            for (row, slot) in picked.iter_mut().enumerate() {
                if wanted.is_null(row) {
                    continue;
                }
                let key = all.get(keys.len() + row);
                *slot = maps.span(row).find(|at| all.get(*at) == key).map(index);
            }
        }
    }
    Ok(take(&values, &UInt32Array::from(picked), None)?)
}

/// Which of `keys` are `key`, none of them NULL.
fn matches(keys: &ArrayRef, key: &ScalarValue) -> Result<BooleanArray> {
    Ok(eq(&keys.as_ref(), &One::new(key.to_array()?))?)
}

/// One array, or one map.
pub(super) fn container(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [map @ DataType::Map(..)] => Ok(vec![map.clone()]),
        [list] => match as_list(list) {
            Some(list) => Ok(vec![list]),
            None => refuse("an array or a map", types),
        },
        _ => refuse("an array or a map", types),
    }
}

/// `cardinality(array)` and `cardinality(map)`.
pub(super) fn cardinality(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let count = |span: std::ops::Range<usize>| i64::try_from(span.len()).unwrap_or(i64::MAX);
    let counts: Int64Array = lists.rows().map(|span| span.map(count)).collect();
    Ok(ColumnarValue::Array(Arc::new(counts)))
}

fn one_of_each(
    args: &ScalarFunctionArgs,
    choose: impl Fn(std::ops::Range<usize>) -> Option<usize>,
) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let picked: Vec<Option<u32>> =
        lists.rows().map(|span| span.and_then(&choose).map(index)).collect();
    Ok(ColumnarValue::Array(take(&lists.values, &UInt32Array::from(picked), None)?))
}

/// `array_first(array)`.
pub(super) fn array_first(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    one_of_each(args, |mut span| span.next())
}

/// `array_last(array)`.
pub(super) fn array_last(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    one_of_each(args, |mut span| span.next_back())
}

fn extreme(args: &ScalarFunctionArgs, wanted: Ordering) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let keys = Keys::of(&lists.values)?;
    let nulls = lists.values.logical_nulls();
    let best = |span: std::ops::Range<usize>| {
        let mut best = None;
        for at in span {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
                return None;
            }
            if best.is_none_or(|best| keys.get(at).cmp(keys.get(best)) == wanted) {
                best = Some(at);
            }
        }
        best.map(index)
    };
    let picked: Vec<Option<u32>> = lists.rows().map(|span| span.and_then(best)).collect();
    Ok(ColumnarValue::Array(take(&lists.values, &UInt32Array::from(picked), None)?))
}

/// `array_max(array)`.
pub(super) fn array_max(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    extreme(args, Ordering::Greater)
}

/// `array_min(array)`.
pub(super) fn array_min(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    extreme(args, Ordering::Less)
}

/// An array and one more element.
pub(super) fn list_and_element(types: &[DataType]) -> Result<Vec<DataType>> {
    let [list, value] = types else { return refuse("an array and a value", types) };
    let Some(list) = as_list(list) else { return refuse("an array and a value", types) };
    let wanted = common_or_refuse(element(&list)?, value)?;
    Ok(vec![list, wanted])
}

/// The elements of the arrays and the value of each row, in one column: the elements first.
pub(super) fn with_value(args: &ScalarFunctionArgs) -> Result<(Lists, ArrayRef, ArrayRef)> {
    let value = column(args, 1)?;
    let lists = lists(args, 0)?.cast(value.data_type())?;
    let all = concat(&[lists.values.as_ref(), value.as_ref()])?;
    Ok((lists, value, all))
}

/// `array_position(array, element)`.
pub(super) fn array_position(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (lists, value, all) = with_value(args)?;
    let keys = Keys::of(&all)?;
    let place = |(row, span): (usize, Option<std::ops::Range<usize>>)| {
        let mut span = span.filter(|_| value.is_valid(row))?;
        let wanted = keys.get(lists.values.len() + row);
        let at = span.position(|at| keys.get(at) == wanted);
        Some(at.map_or(0, |at| i64::try_from(at).map_or(i64::MAX, |at| at + 1)))
    };
    let places: Int64Array = lists.rows().enumerate().map(place).collect();
    Ok(ColumnarValue::Array(Arc::new(places)))
}

/// `contains_sequence(array, sequence)`.
pub(super) fn contains_sequence(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (left, right, keys) = super::sets::two(args)?;
    let mut found = BooleanBuilder::with_capacity(left.len());
    for (whole, part) in left.rows().zip(right.rows()) {
        let (Some(whole), Some(part)) = (whole, part) else {
            found.append_null();
            continue;
        };
        let shift = left.values.len();
        let last = (whole.len() + 1).saturating_sub(part.len());
        found.append_value((0..last).any(|skipped| {
            part.clone()
                .enumerate()
                .all(|(at, part)| keys.get(whole.start + skipped + at) == keys.get(shift + part))
        }));
    }
    Ok(ColumnarValue::Array(Arc::new(found.finish())))
}

/// `arrays_overlap(left, right)`.
pub(super) fn arrays_overlap(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (left, right, keys) = super::sets::two(args)?;
    let (left_nulls, right_nulls) = (left.values.logical_nulls(), right.values.logical_nulls());
    let shift = left.values.len();
    let mut found = BooleanBuilder::with_capacity(left.len());
    for (a, b) in left.rows().zip(right.rows()) {
        let (Some(a), Some(b)) = (a, b) else {
            found.append_null();
            continue;
        };
        let null = |nulls: &Option<arrow::buffer::NullBuffer>, at: usize| {
            nulls.as_ref().is_some_and(|nulls| nulls.is_null(at))
        };
        let some: std::collections::HashSet<&[u8]> =
            a.clone().filter(|at| !null(&left_nulls, *at)).map(|at| keys.get(at)).collect();
        let common =
            b.clone().any(|at| !null(&right_nulls, at) && some.contains(keys.get(shift + at)));
        let unknown = !a.is_empty()
            && !b.is_empty()
            && (a.clone().any(|at| null(&left_nulls, at))
                || b.clone().any(|at| null(&right_nulls, at)));
        found.append_option(if common { Some(true) } else { (!unknown).then_some(false) });
    }
    Ok(ColumnarValue::Array(Arc::new(found.finish())))
}
