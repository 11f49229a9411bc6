//! A Markdown table for reports. Log text in it is text only: no markup, no HTML, no live links.

use std::io::Write;

use arrow::{array::RecordBatch, datatypes::Schema};

use super::{RowWriter, emit, sanitize, value};
use crate::Result;

/// Writes [`super::Format::Markdown`].
pub(super) struct MarkdownWriter<'a> {
    sink: Box<dyn Write + Send + 'a>,
    header: Option<String>,
    rows: u64,
}

impl<'a> MarkdownWriter<'a> {
    pub(super) fn new(schema: &Schema, sink: Box<dyn Write + Send + 'a>) -> Self {
        let mut header = String::new();
        if !schema.fields().is_empty() {
            for field in schema.fields() {
                header.push_str("| ");
                push_cell(field.name(), &mut header);
                header.push(' ');
            }
            header.push_str("|\n");
            for field in schema.fields() {
                let is_number = value::is_number(field.data_type());
                header.push_str(if is_number { "| ---: " } else { "| --- " });
            }
            header.push_str("|\n");
        }
        Self { sink, header: Some(header), rows: 0 }
    }
}

impl RowWriter for MarkdownWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut out = self.header.take().unwrap_or_default();
        let mut cell = String::new();
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                cell.clear();
                out.push_str("| ");
                if value::push_text(column, row, &mut cell) {
                    push_cell(&cell, &mut out);
                } else {
                    // Set apart from the text NULL.
                    out.push_str("*NULL*");
                }
                out.push(' ');
            }
            out.push_str("|\n");
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

/// Appends text with everything escaped that Markdown or HTML would take for more than text.
fn push_cell(text: &str, out: &mut String) {
    let shown = sanitize::visible(text);
    let mut before = None;
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        let after = rest.as_str();
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '|' | '*' | '~' | '[' | ']' | '#' | '!' | '$' => {
                out.extend(['\\', c]);
            }
            // Inside a word it is no markup, and names are easier to read without.
            '_' if is_word(before) && is_word(after.chars().next()) => out.push(c),
            '_' => out.push_str("\\_"),
            // Renderers make links of bare addresses.
            ':' if after.starts_with("//") => out.push_str("\\:"),
            '.' if out.ends_with("www") || out.ends_with("WWW") => out.push_str("\\."),
            '@' => out.push_str("\\@"),
            _ => out.push(c),
        }
        before = Some(c);
    }
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests;
