//! Aggregates of DataFusion's by another name.
//!
//! `AggregateUDF::with_aliases` would not do: with it, aggregates cannot be used over the frames of
//! windows (DataFusion 55.2).

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::ScalarValue,
    error::Result,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF,
        SetMonotonicity, Signature,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

use super::super::Made;

/// `native` as `name`.
pub(super) fn renamed(name: &'static str, native: Arc<AggregateUDF>) -> Made {
    Made::Aggregate(AggregateUDF::new_from_impl(Renamed { name, native, turns: true }))
}

/// `native`, never run over rows in the reverse of the order that was asked for: `array_agg` of
/// distinct values does not turn its result round then (DataFusion 55.2).
pub(super) fn unturned(name: &'static str, native: Arc<AggregateUDF>) -> Made {
    Made::Aggregate(AggregateUDF::new_from_impl(Renamed { name, native, turns: false }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Renamed {
    name: &'static str,
    native: Arc<AggregateUDF>,
    /// Whether it may run over rows in reverse.
    turns: bool,
}

impl AggregateUDFImpl for Renamed {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        self.native.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.native.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.native.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.native.return_field(fields)
    }

    fn is_nullable(&self) -> bool {
        self.native.inner().is_nullable()
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.native.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.native.accumulator(args)
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
        self.native.create_groups_accumulator(args)
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let native =
            Arc::clone(self.native.inner()).with_beneficial_ordering(beneficial_ordering)?;
        Ok(native.map(|native| {
            let native = Arc::new(AggregateUDF::new_from_shared_impl(native));
            Arc::new(Self { name: self.name, native, turns: self.turns }) as _
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.native.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        if self.turns { self.native.reverse_udf() } else { ReversedUDAF::NotSupported }
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.native.default_value(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.native.supports_null_handling_clause()
    }

    fn supports_within_group_clause(&self) -> bool {
        self.native.supports_within_group_clause()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.native.inner().set_monotonicity(data_type)
    }
}
