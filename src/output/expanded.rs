//! One line a column, for rows wider than the screen. Nothing is cut.

use std::{io::Write, iter::zip};

use arrow::{array::RecordBatch, datatypes::Schema};

use super::{
    OutputOptions, RowWriter, emit, sanitize,
    table::{DIM, PLAIN},
    window::{Cell, Row, Window, for_each_row, hidden_line},
};
use crate::Result;

/// The columns' names and the width of the widest.
#[derive(Debug)]
pub(super) struct Names {
    names: Vec<Cell>,
    width: usize,
}

impl Names {
    pub(super) fn new(schema: &Schema) -> Self {
        let names: Vec<Cell> =
            schema.fields().iter().map(|field| Cell::new(field.name())).collect();
        let width = names.iter().map(|name| name.width).max().unwrap_or(0);
        Self { names, width }
    }
}

/// Writes [`super::Format::Expanded`].
pub(super) struct ExpandedWriter<'a> {
    sink: Box<dyn Write + Send + 'a>,
    options: OutputOptions,
    names: Names,
    window: Window,
    rows: u64,
}

impl<'a> ExpandedWriter<'a> {
    pub(super) fn new(
        options: &OutputOptions,
        schema: &Schema,
        sink: Box<dyn Write + Send + 'a>,
    ) -> Self {
        Self {
            sink,
            names: Names::new(schema),
            window: Window::new(options.max_rows),
            options: options.clone(),
            rows: 0,
        }
    }

    fn emit_rows(&mut self, rows: impl Iterator<Item = Row>, number: u64) -> Result<()> {
        let mut out = String::new();
        for (number, row) in zip(number.., rows) {
            push_row(&self.options, &self.names, number, &row, &mut out);
        }
        emit(&mut self.sink, &out)
    }
}

impl RowWriter for ExpandedWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let first = self.rows + 1;
        self.rows += batch.num_rows() as u64;
        let window = &mut self.window;
        for_each_row(batch, |row| window.push(row));
        if self.window.is_limited() {
            return Ok(());
        }
        let rows = self.window.drain();
        self.emit_rows(rows, first)
    }

    fn finish(&mut self) -> Result<u64> {
        let head = std::mem::take(&mut self.window.head);
        let tail = std::mem::take(&mut self.window.tail);
        self.emit_rows(head.into_iter(), 1)?;
        if self.window.hidden > 0 {
            let (dim, plain) = if self.options.color { (DIM, PLAIN) } else { ("", "") };
            emit(&mut self.sink, &format!("{dim}{}{plain}\n", hidden_line(self.window.hidden)))?;
        }
        let behind = self.rows - tail.len() as u64 + 1;
        self.emit_rows(tail.into_iter(), behind)?;
        Ok(self.rows)
    }
}

/// Appends row `number` of the answer.
pub(super) fn push_row(
    options: &OutputOptions,
    names: &Names,
    number: u64,
    row: &Row,
    out: &mut String,
) {
    let (dim, plain) = if options.color { (DIM, PLAIN) } else { ("", "") };
    let title = format!("─[ {number} ]");
    let rest = (names.width + 2).saturating_sub(title.chars().count());
    out.push_str(dim);
    out.push_str(&title);
    out.push_str(&"─".repeat(rest));
    out.push('┬');
    out.push_str(&"─".repeat(16));
    out.push_str(plain);
    out.push('\n');
    for (name, cell) in zip(&names.names, row) {
        out.push(' ');
        out.push_str(name.text_or(""));
        out.extend(std::iter::repeat_n(' ', names.width.saturating_sub(name.width)));
        out.push_str(" │");
        match &cell.text {
            Some(text) if text.is_empty() => {}
            Some(text) => {
                out.push(' ');
                out.push_str(text);
            }
            None => {
                out.push(' ');
                out.push_str(dim);
                out.push_str(&sanitize::visible(&options.null));
                out.push_str(plain);
            }
        }
        out.push('\n');
    }
}
