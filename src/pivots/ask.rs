//! Asks the engine and keeps the rows.

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt as _;

use crate::{Result, engine::Session};

/// The rows of `sql`, which may be no more than fit in memory easily: ask for a summary, or with a
/// LIMIT. `:name` parameters stand for the SQL literals of `parameters`.
///
/// # Errors
/// The statement does not plan or fails.
pub(super) async fn ask(
    session: &Session,
    sql: &str,
    parameters: &[(String, String)],
) -> Result<Vec<RecordBatch>> {
    Ok(ask_with_notices(session, sql, parameters).await?.0)
}

/// The same, and what is to be said beside the rows.
///
/// # Errors
/// As [`ask`].
pub(super) async fn ask_with_notices(
    session: &Session,
    sql: &str,
    parameters: &[(String, String)],
) -> Result<(Vec<RecordBatch>, Vec<String>)> {
    let (mut rows, mut notices) = (Vec::new(), Vec::new());
    for mut statement in session.parse(sql, None)? {
        statement.parameters = Arc::from(parameters);
        let answer = session.run(&statement).await?;
        let batches: Vec<RecordBatch> =
            answer.rows.try_collect().await.map_err(|error| session.explain(&statement, error))?;
        rows.extend(batches);
        notices.extend(answer.notices);
    }
    Ok((rows, notices))
}
