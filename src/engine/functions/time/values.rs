//! What the functions of this family read and make: columns of dates, timestamps and text.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array},
    compute::cast,
    datatypes::{DataType, Int64Type, TimeUnit},
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs},
};

use super::{super::call::Call, zone::Zone};
use crate::engine::types::type_name;

/// What a parameter takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Param {
    Text,
    /// A date or a timestamp.
    Moment,
    /// An interval of days and smaller units, or of months.
    Interval,
    Integer,
    Double,
}

impl Param {
    fn coerced(self, given: &DataType) -> Option<DataType> {
        let fits = match self {
            Self::Text => matches!(given, DataType::Utf8 | DataType::Utf8View),
            Self::Moment => matches!(given, DataType::Date32 | DataType::Timestamp(..)),
            Self::Interval => matches!(given, DataType::Interval(_) | DataType::Duration(_)),
            Self::Integer => {
                return (given.is_integer() || given.is_null()).then_some(DataType::Int64);
            }
            Self::Double => {
                return (given.is_numeric() || given.is_null()).then_some(DataType::Float64);
            }
        };
        match given {
            DataType::Null => Some(match self {
                // Left as it is, so that a NULL that decides a type is seen to be a literal.
                Self::Text => DataType::Null,
                Self::Moment => DataType::Timestamp(TimeUnit::Millisecond, None),
                _ => DataType::Duration(TimeUnit::Millisecond),
            }),
            DataType::Interval(_) if fits => {
                Some(DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano))
            }
            given => fits.then(|| given.clone()),
        }
    }
}

/// The types the function sees, by the first of its `forms` that fits.
pub(super) fn coerce(name: &str, forms: &[&[Param]], types: &[DataType]) -> Result<Vec<DataType>> {
    for form in forms.iter().filter(|form| form.len() == types.len()) {
        let coerced: Option<Vec<_>> =
            form.iter().zip(types).map(|(param, given)| param.coerced(given)).collect();
        if let Some(coerced) = coerced {
            return Ok(coerced);
        }
    }
    let given: Vec<String> = types.iter().map(type_name).collect();
    let text = types.iter().any(|given| matches!(given, DataType::Utf8 | DataType::Utf8View));
    let moment = forms.iter().any(|form| form.iter().any(|param| matches!(param, Param::Moment)));
    let hint = if text && moment {
        "; from_iso8601_timestamp makes a timestamp of text like eventtime"
    } else {
        ""
    };
    plan_err!("{name} does not take ({}){hint}", given.join(", "))
}

impl Call {
    pub(super) fn moments(&self, index: usize) -> Result<Moments> {
        let (array, one) = self.column(index)?;
        Moments::new(array, one)
    }

    pub(super) fn integers(&self, index: usize) -> Result<Integers> {
        let (array, one) = self.column(index)?;
        Integers::new(array, one)
    }

    /// The integers that `value` gives for the rows, as a column of `data_type`.
    pub(super) fn stamps(
        &self,
        data_type: &DataType,
        mut value: impl FnMut(usize) -> Result<Option<i64>>,
    ) -> Result<ColumnarValue> {
        let mut values = Int64Array::builder(self.rows());
        for row in 0..self.rows() {
            values.append_option(value(row)?);
        }
        let mut values: ArrayRef = Arc::new(values.finish());
        if matches!(data_type, DataType::Date32) {
            values = cast(&values, &DataType::Int32)?;
        }
        self.finish(cast(&values, data_type)?)
    }
}

/// A column of integers.
pub(super) struct Integers {
    values: Int64Array,
    one: bool,
}

impl Integers {
    pub(super) fn new(array: &ArrayRef, one: bool) -> Result<Self> {
        let array = cast(array, &DataType::Int64)?;
        Ok(Self { values: array.as_primitive::<Int64Type>().clone(), one })
    }

    pub(super) fn get(&self, row: usize) -> Option<i64> {
        let row = if self.one { 0 } else { row };
        self.values.is_valid(row).then(|| self.values.value(row))
    }
}

/// What moments are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Count {
    Days,
    Units(TimeUnit),
}

impl Count {
    pub(super) fn of(data_type: &DataType) -> Result<Self> {
        match data_type {
            DataType::Date32 => Ok(Self::Days),
            DataType::Timestamp(unit, _) => Ok(Self::Units(*unit)),
            other => exec_err!("{} is neither a date nor a timestamp", type_name(other)),
        }
    }

    /// The moment of a count.
    pub(super) fn moment(self, count: i64) -> Result<NaiveDateTime> {
        let found = match self {
            Self::Days => TimeDelta::try_days(count)
                .and_then(|days| DateTime::UNIX_EPOCH.naive_utc().checked_add_signed(days)),
            Self::Units(unit) => {
                let per_second = per_second(unit);
                let nanos = count.rem_euclid(per_second) * (1_000_000_000 / per_second);
                u32::try_from(nanos)
                    .ok()
                    .and_then(|nanos| DateTime::from_timestamp(count.div_euclid(per_second), nanos))
                    .map(|at| at.naive_utc())
            }
        };
        found.map_or_else(|| exec_err!("the time {count} is out of range"), Ok)
    }

    /// The count of a moment; what is finer than it counts is cut off.
    pub(super) fn count(self, moment: NaiveDateTime) -> Result<i64> {
        let at = moment.and_utc();
        let count = match self {
            Self::Days => Some(at.timestamp().div_euclid(86_400)),
            Self::Units(TimeUnit::Second) => Some(at.timestamp()),
            Self::Units(TimeUnit::Millisecond) => Some(at.timestamp_millis()),
            Self::Units(TimeUnit::Microsecond) => Some(at.timestamp_micros()),
            Self::Units(TimeUnit::Nanosecond) => at.timestamp_nanos_opt(),
        };
        count.map_or_else(|| exec_err!("{moment} is out of range for timestamp(9)"), Ok)
    }
}

/// How many of `unit` make a second.
pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// A column of dates or timestamps.
pub(super) struct Moments {
    values: Integers,
    pub(super) count: Count,
    pub(super) zone: Zone,
    pub(super) zoned: bool,
}

impl Moments {
    pub(super) fn new(array: &ArrayRef, one: bool) -> Result<Self> {
        let count = Count::of(array.data_type())?;
        let zone = match array.data_type() {
            DataType::Timestamp(_, zone) => zone.as_deref(),
            _ => None,
        };
        let days = matches!(count, Count::Days);
        let array = if days { cast(array, &DataType::Int32)? } else { Arc::clone(array) };
        Ok(Self {
            values: Integers::new(&array, one)?,
            count,
            zone: Zone::of(zone)?,
            zoned: zone.is_some(),
        })
    }

    /// The count that stands in `row`.
    pub(super) fn counted(&self, row: usize) -> Option<i64> {
        self.values.get(row)
    }

    /// The instant of `row`; a wall clock without zone is read in UTC.
    pub(super) fn utc(&self, row: usize) -> Result<Option<NaiveDateTime>> {
        self.values.get(row).map(|count| self.count.moment(count)).transpose()
    }

    /// The wall clock of `row`.
    pub(super) fn local(&self, row: usize) -> Result<Option<NaiveDateTime>> {
        let Some(utc) = self.utc(row)? else { return Ok(None) };
        local(self.zone, utc).map(Some)
    }
}

/// The wall clock of `zone` at `utc`.
pub(super) fn local(zone: Zone, utc: NaiveDateTime) -> Result<NaiveDateTime> {
    zone.local(utc).map_or_else(|| exec_err!("{utc} is out of range"), Ok)
}

/// The instant of a wall clock in `zone`.
pub(super) fn instant(
    zone: Zone,
    local: NaiveDateTime,
    offset: Option<i32>,
) -> Result<NaiveDateTime> {
    zone.instant(local, offset).map_or_else(|| exec_err!("{local} is out of range"), Ok)
}

/// Midnight of a day.
pub(super) fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

/// `timestamp(3) with time zone` in `zone`.
pub(super) fn zoned(unit: TimeUnit, zone: Zone) -> DataType {
    DataType::Timestamp(unit, Some(zone.name()))
}

/// The literal text that argument `index` is; nothing where it is none or NULL.
pub(super) fn literal<'a>(args: &'a ReturnFieldArgs<'_>, index: usize) -> Option<&'a str> {
    args.scalar_arguments.get(index).copied().flatten()?.try_as_str().flatten()
}

/// The type of the first argument.
pub(super) fn first(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    typed(args, 0)
}

/// The type of argument `index`.
pub(super) fn typed(args: &ReturnFieldArgs<'_>, index: usize) -> Result<DataType> {
    let Some(field) = args.arg_fields.get(index) else {
        return plan_err!("argument {} is missing", index + 1);
    };
    Ok(field.data_type().clone())
}
