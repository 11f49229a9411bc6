//! Stack enough for long statements, and long chains made shallow.
//!
//! `a OR b OR c …` parses into a tree as deep as it is long, and everything that walks or frees a
//! tree recurses. Generated SQL has such chains by the thousand (an address per line of a feed).
//! So chains of AND and of OR, which are associative, are balanced as soon as they are parsed;
//! what else makes a statement deep gets a big stack to plan on, and is refused where that cannot
//! be enough, since an overflow would end the process.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use datafusion::sql::{
    parser::Statement as Ast,
    sqlparser::ast::{BinaryOperator, Expr, Value},
};

use super::walk::{self, Flow, ON, STOP, Walker};

/// Stack for the threads that statements run on, in bytes; taken from the system as it is used.
pub const THREAD_STACK_BYTES: usize = 64 << 20;

/// How many operators other than OR may follow one another in one expression. DataFusion evaluates
/// one inside the other, chains of AND too (they are filters, told apart and joined again), which
/// takes up to 3 kB of stack each.
const MAX_CHAIN: usize = 10_000;

/// How many ANDs or ORs may follow one another before they are balanced: above what a balanced tree
/// has down its side, so that none is balanced twice.
const MAX_UNBALANCED: usize = 64;

/// Stack for parsing and planning, in bytes; taken from the system as it is used.
const STACK_BYTES: usize = 128 << 20;

/// Runs `work` with [`STACK_BYTES`] of stack.
pub(super) fn deep<T>(work: impl FnOnce() -> T) -> T {
    // With less than half of it left, a new one is taken: nested calls stay on the first.
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, work)
}

/// A future that is polled with [`STACK_BYTES`] of stack.
pub(super) struct Deep<F>(Pin<Box<F>>);

impl<F: Future> Deep<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Box::pin(future))
    }
}

impl<F: Future> Future for Deep<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        deep(|| self.0.as_mut().poll(context))
    }
}

/// Balances the chains of AND and of OR in `tree`.
///
/// # Errors
/// An expression has more than [`MAX_CHAIN`] operators other than OR in a row: the message.
pub(super) fn balance(tree: &mut Ast) -> Result<(), String> {
    match tree {
        Ast::Statement(sql) => {
            let mut balance = Balance { fault: None };
            walk::walk(sql.as_mut(), &mut balance);
            balance.fault.map_or(Ok(()), Err)
        }
        Ast::Explain(explain) => balance(&mut explain.statement),
        _ => Ok(()),
    }
}

struct Balance {
    fault: Option<String>,
}

impl Walker for Balance {
    fn expr(&mut self, expr: &mut Expr) -> Flow {
        let Some(op) = operator(expr) else { return ON };
        let op = op.clone();
        let (length, same) = left_spine(expr, &op);
        let (is_and, is_or) = (op == BinaryOperator::And, op == BinaryOperator::Or);
        let n_others = if is_or {
            0
        } else if is_and {
            same
        } else {
            length
        };
        if n_others <= MAX_CHAIN && (is_and || is_or) && same > MAX_UNBALANCED {
            let operands = take_apart(expr, same);
            *expr = join(operands, &op);
        }
        if n_others > MAX_CHAIN {
            // Freed level by level: as it stands, freeing it might overflow as well.
            drop(take_apart(expr, length));
            self.fault = Some(format!(
                "the expression has {n_others} operators in a row; at most {MAX_CHAIN} can be computed"
            ));
            return STOP;
        }
        ON
    }
}

fn operator(expr: &Expr) -> Option<&BinaryOperator> {
    match expr {
        Expr::BinaryOp { op, .. } => Some(op),
        _ => None,
    }
}

/// How many operators follow each other down the left side, and how many of them from the top are
/// `op`.
fn left_spine(mut expr: &Expr, op: &BinaryOperator) -> (usize, usize) {
    let (mut length, mut same) = (0, 0);
    while let Expr::BinaryOp { left, op: this, .. } = expr {
        if same == length && this == op {
            same += 1;
        }
        length += 1;
        expr = left;
    }
    (length, same)
}

/// The operands of the first `n` operators down the left side, in the order of the text.
fn take_apart(expr: &mut Expr, n: usize) -> Vec<Expr> {
    let mut operands = Vec::with_capacity(n + 1);
    let mut rest = take(expr);
    for _ in 0..n {
        let Expr::BinaryOp { left, right, .. } = rest else { break };
        operands.push(*right);
        rest = *left;
    }
    operands.push(rest);
    operands.reverse();
    operands
}

fn take(expr: &mut Expr) -> Expr {
    mem::replace(expr, Expr::value(Value::Null))
}

/// The operands joined by `op`, as shallow as can be, in their order.
fn join(mut operands: Vec<Expr>, op: &BinaryOperator) -> Expr {
    while operands.len() > 1 {
        let mut pairs = Vec::with_capacity(operands.len().div_ceil(2));
        let mut rest = operands.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => {
                    Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) }
                }
                None => left,
            });
        }
        operands = pairs;
    }
    operands.pop().unwrap_or_else(|| Expr::value(Value::Null))
}
