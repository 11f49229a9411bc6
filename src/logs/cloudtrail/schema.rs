//! The columns of `cloudtrail_logs` and `cloudtrail_aggregated`: one table of name, group, type
//! and documentation that the decoder, the cache, the engine and the docs all read.

use arrow::datatypes::SchemaRef;

/// Why a column is there, and whether `SELECT *` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A column of AWS's own Athena DDL; the only ones `SELECT *` gives, in this order.
    Athena,
    /// Derived from the record at ingest.
    Companion,
    /// A field of the record that Athena's DDL lacks.
    Field,
    /// What wrapped the record, and what of it fits no column.
    Envelope,
    /// The account, region and day of the file's key, else of the event.
    Partition,
    /// Where the row came from.
    Provenance,
}

/// One column as it is stored.
#[derive(Debug, Clone)]
pub struct Column {
    /// Athena's spelling: lower-case.
    pub name: &'static str,
    /// Why it is there.
    pub group: Group,
    /// What it holds: type words of Athena, unit, source.
    pub doc: &'static str,
}

/// The columns of `cloudtrail_logs` in the order they are stored.
pub fn columns() -> &'static [Column] {
    &[]
}

/// The Arrow schema the events are stored with.
pub fn events() -> SchemaRef {
    todo!()
}

/// The Arrow schema aggregated events are stored with, one row per dimension bucket.
pub fn aggregated() -> SchemaRef {
    todo!()
}
