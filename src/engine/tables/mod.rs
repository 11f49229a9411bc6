//! The tables SQL sees: their names, their columns, and the plans behind them.
//!
//! Each is a logical plan over [`scan::ParquetTable`]s. DataFusion inlines the plan where the
//! table is named, pushes predicates through it and drops what nothing asks for: a column that
//! is computed costs nothing until a statement names it.

mod dictionaries;
pub(super) mod digests;
mod lake;
mod ledger;
mod logs;
pub(super) mod scan;
mod sessions;
mod stats;
mod views;

use std::{borrow::Cow, sync::Arc};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    datasource::{TableProvider, TableType, ViewTable},
    error::Result,
    execution::object_store::ObjectStoreUrl,
    logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown},
    physical_plan::ExecutionPlan,
};

use super::{computed::Members, coverage::Probes, ddl::Catalogues, types::type_name};
use crate::{
    cache::{N_TABLES, Snapshot, Table},
    logs::cloudtrail::schema::{self, Group},
};
pub(super) use dictionaries::{FEW_TEXTS, with_dictionaries};
pub(super) use logs::{event_column, stored_column};
use scan::ParquetTable;
pub(super) use sessions::Sessions;

/// The tables of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Relation {
    /// `cloudtrail_logs`: the events in Athena's schema.
    Logs,
    /// `cloudtrail_lake`: the same events in CloudTrail Lake's schema.
    Lake,
    /// `cloudtrail_aggregated`.
    Aggregated,
    /// `log_files`: the ledger, the latest row of each version of a file.
    LogFiles,
    /// `duplicates`.
    Duplicates,
    /// `rejects`.
    Rejects,
    /// `digest_files`: the latest finding of each digest file.
    DigestFiles,
    /// `digest_verdicts`: the latest finding of each log file.
    DigestVerdicts,
    /// `sessions`: credentials, and what they came from.
    Sessions,
}

impl Relation {
    /// All of them, as `SHOW TABLES` lists them.
    pub(super) const ALL: [Self; 9] = [
        Self::Logs,
        Self::Lake,
        Self::Aggregated,
        Self::LogFiles,
        Self::Duplicates,
        Self::Rejects,
        Self::DigestFiles,
        Self::DigestVerdicts,
        Self::Sessions,
    ];

    /// Its own name: that of the table it shows, where it is one of the cache's.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Logs => Table::Events.name(),
            Self::Lake => "cloudtrail_lake",
            Self::Aggregated => Table::Aggregated.name(),
            Self::LogFiles => Table::LogFiles.name(),
            Self::Duplicates => Table::Duplicates.name(),
            Self::Rejects => Table::Rejects.name(),
            Self::DigestFiles => Table::DigestFiles.name(),
            Self::DigestVerdicts => Table::DigestVerdicts.name(),
            Self::Sessions => sessions::NAME,
        }
    }

    /// What its rows are.
    pub(super) fn comment(self) -> &'static str {
        match self {
            Self::Logs => {
                "management, data, Insight and network-activity events, in Athena's schema"
            }
            Self::Lake => "the same events, in CloudTrail Lake's schema",
            Self::Aggregated => "aggregated data events, one row per dimension bucket",
            Self::LogFiles => "every file or archive member met, its hashes and its outcome",
            Self::Duplicates => "copies of events that were not written again",
            Self::Rejects => "what stood in a record's place and could not be written",
            Self::DigestFiles => "what verifications found of digest files, the latest of each",
            Self::DigestVerdicts => "what verifications found of log files, the latest of each",
            Self::Sessions => "all credentials that events tell of, and what each came from",
        }
    }

    /// The table that `name` (in lower case) means, without the names that the user maps.
    ///
    /// `cloudtrail` is the name of AWS's security analytics samples; a GUID is the id of an event
    /// data store, as `CloudTrail` Lake's queries name it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "cloudtrail" => Some(Self::Logs),
            _ if uuid::Uuid::try_parse(name).is_ok_and(|_| name.len() == 36) => Some(Self::Lake),
            _ => Self::ALL.into_iter().find(|relation| relation.name() == name),
        }
    }

    /// Its columns, those of `SELECT *` first.
    pub(super) fn columns(self) -> Vec<Column> {
        match self {
            Self::Logs => logs::columns(),
            Self::Lake => lake::columns(),
            Self::Aggregated => stored(schema::aggregated_columns()),
            Self::LogFiles => ledger::file_columns(books(Table::LogFiles)),
            Self::Duplicates => books(Table::Duplicates),
            Self::Rejects => ledger::reject_columns(books(Table::Rejects)),
            Self::DigestFiles => books(Table::DigestFiles),
            Self::DigestVerdicts => books(Table::DigestVerdicts),
            Self::Sessions => sessions::columns(),
        }
    }

    /// The plan behind it, over `tables`.
    pub(super) fn provider(self, tables: &SnapshotTables) -> Result<Arc<dyn TableProvider>> {
        let plan = match self {
            Self::Logs => logs::plan(tables)?,
            Self::Lake => lake::plan(tables)?,
            Self::LogFiles => ledger::plan(tables)?,
            Self::Aggregated => return Ok(tables.table(Table::Aggregated)),
            Self::Duplicates => return Ok(tables.table(Table::Duplicates)),
            Self::Rejects => ledger::rejects(tables)?,
            Self::DigestFiles => digests::plan(tables, Table::DigestFiles)?,
            Self::DigestVerdicts => digests::plan(tables, Table::DigestVerdicts)?,
            Self::Sessions => return Ok(Arc::new(Sessions::new(tables.sessions.clone()))),
        };
        Ok(presented(plan))
    }
}

/// The column that says what verification found of a row's file.
const DIGEST_STATUS: &str = "digest_status";

const DIGEST_STATUS_DOC: &str = "What `trailhound verify` found of its file: `valid`, `invalid`, `unverifiable`, `undigested`; \
     NULL where this content was not verified.";

/// A table that is `plan`.
pub(super) fn presented(plan: LogicalPlan) -> Arc<dyn TableProvider> {
    Arc::new(Presented { view: ViewTable::new(plan, None) })
}

/// A column as the user sees it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// Its name, lower-case.
    pub(super) name: String,
    /// Its type in Athena's words.
    pub(super) sql_type: String,
    /// Why it is there, in a word.
    pub(super) group: &'static str,
    /// What it holds.
    pub(super) comment: Cow<'static, str>,
    /// Whether `SELECT *` leaves it out.
    pub(super) hidden: bool,
}

/// The word for a group in `DESCRIBE`.
fn group_word(group: Group) -> &'static str {
    match group {
        Group::Athena => "athena",
        Group::Companion => "derived",
        Group::Field => "field",
        Group::Envelope => "envelope",
        Group::Partition => "partition",
        Group::Provenance => "provenance",
    }
}

/// The columns of a table of events as they are stored, those of `SELECT *` first.
fn stored(columns: &[schema::Column]) -> Vec<Column> {
    columns
        .iter()
        .map(|column| Column {
            name: column.name.to_owned(),
            sql_type: type_name(&column.ty.arrow()),
            group: group_word(column.group),
            comment: Cow::Borrowed(column.doc),
            hidden: column.group != Group::Athena,
        })
        .collect()
}

/// The columns of a table of the books; `SELECT *` gives them all.
fn books(table: Table) -> Vec<Column> {
    crate::cache::tables::columns(table)
        .iter()
        .map(|column| Column {
            name: column.name.to_owned(),
            sql_type: type_name(&column.data_type),
            group: "ledger",
            comment: Cow::Borrowed(column.doc),
            hidden: false,
        })
        .collect()
}

/// The Parquet tables of one snapshot, and what was computed about it; shared by all statements
/// that run on it.
#[derive(Debug)]
pub(super) struct SnapshotTables {
    /// [`Snapshot::version`].
    pub(super) version: u64,
    tables: [Arc<ParquetTable>; N_TABLES],
    /// The rows that `id_conflict` and `superseded` name.
    pub(super) members: Arc<Members>,
    /// What has been asked about coverage.
    pub(super) probes: Probes,
    /// The files of declared tables.
    pub(super) catalogues: Catalogues,
    /// The rows of `sessions`.
    sessions: sessions::Computed,
}

impl SnapshotTables {
    /// Reads the file lists and statistics of `snapshot`, whose files are in `store`.
    pub(super) fn new(snapshot: &Snapshot, store: &ObjectStoreUrl) -> Self {
        let version = snapshot.version();
        let tables = Table::ALL
            .map(|table| Arc::new(ParquetTable::new(table, snapshot.files(table), store.clone())));
        Self {
            version,
            tables,
            members: Arc::new(Members::new(version)),
            probes: Probes::default(),
            catalogues: Catalogues::default(),
            sessions: sessions::Computed::default(),
        }
    }

    /// The Parquet files of `table` as a table.
    pub(super) fn table(&self, table: Table) -> Arc<ParquetTable> {
        let index = Table::ALL.iter().position(|t| *t == table).unwrap_or_default();
        let [first, ..] = &self.tables;
        Arc::clone(self.tables.get(index).unwrap_or(first))
    }

    /// The rows of `table`, from the transaction log.
    pub(super) fn rows(&self, table: Table) -> u64 {
        self.table(table).rows()
    }
}

/// A plan that calls itself a table, for `information_schema`.
#[derive(Debug)]
struct Presented {
    view: ViewTable,
}

#[async_trait]
impl TableProvider for Presented {
    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        self.view.get_logical_plan()
    }

    fn schema(&self) -> SchemaRef {
        self.view.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.view.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.view.scan(state, projection, filters, limit).await
    }
}
