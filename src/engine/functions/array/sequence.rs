//! `sequence`: numbers, days or timestamps in steps.

use std::{cmp::Ordering, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, ListArray},
    datatypes::{
        DataType, Date32Type, Field, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
    },
};
use chrono::{Months, NaiveDate};
use datafusion::{
    common::{exec_datafusion_err, exec_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::super::nested::{argument, cast_to, column, common, list_of, offset_buffer, refuse};

/// As in Trino: the longest sequence.
const LONGEST: usize = 10_000;
const WANTS: &str = "two numbers, two dates, or two timestamps and an interval";
const DAY_NANOS: i128 = 86_400_000_000_000;

/// Start, stop and perhaps a step.
pub(super) fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    let ([start, stop], step) = match types {
        [start, stop] => ([start, stop], None),
        [start, stop, step] => ([start, stop], Some(step)),
        _ => return refuse(WANTS, types),
    };
    let Some(both) = common(start, stop) else { return refuse(WANTS, types) };
    let months = DataType::Interval(IntervalUnit::MonthDayNano);
    let (both, wanted) = match (both, step) {
        (both, None) if both.is_integer() || both.is_null() => (DataType::Int64, None),
        (both, Some(step))
            if (both.is_integer() || both.is_null()) && (step.is_integer() || step.is_null()) =>
        {
            (DataType::Int64, Some(DataType::Int64))
        }
        (DataType::Date32, None) => (DataType::Date32, None),
        (
            both @ (DataType::Date32 | DataType::Timestamp(_, None)),
            Some(DataType::Interval(_) | DataType::Duration(_) | DataType::Null),
        ) => (both, Some(months)),
        _ => return refuse(WANTS, types),
    };
    let mut all = vec![both.clone(), both];
    all.extend(wanted);
    Ok(all)
}

/// An array of the type of the ends.
pub(super) fn returns(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(list_of(argument(args, 0)?.clone()))
}

/// The step from one element to the next.
#[derive(Clone, Copy)]
enum Step {
    /// In the unit of the ends.
    Units(i64),
    Months(i32),
}

impl Step {
    fn order(self) -> Ordering {
        match self {
            Self::Units(units) => units.cmp(&0),
            Self::Months(months) => months.cmp(&0),
        }
    }
}

/// `sequence(start, stop[, step])`.
pub(super) fn run(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (starts, stops) = (column(args, 0)?, column(args, 1)?);
    let data_type = starts.data_type().clone();
    let (starts, stops) = (numbers(&starts)?, numbers(&stops)?);
    let steps = if args.args.len() > 2 { Some(column(args, 2)?) } else { None };
    let (mut values, mut offsets, mut valid) = (Vec::new(), vec![0], Vec::new());
    for (row, (start, stop)) in starts.iter().zip(&stops).enumerate() {
        let known = steps.as_ref().is_none_or(|steps| steps.is_valid(row));
        let (Some(start), Some(stop), true) = (start, stop, known) else {
            valid.push(false);
            offsets.push(values.len());
            continue;
        };
        let step = match &steps {
            Some(steps) => step(steps, row, &data_type)?,
            None => Step::Units(if start <= stop { 1 } else { -1 }),
        };
        one(start, stop, step, &data_type, &mut values)?;
        valid.push(true);
        offsets.push(values.len());
    }
    let values: ArrayRef = match &data_type {
        DataType::Date32 => {
            let days: Result<Vec<i32>, _> = values.into_iter().map(i32::try_from).collect();
            let days =
                days.map_err(|error| exec_datafusion_err!("a date is out of range: {error}"))?;
            Arc::new(Date32Array::from(days))
        }
        other => cast_to(&(Arc::new(Int64Array::from(values)) as ArrayRef), other)?,
    };
    let field = Arc::new(Field::new_list_field(data_type, true));
    let offsets = offset_buffer(offsets.into_iter())?;
    let lists = ListArray::try_new(field, offsets, values, Some(valid.into()))?;
    Ok(ColumnarValue::Array(Arc::new(lists)))
}

/// The ends as numbers: days, or the unit of the timestamp.
fn numbers(ends: &ArrayRef) -> Result<Int64Array> {
    let ends = match ends.data_type() {
        DataType::Date32 => {
            let days = ends.as_primitive::<Date32Type>();
            return Ok(days.iter().map(|day| day.map(i64::from)).collect());
        }
        _ => cast_to(ends, &DataType::Int64)?,
    };
    Ok(ends.as_primitive::<Int64Type>().clone())
}

fn step(steps: &ArrayRef, row: usize, data_type: &DataType) -> Result<Step> {
    if let Some(steps) = steps.as_primitive_opt::<Int64Type>() {
        return Ok(Step::Units(steps.value(row)));
    }
    let step = steps.as_primitive::<IntervalMonthDayNanoType>().value(row);
    let nanos = i128::from(step.days) * DAY_NANOS + i128::from(step.nanoseconds);
    if step.months != 0 {
        if nanos != 0 {
            return exec_err!("the step of a sequence is months or days and time, not both");
        }
        return Ok(Step::Months(step.months));
    }
    let unit = match data_type {
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1,
        _ => DAY_NANOS,
    };
    if nanos % unit != 0 {
        return exec_err!("the step of a sequence of dates is whole days");
    }
    let units = i64::try_from(nanos / unit)
        .map_err(|error| exec_datafusion_err!("the step of the sequence is too long: {error}"))?;
    Ok(Step::Units(units))
}

fn one(
    start: i64,
    stop: i64,
    step: Step,
    data_type: &DataType,
    values: &mut Vec<i64>,
) -> Result<()> {
    let onward = step.order();
    if onward == Ordering::Equal {
        return exec_err!("the step of a sequence cannot be zero");
    }
    if stop.cmp(&start) == onward.reverse() {
        return exec_err!(
            "the sequence cannot get from its start to its stop: the step leads away"
        );
    }
    let first = values.len();
    let mut next = Some(start);
    while let Some(value) = next
        && value.cmp(&stop) != onward
    {
        if values.len() - first == LONGEST {
            return exec_err!("a sequence has no more than {LONGEST} elements");
        }
        values.push(value);
        let count = i64::try_from(values.len() - first).unwrap_or(i64::MAX);
        next = match step {
            Step::Units(units) => value.checked_add(units),
            Step::Months(months) => plus_months(start, i64::from(months) * count, data_type),
        };
    }
    Ok(())
}

/// `value` some months on; the last day of a month that is too short.
fn plus_months(value: i64, months: i64, data_type: &DataType) -> Option<i64> {
    let day = match data_type {
        DataType::Timestamp(TimeUnit::Second, _) => 86_400,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 86_400_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 86_400_000_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 86_400_000_000_000,
        _ => 1,
    };
    let date = NaiveDate::from_epoch_days(i32::try_from(value.div_euclid(day)).ok()?)?;
    let by = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let date = if months < 0 { date.checked_sub_months(by)? } else { date.checked_add_months(by)? };
    i64::from(date.to_epoch_days()).checked_mul(day)?.checked_add(value.rem_euclid(day))
}
