//! Passes over what is no JSON, and finds where JSON goes on.

use memchr::memchr;

use super::{json, probe::first_key, record, shapes, walk::View};
use crate::logs::{Reject, RejectReason};

/// How much of an object must be seen to tell whether it begins a record, in bytes.
const LOOK_AHEAD: u64 = 256;

/// What ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// An object that begins as records do.
    Record,
    /// The same, or an object at the beginning of a line.
    Document,
    /// The end of the line.
    LineEnd,
}

/// A run of what is no JSON, so far.
pub(super) struct Garbage {
    start: u64,
    fault: u64,
    what: String,
    /// Whether it stands where a record should.
    pub(super) is_reject: bool,
    until: Until,
    /// The first key of the object it began as.
    key: Option<Vec<u8>>,
    /// The next byte to look at.
    from: u64,
    /// The last byte in front of it that is no white space.
    before: Option<u8>,
    kept: Vec<u8>,
    kept_to: u64,
}

impl Garbage {
    /// What begins at `start` and is no JSON from `fault` on.
    pub(super) fn new(start: u64, fault: u64, what: &str, key: Option<Vec<u8>>) -> Self {
        Self {
            start,
            fault,
            what: what.to_owned(),
            is_reject: false,
            until: Until::Record,
            key,
            from: fault,
            before: None,
            kept: Vec::new(),
            kept_to: start,
        }
    }

    /// It ends with its line.
    pub(super) fn until_line_end(self) -> Self {
        Self { until: Until::LineEnd, ..self }
    }

    /// It stands outside all arrays and containers.
    pub(super) fn at_top(self) -> Self {
        Self { until: Until::Document, ..self }
    }

    /// The first byte that is still needed: one more than was not looked at.
    pub(super) fn needed(&self) -> u64 {
        self.from.saturating_sub(1).max(self.start)
    }

    /// Goes on through the view; gives its end, once found.
    pub(super) fn run(&mut self, view: View<'_>, keep: usize, first: Option<&[u8]>) -> Option<u64> {
        let end = match self.until {
            Until::LineEnd => self.line_end(view),
            Until::Record | Until::Document => self.restart(view, first),
        };
        let end = end.or_else(|| view.last.then(|| view.end()));
        let upto = end.unwrap_or(self.from);
        if self.is_reject && upto > self.kept_to {
            let room = keep.saturating_sub(self.kept.len());
            let new = view.part(self.kept_to, upto);
            self.kept.extend_from_slice(json::part(new, 0..room));
        }
        self.kept_to = self.kept_to.max(upto);
        end
    }

    fn line_end(&mut self, view: View<'_>) -> Option<u64> {
        let found = memchr(b'\n', view.part(self.from, view.end()));
        let end = found.map(|i| self.from + i as u64);
        self.from = end.unwrap_or(view.end());
        end
    }

    fn restart(&mut self, view: View<'_>, first: Option<&[u8]>) -> Option<u64> {
        if self.from == self.fault {
            self.pass(view, self.start, self.from);
        }
        while let Some(i) = memchr(b'{', view.part(self.from, view.end())) {
            let at = self.from + i as u64;
            self.pass(view, self.from, at);
            self.from = at;
            if view.end() < at + LOOK_AHEAD && !view.last {
                return None;
            }
            if self.begins_value(view, at, first) {
                return Some(at);
            }
            self.pass(view, at, at + 1);
            self.from = at + 1;
        }
        self.pass(view, self.from, view.end());
        self.from = self.from.max(view.end());
        None
    }

    fn pass(&mut self, view: View<'_>, from: u64, to: u64) {
        let passed = view.part(from, to).iter().rfind(|b| !json::is_space(**b));
        self.before = passed.copied().or(self.before);
    }

    /// Whether the brace at `at` begins something to frame.
    ///
    /// In an array a comma must stand before it. Who can choose what a record holds could else
    /// plant one as the first of a list in it; as a later one he still could, but only by
    /// foreseeing damage, and not unseen, for the damage is reported.
    fn begins_value(&self, view: View<'_>, at: u64, first: Option<&[u8]>) -> bool {
        let at_top = self.until == Until::Document;
        if at <= self.start {
            return false;
        }
        if at_top && view.byte(at - 1) == Some(b'\n') {
            return true;
        }
        if !at_top && self.before != Some(b',') {
            return false;
        }
        let Some(key) = first_key(view.part(at, at + LOOK_AHEAD)) else { return false };
        record::leads_record(key)
            || Some(key) == first
            || Some(key) == self.key.as_deref()
            || at_top && shapes::find_key(0, key).is_some()
    }

    /// The reject it makes, ending at `end`: text, offset, length and why.
    pub(super) fn into_reject(self, end: u64) -> (Vec<u8>, u64, u64, Reject) {
        let mut length = end - self.start;
        let mut text = self.kept;
        if text.len() as u64 == length {
            let rest = text.iter().rposition(|b| !json::is_space(*b) && *b != b',');
            text.truncate(rest.map_or(0, |last| last + 1));
            length = text.len() as u64;
        }
        let at = usize::try_from(self.fault - self.start).unwrap_or(usize::MAX);
        let reject = Reject { reason: RejectReason::NotJson, detail: self.what, at };
        (text, self.start, length, reject)
    }
}
