//! What fits nowhere else: <https://trino.io/docs/current/functions/comparison.html>,
//! <https://trino.io/docs/current/functions/conversion.html>,
//! <https://trino.io/docs/current/functions/uuid.html>.

use std::fmt::Write;

use arrow::{
    array::{Array, BooleanArray},
    buffer::BooleanBuffer,
    compute::nullif,
    datatypes::DataType,
};
use datafusion::{
    common::plan_err,
    error::Result,
    functions::core::{greatest as native_greatest, least as native_least},
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, Volatility},
};

use super::{
    Function, arrays,
    call::{Call, scalar, take, varchar},
    scalar::Scalar,
};
use crate::engine::type_name;

const FAMILY: &str = "miscellaneous";

pub(super) fn functions() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "greatest",
            [],
            "greatest(value, …) → the same type",
            "The largest value; NULL where one of them is NULL.",
            [("greatest(1, 3, 2)", "3"), ("greatest(1, NULL)", "NULL")],
            common,
            first_known,
            |args| extreme(args, native_greatest().as_ref())
        ),
        scalar!(
            FAMILY,
            "least",
            [],
            "least(value, …) → the same type",
            "The smallest value; NULL where one of them is NULL.",
            [("least('b', 'a')", "a")],
            common,
            first_known,
            |args| extreme(args, native_least().as_ref())
        ),
        scalar!(
            FAMILY,
            "typeof",
            [],
            "typeof(value) → varchar",
            "The name of the type. Lengths of varchar are not kept.",
            [("typeof('a')", "varchar"), ("typeof(ARRAY['a'])", "array(varchar)")],
            |types| if let [one] = types {
                Ok(vec![one.clone()])
            } else {
                plan_err!("it takes one value")
            },
            varchar,
            |args| {
                let name = args.arg_fields.first().map(|field| type_name(field.data_type()));
                Ok(ColumnarValue::Scalar(name.into()))
            }
        ),
        Function {
            name: "uuid",
            aliases: &[],
            family: FAMILY,
            signature: "uuid() → varchar",
            text: "A UUID by chance (version 4), another for each row.",
            examples: &[("length(uuid())", "36")],
            make: || {
                let function =
                    Scalar::new("uuid", |types| take(types, &[&[]]), varchar, random_uuid);
                Scalar { volatility: Volatility::Volatile, ..function }.made()
            },
        },
    ]
}

fn common(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.is_empty() {
        return plan_err!("it takes one value or more");
    }
    let known: Vec<DataType> = types.iter().filter(|known| !known.is_null()).cloned().collect();
    if known.is_empty() {
        return Ok(types.to_vec());
    }
    let common = match arrays::common_element(&known)? {
        DataType::Utf8View => DataType::Utf8,
        other => other,
    };
    Ok(vec![common; types.len()])
}

fn first_known(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    if let Some(field) = args.arg_fields.first() {
        Ok(field.data_type().clone())
    } else {
        plan_err!("it takes one value or more")
    }
}

/// What `DataFusion` finds, which leaves NULLs out; NULL where one was.
fn extreme(args: &ScalarFunctionArgs, native: &ScalarUDF) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    if args.return_field.data_type().is_null() {
        return Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::Null));
    }
    let found = native.inner().invoke_with_args(args.clone())?.into_array(call.rows())?;
    let mut valid = BooleanBuffer::new_set(call.rows());
    for index in 0..call.len() {
        let (array, one) = call.column(index)?;
        match (array.logical_nulls(), one) {
            (Some(nulls), true) if nulls.null_count() > 0 => {
                valid = BooleanBuffer::new_unset(call.rows());
            }
            (Some(nulls), false) => valid = &valid & nulls.inner(),
            _ => {}
        }
    }
    let missing = BooleanArray::new(!&valid, None);
    call.finish(nullif(found.as_ref(), &missing)?)
}

fn random_uuid(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::each_row(args)?;
    call.write_text(|_, out| {
        let _ = write!(out, "{}", uuid::Uuid::new_v4().hyphenated());
        Ok(Some(()))
    })
}
