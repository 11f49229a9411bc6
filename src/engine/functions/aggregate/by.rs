//! `max_by` and `min_by`: the value that stands beside the greatest or least other value.

use std::{fmt, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Int64Type},
    row::RowConverter,
};
use datafusion::{
    common::{ScalarValue, exec_err, internal_err},
    error::Result,
    functions_aggregate::first_last::first_value_udaf,
    logical_expr::{
        Accumulator, Expr,
        expr::{AggregateFunction, AggregateFunctionParams, Sort},
    },
};

use super::super::nested::{Lists, canonical, converter, list_of, refuse};

/// As in Trino: the most values.
const MOST: i64 = 10_000;

/// A value, what to order by, and perhaps how many.
pub(super) fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_, _] => Ok(types.to_vec()),
        [value, by, count] if count.is_integer() => {
            Ok(vec![value.clone(), by.clone(), DataType::Int64])
        }
        _ => refuse("a value, a value to order by and perhaps a count", types),
    }
}

/// The first argument's type, or an array of it.
pub(super) fn returns(types: &[DataType]) -> Result<DataType> {
    match types {
        [value, _] => Ok(value.clone()),
        [value, _, _] => Ok(list_of(value.clone())),
        _ => refuse("a value, a value to order by and perhaps a count", types),
    }
}

/// The best values so far, what they are ordered by, and how many are wanted.
pub(super) fn state(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [value, by, ..] => Ok(vec![list_of(value.clone()), list_of(by.clone()), DataType::Int64]),
        _ => refuse("a value, a value to order by and perhaps a count", types),
    }
}

/// `max_by(x, y[, n])`.
pub(super) fn max_by(types: &[DataType]) -> Result<Box<dyn Accumulator>> {
    best(types, true)
}

/// `min_by(x, y[, n])`.
pub(super) fn min_by(types: &[DataType]) -> Result<Box<dyn Accumulator>> {
    best(types, false)
}

fn best(types: &[DataType], greatest: bool) -> Result<Box<dyn Accumulator>> {
    let [value, by, ..] = types else { return internal_err!("two values were expected") };
    let limit = (types.len() == 2).then_some(1);
    Ok(Box::new(Best {
        value: value.clone(),
        by: by.clone(),
        converter: converter(by)?,
        greatest,
        many: types.len() > 2,
        limit,
        rows: Vec::new(),
    }))
}

/// `max_by(x, y)` as `first_value(x ORDER BY y DESC) FILTER (WHERE y IS NOT NULL)`, and `min_by` in
/// ascending order.
pub(super) fn simplify(function: AggregateFunction, ascending: bool) -> Expr {
    let [value, by] = &function.params.args[..] else {
        return Expr::AggregateFunction(function);
    };
    let known = by.clone().is_not_null();
    let filter = match function.params.filter {
        Some(filter) => filter.and(known),
        None => known,
    };
    let params = AggregateFunctionParams {
        args: vec![value.clone()],
        distinct: false,
        filter: Some(Box::new(filter)),
        order_by: vec![Sort::new(by.clone(), ascending, false)],
        null_treatment: None,
    };
    Expr::AggregateFunction(AggregateFunction { func: first_value_udaf(), params })
}

struct One {
    key: Box<[u8]>,
    value: ScalarValue,
    by: ScalarValue,
}

/// The best rows, the best one first.
struct Best {
    value: DataType,
    by: DataType,
    converter: RowConverter,
    greatest: bool,
    many: bool,
    limit: Option<usize>,
    rows: Vec<One>,
}

impl fmt::Debug for Best {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "best {:?}", self.limit)
    }
}

impl Best {
    fn better(&self, left: &[u8], right: &[u8]) -> bool {
        if self.greatest { left > right } else { left < right }
    }

    fn set_limit(&mut self, limit: i64) -> Result<usize> {
        match usize::try_from(limit) {
            Ok(wanted) if (1..=MOST).contains(&limit) => {
                self.limit = Some(wanted);
                Ok(wanted)
            }
            _ => exec_err!("the count of values is from 1 to {MOST}, not {limit}"),
        }
    }

    fn add(&mut self, values: &ArrayRef, by: &ArrayRef, limit: usize) -> Result<()> {
        let rows = self.converter.convert_columns(&[canonical(by)])?;
        let nulls = by.logical_nulls();
        for at in 0..by.len() {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
                continue;
            }
            let key = rows.row(at).data();
            let full = self.rows.len() >= limit;
            if full && self.rows.last().is_some_and(|last| !self.better(key, &last.key)) {
                continue;
            }
            let place = self.rows.partition_point(|one| !self.better(key, &one.key));
            // Compacted, as a value otherwise holds on to the batch it comes from.
            let mut value = ScalarValue::try_from_array(values, at)?;
            value.compact();
            let mut by = ScalarValue::try_from_array(by, at)?;
            by.compact();
            self.rows.insert(place, One { key: key.into(), value, by });
            self.rows.truncate(limit);
        }
        Ok(())
    }
}

impl Accumulator for Best {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [values, by, rest @ ..] = values else {
            return internal_err!("two values were expected");
        };
        let mut limit = self.limit;
        if let [counts] = rest
            && limit.is_none()
        {
            let counts = counts.as_primitive::<Int64Type>();
            limit = match counts.iter().next() {
                Some(Some(count)) => Some(self.set_limit(count)?),
                Some(None) => return exec_err!("the count of values cannot be NULL"),
                None => None,
            };
        }
        match limit {
            Some(limit) => self.add(values, by, limit),
            None => Ok(()),
        }
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if !self.many {
            return match self.rows.first() {
                Some(one) => Ok(one.value.clone()),
                None => ScalarValue::try_new_null(&self.value),
            };
        }
        if self.rows.is_empty() {
            return ScalarValue::try_new_null(&list_of(self.value.clone()));
        }
        let values: Vec<ScalarValue> = self.rows.iter().map(|one| one.value.clone()).collect();
        Ok(ScalarValue::List(ScalarValue::new_list_nullable(&values, &self.value)))
    }

    fn size(&self) -> usize {
        let one = |one: &One| one.key.len() + one.value.size() + one.by.size();
        size_of_val(self) + self.rows.iter().map(one).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<ScalarValue> = self.rows.iter().map(|one| one.value.clone()).collect();
        let by: Vec<ScalarValue> = self.rows.iter().map(|one| one.by.clone()).collect();
        Ok(vec![
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &self.value)),
            ScalarValue::List(ScalarValue::new_list_nullable(&by, &self.by)),
            ScalarValue::Int64(self.limit.and_then(|limit| i64::try_from(limit).ok())),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, by, limits] = states else { return internal_err!("a state has three parts") };
        let limit = limits.as_primitive::<Int64Type>().iter().flatten().next();
        let Some(limit) = limit else { return Ok(()) };
        let limit = self.set_limit(limit)?;
        let (values, by) = (Lists::of(values)?, Lists::of(by)?);
        self.add(&Arc::clone(&values.values), &by.values, limit)
    }
}
