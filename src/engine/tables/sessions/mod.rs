//! `sessions`: one row for all credentials that the events tell of, with what they came from.
//!
//! The table is no plan: what a key came from is told by other events, in other accounts, in other
//! words, and a chain of them is as long as its forger likes. It is computed when the first
//! statement on a snapshot asks for it, and kept with the snapshot:
//!
//! ```text
//! events ─ gather ─► uses, issuings ─ copies ─ link ─► what each came from ─ roots ─► rows
//!          (two plans, which spill)                    (in memory, told to the pool)
//! ```

mod columns;
mod copies;
mod gather;
mod ids;
mod index;
mod json;
mod link;
mod roots;
mod texts;
mod time;
mod words;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::internal_datafusion_err,
    datasource::{TableProvider, TableType},
    error::Result,
    execution::{
        SendableRecordBatchStream, TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
        session_state::SessionState,
    },
    logical_expr::{Expr, TableProviderFilterPushDown},
    physical_plan::{
        ExecutionPlan,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
};
use tokio::sync::OnceCell;

use self::{
    gather::Gathered,
    link::{Life, Link},
};
use super::Column;
use crate::engine::types::type_name;

/// Keys issued several times whose uses are told apart; forged evidence alone has more.
const MOST_REUSED: usize = 1_000;

/// Its name.
pub(super) const NAME: &str = "sessions";

/// The columns as the user sees them.
pub(super) fn columns() -> Vec<Column> {
    let column = |column: &columns::Column| Column {
        name: column.name.to_owned(),
        sql_type: type_name(&column.ty.arrow()),
        group: "derived",
        comment: Cow::Borrowed(column.doc),
        hidden: false,
    };
    columns::COLUMNS.iter().map(column).collect()
}

/// The rows of one snapshot, once they are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Computed(Arc<OnceCell<Arc<Rows>>>);

/// The rows, as they are kept: columns are made of them when they are read.
#[derive(Debug)]
struct Rows {
    all: Gathered,
    links: Vec<Link>,
    /// The use of those rows whose keys were issued several times.
    lives: HashMap<usize, Life>,
    /// The memory that they take.
    _reserved: MemoryReservation,
}

/// The table over one snapshot.
#[derive(Debug)]
pub(in crate::engine) struct Sessions {
    schema: SchemaRef,
    computed: Computed,
}

impl Sessions {
    pub(super) fn new(computed: Computed) -> Self {
        Self { schema: columns::schema(), computed }
    }
}

/// Computes the rows over the events that `state` names.
async fn compute(state: &SessionState) -> Result<Arc<Rows>> {
    let consumer = MemoryConsumer::new("sessions");
    let reserved = consumer.register(&state.runtime_env().memory_pool);
    let mut all = Gathered::of(state, &reserved).await?;
    let index = index::Index::of(&mut all);
    let reused: Vec<String> =
        index.reused().take(MOST_REUSED).map(|key| key.spelled(&all.texts)).collect();
    let times = gather::times_of(state, &reused).await?;
    let mut links = link::links(&all, &index);
    drop(index);
    roots::settle(&mut links, &all);
    let lives = link::lives(&links, &all, &times);
    reserved.try_resize(all.bytes() + links.capacity() * size_of::<Link>())?;
    Ok(Arc::new(Rows { all, links, lives, _reserved: reserved }))
}

/// A part of the rows in some of the columns.
#[derive(Debug)]
struct Part {
    rows: Arc<Rows>,
    from: usize,
    to: usize,
    schema: SchemaRef,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (rows, to, schema) = (Arc::clone(&self.rows), self.to, Arc::clone(&self.schema));
        let n_rows = context.session_config().batch_size().max(1);
        let starts = (self.from..to).step_by(n_rows);
        let batches =
            starts.map(move |from| columns::batch(&rows, from, (from + n_rows).min(to), &schema));
        let stream = futures::stream::iter(batches);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream))
    }
}

#[async_trait]
impl TableProvider for Sessions {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // None is applied here; but what is asked for can be seen at the scan.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let over = state.as_any().downcast_ref::<SessionState>();
        let over = over.ok_or_else(|| internal_datafusion_err!("a state of another kind"))?;
        let rows = self.computed.0.get_or_try_init(|| compute(over)).await?;
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema(),
        };
        let n_parts = over.config().target_partitions().max(1);
        let n_rows = rows.links.len().div_ceil(n_parts).max(1);
        let part = |nth: usize| -> Arc<dyn PartitionStream> {
            let from = (nth * n_rows).min(rows.links.len());
            let to = (from + n_rows).min(rows.links.len());
            Arc::new(Part { rows: Arc::clone(rows), from, to, schema: Arc::clone(&schema) })
        };
        let parts = (0..n_parts).map(part).collect();
        let plan = StreamingTableExec::try_new(Arc::clone(&schema), parts, None, [], false, None)?;
        Ok(Arc::new(plan))
    }
}
