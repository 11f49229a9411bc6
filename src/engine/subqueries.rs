//! `IN (SELECT …)` where DataFusion would take "unknown" for "no".
//!
//! `x NOT IN (SELECT y …)` is unknown, not true, where no `y` is `x` and one of them is NULL, or where
//! `x` is. DataFusion gets that right for a condition of its own in WHERE, over a column. Elsewhere it
//! answers with rows that were not asked for, so it is refused there.

use datafusion::{
    common::{
        plan_err,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    error::Result,
    logical_expr::{
        BinaryExpr, Expr, LogicalPlan, Operator, expr::InSubquery, utils::split_conjunction,
    },
};

/// Refuses `plan` where one of its conditions would not be what it says.
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Filter(filter) = node {
            for condition in split_conjunction(&filter.predicate) {
                let is_told = match condition {
                    Expr::InSubquery(InSubquery { expr, negated, .. }) => {
                        !*negated || !expr.column_refs().is_empty()
                    }
                    Expr::Not(inner) => match inner.as_ref() {
                        Expr::InSubquery(InSubquery { expr, negated, .. }) => {
                            *negated || !expr.column_refs().is_empty()
                        }
                        other => !has_in(other)?,
                    },
                    other => only_adds(other)?,
                };
                if !is_told {
                    return plan_err!(
                        "NOT IN with a subquery is supported as a condition of its own and over a \
                         column; write NOT EXISTS (SELECT 1 FROM … WHERE …) here"
                    );
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Whether "no" in the place of "unknown" changes nothing: what is true of `expr` is so because
/// something is in a subquery, never because something is not.
fn only_adds(expr: &Expr) -> Result<bool> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            Ok(only_adds(left)? && only_adds(right)?)
        }
        Expr::InSubquery(InSubquery { negated, .. }) => Ok(!negated),
        other => Ok(!has_in(other)?),
    }
}

fn has_in(expr: &Expr) -> Result<bool> {
    expr.exists(|expr| Ok(matches!(expr, Expr::InSubquery(_))))
}
