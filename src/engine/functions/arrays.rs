//! Arrays in functions that take arrays and other things: `concat`, `contains`, `reverse`.

use std::{cmp::Ordering, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, MutableArrayData, make_array, make_comparator},
    buffer::{NullBuffer, OffsetBuffer},
    compute::SortOptions,
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    common::{ScalarValue, exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, Expr, in_list, type_coercion::binary::type_union_resolution},
};

use super::call::{Call, does_not_take, too_large};
use crate::engine::type_name;

/// The type that `types` of elements have in common.
pub(super) fn common_element(types: &[DataType]) -> Result<DataType> {
    let texts = types.iter().any(DataType::is_string);
    let numbers = types.iter().any(DataType::is_numeric);
    match type_union_resolution(types) {
        Some(common) if !(texts && numbers) => Ok(common),
        _ => {
            let names: Vec<String> = types.iter().map(type_name).collect();
            plan_err!("{} are not of one type", names.join(" and "))
        }
    }
}

/// The types of arrays that are put together.
pub(super) fn common_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let mut items: Vec<DataType> = Vec::new();
    let mut field: Option<&FieldRef> = None;
    for data_type in types {
        match data_type {
            DataType::List(item) => {
                items.push(item.data_type().clone());
                field = field.or(Some(item));
            }
            DataType::Null => {}
            _ => return does_not_take(types),
        }
    }
    let Some(field) = field else { return does_not_take(types) };
    let common = common_element(&items)?;
    let field = field.as_ref().clone().with_data_type(common).with_nullable(true);
    Ok(vec![DataType::List(Arc::new(field)); types.len()])
}

/// The array of argument `index`, and whether it is one for all rows.
fn lists(call: &Call, index: usize) -> Result<(&ListArray, bool)> {
    let (array, one) = call.column(index)?;
    if let Some(lists) = array.as_list_opt::<i32>() {
        Ok((lists, one))
    } else {
        exec_err!("an array was expected, not {}", type_name(array.data_type()))
    }
}

/// Where the elements of row `row` are; nothing where the array is NULL.
fn range(lists: &ListArray, row: usize) -> Option<(usize, usize)> {
    if lists.is_null(row) {
        return None;
    }
    let from = usize::try_from(*lists.value_offsets().get(row)?).ok()?;
    let to = usize::try_from(*lists.value_offsets().get(row + 1)?).ok()?;
    Some((from, to))
}

/// Arrays that are put together of pieces of others, row by row.
struct Pieces<'a> {
    elements: MutableArrayData<'a>,
    lengths: Vec<usize>,
    valid: Vec<bool>,
    length: usize,
    before: usize,
}

impl<'a> Pieces<'a> {
    fn new(sources: Vec<&'a arrow::array::ArrayData>, rows: usize) -> Self {
        Self {
            elements: MutableArrayData::new(sources, true, rows),
            lengths: Vec::with_capacity(rows),
            valid: Vec::with_capacity(rows),
            length: 0,
            before: 0,
        }
    }

    fn push(&mut self, source: usize, from: usize, to: usize) -> Result<()> {
        self.length += to - from;
        if i32::try_from(self.length).is_err() {
            return too_large();
        }
        Ok(self.elements.try_extend(source, from, to)?)
    }

    fn end_row(&mut self, valid: bool) {
        self.lengths.push(self.length - self.before);
        self.before = self.length;
        self.valid.push(valid);
    }

    fn finish(self, field: &FieldRef) -> Result<ArrayRef> {
        let values = make_array(self.elements.freeze());
        let offsets = OffsetBuffer::<i32>::from_lengths(self.lengths);
        let valid = Some(NullBuffer::from(self.valid));
        Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, valid)?))
    }
}

/// The arrays one after the other.
pub(super) fn concat(call: &Call) -> Result<ColumnarValue> {
    let all: Vec<_> = (0..call.len()).map(|index| lists(call, index)).collect::<Result<_>>()?;
    let Some((first, _)) = all.first() else { return exec_err!("concat takes two or more") };
    let DataType::List(field) = first.data_type() else { return exec_err!("no array") };
    let data: Vec<_> = all.iter().map(|(lists, _)| lists.values().to_data()).collect();
    let mut pieces = Pieces::new(data.iter().collect(), call.rows());
    for row in 0..call.rows() {
        let at = |one: bool| if one { 0 } else { row };
        let ranges: Option<Vec<_>> =
            all.iter().map(|(lists, one)| range(lists, at(*one))).collect();
        for (source, (from, to)) in ranges.iter().flatten().enumerate() {
            pieces.push(source, *from, *to)?;
        }
        pieces.end_row(ranges.is_some());
    }
    call.finish(pieces.finish(field)?)
}

/// The elements from the last to the first.
pub(super) fn reverse(call: &Call) -> Result<ColumnarValue> {
    let (all, one) = lists(call, 0)?;
    let DataType::List(field) = all.data_type() else { return exec_err!("no array") };
    let data = all.values().to_data();
    let mut pieces = Pieces::new(vec![&data], call.rows());
    for row in 0..call.rows() {
        let found = range(all, if one { 0 } else { row });
        let (from, to) = found.unwrap_or_default();
        for element in (from..to).rev() {
            pieces.push(0, element, element + 1)?;
        }
        pieces.end_row(found.is_some());
    }
    call.finish(pieces.finish(field)?)
}

/// Whether the array has the element: NULL where it has not, but has a NULL.
pub(super) fn contains(call: &Call) -> Result<ColumnarValue> {
    let (all, one) = lists(call, 0)?;
    let (needles, one_needle) = call.column(1)?;
    let values = all.values();
    let compare = make_comparator(values, needles, SortOptions::default())?;
    let nulls = values.logical_nulls();
    let is_null = |index: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(index));
    let needle_nulls = needles.logical_nulls();
    call.make_booleans(|row| {
        let needle = if one_needle { 0 } else { row };
        let range = range(all, if one { 0 } else { row });
        if needle_nulls.as_ref().is_some_and(|nulls| nulls.is_null(needle)) {
            return Ok(None);
        }
        let Some((from, to)) = range else { return Ok(None) };
        let mut unknown = false;
        for index in from..to {
            if is_null(index) {
                unknown = true;
            } else if compare(index, needle) == Ordering::Equal {
                return Ok(Some(true));
            }
        }
        Ok((!unknown).then_some(false))
    })
}

/// `contains(ARRAY['a', 'b'], x)` is `x IN ('a', 'b')`, NULLs included: statistics and bloom filters
/// leave out files for it, and a long list is a hash set. An empty list has no such form.
pub(super) fn contains_any_of(args: &[Expr]) -> Result<Option<Expr>> {
    let [Expr::Literal(ScalarValue::List(list), _), needle] = args else { return Ok(None) };
    if list.len() != 1 || list.is_null(0) || list.value(0).is_empty() {
        return Ok(None);
    }
    let elements = list.value(0);
    let elements = (0..elements.len()).map(|at| {
        ScalarValue::try_from_array(&elements, at).map(|element| Expr::Literal(element, None))
    });
    Ok(Some(in_list(needle.clone(), elements.collect::<Result<_>>()?, false)))
}
