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
    let mut seen = Seen::default();
    walk::walk(query, &mut seen);
    let types = std::mem::take(&mut seen.types);
    let repeated: HashMap<String, Vec<String>> =
        types.into_iter().filter(|(_, types)| types.len() > 1).collect();
    if !repeated.is_empty() {
        walk::walk(query, &mut Named { repeated: &repeated, depth: 0, calls: 0 });
    }
}

/// The types that an expression is cast to within calls.
#[derive(Default)]
struct Seen {
    types: HashMap<String, Vec<String>>,
    depth: usize,
    calls: usize,
}

/// Counts queries and calls around an expression.
fn enter(expr: &Expr, calls: &mut usize) {
    if matches!(expr, Expr::Function(_)) {
        *calls += 1;
    }
}

impl Walker for Seen {
    fn query(&mut self, _: &mut Query) -> Flow {
        self.depth += 1;
        ON
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn expr(&mut self, expr: &mut Expr) -> Flow {
        enter(expr, &mut self.calls);
        if let Expr::Cast { expr, data_type, .. } = expr
            && self.depth == 1
            && self.calls > 0
        {
            let types = self.types.entry(expr.to_string().to_ascii_lowercase()).or_default();
            let name = data_type.to_string().to_ascii_lowercase();
            if !types.contains(&name) {
                types.push(name);
            }
        }
        ON
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        if matches!(expr, Expr::Function(_)) {
            self.calls = self.calls.saturating_sub(1);
        }
        ON
    }
}

struct Named<'a> {
    repeated: &'a HashMap<String, Vec<String>>,
    depth: usize,
    calls: usize,
}

impl Walker for Named<'_> {
    fn query(&mut self, _: &mut Query) -> Flow {
        self.depth += 1;
        ON
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn expr(&mut self, expr: &mut Expr) -> Flow {
        enter(expr, &mut self.calls);
        ON
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        if matches!(expr, Expr::Function(_)) {
            self.calls = self.calls.saturating_sub(1);
        }
        let name = match &*expr {
            Expr::Cast { expr, data_type, .. } if self.depth == 1 && self.calls > 0 => self
                .repeated
                .contains_key(&expr.to_string().to_ascii_lowercase())
                .then(|| data_type.to_string().to_ascii_lowercase()),
            _ => None,
        };
        if let Some(name) = name {
            let cast = std::mem::replace(expr, Expr::value(Value::Null));
            let name = Expr::value(Value::SingleQuotedString(name));
            *expr = make::call(named::NAME, vec![cast, name]);
        }
        ON
    }
}
