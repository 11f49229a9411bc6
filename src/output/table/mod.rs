//! A grid that fits the screen.
//!
//! The widths come from the rows that were held back: all of a short answer, 32 MiB of a long
//! one. On a screen, wide cells are cut with `…`; where that would leave too little of them, the
//! rows are written expanded. Away from a screen nothing is ever cut, and rows that come after the
//! widths are known are as wide as they must be.

use std::{io::Write, iter::zip};

use arrow::{array::RecordBatch, datatypes::Schema};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    OutputOptions, RowWriter, emit, expanded, sanitize, value,
    window::{Cell, Row, Window, for_each_row, hidden_line},
};
use crate::Result;

/// The narrowest a wide column may be cut to before rows are written expanded.
const MIN_CUT: usize = 24;

pub(super) const BOLD: &str = "\x1b[1m";
pub(super) const DIM: &str = "\x1b[2m";
pub(super) const PLAIN: &str = "\x1b[0m";

/// A column's heading.
#[derive(Debug, Clone)]
pub(super) struct Column {
    name: Cell,
    kind: Cell,
    is_number: bool,
}

/// What the rows look like, once it is known.
#[derive(Debug)]
enum Layout {
    /// A grid with these widths, and whether it is a screen's: then cells are cut to them.
    Grid { widths: Vec<usize>, cut: bool },
    /// One line a column.
    Expanded,
}

/// Writes [`super::Format::Table`].
pub(super) struct TableWriter<'a> {
    sink: Box<dyn Write + Send + 'a>,
    options: OutputOptions,
    columns: Vec<Column>,
    names: expanded::Names,
    window: Window,
    layout: Option<Layout>,
    rows: u64,
}

impl<'a> TableWriter<'a> {
    pub(super) fn new(
        options: &OutputOptions,
        schema: &Schema,
        sink: Box<dyn Write + Send + 'a>,
    ) -> Self {
        Self {
            sink,
            columns: columns(schema),
            names: expanded::Names::new(schema),
            window: Window::new(options.max_rows),
            options: options.clone(),
            layout: None,
            rows: 0,
        }
    }

    /// Decides on the layout from the rows held, and writes the heading.
    fn start(&mut self) -> Result<()> {
        let layout = layout(&self.options, &self.columns, &self.window);
        if let Layout::Grid { widths, cut } = &layout
            && !widths.is_empty()
        {
            emit(&mut self.sink, &heading(&self.options, &self.columns, widths, *cut))?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    /// Writes rows in the layout that was found; the first is number `number` of the answer.
    fn emit_rows(&mut self, rows: impl Iterator<Item = Row>, mut number: u64) -> Result<()> {
        let mut out = String::new();
        for row in rows {
            match &self.layout {
                Some(Layout::Grid { widths, cut }) => {
                    push_row(&self.options, &self.columns, widths, *cut, &row, &mut out);
                }
                _ => expanded::push_row(&self.options, &self.names, number, &row, &mut out),
            }
            number += 1;
            if out.len() > 1 << 16 {
                emit(&mut self.sink, &out)?;
                out.clear();
            }
        }
        emit(&mut self.sink, &out)
    }
}

impl RowWriter for TableWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        let window = &mut self.window;
        for_each_row(batch, |row| window.push(row));
        let must_go = !self.window.is_limited() && self.window.is_full();
        if self.layout.is_none() && !must_go {
            return Ok(());
        }
        if self.layout.is_none() {
            self.start()?;
        }
        let rows: Vec<Row> = self.window.drain().collect();
        let number = self.rows - rows.len() as u64 + 1;
        self.emit_rows(rows.into_iter(), number)
    }

    fn finish(&mut self) -> Result<u64> {
        if self.layout.is_none() {
            self.start()?;
        }
        let (hidden, head, tail) = (
            self.window.hidden,
            std::mem::take(&mut self.window.head),
            std::mem::take(&mut self.window.tail),
        );
        let first = self.rows - hidden - (head.len() + tail.len()) as u64 + 1;
        let behind = self.rows - tail.len() as u64 + 1;
        self.emit_rows(head.into_iter(), first)?;
        if hidden > 0 {
            let (dim, plain) = if self.options.color { (DIM, PLAIN) } else { ("", "") };
            emit(&mut self.sink, &format!(" {dim}{}{plain}\n", hidden_line(hidden)))?;
        }
        self.emit_rows(tail.into_iter(), behind)?;
        Ok(self.rows)
    }
}

/// The headings of the columns of `schema`.
fn columns(schema: &Schema) -> Vec<Column> {
    let column = |field: &arrow::datatypes::FieldRef| Column {
        name: Cell::new(field.name()),
        kind: Cell::new(&value::type_name(field.data_type())),
        is_number: value::is_number(field.data_type()),
    };
    schema.fields().iter().map(column).collect()
}

/// Finds the layout in which the rows held fit the screen.
fn layout(options: &OutputOptions, columns: &[Column], window: &Window) -> Layout {
    let null_width = options.null.width();
    let heading =
        |column: &Column| column.name.width.max(if options.types { column.kind.width } else { 0 });
    let mut widths: Vec<usize> = columns.iter().map(heading).collect();
    for row in window.rows() {
        for (width, cell) in zip(&mut widths, row) {
            *width = (*width).max(if cell.text.is_some() { cell.width } else { null_width });
        }
    }
    // Each column is framed by a space on either side, and parted from the next by a line.
    let frame = (widths.len() * 3).saturating_sub(1);
    let Some(room) = options.width.map(|width| width.saturating_sub(frame)) else {
        return Layout::Grid { widths, cut: false };
    };
    if widths.iter().sum::<usize>() <= room {
        return Layout::Grid { widths, cut: true };
    }
    // The widest cut that fits: every column keeps as much as the others, or all it needs.
    let fits = |cut: usize| widths.iter().map(|width| (*width).min(cut)).sum::<usize>() <= room;
    match (MIN_CUT..=room).rev().find(|cut| fits(*cut)) {
        Some(cut) => {
            let widths = widths.into_iter().map(|width| width.min(cut)).collect();
            Layout::Grid { widths, cut: true }
        }
        None => Layout::Expanded,
    }
}

/// The names, the types where asked for, and the line below them.
fn heading(options: &OutputOptions, columns: &[Column], widths: &[usize], cut: bool) -> String {
    let mut out = String::new();
    let mut line = |pick: fn(&Column) -> &Cell, code: &'static str| {
        let code = if options.color { code } else { "" };
        let cells = zip(columns, widths).map(|(column, width)| {
            let side = if column.is_number { Side::Right } else { Side::Left };
            (pick(column).text_or(""), pick(column).width, *width, side, code)
        });
        push_line(cells, cut, &mut out);
    };
    line(|column| &column.name, BOLD);
    if options.types {
        line(|column| &column.kind, DIM);
    }
    for (place, width) in widths.iter().enumerate() {
        out.push_str(if place > 0 { "┼" } else { "" });
        out.push_str(&"─".repeat(width + 2));
    }
    out.push('\n');
    out
}

fn push_row(
    options: &OutputOptions,
    columns: &[Column],
    widths: &[usize],
    cut: bool,
    row: &Row,
    out: &mut String,
) {
    let null = (sanitize::visible(&options.null).into_owned(), options.null.width());
    let cells = zip(zip(columns, widths), row).map(|((column, width), cell)| {
        let side = if column.is_number { Side::Right } else { Side::Left };
        match &cell.text {
            Some(text) => (&**text, cell.width, *width, side, ""),
            None => (null.0.as_str(), null.1, *width, side, if options.color { DIM } else { "" }),
        }
    });
    push_line(cells, cut, out);
}

/// Where a cell stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Appends one line of the grid from (text, its width, the column's width, side, style).
fn push_line<'t>(
    cells: impl Iterator<Item = (&'t str, usize, usize, Side, &'t str)>,
    cut: bool,
    out: &mut String,
) {
    // Spaces are owed until text follows, so that no line ends in spaces.
    let mut owed = 0;
    for (place, (text, text_width, width, side, style)) in cells.enumerate() {
        if place > 0 {
            push_spaces(owed, out);
            out.push('│');
            owed = 0;
        }
        let (text, text_width) = if cut && text_width > width {
            let (kept, kept_width) = cut_to(text, width);
            (std::borrow::Cow::Owned(kept), kept_width)
        } else {
            (std::borrow::Cow::Borrowed(text), text_width)
        };
        let padding = width.saturating_sub(text_width);
        let (before, after) = if side == Side::Right { (padding, 0) } else { (0, padding) };
        owed += 1 + before;
        if !text.is_empty() {
            push_spaces(owed, out);
            owed = 0;
            out.push_str(style);
            out.push_str(&text);
            out.push_str(if style.is_empty() { "" } else { PLAIN });
        }
        owed += after + 1;
    }
    out.push('\n');
}

fn push_spaces(n: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', n));
}

/// The beginning of `text` with `…`, at most `width` columns wide, and how wide it is.
fn cut_to(text: &str, width: usize) -> (String, usize) {
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide >= width {
            break;
        }
        used += wide;
        kept.push(c);
    }
    kept.push('…');
    (kept, used + 1)
}

#[cfg(test)]
mod tests;
