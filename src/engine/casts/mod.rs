//! Casts from and to the type `json`, which for DataFusion are casts between texts; casts of rows,
//! which it would do by name and Trino does by position; and those of scalars that Arrow does
//! otherwise.
//!
//! <https://trino.io/docs/current/functions/json.html>, "Cast to JSON" and "Cast from JSON".
//!
//! [`Casts`] turns them into calls of our own function before DataFusion looks at types. It also
//! refuses what would compare the text of JSON with other text without a word: in Trino `json`
//! and `varchar` do not compare, and a string's JSON has quotes.

mod conversion;
mod fit;
mod from_json;
mod names;
mod scalar;
#[cfg(test)]
mod tests;
mod to_json;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, config::ConfigOptions, plan_err, tree_node::Transformed},
    error::Result,
    logical_expr::{
        BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF, TryCast,
        expr::{InList, ScalarFunction},
    },
    optimizer::analyzer::AnalyzerRule,
};

use self::conversion::{Conversion, is_ours};
pub(super) use self::names::TypeNames;
use super::{analyze::map_expressions, types::type_name};

/// The type `json`.
const JSON: DataType = DataType::LargeUtf8;

/// Replaces the casts that are not DataFusion's.
#[derive(Debug, Default)]
pub(super) struct Casts;

impl AnalyzerRule for Casts {
    fn name(&self) -> &'static str {
        "casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        map_expressions(plan, cast)
    }
}

/// `expr` as a call, if it is a cast of ours.
fn cast(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(Cast { expr, field }) if fit::length(&field).is_some() => {
            fit::cast(expr, &field, false, schema)
        }
        Expr::TryCast(TryCast { expr, field }) if fit::length(&field).is_some() => {
            fit::cast(expr, &field, true, schema)
        }
        Expr::Cast(Cast { expr, field }) => {
            let call = call(&expr, field.data_type(), false, schema)?;
            Ok(call.map_or_else(
                || Transformed::no(Expr::Cast(Cast { expr, field })),
                Transformed::yes,
            ))
        }
        Expr::TryCast(TryCast { expr, field }) => {
            let call = call(&expr, field.data_type(), true, schema)?;
            let same = || Transformed::no(Expr::TryCast(TryCast { expr, field }));
            Ok(call.map_or_else(same, Transformed::yes))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            comparable(&left, op, &right, schema)?;
            Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })))
        }
        Expr::Between(between) => {
            comparable(&between.expr, Operator::GtEq, &between.low, schema)?;
            comparable(&between.expr, Operator::LtEq, &between.high, schema)?;
            Ok(Transformed::no(Expr::Between(between)))
        }
        Expr::InList(InList { expr, list, negated }) => {
            for item in &list {
                comparable(&expr, Operator::Eq, item, schema)?;
            }
            Ok(Transformed::no(Expr::InList(InList { expr, list, negated })))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// The call that casts `expr` to `target`; nothing where DataFusion does it as well.
fn call(expr: &Expr, target: &DataType, lenient: bool, schema: &DFSchema) -> Result<Option<Expr>> {
    // Whoever resolves types after us tells what is wrong.
    let Ok(source) = expr.get_type(schema) else { return Ok(None) };
    let number = |part: &DataType| part.is_numeric();
    let time = |part: &DataType| matches!(part, DataType::Date32 | DataType::Timestamp(..));
    if (number(&source) && time(target)) || (time(&source) && number(target)) {
        // Arrow would count days, or whatever the timestamp is counted in.
        return plan_err!(
            "cannot cast {} to {}; from_unixtime and to_unixtime count seconds",
            type_name(&source),
            type_name(target)
        );
    }
    if source == DataType::Null || source == *target || !is_ours(&source, target) {
        return Ok(None);
    }
    // In Trino parsing and casting are one step: the members stay in order.
    let argument = unparsed(expr, target);
    let conversion = Conversion::new(source, target.clone(), lenient)?;
    let function = Arc::new(ScalarUDF::new_from_impl(conversion));
    Ok(Some(Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![argument]))))
}

/// What `json_parse` is about to parse, where `expr` is that and `target` has parts.
fn unparsed(expr: &Expr, target: &DataType) -> Expr {
    if let Expr::ScalarFunction(call) = expr
        && call.name() == "json_parse"
        && target.is_nested()
        && let [text] = call.args.as_slice()
    {
        return text.clone();
    }
    expr.clone()
}

/// Fails where `op` compares JSON with something else, or asks which of two JSON values is less.
fn comparable(left: &Expr, op: Operator, right: &Expr, schema: &DFSchema) -> Result<()> {
    let equality = matches!(
        op,
        Operator::Eq | Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom
    );
    let order = matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
    if !(equality || order || op == Operator::StringConcat) {
        return Ok(());
    }
    let (Ok(a), Ok(b)) = (left.get_type(schema), right.get_type(schema)) else {
        return Ok(());
    };
    let other = match (a == JSON, b == JSON) {
        (false, false) => return Ok(()),
        (true, true) if equality => return Ok(()),
        (true, true) => return plan_err!("{op} does not take two values of type json"),
        (true, false) => b,
        (false, true) => a,
    };
    if other == DataType::Null {
        return Ok(());
    }
    plan_err!(
        "{op} does not take json and {}; json_extract_scalar gives text, \
         and CAST(… AS varchar) makes text of json",
        type_name(&other)
    )
}
