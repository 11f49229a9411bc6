//! The range of time that predicates on `eventtime` mean, for pruning.
//!
//! `from_iso8601_timestamp(eventtime) > …`, `substr(eventtime, 1, 10) = …` and the like say nothing
//! about the bounds of `eventtime`, which is text; what they ask for is known all the same, and
//! `event_ts`, by which files are sorted, has bounds.

use datafusion::{
    common::tree_node::{TreeNode, TreeNodeRecursion},
    logical_expr::{Expr, col, lit, utils::split_conjunction},
    scalar::ScalarValue,
};

use super::{DAY, asked::Asked};
use crate::engine::lenient;

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// No log is older; what looks so is no time but a number.
const FIRST: i64 = 946_684_800_000_000; // 2000-01-01

/// What `filters` say of `event_ts`, where they say it in a way that has no bounds. It follows from
/// them, so that adding it changes no answer.
pub(in crate::engine) fn window(filters: &[Expr]) -> Option<Expr> {
    let (mut from, mut to) = (None::<i64>, None::<i64>);
    for filter in filters.iter().flat_map(split_conjunction) {
        let Some(spelling) = spelling(filter) else { continue };
        let asked = Asked::of(std::slice::from_ref(filter));
        let usable = match asked.from {
            Some(from) => from >= FIRST,
            // Of a range that is open at the start, text sorts apart from time.
            None => spelling == Spelling::Instant,
        };
        if !usable {
            continue;
        }
        // Texts with an offset sort by their local time; casts to few digits round.
        let slack = if spelling == Spelling::Text { DAY } else { SECOND };
        let start = asked.from.map(|from| from.saturating_sub(slack));
        let end = asked.to.map(|to| to.saturating_add(slack));
        from = from.max(start);
        to = match (to, end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    let instant = |at: i64| lit(ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into())));
    let from = from.map(|from| col("event_ts").gt_eq(instant(from)));
    let to = to.map(|to| col("event_ts").lt_eq(instant(to)));
    let range = match (from, to) {
        (Some(from), Some(to)) => from.and(to),
        (from, to) => from.or(to)?,
    };
    // A time that could not be read may be what is asked for.
    Some(range.or(col("event_ts").is_null()))
}

/// How a predicate spells the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// As text.
    Text,
    /// As instants that the text is read as.
    Instant,
}

/// How `filter` spells the time of an event; nothing where it does not tell one.
fn spelling(filter: &Expr) -> Option<Spelling> {
    let mut found = None;
    let _ = filter.apply(|expr| {
        Ok(match expr {
            Expr::Column(column) if column.name == "eventtime" => {
                found = Some(Spelling::Text);
                TreeNodeRecursion::Stop
            }
            Expr::ScalarFunction(call)
                if matches!(call.func.name(), "date_format" | "format_datetime") =>
            {
                found = Some(Spelling::Text);
                TreeNodeRecursion::Stop
            }
            Expr::Cast(_) | Expr::TryCast(_) | Expr::ScalarFunction(_) if reads_time(expr) => {
                found = Some(Spelling::Instant);
                TreeNodeRecursion::Jump
            }
            _ => TreeNodeRecursion::Continue,
        })
    });
    found
}

/// Whether `expr` reads `eventtime` as an instant, or the day or hour of one.
fn reads_time(expr: &Expr) -> bool {
    match expr {
        Expr::Column(column) => column.name == "eventtime",
        Expr::Cast(cast) => cast.field.data_type().is_temporal() && reads_time(&cast.expr),
        Expr::TryCast(cast) => cast.field.data_type().is_temporal() && reads_time(&cast.expr),
        Expr::ScalarFunction(call) => {
            let name = call.func.name();
            let reads = name == "from_iso8601_timestamp"
                || name == "date_parse"
                || name == "parse_datetime"
                || name == lenient::INSTANT
                || name.starts_with("to_timestamp");
            reads && call.args.first().is_some_and(reads_time)
        }
        _ => false,
    }
}
