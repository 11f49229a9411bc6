//! Which names a FROM clause brings into scope, and who is meant by one.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::sql::sqlparser::ast::{Expr, Ident};

use super::{lower, make};

/// The columns of a table or query.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// The columns that `*` gives, as far as they are known.
    pub(super) columns: Vec<String>,
    /// The columns that can be named but `*` leaves out.
    pub(super) hidden: BTreeSet<String>,
    /// Whether `columns` are all there are, and every one can be named.
    pub(super) complete: bool,
}

impl Shape {
    pub(super) fn unknown() -> Self {
        Self::default()
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known == column)
    }
}

/// One table or query in a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// How its columns are qualified: the alias, else the table's name.
    pub(super) path: Vec<Ident>,
    pub(super) shape: Shape,
}

impl Source {
    /// Whether `parts` name it: the whole path or the end of it.
    pub(super) fn is_named(&self, parts: &[String]) -> bool {
        let path: Vec<String> = self.path.iter().map(lower).collect();
        !parts.is_empty() && path.ends_with(parts)
    }
}

/// One column of `*`, or all of a source's.
#[expect(clippy::large_enum_variant, reason = "a statement has a few dozen of them")]
#[derive(Debug, Clone)]
pub(super) enum Star {
    /// A column by name; an expression where a join merges it from both sides.
    Column { source: usize, name: String, merged: Option<Expr> },
    /// All columns of a source whose columns are not known, but these.
    All { source: usize, except: Vec<String> },
}

/// A FROM clause.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) sources: Vec<Source>,
    /// What `*` gives, in order.
    pub(super) star: Vec<Star>,
    /// Columns that joins merge: naming one of them is not ambiguous. Where rows may lack the
    /// left side's value, with what their value is.
    pub(super) merged: BTreeMap<String, Option<Expr>>,
    /// Whether merged columns stand before others that DataFusion would give first.
    pub(super) reordered: bool,
}

impl Scope {
    /// Adds a source, and its columns to `*`.
    pub(super) fn push(&mut self, source: Source) {
        let index = self.sources.len();
        if source.shape.complete {
            self.star.extend(source.shape.columns.iter().map(|name| Star::Column {
                source: index,
                name: name.clone(),
                merged: None,
            }));
        } else {
            self.star.push(Star::All { source: index, except: Vec::new() });
        }
        self.sources.push(source);
    }

    /// Whether any source has columns that `*` leaves out.
    pub(super) fn has_hidden(&self) -> bool {
        self.sources.iter().any(|source| !source.shape.hidden.is_empty())
    }

    /// Whether `*` gives something else than DataFusion would.
    pub(super) fn differs(&self) -> bool {
        self.has_hidden() || self.reordered || self.merged.values().any(Option::is_some)
    }

    /// What the unqualified name `column` stands for, where a join merges it.
    pub(super) fn merged_value(&self, column: &str) -> Option<&Expr> {
        self.merged.get(column)?.as_ref()
    }

    /// Whether `column` is one that a source shows.
    pub(super) fn shows(&self, column: &str) -> bool {
        self.sources.iter().any(|source| source.shape.has(column))
    }

    /// Whether `column` is one that some source hides and none shows.
    pub(super) fn hides(&self, column: &str) -> bool {
        !self.shows(column)
            && self.sources.iter().any(|source| source.shape.hidden.contains(column))
    }

    /// The sources that show `column`.
    fn showing(&self, column: &str) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(move |source| source.shape.has(column))
    }
}

/// Whether `name` is a source in one of `scopes`.
pub(super) fn is_source(scopes: &[Scope], name: &Ident) -> bool {
    let parts = [lower(name)];
    scopes.iter().flat_map(|scope| &scope.sources).any(|source| {
        source.is_named(&parts)
            || source.path.first().is_some_and(|first| lower(first) == lower(name))
    })
}

/// What must stand before the column `name` so that a hidden column of the same name is not taken
/// for it; nothing where the name needs no help.
///
/// Without hidden columns an unqualified name means the one source that has it, else a column of
/// the query outside. It still does.
pub(super) fn qualifier(scopes: &[Scope], name: &Ident) -> Option<Vec<Ident>> {
    let column = lower(name);
    let (own, outer) = scopes.split_last()?;
    if !own.sources.iter().any(|source| source.shape.hidden.contains(&column)) {
        return None;
    }
    if own.merged.contains_key(&column) {
        return None;
    }
    let mut showing = own.showing(&column);
    match (showing.next(), showing.next()) {
        (Some(source), None) => return path(source),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    if own.sources.iter().any(|source| !source.shape.complete) {
        return None;
    }
    for scope in outer.iter().rev() {
        let mut showing = scope.showing(&column);
        if let (Some(source), None) = (showing.next(), showing.next()) {
            return path(source);
        }
    }
    None
}

/// `a.useridentity.arn` where `a` is of a query outside: the planner finds columns there, and no
/// members. Nothing for any other `path`.
pub(super) fn outer_member(scopes: &[Scope], path: &[Ident]) -> Option<Expr> {
    let (own, outer) = scopes.split_last()?;
    let ([source, column], members) = (path.first_chunk::<2>()?, path.get(2..)?);
    let name = [lower(source)];
    let is_outer = !members.is_empty()
        && !own.sources.iter().any(|known| known.is_named(&name))
        && !own.shows(&lower(source))
        && outer.iter().flat_map(|scope| &scope.sources).any(|known| known.is_named(&name));
    is_outer.then(|| Expr::CompoundFieldAccess {
        root: Box::new(Expr::CompoundIdentifier(vec![source.clone(), column.clone()])),
        access_chain: members.iter().map(|member| make::member(&lower(member))).collect(),
    })
}

fn path(source: &Source) -> Option<Vec<Ident>> {
    (!source.path.is_empty()).then(|| source.path.clone())
}
