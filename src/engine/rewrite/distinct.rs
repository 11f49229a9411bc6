//! `a IS DISTINCT FROM b AND c`: the parser takes all that follows FROM for what `a` is compared with.
//! It is `b` alone, and what follows binds as it does behind any other comparison.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

/// Puts right what the parser made of such a comparison in `expr`, whose parts are right already.
///
/// Of what it parses right no AND has an OR to its right and no NOT either of them below it, unless in
/// parentheses: where one has, this is why.
pub(super) fn bind(expr: &mut Expr) {
    match expr {
        Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) if is_logical(right) => {
            let mut whole = std::mem::replace(right.as_mut(), nothing());
            let mut comparison = std::mem::replace(expr, nothing());
            let place = leftmost(&mut whole);
            let operand = std::mem::replace(place, nothing());
            if let Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) =
                &mut comparison
            {
                **right = operand;
            }
            *place = comparison;
            *expr = whole;
        }
        Expr::BinaryOp { left, op: BinaryOperator::And, right } if is_or(right) => {
            let mut whole = std::mem::replace(right.as_mut(), nothing());
            let left = std::mem::replace(left.as_mut(), nothing());
            if let Expr::BinaryOp { left: first, .. } = &mut whole {
                let second = std::mem::replace(first.as_mut(), nothing());
                **first = Expr::BinaryOp {
                    left: Box::new(left),
                    op: BinaryOperator::And,
                    right: Box::new(second),
                };
                // What was to the left of an OR may have one itself.
                bind(first);
            }
            *expr = whole;
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } if is_logical(inner) => {
            let mut whole = std::mem::replace(inner.as_mut(), nothing());
            let place = leftmost(&mut whole);
            let operand = std::mem::replace(place, nothing());
            *place = Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(operand) };
            *expr = whole;
        }
        _ => {}
    }
}

fn nothing() -> Expr {
    Expr::value(Value::Null)
}

fn is_logical(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. })
}

fn is_or(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op: BinaryOperator::Or, .. })
}

/// The first operand of all that AND and OR join in `expr`.
fn leftmost(expr: &mut Expr) -> &mut Expr {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, .. } => leftmost(left),
        other => other,
    }
}
