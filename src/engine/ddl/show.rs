//! What Hive's statements answer with: rows of one text.

use std::sync::Arc;

use arrow::{
    array::{RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};

use super::store::DeclaredTable;
use crate::engine::Answer;

/// An answer of one column.
pub(super) fn answer(name: &str, lines: impl Iterator<Item = String>) -> Answer {
    let lines: StringArray = lines.map(Some).collect();
    let schema = Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, true)]));
    match RecordBatch::try_new(schema, vec![Arc::new(lines)]) {
        Ok(batch) => Answer::ready(batch),
        // One column of text is a batch of one column of text.
        Err(_) => Answer::nothing(),
    }
}

/// A partition as Hive writes it: `region=us-east-1/year=2024`.
pub(super) fn partition(table: &DeclaredTable, values: &[Option<String>]) -> String {
    let columns = table.declaration.partitions.iter().zip(values);
    let parts: Vec<String> = columns
        .map(|(column, value)| {
            let value = value.as_deref().unwrap_or("__HIVE_DEFAULT_PARTITION__");
            format!("{}={value}", column.name)
        })
        .collect();
    parts.join("/")
}

/// The folders of Hive's layout: `region=…/year=…`.
pub(super) fn hive_form(table: &DeclaredTable) -> String {
    let columns = table.declaration.partitions.iter();
    columns.map(|column| format!("{}=…", column.name)).collect::<Vec<_>>().join("/")
}
