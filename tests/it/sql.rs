//! A session over the fixture of `tests/sql`, for tests that look at more than rows.

#[path = "../sql/fixture.rs"]
pub(crate) mod fixture;

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::StreamExt;
use tokio::runtime::Runtime;
use trailhound::{
    Result,
    cache::Cache,
    engine::{Answer, Session},
};

/// A session and what it lives on.
pub(crate) struct Sql {
    pub(crate) session: Session,
    cache: Arc<Cache>,
    runtime: Runtime,
    _temp: tempfile::TempDir,
}

impl Sql {
    pub(crate) fn new() -> Self {
        Self::with_memory(256 << 20)
    }

    pub(crate) fn with_memory(memory_bytes: usize) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let cache = fixture::cache(&temp.path().join("cache"));
        let session = fixture::session(&cache, temp.path(), memory_bytes);
        Self { session, cache, runtime: Runtime::new().unwrap(), _temp: temp }
    }

    /// Commits the fixture's first file once more, without looking for duplicates.
    pub(crate) fn ingest_again(&self) {
        fixture::first_file_again(&self.cache);
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The batches of the last statement in `text`, and its answer when it is through.
    fn run(&self, text: &str) -> Result<(Vec<RecordBatch>, Option<Answer>)> {
        self.wait(self.run_all(text))
    }

    async fn run_all(&self, text: &str) -> Result<(Vec<RecordBatch>, Option<Answer>)> {
        let mut batches = Vec::new();
        let mut last = None;
        for statement in self.session.parse(text, None)? {
            batches.clear();
            let mut answer = self.session.run(&statement).await?;
            while let Some(batch) = answer.rows.next().await {
                batches.push(batch.map_err(|error| self.session.explain(&statement, error))?);
            }
            last = Some(answer);
        }
        Ok((batches, last))
    }

    /// How many rows the last statement in `text` gives.
    pub(crate) async fn rows_of(&self, text: &str) -> Result<usize> {
        Ok(self.run_all(text).await?.0.iter().map(RecordBatch::num_rows).sum())
    }

    /// The batches of the last statement in `text`.
    pub(crate) fn rows(&self, text: &str) -> Result<Vec<RecordBatch>> {
        Ok(self.run(text)?.0)
    }

    /// What goes to stderr beside the answer of `text`.
    pub(crate) fn notices(&self, text: &str) -> Vec<String> {
        let answer = self.run(text).unwrap().1.unwrap();
        [answer.notices.clone(), self.wait(answer.outcome.closing_notices())].concat()
    }

    /// The bytes read for the answer of `text`.
    pub(crate) fn scanned(&self, text: &str) -> u64 {
        self.run(text).unwrap().1.unwrap().outcome.bytes_scanned()
    }
}
