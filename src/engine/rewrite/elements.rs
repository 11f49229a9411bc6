//! Subqueries over the elements of an array: `EXISTS (SELECT 1 FROM UNNEST(tags) AS t(tag) WHERE …)`,
//! `x IN (SELECT tag FROM UNNEST(tags) AS t(tag))`, `(SELECT max(n) FROM UNNEST(ns) AS t(n))`.
//!
//! DataFusion cannot run a subquery that unnests a column of the query around it. What such a one
//! says of a row, lambdas over the array say as well: `any_match(tags, tag -> …)`.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, LambdaFunction,
    LambdaFunctionParameter, LambdaSyntax, OneOrManyWithParens, Query, Select, SelectItem, SetExpr,
    TableFactor, UnaryOperator, Value,
};

use super::{
    super::{
        unnest,
        walk::{self, Flow, ON, STOP, Walker},
    },
    lower, make,
};

/// Rewrites `expr` where it is such a subquery; `n` numbers the parameters of lambdas.
pub(super) fn subquery(expr: &mut Expr, n: &mut usize) {
    *n += 1;
    let rewritten = match expr {
        Expr::Exists { subquery, negated } => Elements::of(subquery, *n)
            .and_then(|elements| elements.exists())
            .map(|exists| if *negated { not(exists) } else { exists }),
        Expr::InSubquery { expr: value, subquery, negated } => Elements::of(subquery, *n)
            .and_then(|elements| elements.contains(value))
            .map(|found| if *negated { not(found) } else { found }),
        Expr::Subquery(subquery) => {
            Elements::of(subquery, *n).and_then(|elements| elements.value(*n))
        }
        _ => None,
    };
    if let Some(rewritten) = rewritten {
        *expr = rewritten;
    }
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(expr))) }
}

fn number(number: u32) -> Expr {
    Expr::value(Value::Number(number.to_string(), false))
}

fn coalesce(value: Expr, otherwise: Expr) -> Expr {
    make::call("coalesce", vec![value, otherwise])
}

fn cardinality(list: Expr) -> Expr {
    coalesce(make::call("cardinality", vec![list]), number(0))
}

/// A subquery over one UNNEST.
struct Elements<'a> {
    /// The list of rows of the elements.
    list: Expr,
    /// The name of the relation, and those of its columns.
    table: Option<String>,
    columns: Vec<String>,
    /// The parameter that stands for an element's row.
    parameter: Ident,
    condition: Option<&'a Expr>,
    item: &'a SelectItem,
    /// Whether the subquery ends after one row.
    first: bool,
}

impl<'a> Elements<'a> {
    fn of(query: &'a Query, n: usize) -> Option<Self> {
        let plain = query.with.is_none() && query.order_by.is_none() && query.fetch.is_none();
        let SetExpr::Select(select) = query.body.as_ref() else { return None };
        let first = match &query.limit_clause {
            None => false,
            Some(limit) if limit.to_string().trim() == "LIMIT 1" => true,
            Some(_) => return None,
        };
        let [source] = select.from.as_slice() else { return None };
        let [item] = select.projection.as_slice() else { return None };
        if !plain || !source.joins.is_empty() || select.distinct.is_some() || !is_ungrouped(select)
        {
            return None;
        }
        let TableFactor::UNNEST { alias, array_exprs, with_offset, with_ordinality, .. } =
            &source.relation
        else {
            return None;
        };
        let [array] = array_exprs.as_slice() else { return None };
        if *with_offset || *with_ordinality {
            return None;
        }
        let columns: Vec<String> = alias
            .iter()
            .flat_map(|alias| &alias.columns)
            .map(|column| lower(&column.name))
            .collect();
        let names = u32::try_from(columns.len()).ok()?;
        let spread = vec![number(names), Expr::value(Value::Boolean(false)), array.clone()];
        Some(Self {
            list: make::call(unnest::NAME, spread),
            table: alias.as_ref().map(|alias| lower(&alias.name)),
            columns,
            parameter: Ident::with_quote('"', format!("$r{n}")),
            condition: select.selection.as_ref(),
            item,
            first,
        })
    }

    /// `element -> body`, with what the columns are in their places; nothing where it has a subquery.
    fn lambda(&self, body: &Expr) -> Option<Expr> {
        let mut body = body.clone();
        let mut names = Names { elements: self, whole: true };
        walk::walk(&mut body, &mut names);
        names.whole.then(|| {
            Expr::Lambda(LambdaFunction {
                params: OneOrManyWithParens::One(LambdaFunctionParameter {
                    name: self.parameter.clone(),
                    data_type: None,
                }),
                body: Box::new(body),
                syntax: LambdaSyntax::Arrow,
            })
        })
    }

    /// The elements that the WHERE clause leaves.
    fn left(&self) -> Option<Expr> {
        let Some(condition) = self.condition else { return Some(self.list.clone()) };
        let kept = coalesce(condition.clone(), Expr::value(Value::Boolean(false)));
        Some(make::call("filter", vec![self.list.clone(), self.lambda(&kept)?]))
    }

    fn exists(&self) -> Option<Expr> {
        let is_aggregate = matches!(self.item, SelectItem::UnnamedExpr(Expr::Function(_)));
        if is_aggregate {
            return None;
        }
        let count = cardinality(self.left()?);
        Some(Expr::Nested(Box::new(binary(count, BinaryOperator::Gt, number(0)))))
    }

    fn contains(&self, value: &Expr) -> Option<Expr> {
        let found =
            self.lambda(&binary(value.clone(), BinaryOperator::Eq, self.selected()?.clone()))?;
        let left = self.left()?;
        // NULL instead of an array has no elements.
        let empty = binary(cardinality(left.clone()), BinaryOperator::Eq, number(0));
        let no = Expr::value(Value::Boolean(false));
        Some(make::case(empty, no, make::call("any_match", vec![left, found])))
    }

    fn selected(&self) -> Option<&Expr> {
        match self.item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        }
    }

    /// The one value: an expression of aggregates, or the first element.
    fn value(&self, n: usize) -> Option<Expr> {
        let mut value = self.selected()?.clone();
        if self.first {
            let values = make::call("transform", vec![self.left()?, self.lambda(&value)?]);
            return Some(make::call("element_at", vec![values, number(1)]));
        }
        let mut aggregates = Aggregates { elements: self, n, found: false, whole: true };
        walk::walk(&mut value, &mut aggregates);
        (aggregates.found && aggregates.whole).then(|| Expr::Nested(Box::new(value)))
    }

    /// An aggregate over the elements; nothing where lambdas do not say it.
    fn aggregate(&self, call: &Function, n: usize) -> Option<Expr> {
        let FunctionArguments::List(FunctionArgumentList { duplicate_treatment, args, clauses }) =
            &call.args
        else {
            return None;
        };
        if call.filter.is_some() || call.over.is_some() || !clauses.is_empty() {
            return None;
        }
        let distinct = *duplicate_treatment == Some(DuplicateTreatment::Distinct);
        let name = call.name.to_string().trim_matches('"').to_ascii_lowercase();
        let left = self.left()?;
        let argument = match args.as_slice() {
            [] | [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] if name == "count" => {
                return Some(cardinality(left));
            }
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] => argument,
            _ => return None,
        };
        let mut values = make::call("transform", vec![left, self.lambda(argument)?]);
        if distinct {
            values = make::call("array_distinct", vec![values]);
        }
        let present = || {
            let value = Ident::with_quote('"', format!("$v{n}"));
            let is_there = Expr::IsNotNull(Box::new(Expr::Identifier(value.clone())));
            let lambda = Expr::Lambda(LambdaFunction {
                params: OneOrManyWithParens::One(LambdaFunctionParameter {
                    name: value,
                    data_type: None,
                }),
                body: Box::new(is_there),
                syntax: LambdaSyntax::Arrow,
            });
            make::call("filter", vec![values.clone(), lambda])
        };
        match name.as_str() {
            "count" => Some(cardinality(present())),
            "max" => Some(make::call("array_max", vec![present()])),
            "min" => Some(make::call("array_min", vec![present()])),
            "array_agg" => {
                let any = binary(cardinality(values.clone()), BinaryOperator::Gt, number(0));
                Some(make::case(any, values, Expr::value(Value::Null)))
            }
            _ => None,
        }
    }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    let nested = |expr| Box::new(Expr::Nested(Box::new(expr)));
    Expr::BinaryOp { left: nested(left), op, right: nested(right) }
}

/// Whether the rows of `select` are those that FROM and WHERE give, DISTINCT or not.
pub(super) fn is_ungrouped(select: &Select) -> bool {
    let grouped = match &select.group_by {
        GroupByExpr::Expressions(by, modifiers) => !by.is_empty() || !modifiers.is_empty(),
        GroupByExpr::All(_) => true,
    };
    !grouped && select.having.is_none() && select.qualify.is_none()
}

/// Puts what the columns of the UNNEST are in the places of their names.
struct Names<'a> {
    elements: &'a Elements<'a>,
    /// Whether all of the expression was understood.
    whole: bool,
}

impl Names<'_> {
    fn column(&self, path: &[Ident]) -> Option<Expr> {
        let names: Vec<String> = path.iter().map(lower).collect();
        let (at, members) = match names.as_slice() {
            [table, column, ..]
                if Some(table) == self.elements.table.as_ref()
                    && self.elements.columns.contains(column) =>
            {
                (column, path.get(2..)?)
            }
            [column, ..] => (column, path.get(1..)?),
            [] => return None,
        };
        let at = self.elements.columns.iter().position(|column| column == at)?;
        let members = members.iter().map(lower);
        let access = std::iter::once(format!("c{at}")).chain(members);
        Some(Expr::CompoundFieldAccess {
            root: Box::new(Expr::Identifier(self.elements.parameter.clone())),
            access_chain: access.map(|name| make::member(&name)).collect(),
        })
    }
}

impl Walker for Names<'_> {
    fn query(&mut self, _: &mut Query) -> Flow {
        self.whole = false;
        STOP
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        let column = match &*expr {
            Expr::Identifier(name) => self.column(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(path) => self.column(path),
            _ => None,
        };
        if let Some(column) = column {
            *expr = column;
        }
        ON
    }
}

/// Puts lambdas in the places of aggregates.
struct Aggregates<'a> {
    elements: &'a Elements<'a>,
    n: usize,
    found: bool,
    whole: bool,
}

impl Walker for Aggregates<'_> {
    fn query(&mut self, _: &mut Query) -> Flow {
        self.whole = false;
        STOP
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        if let Expr::Function(call) = &*expr
            && let Some(value) = self.elements.aggregate(call, self.n)
        {
            self.found = true;
            *expr = value;
        }
        ON
    }
}
