//! What rules over plans share: a walk over every expression of a plan, with the columns it reads.

use datafusion::{
    common::{
        DFSchema,
        tree_node::{Transformed, TreeNode},
    },
    error::Result,
    logical_expr::{
        Expr, LogicalPlan, LogicalPlanBuilder, expr_rewriter::NamePreserver, utils::merge_schema,
    },
};

/// Rewrites every part of every expression of `plan`, its subqueries' included, innermost first.
/// `rewrite` gets the columns that the expression can read; columns keep their names.
pub(super) fn map_expressions(
    plan: LogicalPlan,
    mut rewrite: impl FnMut(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    // Once a column's type is another one, what is built on it must look again.
    let mut changed = false;
    let walked = plan.transform_up_with_subqueries(|plan| {
        let schema = readable(&plan)?;
        let names = NamePreserver::new(&plan);
        let plan = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let mut expr = expr.transform_up(|expr| rewrite(expr, &schema))?;
            // Only what changed needs its name back.
            if !expr.transformed {
                return Ok(expr);
            }
            // The parameters of lambdas carry the types of what they are called with.
            expr.data = expr.data.resolve_lambda_variables(&schema)?.data;
            Ok(expr.update_data(|expr| name.restore(expr)))
        })?;
        changed |= plan.transformed;
        if changed { plan.map_data(with_types_of_now) } else { Ok(plan) }
    })?;
    Ok(walked.data)
}

/// Puts what `replacement` gives in the place of each part of the expressions of `plan` alone,
/// innermost first; for rules of the optimizer, which walk the plan themselves. Types stay as they are.
pub(super) fn replace_parts(
    plan: LogicalPlan,
    replacement: impl Fn(&Expr) -> Option<Expr>,
) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&plan);
    plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let changed = expr.transform_up(|expr| {
            Ok(match replacement(&expr) {
                Some(new) => Transformed::yes(new),
                None => Transformed::no(expr),
            })
        })?;
        Ok(changed.update_data(|expr| name.restore(expr)))
    })
}

/// The columns that the expressions of `plan` can read.
pub(super) fn readable(plan: &LogicalPlan) -> Result<DFSchema> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = plan {
        let columns =
            DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
        schema.merge(&columns);
    }
    Ok(schema)
}

fn with_types_of_now(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Values(rows) => LogicalPlanBuilder::values(rows.values)?.build(),
        other => other.recompute_schema(),
    }
}
