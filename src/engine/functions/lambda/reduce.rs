//! `reduce`: one element after the other, all rows of a batch at once.

use std::{cmp::Reverse, sync::Arc};

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
    super::nested::{as_list, cast_to, common_or_refuse, element, index, refuse},
    higher::{Known, Parameters, call, expect, lambda, lists, result_type, value_type, values},
};

/// An array and what to start from.
pub(super) fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [list, start] => match as_list(list) {
            Some(list) => Ok(vec![list, start.clone()]),
            None => refuse("an array, a start and two lambdas", types),
        },
        _ => refuse("an array, a start and two lambdas", types),
    }
}

/// The state and the element, and the state. The state has the type that the start and what the
/// first lambda gives have in common.
pub(super) fn parameters(known: Known<'_>) -> Result<Parameters> {
    expect(known, 2, 2)?;
    let element = element(value_type(known, 0)?)?.clone();
    let start = value_type(known, 1)?.clone();
    Ok(match known.get(2) {
        Some(ValueOrLambda::Lambda(Some(step))) => {
            let state = state_type(&start, step.data_type())?;
            Parameters::All(vec![vec![state.clone(), element], vec![state]])
        }
        _ => Parameters::Some(vec![Some(vec![start, element]), None]),
    })
}

/// The start as the state.
pub(super) fn settle(types: &[ValueOrLambda<DataType, DataType>]) -> Result<Option<Vec<DataType>>> {
    match types {
        [
            ValueOrLambda::Value(list),
            ValueOrLambda::Value(start),
            ValueOrLambda::Lambda(step),
            _,
        ] => Ok(Some(vec![list.clone(), state_type(start, step)?])),
        _ => Ok(None),
    }
}

/// The type that the state keeps. Sums of decimals grow by a digit a step: as wide as there are.
fn state_type(start: &DataType, step: &DataType) -> Result<DataType> {
    Ok(match common_or_refuse(start, step)? {
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, scale),
        other => other,
    })
}

/// What the last lambda gives.
pub(super) fn returns(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    Ok(result_type(args, 3)?.clone())
}

/// `reduce(array, start, (state, x) -> …, state -> …)`.
///
/// The rows go from the longest array to the shortest, so that those that have another element are
/// always the first ones.
pub(super) fn run(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let (step, last) = (lambda(args, 2)?, lambda(args, 3)?);
    let mut order: Vec<usize> = (0..lists.len()).filter(|row| lists.row(*row).is_some()).collect();
    order.sort_by_key(|row| Reverse(lists.span(*row).len()));
    let rows: UInt32Array = order.iter().map(|row| index(*row)).collect::<Vec<_>>().into();
    let mut state = take(&values(args, 1)?, &rows, None)?;
    let data_type = state.data_type().clone();
    let mut done: Vec<ArrayRef> = Vec::new();
    for at in 0.. {
        let left = order.partition_point(|row| lists.span(*row).len() > at);
        if left < state.len() {
            done.push(state.slice(left, state.len() - left));
            state = state.slice(0, left);
        }
        if left == 0 {
            break;
        }
        let next: Vec<u32> =
            order.iter().take(left).map(|row| index(lists.span(*row).start + at)).collect();
        let elements = take(&lists.values, &UInt32Array::from(next), None)?;
        let made = call(step, &[state, elements], &rows.slice(0, left))?;
        state = cast_to(&made, &data_type)?;
    }
    done.push(state);
    let parts: Vec<&dyn Array> = done.iter().rev().map(AsRef::as_ref).collect();
    let state = concat(&parts)?;
    let made = call(last, &[state], &rows)?;
    let mut places = vec![None; lists.len()];
    for (place, row) in order.into_iter().enumerate() {
        if let Some(slot) = places.get_mut(row) {
            *slot = Some(index(place));
        }
    }
    let made: ArrayRef = take(&Arc::clone(&made), &UInt32Array::from(places), None)?;
    Ok(ColumnarValue::Array(made))
}
