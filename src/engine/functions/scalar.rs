//! What scalar functions are made of: one implementation of DataFusion's trait for all of them.

use std::{fmt, hash, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray, StringViewArray},
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{DataFusionError, plan_err},
    error::Result,
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility,
        simplify::{ExprSimplifyResult, SimplifyContext},
    },
};

use super::repeats::Repeats;

/// The types that the arguments are cast to before the function sees them, from the types they have.
/// An error is told as "does not take (…)".
pub(super) type Coerce = fn(&[DataType]) -> Result<Vec<DataType>>;

/// The type of the result; literal arguments can be looked at.
pub(super) type Returns = fn(&ReturnFieldArgs<'_>) -> Result<DataType>;

/// The function over a batch.
pub(super) type Run = fn(&ScalarFunctionArgs) -> Result<ColumnarValue>;

/// What a call means in terms that the scan understands, once its arguments are simplified; nothing
/// where it stays a call.
pub(super) type Simplify = fn(&[Expr]) -> Result<Option<Expr>>;

/// A scalar function.
#[derive(Clone, Copy)]
pub(super) struct Scalar {
    pub(super) name: &'static str,
    pub(super) coerce: Coerce,
    pub(super) returns: Returns,
    pub(super) run: Run,
    pub(super) volatility: Volatility,
    pub(super) simplify: Option<Simplify>,
}

impl Scalar {
    /// A function whose result depends on its arguments alone.
    pub(super) fn new(name: &'static str, coerce: Coerce, returns: Returns, run: Run) -> Self {
        let volatility = Volatility::Immutable;
        Self { name, coerce, returns, run, volatility, simplify: None }
    }

    /// The function for the engine.
    pub(super) fn made(self) -> super::Made {
        let signature = Signature::user_defined(self.volatility);
        super::Made::Scalar(ScalarUDF::new_from_impl(Udf { scalar: self, signature }))
    }
}

struct Udf {
    scalar: Scalar,
    signature: Signature,
}

// Names are unique, so they stand for the whole.
impl PartialEq for Udf {
    fn eq(&self, other: &Self) -> bool {
        self.scalar.name == other.scalar.name
    }
}

impl Eq for Udf {}

impl hash::Hash for Udf {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.scalar.name.hash(state);
    }
}

impl fmt::Debug for Udf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scalar.name)
    }
}

impl ScalarUDFImpl for Udf {
    fn name(&self) -> &str {
        self.scalar.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.scalar.coerce)(types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("{} asks for fields", self.scalar.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.scalar.name, (self.scalar.returns)(&args)?, true)))
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let simplify = self.scalar.simplify;
        Ok(match simplify.map(|simplify| simplify(&args)).transpose()?.flatten() {
            Some(simpler) => ExprSimplifyResult::Simplified(simpler),
            None => ExprSimplifyResult::Original(args),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.scalar.volatility != Volatility::Volatile
            && let Some(repeats) = Repeats::of(&args)
        {
            let made = (self.scalar.run)(&repeats.differing(&args)?)?;
            return repeats.all(made);
        }
        (self.scalar.run)(&args)
    }
}

/// Text of any physical type, without copying.
pub(in crate::engine) enum Text<'a> {
    Utf8(&'a StringArray),
    View(&'a StringViewArray),
    Large(&'a arrow::array::LargeStringArray),
    /// NULL without a type, in every row.
    Null,
}

impl<'a> Text<'a> {
    /// The text in `array`; an error where it is none, which `Coerce` rules out.
    pub(in crate::engine) fn of(array: &'a ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Utf8 => Ok(Self::Utf8(array.as_string())),
            DataType::Utf8View => Ok(Self::View(array.as_string_view())),
            DataType::LargeUtf8 => Ok(Self::Large(array.as_string())),
            DataType::Null => Ok(Self::Null),
            other => Err(DataFusionError::Internal(format!("text was expected, not {other}"))),
        }
    }

    /// The text of `row`; nothing where it is NULL.
    #[inline]
    pub(in crate::engine) fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Utf8(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Null => None,
        }
    }
}

/// Whether `data_type` is text of any kind but JSON.
pub(super) fn is_varchar(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Utf8View)
}
