//! The FROM clause: which sources it has, what `*` gives over them, and which columns its joins
//! merge.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, ObjectName, SelectItem, SetExpr, TableAlias,
    TableFactor, TableWithJoins,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::{
    super::lenient,
    Fault, Rewriter, aliased, make, parts, quoted,
    scope::{Scope, Shape, Source, Star},
};

/// Which side's value a merged column has, and which side's columns `*` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inner,
    Right,
    Full,
    /// Only the left side's columns come out.
    LeftOnly,
    /// Only the right side's columns come out.
    RightOnly,
}

fn kind(operator: &JoinOperator) -> Kind {
    match operator {
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => Kind::Right,
        JoinOperator::FullOuter(_) => Kind::Full,
        JoinOperator::Semi(_)
        | JoinOperator::LeftSemi(_)
        | JoinOperator::Anti(_)
        | JoinOperator::LeftAnti(_) => Kind::LeftOnly,
        JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_) => Kind::RightOnly,
        _ => Kind::Inner,
    }
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

impl Rewriter<'_> {
    /// Fills the innermost scope from a FROM clause.
    pub(super) fn from(&mut self, from: &mut [TableWithJoins]) -> Result<(), Fault> {
        for table in from {
            let added = self.table_with_joins(table)?;
            self.add(added);
        }
        Ok(())
    }

    /// Adds what a table of the FROM clause brings to the innermost scope.
    fn add(&mut self, added: Scope) {
        if let Some(scope) = self.scopes.last_mut() {
            append(scope, added);
        }
    }

    fn table_with_joins(&mut self, table: &mut TableWithJoins) -> Result<Scope, Fault> {
        let mut left = self.factor(&mut table.relation)?;
        for join in &mut table.joins {
            let right = self.factor(&mut join.relation)?;
            left = merge(left, right, &mut join.join_operator);
        }
        Ok(left)
    }

    fn factor(&mut self, factor: &mut TableFactor) -> Result<Scope, Fault> {
        let source = match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                self.placeholder(name);
                let names = parts(name).unwrap_or_default();
                let shape = self.shape(&names);
                let path = match alias {
                    Some(alias) => vec![alias.name.clone()],
                    None => name.0.iter().filter_map(|p| p.as_ident().cloned()).collect(),
                };
                let renamed = alias.as_ref().filter(|alias| !alias.columns.is_empty()).cloned();
                if let (Some(alias), false) = (renamed, shape.hidden.is_empty()) {
                    // `t AS c(a, b)` names the columns of AWS's table, not all of ours.
                    let columns = aliased(shape.clone(), Some(&alias));
                    *factor = shown(name.clone(), &shape, alias);
                    Source { path, shape: Shape { hidden: [].into(), ..columns } }
                } else {
                    Source { path, shape: aliased(shape, alias.as_ref()) }
                }
            }
            TableFactor::Derived { subquery, alias, lateral, .. } => {
                // Without LATERAL a subquery does not see its neighbours.
                let hidden = (!*lateral).then(|| self.scopes.pop()).flatten();
                let shape = self.query(subquery);
                self.scopes.extend(hidden);
                let shape = aliased(shape?, alias.as_ref());
                if alias.is_none() && !shape.complete {
                    // `*` over it must be able to name it.
                    self.unnamed += 1;
                    *alias = Some(TableAlias {
                        explicit: true,
                        name: quoted(&format!("subquery_{}", self.unnamed), Span::empty()),
                        columns: Vec::new(),
                        at: None,
                    });
                }
                let path = alias.iter().map(|alias| alias.name.clone()).collect();
                Source { path, shape }
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let inner = self.table_with_joins(table_with_joins)?;
                let Some(alias) = alias else { return Ok(inner) };
                Source { path: vec![alias.name.clone()], shape: flat(&inner) }
            }
            TableFactor::UNNEST { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::TableFunction { alias, .. }
            | TableFactor::Table { alias, .. } => {
                let path = alias.iter().map(|alias| alias.name.clone()).collect();
                let shape = aliased(Shape::unknown(), alias.as_ref());
                let source = Source { path, shape };
                self.walk_all(Some(factor))?;
                source
            }
            _ => {
                self.walk_all(Some(factor))?;
                Source { path: Vec::new(), shape: Shape::unknown() }
            }
        };
        let mut scope = Scope::default();
        scope.push(source);
        Ok(scope)
    }

    /// Puts a table's name where `name` is none and only holds the place of one.
    fn placeholder(&mut self, name: &mut ObjectName) {
        let known = |rewriter: &Self, names: &[String]| {
            let is_cte = |name: &String| rewriter.ctes.iter().any(|(cte, _)| cte == name);
            matches!(names, [name] if is_cte(name)) || rewriter.shapes.shape(names).is_some()
        };
        let names = parts(name).unwrap_or_default();
        if known(self, &names) {
            return;
        }
        let Some(last) = name.0.last().and_then(|part| part.as_ident()) else { return };
        if let Some((table, taken)) = lenient::placeholder(last) {
            *name = ObjectName::from(vec![Ident { span: last.span, ..Ident::new(table) }]);
            self.taken.push(taken);
        }
    }

    /// The columns of the table or CTE that `names` name.
    fn shape(&self, names: &[String]) -> Shape {
        if let [name] = names
            && let Some((_, shape)) = self.ctes.iter().rev().find(|(cte, _)| cte == name)
        {
            return shape.clone();
        }
        match self.shapes.shape(names) {
            Some((columns, hidden)) => {
                Shape { columns, hidden: hidden.into_iter().collect(), complete: true }
            }
            None => Shape::unknown(),
        }
    }
}

/// Adds `added` behind `scope`.
fn append(scope: &mut Scope, added: Scope) {
    let offset = scope.sources.len();
    scope.sources.extend(added.sources);
    scope.merged.extend(added.merged);
    scope.reordered |= added.reordered;
    scope.star.extend(added.star.into_iter().map(|star| match star {
        Star::Column { source, name, merged } => {
            Star::Column { source: source + offset, name, merged }
        }
        Star::All { source, except } => Star::All { source: source + offset, except },
    }));
}

/// The scope of a join; `NATURAL` becomes `USING` of the columns that both sides show.
fn merge(mut left: Scope, mut right: Scope, operator: &mut JoinOperator) -> Scope {
    let kind = kind(operator);
    natural_to_using(&left, &right, operator);
    let merged: Vec<String> = match constraint(operator) {
        Some(JoinConstraint::Using(names)) => {
            names.iter().filter_map(|name| parts(name)?.pop()).collect()
        }
        _ => Vec::new(),
    };
    for name in &merged {
        let from_right = path_of(&right, name);
        let mut of_both = None;
        for star in &mut left.star {
            if let Star::Column { source, name: column, merged } = star
                && column == name
            {
                let left_path = left.sources.get(*source).map(|source| source.path.clone());
                *merged = value(kind, name, left_path, from_right.clone());
                of_both.clone_from(merged);
            }
        }
        left.merged.insert(name.clone(), of_both);
        right.star.retain_mut(|star| match star {
            Star::Column { name: column, .. } => column != name,
            Star::All { except, .. } => {
                except.push(name.clone());
                true
            }
        });
    }
    merged_first(&mut left, &merged);
    match kind {
        Kind::LeftOnly => left,
        Kind::RightOnly => right,
        _ => {
            append(&mut left, right);
            left
        }
    }
}

/// Puts the merged columns before all others.
fn merged_first(scope: &mut Scope, merged: &[String]) {
    let is = |star: &Star, name: &String| matches!(star, Star::Column { name: column, .. } if column == name);
    let mut first = Vec::with_capacity(scope.star.len());
    for name in merged {
        if let Some(at) = scope.star.iter().position(|star| is(star, name)) {
            scope.reordered |= at > 0;
            first.push(scope.star.remove(at));
        }
    }
    first.append(&mut scope.star);
    scope.star = first;
}

fn natural_to_using(left: &Scope, right: &Scope, operator: &mut JoinOperator) {
    let hides = left.has_hidden() || right.has_hidden();
    let shown = |scope: &Scope| -> Option<Vec<String>> {
        let names = scope.star.iter().map(|star| match star {
            Star::Column { name, .. } => Some(name.clone()),
            Star::All { .. } => None,
        });
        names.collect()
    };
    let Some(constraint) = constraint(operator) else { return };
    if *constraint != JoinConstraint::Natural || !hides {
        return;
    }
    let (Some(left), Some(right)) = (shown(left), shown(right)) else { return };
    let both: Vec<ObjectName> = left
        .iter()
        .filter(|name| right.contains(name))
        .map(|name| ObjectName::from(vec![quoted(name, Span::empty())]))
        .collect();
    if both.is_empty() {
        *operator = JoinOperator::CrossJoin(JoinConstraint::None);
    } else {
        *constraint = JoinConstraint::Using(both);
    }
}

/// The qualified name of the column `name` in `scope`.
fn path_of(scope: &Scope, name: &str) -> Option<Vec<Ident>> {
    let source = scope.sources.iter().find(|source| source.shape.has(name))?;
    Some(source.path.clone())
}

/// What a merged column is: the left side's value, unless rows may lack that.
fn value(
    kind: Kind,
    name: &str,
    left: Option<Vec<Ident>>,
    right: Option<Vec<Ident>>,
) -> Option<Expr> {
    let column = |path: Option<Vec<Ident>>| {
        let mut path = path.filter(|path| !path.is_empty())?;
        path.push(quoted(name, Span::empty()));
        Some(Expr::CompoundIdentifier(path))
    };
    match kind {
        Kind::Right => column(right),
        Kind::Full => Some(make::call("coalesce", vec![column(left)?, column(right)?])),
        _ => None,
    }
}

/// What a parenthesised join shows under one alias.
fn flat(scope: &Scope) -> Shape {
    let mut shape = Shape { complete: true, ..Shape::default() };
    for star in &scope.star {
        match star {
            Star::Column { name, .. } => shape.columns.push(name.clone()),
            Star::All { .. } => shape.complete = false,
        }
    }
    for source in &scope.sources {
        shape.hidden.extend(source.shape.hidden.iter().cloned());
    }
    shape.hidden.retain(|name| !shape.columns.contains(name));
    shape
}

/// `(SELECT the shown columns FROM name) AS alias`.
fn shown(name: ObjectName, shape: &Shape, alias: TableAlias) -> TableFactor {
    let mut select = make::everything_of(name);
    select.projection = shape
        .columns
        .iter()
        .map(|name| SelectItem::UnnamedExpr(Expr::Identifier(quoted(name, Span::empty()))))
        .collect();
    TableFactor::Derived {
        lateral: false,
        subquery: Box::new(make::query(SetExpr::Select(Box::new(select)))),
        alias: Some(alias),
        sample: None,
    }
}
