//! UNNEST as a table: `FROM t CROSS JOIN UNNEST(t.resources) AS x(arn, account, type)`.
//!
//! The syntax tree (`rewrite::unnest`) has made of each one a lateral subquery over one list of rows
//! ([`rows`]). DataFusion plans that, but cannot run a join whose right side reads columns of its
//! left one; [`Flatten`] turns such a join into what it means: the left side with one more column, the
//! list, which is then unnested.
//!
//! <https://trino.io/docs/current/sql/select.html#unnest>

mod rows;

use std::sync::Arc;

use datafusion::{
    common::{
        Column, UnnestOptions,
        config::ConfigOptions,
        plan_err,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    error::Result,
    logical_expr::{Expr, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Projection, lit},
    optimizer::AnalyzerRule,
};

pub(super) use self::rows::{NAME, function};
use super::types::type_name;

/// Turns joins with a lateral UNNEST into an UNNEST of the left side.
#[derive(Debug)]
pub(super) struct Flatten;

impl AnalyzerRule for Flatten {
    fn name(&self) -> &'static str {
        "flatten_unnest"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let mut n_lists = 0;
        plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Join(join) if is_lateral(&join.right) => {
                n_lists += 1;
                flatten(join, n_lists)
            }
            other => Ok(Transformed::no(other)),
        })
        .map(|transformed| transformed.data)
    }
}

/// What lies between a join and the UNNEST on its right side, from the top.
fn steps(plan: &LogicalPlan) -> Option<(Vec<&LogicalPlan>, &Expr)> {
    let mut steps = Vec::new();
    let mut plan = plan;
    loop {
        match plan {
            LogicalPlan::SubqueryAlias(alias) => {
                steps.push(plan);
                plan = &alias.input;
            }
            LogicalPlan::Subquery(subquery) => plan = &subquery.subquery,
            LogicalPlan::Projection(projection) => {
                steps.push(plan);
                plan = &projection.input;
            }
            LogicalPlan::Unnest(unnest) => {
                let LogicalPlan::Projection(lists) = unnest.input.as_ref() else { return None };
                let [list] = lists.expr.as_slice() else { return None };
                let is_empty = matches!(lists.input.as_ref(), LogicalPlan::EmptyRelation(_));
                return is_empty.then_some((steps, list));
            }
            _ => return None,
        }
    }
}

/// Whether `plan` unnests a column of another plan.
fn is_lateral(plan: &LogicalPlan) -> bool {
    steps(plan).is_some_and(|(_, list)| list.contains_outer())
}

fn flatten(join: Join, n: usize) -> Result<Transformed<LogicalPlan>> {
    let keeps = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        other => return plan_err!("{other} JOIN UNNEST cannot read columns of the other side"),
    };
    let filter = join.filter.clone().filter(|filter| *filter != lit(true));
    if !join.on.is_empty() || (keeps && filter.is_some()) {
        return plan_err!("LEFT JOIN UNNEST takes ON TRUE only");
    }
    let Some((steps, list)) = steps(&join.right) else {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    };
    let left: Vec<Expr> = join.left.schema().columns().into_iter().map(Expr::Column).collect();
    let column = Column::new_unqualified(format!("__unnest_{n}"));
    let list = list.clone().unalias().transform(|expr| {
        Ok(match expr {
            Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
            other => Transformed::no(other),
        })
    })?;
    let with_list = left.iter().cloned().chain([list.data.alias(column.name.clone())]);
    let mut plan = LogicalPlanBuilder::from(join.left.as_ref().clone())
        .project(with_list)?
        .unnest_column_with_options(
            column.clone(),
            UnnestOptions::new().with_preserve_nulls(keeps),
        )?
        .build()?;
    // What the columns of the right side are below the step at hand, over the unnested list.
    let mut known = match steps.last() {
        Some(LogicalPlan::Projection(projection)) => projection.input.schema().columns(),
        Some(LogicalPlan::SubqueryAlias(alias)) => alias.input.schema().columns(),
        _ => join.right.schema().columns(),
    };
    let mut right = vec![Expr::Column(column)];
    for step in steps.into_iter().rev() {
        if let LogicalPlan::Projection(Projection { expr, .. }) = step {
            let now = expr.iter().map(|expr| inlined(expr.clone().unalias(), &known, &right));
            right = now.collect::<Result<_>>()?;
        }
        known = step.schema().columns();
    }
    let right = right.into_iter().zip(known).map(|(expr, column)| {
        let Column { relation, name, .. } = column;
        expr.alias_qualified(relation, name)
    });
    plan = LogicalPlan::Projection(Projection::try_new(
        left.into_iter().chain(right).collect(),
        Arc::new(plan),
    )?);
    if let Some(filter) = filter {
        plan = LogicalPlanBuilder::from(plan).filter(filter)?.build()?;
    }
    Ok(Transformed::yes(plan))
}

/// `expr` with what each of the columns `known` is in its place.
fn inlined(expr: Expr, known: &[Column], what: &[Expr]) -> Result<Expr> {
    let replaced = expr.transform(|expr| {
        let place = match &expr {
            Expr::Column(column) => known.iter().position(|known| known == column),
            _ => None,
        };
        Ok(match place.and_then(|place| what.get(place)) {
            Some(now) => Transformed::new(now.clone(), true, TreeNodeRecursion::Jump),
            None => Transformed::no(expr),
        })
    })?;
    Ok(replaced.data)
}
