//! Arrays as sets: distinct elements, union, intersection, difference, counts.

use std::collections::{HashMap, HashSet};

use arrow::{
    array::{Array, ArrayRef, Int64Array, UInt32Array},
    compute::{concat, take},
    datatypes::DataType,
};
use datafusion::{
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::{
    super::nested::{
        Keys, Lists, Picks, argument, as_list, common_or_refuse, element, index, list_of, lists,
        map_array, map_of, offset_buffer, refuse,
    },
    access::with_value,
};

/// Two arrays of elements that compare.
pub(super) fn two_lists(types: &[DataType]) -> Result<Vec<DataType>> {
    let [left, right] = types else { return refuse("two arrays", types) };
    let (Some(left), Some(right)) = (as_list(left), as_list(right)) else {
        return refuse("two arrays", types);
    };
    common_or_refuse(element(&left)?, element(&right)?)?;
    Ok(vec![left, right])
}

/// An array of what elements of both arrays are.
pub(super) fn common_list(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let (left, right) = (element(argument(args, 0)?)?, element(argument(args, 1)?)?);
    Ok(list_of(common_or_refuse(left, right)?))
}

/// The arrays of both arguments with elements of one type, and the keys of all elements: those of
/// the second array follow those of the first.
pub(super) fn two(args: &ScalarFunctionArgs) -> Result<(Lists, Lists, Keys)> {
    let (left, right) = (lists(args, 0)?, lists(args, 1)?);
    let wanted = common_or_refuse(left.values.data_type(), right.values.data_type())?;
    let (left, right) = (left.cast(&wanted)?, right.cast(&wanted)?);
    let keys = Keys::of(&both(&left, &right)?)?;
    Ok((left, right, keys))
}

fn both(left: &Lists, right: &Lists) -> Result<ArrayRef> {
    Ok(concat(&[left.values.as_ref(), right.values.as_ref()])?)
}

/// `array_distinct(array)`: the first of each.
pub(super) fn array_distinct(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let keys = Keys::of(&lists.values)?;
    let mut picks = Picks::new(lists.len());
    let mut seen = HashSet::new();
    for span in lists.rows() {
        let Some(span) = span else {
            picks.null_row();
            continue;
        };
        seen.clear();
        for at in span {
            if seen.insert(keys.get(at)) {
                picks.push(at);
            }
        }
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&lists.values)?))
}

/// What becomes of the elements of two arrays.
#[derive(Clone, Copy)]
enum Set {
    Union,
    Intersect,
    Except,
}

fn set(args: &ScalarFunctionArgs, set: Set) -> Result<ColumnarValue> {
    let (left, right, keys) = two(args)?;
    let shift = left.values.len();
    let mut picks = Picks::new(left.len());
    let (mut seen, mut other) = (HashSet::new(), HashSet::new());
    for (a, b) in left.rows().zip(right.rows()) {
        let (Some(a), Some(b)) = (a, b) else {
            picks.null_row();
            continue;
        };
        let b = shift + b.start..shift + b.end;
        seen.clear();
        other.clear();
        if !matches!(set, Set::Union) {
            other.extend(b.clone().map(|at| keys.get(at)));
        }
        for at in a {
            let key = keys.get(at);
            let wanted = match set {
                Set::Union => true,
                Set::Intersect => other.contains(key),
                Set::Except => !other.contains(key),
            };
            if wanted && seen.insert(key) {
                picks.push(at);
            }
        }
        if let Set::Union = set {
            for at in b {
                if seen.insert(keys.get(at)) {
                    picks.push(at);
                }
            }
        }
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&both(&left, &right)?)?))
}

/// `array_union(left, right)`.
pub(super) fn array_union(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    set(args, Set::Union)
}

/// `array_intersect(left, right)`.
pub(super) fn array_intersect(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    set(args, Set::Intersect)
}

/// `array_except(left, right)`.
pub(super) fn array_except(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    set(args, Set::Except)
}

/// `array_remove(array, element)`.
pub(super) fn array_remove(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (lists, value, all) = with_value(args)?;
    let keys = Keys::of(&all)?;
    let mut picks = Picks::new(lists.len());
    for (row, span) in lists.rows().enumerate() {
        let Some(span) = span.filter(|_| value.is_valid(row)) else {
            picks.null_row();
            continue;
        };
        let unwanted = keys.get(lists.values.len() + row);
        for at in span {
            if keys.get(at) != unwanted {
                picks.push(at);
            }
        }
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&lists.values)?))
}

/// A map from the elements to how many of them there are.
pub(super) fn histogram_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(map_of(element(argument(args, 0)?)?.clone(), DataType::Int64))
}

/// `array_histogram(array)`: elements that are NULL are not counted.
pub(super) fn array_histogram(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let keys = Keys::of(&lists.values)?;
    let nulls = lists.values.logical_nulls();
    let (mut picked, mut counts, mut offsets) = (Vec::new(), Vec::<i64>::new(), vec![0]);
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    for row in 0..lists.len() {
        places.clear();
        for at in lists.span(row) {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
                continue;
            }
            let place = *places.entry(keys.get(at)).or_insert_with(|| {
                picked.push(index(at));
                counts.push(0);
                counts.len() - 1
            });
            if let Some(count) = counts.get_mut(place) {
                *count += 1;
            }
        }
        offsets.push(picked.len());
    }
    let elements = take(&lists.values, &UInt32Array::from(picked), None)?;
    let counts: ArrayRef = std::sync::Arc::new(Int64Array::from(counts));
    let offsets = offset_buffer(offsets.into_iter())?;
    Ok(ColumnarValue::Array(map_array(elements, counts, offsets, lists.nulls)?))
}
