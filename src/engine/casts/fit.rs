//! Casts to `varchar(n)`: text is cut to so many characters, anything else must fit.
//!
//! No type of Arrow has a length, so the field that a cast names carries it.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, StringBuilder},
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{DFSchema, ScalarValue, exec_err, tree_node::Transformed, utils::take_function_args},
    error::Result,
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, TryCast, Volatility, expr::ScalarFunction,
    },
};

use super::call;
use crate::engine::functions::{call::excerpt, json::Text};

const LENGTH: &str = "trailhound.length";

/// The field that a cast to `varchar(length)` names.
pub(super) fn field(length: u64) -> FieldRef {
    let length = HashMap::from([(LENGTH.to_owned(), length.to_string())]);
    Arc::new(Field::new("", DataType::Utf8, true).with_metadata(length))
}

/// The length that a cast names.
pub(super) fn length(field: &Field) -> Option<usize> {
    field.metadata().get(LENGTH)?.parse().ok()
}

/// The cast of `expr`, brought to the length.
pub(super) fn cast(
    expr: Box<Expr>,
    field: &Field,
    lenient: bool,
    schema: &DFSchema,
) -> Result<Transformed<Expr>> {
    let source = expr.get_type(schema).unwrap_or(DataType::Null);
    let text = matches!(source, DataType::Utf8 | DataType::Utf8View | DataType::Null);
    let target = DataType::Utf8;
    let inner = match call(&expr, &target, lenient, schema)? {
        Some(call) => call,
        None if text => *expr,
        None if lenient => Expr::TryCast(TryCast::new(expr, target)),
        None => Expr::Cast(Cast::new(expr, target)),
    };
    let fit = Fit {
        length: length(field).unwrap_or(usize::MAX),
        cut: text,
        lenient,
        signature: Signature::any(1, Volatility::Immutable),
    };
    let function = Arc::new(ScalarUDF::new_from_impl(fit));
    Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![inner]))))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Fit {
    length: usize,
    /// Whether what is longer is cut.
    cut: bool,
    /// Whether what does not fit is NULL.
    lenient: bool,
    signature: Signature,
}

impl Fit {
    fn column(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let texts = Text::of(values)?;
        let mut made = StringBuilder::with_capacity(values.len(), 0);
        for row in 0..values.len() {
            let Some(text) = texts.get(row) else {
                made.append_null();
                continue;
            };
            match text.char_indices().nth(self.length) {
                None => made.append_value(text),
                Some((end, _)) if self.cut => made.append_value(text.get(..end).unwrap_or(text)),
                Some(_) if self.lenient => made.append_null(),
                Some(_) => {
                    return exec_err!("'{}' does not fit varchar({})", excerpt(text), self.length);
                }
            }
        }
        Ok(Arc::new(made.finish()))
    }
}

impl ScalarUDFImpl for Fit {
    fn name(&self) -> &'static str {
        "varchar"
    }

    // Casts to different lengths are different columns.
    fn display_name(&self, args: &[Expr]) -> Result<String> {
        let [value] = take_function_args("varchar", args)?;
        Ok(format!("CAST({value} AS varchar({}))", self.length))
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [value] = take_function_args("varchar", args)?;
        Ok(format!("CAST({} AS varchar({}))", value.schema_name(), self.length))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args("varchar", &args.args)?;
        if let ColumnarValue::Scalar(value) = value {
            let made = self.column(&value.to_array()?)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?));
        }
        Ok(ColumnarValue::Array(self.column(&value.to_array(args.number_rows)?)?))
    }
}
