//! Calls within calls over one column of text, `lower(split(useragent, '/')[1])`: evaluated once for
//! each text that differs within a batch, or within what one dictionary holds.
//!
//! A single call sees each text of a batch once (`functions::repeats`); what it gives is then spread
//! over the rows, and the next call starts from there. Here the whole tree sees each text once, and
//! only what the outermost gives is spread. Where nothing else wants a column of few texts, it is
//! read as the dictionaries in which it is stored ([`Dictionaries`]).

mod chain;
mod dictionaries;

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::{
    common::{
        config::ConfigOptions,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    error::Result,
    logical_expr::{Operator, Volatility},
    physical_expr::{
        PhysicalExpr, ScalarFunctionExpr,
        expressions::{BinaryExpr, CastExpr, Column, Literal},
    },
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan,
        aggregates::AggregateExec,
        filter::{FilterExec, FilterExecBuilder},
        projection::{ProjectionExec, ProjectionExpr},
    },
};

use self::chain::Chain;
pub(super) use self::dictionaries::Dictionaries;

/// Seals such trees, in the expressions of the nodes that evaluate many.
#[derive(Debug)]
pub(super) struct Chains;

impl PhysicalOptimizerRule for Chains {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(|plan| sealing(plan, &|tree, _| tree.calls > 1))?.data)
    }

    fn name(&self) -> &'static str {
        "chains_of_calls"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The node with each outermost tree of calls sealed that is `chosen`, in the expressions that are
/// evaluated for many rows.
fn sealing(
    plan: Arc<dyn ExecutionPlan>,
    chosen: &dyn Fn(&Tree, &Column) -> bool,
) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let Some(input) = plan.children().first().map(|input| input.schema()) else {
        return Ok(Transformed::no(plan));
    };
    let mut any = false;
    let mut seal = |expr: &Arc<dyn PhysicalExpr>| {
        let sealed = sealed(expr, &input, chosen)?;
        any |= sealed.transformed;
        Ok(sealed.data)
    };
    if let Some(node) = plan.downcast_ref::<ProjectionExec>() {
        let seal = |ProjectionExpr { expr, alias }: &ProjectionExpr| {
            Ok(ProjectionExpr { expr: seal(expr)?, alias: alias.clone() })
        };
        let exprs = node.expr().iter().map(seal).collect::<Result<Vec<_>>>()?;
        if any {
            let node = ProjectionExec::try_new(exprs, Arc::clone(node.input()))?;
            return Ok(Transformed::yes(Arc::new(node)));
        }
    } else if let Some(node) = plan.downcast_ref::<FilterExec>() {
        let predicate = seal(node.predicate())?;
        if any {
            let node = FilterExecBuilder::from(node).with_predicate(predicate).build()?;
            return Ok(Transformed::yes(Arc::new(node)));
        }
    } else if let Some(node) = plan.downcast_ref::<AggregateExec>() {
        let mut calls = Vec::with_capacity(node.aggr_expr().len());
        for call in node.aggr_expr() {
            let args = call.expressions().iter().map(&mut seal).collect::<Result<Vec<_>>>()?;
            let orders = call.order_bys().iter().map(|order| Arc::clone(&order.expr)).collect();
            let Some(call) = call.with_new_expressions(args, orders) else {
                return Ok(Transformed::no(plan));
            };
            calls.push(Arc::new(call));
        }
        if any {
            return Ok(Transformed::yes(Arc::new(node.with_new_aggr_exprs(calls))));
        }
    }
    Ok(Transformed::no(plan))
}

/// `expr` with each outermost tree of calls sealed that is `chosen`.
fn sealed(
    expr: &Arc<dyn PhysicalExpr>,
    input: &SchemaRef,
    chosen: &dyn Fn(&Tree, &Column) -> bool,
) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    Arc::clone(expr).transform_down(|expr| {
        let mut tree = Tree::default();
        tree.look(&expr, input);
        Ok(match tree.column.take() {
            Some(column) if tree.whole && tree.functions > 0 && chosen(&tree, &column) => {
                let sealed = Chain::new(&expr, column, input)?;
                Transformed::new(Arc::new(sealed) as _, true, TreeNodeRecursion::Jump)
            }
            _ => Transformed::no(expr),
        })
    })
}

/// What an expression is made of.
struct Tree {
    column: Option<Column>,
    /// Functions and operators.
    calls: usize,
    functions: usize,
    /// Whether all of it is understood, and reads one column of text.
    whole: bool,
}

impl Default for Tree {
    fn default() -> Self {
        Self { column: None, calls: 0, functions: 0, whole: true }
    }
}

impl Tree {
    fn look(&mut self, expr: &Arc<dyn PhysicalExpr>, input: &SchemaRef) {
        if let Some(column) = expr.downcast_ref::<Column>() {
            let is_text = input.fields().get(column.index()).is_some_and(|field| {
                matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View)
            });
            self.whole &= is_text && self.column.as_ref().is_none_or(|known| known == column);
            self.column = Some(column.clone());
        } else if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
            self.calls += 1;
            self.functions += 1;
            self.whole &= call.fun().signature().volatility == Volatility::Immutable;
        } else if let Some(operation) = expr.downcast_ref::<BinaryExpr>() {
            self.calls += 1;
            // Each condition for itself: those that compare the column prune files and row groups.
            self.whole &= !matches!(operation.op(), Operator::And | Operator::Or);
        } else if expr.downcast_ref::<CastExpr>().is_none()
            && expr.downcast_ref::<Literal>().is_none()
        {
            self.whole = false;
        }
        if self.whole {
            for child in expr.children() {
                self.look(child, input);
            }
        }
    }
}

#[cfg(test)]
mod tests;
