//! What aggregate functions are made of: one implementation of DataFusion's trait for all of them.

use std::{fmt, hash, sync::Arc};

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::{
    common::plan_err,
    error::Result,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility,
        expr::AggregateFunction,
        function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs},
        utils::{AggregateOrderSensitivity, format_state_name},
    },
};

use super::super::Made;

/// An aggregate function.
#[derive(Clone, Copy)]
pub(super) struct Aggregate {
    pub(super) name: &'static str,
    /// The types that the arguments are cast to.
    pub(super) coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    /// The type of the result.
    pub(super) returns: fn(&[DataType]) -> Result<DataType>,
    /// The types of the state, from those of the arguments.
    pub(super) state: fn(&[DataType]) -> Result<Vec<DataType>>,
    /// What takes the rows of one group in, from the types of the arguments.
    pub(super) make: fn(&[DataType]) -> Result<Box<dyn Accumulator>>,
    /// The same by functions of DataFusion's, which group faster.
    pub(super) simplify: Option<fn(AggregateFunction) -> Result<Expr>>,
    /// Whether the order of the rows decides on the result.
    pub(super) ordered: bool,
}

impl Aggregate {
    /// The function for the engine.
    pub(super) fn made(self) -> Made {
        let signature = Signature::user_defined(Volatility::Immutable);
        Made::Aggregate(AggregateUDF::new_from_impl(Udaf { aggregate: self, signature }))
    }
}

struct Udaf {
    aggregate: Aggregate,
    signature: Signature,
}

// Names are unique, so they stand for the whole.
impl PartialEq for Udaf {
    fn eq(&self, other: &Self) -> bool {
        self.aggregate.name == other.aggregate.name
    }
}

impl Eq for Udaf {}

impl hash::Hash for Udaf {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.aggregate.name.hash(state);
    }
}

impl fmt::Debug for Udaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.aggregate.name)
    }
}

fn types(fields: &[FieldRef]) -> Vec<DataType> {
    fields.iter().map(|field| field.data_type().clone()).collect()
}

impl AggregateUDFImpl for Udaf {
    fn name(&self) -> &str {
        self.aggregate.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.aggregate.coerce)(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        (self.aggregate.returns)(types)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let states = (self.aggregate.state)(&types(args.input_fields))?;
        let field = |(at, data_type): (usize, DataType)| {
            let name = format_state_name(args.name, &at.to_string());
            Arc::new(Field::new(name, data_type, true))
        };
        Ok(states.into_iter().enumerate().map(field).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let name = self.aggregate.name;
        if args.is_distinct {
            return plan_err!(
                "`{name}` cannot be asked for DISTINCT values beside other aggregates"
            );
        }
        if self.aggregate.ordered && !args.order_bys.is_empty() {
            return plan_err!("`{name}` cannot be given an order");
        }
        (self.aggregate.make)(&types(args.expr_fields))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        let simplify = self.aggregate.simplify?;
        Some(Box::new(move |function, _| simplify(function)))
    }
}
