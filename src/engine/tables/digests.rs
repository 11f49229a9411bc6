//! What verifications found: the latest row of each file.

use datafusion::{
    common::Column as Reference,
    datasource::provider_as_source,
    error::Result,
    functions_window::expr_fn::row_number,
    logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, lit},
};

use super::SnapshotTables;
use crate::cache::Table;

/// The rows of `table` with the latest `verified_at` of their URI; a finding that no longer holds
/// is taken back by a row without a status.
pub(in crate::engine) fn plan(tables: &SnapshotTables, table: Table) -> Result<LogicalPlan> {
    let column = |name: &str| Expr::Column(Reference::new(Some(table.name()), name));
    let columns: Vec<Expr> =
        table.schema().fields().iter().map(|field| column(field.name())).collect();
    let rank = row_number()
        .partition_by(vec![column("uri")])
        .order_by(vec![column("verified_at").sort(false, false)])
        .build()?
        .alias("rank");
    let source = provider_as_source(tables.table(table));
    LogicalPlanBuilder::scan(table.name(), source, None)?
        .window(vec![rank])?
        .filter(Expr::Column(Reference::from_name("rank")).eq(lit(1_u64)))?
        .filter(column("status").is_not_null())?
        .project(columns)?
        .build()
}
