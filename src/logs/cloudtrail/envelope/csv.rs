//! Reads tables of separated values with a column whose cells hold records: Lake's and Athena's
//! results, SIEM exports. Quoting is that of RFC 4180.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr, memchr2, memmem};

use super::{
    Shape, json, record, tally,
    unwrap::{Context, Unwrapper},
    walk::Work,
};
use crate::logs::{Limits, RejectReason};

/// How long a row may be beyond the longest record, in bytes: other cells, doubled quotes.
const BESIDE_RECORD: usize = 32 << 10;
/// How long a column's name may be, in bytes.
const MAX_NAME: usize = 128;

/// A reader of rows.
pub(super) struct Csv {
    limits: Limits,
    delimiter: u8,
    header: Vec<Vec<u8>>,
    /// The header has been passed.
    in_body: bool,
    /// Where the row starts.
    at: u64,
    /// What is kept of a row that is too long, and where to look on for its end.
    long: Option<Long>,
    unwrapper: Unwrapper,
}

struct Long {
    start: u64,
    kept: Vec<u8>,
    in_quotes: bool,
}

impl Csv {
    /// A reader, if the text begins as such a table does.
    pub(super) fn suits(text: &[u8], limits: Limits, at: u64) -> Option<Self> {
        let found = [b',', b'\t', b';'].into_iter().find_map(|delimiter| {
            let end = row_end(text, delimiter)?;
            let header = cells(json::part(text, 0..end), delimiter);
            let body = json::part(text, end + 1..text.len());
            let second_end = row_end(body, delimiter).unwrap_or(body.len());
            let second = cells(json::part(body, 0..second_end), delimiter);
            let is_named = header.iter().all(|cell| is_name(&cell.text));
            // A single column is told from text by the quotes around its JSON.
            let is_table = match header.len() {
                1 => body.starts_with(b"\"{\"\"") && second.len() == 1,
                n => n == second.len() || body.is_empty(),
            };
            (is_named && is_table).then_some((delimiter, header))
        });
        let (delimiter, header) = found?;
        let header = header.into_iter().map(|cell| cell.text.into_owned()).collect();
        let unwrapper = Unwrapper::default();
        Some(Self { limits, delimiter, header, in_body: false, at, long: None, unwrapper })
    }

    /// The first byte that is still needed.
    pub(super) fn needed(&self) -> u64 {
        self.at
    }

    /// Reads as many rows as are in view.
    pub(super) fn run(&mut self, work: &mut Work<'_, '_, '_>) {
        let view = work.view;
        let longest = self.limits.max_record_bytes.saturating_add(BESIDE_RECORD) as u64;
        while self.at < view.end() {
            if let Some(long) = self.long.take() {
                if !self.pass_long(long, work) {
                    return;
                }
                continue;
            }
            let bytes = view.upto(self.at.saturating_add(longest));
            let rest = json::part(bytes, view.index(self.at)..bytes.len());
            let end = match row_end(rest, self.delimiter) {
                Some(end) => self.at + end as u64,
                None if view.end() >= self.at.saturating_add(longest) => {
                    let kept = json::part(rest, 0..tally::KEPT_OF_LONG).to_vec();
                    self.long = Some(Long { start: self.at, kept, in_quotes: false });
                    continue;
                }
                None if view.last => view.end(),
                None => return,
            };
            if std::mem::replace(&mut self.in_body, true) {
                self.row(end, work);
            }
            self.at = end + 1;
        }
    }

    /// Looks for the end of a row that is too long; whether it was found.
    fn pass_long(&mut self, mut long: Long, work: &mut Work<'_, '_, '_>) -> bool {
        let view = work.view;
        while let Some(i) = memchr2(b'"', b'\n', view.part(self.at, view.end())) {
            let at = self.at + i as u64;
            self.at = at + 1;
            if view.byte(at) == Some(b'"') {
                long.in_quotes = !long.in_quotes;
            } else if !long.in_quotes {
                self.reject_long(long, at, work);
                return true;
            }
        }
        self.at = view.end();
        if view.last {
            self.reject_long(long, view.end(), work);
        } else {
            self.long = Some(long);
        }
        false
    }

    fn reject_long(&self, long: Long, end: u64, work: &mut Work<'_, '_, '_>) {
        let reject = tally::too_long(self.limits.max_record_bytes);
        let length = end - long.start;
        work.tally.broken(Cow::Owned(long.kept), long.start, length, reject, work.sink);
    }

    fn row(&mut self, end: u64, work: &mut Work<'_, '_, '_>) {
        let row = work.view.part(self.at, end);
        if json::trim(row).is_empty() {
            return;
        }
        let cells = cells(row, self.delimiter);
        let is_whole = |text: &[u8]| json::value_end(text, 0) == Some(text.len());
        let holds = |cell: &Cell<'_>| {
            let text = json::trim(&cell.text);
            text.starts_with(b"{") && memmem::find(text, b"event").is_some() && is_whole(text)
        };
        let found = cells.iter().position(holds);
        let Some(found) = found else { return self.reject(row, &cells, work) };
        let (before, behind) = self.around(&cells, found);
        let Some(cell) = cells.into_iter().nth(found) else { return };
        let offset = self.at + cell.range.start as u64;
        let element = match cell.text {
            Cow::Borrowed(text) => Cow::Borrowed(json::trim(text)),
            Cow::Owned(text) => Cow::Owned(json::trim(&text).to_vec()),
        };
        if element.len() > self.limits.max_record_bytes {
            let kept = json::part(row, 0..tally::KEPT_OF_LONG).to_vec();
            let long = Long { start: self.at, kept, in_quotes: false };
            return self.reject_long(long, end, work);
        }
        let context = Context {
            container: None,
            shape: Shape::Csv,
            around: (&before, &behind),
            is_plain: false,
        };
        self.unwrapper.element(element, offset, None, &context, work.tally, work.sink);
    }

    /// Rejects a row without a whole record in it.
    fn reject<'a>(&self, row: &'a [u8], cells: &[Cell<'a>], work: &mut Work<'_, '_, 'a>) {
        let mut reject = tally::no_record("no cell of the row holds a record".to_owned());
        let length = row.len() as u64;
        let is_cut = |cell: &Cell<'_>| {
            json::trim(&cell.text).starts_with(b"{\"") && record::resembles(&cell.text)
        };
        if cells.iter().any(is_cut) {
            reject.reason = RejectReason::NotJson;
            "the record in the row is not whole".clone_into(&mut reject.detail);
            return work.tally.reject(Cow::Borrowed(row), self.at, length, reject, work.sink);
        }
        work.tally.foreign(Cow::Borrowed(row), self.at, length, reject, work.sink);
    }

    /// The row as a JSON object, up to and from the record's place.
    fn around(&self, cells: &[Cell<'_>], record: usize) -> (Vec<u8>, Vec<u8>) {
        let mut parts = (b"{".to_vec(), Vec::new());
        for (i, cell) in cells.iter().enumerate() {
            let out = if i <= record { &mut parts.0 } else { &mut parts.1 };
            if i > 0 {
                out.push(b',');
            }
            match self.header.get(i) {
                Some(name) => json::quote(name, out),
                None => json::quote(format!("column {}", i + 1).as_bytes(), out),
            }
            out.push(b':');
            if i != record {
                json::quote(&cell.text, out);
            }
        }
        parts.1.push(b'}');
        parts
    }
}

/// A cell's text, and where it stands in its row.
struct Cell<'a> {
    text: Cow<'a, [u8]>,
    range: Range<usize>,
}

/// The index of the line's end that ends the first row.
fn row_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            at = quoted_end(bytes, at)?;
        }
        let end = at + memchr2(delimiter, b'\n', bytes.get(at..)?)?;
        if bytes.get(end) == Some(&b'\n') {
            return Some(end);
        }
        at = end + 1;
    }
}

/// The index behind the closing quote of a cell; quotes within are doubled.
fn quoted_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += memchr(b'"', bytes.get(at..)?)? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// A row's cells.
fn cells(row: &[u8], delimiter: u8) -> Vec<Cell<'_>> {
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    let mut cells = Vec::new();
    let mut at = 0;
    loop {
        let quoted = (row.get(at) == Some(&b'"')).then(|| quoted_end(row, at)).flatten();
        let search = quoted.unwrap_or(at);
        let rest = row.get(search..).unwrap_or_default();
        let end = search + memchr(delimiter, rest).unwrap_or(rest.len());
        let text = match quoted {
            Some(close) => {
                undouble(json::part(row, at + 1..close - 1), json::part(row, close..end))
            }
            None => Cow::Borrowed(json::part(row, at..end)),
        };
        cells.push(Cell { text, range: at..end });
        if end >= row.len() {
            return cells;
        }
        at = end + 1;
    }
}

/// A quoted cell's text: quotes halved, and what follows the closing quote appended.
fn undouble<'a>(inner: &'a [u8], behind: &'a [u8]) -> Cow<'a, [u8]> {
    if memchr(b'"', inner).is_none() && behind.is_empty() {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(i) = memchr(b'"', inner.get(at..).unwrap_or_default()) {
        text.extend_from_slice(json::part(inner, at..at + i + 1));
        at += i + 2;
    }
    text.extend_from_slice(inner.get(at..).unwrap_or_default());
    text.extend_from_slice(behind);
    Cow::Owned(text)
}

/// Whether the cell may be a column's name.
fn is_name(cell: &[u8]) -> bool {
    let is_word =
        |b: &u8| b.is_ascii_alphanumeric() || b" _-.@:/()#$?[]\"'*".contains(b) || *b >= 0x80;
    !cell.is_empty()
        && cell.len() <= MAX_NAME
        && !cell.ends_with(b".")
        && cell.iter().all(is_word)
        && cell.iter().any(u8::is_ascii_alphabetic)
}
