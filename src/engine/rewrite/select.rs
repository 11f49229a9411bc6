//! One SELECT: its FROM clause gives the scope, then the names in its clauses are resolved.

use std::collections::HashMap;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Ident, OrderBy, OrderByKind, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, VisitMut, WildcardAdditionalOptions,
};

use super::{
    super::walk::{self, Flow, ON, Walker},
    Fault, Rewriter, having, lower, quoted,
    scope::{Scope, Shape, Star, is_source},
    wildcard,
};

impl Rewriter<'_> {
    /// Rewrites a SELECT and the ORDER BY of its query; gives the columns it yields.
    pub(super) fn select(
        &mut self,
        select: &mut Select,
        order_by: Option<&mut OrderBy>,
    ) -> Result<Shape, Fault> {
        let before = self.scopes.len();
        self.scopes.push(Scope::default());
        self.from(&mut select.from)?;
        let shape = self.clauses(select, order_by);
        self.scopes.truncate(before);
        shape
    }

    fn clauses(
        &mut self,
        select: &mut Select,
        order_by: Option<&mut OrderBy>,
    ) -> Result<Shape, Fault> {
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            select.flavor = SelectFlavor::Standard;
            select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
        let scope = self.scopes.last().cloned().unwrap_or_default();
        wildcard::expand(&mut select.projection, &scope)?;
        name_merged(&mut select.projection, &scope);
        self.walk_all(Some(&mut select.projection))?;
        // Aliases that the user wrote; those added below must not win over anything.
        let aliases = aliases(&select.projection);
        let named = name_members(&mut select.projection, &self.scopes);

        for table in &mut select.from {
            for join in &mut table.joins {
                self.walk_all(Some(&mut join.join_operator))?;
            }
        }
        self.walk_all(select.selection.as_mut())?;
        self.walk_all(select.prewhere.as_mut())?;

        // An alias of a hidden column's name is meant where SQL allows aliases at all.
        let winners: HashMap<String, Expr> =
            aliases.iter().filter(|(name, _)| scope.hides(name)).cloned().collect();
        if let Some(having) = &mut select.having {
            self.taken.extend(having::aliases_named(having, &aliases, &scope));
        }
        let grouping = (&mut select.group_by, &mut select.having, &mut select.qualify);
        let (group_by, having, qualify) = grouping;
        self.walk_aliased(Some(group_by), &winners)?;
        self.walk_aliased(having.as_mut(), &winners)?;
        self.walk_aliased(qualify.as_mut(), &winners)?;

        self.walk_all(Some(&mut select.named_window))?;
        self.walk_all(Some(&mut select.sort_by))?;
        let names: Vec<String> = aliases.into_iter().map(|(name, _)| name).collect();
        if let Some(Distinct::On(on)) = &mut select.distinct {
            self.walk(Some(on), &names)?;
        }
        if let Some(order_by) = order_by {
            if select.distinct.is_some() {
                order_by_names(order_by, &named);
            }
            self.walk(Some(order_by), &names)?;
        }
        Ok(yielded(&select.projection, &scope))
    }

    /// Resolves the names in `node`, where `winners` are meant before any hidden column.
    fn walk_aliased<N: VisitMut>(
        &mut self,
        node: Option<&mut N>,
        winners: &HashMap<String, Expr>,
    ) -> Result<(), Fault> {
        let Some(node) = node else { return Ok(()) };
        let bound: Vec<String> = winners.keys().cloned().collect();
        self.walk(Some(node), &bound)?;
        if !winners.is_empty() {
            walk::walk(node, &mut Substitute { winners, depth: 0 });
        }
        Ok(())
    }
}

/// The aliases of a projection with what they stand for.
fn aliases(items: &[SelectItem]) -> Vec<(String, Expr)> {
    items
        .iter()
        .filter_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } => Some((lower(alias), expr.clone())),
            _ => None,
        })
        .collect()
}

/// Puts what an alias stands for in the alias's place.
struct Substitute<'a> {
    winners: &'a HashMap<String, Expr>,
    depth: usize,
}

impl Walker for Substitute<'_> {
    fn query(&mut self, _: &mut Query) -> Flow {
        self.depth += 1;
        ON
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        if let (0, Expr::Identifier(name)) = (self.depth, &*expr)
            && let Some(meant) = self.winners.get(&lower(name))
        {
            *expr = Expr::Nested(Box::new(meant.clone()));
        }
        ON
    }
}

/// Keeps the names of columns whose value a join merges from both sides.
fn name_merged(items: &mut [SelectItem], scope: &Scope) {
    for item in items {
        if let SelectItem::UnnamedExpr(Expr::Identifier(name)) = item
            && scope.merged_value(&lower(name)).is_some()
        {
            let (expr, alias) = (Expr::Identifier(name.clone()), name.clone());
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
    }
}

/// After DISTINCT only what is selected can be sorted by: its name is put in its place.
fn order_by_names(order_by: &mut OrderBy, named: &[(Expr, Ident)]) {
    let OrderByKind::Expressions(orders) = &mut order_by.kind else { return };
    for order in orders {
        let text = order.expr.to_string().to_ascii_lowercase();
        let name = named.iter().find(|(expr, _)| expr.to_string().to_ascii_lowercase() == text);
        if let Some((_, name)) = name {
            order.expr = Expr::Identifier(name.clone());
        }
    }
}

/// Names a struct's member after itself, where no other column has that name; gives the members
/// named.
fn name_members(items: &mut [SelectItem], scopes: &[Scope]) -> Vec<(Expr, Ident)> {
    let mut named: Vec<(Expr, Ident)> = Vec::new();
    let is_plain = |item: &&SelectItem| match item {
        SelectItem::UnnamedExpr(expr) => member(expr, scopes).is_none(),
        _ => true,
    };
    let plain: Vec<SelectItem> = items.iter().filter(is_plain).cloned().collect();
    let (taken, _) = wildcard::output(&plain);
    for item in items {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        let Some(member) = member(expr, scopes) else { continue };
        let name = lower(&member);
        if taken.contains(&name) || named.iter().any(|(_, other)| other.value == name) {
            continue;
        }
        let alias = quoted(&name, member.span);
        named.push((expr.clone(), alias.clone()));
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
    }
    named
}

/// The last name of an expression that reads a struct's member.
fn member(expr: &Expr, scopes: &[Scope]) -> Option<Ident> {
    match expr {
        Expr::CompoundIdentifier(path) => {
            let (first, last) = (path.first()?, path.last()?);
            // `t.column` and `db.t.column` are columns; longer paths go on into them.
            let of_source = longest_source(scopes, path);
            let is_member = if of_source == 0 {
                !is_source(scopes, first) && path.len() > 1
            } else {
                path.len() > of_source + 1
            };
            is_member.then(|| last.clone())
        }
        // Of `resources[1].arn` Trino takes no name.
        _ => None,
    }
}

/// How many leading parts of `path` name a source.
fn longest_source(scopes: &[Scope], path: &[Ident]) -> usize {
    let names: Vec<String> = path.iter().map(lower).collect();
    (1..path.len())
        .rev()
        .find(|length| {
            let parts = names.get(..*length).unwrap_or_default();
            scopes.iter().flat_map(|scope| &scope.sources).any(|source| source.is_named(parts))
        })
        .unwrap_or(0)
}

/// The columns that `items` yield.
fn yielded(items: &[SelectItem], scope: &Scope) -> Shape {
    let mut shape = Shape { complete: true, ..Shape::default() };
    for item in items {
        match item {
            SelectItem::Wildcard(options) if is_plain(options) => {
                for star in &scope.star {
                    match star {
                        Star::Column { name, .. } => shape.columns.push(name.clone()),
                        Star::All { .. } => shape.complete = false,
                    }
                }
            }
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(name),
                options,
            ) if is_plain(options) => {
                let parts = super::parts(name).unwrap_or_default();
                match scope.sources.iter().find(|source| source.is_named(&parts)) {
                    Some(source) if source.shape.complete => {
                        shape.columns.extend(source.shape.columns.iter().cloned());
                    }
                    _ => shape.complete = false,
                }
            }
            item => {
                let (names, complete) = wildcard::output(std::slice::from_ref(item));
                shape.columns.extend(names);
                shape.complete &= complete;
            }
        }
    }
    shape
}

fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    options.opt_except.is_none()
        && options.opt_exclude.is_none()
        && options.opt_ilike.is_none()
        && options.opt_rename.is_none()
}
