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
    execution::{RecordBatchStream, SendableRecordBatchStream},
    physical_plan::ExecutionPlan,
};
use futures::{Stream, StreamExt};

use super::rewrite::Spelling;

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
    plan: Option<Arc<dyn ExecutionPlan>>,
    if_empty: Vec<String>,
}

impl Outcome {
    fn new(plan: Option<Arc<dyn ExecutionPlan>>, if_empty: Vec<String>) -> Self {
        Self { rows: AtomicU64::new(0), found: AtomicBool::new(false), plan, if_empty }
    }

    /// The rows read so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Bytes read from the cache's files so far, footers left out: Athena's "data scanned".
    pub fn bytes_scanned(&self) -> u64 {
        self.plan.as_deref().map_or(0, scanned)
    }

    /// Notices for after the rows: what an empty answer must not be mistaken for.
    ///
    /// An answer is empty when it has no rows, or only zeros and NULLs, as `count(*)` has.
    pub fn closing_notices(&self) -> &[String] {
        if self.found.load(Ordering::Relaxed) { &[] } else { &self.if_empty }
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
    /// An answer from the rows of `plan`, its columns spelled as the user spelled them.
    pub(super) fn streaming(
        plan: Arc<dyn ExecutionPlan>,
        rows: SendableRecordBatchStream,
        spelling: &Spelling,
        (notices, if_empty): (Vec<String>, Vec<String>),
    ) -> Self {
        let schema = spelled(&rows.schema(), spelling);
        let outcome = Arc::new(Outcome::new(Some(plan), if_empty));
        let rows =
            Rows { schema: Arc::clone(&schema), inner: rows, outcome: Arc::clone(&outcome) };
        Self { schema, rows: Box::pin(rows), notices, outcome }
    }

    /// An answer that is known already.
    pub(super) fn ready(batch: RecordBatch) -> Self {
        let schema = batch.schema();
        let outcome = Arc::new(Outcome::new(None, Vec::new()));
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
