//! Statements that parse but do not plan.

use std::ops::Range;

use datafusion::{
    common::{Column, SchemaError, Span as PlanSpan},
    error::DataFusionError,
};

use super::{at, error, words};
use crate::{
    Error,
    engine::{Statement, parse, session::Session},
    error::Diagnostic,
};

/// A statement that does not plan.
pub(in crate::engine) fn planning(
    statement: &Statement,
    session: &Session,
    fault: DataFusionError,
) -> Error {
    let _ = (session, words(statement));
    at(statement, None, format!("RAW {fault:?}"))
}
#[allow(unused)]
fn x(_: Option<(Range<usize>, Column, SchemaError, PlanSpan, Diagnostic)>) {
    let _ = (error, parse::dialect);
}
