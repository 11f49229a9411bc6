//! `*` and `t.*`: the columns that AWS's table has.

use datafusion::sql::sqlparser::ast::{
    ExceptSelectItem, ExcludeSelectItem, Expr, Ident, ObjectName, SelectItem,
    SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::{
    Fault, lower, parts, quoted,
    scope::{Scope, Star},
};

/// Replaces the wildcards in `items` where DataFusion would give other columns: hidden ones, or
/// the left side's NULLs for what an outer join merges.
pub(super) fn expand(items: &mut Vec<SelectItem>, scope: &Scope) -> Result<(), Fault> {
    if !scope.differs() {
        return Ok(());
    }
    let mut expanded = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        match item {
            SelectItem::Wildcard(options) => {
                expand_star(&scope.star, options, scope, &mut expanded)?;
            }
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(name),
                options,
            ) => match source_named(scope, &name) {
                Some(star) => expand_star(&star, options, scope, &mut expanded)?,
                None => expanded.push(SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                )),
            },
            other => expanded.push(other),
        }
    }
    *items = expanded;
    Ok(())
}

/// The columns of the source that `name` names, where it hides some.
fn source_named(scope: &Scope, name: &ObjectName) -> Option<Vec<Star>> {
    let parts = parts(name)?;
    let (index, source) = scope
        .sources
        .iter()
        .enumerate()
        .find(|(_, source)| source.is_named(&parts) && !source.shape.hidden.is_empty())?;
    let columns = source.shape.columns.iter();
    Some(
        columns
            .map(|name| Star::Column { source: index, name: name.clone(), merged: None })
            .collect(),
    )
}

fn expand_star(
    star: &[Star],
    options: WildcardAdditionalOptions,
    scope: &Scope,
    out: &mut Vec<SelectItem>,
) -> Result<(), Fault> {
    let span = options.wildcard_token.0.span;
    let options = Options::new(options, span)?;
    for name in options.except.iter().chain(options.replace.iter().map(|(name, _)| name)) {
        let known = star.iter().any(|item| match item {
            Star::Column { name: column, .. } => *column == lower(name),
            Star::All { .. } => true,
        });
        if !known {
            return Err(Fault {
                message: format!("column `{}` is not among those of `*`", name.value),
                span: Some(name.span),
                help: None,
            });
        }
    }
    // One source: the plain name reads better in the answer's header and in EXPLAIN.
    let qualify = scope.sources.len() > 1;
    for item in star {
        match item {
            Star::Column { source, name, merged } => {
                if options.excludes(name) {
                    continue;
                }
                if let Some((alias, expr)) =
                    options.replace.iter().find(|(replaced, _)| lower(replaced) == *name)
                {
                    let (expr, alias) = (expr.clone(), alias.clone());
                    out.push(SelectItem::ExprWithAlias { expr, alias });
                    continue;
                }
                let column = quoted(name, span);
                if let Some(expr) = merged {
                    out.push(SelectItem::ExprWithAlias { expr: expr.clone(), alias: column });
                    continue;
                }
                let path = scope.sources.get(*source).map(|source| source.path.clone());
                out.push(SelectItem::UnnamedExpr(match path {
                    Some(mut path) if qualify && !path.is_empty() => {
                        path.push(column);
                        Expr::CompoundIdentifier(path)
                    }
                    _ => Expr::Identifier(column),
                }));
            }
            Star::All { source, except } => {
                let Some(source) = scope.sources.get(*source) else { continue };
                let except = except.iter().map(|name| quoted(name, span));
                let mut except: Vec<Ident> = except.chain(options.except.iter().cloned()).collect();
                except.dedup();
                out.push(all_of(&source.path, except));
            }
        }
    }
    Ok(())
}

/// What follows a `*`.
struct Options {
    except: Vec<Ident>,
    replace: Vec<(Ident, Expr)>,
}

impl Options {
    fn new(options: WildcardAdditionalOptions, span: Span) -> Result<Self, Fault> {
        let unsupported = |what: &str| Fault {
            message: format!("`* {what}` is not supported"),
            span: Some(span),
            help: Some("name the columns, or use `* EXCEPT (…)`".to_owned()),
        };
        if options.opt_ilike.is_some() {
            return Err(unsupported("ILIKE"));
        }
        if options.opt_rename.is_some() {
            return Err(unsupported("RENAME"));
        }
        if options.opt_alias.is_some() {
            return Err(unsupported("AS"));
        }
        let mut except = Vec::new();
        let last = |name: ObjectName| name.0.last().and_then(|part| part.as_ident().cloned());
        match options.opt_exclude {
            Some(ExcludeSelectItem::Single(name)) => except.extend(last(name)),
            Some(ExcludeSelectItem::Multiple(names)) => {
                except.extend(names.into_iter().filter_map(last));
            }
            None => {}
        }
        if let Some(names) = options.opt_except {
            except.push(names.first_element);
            except.extend(names.additional_elements);
        }
        let replace = options.opt_replace.into_iter().flat_map(|replace| replace.items);
        let replace = replace.map(|item| (item.column_name, item.expr)).collect();
        Ok(Self { except, replace })
    }

    fn excludes(&self, name: &str) -> bool {
        self.except.iter().any(|except| lower(except) == name)
    }
}

/// `path.* EXCEPT (except)`.
fn all_of(path: &[Ident], except: Vec<Ident>) -> SelectItem {
    let mut except = except.into_iter();
    let opt_except = except.next().map(|first_element| ExceptSelectItem {
        first_element,
        additional_elements: except.collect(),
    });
    SelectItem::QualifiedWildcard(
        SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(path.to_vec())),
        WildcardAdditionalOptions { opt_except, ..WildcardAdditionalOptions::default() },
    )
}

/// The names that `items` give their columns, and whether they are all of them.
pub(super) fn output(items: &[SelectItem]) -> (Vec<String>, bool) {
    let mut complete = true;
    let mut names = Vec::with_capacity(items.len());
    for item in items {
        match item {
            SelectItem::ExprWithAlias { alias, .. } => names.push(lower(alias)),
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => names.push(lower(name)),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => {
                names.extend(path.last().map(lower));
            }
            // A wildcard over what is not known, or an expression that DataFusion names.
            _ => complete = false,
        }
    }
    (names, complete)
}
