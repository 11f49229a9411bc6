use std::collections::BTreeSet;

use datafusion::{
    logical_expr::{Expr, ident, lit},
    scalar::ScalarValue,
};

use super::{asked::Asked, instant};

/// 2023-07-10T00:00:00Z in microseconds.
const JULY_10: i64 = 1_688_947_200_000_000;
const HOUR: i64 = super::HOUR;
const DAY: i64 = super::DAY;

fn range(filter: Expr) -> (Option<i64>, Option<i64>) {
    let asked = Asked::of(&[filter]);
    (asked.from, asked.to)
}

#[expect(clippy::unnecessary_wraps, reason = "as the fields it is compared with")]
fn set(values: &[&str]) -> Option<BTreeSet<String>> {
    Some(values.iter().map(|value| (*value).to_owned()).collect())
}

#[test]
fn text_compares_as_the_instants_it_begins() {
    let time = || ident("eventtime");
    assert_eq!(range(time().gt_eq(lit("2023-07-10"))), (Some(JULY_10), None));
    assert_eq!(range(time().lt(lit("2023-07-11"))), (None, Some(JULY_10 + DAY)));
    assert_eq!(range(time().lt(lit("2023-07-10T12:00:00Z"))), (None, Some(JULY_10 + 12 * HOUR)));
    assert_eq!(range(time().gt(lit("2023-07-10 01"))), (Some(JULY_10 + HOUR), None));
    assert_eq!(range(time().gt(lit("soon"))), (None, None));
}

#[test]
fn a_prefix_is_all_that_begins_with_it() {
    let like = |pattern: &str| range(ident("eventtime").like(lit(pattern)));
    assert_eq!(like("2023-07-10%"), (Some(JULY_10), Some(JULY_10 + DAY)));
    assert_eq!(like("2023-07-10T05:3%"), (Some(JULY_10 + 5 * HOUR), Some(JULY_10 + 6 * HOUR)));
    assert_eq!(like("2023-07-1_T00%"), (Some(JULY_10 - 9 * DAY), Some(JULY_10 + 22 * DAY)));
    assert_eq!(like("%Z"), (None, None));
}

#[test]
fn days_reach_to_their_end() {
    let day = |days| lit(ScalarValue::Date32(Some(days)));
    let july_10 = i32::try_from(JULY_10 / DAY).unwrap();
    let column = || ident("delivery_date");
    assert_eq!(range(column().eq(day(july_10))), (Some(JULY_10), Some(JULY_10 + DAY)));
    assert_eq!(range(column().lt_eq(day(july_10))), (None, Some(JULY_10 + DAY)));
    assert_eq!(range(column().gt(day(july_10))), (Some(JULY_10 + DAY), None));
}

#[test]
fn both_narrow_and_either_widens() {
    let from = || ident("eventtime").gt_eq(lit("2023-07-10"));
    let to = || ident("eventtime").lt(lit("2023-07-11"));
    let later = || ident("eventtime").gt_eq(lit("2023-07-12"));
    assert_eq!(range(from().and(to())), (Some(JULY_10), Some(JULY_10 + DAY)));
    assert_eq!(range(from().or(later())), (Some(JULY_10), None));
    assert_eq!(range(from().or(ident("eventname").eq(lit("x")))), (None, None));
    assert_eq!(range(!from()), (None, None));
}

#[test]
fn values_are_those_a_row_may_have() {
    let account = |id: &str| ident("recipientaccountid").eq(lit(id));
    assert_eq!(Asked::of(&[account("1").or(account("2"))]).accounts, set(&["1", "2"]));
    assert_eq!(Asked::of(&[account("1"), account("2")]).accounts, set(&[]));
    let listed = ident("awsregion").in_list(vec![lit("a"), lit("b")], false);
    assert_eq!(Asked::of(&[listed]).regions, set(&["a", "b"]));
    let unlisted = ident("awsregion").in_list(vec![lit("a"), lit("b")], true);
    assert_eq!(Asked::of(&[unlisted]).regions, None);
    assert_eq!(Asked::of(&[account("1").or(ident("x").eq(lit("y")))]).accounts, None);
}

#[test]
fn an_instant_is_as_short_as_it_can_be() {
    assert_eq!(instant(JULY_10), "2023-07-10");
    assert_eq!(instant(JULY_10 + HOUR), "2023-07-10T01:00:00Z");
}
