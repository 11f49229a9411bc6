//! Tells from its beginning how a file must be read, and reads it.

use super::{
    Item, Kind,
    bounds::Index,
    check::{Checked, check},
    csv::Csv,
    json,
    lines::Lines,
    other,
    probe::first_key,
    record, shapes, sniff,
    tally::Tally,
    walk::{View, Walk, Work},
};
use crate::logs::Limits;

/// How much of a file that does not begin as JSON is looked at before deciding, in bytes.
const SAMPLE: usize = 64 << 10;
/// How much of a file of JSON is kept for naming it, in bytes.
const HEAD: usize = 4 << 10;
/// NUL bytes in front that are taken for damage and not for a binary format.
const NUL_RUN: usize = 16;

/// How a file is read.
enum Mode {
    /// Not known yet.
    Start,
    Json(Walk),
    Lines(Lines),
    Csv(Csv),
    /// Passed over.
    Opaque,
}

/// Finds the records in a file's inflated bytes, whatever they come wrapped in.
///
/// Feed it windows of the file; it remembers where it is between them.
pub struct Framer {
    limits: Limits,
    mode: Mode,
    /// Offset of the next window's first byte.
    base: u64,
    index: Index,
    tally: Tally,
    /// The file's first bytes.
    head: Vec<u8>,
    /// What the file is if it is no JSON and nothing in it tells.
    fallback: String,
}

impl Framer {
    /// Starts on a new file.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            mode: Mode::Start,
            base: 0,
            index: Index::new(),
            tally: Tally::default(),
            head: Vec::new(),
            fallback: String::new(),
        }
    }

    /// Frames as much of `window` as is whole and gives how many of its bytes are done with.
    ///
    /// `window` starts where the last call's consumed bytes ended, so the caller moves the rest
    /// to the front, appends what it reads, and calls again; with `last` nothing follows, and
    /// everything is consumed. When it consumes nothing, it needs a longer window. It never asks
    /// for one longer than [`Limits::max_record_bytes`] plus 64 KiB.
    ///
    /// The items do not depend on how the file is cut into windows.
    pub fn feed<'a>(
        &mut self,
        window: &'a [u8],
        last: bool,
        sink: &mut dyn FnMut(Item<'a>),
    ) -> usize {
        let view = View { bytes: window, base: self.base, last };
        self.index.clear();
        let known = view.index(self.head.len() as u64);
        self.head.extend_from_slice(json::part(window, known..known + HEAD - self.head.len()));
        if matches!(self.mode, Mode::Start) {
            match self.decide(view) {
                Some(mode) => self.mode = mode,
                None => return 0,
            }
        }
        let mut work = Work { view, index: &mut self.index, tally: &mut self.tally, sink };
        let needed = match &mut self.mode {
            Mode::Json(walk) => {
                walk.run(&mut work);
                walk.needed()
            }
            Mode::Lines(lines) => {
                lines.run(&mut work);
                lines.needed()
            }
            Mode::Csv(csv) => {
                csv.run(&mut work);
                csv.needed()
            }
            Mode::Start | Mode::Opaque => view.end(),
        };
        if last {
            self.tally.close(sink);
        }
        let consumed = if last { window.len() } else { view.index(needed) };
        self.base += consumed as u64;
        consumed
    }

    /// What the file was, after the last window, and the members that stand beside or behind the
    /// records in their container: as a JSON object, or an array of them where several containers
    /// have some.
    pub fn finish(self) -> (Kind, Option<String>) {
        let Self { tally, head, fallback, .. } = self;
        tally.finish(|| if fallback.is_empty() { other::sketch(&head) } else { fallback })
    }

    /// How to read the file, once enough of it is in view.
    fn decide(&mut self, view: View<'_>) -> Option<Mode> {
        let sample = json::part(view.bytes, 0..SAMPLE);
        let is_enough = view.last || sample.len() == SAMPLE;
        let marked = usize::from(sample.starts_with(b"\xEF\xBB\xBF")) * 3;
        let start = json::skip_space(sample, marked);
        let text = json::part(sample, start..sample.len());
        if let Some(is_json) = begins_json(text, is_enough) {
            if is_json {
                return Some(Mode::Json(Walk::new(self.limits, start as u64)));
            }
        } else {
            return None;
        }
        if !is_enough {
            return None;
        }
        let nuls = text.iter().take_while(|b| **b == 0).count();
        let behind = json::part(text, nuls..text.len());
        if nuls >= NUL_RUN || nuls > 0 && begins_json(behind, true) == Some(true) {
            self.tally.damage(start as u64, "NUL bytes");
            return Some(match begins_json(behind, true) {
                Some(true) => Mode::Json(Walk::new(self.limits, (start + nuls) as u64)),
                _ => Mode::Json(Walk::in_garbage(self.limits, start as u64)),
            });
        }
        sniff::text(sample).clone_into(&mut self.fallback);
        Some(self.decide_text(sample, start))
    }

    /// How to read a file that does not begin as JSON.
    fn decide_text(&mut self, sample: &[u8], start: usize) -> Mode {
        let text = json::part(sample, start..sample.len());
        if sniff::is_text(sample) && Lines::suits(text) {
            return Mode::Lines(Lines::new(self.limits, start as u64));
        }
        if self.fallback != "text" {
            return Mode::Opaque;
        }
        if let Some(csv) = Csv::suits(text, self.limits, start as u64) {
            "CSV table".clone_into(&mut self.fallback);
            return Mode::Csv(csv);
        }
        let holds_json = text.split(|b| *b == b'\n').any(|line| {
            first_key(line)
                .is_some_and(|key| record::leads_record(key) || shapes::find_key(0, key).is_some())
        });
        if holds_json {
            self.tally.damage(start as u64, "no JSON stands here");
            return Mode::Json(Walk::in_garbage(self.limits, start as u64));
        }
        Mode::Opaque
    }
}

/// Whether the text begins as JSON that may hold records; nothing where more of it is needed.
fn begins_json(text: &[u8], is_enough: bool) -> Option<bool> {
    let first = text.first();
    let second = text.get(json::skip_space(text, 1));
    match (first, second) {
        (None, _) => is_enough.then_some(false),
        (Some(b'{' | b'['), None) => is_enough.then_some(true),
        (Some(b'{'), Some(second)) => Some(matches!(second, b'"' | b'}')),
        (Some(b'['), Some(b'{' | b'[' | b'"' | b']')) => Some(true),
        (Some(b'['), Some(_)) => is_enough.then(|| !matches!(check(text), Checked::Fault(_))),
        (Some(b'"'), _) => is_enough.then(|| is_document_string(text)),
        _ => Some(false),
    }
}

/// Whether the text begins with a JSON string that holds a JSON document.
fn is_document_string(text: &[u8]) -> bool {
    let Some(end) = json::string_end(text, 0) else {
        return text.starts_with(b"\"{\\\"") || text.starts_with(b"\"{ \\\"");
    };
    let opens = text.get(1).is_some_and(|b| matches!(b, b'{' | b'['));
    opens && text.get(end).is_none_or(|b| json::is_space(*b)) && end > 4
}
