//! `$as(x, 'name')`: `x`, by a name of its own until names are settled. `rewrite::casts` puts it in.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::plan_err,
    error::Result,
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility,
        simplify::{ExprSimplifyResult, SimplifyContext},
    },
};

/// The name of the call in the syntax tree.
pub(super) const NAME: &str = "$as";

pub(super) fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(As { signature: Signature::any(2, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct As {
    signature: Signature,
}

impl ScalarUDFImpl for As {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        if let [of, _] = types {
            Ok(of.clone())
        } else {
            plan_err!("{NAME} takes a value and a name")
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        if let [of, _] = args.arg_fields {
            Ok(FieldRef::clone(of))
        } else {
            plan_err!("{NAME} takes a value and a name")
        }
    }

    fn simplify(&self, mut args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        args.truncate(1);
        Ok(match args.pop() {
            Some(value) => ExprSimplifyResult::Simplified(value),
            None => ExprSimplifyResult::Original(args),
        })
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.args.truncate(1);
        if let Some(value) = args.args.pop() {
            Ok(value)
        } else {
            plan_err!("{NAME} takes a value and a name")
        }
    }
}
