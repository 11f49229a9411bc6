//! Trino's syntax in DataFusion's words, one rule a function.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, CastKind, DataType, ExactNumberInfo, Expr, Fetch, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident,
    LimitClause, ObjectName, Query, Select, SelectItem, Set, SetExpr, SetOperator, SetQuantifier,
    Spanned, Statement as Sql, TableFactor, Value, ValueWithSpan,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::{
    super::{
        relations,
        walk::{self, Flow, ON, STOP, Walker},
    },
    Fault, calls, casts, distinct, elements, exists, interval, lower, make, unnest,
};

/// The function that TRY becomes.
const TRY: &str = "$try";

/// Translates all of `statement`.
pub(super) fn translate(statement: &mut Sql) -> Result<(), Fault> {
    time_zone(statement);
    let mut translation = Translation { parameters: Vec::new(), subqueries: 0, fault: None };
    walk::walk(statement, &mut translation);
    translation.fault.map_or(Ok(()), Err)
}

/// `SET TIME ZONE 'UTC'` and `SET TIME ZONE LOCAL` are assignments.
fn time_zone(statement: &mut Sql) {
    let Sql::Set(Set::SetTimeZone { value, .. }) = statement else { return };
    let is_local = matches!(value, Expr::Identifier(name) if lower(name) == "local");
    let zone = if is_local { text("UTC") } else { value.clone() };
    *statement = Sql::Set(Set::SingleAssignment {
        scope: None,
        hivevar: false,
        variable: ObjectName::from(vec![Ident::new("timezone")]),
        values: vec![zone],
    });
}

struct Translation {
    /// The parameters of the lambdas around, innermost last.
    parameters: Vec<String>,
    /// How many expressions were asked whether they are a subquery over elements.
    subqueries: usize,
    fault: Option<Fault>,
}

impl Translation {
    fn refuse(&mut self, fault: Fault) -> Flow {
        self.fault = Some(fault);
        STOP
    }
}

impl Walker for Translation {
    fn statement(&mut self, statement: &mut Sql) -> Flow {
        match statement {
            // `EXECUTE name USING 1, 'a'`
            Sql::Execute { parameters, using, .. } if parameters.is_empty() => {
                parameters.extend(using.drain(..).map(|value| value.expr));
            }
            Sql::Prepare { statement, .. } => {
                walk::walk(statement.as_mut(), &mut Numbered { n: 0 });
            }
            _ => {}
        }
        ON
    }

    fn query(&mut self, query: &mut Query) -> Flow {
        if let Err(fault) = fetch(query) {
            return self.refuse(fault);
        }
        name_columns(&mut query.body);
        counted(&mut query.body);
        casts::name(query);
        ON
    }

    fn select(&mut self, select: &mut Select) -> Flow {
        exists::counted(select);
        ON
    }

    fn table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        unnest::lateral(factor);
        ON
    }

    fn expr(&mut self, expr: &mut Expr) -> Flow {
        if let Expr::Lambda(lambda) = expr {
            self.parameters.extend(lambda.params.iter().map(|param| lower(&param.name)));
        }
        elements::subquery(expr, &mut self.subqueries);
        field_of_parameter(expr, &self.parameters);
        dots(expr);
        let done = like(expr)
            .and_then(|()| conditional(expr))
            .and_then(|()| attempt(expr))
            .and_then(|()| interval::interval(expr));
        if let Err(fault) = done {
            return self.refuse(fault);
        }
        within_group(expr);
        array(expr);
        double(expr);
        literal_digits(expr);
        precision(expr);
        zone(expr);
        calls::call(expr);
        ON
    }

    fn after_expr(&mut self, expr: &mut Expr) -> Flow {
        distinct::bind(expr);
        if let Expr::Lambda(lambda) = expr {
            let n = lambda.params.iter().count();
            self.parameters.truncate(self.parameters.len().saturating_sub(n));
        }
        listed(expr);
        ON
    }
}

/// `?` is `$1`, `$2` and so on by its place.
struct Numbered {
    n: usize,
}

impl Walker for Numbered {
    fn expr(&mut self, expr: &mut Expr) -> Flow {
        if let Expr::Value(ValueWithSpan { value: Value::Placeholder(name), .. }) = expr
            && name == "?"
        {
            self.n += 1;
            *name = format!("${}", self.n);
        }
        ON
    }
}

fn fault(message: impl Into<String>, span: Span, help: Option<&str>) -> Fault {
    Fault { message: message.into(), span: Some(span), help: help.map(str::to_owned) }
}

fn text(value: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(value.to_owned()))
}

/// `DECIMAL '1.50'` has the digits that are there.
fn literal_digits(expr: &mut Expr) {
    if let Expr::TypedString(typed) = expr
        && let DataType::Decimal(info @ ExactNumberInfo::None) = &mut typed.data_type
        && let Value::SingleQuotedString(number) = &typed.value.value
    {
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
        let scale = number.split_once('.').map_or(0, |(_, fraction)| digits(fraction));
        if let (Ok(precision), Ok(scale)) =
            (u64::try_from(digits(number).clamp(1, 38)), i64::try_from(scale))
        {
            *info = ExactNumberInfo::PrecisionAndScale(precision, scale);
        }
    }
}

/// `FETCH FIRST n ROWS ONLY` is `LIMIT n`.
fn fetch(query: &mut Query) -> Result<(), Fault> {
    let Some(Fetch { with_ties, percent, quantity }) = query.fetch.take() else { return Ok(()) };
    if with_ties || percent {
        let what = if with_ties { "WITH TIES" } else { "PERCENT" };
        let help = Some("rank() OVER (ORDER BY …) in a subquery finds the rows that tie");
        return Err(fault(format!("FETCH … {what} is not supported"), Span::empty(), help));
    }
    let limit = quantity.unwrap_or_else(|| Expr::value(Value::Number("1".to_owned(), false)));
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit: own @ None, .. }) => *own = Some(limit),
        None => {
            query.limit_clause = Some(LimitClause::LimitOffset {
                limit: Some(limit),
                offset: None,
                limit_by: Vec::new(),
            });
        }
        Some(_) => {
            let message = "LIMIT and FETCH do the same: give one of them";
            return Err(fault(message, Span::empty(), None));
        }
    }
    Ok(())
}

/// `a EXCEPT ALL b` as `SELECT * FROM (a UNION ALL b) AS "$except_all"`, which `engine::relations`
/// plans: DataFusion takes out every copy of a row that the other side has once.
fn counted(body: &mut SetExpr) {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return };
    counted(left);
    counted(right);
    let name = match op {
        SetOperator::Except => relations::EXCEPT_ALL,
        SetOperator::Intersect => relations::INTERSECT_ALL,
        _ => return,
    };
    if *set_quantifier != SetQuantifier::All {
        return;
    }
    *op = SetOperator::Union;
    let union = std::mem::replace(body, *make::nothing().body);
    *body = SetExpr::Select(Box::new(make::everything_from(union, name)));
}

/// A column without a name is `_col0`, `_col1`, … by its place, as in Athena.
fn name_columns(body: &mut SetExpr) {
    let SetExpr::Select(select) = body else {
        if let SetExpr::SetOperation { left, .. } = body {
            name_columns(left);
        }
        return;
    };
    for (at, item) in select.projection.iter_mut().enumerate() {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        if is_named(expr) {
            continue;
        }
        let alias = Ident::new(format!("_col{at}"));
        let expr = std::mem::replace(expr, Expr::value(Value::Null));
        *item = SelectItem::ExprWithAlias { expr, alias };
    }
}

/// Whether a column of `expr` has a name of its own: that of a column or of a column's member.
/// What may give several columns is left alone.
fn is_named(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        Expr::Nested(inner) => is_named(inner),
        Expr::Function(call) => named(&call.name).is_some_and(|name| name == "unnest"),
        _ => false,
    }
}

/// The name of a function, lower case; nothing where it has several parts.
fn named(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(lower),
        _ => None,
    }
}

/// `r.arn` inside a lambda over `r` reads a member, where the planner would look for a table.
fn field_of_parameter(expr: &mut Expr, parameters: &[String]) {
    let Expr::CompoundIdentifier(path) = expr else { return };
    let Some((first, members)) = path.split_first() else { return };
    if parameters.contains(&lower(first)) {
        let access_chain = members.iter().map(|name| make::member(&lower(name))).collect();
        *expr = Expr::CompoundFieldAccess {
            root: Box::new(Expr::Identifier(first.clone())),
            access_chain,
        };
    }
}

/// `resources[1].arn` and `element_at(resources, 1).arn`: a member of what an expression gives. Names
/// in front, as in `c.resources[1]`, are a column's.
fn dots(expr: &mut Expr) {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return };
    if let Expr::Identifier(first) = root.as_ref() {
        let is_name = |access: &&AccessExpr| matches!(access, AccessExpr::Dot(Expr::Identifier(_)));
        let n_names = access_chain.iter().take_while(is_name).count();
        let mut path = vec![first.clone()];
        path.extend(access_chain.drain(..n_names).filter_map(|access| match access {
            AccessExpr::Dot(Expr::Identifier(name)) => Some(name),
            _ => None,
        }));
        if n_names > 0 {
            **root = Expr::CompoundIdentifier(path);
        }
    }
    for access in access_chain {
        if let AccessExpr::Dot(Expr::Identifier(member)) = access {
            *access = make::member(&lower(member));
        }
    }
}

/// LIKE without ESCAPE has no escape character in Trino; DataFusion's is a backslash.
fn like(expr: &mut Expr) -> Result<(), Fault> {
    let Expr::Like { pattern, escape_char, .. } = expr else { return Ok(()) };
    let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(pattern), span }) =
        pattern.as_mut()
    else {
        return Ok(());
    };
    let escape = match escape_char.take().map(|value| value.value) {
        None => None,
        Some(Value::SingleQuotedString(text)) => {
            let mut letters = text.chars();
            if let (Some(letter), None) = (letters.next(), letters.next()) {
                Some(letter)
            } else {
                let message = "the escape of LIKE must be one character";
                return Err(fault(message, *span, None));
            }
        }
        Some(_) => return Err(fault("the escape of LIKE must be a text", *span, None)),
    };
    let mut out = String::with_capacity(pattern.len() + 4);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if Some(letter) == escape {
            match letters.next() {
                Some(next @ ('%' | '_')) => out.extend(['\\', next]),
                Some(next) if next == letter => {
                    if next == '\\' {
                        out.push('\\');
                    }
                    out.push(next);
                }
                _ => {
                    let message = "the escape of LIKE must stand before %, _ or itself";
                    return Err(fault(message, *span, None));
                }
            }
        } else {
            if letter == '\\' {
                out.push('\\');
            }
            out.push(letter);
        }
    }
    *pattern = out;
    Ok(())
}

/// The arguments of a call of `name`, moved out of it.
fn arguments(expr: &mut Expr, name: &str) -> Option<(Vec<Expr>, Span)> {
    let Expr::Function(call) = expr else { return None };
    if named(&call.name)? != name {
        return None;
    }
    let span = call.name.span();
    let FunctionArguments::List(list) = &mut call.args else { return None };
    let all = list.args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) => Some(arg.clone()),
        _ => None,
    });
    Some((all.collect::<Option<Vec<_>>>()?, span))
}

/// `IF(condition, a [, b])` is a CASE.
fn conditional(expr: &mut Expr) -> Result<(), Fault> {
    let Some((mut args, span)) = arguments(expr, "if") else { return Ok(()) };
    if !(2..=3).contains(&args.len()) {
        let help = Some("it takes IF(condition, value) or IF(condition, value, other)");
        return Err(fault(format!("IF does not take {} arguments", args.len()), span, help));
    }
    let otherwise = (args.len() == 3).then(|| args.pop()).flatten();
    let otherwise = otherwise.unwrap_or_else(|| Expr::value(Value::Null));
    let (Some(result), Some(condition)) = (args.pop(), args.pop()) else { return Ok(()) };
    *expr = make::case(condition, result, otherwise);
    Ok(())
}

/// `TRY(e)`: see `engine::attempt`.
fn attempt(expr: &mut Expr) -> Result<(), Fault> {
    let Some((args, span)) = arguments(expr, "try") else { return Ok(()) };
    if args.len() != 1 {
        return Err(fault(format!("TRY does not take {} arguments", args.len()), span, None));
    }
    if let Expr::Function(call) = expr {
        call.name = ObjectName::from(vec![Ident { span, ..Ident::with_quote('"', TRY) }]);
    }
    Ok(())
}

/// `listagg(x, ',') WITHIN GROUP (ORDER BY y)` orders what is aggregated; nothing stands between the
/// values where no separator is given.
fn within_group(expr: &mut Expr) {
    let Expr::Function(Function { name, args, within_group, .. }) = expr else { return };
    if within_group.is_empty() || named(name).is_none_or(|name| name != "listagg") {
        return;
    }
    if let FunctionArguments::List(FunctionArgumentList { args, clauses, .. }) = args {
        if args.len() == 1 {
            args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(text(""))));
        }
        clauses.push(FunctionArgumentClause::OrderBy(std::mem::take(within_group)));
    }
}

/// `1e0` is a double, where `1.0` is a decimal.
fn double(expr: &mut Expr) {
    if let Expr::Value(ValueWithSpan { value: Value::Number(number, _), .. }) = expr
        && number.contains(['e', 'E'])
    {
        let number = Box::new(text(number));
        *expr = cast(number, DataType::Double(ExactNumberInfo::None));
    }
}

fn cast(expr: Box<Expr>, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None }
}

/// `CAST(x AS timestamp)` gives three digits of the second, not the nine that the planner would.
fn precision(expr: &mut Expr) {
    if let Expr::Cast { data_type: DataType::Timestamp(digits @ None, _), .. } = expr {
        *digits = Some(3);
    }
}

/// `t AT TIME ZONE z` where the zone is no literal, which is all that the planner takes.
fn zone(expr: &mut Expr) {
    if let Expr::AtTimeZone { timestamp, time_zone } = expr
        && !matches!(time_zone.as_ref(), Expr::Value(_))
    {
        let take = |expr: &mut Expr| std::mem::replace(expr, Expr::value(Value::Null));
        *expr = make::call("at_timezone", vec![take(timestamp), take(time_zone)]);
    }
}

/// `ARRAY[a, b]` is a call: of elements that stand in an array, the planner does not see the columns
/// of queries around nor the parameters of lambdas.
fn array(expr: &mut Expr) {
    if let Expr::Array(array) = expr
        && !array.elem.is_empty()
    {
        *expr = make::call("make_array", std::mem::take(&mut array.elem));
    }
}

/// What `listagg` gives is a varchar; DataFusion's own gives the type that is json here.
fn listed(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    if named(&function.name).is_some_and(|name| name == "listagg" || name == "string_agg") {
        let list = std::mem::replace(expr, Expr::value(Value::Null));
        *expr = make::call("arrow_cast", vec![list, text("Utf8")]);
    }
}
