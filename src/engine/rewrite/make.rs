//! What the rules put into the syntax tree.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, GroupByExpr, Ident, ObjectName, Query, Select, SelectFlavor, SelectItem,
    SetExpr, Subscript, TableAlias, TableFactor, TableWithJoins, Value, Values,
    WildcardAdditionalOptions, helpers::attached_token::AttachedToken,
};

/// `SELECT * FROM name`.
pub(super) fn everything_of(name: ObjectName) -> Select {
    let relation = TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    };
    select_of(
        vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
        vec![TableWithJoins { relation, joins: Vec::new() }],
    )
}

/// `SELECT * FROM (body) AS name`.
pub(super) fn everything_from(body: SetExpr, name: &str) -> Select {
    let alias = TableAlias {
        explicit: true,
        name: Ident::with_quote('"', name),
        columns: Vec::new(),
        at: None,
    };
    let relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query(body)),
        alias: Some(alias),
        sample: None,
    };
    select_of(
        vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
        vec![TableWithJoins { relation, joins: Vec::new() }],
    )
}

/// `SELECT projection FROM from`.
fn select_of(projection: Vec<SelectItem>, from: Vec<TableWithJoins>) -> Select {
    Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection,
        exclude: None,
        into: None,
        from,
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}

/// `body` as a query.
pub(super) fn query(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// `['name']`, a member.
pub(super) fn member(name: &str) -> AccessExpr {
    let index = Expr::value(Value::SingleQuotedString(name.to_owned()));
    AccessExpr::Subscript(Subscript::Index { index })
}

/// `CASE WHEN condition THEN result ELSE otherwise END`.
pub(super) fn case(condition: Expr, result: Expr, otherwise: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result }],
        else_result: Some(Box::new(otherwise)),
    }
}

/// `*` as an argument.
pub(super) fn everything() -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Wildcard)
}

/// A query of no rows, to stand where another one is taken from.
pub(super) fn nothing() -> Query {
    query(SetExpr::Values(Values { explicit_row: false, value_keyword: false, rows: Vec::new() }))
}

/// A call of the function `name`.
pub(super) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_quote('"', name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
