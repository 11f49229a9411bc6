//! `x[1]`: an element of an array, a value of a map, a member of a row by its place.
//!
//! <https://trino.io/docs/current/functions/array.html#subscript-operator>,
//! <https://trino.io/docs/current/language/types.html#row>

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array},
    buffer::NullBuffer,
    compute::take,
    datatypes::{DataType, FieldRef, Fields, Int64Type},
};
use datafusion::{
    common::{exec_err, internal_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF},
};

use super::{
    super::{
        Made,
        nested::{argument, column, index, lists},
        scalar::Scalar,
    },
    access,
};

/// The function that a subscript becomes.
pub(in super::super) fn subscript() -> Option<ScalarUDF> {
    match Scalar::new("$subscript", types, data_type, run).made() {
        Made::Scalar(function) => Some(function),
        _ => None,
    }
}

fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [row @ DataType::Struct(_), place] if place.is_integer() => {
            Ok(vec![row.clone(), DataType::Int64])
        }
        [DataType::Struct(_), _] => plan_err!("takes a member's name or its place from 1"),
        types => access::element_at_types(types),
    }
}

fn data_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let DataType::Struct(members) = argument(args, 0)? else {
        return access::element_at_type(args);
    };
    let place = args.scalar_arguments.get(1).copied().flatten();
    let place = place.and_then(|place| place.cast_to(&DataType::Int64).ok());
    let Some(datafusion::common::ScalarValue::Int64(Some(place))) = place else {
        return plan_err!("a member of a row is told by a literal");
    };
    Ok(member(members, place)?.1.data_type().clone())
}

/// The member at `place`, from 1.
fn member(members: &Fields, place: i64) -> Result<(usize, &FieldRef)> {
    let at = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
    if let Some(found) = at.and_then(|at| members.get(at).map(|member| (at, member))) {
        Ok(found)
    } else {
        plan_err!("a row of {} members has none at {place}", members.len())
    }
}

fn run(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let Some(first) = args.args.first() else { return internal_err!("no arguments") };
    match first.data_type() {
        DataType::Struct(members) => member_of_rows(args, &members),
        DataType::Map(..) => access::element_at(args),
        _ => Ok(ColumnarValue::Array(element(args)?)),
    }
}

fn member_of_rows(args: &ScalarFunctionArgs, members: &Fields) -> Result<ColumnarValue> {
    let (rows, places) = (column(args, 0)?, column(args, 1)?);
    let places = places.as_primitive::<Int64Type>();
    if places.is_empty() {
        return Ok(ColumnarValue::Array(new_null_array(args.return_field.data_type(), 0)));
    }
    let (at, _) = member(members, places.value(0))?;
    let rows = rows.as_struct();
    let member = Arc::clone(rows.column(at));
    let nulls = NullBuffer::union(member.logical_nulls().as_ref(), rows.nulls());
    let member = member.to_data().into_builder().nulls(nulls).build()?;
    Ok(ColumnarValue::Array(arrow::array::make_array(member)))
}

/// Elements from 1. What is behind the end is NULL; there is nothing before the first.
fn element(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let lists = lists(args, 0)?;
    let places = column(args, 1)?;
    let mut picked = Vec::with_capacity(lists.len());
    for (span, place) in lists.rows().zip(places.as_primitive::<Int64Type>()) {
        let (Some(span), Some(place)) = (span, place) else {
            picked.push(None);
            continue;
        };
        if place < 1 {
            return exec_err!("subscripts of an array start at 1, not at {place}");
        }
        let at = usize::try_from(place - 1).ok().filter(|at| *at < span.len());
        picked.push(at.map(|at| index(span.start + at)));
    }
    Ok(take(&lists.values, &UInt32Array::from(picked), None)?)
}
