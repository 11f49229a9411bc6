//! Lambdas over each element of an array: `transform`, `filter`, `any_match` and its kin, `zip_with`.

use std::sync::Arc;

use arrow::{
    array::{Array, BooleanArray, builder::BooleanBuilder},
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    error::Result,
    logical_expr::{ColumnarValue, HigherOrderFunctionArgs, ValueOrLambda},
};

use super::{
    super::nested::{Picks, as_list, element, list_of, refuse},
    higher::{
        Known, Parameters, ask, call, expect, gives_boolean, lambda, lists, result_type, value_type,
    },
};

/// One array.
pub(super) fn one_list(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [list] => match as_list(list) {
            Some(list) => Ok(vec![list]),
            None => refuse("an array and a lambda", types),
        },
        _ => refuse("an array and a lambda", types),
    }
}

/// The element.
pub(super) fn of_element(known: Known<'_>) -> Result<Parameters> {
    expect(known, 1, 1)?;
    Ok(Parameters::All(vec![vec![element(value_type(known, 0)?)?.clone()]]))
}

/// An array of what the lambda gives.
pub(super) fn transform_type(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    Ok(list_of(result_type(args, 1)?.clone()))
}

/// `transform(array, x -> …)`.
pub(super) fn transform(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let made = call(lambda(args, 1)?, &[Arc::clone(&lists.values)], &lists.row_of_each())?;
    Ok(ColumnarValue::Array(lists.list_of(made)?))
}

/// The array's own type.
pub(super) fn filter_type(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    gives_boolean(args, 1)?;
    Ok(list_of(element(value_type(args, 0)?)?.clone()))
}

/// `filter(array, x -> …)`.
pub(super) fn filter(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let kept = ask(lambda(args, 1)?, &[Arc::clone(&lists.values)], &lists.row_of_each())?;
    let mut picks = Picks::new(lists.len());
    for span in lists.rows() {
        let Some(span) = span else {
            picks.null_row();
            continue;
        };
        span.filter(|at| kept.is_valid(*at) && kept.value(*at)).for_each(|at| picks.push(at));
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&lists.values)?))
}

/// A boolean.
pub(super) fn match_type(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    gives_boolean(args, 1)?;
    Ok(DataType::Boolean)
}

/// `decided` where the lambda gives `deciding` for an element; else NULL where it gives NULL for
/// one; else the opposite.
fn matching(
    args: &HigherOrderFunctionArgs,
    deciding: bool,
    decided: bool,
) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let answers = ask(lambda(args, 1)?, &[Arc::clone(&lists.values)], &lists.row_of_each())?;
    let mut all = BooleanBuilder::with_capacity(lists.len());
    for span in lists.rows() {
        let answer = span.and_then(|span| {
            let known = |answers: &BooleanArray, at: usize| answers.is_valid(at);
            let mut unknown = false;
            for at in span {
                if !known(&answers, at) {
                    unknown = true;
                } else if answers.value(at) == deciding {
                    return Some(decided);
                }
            }
            (!unknown).then_some(!decided)
        });
        all.append_option(answer);
    }
    Ok(ColumnarValue::Array(Arc::new(all.finish())))
}

/// `any_match(array, x -> …)`.
pub(super) fn any_match(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    matching(args, true, true)
}

/// `all_match(array, x -> …)`.
pub(super) fn all_match(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    matching(args, false, false)
}

/// `none_match(array, x -> …)`.
pub(super) fn none_match(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    matching(args, true, false)
}

/// Two arrays.
pub(super) fn two_lists(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [left, right] => match (as_list(left), as_list(right)) {
            (Some(left), Some(right)) => Ok(vec![left, right]),
            _ => refuse("two arrays and a lambda", types),
        },
        _ => refuse("two arrays and a lambda", types),
    }
}

/// An element of each array.
pub(super) fn of_two_elements(known: Known<'_>) -> Result<Parameters> {
    expect(known, 2, 1)?;
    let of = |index| {
        Ok::<_, datafusion::error::DataFusionError>(element(value_type(known, index)?)?.clone())
    };
    Ok(Parameters::All(vec![vec![of(0)?, of(1)?]]))
}

/// An array of what the lambda gives.
pub(super) fn zip_with_type(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    Ok(list_of(result_type(args, 2)?.clone()))
}

/// `zip_with(array, array, (x, y) -> …)`.
pub(super) fn zip_with(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let both = [lists(args, 0)?, lists(args, 1)?];
    let (columns, shape) = super::super::array::side_by_side(&both)?;
    let made = call(lambda(args, 2)?, &columns, &shape.row_of_each())?;
    Ok(ColumnarValue::Array(shape.list_of(made)?))
}
