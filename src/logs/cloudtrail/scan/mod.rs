//! A forward scanner over JSON text: strings, numbers and whole values, by the full grammar.
//!
//! It looks at eight bytes at a time, allocates nothing but one reused stack, and never recurses,
//! so nesting is bounded by the caller's limit and not by the thread's stack. UTF-8 is the
//! caller's to check.
//!
//! In one point it is more lenient than RFC 8259: control characters inside strings, which the
//! grammar forbids, are accepted and noted ([`Text::control`], [`Value::loose`]). AWS never
//! writes them, but copies made by other tools have them, and a record must not be lost for that.

mod edit;
#[cfg(test)]
mod tests;

pub(crate) use edit::{
    Entry, compact, elements, entries, find, find_path, inside, unescape, write_string,
};

use crate::logs::{Limits, Reject, RejectReason};

/// Where a text stops being JSON, or goes over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) kind: FaultKind,
    /// The offset of the byte at fault.
    pub(crate) at: usize,
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// A value had to stand here.
    Value,
    /// A key in quotes had to stand here.
    Key,
    /// `:` had to stand here.
    Colon,
    /// `,` or `}` had to stand here.
    CommaOrBrace,
    /// `,` or `]` had to stand here.
    CommaOrBracket,
    /// Something follows the value.
    End,
    /// A backslash that begins no escape of JSON's.
    Escape,
    /// A number, `true`, `false` or `null` spelled wrong.
    Token,
    /// Nested deeper than the limit.
    TooDeep,
    /// More keys in one object than the limit.
    TooManyKeys,
}

impl Fault {
    /// The fault as the reason to reject `json`.
    #[cold]
    pub(crate) fn reject(self, json: &[u8]) -> Reject {
        let expected = match self.kind {
            FaultKind::Value => "a value",
            FaultKind::Key => "a key in quotes",
            FaultKind::Colon => "`:` after the key",
            FaultKind::CommaOrBrace => "`,` or `}`",
            FaultKind::CommaOrBracket => "`,` or `]`",
            FaultKind::End => "nothing after the value",
            FaultKind::Escape => "an escape such as `\\n` or `\\u0041`",
            FaultKind::Token => "a number, `true`, `false` or `null`",
            FaultKind::TooDeep => return self.over(RejectReason::TooDeep, "nested too deep"),
            FaultKind::TooManyKeys => {
                return self.over(RejectReason::TooManyKeys, "too many keys in one object");
            }
        };
        let (reason, found) = match json.get(self.at..).filter(|rest| !rest.is_empty()) {
            None => (RejectReason::Truncated, "the end".to_owned()),
            Some(rest) => (RejectReason::NotJson, found(rest)),
        };
        Reject { reason, detail: format!("expected {expected}, but found {found}"), at: self.at }
    }

    fn over(self, reason: RejectReason, detail: &str) -> Reject {
        Reject { reason, detail: detail.to_owned(), at: self.at }
    }
}

/// The first character of `rest`, fit to be shown.
fn found(rest: &[u8]) -> String {
    let head = rest.get(..4.min(rest.len())).unwrap_or_default();
    match String::from_utf8_lossy(head).chars().next() {
        Some(c) if !c.is_control() && c != '\u{fffd}' => format!("`{c}`"),
        _ => format!("byte 0x{:02x}", head.first().copied().unwrap_or_default()),
    }
}

/// A string, from behind its opening quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Text {
    /// The offset of its closing quote.
    pub(crate) end: usize,
    /// It has escapes.
    pub(crate) escaped: bool,
    /// It has an escaped surrogate without its partner, so it is no Unicode text.
    pub(crate) lone: bool,
    /// It has control characters as they are.
    pub(crate) control: bool,
}

/// A whole value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value {
    /// The offset behind it.
    pub(crate) end: usize,
    /// It is not compact: there is white space around its tokens, or a control character inside
    /// a string. See [`compact`].
    pub(crate) loose: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const QUOTES: u64 = ONES * b'"' as u64;
const BACKSLASHES: u64 = ONES * b'\\' as u64;
const SPACES: u64 = ONES * b' ' as u64;

/// Sets the high bit of each byte of `word` that ends a plain run: a quote, a backslash, a control
/// character. Only the lowest set bit is certain: a borrow may set one above it.
#[inline]
fn special(word: u64) -> u64 {
    let quote = word ^ QUOTES;
    let slash = word ^ BACKSLASHES;
    ((quote.wrapping_sub(ONES) & !quote)
        | (slash.wrapping_sub(ONES) & !slash)
        | (word.wrapping_sub(SPACES) & !word))
        & HIGH_BITS
}

/// The offset of the next quote, backslash or control character at or after `at`.
#[inline]
pub(crate) fn plain_end(json: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = json.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let hits = special(u64::from_le_bytes(*chunk));
        if hits != 0 {
            return Some(at + (hits.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = json.get(at..)?;
    rest.iter().position(|&b| b == b'"' || b == b'\\' || b < b' ').map(|n| at + n)
}

/// Scans the string whose opening quote lies before `at`.
#[inline]
pub(crate) fn string(json: &[u8], at: usize) -> Result<Text, Fault> {
    match plain_end(json, at) {
        Some(end) if json.get(end) == Some(&b'"') => Ok(Text { end, ..Text::default() }),
        Some(stop) => string_with_escapes(json, stop),
        None => Err(Fault { kind: FaultKind::Value, at: json.len() }),
    }
}

/// The rest of a string, from its first backslash or control character.
#[inline(never)]
fn string_with_escapes(json: &[u8], stop: usize) -> Result<Text, Fault> {
    let mut text = Text::default();
    let mut next = Some(stop);
    while let Some(at) = next {
        let resume = match json.get(at) {
            Some(b'"') => {
                text.end = at;
                return Ok(text);
            }
            Some(b'\\') => {
                text.escaped = true;
                escape(json, at, &mut text.lone)?
            }
            _ => {
                text.control = true;
                at + 1
            }
        };
        next = plain_end(json, resume);
    }
    Err(Fault { kind: FaultKind::Value, at: json.len() })
}

/// Checks the escape whose backslash lies at `at`, and gives the offset behind it.
fn escape(json: &[u8], at: usize, lone: &mut bool) -> Result<usize, Fault> {
    match json.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let unit = hex4(json, at + 2)?;
            if (0xd800..=0xdbff).contains(&unit)
                && json.get(at + 6..at + 8) == Some(b"\\u")
                && (0xdc00..=0xdfff).contains(&hex4(json, at + 8)?)
            {
                return Ok(at + 12);
            }
            *lone |= (0xd800..=0xdfff).contains(&unit);
            Ok(at + 6)
        }
        Some(_) => Err(Fault { kind: FaultKind::Escape, at }),
        None => Err(Fault { kind: FaultKind::Escape, at: json.len() }),
    }
}

/// Four hexadecimal digits at `at`.
fn hex4(json: &[u8], at: usize) -> Result<u32, Fault> {
    let mut code = 0;
    for i in at..at + 4 {
        let digit = match json.get(i) {
            Some(b @ b'0'..=b'9') => b - b'0',
            Some(b @ b'a'..=b'f') => b - b'a' + 10,
            Some(b @ b'A'..=b'F') => b - b'A' + 10,
            _ => return Err(Fault { kind: FaultKind::Escape, at: i.min(json.len()) }),
        };
        code = code << 4 | u32::from(digit);
    }
    Ok(code)
}

/// The offset of the first byte at or after `at` that is no white space.
#[inline]
pub(crate) fn space(json: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = json.get(at) {
        at += 1;
    }
    at
}

/// Scans a number, and gives the offset behind it.
#[inline]
pub(crate) fn number(json: &[u8], start: usize) -> Result<usize, Fault> {
    let fault = |at| Err(Fault { kind: FaultKind::Token, at });
    let mut at = start + usize::from(json.get(start) == Some(&b'-'));
    match json.get(at) {
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at = digits(json, at),
        _ => return fault(at),
    }
    if json.get(at) == Some(&b'.') {
        let end = digits(json, at + 1);
        if end == at + 1 {
            return fault(end);
        }
        at = end;
    }
    if let Some(b'e' | b'E') = json.get(at) {
        at += 1 + usize::from(matches!(json.get(at + 1), Some(b'+' | b'-')));
        let end = digits(json, at);
        if end == at {
            return fault(end);
        }
        at = end;
    }
    Ok(at)
}

#[inline]
fn digits(json: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9') = json.get(at) {
        at += 1;
    }
    at
}

/// Scans `true`, `false`, `null` or a number, and gives the offset behind it.
#[inline]
pub(crate) fn scalar(json: &[u8], at: usize) -> Result<usize, Fault> {
    let word: &[u8] = match json.get(at) {
        Some(b't') => b"true",
        Some(b'f') => b"false",
        Some(b'n') => b"null",
        Some(b'-' | b'0'..=b'9') => return number(json, at),
        _ => return Err(Fault { kind: FaultKind::Value, at }),
    };
    let rest = json.get(at..).unwrap_or_default();
    if rest.starts_with(word) {
        return Ok(at + word.len());
    }
    let same = word.iter().zip(rest).take_while(|(a, b)| a == b).count();
    Err(Fault { kind: FaultKind::Token, at: at + same })
}

/// Marks an array on the stack, where an object has its count of keys.
const ARRAY: usize = usize::MAX;

/// Scans whole values within limits.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    max_depth: usize,
    max_keys: usize,
    /// What encloses the value at hand, from the outside in.
    stack: Vec<usize>,
}

impl Scanner {
    /// A scanner that holds texts to `limits`.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            max_depth: limits.max_depth,
            max_keys: limits.max_keys.min(ARRAY - 1),
            stack: Vec::with_capacity(32),
        }
    }

    /// Checks that a container may be opened at `at` inside of `depth` others.
    #[inline]
    pub(crate) fn open(&self, depth: usize, at: usize) -> Result<(), Fault> {
        if depth >= self.max_depth {
            return Err(Fault { kind: FaultKind::TooDeep, at });
        }
        Ok(())
    }

    /// Checks that an object may have its `n_keys`th key, at `at`.
    #[inline]
    pub(crate) fn count(&self, n_keys: usize, at: usize) -> Result<(), Fault> {
        if n_keys > self.max_keys {
            return Err(Fault { kind: FaultKind::TooManyKeys, at });
        }
        Ok(())
    }

    /// Scans the value that begins at `start`, inside of `depth` open containers.
    pub(crate) fn value(
        &mut self,
        json: &[u8],
        start: usize,
        depth: usize,
    ) -> Result<Value, Fault> {
        self.stack.clear();
        let mut loose = false;
        // What the value at hand stands in: the keys of an object so far, or ARRAY.
        let mut inside = ARRAY;
        let mut at = start;
        loop {
            match json.get(at) {
                Some(b'"') => {
                    let text = string(json, at + 1)?;
                    loose |= text.control;
                    at = text.end + 1;
                }
                Some(&open @ (b'{' | b'[')) => {
                    self.open(depth + self.stack.len(), at)?;
                    let first = tight(json, at + 1, &mut loose);
                    if json.get(first) == Some(&(open + 2)) {
                        at = first + 1;
                    } else {
                        self.stack.push(inside);
                        at = first;
                        if open == b'[' {
                            inside = ARRAY;
                        } else {
                            self.count(1, at)?;
                            inside = 1;
                            at = key(json, at, &mut loose)?;
                        }
                        continue;
                    }
                }
                _ => at = scalar(json, at)?,
            }
            // Behind a value: close what it ends, or go on to its neighbour.
            loop {
                if self.stack.is_empty() {
                    return Ok(Value { end: at, loose });
                }
                at = tight(json, at, &mut loose);
                match json.get(at) {
                    Some(b',') => {
                        at = tight(json, at + 1, &mut loose);
                        if inside != ARRAY {
                            inside += 1;
                            self.count(inside, at)?;
                            at = key(json, at, &mut loose)?;
                        }
                        break;
                    }
                    Some(b'}') if inside != ARRAY => {}
                    Some(b']') if inside == ARRAY => {}
                    _ if inside == ARRAY => {
                        return Err(Fault { kind: FaultKind::CommaOrBracket, at });
                    }
                    _ => return Err(Fault { kind: FaultKind::CommaOrBrace, at }),
                }
                at += 1;
                inside = self.stack.pop().unwrap_or(ARRAY);
            }
        }
    }
}

/// Skips white space and notes that there was some.
#[inline]
fn tight(json: &[u8], at: usize, loose: &mut bool) -> usize {
    match json.get(at) {
        Some(&b) if b > b' ' => at,
        _ => {
            let end = space(json, at);
            *loose |= end != at;
            end
        }
    }
}

/// Scans a key and its colon, and gives the offset of the value.
#[inline]
fn key(json: &[u8], at: usize, loose: &mut bool) -> Result<usize, Fault> {
    if json.get(at) != Some(&b'"') {
        return Err(Fault { kind: FaultKind::Key, at });
    }
    let text = string(json, at + 1)?;
    *loose |= text.control;
    let at = tight(json, text.end + 1, loose);
    if json.get(at) != Some(&b':') {
        return Err(Fault { kind: FaultKind::Colon, at });
    }
    Ok(tight(json, at + 1, loose))
}
