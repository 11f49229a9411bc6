//! SQL over the cache.

use std::{path::PathBuf, sync::Arc};

use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;

use crate::{Result, cache::Cache};

/// How queries run.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Memory for queries, in bytes; beyond it they spill.
    pub memory_bytes: usize,
    /// Where they spill to.
    pub temp_dir: PathBuf,
    /// Threads; as many as cores unless told.
    pub threads: usize,
    /// Further names of tables: (`"db.trail_logs"` or `trail_logs`, the table's own name).
    pub table_names: Vec<(String, String)>,
}

/// A session of queries over one cache. Every statement sees the cache as it is when it starts.
pub struct Session {
    _cache: Arc<Cache>,
}

/// One statement of the user's text.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The user's text, whole.
    pub text: Arc<str>,
    /// Where it came from, for errors.
    pub origin: Option<Arc<str>>,
    /// The bytes of the statement in it.
    pub span: std::ops::Range<usize>,
}

/// A running query.
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub rows: SendableRecordBatchStream,
    /// What the user should know beside the rows: for stderr, one line each.
    pub notices: Vec<String>,
}

impl Session {
    /// Opens a session over `cache`.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub fn open(cache: Arc<Cache>, options: &SessionOptions) -> Result<Self> {
        let _ = options;
        Ok(Self { _cache: cache })
    }

    /// Splits `text` into statements; the parser sees each byte for byte.
    ///
    /// # Errors
    /// The text is no SQL: a [`crate::error::Diagnostic`] with the place.
    pub fn parse(&self, text: &str, origin: Option<&str>) -> Result<Vec<Statement>> {
        let _ = (text, origin);
        todo!()
    }

    /// Starts a statement.
    ///
    /// # Errors
    /// It does not plan: a [`crate::error::Diagnostic`] with the place and a suggestion.
    pub async fn run(&self, statement: &Statement) -> Result<Answer> {
        let _ = statement;
        todo!()
    }

    /// Turns an error met while rows stream into one of ours, drawn at its place where known.
    pub fn explain(
        &self,
        statement: &Statement,
        error: datafusion::error::DataFusionError,
    ) -> crate::Error {
        let _ = (statement, error);
        todo!()
    }

    /// The names a prompt completes: tables, columns, struct fields, functions.
    pub fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
