//! Casts from and to dates and timestamps, which stand in plans in place of Arrow's, whose text has
//! another form and whose wall clocks are in UTC.
//!
//! <https://trino.io/docs/current/functions/conversion.html>

use std::{cmp::Ordering, sync::Arc};

use arrow::{
    array::Array,
    datatypes::{DataType, TimeUnit},
};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::{
    super::call::Call,
    text,
    values::{Count, Moments, local, per_second},
};

/// A cast to one type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::engine) struct TimeCast {
    to: DataType,
    /// Whether what cannot be cast is NULL.
    lenient: bool,
    signature: Signature,
}

impl TimeCast {
    /// Whether casts from `from` to `to` are this one's.
    pub(in crate::engine) fn covers(from: &DataType, to: &DataType) -> bool {
        let text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::Utf8View);
        match (from, to) {
            (DataType::Timestamp(..), DataType::Date32 | DataType::Timestamp(..))
            | (DataType::Date32, DataType::Timestamp(..)) => from != to,
            (DataType::Timestamp(..), to) => text(to),
            (from, DataType::Date32 | DataType::Timestamp(..)) => text(from),
            _ => false,
        }
    }

    /// The type it casts to.
    pub(in crate::engine) fn to(&self) -> &DataType {
        &self.to
    }

    /// The function that casts to `to`.
    pub(in crate::engine) fn udf(to: DataType, lenient: bool) -> ScalarUDF {
        // Views of text are made where text is cast, as for all functions.
        let to = if matches!(to, DataType::Utf8View) { DataType::Utf8 } else { to };
        let signature = Signature::any(1, Volatility::Immutable);
        ScalarUDF::new_from_impl(Self { to, lenient, signature })
    }

    fn each(
        &self,
        call: &Call,
        value: impl Fn(usize) -> Result<Option<i64>>,
    ) -> Result<ColumnarValue> {
        call.stamps(&self.to, |row| match value(row) {
            Err(_) if self.lenient => Ok(None),
            outcome => outcome,
        })
    }
}

impl ScalarUDFImpl for TimeCast {
    /// The names by which `coverage` knows what keeps the time of a column.
    fn name(&self) -> &str {
        match self.to {
            DataType::Timestamp(..) => "to_timestamp",
            DataType::Date32 => "to_date",
            _ => "to_varchar",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [from] if Self::covers(from, &self.to) => Ok(self.to.clone()),
            // An argument that the optimizer has made of the wanted type.
            [from] if *from == self.to || from.is_null() => Ok(self.to.clone()),
            other => plan_err!("{} does not take {other:?}", self.name()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let call = Call::of(&args)?;
        let (array, _) = call.column(0)?;
        if array.data_type() == &self.to {
            return call.finish(Arc::clone(array));
        }
        let from_text =
            matches!(array.data_type(), DataType::Utf8 | DataType::Utf8View | DataType::Null);
        match &self.to {
            DataType::Date32 if from_text => {
                let texts = call.texts(0)?;
                self.each(&call, |row| texts.get(row).map(text::read_date).transpose())
            }
            DataType::Timestamp(unit, zone) if from_text => {
                let texts = call.texts(0)?;
                let read = |text| text::read_stamp(text, *unit, zone.is_some());
                self.each(&call, |row| texts.get(row).map(read).transpose())
            }
            DataType::Date32 => {
                let moments = call.moments(0)?;
                self.each(&call, |row| {
                    moments.local(row)?.map(|at| Count::Days.count(at)).transpose()
                })
            }
            DataType::Timestamp(unit, zone) => {
                let moments = call.moments(0)?;
                let wall = moments.zoned && zone.is_none();
                self.each(&call, |row| restamped(&moments, row, *unit, wall))
            }
            _ => written(&call),
        }
    }
}

/// The moment of `row` counted in `unit`: as a wall clock or as an instant.
fn restamped(moments: &Moments, row: usize, unit: TimeUnit, wall: bool) -> Result<Option<i64>> {
    let Count::Units(from) = moments.count else {
        return moments.utc(row)?.map(|at| Count::Units(unit).count(at)).transpose();
    };
    let Some(mut count) = moments.counted(row) else { return Ok(None) };
    if wall {
        let at = moments.count.moment(count)?;
        count = moments.count.count(local(moments.zone, at)?)?;
    }
    let Some(count) = rescaled(count, per_second(from), per_second(unit)) else {
        return exec_err!("{} is out of range for the timestamp", moments.count.moment(count)?);
    };
    Ok(Some(count))
}

/// `count` of units of which `from` make a second, in units of which `to` do; halves away from zero.
fn rescaled(count: i64, from: i64, to: i64) -> Option<i64> {
    match from.cmp(&to) {
        Ordering::Less => count.checked_mul(to / from),
        Ordering::Equal => Some(count),
        Ordering::Greater => {
            let divisor = from / to;
            let rest = count % divisor;
            let up = i64::from(rest.abs() >= divisor / 2) * rest.signum();
            Some(count / divisor + up)
        }
    }
}

fn written(call: &Call) -> Result<ColumnarValue> {
    let moments = call.moments(0)?;
    let Count::Units(unit) = moments.count else {
        return exec_err!("only timestamps are written here");
    };
    let zone = moments.zoned.then(|| moments.zone.name());
    call.write_text(|row, out| {
        let Some(at) = moments.local(row)? else { return Ok(None) };
        text::push_date(out, at.date());
        out.push(' ');
        text::push_time(out, at, unit);
        if let Some(zone) = &zone {
            out.push(' ');
            out.push_str(zone);
        }
        Ok(Some(()))
    })
}
