//! A declared table as a plan over the events of the cache.

use std::sync::Arc;

use datafusion::{
    common::{Column as Reference, JoinType},
    datasource::{MemTable, TableProvider, provider_as_source},
    error::Result,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, not},
};

use super::{
    columns,
    partitions::{Catalogue, times},
    store::DeclaredTable,
};
use crate::{
    cache::{OF_THE_COPY, Table},
    engine::{
        computed,
        tables::{Column, Relation, SnapshotTables, event_column, presented, stored_column},
        types::type_name,
    },
    logs::cloudtrail::schema,
};

/// The scan of the events of which copies are sought: it asks for nothing of its own.
pub(in crate::engine) const ORIGINALS: &str = "originals";

/// What ends the name of a table's partitions, as Athena names them.
pub(in crate::engine) const PARTITIONS_SUFFIX: &str = "$partitions";

impl DeclaredTable {
    /// Its columns: those declared, the partition columns, and hidden ones of `cloudtrail_logs`.
    pub(in crate::engine) fn columns(&self) -> Vec<Column> {
        let declared = self.declaration.columns.iter().map(|column| (column, "declared"));
        let partitions = self.declaration.partitions.iter().map(|column| (column, "partition"));
        let shown = declared.chain(partitions).map(|(column, group)| Column {
            name: column.name.clone(),
            sql_type: type_name(&column.ty.arrow()),
            group,
            comment: column.comment.clone().unwrap_or_default().into(),
            hidden: false,
        });
        let mut columns: Vec<Column> = shown.collect();
        for column in Relation::Logs.columns() {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(Column { hidden: true, ..column });
            }
        }
        columns
    }
}

/// The table of `catalogue`, over the events of `tables`.
pub(in crate::engine) fn provider(
    catalogue: &Arc<Catalogue>,
    tables: &SnapshotTables,
) -> Result<Arc<dyn TableProvider>> {
    let events = tables.table(Table::Events);
    let kept = LogicalPlanBuilder::scan(Table::Events.name(), provider_as_source(events), None)?
        .filter(catalogue.is_own(stored_column("source_file")))?;
    let mut plan = select(catalogue, tables, current(catalogue, tables, kept)?)?;
    if catalogue.has_copies {
        let copies = select(catalogue, tables, copies(catalogue, tables)?)?;
        plan = LogicalPlanBuilder::from(plan).union(copies)?.build()?;
    }
    Ok(presented(plan))
}

/// Without the rows of what files held before they changed: they lie there no more.
fn current(
    catalogue: &Arc<Catalogue>,
    tables: &SnapshotTables,
    rows: LogicalPlanBuilder,
) -> Result<LogicalPlanBuilder> {
    if catalogue.changed == 0 {
        return Ok(rows);
    }
    let (file, version) = (stored_column("source_file"), stored_column("source_version"));
    rows.filter(not(computed::superseded(&tables.members, file, version)))
}

/// The table's columns, over rows that have the stored ones.
fn select(
    catalogue: &Arc<Catalogue>,
    tables: &SnapshotTables,
    rows: LogicalPlanBuilder,
) -> Result<LogicalPlan> {
    let declaration = &catalogue.table.declaration;
    let mut exprs: Vec<Expr> = declaration
        .columns
        .iter()
        .map(|column| columns::expression(column).alias(&column.name))
        .collect();
    for (at, column) in declaration.partitions.iter().enumerate() {
        exprs.push(catalogue.value(at, stored_column("source_file")).alias(&column.name));
    }
    for column in catalogue.table.columns() {
        if column.hidden {
            exprs.push(event_column(&column.name, tables).alias(&column.name));
        }
    }
    rows.project(exprs)?.build()
}

/// The events of which a file of the table has a copy, each with the place of that copy.
fn copies(catalogue: &Arc<Catalogue>, tables: &SnapshotTables) -> Result<LogicalPlanBuilder> {
    let of = |relation: &str, name: &str| Expr::Column(Reference::new(Some(relation), name));
    let copies = Table::Duplicates.name();
    let source = provider_as_source(tables.table(Table::Duplicates));
    let mut own = LogicalPlanBuilder::scan(copies, source, None)?
        .filter(catalogue.is_own(of(copies, "source_file")))?;
    if catalogue.changed > 0 {
        let (file, version) = (of(copies, "source_file"), of(copies, "source_version"));
        own = own.filter(not(computed::superseded(&tables.members, file, version)))?;
    }
    let source = provider_as_source(tables.table(Table::Events));
    let mut originals = LogicalPlanBuilder::scan(ORIGINALS, source, None)?;
    // A copy has the time of the event it is a copy of.
    if let Some(within) = times(&catalogue.partitions, &of(ORIGINALS, "event_ts")) {
        originals = originals.filter(within)?;
    }
    let originals = originals.build()?;
    let keys = |relation: &str, names: [&str; 3]| -> Vec<Reference> {
        names.map(|name| Reference::new(Some(relation), name)).into()
    };
    let columns = schema::columns().iter().map(|column| {
        let from = if OF_THE_COPY.contains(&column.name) { copies } else { ORIGINALS };
        of(from, column.name).alias(column.name)
    });
    own.join(
        originals,
        JoinType::Inner,
        (
            keys(copies, ["of_file", "of_version", "of_record_no"]),
            keys(ORIGINALS, ["source_file", "source_version", "record_no"]),
        ),
        // Of the same event, so of the same time: rows are sorted by it.
        Some(
            of(copies, "event_ts")
                .eq(of(ORIGINALS, "event_ts"))
                .or(of(copies, "event_ts").is_null().and(of(ORIGINALS, "event_ts").is_null())),
        ),
    )?
    .project(columns)?
    .alias(Table::Events.name())
}

/// The partitions of `catalogue` as a table.
pub(in crate::engine) fn partitions(catalogue: &Catalogue) -> Result<Arc<dyn TableProvider>> {
    let rows = catalogue.rows()?;
    Ok(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?))
}
