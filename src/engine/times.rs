//! What dates and times mean in plans, where DataFusion means something else than Trino.
//!
//! * A planner of expressions: `EXTRACT`, and `+`, `-` and `*` with intervals.
//! * An analyzer rule: casts, literals, `AT TIME ZONE`, and comparisons of timestamps with and
//!   without time zone.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalMonthDayNano};
use datafusion::{
    common::{DFSchema, ScalarValue, config::ConfigOptions, plan_err, tree_node::Transformed},
    error::Result,
    execution::SessionStateBuilder,
    logical_expr::{
        BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs,
        ScalarFunctionArgs, ScalarUDF,
        expr::{Between, InList, ScalarFunction},
        planner::{ExprPlanner, PlannerResult, RawBinaryExpr},
    },
    optimizer::AnalyzerRule,
    sql::sqlparser::ast::BinaryOperator,
};

use super::{
    analyze::map_expressions,
    functions::time::{
        TimeCast, in_utc, interval_minus, interval_plus, interval_times, part, stamp_literal,
    },
};

/// Puts the planner of expressions into a state.
pub(super) fn register(builder: &mut SessionStateBuilder) {
    builder.expr_planners().get_or_insert_default().insert(0, Arc::new(Planner));
}

fn call(function: Option<ScalarUDF>, args: Vec<Expr>) -> Option<Expr> {
    let function = Arc::new(function?);
    Some(Expr::ScalarFunction(ScalarFunction::new_udf(function, args)))
}

fn cast(expr: Expr, to: DataType) -> Expr {
    let function = Arc::new(TimeCast::udf(to, false));
    Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![expr]))
}

#[derive(Debug)]
struct Planner;

impl ExprPlanner for Planner {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let [field, value] = args.as_slice() else { return Ok(PlannerResult::Original(args)) };
        let name = field.as_literal().and_then(|name| name.try_as_str().flatten());
        let name = name.unwrap_or_default();
        let Some(planned) = call(part(name), vec![value.clone()]) else {
            return plan_err!("EXTRACT does not know the field {name}");
        };
        Ok(PlannerResult::Planned(planned))
    }

    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        if !matches!(
            expr.op,
            BinaryOperator::Plus
                | BinaryOperator::Minus
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
        ) {
            return Ok(PlannerResult::Original(expr));
        }
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema))
        else {
            return Ok(PlannerResult::Original(expr));
        };
        Ok(match arithmetic(&expr, &left, &right) {
            Some(planned) => PlannerResult::Planned(planned),
            None => PlannerResult::Original(expr),
        })
    }
}

fn arithmetic(expr: &RawBinaryExpr, left: &DataType, right: &DataType) -> Option<Expr> {
    let args = || vec![expr.left.clone(), expr.right.clone()];
    let swapped = || vec![expr.right.clone(), expr.left.clone()];
    match expr.op {
        BinaryOperator::Plus if is_moment(left) && is_interval(right) => {
            call(interval_plus(), args())
        }
        BinaryOperator::Plus if is_interval(left) && is_moment(right) => {
            call(interval_plus(), swapped())
        }
        BinaryOperator::Minus if is_moment(left) && is_interval(right) => {
            call(interval_minus(), args())
        }
        BinaryOperator::Minus => {
            // The interval between two days, and not their number.
            if (left, right) == (&DataType::Date32, &DataType::Date32) {
                let second = DataType::Timestamp(arrow::datatypes::TimeUnit::Second, None);
                let day = |day: &Expr| Box::new(cast(day.clone(), second.clone()));
                let (a, b) = (day(&expr.left), day(&expr.right));
                return Some(Expr::BinaryExpr(BinaryExpr::new(a, Operator::Minus, b)));
            }
            let (a, b) = (common(&expr.left, left, right), common(&expr.right, right, left));
            if a.is_none() && b.is_none() {
                return None;
            }
            let a = a.unwrap_or_else(|| expr.left.clone());
            let b = b.unwrap_or_else(|| expr.right.clone());
            Some(Expr::BinaryExpr(BinaryExpr::new(Box::new(a), Operator::Minus, Box::new(b))))
        }
        BinaryOperator::Multiply if is_interval(left) && right.is_numeric() => {
            call(interval_times(), args())
        }
        BinaryOperator::Multiply if left.is_numeric() && is_interval(right) => {
            call(interval_times(), swapped())
        }
        BinaryOperator::Divide if is_interval(left) && right.is_numeric() => {
            let one = Expr::Literal(ScalarValue::Float64(Some(1.0)), None);
            let divisor = Expr::Cast(datafusion::logical_expr::Cast::new(
                Box::new(expr.right.clone()),
                DataType::Float64,
            ));
            let inverse = BinaryExpr::new(Box::new(one), Operator::Divide, Box::new(divisor));
            call(interval_times(), vec![expr.left.clone(), Expr::BinaryExpr(inverse)])
        }
        _ => None,
    }
}

fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Timestamp(..))
}

fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

/// `expr` cast so that it means the same beside the `other` type, where DataFusion would read the
/// wall clock in the other's zone, or count nanoseconds, which end in 2262.
fn common(expr: &Expr, own: &DataType, other: &DataType) -> Option<Expr> {
    let utc = || Some(Arc::from("UTC"));
    let to = match (own, other) {
        (DataType::Date32, DataType::Timestamp(unit, zone)) => {
            DataType::Timestamp(*unit, zone.as_ref().and_then(|_| utc()))
        }
        (DataType::Timestamp(unit, None), DataType::Timestamp(_, Some(_))) => {
            DataType::Timestamp(*unit, utc())
        }
        (
            DataType::Timestamp(unit, Some(zone)),
            DataType::Timestamp(_, Some(_)) | DataType::Date32,
        ) if **zone != *"UTC" => DataType::Timestamp(*unit, utc()),
        (DataType::Timestamp(unit, Some(zone)), DataType::Timestamp(_, None))
            if **zone != *"UTC" =>
        {
            DataType::Timestamp(*unit, utc())
        }
        _ => return None,
    };
    Some(cast(expr.clone(), to))
}

/// An interval literal whose days are hours, since those it is compared with have no days.
fn hours(expr: &Expr) -> Option<Expr> {
    let Some(ScalarValue::IntervalMonthDayNano(Some(value))) = expr.as_literal() else {
        return None;
    };
    let days = i64::from(value.days).checked_mul(86_400_000_000_000)?;
    let nanos = value.nanoseconds.checked_add(days).filter(|_| days != 0)?;
    let value = IntervalMonthDayNano::new(value.months, 0, nanos);
    Some(Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(value)), None))
}

/// The analyzer rule; it stands before DataFusion's, which would add casts of its own.
#[derive(Debug)]
pub(super) struct Rule;

impl AnalyzerRule for Rule {
    fn name(&self) -> &'static str {
        "trino_times"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        map_expressions(plan, rewrite_expr)
    }
}

fn rewrite_expr(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let done = match &expr {
        Expr::Cast(of) => cast_of(&of.expr, of.field.data_type(), false, schema)?,
        Expr::TryCast(of) => cast_of(&of.expr, of.field.data_type(), true, schema)?,
        Expr::BinaryExpr(binary) if is_comparison(binary.op) => {
            compared(&binary.left, &binary.right, schema).map(|(left, right)| {
                Expr::BinaryExpr(BinaryExpr::new(Box::new(left), binary.op, Box::new(right)))
            })
        }
        Expr::ScalarFunction(call) => settled(call),
        Expr::Between(between) => between_of(between, schema).map(Expr::Between),
        Expr::InList(list) => in_list_of(list, schema).map(Expr::InList),
        _ => None,
    };
    Ok(done.map_or_else(|| Transformed::no(expr), Transformed::yes))
}

/// A call whose zone is that of a literal argument as what it gives, any other in UTC for good.
fn settled(of: &ScalarFunction) -> Option<Expr> {
    let fixed = in_utc(of.func.name())?;
    let literals: Option<Vec<_>> = of.args.iter().map(Expr::as_literal).collect();
    let Some(literals) = literals else { return call(Some(fixed), of.args.clone()) };
    evaluated(&of.func, &literals).map(|value| Expr::Literal(value, None))
}

/// What a function gives for literals; nothing where it fails, which is told when it runs.
fn evaluated(function: &ScalarUDF, literals: &[&ScalarValue]) -> Option<ScalarValue> {
    let fields: Vec<_> =
        literals.iter().map(|value| Arc::new(Field::new("", value.data_type(), true))).collect();
    let scalars: Vec<_> = literals.iter().map(|value| Some(*value)).collect();
    let asked = ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &scalars };
    let return_field = function.return_field_from_args(asked).ok()?;
    let args = ScalarFunctionArgs {
        args: literals.iter().map(|value| ColumnarValue::Scalar((*value).clone())).collect(),
        arg_fields: fields,
        number_rows: 1,
        return_field,
        config_options: Arc::new(ConfigOptions::default()),
    };
    match function.invoke_with_args(args).ok()? {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(_) => None,
    }
}

fn between_of(between: &Between, schema: &DFSchema) -> Option<Between> {
    let (value, low) = side_by_side(&between.expr, &between.low, schema);
    let (_, high) = side_by_side(&between.expr, &between.high, schema);
    if value.is_none() && low.is_none() && high.is_none() {
        return None;
    }
    let mut changed = between.clone();
    for (place, new) in
        [(&mut changed.expr, value), (&mut changed.low, low), (&mut changed.high, high)]
    {
        if let Some(new) = new {
            **place = new;
        }
    }
    Some(changed)
}

fn in_list_of(list: &InList, schema: &DFSchema) -> Option<InList> {
    let mut changed = None;
    for (index, item) in list.list.iter().enumerate() {
        let (value, item) = side_by_side(&list.expr, item, schema);
        if value.is_none() && item.is_none() {
            continue;
        }
        let to = changed.get_or_insert_with(|| list.clone());
        if let Some(value) = value {
            *to.expr = value;
        }
        if let (Some(place), Some(item)) = (to.list.get_mut(index), item) {
            *place = item;
        }
    }
    changed
}

fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

/// Both sides of a comparison, if one must change.
fn compared(left: &Expr, right: &Expr, schema: &DFSchema) -> Option<(Expr, Expr)> {
    let (a, b) = side_by_side(left, right, schema);
    if a.is_none() && b.is_none() {
        return None;
    }
    Some((a.unwrap_or_else(|| left.clone()), b.unwrap_or_else(|| right.clone())))
}

/// What two expressions that are compared must become.
fn side_by_side(left: &Expr, right: &Expr, schema: &DFSchema) -> (Option<Expr>, Option<Expr>) {
    let (Ok(own), Ok(other)) = (left.get_type(schema), right.get_type(schema)) else {
        return (None, None);
    };
    if is_interval(&own) && is_interval(&other) {
        return (hours(left), hours(right));
    }
    (common(left, &own, &other), common(right, &other, &own))
}

/// What a cast means in Trino, where that is not Arrow's.
fn cast_of(expr: &Expr, to: &DataType, lenient: bool, schema: &DFSchema) -> Result<Option<Expr>> {
    let Ok(from) = expr.get_type(schema) else { return Ok(None) };
    let mut to = to.clone();
    if let DataType::Timestamp(unit, zone) = &to {
        use arrow::datatypes::TimeUnit::{Millisecond, Nanosecond};
        let literal = expr.as_literal().and_then(|value| value.try_as_str().flatten());
        match (zone, literal) {
            // `TIMESTAMP '…'`; text that is none is told when it is cast, so that TRY can catch it.
            (None, Some(literal)) if *unit == Nanosecond && !lenient => {
                if let Ok(value) = stamp_literal(literal) {
                    return Ok(Some(Expr::Literal(value, None)));
                }
            }
            // `AT TIME ZONE`, which keeps the digits there are.
            (Some(zone), _) if *unit == Nanosecond => {
                let name = super::functions::time::zone_name(zone)?;
                let unit = match &from {
                    DataType::Timestamp(unit, _) => *unit,
                    _ => Millisecond,
                };
                to = DataType::Timestamp(unit, Some(name));
                if from == to {
                    return Ok(Some(expr.clone()));
                }
            }
            _ => {}
        }
    }
    if !TimeCast::covers(&from, &to) {
        return Ok(None);
    }
    let function = Arc::new(TimeCast::udf(to, lenient));
    Ok(Some(Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![expr.clone()]))))
}
