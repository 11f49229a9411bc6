//! A running query: its rows, and what is to be said beside them.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions},
    datatypes::{DataType, Schema, SchemaRef},
};
use datafusion::{
    error::Result,
    execution::{RecordBatchStream, SendableRecordBatchStream, session_state::SessionState},
    logical_expr::LogicalPlan,
    physical_plan::ExecutionPlan,
};
use futures::{Stream, StreamExt};

use super::{coverage, rewrite::Spelling, tables::SnapshotTables};

/// A running query.
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows. Dropping the stream ends the query.
    pub rows: SendableRecordBatchStream,
    /// What the user should know beside the rows: for stderr, one line each, before them.
    pub notices: Vec<String>,
    /// What is known once the rows have been read.
    pub outcome: Arc<Outcome>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("schema", &self.schema)
            .field("notices", &self.notices)
            .finish_non_exhaustive()
    }
}

/// What a query turned out to be, for its footer; grows while the rows are read.
#[derive(Debug)]
pub struct Outcome {
    rows: AtomicU64,
    /// Whether any row said something.
    found: AtomicBool,
    query: Option<Query>,
}

/// What an outcome is asked about.
pub(super) struct Query {
    pub(super) physical: Arc<dyn ExecutionPlan>,
    pub(super) logical: LogicalPlan,
    pub(super) state: SessionState,
    pub(super) tables: Arc<SnapshotTables>,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("logical", &self.logical).finish_non_exhaustive()
    }
}

impl Outcome {
    fn new(query: Option<Query>) -> Self {
        Self { rows: AtomicU64::new(0), found: AtomicBool::new(false), query }
    }

    /// The rows read so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Bytes read from the cache's files so far, footers left out: Athena's "data scanned".
    pub fn bytes_scanned(&self) -> u64 {
        self.query.as_ref().map_or(0, |query| scanned(query.physical.as_ref()))
    }

    /// Notices for after the rows: what an empty answer must not be mistaken for. None for an
    /// answer that says something.
    ///
    /// An answer is empty when it has no rows, or one of zeros and NULLs alone, as `count(*)` has.
    pub async fn closing_notices(&self) -> Vec<String> {
        if self.found.load(Ordering::Relaxed) {
            return Vec::new();
        }
        match &self.query {
            // A fault here would hide the answer itself, which is whole.
            Some(query) => coverage::closing(&query.logical, &query.state, &query.tables)
                .await
                .unwrap_or_default(),
            None => Vec::new(),
        }
    }

    fn saw(&self, batch: &RecordBatch) {
        let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let before = self.rows.fetch_add(rows, Ordering::Relaxed);
        if self.found.load(Ordering::Relaxed) {
            return;
        }
        // One row may be all zeros; two are an answer.
        if before + rows > 1 || (rows == 1 && !batch.columns().iter().all(is_nothing)) {
            self.found.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether the one value of `column` is NULL or zero.
fn is_nothing(column: &ArrayRef) -> bool {
    if column.is_null(0) {
        return true;
    }
    match column.data_type() {
        DataType::Int64 => column
            .as_primitive_opt::<arrow::datatypes::Int64Type>()
            .is_some_and(|values| values.value(0) == 0),
        DataType::UInt64 => column
            .as_primitive_opt::<arrow::datatypes::UInt64Type>()
            .is_some_and(|values| values.value(0) == 0),
        _ => false,
    }
}

fn scanned(plan: &dyn ExecutionPlan) -> u64 {
    let own = plan
        .metrics()
        .and_then(|metrics| metrics.sum_by_name("bytes_scanned"))
        .map_or(0, |sum| u64::try_from(sum.as_usize()).unwrap_or(0));
    plan.children().into_iter().fold(own, |sum, child| sum + scanned(child.as_ref()))
}

impl Answer {
    /// An answer from the rows of `query`, its columns spelled as the user spelled them.
    pub(super) fn streaming(
        query: Query,
        rows: SendableRecordBatchStream,
        spelling: &Spelling,
        notices: Vec<String>,
    ) -> Self {
        let schema = spelled(&rows.schema(), spelling);
        let outcome = Arc::new(Outcome::new(Some(query)));
        let rows = Rows { schema: Arc::clone(&schema), inner: rows, outcome: Arc::clone(&outcome) };
        Self { schema, rows: Box::pin(rows), notices, outcome }
    }

    /// An answer that is known already.
    pub(super) fn ready(batch: RecordBatch) -> Self {
        let schema = batch.schema();
        let outcome = Arc::new(Outcome::new(None));
        let inner = datafusion::physical_plan::stream::RecordBatchStreamAdapter::new(
            Arc::clone(&schema),
            futures::stream::iter(vec![Ok(batch)]),
        );
        let rows = Rows {
            schema: Arc::clone(&schema),
            inner: Box::pin(inner),
            outcome: Arc::clone(&outcome),
        };
        Self { schema, rows: Box::pin(rows), notices: Vec::new(), outcome }
    }

    /// The answer of a statement that gives no rows.
    pub(super) fn nothing() -> Self {
        Self::ready(RecordBatch::new_empty(Arc::new(Schema::empty())))
    }
}

/// `schema` with its columns' names spelled as `spelling` says.
fn spelled(schema: &SchemaRef, spelling: &Spelling) -> SchemaRef {
    if spelling.is_empty() {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().map(|field| match spelling.get(field.name()) {
        Some(name) => Arc::new(field.as_ref().clone().with_name(name)),
        None => Arc::clone(field),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// Counts the rows that pass.
struct Rows {
    schema: SchemaRef,
    inner: SendableRecordBatchStream,
    outcome: Arc<Outcome>,
}

impl Stream for Rows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.inner.poll_next_unpin(cx);
        next.map(|next| {
            next.map(|batch| {
                let batch = batch?;
                self.outcome.saw(&batch);
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let columns = batch.columns().to_vec();
                let schema = Arc::clone(&self.schema);
                Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
            })
        })
    }
}

impl RecordBatchStream for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
