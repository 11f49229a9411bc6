//! One piece of a split text, without the others: `split(x, ':')[5]` and `element_at(split(x, ':'), 5)`
//! become `split_part(x, ':', 5)`.
//!
//! Published queries take ARNs apart so. All three are NULL past the last piece.

use std::sync::{Arc, LazyLock};

use datafusion::{
    common::{ScalarValue, tree_node::Transformed},
    error::Result,
    logical_expr::{Expr, LogicalPlan, ScalarUDF, expr::ScalarFunction},
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};

use super::planner::function;
use crate::engine::analyze::replace_parts;

static SPLIT_PART: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| function("split_part"));

/// The rule.
#[derive(Debug)]
pub(in crate::engine) struct Pieces;

impl OptimizerRule for Pieces {
    fn name(&self) -> &'static str {
        "one_piece_of_split"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        replace_parts(plan, piece)
    }
}

fn piece(expr: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(outer) = expr else { return None };
    if !matches!(outer.func.name(), "element_at" | "array_element" | "$subscript") {
        return None;
    }
    let [Expr::ScalarFunction(split), position] = outer.args.as_slice() else { return None };
    if split.func.name() != "split" {
        return None;
    }
    let [text, delimiter] = split.args.as_slice() else { return None };
    // An empty delimiter is an error of split, and not of split_part.
    let plain = delimiter.as_literal()?.try_as_str().flatten().is_some_and(|text| !text.is_empty());
    // From the end, or at 0, the two are not the same.
    let counted = matches!(position.as_literal()?, ScalarValue::Int64(Some(1..)));
    if !(plain && counted) {
        return None;
    }
    let args = vec![text.clone(), delimiter.clone(), position.clone()];
    let call = ScalarFunction::new_udf(Arc::clone(SPLIT_PART.as_ref()?), args);
    Some(Expr::ScalarFunction(call))
}
