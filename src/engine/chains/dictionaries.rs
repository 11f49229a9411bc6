//! Columns of few texts, read as the dictionaries in which they are stored, where calls alone look at
//! them.
//!
//! The reader then hands out numbers instead of texts, and each text is looked at once in some
//! hundred thousand rows. Where anything else wants the column, a condition that is pushed into the
//! scan or a group, it is read as ever.

use std::{collections::BTreeSet, sync::Arc};

use datafusion::{
    common::{
        config::ConfigOptions,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    datasource::source::DataSourceExec,
    error::Result,
    physical_expr::{PhysicalExpr, expressions::Column},
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions, aggregates::AggregateExec,
        filter::FilterExec, projection::ProjectionExec,
    },
};

use super::{Chain, Tree, sealing};
use crate::engine::tables::{self, FEW_TEXTS};

/// The rule; it comes last, when no other moves expressions any more.
#[derive(Debug)]
pub(in crate::engine) struct Dictionaries;

impl PhysicalOptimizerRule for Dictionaries {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(rewritten)?.data)
    }

    fn name(&self) -> &'static str {
        "dictionaries_of_few_texts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn rewritten(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let is_ours = plan.downcast_ref::<ProjectionExec>().is_some()
        || plan.downcast_ref::<FilterExec>().is_some()
        || plan.downcast_ref::<AggregateExec>().is_some();
    let [input] = plan.children()[..] else { return Ok(Transformed::no(plan)) };
    if !is_ours || input.downcast_ref::<DataSourceExec>().is_none() {
        return Ok(Transformed::no(plan));
    }
    let is_few = |_: &Tree, column: &Column| FEW_TEXTS.contains(&column.name());
    let sealed = sealing(Arc::clone(&plan), &is_few)?.data;
    let uses = Uses::of(sealed.as_ref())?;
    let columns: Vec<usize> = uses.by_calls.difference(&uses.otherwise).copied().collect();
    let Some(scan) = tables::with_dictionaries(input, &columns)? else {
        return Ok(Transformed::no(plan));
    };
    let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Ok(Transformed::yes(sealed.replace_children(vec![scan], anew)?))
}

/// The columns that a node reads, by their place.
#[derive(Default)]
struct Uses {
    by_calls: BTreeSet<usize>,
    otherwise: BTreeSet<usize>,
}

impl Uses {
    fn of(node: &dyn ExecutionPlan) -> Result<Self> {
        let mut uses = Self::default();
        node.apply_expressions(&mut |expr| {
            uses.look(expr);
            Ok(TreeNodeRecursion::Continue)
        })?;
        if let Some(filter) = node.downcast_ref::<FilterExec>() {
            // What stays goes on as it is.
            match filter.projection() {
                Some(kept) => uses.otherwise.extend(kept.iter()),
                None => uses.otherwise.extend(0..filter.input().schema().fields().len()),
            }
        }
        Ok(uses)
    }

    fn look(&mut self, expr: &Arc<dyn PhysicalExpr>) {
        let of_call = expr.downcast_ref::<Chain>().map(Chain::column);
        if let Some(column) = of_call.and_then(|column| column.downcast_ref::<Column>()) {
            self.by_calls.insert(column.index());
        } else if let Some(column) = expr.downcast_ref::<Column>() {
            self.otherwise.insert(column.index());
        } else {
            expr.children().into_iter().for_each(|child| self.look(child));
        }
    }
}
