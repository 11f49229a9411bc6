//! What predicates on partition columns ask for, in terms of the stored columns that coverage is
//! judged by: a projected date is a day of delivery, `region` a region, `account` an account.

use datafusion::{
    common::tree_node::{Transformed, TreeNode},
    error::Result,
    logical_expr::{BinaryExpr, Expr, col, lit},
    scalar::ScalarValue,
};

use super::{
    dates::DateFormat,
    hive_type::HiveType,
    partitions::{PlaceOf, place_of},
    values,
};

/// `filters` with stored columns in the place of partition columns, where it is known which they
/// are. They are for telling what is asked for, not for finding it.
pub(in crate::engine) fn in_stored_terms(filters: &[Expr]) -> Result<Vec<Expr>> {
    let each = filters.iter().cloned();
    each.map(|filter| Ok(filter.transform_down(|expr| Ok(stored(expr)))?.data)).collect()
}

fn stored(expr: Expr) -> Transformed<Expr> {
    let comparison = match &expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let format = place_of(left).and_then(date_format);
            let text = right.as_literal().and_then(ScalarValue::try_as_str).flatten();
            format.zip(text).and_then(|(format, text)| {
                let day = lit(ScalarValue::Date32(values::days(text, Some(format))));
                let is_day = values::days(text, Some(format)).is_some();
                let day = Expr::BinaryExpr(BinaryExpr::new(
                    Box::new(col("delivery_date")),
                    *op,
                    Box::new(day),
                ));
                is_day.then_some(day)
            })
        }
        _ => None,
    };
    if let Some(comparison) = comparison {
        return Transformed::yes(comparison);
    }
    match place_of(&expr).and_then(column) {
        Some(name) => Transformed::yes(col(name)),
        None => Transformed::no(expr),
    }
}

/// How the dates of a partition column are written, where it is projected as dates in text.
fn date_format(function: &PlaceOf) -> Option<&DateFormat> {
    let at = function.part?;
    let declaration = &function.catalogue.table.declaration;
    let is_text = declaration.partitions.get(at)?.ty == HiveType::String;
    declaration.projection.as_ref()?.values.get(at)?.format().filter(|_| is_text)
}

/// The stored column that a partition column is: a day where dates are projected, else by its
/// name. The dates of partitions that were added may be of anything.
fn column(function: &PlaceOf) -> Option<&'static str> {
    let declaration = &function.catalogue.table.declaration;
    let column = declaration.partitions.get(function.part?)?;
    match column.name.as_str() {
        _ if column.ty == HiveType::Date => {
            declaration.projection.as_ref().map(|_| "delivery_date")
        }
        "region" | "aws_region" | "awsregion" | "region_partition" => Some("region"),
        "account" | "account_id" | "accountid" | "account_partition" => Some("account"),
        _ => None,
    }
}
