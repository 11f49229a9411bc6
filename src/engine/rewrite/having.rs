//! HAVING that names a SELECT alias, which Athena refuses: it is planned before SELECT.

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query};

use super::{
    super::{
        lenient::{Kind, Place, Taken},
        walk::{self, Flow, ON, Walker},
    },
    lower,
    scope::Scope,
};

/// The names in `having` that are no columns of the FROM clause but `aliases` of the SELECT list.
pub(super) fn aliases_named(
    having: &mut Expr,
    aliases: &[(String, Expr)],
    scope: &Scope,
) -> Vec<Taken> {
    // Columns that are not known may have the name.
    if scope.sources.iter().any(|source| !source.shape.complete && source.shape.columns.is_empty())
    {
        return Vec::new();
    }
    let mut names = Names { found: Vec::new(), depth: 0 };
    walk::walk(having, &mut names);
    let taken = names.found.into_iter().filter_map(|name| {
        let (_, meant) = aliases.iter().find(|(alias, _)| *alias == lower(&name))?;
        let is_column = scope.shows(&lower(&name))
            || matches!(meant, Expr::Identifier(column) if lower(column) == lower(&name));
        (!is_column).then(|| alias_named(&name, meant))
    });
    taken.collect()
}

fn alias_named(name: &Ident, meant: &Expr) -> Taken {
    let text = meant.to_string();
    // What rewriting has made of it is nothing that Athena takes.
    let strict = if text.contains('$') || text.len() > 80 {
        format!("what `{}` stands for in its place", name.value)
    } else {
        format!("`{text}` in its place")
    };
    Taken {
        kind: Kind::Having,
        place: Place::Tree(name.span),
        written: format!("`{}` in HAVING", name.value),
        meant: "the alias of the SELECT list".to_owned(),
        strict,
        fault: format!("HAVING does not see the alias `{}`", name.value),
    }
}

struct Names {
    found: Vec<Ident>,
    depth: usize,
}

impl Walker for Names {
    fn query(&mut self, _: &mut Query) -> Flow {
        self.depth += 1;
        ON
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn expr(&mut self, expr: &mut Expr) -> Flow {
        if let (0, Expr::Identifier(name)) = (self.depth, &*expr) {
            self.found.push(name.clone());
        }
        ON
    }
}
