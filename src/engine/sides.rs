//! Which side of a join is kept in memory, where a condition asks a subquery.

use std::sync::Arc;

use datafusion::{
    common::{
        JoinType,
        config::ConfigOptions,
        tree_node::{Transformed, TreeNode as _},
    },
    error::Result,
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan,
        joins::{HashJoinExec, PartitionMode},
    },
};

/// Of `x IN (SELECT …)` and EXISTS the subquery is kept, and the rows that are asked about pass by:
/// DataFusion keeps these unless it takes them for more (55.2), and they are as wide as the answer,
/// where the subquery has the compared columns alone.
#[derive(Debug)]
pub(super) struct SubqueriesAreKept;

impl PhysicalOptimizerRule for SubqueriesAreKept {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let swapped = plan.transform_up(|plan| {
            let Some(join) = plan.downcast_ref::<HashJoinExec>() else {
                return Ok(Transformed::no(plan));
            };
            if !asks_subquery(join) {
                return Ok(Transformed::no(plan));
            }
            Ok(Transformed::yes(join.swap_inputs(PartitionMode::Partitioned)?))
        })?;
        Ok(swapped.data)
    }

    fn name(&self) -> &'static str {
        "subqueries_are_kept"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether `join` keeps the rows that are asked about, and they are not known to be few. `NOT IN`,
/// to which a single NULL is an answer, runs on this side only.
fn asks_subquery(join: &HashJoinExec) -> bool {
    matches!(join.join_type(), JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark)
        && *join.partition_mode() == PartitionMode::Partitioned
        && !join.null_aware
}
