//! Calls within calls over one column of text, `cardinality(split(useragent, '/'))`: evaluated once for
//! each text that differs within a batch.
//!
//! A single call sees each text of a batch once (`functions::repeats`); what it gives is then spread
//! over the rows, and the next call starts from there. Here the whole tree sees each text once, and
//! only what the outermost gives is spread.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    compute::take,
    datatypes::{DataType, Field, FieldRef, Schema, SchemaRef},
};
use datafusion::{
    common::{
        config::ConfigOptions,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    error::Result,
    logical_expr::{ColumnarValue, Operator, Volatility},
    physical_expr::{
        PhysicalExpr, ScalarFunctionExpr,
        aggregate::AggregateFunctionExpr,
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

use super::functions::repeats;

/// Seals such trees, in the expressions of the nodes that evaluate many.
#[derive(Debug)]
pub(super) struct Chains;

impl PhysicalOptimizerRule for Chains {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(rewritten)?.data)
    }

    fn name(&self) -> &'static str {
        "chains_of_calls"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn rewritten(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let Some(input) = plan.children().first().map(|input| input.schema()) else {
        return Ok(Transformed::no(plan));
    };
    if let Some(node) = plan.downcast_ref::<ProjectionExec>() {
        let mut any = false;
        let mut exprs = Vec::with_capacity(node.expr().len());
        for ProjectionExpr { expr, alias } in node.expr() {
            let sealed = sealed(expr, &input)?;
            any |= sealed.transformed;
            exprs.push(ProjectionExpr { expr: sealed.data, alias: alias.clone() });
        }
        if any {
            let node = ProjectionExec::try_new(exprs, Arc::clone(node.input()))?;
            return Ok(Transformed::yes(Arc::new(node)));
        }
    } else if let Some(node) = plan.downcast_ref::<FilterExec>() {
        let predicate = sealed(node.predicate(), &input)?;
        if predicate.transformed {
            let node = FilterExecBuilder::from(node).with_predicate(predicate.data).build()?;
            return Ok(Transformed::yes(Arc::new(node)));
        }
    } else if let Some(node) = plan.downcast_ref::<AggregateExec>() {
        let mut any = false;
        let mut calls = Vec::with_capacity(node.aggr_expr().len());
        for call in node.aggr_expr() {
            let new = aggregate(call, &input)?;
            any |= new.is_some();
            calls.push(new.map_or_else(|| Arc::clone(call), Arc::new));
        }
        if any {
            return Ok(Transformed::yes(Arc::new(node.with_new_aggr_exprs(calls))));
        }
    }
    Ok(Transformed::no(plan))
}

fn aggregate(
    call: &AggregateFunctionExpr,
    input: &SchemaRef,
) -> Result<Option<AggregateFunctionExpr>> {
    let mut any = false;
    let mut args = Vec::new();
    for arg in call.expressions() {
        let sealed = sealed(&arg, input)?;
        any |= sealed.transformed;
        args.push(sealed.data);
    }
    let orders = call.order_bys().iter().map(|order| Arc::clone(&order.expr)).collect();
    Ok(if any { call.with_new_expressions(args, orders) } else { None })
}

/// `expr` with each outermost tree of calls sealed.
fn sealed(
    expr: &Arc<dyn PhysicalExpr>,
    input: &SchemaRef,
) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    Arc::clone(expr).transform_down(|expr| {
        let mut tree = Tree::default();
        tree.look(&expr, input);
        Ok(match tree.column {
            Some(column) if tree.whole && tree.functions > 0 && tree.calls > 1 => {
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

/// A tree of calls over one column.
#[derive(Debug, Eq)]
struct Chain {
    column: Arc<dyn PhysicalExpr>,
    /// The tree over a batch of that column alone.
    body: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
}

impl Chain {
    fn new(expr: &Arc<dyn PhysicalExpr>, column: Column, input: &SchemaRef) -> Result<Self> {
        let field = input.field(column.index()).clone().with_name("text");
        let body = Arc::clone(expr).transform(|part| {
            Ok(if part.downcast_ref::<Column>().is_some() {
                Transformed::yes(Arc::new(Column::new("text", 0)) as _)
            } else {
                Transformed::no(part)
            })
        })?;
        let schema = Arc::new(Schema::new(vec![Field::clone(&field)]));
        Ok(Self { column: Arc::new(column), body: body.data, schema })
    }
}

impl PartialEq for Chain {
    fn eq(&self, other: &Self) -> bool {
        self.column.eq(&other.column) && self.body.eq(&other.body)
    }
}

impl Hash for Chain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.column.hash(state);
        self.body.hash(state);
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of each {}", self.body, self.column)
    }
}

impl PhysicalExpr for Chain {
    fn return_field(&self, _: &Schema) -> Result<FieldRef> {
        self.body.return_field(&self.schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let text = self.column.evaluate(batch)?.into_array(batch.num_rows())?;
        let found = repeats::differing(&text);
        let text = match &found {
            Some((firsts, _)) => take(&text, firsts, None)?,
            None => text,
        };
        let options = RecordBatchOptions::new().with_row_count(Some(text.len()));
        let schema = Arc::clone(&self.schema);
        let few = RecordBatch::try_new_with_options(schema, vec![text], &options)?;
        match (self.body.evaluate(&few)?, found) {
            (ColumnarValue::Array(made), Some((_, of_rows))) => {
                Ok(ColumnarValue::Array(take(&made, &of_rows, None)?))
            }
            (made, _) => Ok(made),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.column]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(match children.pop() {
            Some(column) => Arc::new(Self {
                column,
                body: Arc::clone(&self.body),
                schema: Arc::clone(&self.schema),
            }),
            None => self,
        })
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
