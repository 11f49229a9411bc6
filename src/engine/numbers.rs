//! What arithmetic means in plans, where DataFusion means something else than Trino: the scale of a
//! quotient of decimals.
//!
//! <https://trino.io/docs/current/functions/decimal.html>

use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, config::ConfigOptions, tree_node::Transformed},
    error::Result,
    logical_expr::{
        BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF, expr::ScalarFunction,
    },
    optimizer::AnalyzerRule,
};

use super::{
    analyze::map_expressions,
    functions::math::{as_decimal, divide},
};

/// The analyzer rule; it stands before types are coerced.
#[derive(Debug)]
pub(super) struct Numbers;

impl AnalyzerRule for Numbers {
    fn name(&self) -> &'static str {
        "trino_numbers"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        map_expressions(plan, |expr, schema| Ok(number(expr, schema)))
    }
}

static DIVIDE: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| divide().map(Arc::new));

fn call(function: Option<&Arc<ScalarUDF>>, args: Vec<Expr>) -> Option<Expr> {
    let function = Arc::clone(function?);
    Some(Expr::ScalarFunction(ScalarFunction::new_udf(function, args)))
}

fn number(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let done = match &expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right }) => {
            quotient(left, right, schema)
        }
        _ => None,
    };
    done.map_or_else(|| Transformed::no(expr), Transformed::yes)
}

/// The quotient of two numbers of which one is a decimal.
fn quotient(left: &Expr, right: &Expr, schema: &DFSchema) -> Option<Expr> {
    let (a, b) = (left.get_type(schema).ok()?, right.get_type(schema).ok()?);
    let is_decimal = |data_type| matches!(data_type, &DataType::Decimal128(..));
    if !is_decimal(&a) && !is_decimal(&b) {
        return None;
    }
    (as_decimal(&a).is_some() && as_decimal(&b).is_some())
        .then(|| call(DIVIDE.as_ref(), vec![left.clone(), right.clone()]))?
}
