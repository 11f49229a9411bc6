//! `cloudtrail_logs`: the events as stored, and the columns that published queries assume.

use std::borrow::Cow;

use datafusion::{
    common::Column as Reference,
    datasource::provider_as_source,
    error::Result,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder},
};

use super::{Column, DIGEST_STATUS, DIGEST_STATUS_DOC, SnapshotTables, stored};
use crate::{
    cache::Table,
    engine::computed::{self, DayFormat},
    logs::cloudtrail::schema,
};

/// A column that is computed from stored ones when a statement names it.
struct Virtual {
    name: &'static str,
    sql_type: &'static str,
    group: &'static str,
    comment: &'static str,
}

const fn partition(name: &'static str, comment: &'static str) -> Virtual {
    Virtual { name, sql_type: "varchar", group: "partition", comment }
}

/// The partition columns of the tables that AWS's documents and samples create, and three marks.
const VIRTUAL: &[Virtual] = &[
    partition("year", "Year of `delivery_date`, `2024`."),
    partition("month", "Month of `delivery_date`, `01` to `12`."),
    partition("day", "Day of `delivery_date`, `01` to `31`."),
    partition("date", "`delivery_date` as text, `2024-01-02`."),
    partition(
        "timestamp",
        "`delivery_date` as text, `2024/01/02`: the partition of AWS's table with projection.",
    ),
    partition(
        "date_partition",
        "`delivery_date` as text, `2024/01/02`: the partition of AWS's security analytics samples.",
    ),
    partition("dt", "`delivery_date` as text, `2024/01/02`."),
    partition("region_partition", "`region`."),
    partition("account_partition", "`account`."),
    Virtual {
        name: "$path",
        sql_type: "varchar",
        group: "provenance",
        comment: "`source_file`, by Athena's name for the file a row was read from.",
    },
    Virtual {
        name: "id_conflict",
        sql_type: "boolean",
        group: "provenance",
        comment: "Whether another row has the same recipient account and event id with other content.",
    },
    Virtual {
        name: "superseded",
        sql_type: "boolean",
        group: "provenance",
        comment: "Whether the file at this URI was met again with other content: this row is of an earlier version.",
    },
    Virtual {
        name: DIGEST_STATUS,
        sql_type: "varchar",
        group: "provenance",
        comment: DIGEST_STATUS_DOC,
    },
];

/// The columns, those of `SELECT *` first.
pub(super) fn columns() -> Vec<Column> {
    let mut columns = stored(schema::columns());
    columns.extend(VIRTUAL.iter().map(|column| Column {
        name: column.name.to_owned(),
        sql_type: column.sql_type.to_owned(),
        group: column.group,
        comment: Cow::Borrowed(column.comment),
        hidden: true,
    }));
    columns
}

/// The stored columns and the virtual ones, over the events of `tables`.
pub(super) fn plan(tables: &SnapshotTables) -> Result<LogicalPlan> {
    let events = tables.table(Table::Events);
    let mut columns: Vec<Expr> =
        schema::columns().iter().map(|column| stored_column(column.name)).collect();
    columns.extend(VIRTUAL.iter().map(|column| virtual_column(column.name, tables)));
    LogicalPlanBuilder::scan(Table::Events.name(), provider_as_source(events), None)?
        .project(columns)?
        .build()
}

/// A column of `cloudtrail_logs`, stored or virtual.
pub(in crate::engine) fn event_column(name: &str, tables: &SnapshotTables) -> Expr {
    if virtual_names().any(|known| known == name) {
        virtual_column(name, tables)
    } else {
        stored_column(name)
    }
}

/// A column of the scan below.
pub(in crate::engine) fn stored_column(name: &str) -> Expr {
    Expr::Column(Reference::new(Some(Table::Events.name()), name))
}

/// The expression behind a virtual column.
pub(super) fn virtual_column(name: &str, tables: &SnapshotTables) -> Expr {
    let day = |format| computed::day_text(format, stored_column("delivery_date"));
    let members = &tables.members;
    match name {
        "year" => day(DayFormat::Year),
        "month" => day(DayFormat::Month),
        "day" => day(DayFormat::Day),
        "date" => day(DayFormat::Dashes),
        "region_partition" => stored_column("region"),
        "account_partition" => stored_column("account"),
        "$path" => stored_column("source_file"),
        "id_conflict" => computed::id_conflict(
            members,
            stored_column("recipientaccountid"),
            stored_column("eventid"),
        ),
        "superseded" => computed::superseded(
            members,
            stored_column("source_file"),
            stored_column("source_version"),
        ),
        DIGEST_STATUS => computed::digest_status(
            members,
            stored_column("source_file"),
            stored_column("source_version"),
        ),
        _ => day(DayFormat::Slashes),
    }
    .alias(name)
}

/// The names of the virtual columns.
pub(super) fn virtual_names() -> impl Iterator<Item = &'static str> {
    VIRTUAL.iter().map(|column| column.name)
}
