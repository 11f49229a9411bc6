//! Syntax that stands for functions: `SUBSTRING(x FROM 2 FOR 3)`, `POSITION(x IN y)`, `x[1]`.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field};
use datafusion::{
    common::{Column, DFSchema, TableReference},
    error::Result,
    functions::core::expr_fn::get_field,
    logical_expr::{
        Expr, ExprSchemable, GetFieldAccess, ScalarUDF,
        expr::ScalarFunction,
        lit,
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
static ELEMENT_AT: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| function("element_at"));
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
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        // Of a map that is a row's member the reader of Parquet takes the key for a member, too.
        if let GetFieldAccess::NamedStructField { name } = &access.field_access
            && let Some(function) = ELEMENT_AT.as_ref()
            && matches!(access.expr.get_type(schema), Ok(DataType::Map(..)))
        {
            let args = vec![access.expr, Expr::Literal(name.clone(), None)];
            let call = ScalarFunction::new_udf(Arc::clone(function), args);
            return Ok(PlannerResult::Planned(Expr::ScalarFunction(call)));
        }
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

    /// `a.b.c` where `b` is a row and `c` or what lies deeper a map's key.
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let Some(depth) = map_at(field.data_type(), nested_names) else {
            return Ok(PlannerResult::Original(Vec::new()));
        };
        let (members, keys) = nested_names.split_at_checked(depth).unwrap_or((nested_names, &[]));
        let (Some(function), [key]) = (ELEMENT_AT.as_ref(), keys) else {
            return Ok(PlannerResult::Original(Vec::new()));
        };
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        let map = members.iter().fold(column, |row, member| get_field(row, member.as_str()));
        let call = ScalarFunction::new_udf(Arc::clone(function), vec![map, lit(key.clone())]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }

    fn plan_position(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        planned(STRPOS.as_ref(), args)
    }
}

/// How many of `names` lead to a map in a row of the type `of`.
fn map_at(of: &DataType, names: &[String]) -> Option<usize> {
    match of {
        DataType::Map(..) => Some(0),
        DataType::Struct(members) => {
            let (first, rest) = names.split_first()?;
            let member = members.iter().find(|member| member.name() == first)?;
            map_at(member.data_type(), rest).map(|depth| depth + 1)
        }
        _ => None,
    }
}
