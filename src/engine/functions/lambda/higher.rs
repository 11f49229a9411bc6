//! What functions that take a lambda are made of.

use std::{fmt, hash, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, BooleanArray, UInt32Array},
    compute::take_arrays,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{DataFusionError, internal_err, plan_err},
    error::Result,
    logical_expr::{
        ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
        HigherOrderUDF, HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress,
        ValueOrLambda, Volatility,
    },
};

use super::super::{
    Made,
    nested::{Lists, cast_to},
};

/// The types of the values and, where they are known, of the results of the lambdas.
pub(super) type Known<'a> = &'a [ValueOrLambda<FieldRef, Option<FieldRef>>];

/// The types of the lambdas' parameters.
pub(super) enum Parameters {
    /// Of all lambdas.
    All(Vec<Vec<DataType>>),
    /// Of some; the others depend on their results.
    Some(Vec<Option<Vec<DataType>>>),
}

/// The types of the values, from those of the values and of what the lambdas give.
pub(super) type Settle = fn(&[ValueOrLambda<DataType, DataType>]) -> Result<Option<Vec<DataType>>>;

/// A function that takes a lambda.
#[derive(Clone, Copy)]
pub(super) struct Higher {
    pub(super) name: &'static str,
    /// The types that the arguments that are no lambdas are cast to.
    pub(super) coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    /// The parameters of the lambdas.
    pub(super) parameters: fn(Known<'_>) -> Result<Parameters>,
    /// The type of the result.
    pub(super) returns: fn(&[ValueOrLambda<FieldRef, FieldRef>]) -> Result<DataType>,
    /// The function over a batch.
    pub(super) run: fn(&HigherOrderFunctionArgs) -> Result<ColumnarValue>,
    /// The types of the values, where the lambdas' results decide on them too.
    pub(super) settle: Settle,
}

impl Higher {
    /// The function for the engine.
    pub(super) fn made(self) -> Made {
        let signature = HigherOrderSignature::user_defined(Volatility::Immutable);
        Made::HigherOrder(HigherOrderUDF::new_from_impl(Udf { higher: self, signature }))
    }
}

/// Nothing to settle.
#[expect(clippy::unnecessary_wraps, reason = "as the others")]
pub(super) fn settled(_: &[ValueOrLambda<DataType, DataType>]) -> Result<Option<Vec<DataType>>> {
    Ok(None)
}

struct Udf {
    higher: Higher,
    signature: HigherOrderSignature,
}

impl Udf {
    /// `error`, told of this function.
    fn named(&self, error: &DataFusionError) -> DataFusionError {
        DataFusionError::Plan(format!("`{}` {}", self.higher.name, error.message()))
    }
}

// Names are unique, so they stand for the whole.
impl PartialEq for Udf {
    fn eq(&self, other: &Self) -> bool {
        self.higher.name == other.higher.name
    }
}

impl Eq for Udf {}

impl hash::Hash for Udf {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.higher.name.hash(state);
    }
}

impl fmt::Debug for Udf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.higher.name)
    }
}

fn fields(types: Vec<DataType>) -> Vec<FieldRef> {
    types.into_iter().map(|data_type| Arc::new(Field::new("", data_type, true))).collect()
}

impl HigherOrderUDFImpl for Udf {
    fn name(&self) -> &str {
        self.higher.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.higher.coerce)(types).map_err(|error| self.named(&error))
    }

    fn lambda_parameters(&self, _: usize, known: Known<'_>) -> Result<LambdaParametersProgress> {
        Ok(match (self.higher.parameters)(known).map_err(|error| self.named(&error))? {
            Parameters::All(all) => {
                LambdaParametersProgress::Complete(all.into_iter().map(fields).collect())
            }
            Parameters::Some(some) => LambdaParametersProgress::Partial(
                some.into_iter().map(|types| types.map(fields)).collect(),
            ),
        })
    }

    fn coerce_values_for_lambdas(
        &self,
        types: &[ValueOrLambda<DataType, DataType>],
    ) -> Result<Option<Vec<DataType>>> {
        (self.higher.settle)(types)
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        let data_type =
            (self.higher.returns)(args.arg_fields).map_err(|error| self.named(&error))?;
        Ok(Arc::new(Field::new(self.higher.name, data_type, true)))
    }

    fn clear_null_values(&self) -> bool {
        // `Lists` leaves them out, those of maps too.
        false
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        (self.higher.run)(&args)
    }
}

/// The type of value argument `index`.
pub(super) fn value_type<L>(
    args: &[ValueOrLambda<FieldRef, L>],
    index: usize,
) -> Result<&DataType> {
    if let Some(ValueOrLambda::Value(field)) = args.get(index) {
        Ok(field.data_type())
    } else {
        plan_err!("argument {} is a value, not a lambda", index + 1)
    }
}

/// The type of the result of the lambda that is argument `index`.
pub(super) fn result_type(
    args: &[ValueOrLambda<FieldRef, FieldRef>],
    index: usize,
) -> Result<&DataType> {
    if let Some(ValueOrLambda::Lambda(field)) = args.get(index) {
        Ok(field.data_type())
    } else {
        plan_err!("argument {} is a lambda, as in x -> x + 1", index + 1)
    }
}

/// An error where the arguments are not `values` values and then `lambdas` lambdas.
pub(super) fn expect<V, L>(
    args: &[ValueOrLambda<V, L>],
    values: usize,
    lambdas: usize,
) -> Result<()> {
    let is_lambda = |arg: &ValueOrLambda<V, L>| matches!(arg, ValueOrLambda::Lambda(_));
    let rightly = args.iter().enumerate().all(|(at, arg)| is_lambda(arg) == (at >= values));
    if args.len() == values + lambdas && rightly {
        return Ok(());
    }
    let several = |count: usize, word: &str| match count {
        1 => format!("one {word}"),
        2 => format!("two {word}s"),
        count => format!("{count} {word}s"),
    };
    plan_err!("takes {} and then {}", several(values, "value"), several(lambdas, "lambda"))
}

/// The values of argument `index`.
pub(super) fn values(args: &HigherOrderFunctionArgs, index: usize) -> Result<ArrayRef> {
    if let Some(ValueOrLambda::Value(value)) = args.args.get(index) {
        value.to_array(args.number_rows)
    } else {
        internal_err!("argument {index} is a value")
    }
}

/// The arrays or maps of argument `index`.
pub(super) fn lists(args: &HigherOrderFunctionArgs, index: usize) -> Result<Lists> {
    Lists::of(&values(args, index)?)
}

/// The lambda that is argument `index`.
pub(super) fn lambda(args: &HigherOrderFunctionArgs, index: usize) -> Result<&LambdaArgument> {
    if let Some(ValueOrLambda::Lambda(lambda)) = args.args.get(index) {
        Ok(lambda)
    } else {
        internal_err!("argument {index} is a lambda")
    }
}

/// What `lambda` gives for `parameters`, each of which has a value for each of `rows`: the rows of
/// the batch that columns named in the lambda are taken from.
pub(super) fn call(
    lambda: &LambdaArgument,
    parameters: &[ArrayRef],
    rows: &UInt32Array,
) -> Result<ArrayRef> {
    let closures: Vec<Box<dyn Fn() -> Result<ArrayRef> + '_>> = parameters
        .iter()
        .map(|parameter| {
            let closure: Box<dyn Fn() -> Result<ArrayRef> + '_> =
                Box::new(move || Ok(Arc::clone(parameter)));
            closure
        })
        .collect();
    let closures: Vec<&dyn Fn() -> Result<ArrayRef>> = closures.iter().map(AsRef::as_ref).collect();
    let spread = |columns: &[ArrayRef]| Ok(take_arrays(columns, rows, None)?);
    lambda.evaluate(&closures, spread)?.into_array(rows_of(parameters))
}

fn rows_of(parameters: &[ArrayRef]) -> usize {
    parameters.first().map_or(0, arrow::array::Array::len)
}

/// As [`call`], for a lambda that gives a boolean.
pub(super) fn ask(
    lambda: &LambdaArgument,
    parameters: &[ArrayRef],
    rows: &UInt32Array,
) -> Result<BooleanArray> {
    let answers = cast_to(&call(lambda, parameters, rows)?, &DataType::Boolean)?;
    Ok(answers.as_boolean().clone())
}

/// An error where the lambda that is argument `index` does not give a boolean.
pub(super) fn gives_boolean(
    args: &[ValueOrLambda<FieldRef, FieldRef>],
    index: usize,
) -> Result<()> {
    match result_type(args, index)? {
        DataType::Boolean | DataType::Null => Ok(()),
        other => {
            plan_err!(
                "needs a lambda that gives a boolean, not {}",
                crate::engine::type_name(other)
            )
        }
    }
}
