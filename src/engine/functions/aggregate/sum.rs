//! `sum`: DataFusion's, but a sum of whole numbers that no bigint can hold is an error, not another
//! number.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, PrimitiveArray},
    datatypes::{DataType, FieldRef, Int64Type},
};
use datafusion::{
    common::{ScalarValue, exec_err, internal_err},
    error::Result,
    functions_aggregate::sum::sum_udaf,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF,
        SetMonotonicity, Signature,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

use super::super::Made;

/// `sum(x)`.
pub(super) fn made() -> Made {
    Made::Aggregate(AggregateUDF::new_from_impl(Sum { native: sum_udaf() }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sum {
    native: Arc<AggregateUDF>,
}

fn checked(args: &AccumulatorArgs<'_>) -> bool {
    !args.is_distinct && args.return_field.data_type() == &DataType::Int64
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.native.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.native.return_type(types)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.native.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if checked(&args) { Ok(Box::new(Whole(None))) } else { self.native.accumulator(args) }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        self.native.create_sliding_accumulator(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.native.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        if checked(&args) {
            return Ok(Box::new(WholeOfGroups::default()));
        }
        self.native.create_groups_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.native.inner().set_monotonicity(data_type)
    }
}

fn plus(sum: i64, value: i64) -> Result<i64> {
    if let Some(sum) = sum.checked_add(value) {
        Ok(sum)
    } else {
        exec_err!("the sum is out of the range of bigint: {sum} + {value}")
    }
}

/// The only array of `values`.
fn whole(values: &[ArrayRef]) -> Result<&Int64Array> {
    if let [values] = values {
        Ok(values.as_primitive::<Int64Type>())
    } else {
        internal_err!("sum takes one argument")
    }
}

/// The sum of one group; nothing before there is a value.
#[derive(Debug)]
struct Whole(Option<i64>);

impl Accumulator for Whole {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = whole(values)?;
        if values.null_count() == values.len() {
            return Ok(());
        }
        // No batch has so many values that their sum leaves this type.
        let batch: i128 = if values.null_count() == 0 {
            values.values().iter().copied().map(i128::from).sum()
        } else {
            values.iter().flatten().map(i128::from).sum()
        };
        let sum = self.0.unwrap_or_default();
        if let Ok(sum) = i64::try_from(i128::from(sum) + batch) {
            self.0 = Some(sum);
            Ok(())
        } else {
            exec_err!("the sum is out of the range of bigint: {sum} + {batch}")
        }
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(self.0))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}

/// The sums of many groups.
#[derive(Debug, Default)]
struct WholeOfGroups {
    sums: Vec<i64>,
    any: Vec<bool>,
}

impl WholeOfGroups {
    fn add(&mut self, group: usize, value: i64) -> Result<()> {
        if let (Some(sum), Some(any)) = (self.sums.get_mut(group), self.any.get_mut(group)) {
            *sum = plus(*sum, value)?;
            *any = true;
        }
        Ok(())
    }
}

impl GroupsAccumulator for WholeOfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        wanted: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize(total, 0);
        self.any.resize(total, false);
        let values = whole(values)?;
        for (row, group) in groups.iter().enumerate() {
            let counts = wanted.is_none_or(|wanted| wanted.is_valid(row) && wanted.value(row));
            if counts && values.is_valid(row) {
                self.add(*group, values.value(row))?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.sums);
        let any = emit_to.take_needed(&mut self.any);
        Ok(Arc::new(PrimitiveArray::<Int64Type>::try_new(sums.into(), Some(any.into()))?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.update_batch(states, groups, None, total)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        wanted: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = whole(values)?;
        let counts = |(row, value): (usize, Option<i64>)| {
            value.filter(|_| wanted.is_none_or(|wanted| wanted.is_valid(row) && wanted.value(row)))
        };
        let state: Int64Array = values.iter().enumerate().map(counts).collect();
        Ok(vec![Arc::new(state)])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sums.capacity() * size_of::<i64>() + self.any.capacity()
    }
}
