//! Syntax that stands for functions: `SUBSTRING(x FROM 2 FOR 3)`, `POSITION(x IN y)`, `x[1]`.

use std::sync::{Arc, LazyLock};

use datafusion::{
    common::DFSchema,
    error::Result,
    logical_expr::{
        Expr, GetFieldAccess, ScalarUDF,
        expr::ScalarFunction,
        planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr},
    },
};

use super::{Made, array, functions};

/// Plans such syntax with this engine's functions, not `DataFusion`'s of the same names.
#[derive(Debug)]
pub(in crate::engine) struct Planner;

/// The functions that the syntax stands for.
static SUBSTR: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| function("substr"));
static STRPOS: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| function("strpos"));
static SUBSCRIPT: LazyLock<Option<Arc<ScalarUDF>>> =
    LazyLock::new(|| array::subscript().map(Arc::new));

/// The scalar function of this name.
pub(super) fn function(name: &str) -> Option<Arc<ScalarUDF>> {
    let found = functions().into_iter().find(|function| function.name == name)?;
    match (found.make)() {
        Made::Scalar(function) => Some(Arc::new(function)),
        _ => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what planners return")]
fn planned(function: Option<&Arc<ScalarUDF>>, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
    Ok(match function {
        Some(function) => {
            let call = ScalarFunction::new_udf(Arc::clone(function), args);
            PlannerResult::Planned(Expr::ScalarFunction(call))
        }
        None => PlannerResult::Original(args),
    })
}

impl ExprPlanner for Planner {
    fn plan_substring(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        planned(SUBSTR.as_ref(), args)
    }

    /// `x[1]`; `x['a']` is a member of a row or a value of a map.
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        _: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        Ok(match (access, SUBSCRIPT.as_ref()) {
            (
                RawFieldAccessExpr { field_access: GetFieldAccess::ListIndex { key }, expr },
                Some(function),
            ) => {
                let call = ScalarFunction::new_udf(Arc::clone(function), vec![expr, *key]);
                PlannerResult::Planned(Expr::ScalarFunction(call))
            }
            (access, _) => PlannerResult::Original(access),
        })
    }

    fn plan_position(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        planned(STRPOS.as_ref(), args)
    }
}
