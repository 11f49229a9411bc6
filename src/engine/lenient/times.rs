//! Text compared with a timestamp, a date or a boolean: `eventtime > current_timestamp - interval '7' day`.
//!
//! Athena refuses that. What is meant is the instant that the text tells, so that is compared: ISO
//! 8601 text, with a space for the `T` too, in UTC where it has no zone. Text that tells no time is
//! NULL, and its row is none that was asked for; it is no error, which would take the other rows along.
//!
//! `readonly` is text in Athena's table and a boolean in `CloudTrail` Lake's, so text beside a boolean is
//! taken for the boolean that it tells, too.
//!
//! Only text from rows is meant here. A literal beside a timestamp is how `CloudTrail` Lake's own
//! queries are written.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{Array, ArrayRef, BooleanArray, Int64Builder},
    compute::cast,
    datatypes::{DataType, TimeUnit},
};
use datafusion::{
    common::{
        Column, DFSchema, ScalarValue,
        config::ConfigOptions,
        exec_err,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    error::Result,
    logical_expr::{
        BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs,
        ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        expr::{Between, InList, ScalarFunction},
        planner::{PlannerResult, RawBinaryExpr},
    },
    optimizer::AnalyzerRule,
    sql::sqlparser::ast::BinaryOperator,
};

use super::{Kind, Place, Taken};
use crate::engine::{
    analyze,
    functions::{json::Text, time::instant_of_text},
};

/// The name of the function that reads the instant, which users do not call.
pub(in crate::engine) const INSTANT: &str = "instant_of";

/// Has text that is compared with a time be read as one.
#[derive(Debug)]
pub(in crate::engine) struct TextTimes;

impl AnalyzerRule for TextTimes {
    fn name(&self) -> &'static str {
        "text_times"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        analyze::map_expressions(plan, |expr, schema| Ok(rewrite_expr(expr, schema)))
    }
}

/// What text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Instant(TimeUnit),
    Boolean,
}

/// Has `text` be read so.
fn read(text: &mut Expr, reading: Option<Reading>) {
    let inner = std::mem::replace(text, Expr::Literal(ScalarValue::Null, None));
    *text = match reading {
        None => inner,
        Some(Reading::Instant(unit)) => {
            let signature = Signature::any(1, Volatility::Immutable);
            let function = ScalarUDF::new_from_impl(Instant { unit, signature });
            Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), vec![inner]))
        }
        Some(Reading::Boolean) => {
            Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&BOOLEAN), vec![inner]))
        }
    };
}

/// Text beside a boolean must be read as one before types are looked at: they do not compare at all.
pub(super) fn plan_comparison(
    expr: RawBinaryExpr,
    schema: &DFSchema,
) -> PlannerResult<RawBinaryExpr> {
    use BinaryOperator::{Eq, NotEq};
    let op = match expr.op {
        Eq => Operator::Eq,
        NotEq => Operator::NotEq,
        _ => return PlannerResult::Original(expr),
    };
    let is_boolean = |reading: &Reading| *reading == Reading::Boolean;
    let of_left = beside(&expr.left, &expr.right, schema).filter(is_boolean);
    let of_right = beside(&expr.right, &expr.left, schema).filter(is_boolean);
    if of_left.is_none() && of_right.is_none() {
        return PlannerResult::Original(expr);
    }
    let (mut left, mut right) = (Box::new(expr.left), Box::new(expr.right));
    read(&mut left, of_left);
    read(&mut right, of_right);
    PlannerResult::Planned(Expr::BinaryExpr(BinaryExpr { left, op, right }))
}

fn rewrite_expr(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { mut left, op, mut right }) if is_comparison(op) => {
            let (of_left, of_right) =
                (beside(&left, &right, schema), beside(&right, &left, schema));
            let changed = of_left.is_some() || of_right.is_some();
            read(&mut left, of_left);
            read(&mut right, of_right);
            Transformed::new_transformed(Expr::BinaryExpr(BinaryExpr { left, op, right }), changed)
        }
        Expr::Between(Between { mut expr, negated, mut low, mut high }) => {
            let value = beside(&expr, &low, schema).or_else(|| beside(&expr, &high, schema));
            let (of_low, of_high) = (beside(&low, &expr, schema), beside(&high, &expr, schema));
            let changed = value.is_some() || of_low.is_some() || of_high.is_some();
            read(&mut expr, value);
            read(&mut low, of_low);
            read(&mut high, of_high);
            Transformed::new_transformed(
                Expr::Between(Between { expr, negated, low, high }),
                changed,
            )
        }
        Expr::InList(InList { mut expr, mut list, negated }) => {
            let value = list.iter().find_map(|item| beside(&expr, item, schema));
            let items: Vec<_> = list.iter().map(|item| beside(item, &expr, schema)).collect();
            let changed = value.is_some() || items.iter().any(Option::is_some);
            read(&mut expr, value);
            for (item, unit) in list.iter_mut().zip(items) {
                read(item, unit);
            }
            Transformed::new_transformed(Expr::InList(InList { expr, list, negated }), changed)
        }
        other => Transformed::no(other),
    }
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// What `text` is read as where it is text beside a time or a boolean.
fn beside(text: &Expr, other: &Expr, schema: &DFSchema) -> Option<Reading> {
    if !matches!(text.get_type(schema).ok()?, DataType::Utf8 | DataType::Utf8View) {
        return None;
    }
    let of_rows = column_in(text).is_some();
    match other.get_type(schema).ok()? {
        DataType::Timestamp(TimeUnit::Nanosecond, _) if of_rows => {
            Some(Reading::Instant(TimeUnit::Nanosecond))
        }
        DataType::Timestamp(..) | DataType::Date32 if of_rows => {
            Some(Reading::Instant(TimeUnit::Microsecond))
        }
        DataType::Boolean => {
            let literal = text.as_literal().and_then(|value| value.try_as_str().flatten());
            let tells = |text: &str| matches!(text.to_ascii_lowercase().as_str(), "true" | "false");
            (of_rows || literal.is_some_and(tells)).then_some(Reading::Boolean)
        }
        _ => None,
    }
}

/// The first column that `expr` reads.
fn column_in(expr: &Expr) -> Option<Column> {
    let mut found = None;
    let _ = expr.apply(|expr| {
        Ok(match expr {
            Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => {
                found = Some(column.clone());
                TreeNodeRecursion::Stop
            }
            _ => TreeNodeRecursion::Continue,
        })
    });
    found
}

/// The texts in `expr` itself that are compared with times.
pub(super) fn of_expr(expr: &Expr, schema: &DFSchema, taken: &mut Vec<Taken>) {
    let mut pair = |a: &Expr, b: &Expr| {
        for (text, time) in [(a, b), (b, a)] {
            if let Expr::ScalarFunction(call) = text
                && call.func.name() == BOOLEAN.name()
                && let [text] = call.args.as_slice()
            {
                taken.push(text_boolean(text, time));
            }
            match beside(text, time, schema) {
                Some(Reading::Instant(_)) => {
                    taken.extend(column_in(text).map(|column| text_time(&column.name)));
                }
                Some(Reading::Boolean) => taken.push(text_boolean(text, time)),
                None => {}
            }
        }
    };
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
            pair(left, right);
        }
        Expr::Between(between) => {
            pair(&between.expr, &between.low);
            pair(&between.expr, &between.high);
        }
        Expr::InList(list) => list.list.iter().for_each(|item| pair(&list.expr, item)),
        _ => {}
    }
}

fn text_time(column: &str) -> Taken {
    Taken {
        kind: Kind::TextTime,
        place: Place::Names(vec![column.to_owned()]),
        written: format!("text of `{column}` beside a timestamp"),
        meant: "the instant it tells, NULL where it tells none".to_owned(),
        strict: format!("from_iso8601_timestamp({column})"),
        fault: "text cannot be compared with a timestamp".to_owned(),
    }
}

fn text_boolean(text: &Expr, boolean: &Expr) -> Taken {
    let column = column_in(text).or_else(|| column_in(boolean));
    let name = column.map_or_else(|| "it".to_owned(), |column| column.name);
    let strict = match (text.as_literal(), boolean.as_literal()) {
        (Some(text), _) => {
            let text = text.try_as_str().flatten().unwrap_or_default();
            format!("{name} = {}", text.to_ascii_lowercase())
        }
        (None, Some(boolean)) => format!("{name} = '{boolean}'"),
        _ => format!("CAST({name} AS boolean)"),
    };
    Taken {
        kind: Kind::TextBoolean,
        place: Place::Names(vec![name.clone()]),
        written: format!("text beside a boolean, for `{name}`,"),
        meant: "the boolean it tells, NULL where it tells none".to_owned(),
        strict,
        fault: "text cannot be compared with a boolean".to_owned(),
    }
}

static BOOLEAN: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Boolean { signature }))
});

/// The boolean that text tells.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Boolean {
    signature: Signature,
}

impl ScalarUDFImpl for Boolean {
    fn name(&self) -> &'static str {
        "boolean_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        of_each(&args, |texts| {
            let rows = texts.len();
            let texts = Text::of(texts)?;
            let tells = |row: usize| match texts.get(row)? {
                text if text.eq_ignore_ascii_case("true") => Some(true),
                text if text.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            };
            Ok(Arc::new((0..rows).map(tells).collect::<BooleanArray>()))
        })
    }
}

/// What `read` makes of the one argument.
fn of_each(
    args: &ScalarFunctionArgs,
    read: impl Fn(&ArrayRef) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    match args.args.first() {
        Some(ColumnarValue::Array(texts)) => Ok(ColumnarValue::Array(read(texts)?)),
        Some(ColumnarValue::Scalar(text)) => {
            let read = read(&text.to_array()?)?;
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&read, 0)?))
        }
        None => exec_err!("a text was expected"),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Instant {
    unit: TimeUnit,
    signature: Signature,
}

impl ScalarUDFImpl for Instant {
    fn name(&self) -> &'static str {
        INSTANT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(self.unit, Some("UTC".into())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        of_each(&args, |texts| self.read(texts))
    }
}

impl Instant {
    fn read(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        let rows = texts.len();
        let texts = Text::of(texts)?;
        let mut counts = Int64Builder::with_capacity(rows);
        for row in 0..rows {
            let at = texts.get(row).and_then(instant_of_text).map(|at| at.and_utc());
            counts.append_option(at.map(|at| match self.unit {
                // Beyond what such a timestamp counts it stays before or after all others.
                TimeUnit::Nanosecond => at.timestamp_nanos_opt().unwrap_or(if at.timestamp() < 0 {
                    i64::MIN
                } else {
                    i64::MAX
                }),
                _ => at.timestamp_micros(),
            }));
        }
        let counts: ArrayRef = Arc::new(counts.finish());
        Ok(cast(&counts, &self.return_type(&[])?)?)
    }
}
