//! Comma-separated values as RFC 4180 has them, with a header; lines end in a line feed alone, as
//! other databases write them.
//!
//! NULL is nothing, the empty string `""`. Where NULL is the only cell of a line it is `""` too,
//! since readers skip empty lines. Unless raw, log text is made harmless: a spreadsheet would run
//! a cell that starts with `=`, `+`, `-`, `@`, a tab or a carriage return, so it gets a leading
//! `'`, and control characters are shown as escapes, so that it can be looked at.

use std::{borrow::Cow, io::Write};

use arrow::{array::RecordBatch, datatypes::Schema};

use super::{OutputOptions, RowWriter, emit, sanitize, value};
use crate::Result;

/// Writes [`super::Format::Csv`].
pub(super) struct CsvWriter<'a> {
    sink: Box<dyn Write + Send + 'a>,
    raw: bool,
    header: Option<String>,
    rows: u64,
}

impl<'a> CsvWriter<'a> {
    pub(super) fn new(
        options: &OutputOptions,
        schema: &Schema,
        sink: Box<dyn Write + Send + 'a>,
    ) -> Self {
        let mut header = String::new();
        for (place, field) in schema.fields().iter().enumerate() {
            header.push_str(if place > 0 { "," } else { "" });
            push_field(&harmless(field.name(), true, options.raw), &mut header);
        }
        if !schema.fields().is_empty() {
            header.push('\n');
        }
        Self { sink, raw: options.raw, header: Some(header), rows: 0 }
    }
}

impl RowWriter for CsvWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut out = self.header.take().unwrap_or_default();
        let mut cell = String::new();
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| (column, value::is_text(column.data_type())))
            .collect();
        for row in 0..batch.num_rows() {
            for (place, (column, is_text)) in columns.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                cell.clear();
                if value::push_text(column, row, &mut cell) {
                    push_field(&harmless(&cell, *is_text, self.raw), &mut out);
                } else if columns.len() == 1 {
                    out.push_str("\"\"");
                }
            }
            out.push('\n');
        }
        self.rows += batch.num_rows() as u64;
        emit(&mut self.sink, &out)
    }

    fn finish(&mut self) -> Result<u64> {
        if let Some(header) = self.header.take() {
            emit(&mut self.sink, &header)?;
        }
        Ok(self.rows)
    }
}

/// The cell as it is written: visible, and no formula where a log's author chose it.
fn harmless(cell: &str, is_text: bool, raw: bool) -> Cow<'_, str> {
    if raw {
        return Cow::Borrowed(cell);
    }
    let shown = sanitize::visible(cell);
    if is_text && cell.starts_with(is_formula_start) {
        return Cow::Owned(format!("'{shown}"));
    }
    shown
}

/// The characters that OWASP lists for CSV injection, with their full-width forms, which
/// spreadsheets in East Asian locales take for them.
fn is_formula_start(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
}

/// Appends a field, in quotes where it needs them.
fn push_field(field: &str, out: &mut String) {
    if !field.is_empty() && !field.contains(['"', ',', '\n', '\r']) {
        out.push_str(field);
        return;
    }
    out.push('"');
    for (place, part) in field.split('"').enumerate() {
        out.push_str(if place > 0 { "\"\"" } else { "" });
        out.push_str(part);
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
