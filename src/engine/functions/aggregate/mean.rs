//! `avg`: DataFusion's, but the mean of decimals has their own scale and is rounded half up.
//!
//! <https://trino.io/docs/current/functions/aggregate.html#avg>: "the arithmetic mean" of a
//! `decimal(p, s)` is a `decimal(p, s)`.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanArray},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, FieldRef},
};
use datafusion::{
    common::ScalarValue,
    error::Result,
    functions_aggregate::average::avg_udaf,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF,
        Signature,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

use super::super::Made;

/// `avg(x)`.
pub(super) fn made() -> Made {
    Made::Aggregate(AggregateUDF::new_from_impl(Mean { native: avg_udaf() }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Mean {
    native: Arc<AggregateUDF>,
}

impl Mean {
    /// What DataFusion's function is called with: its result has four more digits.
    fn exact<'a>(&self, mut args: AccumulatorArgs<'a>) -> Result<(AccumulatorArgs<'a>, DataType)> {
        let to = args.return_field.data_type().clone();
        let types: Vec<DataType> =
            args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let wide = self.native.return_type(&types)?;
        args.return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(wide));
        Ok((args, to))
    }
}

impl AggregateUDFImpl for Mean {
    fn name(&self) -> &'static str {
        "avg"
    }

    fn signature(&self) -> &Signature {
        self.native.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [decimal @ DataType::Decimal128(..)] => Ok(decimal.clone()),
            types => self.native.return_type(types),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.native.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let (args, to) = self.exact(args)?;
        Ok(Box::new(Rounded { exact: self.native.accumulator(args)?, to }))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        let (args, to) = self.exact(args)?;
        Ok(Box::new(Rounded { exact: self.native.create_sliding_accumulator(args)?, to }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.exact(args).is_ok_and(|(args, _)| self.native.groups_accumulator_supported(args))
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let (args, to) = self.exact(args)?;
        Ok(Box::new(RoundedOfGroups { exact: self.native.create_groups_accumulator(args)?, to }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// `means` at the scale of `to`. The digits that go are cut off before, so that this rounds once.
fn rounded(means: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if means.data_type() == to {
        return Ok(Arc::clone(means));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(means, to, &options)?)
}

#[derive(Debug)]
struct Rounded {
    exact: Box<dyn Accumulator>,
    to: DataType,
}

impl Accumulator for Rounded {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.exact.update_batch(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mean = self.exact.evaluate()?;
        if mean.data_type() == self.to {
            return Ok(mean);
        }
        ScalarValue::try_from_array(&rounded(&mean.to_array()?, &self.to)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.exact.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.exact.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.exact.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.exact.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.exact.supports_retract_batch()
    }
}

struct RoundedOfGroups {
    exact: Box<dyn GroupsAccumulator>,
    to: DataType,
}

impl GroupsAccumulator for RoundedOfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        wanted: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.exact.update_batch(values, groups, wanted, total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        rounded(&self.exact.evaluate(emit_to)?, &self.to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.exact.state(emit_to)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.exact.merge_batch(states, groups, total)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        wanted: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.exact.convert_to_state(values, wanted)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.exact.size()
    }
}
