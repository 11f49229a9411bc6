//! Whether the cache holds any event of an account, a region, a category; asked once for each
//! value and snapshot.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
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

use crate::{cache::Table, engine::tables::SnapshotTables};

/// A question: columns and the values they must have.
type Key = Vec<(&'static str, String)>;

/// The first and last event, in microseconds.
type Span = (i64, i64);

/// What has been found out about one snapshot.
#[derive(Debug, Default)]
pub(in crate::engine) struct Probes {
    any: Mutex<HashMap<Key, bool>>,
    spans: Mutex<HashMap<Key, Option<Span>>>,
}

fn filter(key: &Key) -> Expr {
    let conditions = key.iter().map(|(column, value)| ident(*column).eq(lit(value.clone())));
    conditions.reduce(Expr::and).unwrap_or_else(|| lit(true))
}

impl Probes {
    /// Whether there is any event that `key` describes. Ends at the first one it finds; bounds,
    /// dictionaries and bloom filters make the search for one that is not there cheap.
    pub(super) async fn any(
        &self,
        key: Key,
        state: &SessionState,
        tables: &SnapshotTables,
    ) -> Result<bool> {
        if let Some(known) = self.any.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(*known);
        }
        let events = provider_as_source(tables.table(Table::Events));
        let plan = LogicalPlanBuilder::scan(Table::Events.name(), events, None)?
            .filter(filter(&key))?
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
        self.any.lock().unwrap_or_else(PoisonError::into_inner).insert(key, any);
        Ok(any)
    }

    /// The first and last of the events that `key` describes.
    pub(super) async fn span(
        &self,
        key: Key,
        state: &SessionState,
        tables: &SnapshotTables,
    ) -> Result<Option<Span>> {
        if let Some(known) = self.spans.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(*known);
        }
        let events = provider_as_source(tables.table(Table::Events));
        let plan = LogicalPlanBuilder::scan(Table::Events.name(), events, None)?
            .filter(filter(&key))?
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
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).insert(key, span);
        Ok(span)
    }
}
