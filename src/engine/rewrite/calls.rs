//! Calls that mean others.

use datafusion::sql::sqlparser::ast::{
    Array, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    Value,
};

/// `max(x, n)` and `min(x, n)`, the n greatest or least values, are `max_by(x, x, n)` and
/// `min_by(x, x, n)`; `map()` is one of no keys and no values; the form in `normalize(text, NFD)` is a word and no column.
pub(super) fn call(expr: &mut Expr) {
    let Expr::Function(call) = expr else { return };
    let name = match call.name.0.as_slice() {
        [part] => part.as_ident().map(|name| name.value.to_ascii_lowercase()),
        _ => None,
    };
    match name.as_deref() {
        Some("max") => extremes(call, "max_by"),
        Some("min") => extremes(call, "min_by"),
        Some("normalize") => form(call),
        Some("map") => empty_map(call),
        _ => {}
    }
}

fn args(call: &mut Function) -> Option<&mut Vec<FunctionArg>> {
    match &mut call.args {
        FunctionArguments::List(list) => Some(&mut list.args),
        _ => None,
    }
}

fn extremes(call: &mut Function, name: &str) {
    let Some(args) = args(call) else { return };
    let [value, _] = args.as_slice() else { return };
    args.insert(0, value.clone());
    call.name = ObjectName::from(vec![Ident::new(name)]);
}

fn empty_map(call: &mut Function) {
    let Some(args) = args(call) else { return };
    if args.is_empty() {
        let none = Expr::Array(Array { elem: Vec::new(), named: true });
        args.resize(2, FunctionArg::Unnamed(FunctionArgExpr::Expr(none)));
    }
}

fn form(call: &mut Function) {
    if let Some([_, FunctionArg::Unnamed(FunctionArgExpr::Expr(form))]) =
        args(call).map(Vec::as_mut_slice)
        && let Expr::Identifier(word) = form
    {
        *form = Expr::value(Value::SingleQuotedString(word.value.clone()));
    }
}
