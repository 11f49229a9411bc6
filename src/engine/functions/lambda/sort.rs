//! `array_sort`, by the elements' own order or by a lambda's.

use std::collections::VecDeque;

use arrow::{
    array::{ArrayRef, AsArray, UInt32Array},
    compute::take,
    datatypes::{DataType, FieldRef, Int64Type},
};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, HigherOrderFunctionArgs, LambdaArgument, ValueOrLambda},
};

use super::{
    super::nested::{Keys, Lists, Picks, cast_to, element, index, list_of},
    higher::{Known, Parameters, call, expect, lambda, lists, result_type, value_type},
};

/// Two elements, where there is a lambda.
pub(super) fn parameters(known: Known<'_>) -> Result<Parameters> {
    if let [ValueOrLambda::Value(_)] = known {
        return Ok(Parameters::All(Vec::new()));
    }
    expect(known, 1, 1)?;
    let element = element(value_type(known, 0)?)?;
    Ok(Parameters::All(vec![vec![element.clone(), element.clone()]]))
}

/// The array's own type.
pub(super) fn returns(args: &[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType> {
    if args.len() > 1 {
        let given = result_type(args, 1)?;
        if !given.is_integer() && !given.is_null() {
            return plan_err!(
                "needs a lambda that gives -1, 0 or 1, not {}",
                crate::engine::type_name(given)
            );
        }
    }
    Ok(list_of(element(value_type(args, 0)?)?.clone()))
}

/// `array_sort(array)` and `array_sort(array, (x, y) -> …)`.
pub(super) fn run(args: &HigherOrderFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let order =
        if args.args.len() > 1 { by_lambda(&lists, lambda(args, 1)?)? } else { own(&lists)? };
    let mut picks = Picks::new(lists.len());
    for (row, order) in order.into_iter().enumerate() {
        if lists.row(row).is_none() {
            picks.null_row();
            continue;
        }
        for at in order {
            picks.push(at);
        }
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&lists.values)?))
}

fn own(lists: &Lists) -> Result<Vec<Vec<usize>>> {
    let keys = Keys::of(&lists.values)?;
    let sorted = |row| {
        let mut order: Vec<usize> = lists.span(row).collect();
        order.sort_by(|a, b| keys.get(*a).cmp(keys.get(*b)));
        order
    };
    Ok((0..lists.len()).map(sorted).collect())
}

/// Two sorted runs of one row, becoming one.
struct Merge {
    row: usize,
    left: VecDeque<usize>,
    right: VecDeque<usize>,
    merged: Vec<usize>,
}

/// Sorts by merging. The lambda is asked about the heads of all runs of all rows at once.
fn by_lambda(lists: &Lists, lambda: &LambdaArgument) -> Result<Vec<Vec<usize>>> {
    let mut runs: Vec<VecDeque<VecDeque<usize>>> = (0..lists.len())
        .map(|row| lists.span(row).map(|at| VecDeque::from([at])).collect())
        .collect();
    while runs.iter().any(|runs| runs.len() > 1) {
        let mut merges = Vec::new();
        for (row, runs) in runs.iter_mut().enumerate() {
            while let Some(left) = runs.pop_front() {
                let right = runs.pop_front().unwrap_or_default();
                let merged = Vec::with_capacity(left.len() + right.len());
                merges.push(Merge { row, left, right, merged });
            }
        }
        merge(&mut merges, lists, lambda)?;
        for merge in merges {
            if let Some(runs) = runs.get_mut(merge.row) {
                runs.push_back(merge.merged.into());
            }
        }
    }
    Ok(runs.into_iter().map(|runs| runs.into_iter().flatten().collect()).collect())
}

fn merge(merges: &mut [Merge], lists: &Lists, lambda: &LambdaArgument) -> Result<()> {
    loop {
        let (mut rows, mut left, mut right) = (Vec::new(), Vec::new(), Vec::new());
        for merge in merges.iter() {
            if let (Some(a), Some(b)) = (merge.left.front(), merge.right.front()) {
                rows.push(index(merge.row));
                left.push(index(*a));
                right.push(index(*b));
            }
        }
        if rows.is_empty() {
            break;
        }
        let at = |places: Vec<u32>| -> Result<ArrayRef> {
            Ok(take(&lists.values, &UInt32Array::from(places), None)?)
        };
        let answers = call(lambda, &[at(left)?, at(right)?], &UInt32Array::from(rows))?;
        let answers = cast_to(&answers, &DataType::Int64)?;
        let mut answers = answers.as_primitive::<Int64Type>().iter();
        for merge in merges.iter_mut() {
            if merge.left.is_empty() || merge.right.is_empty() {
                continue;
            }
            let next = match answers.next().flatten() {
                Some(-1 | 0) => merge.left.pop_front(),
                Some(1) => merge.right.pop_front(),
                Some(other) => {
                    return exec_err!(
                        "the lambda of array_sort has to give -1, 0 or 1, not {other}"
                    );
                }
                None => {
                    return exec_err!("the lambda of array_sort has to give -1, 0 or 1, not NULL");
                }
            };
            merge.merged.extend(next);
        }
    }
    for merge in merges {
        merge.merged.extend(merge.left.drain(..));
        merge.merged.extend(merge.right.drain(..));
    }
    Ok(())
}
