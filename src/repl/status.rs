//! What the cache covers, for people and for scripts.

use std::sync::Arc;

use super::Runner;
use crate::{
    Result,
    cache::{Cache, Table},
    engine::Session,
};

/// What the cache covers.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Status {
    records: u64,
}

impl Status {
    /// Reads it.
    pub fn read(cache: &Arc<Cache>, _: &Session, _: &Runner) -> Result<Self> {
        Ok(Self { records: cache.snapshot()?.n_records(Table::Events) })
    }

    /// The banner.
    pub fn headline(&self) -> String {
        format!("{} records", self.records)
    }
}

/// Text.
pub fn render_status(status: &Status) -> String {
    format!("{}\n", status.headline())
}
