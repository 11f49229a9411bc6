//! What is asked of a split text, without making its pieces: `split(x, ':')[5]` and
//! `element_at(split(x, ':'), 5)` become `split_part(x, ':', 5)`, `cardinality(split(x, ':'))` becomes
//! a count of the delimiters.
//!
//! Published queries take ARNs apart so. The first three are NULL past the last piece.

use std::sync::{Arc, LazyLock};

use datafusion::{
    common::{ScalarValue, tree_node::Transformed},
    error::Result,
    logical_expr::{Expr, LogicalPlan, ScalarUDF, expr::ScalarFunction},
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};

use super::{planner::function, string};
use crate::engine::analyze::replace_parts;

static SPLIT_PART: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| function("split_part"));
static PIECES: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| string::pieces().map(Arc::new));

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
        replace_parts(plan, |expr| piece(expr).or_else(|| number(expr)))
    }
}

fn piece(expr: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(outer) = expr else { return None };
    if !matches!(outer.func.name(), "element_at" | "array_element" | "$subscript") {
        return None;
    }
    let [split, position] = outer.args.as_slice() else { return None };
    let mut args = split_by_literal(split)?.to_vec();
    // From the end, or at 0, the two are not the same.
    if !matches!(position.as_literal()?, ScalarValue::Int64(Some(1..))) {
        return None;
    }
    args.push(position.clone());
    Some(call(SPLIT_PART.as_ref()?, args))
}

fn number(expr: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(outer) = expr else { return None };
    let ("cardinality", [split]) = (outer.func.name(), outer.args.as_slice()) else { return None };
    let args = split_by_literal(split)?.to_vec();
    Some(call(PIECES.as_ref()?, args))
}

/// The arguments of a `split` without a limit, by a delimiter that is no error of it.
fn split_by_literal(expr: &Expr) -> Option<&[Expr]> {
    let Expr::ScalarFunction(split) = expr else { return None };
    let ("split", args @ [_, delimiter]) = (split.func.name(), split.args.as_slice()) else {
        return None;
    };
    let delimiter = delimiter.as_literal()?.try_as_str().flatten()?;
    (!delimiter.is_empty()).then_some(args)
}

fn call(function: &Arc<ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args))
}
