//! Text compared with a timestamp or a date: `eventtime > current_timestamp - interval '7' day`.
//!
//! Athena refuses that. What is meant is the instant that the text tells, so that is compared: ISO
//! 8601 text, with a space for the `T` too, in UTC where it has no zone. Text that tells no time is
//! NULL, and its row is none that was asked for; it is no error, which would take the other rows along.
//!
//! Only text from rows is meant here. A literal beside a timestamp is how `CloudTrail` Lake's own
//! queries are written.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, Int64Builder},
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
    },
    optimizer::AnalyzerRule,
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

fn rewrite_expr(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let read = |text: &mut Expr, unit: Option<TimeUnit>| {
        let Some(unit) = unit else { return };
        let inner = std::mem::replace(text, Expr::Literal(ScalarValue::Null, None));
        let signature = Signature::any(1, Volatility::Immutable);
        let function = ScalarUDF::new_from_impl(Instant { unit, signature });
        *text = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), vec![inner]));
    };
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

/// The precision that `text` is read with where it is text of rows beside a time.
fn beside(text: &Expr, time: &Expr, schema: &DFSchema) -> Option<TimeUnit> {
    let is_text = matches!(text.get_type(schema).ok()?, DataType::Utf8 | DataType::Utf8View);
    let unit = match time.get_type(schema).ok()? {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => TimeUnit::Nanosecond,
        DataType::Timestamp(..) | DataType::Date32 => TimeUnit::Microsecond,
        _ => return None,
    };
    (is_text && column_in(text).is_some()).then_some(unit)
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
            if beside(text, time, schema).is_some()
                && let Some(column) = column_in(text)
            {
                taken.push(text_time(&column.name));
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
        match args.args.first() {
            Some(ColumnarValue::Array(texts)) => Ok(ColumnarValue::Array(self.read(texts)?)),
            Some(ColumnarValue::Scalar(text)) => {
                let read = self.read(&text.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&read, 0)?))
            }
            None => exec_err!("a text was expected"),
        }
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
