//! The books: `log_files` with the latest row of each version of a file, `rejects` with their
//! text as text.

use std::borrow::Cow;

use datafusion::{
    common::Column as Reference,
    datasource::provider_as_source,
    error::Result,
    functions_window::expr_fn::row_number,
    logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, lit},
    scalar::ScalarValue,
};

use super::{Column, DIGEST_STATUS, DIGEST_STATUS_DOC, SnapshotTables};
use crate::{cache::Table, engine::computed};

/// The columns of `log_files`, `digest_status` behind them.
pub(super) fn file_columns(mut columns: Vec<Column>) -> Vec<Column> {
    columns.push(Column {
        name: DIGEST_STATUS.to_owned(),
        sql_type: "varchar".to_owned(),
        group: "provenance",
        comment: Cow::Borrowed(DIGEST_STATUS_DOC),
        hidden: true,
    });
    columns
}

/// The rows with the highest `part` of their (uri, version).
pub(super) fn plan(tables: &SnapshotTables) -> Result<LogicalPlan> {
    let ledger = tables.table(Table::LogFiles);
    let part = |name: &str| column(Table::LogFiles, name);
    // Most ledgers hold one row for each file and version; the log's bounds tell.
    let one_part = match ledger.bounds("part") {
        Some((ScalarValue::Int32(Some(least)), ScalarValue::Int32(Some(most)))) => least == most,
        _ => ledger.rows() == 0,
    };
    let status =
        computed::digest_status(&tables.members, part("uri"), part("version")).alias(DIGEST_STATUS);
    let columns: Vec<Expr> = stored(Table::LogFiles).chain([status]).collect();
    let scan = LogicalPlanBuilder::scan(Table::LogFiles.name(), provider_as_source(ledger), None)?;
    if one_part {
        return scan.project(columns)?.build();
    }
    let rank = row_number()
        .partition_by(vec![part("uri"), part("version")])
        .order_by(vec![part("part").sort(false, false)])
        .build()?
        .alias("rank");
    scan.window(vec![rank])?
        .filter(Expr::Column(Reference::from_name("rank")).eq(lit(1_u64)))?
        .project(columns)?
        .build()
}

/// The name of the column that has a reject's text byte for byte.
const BYTES: &str = "bytes";

/// The columns of `rejects`: `text` is varchar there.
pub(super) fn reject_columns(mut columns: Vec<Column>) -> Vec<Column> {
    let Some(text) = columns.iter_mut().find(|column| column.name == "text") else {
        return columns;
    };
    let mut bytes = text.clone();
    BYTES.clone_into(&mut bytes.name);
    bytes.hidden = true;
    "varchar".clone_into(&mut text.sql_type);
    text.comment = Cow::Borrowed("its text as far as kept; what is no UTF-8 is replaced by U+FFFD");
    columns.push(bytes);
    columns
}

/// The rejects with their text as text; their bytes behind it.
pub(super) fn rejects(tables: &SnapshotTables) -> Result<LogicalPlan> {
    let rejects = tables.table(Table::Rejects);
    let bytes = || column(Table::Rejects, "text");
    let text = computed::lossy_text(bytes()).alias("text");
    let mut columns: Vec<Expr> = stored(Table::Rejects)
        .map(|column| if column == bytes() { text.clone() } else { column })
        .collect();
    columns.push(bytes().alias(BYTES));
    LogicalPlanBuilder::scan(Table::Rejects.name(), provider_as_source(rejects), None)?
        .project(columns)?
        .build()
}

fn stored(table: Table) -> impl Iterator<Item = Expr> {
    let fields = table.schema().fields().clone();
    let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
    names.into_iter().map(move |name| column(table, &name))
}

fn column(table: Table, name: &str) -> Expr {
    Expr::Column(Reference::new(Some(table.name()), name))
}
