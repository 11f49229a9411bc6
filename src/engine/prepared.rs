//! Prepared statements: values in the places of `?`, on the syntax tree, as in Trino. On the plan the
//! types of what stands around a `?` would have been settled without it.

use std::collections::BTreeSet;

use datafusion::sql::{
    parser::Statement as Ast,
    sqlparser::ast::{CastKind, Expr, Statement as Sql, Value},
};

use super::walk::{self, Flow, ON, Walker};

/// How many values the statement takes.
pub(super) fn placeholders(tree: &mut Ast) -> usize {
    struct Names(BTreeSet<String>);
    impl Walker for Names {
        fn expr(&mut self, expr: &mut Expr) -> Flow {
            self.0.extend(placeholder(expr).map(str::to_owned));
            ON
        }
    }
    let mut names = Names(BTreeSet::new());
    if let Ast::Statement(sql) = tree {
        walk::walk(sql.as_mut(), &mut names);
    }
    names.0.len()
}

fn placeholder(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// The values that an EXECUTE gives.
pub(super) fn values(tree: &Ast) -> Vec<Expr> {
    let Ast::Statement(sql) = tree else { return Vec::new() };
    match sql.as_ref() {
        Sql::Execute { parameters, using, .. } => {
            parameters.iter().chain(using.iter().map(|value| &value.expr)).cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// The query that a PREPARE holds, with `values` in their places.
pub(super) fn with_values(tree: Ast, values: &[Expr]) -> Option<Ast> {
    let Ast::Statement(sql) = tree else { return None };
    let Sql::Prepare { data_types, mut statement, .. } = *sql else { return None };
    let values = values.iter().enumerate().map(|(at, value)| match data_types.get(at) {
        Some(data_type) => Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(value.clone()),
            data_type: data_type.clone(),
            array: false,
            format: None,
        },
        None => value.clone(),
    });
    walk::walk(statement.as_mut(), &mut Values(values.collect()));
    Some(Ast::Statement(statement))
}

/// `$1` is the first of the values.
struct Values(Vec<Expr>);

impl Walker for Values {
    fn expr(&mut self, expr: &mut Expr) -> Flow {
        let number = placeholder(expr).and_then(|name| name.strip_prefix('$')?.parse().ok());
        let value = number.and_then(|number: usize| self.0.get(number.checked_sub(1)?));
        if let Some(value) = value {
            *expr = value.clone();
        }
        ON
    }
}
