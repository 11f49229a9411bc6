//! Faults met while rows stream.

use datafusion::error::DataFusionError;

use super::planning;
use crate::{
    Error,
    engine::{Statement, session::Session},
};

/// A fault met while the rows of `statement` stream.
pub(in crate::engine) fn running(
    statement: &Statement,
    session: &Session,
    fault: DataFusionError,
) -> Error {
    planning(statement, session, fault)
}
