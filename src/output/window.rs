//! The rows of a table that are shown: all, or the first and the last with the middle hidden.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use unicode_width::UnicodeWidthStr;

use super::{sanitize, value};

/// The bytes of cells that are held back to find the columns' widths, at most.
const BUFFER_BYTES: usize = 32 << 20;

/// The most rows of which the middle is hidden; beyond, there is no limit on rows at all.
const MOST_ROWS: usize = 10_000;

/// A cell that is safe to show.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Its text; nothing where it is NULL.
    pub(super) text: Option<Box<str>>,
    /// The text's width on a screen, in columns.
    pub(super) width: usize,
}

impl Cell {
    /// A cell of log text.
    pub(super) fn new(text: &str) -> Self {
        let visible = sanitize::visible(text);
        Self { width: visible.width(), text: Some(visible.into_owned().into_boxed_str()) }
    }

    /// The cell in row `row` of `array`.
    fn read(array: &dyn arrow::array::Array, row: usize, buffer: &mut String) -> Self {
        buffer.clear();
        if value::push_text(array, row, buffer) {
            Self::new(buffer)
        } else {
            Self { text: None, width: 0 }
        }
    }

    /// Its text, with `null` for NULL.
    pub(super) fn text_or<'a>(&'a self, null: &'a str) -> &'a str {
        self.text.as_deref().unwrap_or(null)
    }
}

/// One row, a cell for each column.
pub(super) type Row = Vec<Cell>;

/// Calls `each` with every row of `batch`.
pub(super) fn for_each_row(batch: &RecordBatch, mut each: impl FnMut(Row)) {
    let mut buffer = String::new();
    for row in 0..batch.num_rows() {
        let read = |column| Cell::read(column, row, &mut buffer);
        each(batch.columns().iter().map(AsRef::as_ref).map(read).collect());
    }
}

/// Holds back rows until all have come or enough to know what they look like.
///
/// What it holds is bounded: by rows where the middle is hidden, by bytes always.
#[derive(Debug)]
pub(super) struct Window {
    /// The first rows.
    pub(super) head: Vec<Row>,
    /// The last rows, where the middle is hidden.
    pub(super) tail: VecDeque<Row>,
    /// Rows between the two that were let go.
    pub(super) hidden: u64,
    limits: Option<(usize, usize)>,
    bytes: usize,
}

impl Window {
    /// A window on at most `max_rows` rows.
    pub(super) fn new(max_rows: Option<usize>) -> Self {
        let limits =
            max_rows.filter(|n| (1..=MOST_ROWS).contains(n)).map(|n| (n.div_ceil(2), n / 2));
        Self { head: Vec::new(), tail: VecDeque::new(), hidden: 0, limits, bytes: 0 }
    }

    /// Takes the next row.
    pub(super) fn push(&mut self, row: Row) {
        let size = size_of_row(&row);
        self.bytes += size;
        match self.limits {
            None => self.head.push(row),
            Some((head, _)) if self.tail.is_empty() && self.head.len() < head => {
                self.head.push(row);
                if self.is_full() {
                    // Rows this large are rare: show fewer of them, never hold more.
                    self.limits = Some((self.head.len(), 1));
                }
            }
            Some((_, tail)) => {
                self.tail.push_back(row);
                while self.tail.len() > tail || (self.is_full() && self.tail.len() > 1) {
                    let Some(gone) = self.tail.pop_front() else { break };
                    self.bytes -= size_of_row(&gone);
                    self.hidden += 1;
                }
            }
        }
    }

    /// Whether rows must be let go now.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > BUFFER_BYTES
    }

    /// Whether the middle is hidden.
    pub(super) fn is_limited(&self) -> bool {
        self.limits.is_some()
    }

    /// Lets go of all rows held, in order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Row> + use<> {
        self.bytes = 0;
        std::mem::take(&mut self.head).into_iter().chain(std::mem::take(&mut self.tail))
    }

    /// All rows held, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.head.iter().chain(&self.tail)
    }
}

/// About what a row takes in memory, in bytes.
fn size_of_row(row: &Row) -> usize {
    let text = |cell: &Cell| cell.text.as_ref().map_or(0, |text| text.len());
    row.iter().map(text).sum::<usize>() + row.len() * size_of::<Cell>() + size_of::<Row>()
}

/// The line that stands for hidden rows.
pub(super) fn hidden_line(hidden: u64) -> String {
    format!("… {} hidden", super::human::counted(hidden, "row", "rows"))
}
