//! Where a path leads in a JSON text: one scan forward, no tree.
//!
//! As Trino's streaming reader does it:
//!
//! * The first member of a name counts, where there are several.
//! * What lies before the value is checked (a fault there: nothing is found); what lies behind it is
//!   not looked at.
//! * A step into a scalar finds nothing.
//! * A control character inside a string is a fault.

use std::borrow::Cow;

use super::path::{Path, Step};
use crate::logs::{
    Limits,
    cloudtrail::scan::{self, Scanner},
};

/// Finds values; its memory is reused from text to text.
#[derive(Debug)]
pub(in crate::engine) struct Finder {
    scanner: Scanner,
}

impl Finder {
    /// A finder without limits: the scanner keeps what is open in memory, not on the stack.
    pub(in crate::engine) fn new() -> Self {
        let limits = Limits { max_depth: usize::MAX, max_keys: usize::MAX, ..Limits::default() };
        Self { scanner: Scanner::new(limits) }
    }

    /// The offset of the value that `path` leads to in `text`.
    pub(super) fn find(&mut self, text: &str, path: &Path) -> Option<usize> {
        let json = text.as_bytes();
        let start = scan::space(json, 0);
        path.steps.iter().try_fold(start, |at, step| match json.get(at)? {
            b'{' => self.member(text, at, &step.name),
            b'[' => self.element(text, at, step),
            _ => None,
        })
    }

    fn member(&mut self, text: &str, open: usize, name: &str) -> Option<usize> {
        let json = text.as_bytes();
        let mut at = scan::space(json, open + 1);
        loop {
            // `}` of an empty object ends here as well.
            if json.get(at) != Some(&b'"') {
                return None;
            }
            let key = scan::string(json, at + 1).ok().filter(|key| !key.control)?;
            let raw = text.get(at + 1..key.end)?;
            let same = if key.escaped { unescaped(raw) == name } else { raw == name };
            let colon = scan::space(json, key.end + 1);
            if json.get(colon) != Some(&b':') {
                return None;
            }
            let value = scan::space(json, colon + 1);
            if same {
                return Some(value);
            }
            at = scan::space(json, self.end(text, value)?);
            if json.get(at) != Some(&b',') {
                return None;
            }
            at = scan::space(json, at + 1);
        }
    }

    fn element(&mut self, text: &str, open: usize, step: &Step) -> Option<usize> {
        let index = step.index?;
        let mut elements = Elements::new(text, open);
        for _ in 0..index {
            elements.next(self)?;
        }
        elements.start().filter(|&at| text.as_bytes().get(at) != Some(&b']'))
    }

    /// The offset behind the whole value at `at`; nothing where it is none.
    pub(in crate::engine) fn end(&mut self, text: &str, at: usize) -> Option<usize> {
        let json = text.as_bytes();
        match json.get(at)? {
            b'"' => scan::string(json, at + 1).ok().filter(|text| !text.control).map(|t| t.end + 1),
            b'{' | b'[' => {
                let value = self.scanner.value(json, at, 0).ok()?;
                (!value.loose || no_control(json, at, value.end)).then_some(value.end)
            }
            _ => scan::scalar(json, at).ok().filter(|&end| ends(text, at, end)),
        }
    }

    /// The scalar that `path` leads to in `text`, as text: a string's content, else as written.
    ///
    /// Nothing for `null`, objects and arrays.
    pub(super) fn scalar<'a>(&mut self, text: &'a str, path: &Path) -> Option<Cow<'a, str>> {
        let at = self.find(text, path)?;
        match text.as_bytes().get(at)? {
            b'{' | b'[' | b'n' => return None,
            _ => {}
        }
        let end = self.end(text, at)?;
        let raw = text.get(at..end)?;
        if let Some(inside) = scan::inside(raw) {
            return Some(unescaped(inside));
        }
        // Behind a number that is not inside of anything there must be space, or nothing.
        let root = path.steps.is_empty() && !raw.starts_with(['t', 'f']);
        let glued = text.as_bytes().get(end).is_some_and(|b| !b.is_ascii_whitespace());
        (!(root && glued)).then_some(Cow::Borrowed(raw))
    }

    /// The value that `text` is; nothing where it is no JSON, or more than one value.
    pub(in crate::engine) fn whole<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let start = scan::space(text.as_bytes(), 0);
        let end = self.end(text, start)?;
        (scan::space(text.as_bytes(), end) == text.len()).then(|| text.get(start..end))?
    }
}

/// Whether the word that ends at `end` ends there; numbers end where they end.
fn ends(text: &str, at: usize, end: usize) -> bool {
    let word = text.as_bytes().get(at).is_some_and(u8::is_ascii_alphabetic);
    let next = text.get(end..).and_then(|rest| rest.chars().next());
    !word || !next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
}

/// Whether no string between `at` and `end`, a whole value, has a control character.
fn no_control(json: &[u8], mut at: usize, end: usize) -> bool {
    while let Some(quote) = json.get(at..end).and_then(|rest| memchr::memchr(b'"', rest)) {
        match scan::string(json, at + quote + 1) {
            Ok(text) if !text.control => at = text.end + 1,
            _ => return false,
        }
    }
    true
}

/// The text that `raw`, a string's inside, spells; half a surrogate pair becomes U+FFFD.
pub(in crate::engine) fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    scan::unescape(raw, &mut text);
    Cow::Owned(text)
}

/// The elements of an array, one after another.
pub(super) struct Elements<'a> {
    text: &'a str,
    /// Where the next element or the closing bracket is; nothing after a fault or the end.
    at: Option<usize>,
    /// The array has ended as it should.
    pub(super) closed: bool,
}

impl<'a> Elements<'a> {
    /// The elements of the array that opens at `open`.
    pub(super) fn new(text: &'a str, open: usize) -> Self {
        let json = text.as_bytes();
        let first = scan::space(json, open + 1);
        let closed = json.get(first) == Some(&b']');
        Self { text, at: (!closed).then_some(first), closed }
    }

    /// The offset of the next element, which need not be whole.
    pub(super) fn start(&self) -> Option<usize> {
        self.at
    }

    /// The next element; nothing at the end or at a fault.
    pub(super) fn next(&mut self, finder: &mut Finder) -> Option<&'a str> {
        let start = self.at.take()?;
        let end = finder.end(self.text, start)?;
        let json = self.text.as_bytes();
        let behind = scan::space(json, end);
        match json.get(behind) {
            Some(b',') => self.at = Some(scan::space(json, behind + 1)),
            Some(b']') => self.closed = true,
            // The element itself is whole; the fault ends the walk.
            _ => {}
        }
        self.text.get(start..end)
    }
}
