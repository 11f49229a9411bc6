//! A row → the record it was decoded from.

use arrow::array::RecordBatch;

/// The record in row `row` of `batch`, as JSON.
///
/// `batch` has the columns of [`super::schema::events`] by name, in any order.
pub fn record(batch: &RecordBatch, row: usize) -> String {
    let _ = (batch, row);
    todo!()
}

/// The record together with what wrapped it, as JSON.
pub fn enveloped(batch: &RecordBatch, row: usize) -> String {
    let _ = (batch, row);
    todo!()
}
