//! Columns of one name: `SELECT resources[1].arn, resources[2].arn`. DataFusion wants each name once;
//! the answer shows what the user wrote.

use std::collections::{HashMap, HashSet};

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, OrderBy, OrderByKind, Query, SelectItem, SetExpr, Statement as Sql,
};

use super::{Fault, Spelling, lower, quoted, wildcard};

/// Gives the columns of the statement's answer a name each, and `spelling` what they are shown as.
pub(super) fn tell_apart(statement: &mut Sql, spelling: &mut Spelling) -> Result<(), Fault> {
    match statement {
        Sql::Query(query) => of_query(query, spelling),
        Sql::Explain { statement, .. } => tell_apart(statement, spelling),
        _ => Ok(()),
    }
}

fn of_query(query: &mut Query, spelling: &mut Spelling) -> Result<(), Fault> {
    let Query { body, order_by, .. } = query;
    let repeated = of_body(body, spelling)?;
    match order_by {
        Some(order_by) => told_once(order_by, &repeated),
        None => Ok(()),
    }
}

/// The names that columns of different values have.
fn of_body(body: &mut SetExpr, spelling: &mut Spelling) -> Result<HashSet<String>, Fault> {
    match body {
        SetExpr::Select(select) => Ok(of_items(&mut select.projection, spelling)),
        SetExpr::Query(query) => of_query(query, spelling).map(|()| HashSet::new()),
        SetExpr::SetOperation { left, right, .. } => {
            let repeated = of_body(left, spelling)?;
            // The names of the other side are never seen.
            of_body(right, &mut Spelling::new())?;
            Ok(repeated)
        }
        _ => Ok(HashSet::new()),
    }
}

fn of_items(items: &mut [SelectItem], spelling: &mut Spelling) -> HashSet<String> {
    let (mut seen, mut repeated) = (HashMap::new(), HashSet::new());
    for item in items {
        let (names, _) = wildcard::output(std::slice::from_ref(item));
        let [name] = names.as_slice() else { continue };
        let value = value(item);
        let Some(first) = seen.get(name) else {
            seen.insert(name.clone(), value);
            continue;
        };
        if *first != value {
            repeated.insert(name.clone());
        }
        let (expr, shown) = match item {
            SelectItem::ExprWithAlias { expr, alias } => (expr, alias.clone()),
            SelectItem::UnnamedExpr(expr) => {
                let shown = last_name(expr).unwrap_or_else(|| Ident::new(name.clone()));
                (expr, shown)
            }
            _ => continue,
        };
        // No name that a user writes has a space and dollar signs at its end.
        let mut own = format!("{name} $2");
        while seen.contains_key(&own) {
            own.push('$');
        }
        seen.insert(own.clone(), None);
        let spelled = spelling.get(name).cloned().unwrap_or_else(|| name.clone());
        spelling.insert(own.clone(), spelled);
        let expr = std::mem::replace(expr, Expr::Identifier(shown.clone()));
        *item = SelectItem::ExprWithAlias { expr, alias: quoted(&own, shown.span) };
    }
    repeated
}

/// What a column is, however it is spelled.
fn value(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { expr, .. } | SelectItem::UnnamedExpr(expr) => {
            Some(expr.to_string().to_ascii_lowercase())
        }
        _ => None,
    }
}

fn last_name(expr: &Expr) -> Option<Ident> {
    match expr {
        Expr::Identifier(name) => Some(name.clone()),
        Expr::CompoundIdentifier(path) => path.last().cloned(),
        _ => None,
    }
}

/// ORDER BY may not name what several columns are named.
fn told_once(order_by: &OrderBy, repeated: &HashSet<String>) -> Result<(), Fault> {
    let OrderByKind::Expressions(orders) = &order_by.kind else { return Ok(()) };
    for order in orders {
        if let Expr::Identifier(name) = &order.expr
            && repeated.contains(&lower(name))
        {
            return Err(Fault {
                message: format!("several columns of the answer are named `{}`", name.value),
                span: Some(name.span),
                help: Some(
                    "name one of them with AS, or order by its place: ORDER BY 1".to_owned(),
                ),
            });
        }
    }
    Ok(())
}
