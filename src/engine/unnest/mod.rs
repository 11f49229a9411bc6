//! UNNEST as a table: `FROM t CROSS JOIN UNNEST(t.resources) AS x(arn, account, type)`.
//!
//! The syntax tree (`rewrite::unnest`) has made of each one a lateral subquery over one list of rows
//! ([`rows`]). DataFusion plans that, but cannot run a join whose right side reads columns of its
//! left one; [`Flatten`] turns such a join into what it means: the left side with one more column, the
//! list, which is then unnested. A lateral subquery without FROM is the left side with more columns.
//! A list that reads nothing of the left side is unnested the same way.
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
            LogicalPlan::Join(join) if is_lateral(&join.right) || is_crossed(&join) => {
                n_lists += 1;
                flatten(join, n_lists)
            }
            other => Ok(Transformed::no(other)),
        })
        .map(|transformed| transformed.data)
    }
}

/// What lies on the right side of a join that reads columns of its left side.
struct Lateral<'a> {
    /// The nodes above what it starts from, from the top.
    steps: Vec<&'a LogicalPlan>,
    /// The list that is unnested; without one there is one row.
    list: Option<&'a Expr>,
}

impl<'a> Lateral<'a> {
    /// What `plan` is made of; nothing where it has a table or whatever else has rows of its own.
    fn of(plan: &'a LogicalPlan) -> Option<Self> {
        let mut steps = Vec::new();
        let mut plan = plan;
        loop {
            match plan {
                LogicalPlan::Subquery(subquery) => {
                    plan = &subquery.subquery;
                    continue;
                }
                LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => {
                    return Some(Self { steps, list: None });
                }
                LogicalPlan::Unnest(unnest) => {
                    let LogicalPlan::Projection(lists) = unnest.input.as_ref() else { return None };
                    let [list] = lists.expr.as_slice() else { return None };
                    let is_empty = matches!(lists.input.as_ref(), LogicalPlan::EmptyRelation(_));
                    return is_empty.then_some(Self { steps, list: Some(list) });
                }
                _ => {}
            }
            steps.push(plan);
            plan = match plan {
                LogicalPlan::SubqueryAlias(alias) => &alias.input,
                LogicalPlan::Projection(projection) => &projection.input,
                LogicalPlan::Filter(filter) => &filter.input,
                _ => return None,
            };
        }
    }

    /// Whether it reads columns of the other side.
    fn reads_outer(&self) -> bool {
        let reads = |expr: &Expr| expr.contains_outer();
        self.list.is_some_and(reads)
            || self.steps.iter().any(|step| match step {
                LogicalPlan::Projection(projection) => projection.expr.iter().any(reads),
                LogicalPlan::Filter(filter) => reads(&filter.predicate),
                _ => false,
            })
    }
}

/// Whether `plan` is a subquery over columns of another plan.
fn is_lateral(plan: &LogicalPlan) -> bool {
    Lateral::of(plan).is_some_and(|lateral| lateral.reads_outer())
}

/// Whether `join` gives each row of the left side the same few rows of an UNNEST. As a join it would
/// keep the whole left side in memory.
fn is_crossed(join: &Join) -> bool {
    join.join_type == JoinType::Inner
        && join.on.is_empty()
        && Lateral::of(&join.right).is_some_and(|lateral| lateral.list.is_some())
}

fn flatten(join: Join, n: usize) -> Result<Transformed<LogicalPlan>> {
    let keeps = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        other => return plan_err!("{other} JOIN UNNEST cannot read columns of the other side"),
    };
    let filter = join.filter.clone().filter(|filter| *filter != lit(true));
    let Some(Lateral { steps, list }) = Lateral::of(&join.right) else {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    };
    let filters = steps.iter().any(|step| matches!(step, LogicalPlan::Filter(_)));
    if !join.on.is_empty() || (keeps && (filter.is_some() || filters)) {
        return plan_err!("LEFT JOIN UNNEST takes ON TRUE only");
    }
    let left: Vec<Expr> = join.left.schema().columns().into_iter().map(Expr::Column).collect();
    let column = Column::new_unqualified(format!("__unnest_{n}"));
    let mut plan = match list {
        Some(list) => unnested(&join.left, &left, list, &column, keeps)?,
        None => join.left.as_ref().clone(),
    };
    // What the columns of the right side are below the step at hand, over the unnested list.
    let lowest = steps.last().and_then(|step| step.inputs().into_iter().next());
    let mut known = lowest.map_or_else(Vec::new, |lowest| lowest.schema().columns());
    let mut right: Vec<Expr> = list.iter().map(|_| Expr::Column(column.clone())).collect();
    for step in steps.into_iter().rev() {
        match step {
            LogicalPlan::Projection(Projection { expr, .. }) => {
                let now = expr.iter().map(|expr| inlined(expr.clone().unalias(), &known, &right));
                right = now.collect::<Result<_>>()?;
            }
            LogicalPlan::Filter(filter) => {
                let predicate = inlined(filter.predicate.clone(), &known, &right)?;
                plan = LogicalPlanBuilder::from(plan).filter(predicate)?.build()?;
            }
            _ => {}
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

/// The plan `from` with its columns `left` and the elements of `list` as `column`.
fn unnested(
    from: &LogicalPlan,
    left: &[Expr],
    list: &Expr,
    column: &Column,
    keeps: bool,
) -> Result<LogicalPlan> {
    let list = inlined(list.clone().unalias(), &[], &[])?;
    let with_list = left.iter().cloned().chain([list.alias(column.name.clone())]);
    LogicalPlanBuilder::from(from.clone())
        .project(with_list)?
        .unnest_column_with_options(
            column.clone(),
            UnnestOptions::new().with_preserve_nulls(keeps),
        )?
        .build()
}

/// `expr` with what each of the columns `known` is in its place, and the columns of the other side as
/// columns.
fn inlined(expr: Expr, known: &[Column], what: &[Expr]) -> Result<Expr> {
    let replaced = expr.transform(|expr| {
        if let Expr::OuterReferenceColumn(_, column) = expr {
            let column = Expr::Column(column);
            return Ok(Transformed::new(column, true, TreeNodeRecursion::Jump));
        }
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
