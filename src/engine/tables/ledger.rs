//! `log_files`: of the ledger's rows the latest of each version of a file.

use datafusion::{
    common::Column,
    datasource::provider_as_source,
    error::Result,
    functions_window::expr_fn::row_number,
    logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, lit},
    scalar::ScalarValue,
};

use super::SnapshotTables;
use crate::cache::Table;

/// The rows with the highest `part` of their (uri, version).
pub(super) fn plan(tables: &SnapshotTables) -> Result<LogicalPlan> {
    let ledger = tables.table(Table::LogFiles);
    // Most ledgers hold one row for each file and version; the log's bounds tell.
    let one_part = match ledger.bounds("part") {
        Some((ScalarValue::Int32(Some(least)), ScalarValue::Int32(Some(most)))) => least == most,
        _ => ledger.rows() == 0,
    };
    let columns: Vec<Expr> =
        Table::LogFiles.schema().fields().iter().map(|field| column(field.name())).collect();
    let scan = LogicalPlanBuilder::scan(Table::LogFiles.name(), provider_as_source(ledger), None)?;
    if one_part {
        return scan.project(columns)?.build();
    }
    let rank = row_number()
        .partition_by(vec![column("uri"), column("version")])
        .order_by(vec![column("part").sort(false, false)])
        .build()?
        .alias("rank");
    scan.window(vec![rank])?
        .filter(Expr::Column(Column::from_name("rank")).eq(lit(1_u64)))?
        .project(columns)?
        .build()
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::new(Some(Table::LogFiles.name()), name))
}
