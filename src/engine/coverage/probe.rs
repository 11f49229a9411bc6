//! Whether the cache holds any event of an account, a region, a category; asked once for each
//! value and snapshot.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{array::AsArray, datatypes::TimestampMicrosecondType};
use datafusion::{
    datasource::provider_as_source,
    error::Result,
    execution::session_state::SessionState,
    functions_aggregate::expr_fn::{max, min},
    logical_expr::{Expr, LogicalPlanBuilder, ident, lit},
    physical_plan::execute_stream,
};
use futures::StreamExt;

use super::history::{self, EventHistory};
use crate::{
    cache::Table,
    engine::{ddl::Catalogue, tables::SnapshotTables},
};

/// A question: columns and the values they must have.
type Key = Vec<(&'static str, String)>;

/// A question of the cache, or of the declared table of this name and these declarations.
type Question = (Option<usize>, Key);

/// The question `key` of `table`; a catalogue lives as long as the snapshot whose answers these
/// are, or was put aside and is not asked again.
fn question(table: Option<&Arc<Catalogue>>, key: &Key) -> Question {
    (table.map(|table| table.number), key.clone())
}

/// The first and last event, in microseconds.
type Span = (i64, i64);

/// What has been found out about one snapshot.
#[derive(Debug, Default)]
pub(in crate::engine) struct Probes {
    any: Mutex<HashMap<Question, bool>>,
    spans: Mutex<HashMap<Question, Option<Span>>>,
    histories: tokio::sync::OnceCell<Vec<EventHistory>>,
}

fn filter(table: Option<&Arc<Catalogue>>, key: &Key) -> Expr {
    let own = table.map(|table| table.is_own(ident("source_file")));
    let conditions = key.iter().map(|(column, value)| ident(*column).eq(lit(value.clone())));
    own.into_iter().chain(conditions).reduce(Expr::and).unwrap_or_else(|| lit(true))
}

impl Probes {
    /// The event histories in the cache.
    pub(super) async fn histories(&self, state: &SessionState) -> Result<&[EventHistory]> {
        let histories = self.histories.get_or_try_init(|| history::of_cache(state));
        histories.await.map(Vec::as_slice)
    }

    /// Whether there is any event that `key` describes. Ends at the first one it finds; bounds,
    /// dictionaries and bloom filters make the search for one that is not there cheap.
    pub(super) async fn any(
        &self,
        key: Key,
        table: Option<&Arc<Catalogue>>,
        state: &SessionState,
        tables: &SnapshotTables,
    ) -> Result<bool> {
        let asked = question(table, &key);
        if let Some(known) = self.any.lock().unwrap_or_else(PoisonError::into_inner).get(&asked) {
            return Ok(*known);
        }
        let events = provider_as_source(tables.table(Table::Events));
        let plan = LogicalPlanBuilder::scan(Table::Events.name(), events, None)?
            .filter(filter(table, &key))?
            .project(vec![lit(1_i64)])?
            .limit(0, Some(1))?
            .build()?;
        let plan = state.create_physical_plan(&plan).await?;
        let mut rows = execute_stream(plan, state.task_ctx())?;
        let mut any = false;
        while let Some(batch) = rows.next().await {
            if batch?.num_rows() > 0 {
                any = true;
                break;
            }
        }
        self.any.lock().unwrap_or_else(PoisonError::into_inner).insert(asked, any);
        Ok(any)
    }

    /// The first and last of the events that `key` describes.
    pub(super) async fn span(
        &self,
        key: Key,
        table: Option<&Arc<Catalogue>>,
        state: &SessionState,
        tables: &SnapshotTables,
    ) -> Result<Option<Span>> {
        let asked = question(table, &key);
        if let Some(known) = self.spans.lock().unwrap_or_else(PoisonError::into_inner).get(&asked) {
            return Ok(*known);
        }
        let events = provider_as_source(tables.table(Table::Events));
        let plan = LogicalPlanBuilder::scan(Table::Events.name(), events, None)?
            .filter(filter(table, &key))?
            .aggregate(Vec::<Expr>::new(), vec![min(ident("event_ts")), max(ident("event_ts"))])?
            .build()?;
        let plan = state.create_physical_plan(&plan).await?;
        let mut rows = execute_stream(plan, state.task_ctx())?;
        let mut span = None;
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            if let ([least, most], true) = (batch.columns(), batch.num_rows() > 0) {
                let value = |column: &arrow::array::ArrayRef| {
                    let column = column.as_primitive_opt::<TimestampMicrosecondType>()?;
                    column.iter().next().flatten()
                };
                span = value(least).zip(value(most));
            }
        }
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).insert(asked, span);
        Ok(span)
    }
}
