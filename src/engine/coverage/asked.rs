//! What a scan's predicates ask for, as far as it can be told: a range of time, and sets of
//! accounts, regions, categories, services and APIs.
//!
//! The predicates are those of the optimised plan: constants are folded (`now() - interval '7'
//! day` is a literal), views and virtual columns are stored columns, partition texts are ranges of
//! `delivery_date`. What is not understood narrows nothing.

use std::collections::BTreeSet;

use datafusion::{
    logical_expr::{BinaryExpr, Expr, Operator, expr::ScalarFunction},
    scalar::ScalarValue,
};

use super::time::time_of;

/// What is asked for; `None` is anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// From this instant on, in microseconds.
    pub(super) from: Option<i64>,
    /// Up to this instant.
    pub(super) to: Option<i64>,
    pub(super) accounts: Option<BTreeSet<String>>,
    pub(super) regions: Option<BTreeSet<String>>,
    pub(super) categories: Option<BTreeSet<String>>,
    pub(super) sources: Option<BTreeSet<String>>,
    pub(super) names: Option<BTreeSet<String>>,
}

impl Asked {
    /// What all of `filters` together ask for.
    pub(super) fn of(filters: &[Expr]) -> Self {
        filters.iter().map(asked).fold(Self::default(), Self::and)
    }

    fn and(self, other: Self) -> Self {
        let both = |a: Option<BTreeSet<String>>, b: Option<BTreeSet<String>>| match (a, b) {
            (Some(a), Some(b)) => Some(a.intersection(&b).cloned().collect()),
            (a, b) => a.or(b),
        };
        Self {
            from: self.from.max(other.from),
            to: match (self.to, other.to) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            accounts: both(self.accounts, other.accounts),
            regions: both(self.regions, other.regions),
            categories: both(self.categories, other.categories),
            sources: both(self.sources, other.sources),
            names: both(self.names, other.names),
        }
    }

    fn or(self, other: Self) -> Self {
        let either = |a: Option<BTreeSet<String>>, b: Option<BTreeSet<String>>| {
            let (mut most, mut few) = (a?, b?);
            if most.len() < few.len() {
                std::mem::swap(&mut most, &mut few);
            }
            // Not a union, which would copy the longer one for every item of an IN list.
            most.extend(few);
            Some(most)
        };
        Self {
            from: self.from.zip(other.from).map(|(a, b)| a.min(b)),
            to: self.to.zip(other.to).map(|(a, b)| a.max(b)),
            accounts: either(self.accounts, other.accounts),
            regions: either(self.regions, other.regions),
            categories: either(self.categories, other.categories),
            sources: either(self.sources, other.sources),
            names: either(self.names, other.names),
        }
    }

    pub(super) fn between(from: Option<i64>, to: Option<i64>) -> Self {
        Self { from, to, ..Self::default() }
    }
}

fn asked(expr: &Expr) -> Asked {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            asked(left).and(asked(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            asked(left).or(asked(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            match (left.as_literal(), right.as_literal()) {
                (None, Some(value)) => compared(left, *op, value),
                (Some(value), None) => {
                    op.swap().map_or_else(Asked::default, |op| compared(right, op, value))
                }
                _ => Asked::default(),
            }
        }
        Expr::Between(between) if !between.negated => {
            match (between.low.as_literal(), between.high.as_literal()) {
                (Some(low), Some(high)) => compared(&between.expr, Operator::GtEq, low)
                    .and(compared(&between.expr, Operator::LtEq, high)),
                _ => Asked::default(),
            }
        }
        Expr::InList(list) if !list.negated => {
            let mut each = list.list.iter().map(|item| match item.as_literal() {
                Some(value) => compared(&list.expr, Operator::Eq, value),
                None => Asked::default(),
            });
            let first = each.next().unwrap_or_default();
            each.fold(first, Asked::or)
        }
        Expr::Like(like) if !like.negated && !like.case_insensitive => {
            let pattern = like.pattern.as_literal().and_then(ScalarValue::try_as_str).flatten();
            let prefix = pattern.map(|p| p.split(['%', '_']).next().unwrap_or_default());
            match (time_of(&like.expr), prefix) {
                (Some(time), Some(prefix)) => time.starting_with(prefix),
                _ => Asked::default(),
            }
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "starts_with" => {
            let [text, prefix] = args.as_slice() else { return Asked::default() };
            let prefix = prefix.as_literal().and_then(ScalarValue::try_as_str).flatten();
            match (time_of(text), prefix) {
                (Some(time), Some(prefix)) => time.starting_with(prefix),
                _ => Asked::default(),
            }
        }
        Expr::Alias(alias) => asked(&alias.expr),
        _ => Asked::default(),
    }
}

/// What `of op value` asks for.
fn compared(of: &Expr, op: Operator, value: &ScalarValue) -> Asked {
    if let Some(time) = time_of(of) {
        return time.compared(op, value);
    }
    let (Operator::Eq, Some(text)) = (op, value.try_as_str().flatten()) else {
        return Asked::default();
    };
    let only = Some(BTreeSet::from([text.to_owned()]));
    match column_of(of).as_deref() {
        Some("recipientaccountid" | "account" | "owner_account" | "actor_account") => {
            Asked { accounts: only, ..Asked::default() }
        }
        Some("useridentity.accountid") => Asked { accounts: only, ..Asked::default() },
        Some("awsregion" | "region") => Asked { regions: only, ..Asked::default() },
        Some("eventcategory" | "category") => Asked { categories: only, ..Asked::default() },
        Some("eventsource") => Asked { sources: only, ..Asked::default() },
        Some("service") => Asked {
            sources: Some(BTreeSet::from([format!("{text}.amazonaws.com")])),
            ..Asked::default()
        },
        Some("eventname" | "event_name_base") => Asked { names: only, ..Asked::default() },
        _ => Asked::default(),
    }
}

/// The name of the column that `expr` reads, of a struct's member with the path.
fn column_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Column(column) => Some(column.name.clone()),
        Expr::Cast(cast) => column_of(&cast.expr),
        Expr::TryCast(cast) => column_of(&cast.expr),
        Expr::Alias(alias) => column_of(&alias.expr),
        Expr::ScalarFunction(call) if call.func.name() == "get_field" => {
            let (base, path) = call.args.split_first()?;
            let mut name = column_of(base)?;
            for member in path {
                name.push('.');
                name.push_str(member.as_literal()?.try_as_str()??);
            }
            Some(name)
        }
        _ => None,
    }
}
