//! A session over the fixture of `tests/sql`, for tests that look at more than rows.

#[path = "../sql/fixture.rs"]
mod fixture;

use arrow::array::RecordBatch;
use futures::StreamExt;
use tokio::runtime::Runtime;
use trailhound::{Result, engine::Session};

/// A session and what it lives on.
pub(crate) struct Sql {
    pub(crate) session: Session,
    runtime: Runtime,
    _temp: tempfile::TempDir,
}

impl Sql {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let cache = fixture::cache(&temp.path().join("cache"));
        let session = fixture::session(&cache, temp.path());
        Self { session, runtime: Runtime::new().unwrap(), _temp: temp }
    }

    /// The batches of the last statement in `text`.
    pub(crate) fn rows(&self, text: &str) -> Result<Vec<RecordBatch>> {
        self.runtime.block_on(async {
            let mut batches = Vec::new();
            for statement in self.session.parse(text, None)? {
                batches.clear();
                let mut answer = self.session.run(&statement).await?;
                while let Some(batch) = answer.rows.next().await {
                    batches.push(batch.map_err(|error| self.session.explain(&statement, error))?);
                }
            }
            Ok(batches)
        })
    }
}
