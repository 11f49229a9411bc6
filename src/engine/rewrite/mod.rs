//! What is changed on the syntax tree before it is planned, so that SQL written for Athena
//! resolves here.
//!
//! * Names are case-insensitive, quoted or not ([`casing`]).
//! * `*` and `t.*` give the columns that AWS's table has, although ours have more ([`wildcard`]):
//!   DataFusion has no hidden columns.
//! * A hidden column never gets in the way of a name that the statement itself introduces: an
//!   alias in `GROUP BY` and `HAVING`, a column of a CTE or subquery beside it ([`scope`]).
//! * A struct's member is named after itself (`useridentity.arn` gives `arn`), as in Athena.
//! * Columns of the answer can share a name ([`repeated`]).
//! * What Trino spells otherwise than DataFusion is translated ([`trino`]).
//!
//! The user's text is never touched.

mod calls;
mod casing;
mod casts;
mod distinct;
mod elements;
mod exists;
mod from;
mod having;
mod interval;
mod make;
mod repeated;
mod scope;
mod select;
#[cfg(test)]
mod tests;
mod trino;
mod unnest;
mod wildcard;

use std::collections::HashMap;

use datafusion::sql::{
    parser::Statement as Ast,
    sqlparser::ast::{
        Expr, Ident, ObjectName, Query, SetExpr, Statement as Sql, TableAlias, VisitMut,
    },
    sqlparser::tokenizer::Span,
};

use self::scope::{Scope, Shape};
use super::{
    lenient::Taken,
    walk::{self, Flow, ON, STOP, Walker},
};

/// What the rewriter must know of the tables.
pub(super) trait Shapes {
    /// The columns of the table that `parts` (lower case) name: visible ones and hidden ones.
    fn shape(&self, parts: &[String]) -> Option<(Vec<String>, Vec<String>)>;
}

/// A fault in the statement that only this module sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) span: Option<Span>,
    pub(super) help: Option<String>,
}

/// How the answer's columns are spelled: by lower-case name, as the user wrote their aliases.
pub(super) type Spelling = HashMap<String, String>;

/// What rewriting found out about a statement.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub(super) spelling: Spelling,
    /// What Athena would refuse.
    pub(super) taken: Vec<Taken>,
}

/// Rewrites `statement` in place.
pub(super) fn rewrite(statement: &mut Ast, shapes: &dyn Shapes) -> Result<Rewritten, Fault> {
    match statement {
        Ast::Statement(sql) => {
            trino::translate(sql)?;
            let mut spelling = casing::lower(sql);
            let mut rewriter = Rewriter {
                shapes,
                ctes: Vec::new(),
                scopes: Vec::new(),
                unnamed: 0,
                taken: Vec::new(),
            };
            rewriter.statement(sql)?;
            repeated::tell_apart(sql, &mut spelling)?;
            Ok(Rewritten { spelling, taken: rewriter.taken })
        }
        Ast::Explain(explain) => rewrite(&mut explain.statement, shapes),
        _ => Ok(Rewritten::default()),
    }
}

/// An identifier's name: what quotes do not keep apart here.
fn lower(ident: &Ident) -> String {
    ident.value.to_ascii_lowercase()
}

/// The parts of a table's name, lower case; nothing where a part is no identifier.
fn parts(name: &ObjectName) -> Option<Vec<String>> {
    name.0.iter().map(|part| part.as_ident().map(lower)).collect()
}

/// An identifier that names `name` exactly.
fn quoted(name: &str, span: Span) -> Ident {
    Ident { value: name.to_owned(), quote_style: Some('"'), span }
}

struct Rewriter<'a> {
    shapes: &'a dyn Shapes,
    /// The CTEs in scope, innermost last.
    ctes: Vec<(String, Shape)>,
    /// The FROM clauses in scope, innermost last.
    scopes: Vec<Scope>,
    /// Subqueries that were given a name.
    unnamed: usize,
    /// What Athena would refuse.
    taken: Vec<Taken>,
}

impl Rewriter<'_> {
    fn statement(&mut self, statement: &mut Sql) -> Result<(), Fault> {
        match statement {
            Sql::Query(query) => self.query(query).map(drop),
            Sql::CreateView(view) => self.query(&mut view.query).map(drop),
            Sql::Explain { statement, .. } | Sql::Prepare { statement, .. } => {
                self.statement(statement)
            }
            _ => Ok(()),
        }
    }

    /// Rewrites a query and gives the columns it yields.
    fn query(&mut self, query: &mut Query) -> Result<Shape, Fault> {
        let ctes = self.ctes.len();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let name = lower(&cte.alias.name);
                if with.recursive {
                    let shape = aliased(Shape::unknown(), Some(&cte.alias));
                    self.ctes.push((name.clone(), shape));
                }
                let shape = self.query(&mut cte.query)?;
                if with.recursive {
                    self.ctes.pop();
                }
                self.ctes.push((name, aliased(shape, Some(&cte.alias))));
            }
        }
        let order_by = query.order_by.as_mut();
        let shape = match query.body.as_mut() {
            SetExpr::Select(select) => self.select(select, order_by)?,
            body => {
                let shape = self.set_expr(body)?;
                self.walk_all(order_by)?;
                shape
            }
        };
        self.walk_all(query.limit_clause.as_mut())?;
        self.ctes.truncate(ctes);
        Ok(shape)
    }

    fn set_expr(&mut self, body: &mut SetExpr) -> Result<Shape, Fault> {
        match body {
            SetExpr::Select(select) => self.select(select, None),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                let shape = self.set_expr(left)?;
                self.set_expr(right)?;
                Ok(shape)
            }
            SetExpr::Values(values) => {
                self.walk_all(Some(values))?;
                Ok(Shape::unknown())
            }
            SetExpr::Table(table) => {
                let parts: Vec<Ident> = table
                    .schema_name
                    .iter()
                    .chain(&table.table_name)
                    .map(|name| Ident::new(name.clone()))
                    .collect();
                let mut select = make::everything_of(ObjectName::from(parts));
                let shape = self.select(&mut select, None)?;
                *body = SetExpr::Select(Box::new(select));
                Ok(shape)
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Ok(Shape::unknown())
            }
        }
    }

    /// Resolves the names in `node`, and rewrites the queries in it.
    fn walk_all<N: VisitMut>(&mut self, node: Option<&mut N>) -> Result<(), Fault> {
        self.walk(node, &[])
    }

    /// The same, leaving alone the names in `bound`.
    fn walk<N: VisitMut>(&mut self, node: Option<&mut N>, bound: &[String]) -> Result<(), Fault> {
        let Some(node) = node else { return Ok(()) };
        let mut names = Names { rewriter: self, depth: 0, bound: bound.to_vec(), fault: None };
        walk::walk(node, &mut names);
        names.fault.map_or(Ok(()), Err)
    }
}

/// The shape under an alias, which may rename the columns.
fn aliased(mut shape: Shape, alias: Option<&TableAlias>) -> Shape {
    if let Some(alias) = alias
        && !alias.columns.is_empty()
    {
        let named: Vec<String> = alias.columns.iter().map(|column| lower(&column.name)).collect();
        // Where the columns were not known they are now: all of them must be named.
        shape.complete |= shape.columns.is_empty();
        let rest = shape.columns.iter().skip(named.len()).cloned();
        shape.columns = named.into_iter().chain(rest).collect();
    }
    shape
}

/// Walks expressions of one FROM clause; queries inside are rewritten as a whole.
struct Names<'r, 'a> {
    rewriter: &'r mut Rewriter<'a>,
    /// How many queries deep: what is inside them has been rewritten already.
    depth: usize,
    /// Names that are no columns: aliases that win, parameters of lambdas.
    bound: Vec<String>,
    fault: Option<Fault>,
}

impl Walker for Names<'_, '_> {
    fn query(&mut self, query: &mut Query) -> Flow {
        self.depth += 1;
        if self.depth > 1 {
            return ON;
        }
        match self.rewriter.query(query) {
            Ok(_) => ON,
            Err(fault) => {
                self.fault = Some(fault);
                STOP
            }
        }
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn expr(&mut self, expr: &mut Expr) -> Flow {
        if self.depth == 0 {
            match expr {
                Expr::Lambda(lambda) => {
                    self.bound.extend(lambda.params.iter().map(|param| lower(&param.name)));
                }
                Expr::Identifier(name) if !self.bound.contains(&lower(name)) => {
                    let own = self.rewriter.scopes.last();
                    if let Some(value) = own.and_then(|scope| scope.merged_value(&lower(name))) {
                        *expr = value.clone();
                    } else if let Some(mut path) = scope::qualifier(&self.rewriter.scopes, name) {
                        path.push(name.clone());
                        *expr = Expr::CompoundIdentifier(path);
                    }
                }
                Expr::CompoundIdentifier(path) => {
                    if let Some(first) = path.first()
                        && !self.bound.contains(&lower(first))
                        && !scope::is_source(&self.rewriter.scopes, first)
                        && let Some(mut whole) = scope::qualifier(&self.rewriter.scopes, first)
                    {
                        whole.append(path);
                        *path = whole;
                    }
                    if let Some(access) = scope::outer_member(&self.rewriter.scopes, path) {
                        *expr = access;
                    }
                }
                _ => {}
            }
        }
        ON
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        if let (0, Expr::Lambda(lambda)) = (self.depth, expr) {
            let params = lambda.params.iter().count();
            self.bound.truncate(self.bound.len().saturating_sub(params));
        }
        ON
    }
}
