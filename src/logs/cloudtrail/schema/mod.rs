//! The columns of `cloudtrail_logs` and `cloudtrail_aggregated`: one table of name, group, type
//! and documentation that the decoder, the cache, the engine and the docs all read.
//!
//! Every column may be NULL: no field of a CloudTrail record is universal.

mod columns;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use columns::{AGGREGATED, EVENTS};

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

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// Text that is JSON: compact, the record's own spelling.
    Json,
    /// True or false.
    Boolean,
    /// A number of 32 bits.
    Int32,
    /// A number of 64 bits.
    Int64,
    /// A day.
    Date,
    /// An instant in UTC, in microseconds.
    Timestamp,
    /// Named members.
    Struct(&'static [(&'static str, Type)]),
    /// Any number of elements.
    List(&'static Type),
    /// Text by text.
    Map,
}

impl Type {
    /// The Arrow type it is stored as.
    ///
    /// Elements, keys and values are named as Delta and the Parquet format name them.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Struct(members) => DataType::Struct(
                members.iter().map(|(name, ty)| Field::new(*name, ty.arrow(), true)).collect(),
            ),
            Self::List(element) => {
                DataType::List(Arc::new(Field::new("element", element.arrow(), true)))
            }
            Self::Map => {
                let entries = Fields::from(vec![
                    Field::new("key", DataType::Utf8, false),
                    Field::new("value", DataType::Utf8, true),
                ]);
                let entries = Field::new("key_value", DataType::Struct(entries), false);
                DataType::Map(Arc::new(entries), false)
            }
        }
    }

    /// The type in Athena's words: `varchar`, `row(arn varchar, …)`, `timestamp(6)`.
    pub fn sql(self) -> String {
        match self {
            Self::Text | Self::Json => "varchar".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Int32 => "integer".to_owned(),
            Self::Int64 => "bigint".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Timestamp => "timestamp(6)".to_owned(),
            Self::Struct(members) => {
                let members: Vec<_> =
                    members.iter().map(|(name, ty)| format!("{name} {}", ty.sql())).collect();
                format!("row({})", members.join(", "))
            }
            Self::List(element) => format!("array({})", element.sql()),
            Self::Map => "map(varchar, varchar)".to_owned(),
        }
    }
}

/// One column as it is stored.
#[derive(Debug, Clone)]
pub struct Column {
    /// Athena's spelling: lower-case.
    pub name: &'static str,
    /// Why it is there.
    pub group: Group,
    /// What it holds.
    pub ty: Type,
    /// What it means, and where AWS says so.
    pub doc: &'static str,
}

impl Column {
    /// Whether it is part of the record itself, so that two records whose columns of this kind
    /// all agree are copies of one another.
    pub fn is_content(&self) -> bool {
        matches!(self.group, Group::Athena | Group::Field)
            || matches!(self.name, "empty_fields" | "extra")
    }
}

/// The columns of `cloudtrail_logs` in the order they are stored.
pub fn columns() -> &'static [Column] {
    EVENTS
}

/// The columns of `cloudtrail_aggregated` in the order they are stored.
pub fn aggregated_columns() -> &'static [Column] {
    AGGREGATED
}

/// The columns of AWS's own Athena DDL, in its order: what `SELECT *` gives.
pub fn athena_columns() -> impl Iterator<Item = &'static Column> {
    EVENTS.iter().filter(|column| column.group == Group::Athena)
}

/// The columns that make up the record itself: rows that agree in all of them are copies.
pub fn content_columns() -> impl Iterator<Item = &'static Column> {
    EVENTS.iter().filter(|column| column.is_content())
}

/// The columns whose rows agree for copies of one aggregated event, row by row.
pub fn aggregated_content_columns() -> impl Iterator<Item = &'static Column> {
    AGGREGATED.iter().filter(|column| matches!(column.name, "eventjson" | "bucket_no"))
}

/// The Arrow schema the events are stored with.
pub fn events() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema(EVENTS));
    Arc::clone(&SCHEMA)
}

/// The Arrow schema aggregated events are stored with, one row per dimension bucket.
pub fn aggregated() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema(AGGREGATED));
    Arc::clone(&SCHEMA)
}

fn schema(columns: &[Column]) -> SchemaRef {
    let fields = columns.iter().map(|c| Field::new(c.name, c.ty.arrow(), true));
    Arc::new(Schema::new(fields.collect::<Fields>()))
}
