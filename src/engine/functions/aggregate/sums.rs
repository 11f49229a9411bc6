//! Aggregates of a few running sums: `count_if`, `geometric_mean`, `skewness`, `kurtosis`, `entropy`.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Float64Type, Int64Type},
};
use datafusion::{
    common::{ScalarValue, exec_err, internal_err},
    error::Result,
    functions_aggregate::count::count_udaf,
    logical_expr::{
        Accumulator, Expr,
        expr::{AggregateFunction, AggregateFunctionParams},
        lit, when,
    },
};

use super::super::nested::{cast_to, refuse};

/// One boolean.
pub(super) fn one_boolean(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [DataType::Boolean | DataType::Null] => Ok(vec![DataType::Boolean]),
        _ => refuse("a boolean", types),
    }
}

/// `count_if(x)` as `count(CASE WHEN x THEN 1 END)`.
pub(super) fn simplify_count_if(function: AggregateFunction) -> Result<Expr> {
    let params = function.params;
    let [condition] = &params.args[..] else { return internal_err!("a boolean was expected") };
    let counted = when(condition.clone(), lit(1_i64)).end()?;
    let params = AggregateFunctionParams { args: vec![counted], order_by: Vec::new(), ..params };
    Ok(Expr::AggregateFunction(AggregateFunction { func: count_udaf(), params }))
}

/// `count_if(x)`.
pub(super) fn count_if() -> Box<dyn Accumulator> {
    Box::new(CountIf(0))
}

#[derive(Debug)]
struct CountIf(i64);

fn trues(values: &[ArrayRef]) -> Result<i64> {
    let [values] = values else { return internal_err!("a boolean was expected") };
    Ok(i64::try_from(values.as_boolean().true_count()).unwrap_or(i64::MAX))
}

impl Accumulator for CountIf {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0 += trues(values)?;
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.0)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [counts] = states else { return internal_err!("a count was expected") };
        self.0 += counts.as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0 -= trues(values)?;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// One number.
pub(super) fn one_number(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [number] if number.is_numeric() || number.is_null() => Ok(vec![DataType::Float64]),
        _ => refuse("a number", types),
    }
}

/// What is summed up, and what comes of it.
#[derive(Debug)]
struct Sums {
    so_far: [f64; 5],
    add: fn(&mut [f64; 5], f64) -> Result<()>,
    merge: fn(&mut [f64; 5], [f64; 5]),
    finish: fn([f64; 5]) -> Option<f64>,
}

impl Accumulator for Sums {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [values] = values else { return internal_err!("a number was expected") };
        let values = cast_to(values, &DataType::Float64)?;
        values
            .as_primitive::<Float64Type>()
            .iter()
            .flatten()
            .try_for_each(|value| (self.add)(&mut self.so_far, value))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64((self.finish)(self.so_far)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.so_far.iter().map(|sum| ScalarValue::Float64(Some(*sum))).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states.first().map_or(0, Array::len) {
            let mut other = [0.0; 5];
            for (sum, state) in other.iter_mut().zip(states) {
                let state = state.as_primitive::<Float64Type>();
                *sum = if state.is_valid(row) { state.value(row) } else { 0.0 };
            }
            (self.merge)(&mut self.so_far, other);
        }
        Ok(())
    }
}

fn plainly(sums: &mut [f64; 5], other: [f64; 5]) {
    sums.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
}

/// `geometric_mean(x)`.
pub(super) fn geometric_mean() -> Box<dyn Accumulator> {
    Box::new(Sums {
        so_far: [0.0; 5],
        add: |[count, logarithms, ..], value| {
            *count += 1.0;
            *logarithms += value.ln();
            Ok(())
        },
        merge: plainly,
        finish: |[count, logarithms, ..]| (count > 0.0).then(|| (logarithms / count).exp()),
    })
}

/// `entropy(c)`.
pub(super) fn entropy() -> Box<dyn Accumulator> {
    Box::new(Sums {
        so_far: [0.0; 5],
        add: |[counts, products, ..], count| {
            if count < 0.0 {
                return exec_err!("entropy takes counts of 0 or more, not {count}");
            }
            if count > 0.0 {
                *counts += count;
                *products += count * count.log2();
            }
            Ok(())
        },
        merge: plainly,
        finish: |[counts, products, ..]| {
            Some(if counts > 0.0 { (counts.log2() - products / counts).max(0.0) } else { 0.0 })
        },
    })
}

/// Count, mean and the sums of the second, third and fourth powers of the distances from it, of two
/// groups together.
fn moments(left: &mut [f64; 5], right: [f64; 5]) {
    let ([n1, mean1, a2, a3, a4], [n2, mean2, b2, b3, b4]) = (*left, right);
    let n = n1 + n2;
    if n2 == 0.0 {
        return;
    }
    let d = mean2 - mean1;
    let mean = mean1 + d * n2 / n;
    let m2 = a2 + b2 + d * d * n1 * n2 / n;
    let m3 =
        a3 + b3 + d.powi(3) * n1 * n2 * (n1 - n2) / (n * n) + 3.0 * d * (n1 * b2 - n2 * a2) / n;
    let m4 = a4
        + b4
        + d.powi(4) * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2) / n.powi(3)
        + 6.0 * d * d * (n1 * n1 * b2 + n2 * n2 * a2) / (n * n)
        + 4.0 * d * (n1 * b3 - n2 * a3) / n;
    *left = [n, mean, m2, m3, m4];
}

#[expect(clippy::unnecessary_wraps, reason = "others refuse values")]
fn one_more(sums: &mut [f64; 5], value: f64) -> Result<()> {
    moments(sums, [1.0, value, 0.0, 0.0, 0.0]);
    Ok(())
}

/// `skewness(x)`.
pub(super) fn skewness() -> Box<dyn Accumulator> {
    let finish = |[n, _, m2, m3, _]: [f64; 5]| (n >= 3.0).then(|| n.sqrt() * m3 / m2.powf(1.5));
    Box::new(Sums { so_far: [0.0; 5], add: one_more, merge: moments, finish })
}

/// `kurtosis(x)`: the excess kurtosis, without bias.
pub(super) fn kurtosis() -> Box<dyn Accumulator> {
    let finish = |[n, _, m2, _, m4]: [f64; 5]| {
        let variance = m2 / (n - 1.0);
        (n >= 4.0).then(|| {
            n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0)) * m4 / (variance * variance)
                - 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
        })
    };
    Box::new(Sums { so_far: [0.0; 5], add: one_more, merge: moments, finish })
}
