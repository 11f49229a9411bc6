//! `sum(CAST(x AS integer)), sum(CAST(x AS bigint))`: DataFusion's names leave casts out, so that two
//! calls over different casts of one thing would be one column. Such casts are named by their type.

use std::collections::HashMap;

use datafusion::sql::sqlparser::ast::{Expr, Query, Value};

use super::{
    super::{
        named,
        walk::{self, Flow, ON, Walker},
    },
    make,
};

/// Names the casts in `query` that could be taken for one another; not those in queries within.
pub(super) fn name(query: &mut Query) {
    let mut types: HashMap<String, Vec<String>> = HashMap::new();
    walk::walk(
        query,
        &mut Casts::new(&mut |expr| {
            if let Some((cast, name)) = parts(expr) {
                let known = types.entry(cast).or_default();
                if !known.contains(&name) {
                    known.push(name);
                }
            }
        }),
    );
    types.retain(|_, types| types.len() > 1);
    if types.is_empty() {
        return;
    }
    walk::walk(
        query,
        &mut Casts::new(&mut |expr| {
            if let Some((_, name)) = parts(expr).filter(|(cast, _)| types.contains_key(cast)) {
                let cast = std::mem::replace(expr, Expr::value(Value::Null));
                let name = Expr::value(Value::SingleQuotedString(name));
                *expr = make::call(named::NAME, vec![cast, name]);
            }
        }),
    );
}

/// What is cast, and to what type, where `expr` is a cast.
fn parts(expr: &Expr) -> Option<(String, String)> {
    let Expr::Cast { expr, data_type, .. } = expr else { return None };
    Some((expr.to_string().to_ascii_lowercase(), data_type.to_string().to_ascii_lowercase()))
}

/// Visits the expressions within calls, innermost first.
struct Casts<'a> {
    visit: &'a mut dyn FnMut(&mut Expr),
    /// The queries and the calls around.
    depth: usize,
    calls: usize,
}

impl<'a> Casts<'a> {
    fn new(visit: &'a mut dyn FnMut(&mut Expr)) -> Self {
        Self { visit, depth: 0, calls: 0 }
    }
}

impl Walker for Casts<'_> {
    fn query(&mut self, _: &mut Query) -> Flow {
        self.depth += 1;
        ON
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn expr(&mut self, expr: &mut Expr) -> Flow {
        if matches!(expr, Expr::Function(_)) {
            self.calls += 1;
        }
        ON
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        if matches!(expr, Expr::Function(_)) {
            self.calls = self.calls.saturating_sub(1);
        } else if self.depth == 1 && self.calls > 0 {
            (self.visit)(expr);
        }
        ON
    }
}
