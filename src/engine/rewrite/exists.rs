//! `SELECT EXISTS (SELECT …)`: DataFusion joins subqueries of WHERE, HAVING and ON, and runs those of
//! the SELECT list only where they give a value. So there they count: `(SELECT count(*) …) > 0`.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArguments, Query, Select, SelectItem, SetExpr, Value,
};

use super::{
    super::walk::{self, Flow, ON, Walker},
    elements::is_ungrouped,
    make,
};

/// Rewrites the EXISTS in the list of `select`.
pub(super) fn counted(select: &mut Select) {
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            walk::walk(expr, &mut Exists { depth: 0 });
        }
    }
}

struct Exists {
    /// How many queries are around.
    depth: usize,
}

impl Walker for Exists {
    fn query(&mut self, _: &mut Query) -> Flow {
        self.depth += 1;
        ON
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        let Expr::Exists { subquery, negated } = expr else { return ON };
        if self.depth > 0 || !count(subquery) {
            return ON;
        }
        let op = if *negated { BinaryOperator::Eq } else { BinaryOperator::Gt };
        let counted = Expr::Subquery(std::mem::replace(subquery, Box::new(make::nothing())));
        let zero = Expr::value(Value::Number("0".to_owned(), false));
        let compared = Expr::BinaryOp { left: Box::new(counted), op, right: Box::new(zero) };
        *expr = Expr::Nested(Box::new(compared));
        ON
    }
}

/// Makes `query` count its rows, where they are those that FROM and WHERE give.
fn count(query: &mut Query) -> bool {
    let plain = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    let SetExpr::Select(select) = query.body.as_mut() else { return false };
    // A call may be an aggregate, which gives a row of none.
    let calls = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            !matches!(expr, Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        }
        _ => false,
    });
    if !plain || calls || !is_ungrouped(select) {
        return false;
    }
    let mut call = make::call("count", Vec::new());
    if let Expr::Function(call) = &mut call
        && let FunctionArguments::List(list) = &mut call.args
    {
        list.args = vec![make::everything()];
    }
    select.distinct = None;
    select.projection = vec![SelectItem::UnnamedExpr(call)];
    query.order_by = None;
    true
}
