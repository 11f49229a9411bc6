//! `UNNEST(a, b) WITH ORDINALITY AS x(p, q, n)` as a lateral subquery over one list of rows:
//! `LATERAL (SELECT u['c0'] AS p, u['c1'] AS q, u['c2'] AS n FROM UNNEST("$unnest"(3, true, a, b)) AS
//! "$u"(u)) AS x`. Row types are spread there, where types are known: see `engine::unnest`.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, ObjectName, SelectItem, SetExpr, Subscript, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins, Value,
};

use super::{super::unnest, make};

/// Rewrites `factor` where it is an UNNEST.
pub(super) fn lateral(factor: &mut TableFactor) {
    let TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } =
        factor
    else {
        return;
    };
    if let [Expr::Function(call)] = array_exprs.as_slice()
        && call
            .name
            .0
            .iter()
            .any(|part| part.as_ident().is_some_and(|name| name.value == unnest::NAME))
    {
        return;
    }
    let names: Vec<Ident> =
        alias.iter().flat_map(|alias| &alias.columns).map(|c| c.name.clone()).collect();
    let mut args = vec![
        Expr::value(Value::Number(names.len().to_string(), false)),
        Expr::value(Value::Boolean(*with_ordinality)),
    ];
    args.append(array_exprs);
    let list = make::call(unnest::NAME, args);
    let (table, column) = (Ident::with_quote('"', "$u"), Ident::with_quote('"', "u"));
    let inner = TableFactor::UNNEST {
        alias: Some(TableAlias {
            explicit: true,
            name: table,
            columns: vec![TableAliasColumnDef { name: column.clone(), data_type: None }],
            at: None,
        }),
        array_exprs: vec![list],
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    };
    let mut select = make::everything_of(ObjectName::from(vec![column.clone()]));
    select.from = vec![TableWithJoins { relation: inner, joins: Vec::new() }];
    let member = |at: usize| Expr::CompoundFieldAccess {
        root: Box::new(Expr::Identifier(column.clone())),
        access_chain: vec![AccessExpr::Subscript(Subscript::Index {
            index: Expr::value(Value::SingleQuotedString(format!("c{at}"))),
        })],
    };
    select.projection = if names.is_empty() {
        vec![SelectItem::ExprWithAlias { expr: member(0), alias: Ident::with_quote('"', "_col0") }]
    } else {
        let named = |(at, alias)| SelectItem::ExprWithAlias { expr: member(at), alias };
        names.into_iter().enumerate().map(named).collect()
    };
    let name = alias.take().map(|alias| TableAlias { columns: Vec::new(), ..alias });
    *factor = TableFactor::Derived {
        lateral: true,
        subquery: Box::new(make::query(SetExpr::Select(Box::new(select)))),
        alias: name,
        sample: None,
    };
}
