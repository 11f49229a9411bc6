//! Small answers as text, for questions of our own.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::DataType,
};

use super::Runner;
use crate::{ErrorKind, Result, engine::Session, output::RowWriter, source};

/// One row, a text for each column.
type Row = Vec<Option<String>>;

/// The rows that `sql` gives, each value as text.
///
/// # Errors
/// The statement fails, or the user interrupted.
pub fn texts(runner: &Runner, session: &Arc<Session>, sql: &str) -> Result<Vec<Row>> {
    let rows = Mutex::new(Vec::new());
    for statement in session.parse(sql, None)? {
        runner.run(session, &statement, |_| Ok(Box::new(Gather(&rows))))?;
    }
    Ok(rows.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Refuses a place for answers that lies in evidence: in a source the cache was filled from, or in
/// the cache itself. Nothing is ever written there.
///
/// # Errors
/// It lies there, or the ledger cannot be read.
pub fn check_apart_from_evidence(
    runner: &Runner,
    session: &Arc<Session>,
    cache_name: &Path,
    path: &Path,
) -> Result<()> {
    let mut places = vec![cache_name.display().to_string()];
    let sources = texts(runner, session, "SELECT DISTINCT source FROM log_files")?;
    places.extend(sources.into_iter().flatten().flatten());
    for place in places {
        source::check_apart(path, None, std::slice::from_ref(&place)).map_err(|_inside| {
            ErrorKind::Value {
                name: "the file of answers".to_owned(),
                value: path.display().to_string(),
                reason: format!("it lies inside `{place}`, which answers must not change"),
            }
        })?;
    }
    Ok(())
}

struct Gather<'a>(&'a Mutex<Vec<Row>>);

impl RowWriter for Gather<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = Vec::new();
        for column in batch.columns() {
            let texts = cast(column, &DataType::Utf8).map_err(|source| ErrorKind::Columnar {
                action: "show values as text",
                source: source.into(),
            })?;
            columns.push(texts);
        }
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in 0..batch.num_rows() {
            let text = |column: &arrow::array::ArrayRef| {
                let texts = column.as_string::<i32>();
                texts.is_valid(row).then(|| texts.value(row).to_owned())
            };
            rows.push(columns.iter().map(text).collect());
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }
}
