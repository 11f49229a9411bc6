//! The time at which a statement starts.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date-and-time-functions>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::{
    common::{ScalarValue, exec_err, plan_err},
    error::Result,
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility,
        simplify::{ExprSimplifyResult, SimplifyContext},
    },
};

use super::{
    super::{Function, Made},
    FAMILY,
    values::Count,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "now",
            aliases: &["current_timestamp"],
            family: FAMILY,
            signature: "now() → timestamp(3) with time zone",
            text: "The instant at which the statement started, in UTC. `current_timestamp` needs no \
                   parentheses and takes a precision.",
            examples: &[("now() = current_timestamp", "true")],
            make: || Made::Scalar(ScalarUDF::new_from_impl(Now::new(Kind::Instant))),
        },
        Function {
            name: "localtimestamp",
            aliases: &[],
            family: FAMILY,
            signature: "localtimestamp → timestamp(3)",
            text: "The instant at which the statement started, as a timestamp without time zone in UTC.",
            examples: &[("localtimestamp = CAST(now() AS timestamp(3))", "true")],
            make: || Made::Scalar(ScalarUDF::new_from_impl(Now::new(Kind::Local))),
        },
        Function {
            name: "current_date",
            aliases: &[],
            family: FAMILY,
            signature: "current_date → date",
            text: "The day on which the statement started, in UTC.",
            examples: &[("current_date = date(now())", "true")],
            make: || Made::Native,
        },
        Function {
            name: "current_timezone",
            aliases: &[],
            family: FAMILY,
            signature: "current_timezone() → varchar",
            text: "The session's time zone, which is UTC.",
            examples: &[("current_timezone()", "UTC")],
            make: || Made::Scalar(ScalarUDF::new_from_impl(Now::new(Kind::Zone))),
        },
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Instant,
    Local,
    Zone,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    kind: Kind,
    signature: Signature,
}

impl Now {
    fn new(kind: Kind) -> Self {
        Self { kind, signature: Signature::user_defined(Volatility::Stable) }
    }

    fn of(&self, digits: Option<&ScalarValue>) -> Result<DataType> {
        let zone = match self.kind {
            Kind::Instant => Some(Arc::from("UTC")),
            Kind::Local => None,
            Kind::Zone => return Ok(DataType::Utf8),
        };
        let unit = match digits {
            None => TimeUnit::Millisecond,
            Some(digits) => match digits.cast_to(&DataType::Int64)? {
                ScalarValue::Int64(Some(0)) => TimeUnit::Second,
                ScalarValue::Int64(Some(1..=3)) => TimeUnit::Millisecond,
                ScalarValue::Int64(Some(4..=6)) => TimeUnit::Microsecond,
                ScalarValue::Int64(Some(7..=9)) => TimeUnit::Nanosecond,
                other => return plan_err!("{} cannot have {other} digits", self.name()),
            },
        };
        Ok(DataType::Timestamp(unit, zone))
    }
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Instant => "now",
            Kind::Local => "localtimestamp",
            Kind::Zone => "current_timezone",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [] => Ok(Vec::new()),
            [digits] if digits.is_integer() && self.kind != Kind::Zone => Ok(vec![digits.clone()]),
            _ => plan_err!("{} takes no arguments", self.name()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        self.of(None)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let digits = match args.scalar_arguments {
            [] => None,
            [Some(digits)] => Some(*digits),
            _ => return plan_err!("{} takes the digits as a literal", self.name()),
        };
        Ok(Arc::new(Field::new(self.name(), self.of(digits)?, false)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.kind != Kind::Zone {
            // One value for the whole statement can only be had before it runs.
            return exec_err!("{} was left to run time", self.name());
        }
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some("UTC".to_owned()))))
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(now) = info.query_execution_start_time() else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let digits = args.first().and_then(Expr::as_literal);
        let data_type = self.of(digits)?;
        if self.kind == Kind::Zone {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let count = Count::of(&data_type)?.count(now.naive_utc())?;
        let value = ScalarValue::Int64(Some(count)).cast_to(&data_type)?;
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(value, None)))
    }
}
