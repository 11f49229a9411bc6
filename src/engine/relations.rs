//! Relations that DataFusion does not plan as Trino does: samples, and set operations that count
//! how often a row is there.
//!
//! <https://trino.io/docs/current/sql/select.html>, "TABLESAMPLE", "INTERSECT clause" and "EXCEPT
//! clause"

use std::sync::Arc;

use datafusion::{
    common::{plan_err, tree_node::TreeNode},
    error::Result,
    execution::SessionStateBuilder,
    functions::math::expr_fn::random,
    functions_window::expr_fn::row_number,
    logical_expr::{
        Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, cast, ident, lit,
        planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning},
        type_coercion::binary::type_union_resolution,
    },
    scalar::ScalarValue,
    sql::sqlparser::ast::{TableAlias, TableFactor, TableSampleKind},
};

/// The name that `rewrite::trino` gives the union of what INTERSECT ALL takes.
pub(super) const INTERSECT_ALL: &str = "$intersect_all";
/// The same for EXCEPT ALL.
pub(super) const EXCEPT_ALL: &str = "$except_all";

/// The column of the chance that a row has.
const CHANCE: &str = "__chance";

/// The column that tells equal rows apart.
const COPY: &str = "__copy";

/// Puts the planner of relations into a state.
pub(super) fn register(builder: &mut SessionStateBuilder) {
    builder.relation_planners().get_or_insert_default().insert(0, Arc::new(Relations));
}

#[derive(Debug)]
struct Relations;

impl RelationPlanner for Relations {
    fn plan_relation(
        &self,
        mut relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        if let Some(sample) = sample(&mut relation) {
            let plan = sampled(relation, &sample, context)?;
            return Ok(planned(plan, None));
        }
        if let TableFactor::Derived { alias: given @ Some(_), .. } = &mut relation {
            let name = given.as_ref().map(|alias| alias.name.value.as_str());
            if let Some(EXCEPT_ALL | INTERSECT_ALL) = name {
                let alias = given.take();
                let except = alias.as_ref().is_some_and(|alias| alias.name.value == EXCEPT_ALL);
                let plan = counted(&context.plan(relation)?, except)?;
                return Ok(planned(plan, alias));
            }
        }
        Ok(RelationPlanning::Original(Box::new(relation)))
    }
}

fn planned(plan: LogicalPlan, alias: Option<TableAlias>) -> RelationPlanning {
    RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias)))
}

/// Takes the TABLESAMPLE from a relation.
fn sample(relation: &mut TableFactor) -> Option<TableSampleKind> {
    match relation {
        TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. } => sample.take(),
        _ => None,
    }
}

/// What is to be said of an answer to `plan`, if it rests on a sample.
pub(super) fn notice(plan: &LogicalPlan) -> Option<String> {
    let samples = plan.exists(|node| {
        Ok(matches!(node, LogicalPlan::Projection(projection)
            if projection.schema.has_column_with_unqualified_name(CHANCE)))
    });
    samples.unwrap_or_default().then(|| {
        "TABLESAMPLE: the answer rests on a part of the rows, another one each time".to_owned()
    })
}

/// Each row of `relation` with the probability that `sample` tells; `refuse` lets only BERNOULLI by.
fn sampled(
    relation: TableFactor,
    sample: &TableSampleKind,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let (TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) =
        sample;
    let plan = context.plan(relation)?;
    let percentage = match &sample.quantity {
        Some(quantity) => context.sql_to_expr(quantity.value.clone(), plan.schema())?,
        None => return plan_err!("TABLESAMPLE wants a percentage"),
    };
    let percentage = percentage.as_literal().and_then(|value| {
        let value = value.cast_to(&arrow::datatypes::DataType::Float64).ok()?;
        if let ScalarValue::Float64(value) = value { value } else { None }
    });
    match percentage {
        Some(100.0) => Ok(plan),
        Some(value) if (0.0..100.0).contains(&value) => {
            // As a column: a condition that reads none would be pushed below what makes the rows.
            let columns: Vec<Expr> =
                plan.schema().columns().into_iter().map(Expr::Column).collect();
            let chance = columns.iter().cloned().chain([random().alias(CHANCE)]);
            LogicalPlanBuilder::from(plan)
                .project(chance)?
                .filter(ident(CHANCE).lt(lit(value / 100.0)))?
                .project(columns)?
                .build()
        }
        _ => plan_err!("TABLESAMPLE wants a percentage from 0 to 100"),
    }
}

/// The rows of a union's first input that are not in its second, or are there as well, each as often
/// as the counts say: the copies of a row are numbered, and then every row is there once.
fn counted(union: &LogicalPlan, except: bool) -> Result<LogicalPlan> {
    let inputs = match union {
        LogicalPlan::Union(union) => union.inputs.as_slice(),
        _ => &[],
    };
    let [left, right] = inputs else { return plan_err!("a set operation has two sides") };
    let (left, right) = (numbered(alike(left, right)?)?, numbered(alike(right, left)?)?);
    let plan = if except {
        LogicalPlanBuilder::except(left, right, true)?
    } else {
        LogicalPlanBuilder::intersect(left, right, true)?
    };
    let mut columns = plan.schema().columns();
    columns.pop();
    LogicalPlanBuilder::from(plan).project(columns.into_iter().map(Expr::Column))?.build()
}

/// `plan` with its columns in the types that they have in common with those of `other`.
fn alike(plan: &LogicalPlan, other: &LogicalPlan) -> Result<LogicalPlan> {
    let columns = plan.schema().columns().into_iter().zip(plan.schema().fields());
    let columns = columns.zip(other.schema().fields()).map(|((column, own), other)| {
        let types = [own.data_type().clone(), other.data_type().clone()];
        match type_union_resolution(&types) {
            Some(common) if common != *own.data_type() => {
                let name = column.name.clone();
                cast(Expr::Column(column), common).alias(name)
            }
            _ => Expr::Column(column),
        }
    });
    LogicalPlanBuilder::from(plan.clone()).project(columns)?.build()
}

fn numbered(plan: LogicalPlan) -> Result<LogicalPlan> {
    let columns = plan.schema().columns().into_iter().map(Expr::Column).collect();
    let copy = row_number().partition_by(columns).build()?.alias(COPY);
    LogicalPlanBuilder::from(plan).window(vec![copy])?.build()
}
