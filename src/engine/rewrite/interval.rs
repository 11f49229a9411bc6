//! Interval literals that the planner does not read: `INTERVAL '1 02:03' DAY TO MINUTE`, and those
//! that are multiplied, `INTERVAL '5' MINUTE * 3`.
//!
//! <https://trino.io/docs/current/language/types.html#interval-day-to-second>

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DateTimeField, Expr, Interval, UnaryOperator, Value, ValueWithSpan,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Fault;

/// Rewrites `expr` where it is such an interval.
pub(super) fn interval(expr: &mut Expr) -> Result<(), Fault> {
    match expr {
        Expr::Interval(interval) => span(interval),
        Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } => {
            let product = times(left, right).or_else(|| times(right, left));
            if let Some(product) = product {
                *expr = product;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn literal(expr: &Expr) -> Option<(&str, Span)> {
    match expr {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), span }) => {
            Some((text, *span))
        }
        _ => None,
    }
}

fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Value(ValueWithSpan { value: Value::Number(number, _), .. }) => number.parse().ok(),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => whole(expr)?.checked_neg(),
        Expr::Nested(inner) => whole(inner),
        _ => None,
    }
}

/// An interval of whole units, so many times.
fn times(interval: &Expr, by: &Expr) -> Option<Expr> {
    let interval = match interval {
        Expr::Interval(interval) => interval,
        Expr::Nested(inner) => return times(inner, by),
        _ => return None,
    };
    let (text, span) = literal(&interval.value)?;
    if interval.last_field.is_some() || interval.leading_field.is_none() {
        return None;
    }
    let product = text.trim().parse::<i64>().ok()?.checked_mul(whole(by)?)?;
    let value = Value::SingleQuotedString(product.to_string());
    let value = Box::new(Expr::Value(ValueWithSpan { value, span }));
    Some(Expr::Interval(Interval { value, ..interval.clone() }))
}

/// `A TO B` as the units it counts.
fn span(interval: &mut Interval) -> Result<(), Fault> {
    let Some((text, place)) = literal(&interval.value) else { return Ok(()) };
    if interval.leading_field.is_none() && text.trim().parse::<f64>().is_ok() {
        // The planner would take it for seconds, and the unit's misspelt name for an alias.
        let message = format!("INTERVAL '{text}' has no unit");
        let help =
            Some("as in INTERVAL '1' DAY: YEAR, MONTH, DAY, HOUR, MINUTE or SECOND".to_owned());
        return Err(Fault { message, span: Some(place), help });
    }
    let (Some(first), Some(last)) = (&interval.leading_field, &interval.last_field) else {
        return Ok(());
    };
    let units: &[&str] = match (first, last) {
        (DateTimeField::Year, DateTimeField::Month) => &["years", "months"],
        (DateTimeField::Day, DateTimeField::Hour) => &["days", "hours"],
        (DateTimeField::Day, DateTimeField::Minute) => &["days", "hours", "minutes"],
        (DateTimeField::Day, DateTimeField::Second) => &["days", "hours", "minutes", "seconds"],
        (DateTimeField::Hour, DateTimeField::Minute) => &["hours", "minutes"],
        (DateTimeField::Hour, DateTimeField::Second) => &["hours", "minutes", "seconds"],
        (DateTimeField::Minute, DateTimeField::Second) => &["minutes", "seconds"],
        _ => {
            let message = format!("there is no interval {first} TO {last}");
            return Err(Fault { message, span: Some(place), help: None });
        }
    };
    let (sign, digits) = match text.trim().strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.trim()),
    };
    let parts: Vec<&str> = digits.split(['-', ' ', ':']).collect();
    let is_number = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    if parts.len() != units.len() || !parts.iter().all(is_number) {
        let message = format!("`{text}` is no interval {first} TO {last}");
        return Err(Fault { message, span: Some(place), help: None });
    }
    let words: Vec<String> =
        parts.iter().zip(units).map(|(n, unit)| format!("{sign}{n} {unit}")).collect();
    let value = Value::SingleQuotedString(words.join(" "));
    *interval.value = Expr::Value(ValueWithSpan { value, span: place });
    interval.leading_field = None;
    interval.last_field = None;
    Ok(())
}
