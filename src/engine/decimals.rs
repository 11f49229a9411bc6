//! The quotient of decimals, which has the larger of the two scales in Trino and four digits more in
//! DataFusion.
//!
//! <https://trino.io/docs/current/functions/decimal.html#binary-arithmetic-decimal-operators>

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray, Decimal128Array},
    compute::cast,
    datatypes::{DataType, Decimal128Type, i256},
};
use datafusion::{
    common::{DFSchema, ScalarValue, exec_err, plan_err, utils::take_function_args},
    error::Result,
    execution::SessionStateBuilder,
    logical_expr::{
        ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility,
        expr::ScalarFunction,
        planner::{ExprPlanner, PlannerResult, RawBinaryExpr},
    },
    sql::sqlparser::ast::BinaryOperator,
};

/// Digits that a decimal has at most.
const MOST: u8 = 38;

/// Puts the planner of quotients into a state.
pub(super) fn register(builder: &mut SessionStateBuilder) {
    builder.expr_planners().get_or_insert_default().insert(0, Arc::new(Planner));
}

#[derive(Debug)]
struct Planner;

impl ExprPlanner for Planner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        if !matches!(expr.op, BinaryOperator::Divide) {
            return Ok(PlannerResult::Original(expr));
        }
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema))
        else {
            return Ok(PlannerResult::Original(expr));
        };
        let decimal = |part: &DataType| matches!(part, DataType::Decimal128(..));
        if !(decimal(&left) || decimal(&right)) || exact(&left).is_none() || exact(&right).is_none()
        {
            return Ok(PlannerResult::Original(expr));
        }
        let function = Arc::new(ScalarUDF::new_from_impl(Quotient::default()));
        let args = vec![expr.left, expr.right];
        Ok(PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(function, args))))
    }
}

/// Precision and scale of an exact number.
fn exact(data_type: &DataType) -> Option<(u8, i8)> {
    Some(match data_type {
        DataType::Decimal128(precision, scale) => (*precision, *scale),
        DataType::Int64 => (19, 0),
        DataType::Int32 => (10, 0),
        DataType::Int16 => (5, 0),
        DataType::Int8 => (3, 0),
        _ => return None,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Quotient {
    signature: Signature,
}

impl Default for Quotient {
    fn default() -> Self {
        Self { signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Quotient {
    fn name(&self) -> &'static str {
        "decimal_quotient"
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        let [left, right] = take_function_args(self.name(), args)?;
        Ok(format!("{left} / {right}"))
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [left, right] = take_function_args(self.name(), args)?;
        Ok(format!("{} / {}", left.schema_name(), right.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [left, right] = take_function_args(self.name(), types)?;
        let (Some((precision, scale)), Some((_, other))) = (exact(left), exact(right)) else {
            return plan_err!("only exact numbers are divided here");
        };
        let more = other.saturating_add((other - scale).max(0));
        let precision = precision.saturating_add(u8::try_from(more).unwrap_or_default()).min(MOST);
        Ok(DataType::Decimal128(precision, scale.max(other)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let DataType::Decimal128(precision, scale) = *args.return_type() else {
            return exec_err!("a quotient of decimals is a decimal");
        };
        let rows = args.number_rows;
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let [left, right] = take_function_args(self.name(), args.args)?;
        let rows = if constant { 1 } else { rows };
        let (left, from) = decimals(&left, rows)?;
        let (right, by) = decimals(&right, rows)?;
        let shift = i64::from(scale) - i64::from(from) + i64::from(by);
        let Some(unit) = u32::try_from(shift).ok().and_then(|shift| ten().checked_pow(shift))
        else {
            return exec_err!("the scale of the quotient is out of range");
        };
        let values = left.iter().zip(&right).map(|pair| match pair {
            (Some(left), Some(right)) => quotient(left, right, unit, precision).map(Some),
            _ => Ok(None),
        });
        let made = values.collect::<Result<Decimal128Array>>()?;
        let made = made.with_precision_and_scale(precision, scale)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(made)))
    }
}

fn ten() -> i256 {
    i256::from_i128(10)
}

/// The values as decimals, and their scale.
fn decimals(values: &ColumnarValue, rows: usize) -> Result<(Decimal128Array, i8)> {
    let values = values.to_array(rows)?;
    let Some((precision, scale)) = exact(values.data_type()) else {
        return exec_err!("only exact numbers are divided here");
    };
    let values = cast(&values, &DataType::Decimal128(precision, scale))?;
    Ok((values.as_primitive::<Decimal128Type>().clone(), scale))
}

/// `left * unit / right`, a half away from zero.
fn quotient(left: i128, right: i128, unit: i256, precision: u8) -> Result<i128> {
    if right == 0 {
        return exec_err!("division by zero");
    }
    let divisor = i256::from_i128(right);
    let rounded = i256::from_i128(left).checked_mul(unit).and_then(|left| {
        let (whole, rest) = (left.checked_div(divisor)?, left.checked_rem(divisor)?);
        let twice = rest.checked_abs()?.checked_mul(i256::from_i128(2))?;
        let away = if (left < i256::ZERO) == (right < 0) { i256::ONE } else { i256::MINUS_ONE };
        if twice >= divisor.checked_abs()? { whole.checked_add(away) } else { Some(whole) }
    });
    let limit = 10_i128.checked_pow(precision.into());
    match rounded.and_then(i256::to_i128).zip(limit) {
        Some((value, limit)) if value.abs() < limit => Ok(value),
        _ => exec_err!("the quotient has more than {precision} digits"),
    }
}
