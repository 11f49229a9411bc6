//! `approx_percentile`: exact for a few thousand values, from then on by a t-digest: neighbouring
//! values are merged, the fewer the nearer they are to the ends.

use std::{f64::consts::PI, mem};

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array},
    datatypes::{DataType, Float64Type},
};
use datafusion::{
    common::{ScalarValue, exec_err, internal_err},
    error::Result,
    logical_expr::Accumulator,
};

use super::super::nested::{Lists, as_list, cast_to, element, list_of, refuse};

const WANTS: &str = "numbers, perhaps weights, and a percentage or an array of percentages";
/// How many values there are at most before they are merged.
const HELD: usize = 8_192;
/// About how many are left.
const KEPT: f64 = 2_000.0;

/// Numbers, perhaps weights, one or several percentages.
pub(super) fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    let (value, weight, wanted) = match types {
        [value, wanted] => (value, None, wanted),
        [value, weight, wanted] => (value, Some(weight), wanted),
        _ => return refuse(WANTS, types),
    };
    let value = match value {
        DataType::Float32 | DataType::Null => DataType::Float64,
        value if value.is_integer() => DataType::Int64,
        value if value.is_numeric() => DataType::Float64,
        _ => return refuse(WANTS, types),
    };
    let wanted = match (wanted, as_list(wanted)) {
        (wanted, _) if wanted.is_numeric() => DataType::Float64,
        (_, Some(list)) if element(&list)?.is_numeric() => list_of(DataType::Float64),
        _ => return refuse(WANTS, types),
    };
    let mut all = vec![value];
    match weight {
        Some(weight) if weight.is_numeric() => all.push(DataType::Float64),
        Some(_) => return refuse(WANTS, types),
        None => {}
    }
    all.push(wanted);
    Ok(all)
}

/// The numbers' type, or an array of it.
pub(super) fn returns(types: &[DataType]) -> Result<DataType> {
    match types {
        [value, .., DataType::List(_)] => Ok(list_of(value.clone())),
        [value, ..] => Ok(value.clone()),
        [] => refuse(WANTS, types),
    }
}

/// Values, their weights, whether any were merged, and the percentages.
pub(super) fn state() -> Vec<DataType> {
    let numbers = list_of(DataType::Float64);
    vec![numbers.clone(), numbers.clone(), DataType::Boolean, numbers]
}

/// `approx_percentile(x[, w], percentages)`.
pub(super) fn make(types: &[DataType]) -> Result<Box<dyn Accumulator>> {
    let Some(value) = types.first() else { return refuse(WANTS, types) };
    Ok(Box::new(Percentiles {
        result: returns(types)?,
        whole: value.is_integer(),
        digest: Digest::default(),
        wanted: None,
    }))
}

#[derive(Debug)]
struct Percentiles {
    result: DataType,
    whole: bool,
    digest: Digest,
    wanted: Option<Vec<f64>>,
}

impl Percentiles {
    fn want(&mut self, wanted: &ArrayRef) -> Result<()> {
        if self.wanted.is_some() || wanted.is_empty() {
            return Ok(());
        }
        let all: Vec<Option<f64>> = if wanted.as_list_opt::<i32>().is_some() {
            let lists = Lists::of(wanted)?;
            let values = cast_to(&lists.values, &DataType::Float64)?;
            values.slice(0, lists.span(0).len()).as_primitive::<Float64Type>().iter().collect()
        } else {
            wanted.slice(0, 1).as_primitive::<Float64Type>().iter().collect()
        };
        let mut known = Vec::with_capacity(all.len());
        for one in all {
            match one {
                Some(one) if (0.0..=1.0).contains(&one) => known.push(one),
                Some(one) => return exec_err!("a percentage is from 0 to 1, not {one}"),
                None => return exec_err!("a percentage cannot be NULL"),
            }
        }
        self.wanted = Some(known);
        Ok(())
    }

    fn value(&mut self, wanted: f64) -> Result<ScalarValue> {
        let value = self.digest.at(wanted);
        if !self.whole {
            return Ok(ScalarValue::Float64(value));
        }
        let value = ScalarValue::Float64(value.map(f64::round_ties_even));
        value.cast_to(&DataType::Int64)
    }
}

fn numbers(values: &[f64]) -> ScalarValue {
    let values: Vec<ScalarValue> =
        values.iter().map(|value| ScalarValue::Float64(Some(*value))).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Float64))
}

impl Accumulator for Percentiles {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (values, weights, wanted) = match values {
            [values, wanted] => (values, None, wanted),
            [values, weights, wanted] => (values, Some(weights), wanted),
            _ => return internal_err!("numbers and percentages were expected"),
        };
        self.want(wanted)?;
        let values = cast_to(values, &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let ones;
        let weights: &Float64Array = if let Some(weights) = weights {
            weights.as_primitive()
        } else {
            ones = Float64Array::from_value(1.0, values.len());
            &ones
        };
        for (value, weight) in values.iter().zip(weights) {
            let (Some(value), Some(weight)) = (value, weight) else { continue };
            if weight.is_nan() || weight <= 0.0 {
                return exec_err!("a weight is more than 0, not {weight}");
            }
            self.digest.add(value, weight);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Some(wanted) = self.wanted.clone().filter(|_| !self.digest.held.is_empty()) else {
            return ScalarValue::try_new_null(&self.result);
        };
        if let DataType::List(field) = self.result.clone() {
            let values: Result<Vec<ScalarValue>> =
                wanted.into_iter().map(|wanted| self.value(wanted)).collect();
            let list = ScalarValue::new_list_nullable(&values?, field.data_type());
            return Ok(ScalarValue::List(list));
        }
        match wanted.first() {
            Some(wanted) => self.value(*wanted),
            None => ScalarValue::try_new_null(&self.result),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.digest.held.capacity() * size_of::<(f64, f64)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (values, weights): (Vec<f64>, Vec<f64>) = self.digest.held.iter().copied().unzip();
        Ok(vec![
            numbers(&values),
            numbers(&weights),
            ScalarValue::Boolean(Some(self.digest.merged)),
            match &self.wanted {
                Some(wanted) => numbers(wanted),
                None => ScalarValue::try_new_null(&list_of(DataType::Float64))?,
            },
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, weights, merged, wanted] = states else {
            return internal_err!("a state has four parts");
        };
        let known: Vec<u32> = (0..wanted.len())
            .filter(|row| wanted.is_valid(*row))
            .take(1)
            .map(super::super::nested::index)
            .collect();
        let known = arrow::array::UInt32Array::from(known);
        self.want(&arrow::compute::take(wanted, &known, None)?)?;
        self.digest.merged |= merged.as_boolean().iter().any(|merged| merged == Some(true));
        let (values, weights) = (Lists::of(values)?.values, Lists::of(weights)?.values);
        let pairs =
            values.as_primitive::<Float64Type>().iter().zip(weights.as_primitive::<Float64Type>());
        for (value, weight) in pairs {
            if let (Some(value), Some(weight)) = (value, weight) {
                self.digest.add(value, weight);
            }
        }
        Ok(())
    }
}

/// Values with their weights.
#[derive(Debug, Default)]
struct Digest {
    held: Vec<(f64, f64)>,
    sorted: bool,
    merged: bool,
}

impl Digest {
    fn add(&mut self, value: f64, weight: f64) {
        self.held.push((value, weight));
        self.sorted = false;
        if self.held.len() >= HELD {
            self.merge();
        }
    }

    fn sort(&mut self) {
        if !self.sorted {
            self.held.sort_by(|left, right| left.0.total_cmp(&right.0));
            self.sorted = true;
        }
    }

    fn total(&self) -> f64 {
        self.held.iter().map(|(_, weight)| weight).sum()
    }

    /// Merges neighbours that together span no more than one step of the scale, which is the finer
    /// the nearer to the ends.
    fn merge(&mut self) {
        self.sort();
        self.merged = true;
        let total = self.total();
        let scale = |part: f64| KEPT / (2.0 * PI) * (2.0 * part - 1.0).clamp(-1.0, 1.0).asin();
        let mut kept: Vec<(f64, f64)> = Vec::with_capacity(HELD);
        let mut before = 0.0;
        for (value, weight) in mem::take(&mut self.held) {
            if let Some(last) = kept.last_mut() {
                let both = last.1 + weight;
                if scale((before + both) / total) - scale(before / total) <= 1.0 {
                    last.0 += (value - last.0) * weight / both;
                    last.1 = both;
                    continue;
                }
                before += last.1;
            }
            kept.push((value, weight));
        }
        self.held = kept;
    }

    /// The value below which `part` of the weight lies.
    fn at(&mut self, part: f64) -> Option<f64> {
        self.sort();
        let (first, last) = (*self.held.first()?, *self.held.last()?);
        let wanted = part * self.total();
        if !self.merged {
            let mut before = 0.0;
            for (value, weight) in &self.held {
                before += weight;
                if before > wanted {
                    return Some(*value);
                }
            }
            return Some(last.0);
        }
        // Each merged value stands for the middle of its weight; between the middles, a line.
        let (mut before, mut previous) = (0.0, (0.0, first.0));
        for (value, weight) in &self.held {
            let middle = before + weight / 2.0;
            if middle >= wanted {
                let span = middle - previous.0;
                let share = if span > 0.0 { (wanted - previous.0) / span } else { 1.0 };
                return Some(previous.1 + (value - previous.1) * share);
            }
            before += weight;
            previous = (middle, *value);
        }
        Some(last.0)
    }
}
