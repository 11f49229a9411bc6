//! Passes over one value, however many views it takes.

use memchr::memchr;

use super::{
    bounds::{Bounds, Found, Index},
    check::{Checked, check},
    json,
    walk::View,
};

/// How far a value has been passed over.
pub(super) enum Skip {
    /// An object or array, with its start if faults count, and the next byte to look at.
    Nested { start: Option<u64>, at: u64, bounds: Bounds },
    /// A string, likewise.
    Text { start: Option<u64>, at: u64 },
    /// A number or literal, with the next byte to look at.
    Scalar { at: u64 },
    /// A value of which every byte is checked, from its start.
    Checked { start: u64 },
    /// A value that ended.
    Finished { end: u64 },
}

/// How that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skipped {
    /// It ends before this offset.
    End(u64),
    /// The view must be longer.
    More,
    /// It is no JSON, from about this offset on.
    Fault(u64),
    /// It goes on at the limit.
    Over,
    /// It goes on at the end of the file.
    Cut,
}

impl Skip {
    /// Before the value at an offset of the view.
    pub(super) fn new(view: View<'_>, at: u64, careful: bool) -> Self {
        match view.byte(at) {
            Some(b'{' | b'[' | b'"') if careful => Self::Checked { start: at },
            Some(b'{' | b'[') => Self::Nested { start: Some(at), at, bounds: Bounds::new() },
            Some(b'"') => Self::Text { start: Some(at), at: at + 1 },
            _ => Self::Scalar { at },
        }
    }

    /// The same, never giving a fault.
    pub(super) fn lenient(view: View<'_>, at: u64) -> Self {
        match view.byte(at) {
            Some(b'{' | b'[') => Self::Nested { start: None, at, bounds: Bounds::lenient() },
            Some(b'"') => Self::Text { start: None, at: at + 1 },
            _ => Self::Scalar { at },
        }
    }

    /// Behind a value.
    pub(super) fn finished(end: u64) -> Self {
        Self::Finished { end }
    }

    /// The first byte that was not looked at.
    pub(super) fn at(&self) -> u64 {
        match self {
            Self::Nested { at, .. } | Self::Text { at, .. } | Self::Scalar { at } => *at,
            Self::Checked { start } => *start,
            Self::Finished { end } => *end,
        }
    }

    /// Goes on through the view, but not behind `limit`.
    pub(super) fn run(&mut self, view: View<'_>, index: &mut Index, limit: u64) -> Skipped {
        let bytes = view.upto(limit);
        let offset = |i: usize| view.base + i as u64;
        let done = match self {
            Self::Finished { end } => Skipped::End(*end),
            Self::Checked { start } => {
                let from = view.index(*start);
                match check(json::part(bytes, from..bytes.len())) {
                    Checked::Whole(end) => Skipped::End(offset(from + end)),
                    Checked::Fault(at) => Skipped::Fault(offset(from + at)),
                    Checked::Short => Skipped::More,
                }
            }
            Self::Nested { start, at, bounds } => match bounds.run(index, bytes, view.index(*at)) {
                Found::End(end) => matched(view, *start, offset(end)),
                Found::Fault(fault) => Skipped::Fault(offset(fault)),
                Found::More => {
                    *at = offset(bytes.len());
                    Skipped::More
                }
            },
            Self::Text { start, at } => match text(bytes, view.index(*at)) {
                Ok(end) => on_one_line(view, *start, offset(end)),
                Err(next) => {
                    *at = offset(next);
                    Skipped::More
                }
            },
            Self::Scalar { at } => {
                let end = json::scalar_end(bytes, view.index(*at));
                *at = offset(end);
                let whole = end < bytes.len() || view.last && view.end() <= limit;
                if whole { Skipped::End(*at) } else { Skipped::More }
            }
        };
        match done {
            Skipped::More if view.end() >= limit => Skipped::Over,
            Skipped::More if view.last => Skipped::Cut,
            done => done,
        }
    }
}

/// The end, if the brackets at both ends belong together.
fn matched(view: View<'_>, start: Option<u64>, end: u64) -> Skipped {
    match (start.and_then(|start| view.byte(start)), view.byte(end - 1)) {
        (Some(b'{'), Some(b']')) | (Some(b'['), Some(b'}')) => Skipped::Fault(end - 1),
        _ => Skipped::End(end),
    }
}

/// The end, if the string does not go on over the end of its line.
fn on_one_line(view: View<'_>, start: Option<u64>, end: u64) -> Skipped {
    let from = start.unwrap_or(end);
    match memchr(b'\n', view.part(from, end)) {
        Some(i) => Skipped::Fault(from + i as u64),
        None => Skipped::End(end),
    }
}

/// The end of the string that `at` lies in, or where to go on.
fn text(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let mut from = at;
    loop {
        let found = json::find_special(bytes, from);
        let Some(found) = found else { return Err(bytes.len().max(from)) };
        match (bytes.get(found), found + 1 < bytes.len()) {
            (Some(b'"'), _) => return Ok(found + 1),
            (_, true) => from = found + 2,
            // The escaped byte is out of view: come back for both.
            (_, false) => return Err(found),
        }
    }
}
