//! Reading and rewriting JSON that is known to be whole.
//!
//! Everything here is total: given text that [`Scanner`](super::Scanner) did not accept it stops
//! early, but neither panics nor loops.

use std::ops::Range;

use super::{plain_end, space, string};

/// One key and value of an object, as offsets into the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key as spelled, without its quotes.
    pub(crate) key: Range<usize>,
    /// The key has escapes.
    pub(crate) key_escaped: bool,
    /// The value as spelled.
    pub(crate) value: Range<usize>,
}

/// Walks the entries of an object, in order.
#[derive(Debug, Clone)]
pub(crate) struct Entries<'a> {
    json: &'a [u8],
    at: usize,
}

/// The entries of the object that begins at `at`; none if it is none.
pub(crate) fn entries(json: &[u8], at: usize) -> Entries<'_> {
    let at = space(json, at);
    let at = if json.get(at) == Some(&b'{') { at + 1 } else { json.len() };
    Entries { json, at }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let json = self.json;
        let mut at = space(json, self.at);
        if json.get(at) == Some(&b',') {
            at = space(json, at + 1);
        }
        if json.get(at) != Some(&b'"') {
            return None;
        }
        let text = string(json, at + 1).ok()?;
        let key = at + 1..text.end;
        let colon = space(json, text.end + 1);
        if json.get(colon) != Some(&b':') {
            return None;
        }
        let start = space(json, colon + 1);
        let end = value_end(json, start)?;
        self.at = end;
        Some(Entry { key, key_escaped: text.escaped, value: start..end })
    }
}

/// The elements of the array that begins at `at`, as offsets into the text; none if it is none.
pub(crate) fn elements(json: &[u8], at: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let at = space(json, at);
    let mut at = if json.get(at) == Some(&b'[') { at + 1 } else { json.len() };
    std::iter::from_fn(move || {
        at = space(json, at);
        if json.get(at) == Some(&b',') {
            at = space(json, at + 1);
        }
        let start = at;
        at = value_end(json, start)?;
        Some(start..at)
    })
}

/// The offset behind the whole value at `at`.
fn value_end(json: &[u8], at: usize) -> Option<usize> {
    match json.get(at)? {
        b'"' => Some(string(json, at + 1).ok()?.end + 1),
        b'{' | b'[' => {
            let mut depth = 0_usize;
            let mut at = at;
            loop {
                match json.get(at)? {
                    b'"' => at = string(json, at + 1).ok()?.end,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        _ => super::scalar(json, at).ok(),
    }
}

/// The value under `key` in the object `json`: the last one, where there are several.
///
/// Keys that have escapes are compared as spelled.
pub(crate) fn find<'a>(json: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let entry = entries(json, 0).filter(|e| json.get(e.key.clone()) == Some(key.as_bytes()));
    json.get(entry.last()?.value)
}

/// Appends the text that `raw` spells, a string's inside without its quotes.
///
/// Gives `false` where it is no Unicode text: a lone surrogate becomes U+FFFD.
pub(crate) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> bool {
    let mut exact = true;
    let mut rest = raw;
    while let Some(n) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(n);
        out.extend_from_slice(plain);
        let (c, length) = match escape.get(1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => unicode(escape, &mut exact),
            Some(&b) => (char::from(b), 2),
            None => ('\\', 1),
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    exact
}

/// The character that `\u…` at the start of `escape` spells, with its partner where it is a
/// surrogate, and the length of what spelled it.
fn unicode(escape: &[u8], exact: &mut bool) -> (char, usize) {
    let unit = |at: usize| super::hex4(escape, at).unwrap_or(0xfffd);
    let high = unit(2);
    if (0xd800..=0xdbff).contains(&high) && escape.get(6..8) == Some(b"\\u") {
        let low = unit(8);
        if (0xdc00..=0xdfff).contains(&low) {
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
        }
    }
    let c = char::from_u32(high);
    *exact &= c.is_some();
    (c.unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

/// Appends the value `raw` without white space between its tokens, every token as spelled.
///
/// Control characters inside strings are escaped, so that the outcome is JSON even where `raw`
/// was not quite.
pub(crate) fn compact(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    loop {
        let n = rest.iter().position(|&b| b <= b' ' || b == b'"').unwrap_or(rest.len());
        let (tokens, tail) = rest.split_at(n);
        out.extend_from_slice(tokens);
        match tail.first() {
            None => return,
            Some(b'"') => {
                let end = string(tail, 1).map_or(tail.len(), |text| text.end + 1);
                let (text, after) = tail.split_at(end);
                copy_string(text, out);
                rest = after;
            }
            Some(_) => rest = tail.get(1..).unwrap_or_default(),
        }
    }
}

/// Copies the string `text`, quotes included, and escapes control characters.
fn copy_string(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(n) = rest.iter().position(|&b| b < b' ') {
        let (plain, control) = rest.split_at(n);
        out.extend_from_slice(plain);
        escape_control(control.first().copied().unwrap_or_default(), out);
        rest = control.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Appends `value` as a JSON string, quotes included.
pub(crate) fn write_string(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = value;
    while let Some(n) = plain_end(rest, 0) {
        let (plain, stop) = rest.split_at(n);
        out.extend_from_slice(plain);
        match stop.first() {
            Some(&b @ (b'"' | b'\\')) => out.extend_from_slice(&[b'\\', b]),
            Some(&b) => escape_control(b, out),
            None => {}
        }
        rest = stop.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn escape_control(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            let hex = |n: u8| b"0123456789abcdef".get(usize::from(n)).copied().unwrap_or(b'0');
            out.extend_from_slice(b"\\u00");
            out.push(hex(byte >> 4));
            out.push(hex(byte & 15));
        }
    }
}
