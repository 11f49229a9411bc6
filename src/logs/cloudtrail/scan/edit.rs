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
pub(crate) fn entries(json: &str, at: usize) -> Entries<'_> {
    let json = json.as_bytes();
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
pub(crate) fn elements(json: &str, at: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let json = json.as_bytes();
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
pub(crate) fn find<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let entry = entries(json, 0).filter(|entry| json.get(entry.key.clone()) == Some(key));
    json.get(entry.last()?.value)
}

/// The value at `path` in the object `json`.
pub(crate) fn find_path<'a>(json: &'a str, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(json, |json, key| find(json, key))
}

/// The inside of the string `value`, as spelled; nothing for another value.
pub(crate) fn inside(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// Appends the text that `raw` spells, a string's inside without its quotes.
///
/// Gives `false` where it is no Unicode text: a lone surrogate becomes U+FFFD.
pub(crate) fn unescape(raw: &str, out: &mut String) -> bool {
    let mut exact = true;
    let mut rest = raw;
    while let Some((plain, escape)) =
        memchr::memchr(b'\\', rest.as_bytes()).and_then(|n| rest.split_at_checked(n))
    {
        out.push_str(plain);
        let (c, length) = match escape.as_bytes().get(1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => unicode(escape.as_bytes(), &mut exact),
            Some(&b) if b.is_ascii() => (char::from(b), 2),
            _ => ('\\', 1),
        };
        out.push(c);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
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
pub(crate) fn compact(raw: &str, out: &mut String) {
    let mut rest = raw;
    loop {
        let token_end = rest.bytes().position(|b| b <= b' ' || b == b'"').unwrap_or(rest.len());
        let Some((tokens, tail)) = rest.split_at_checked(token_end) else { return };
        out.push_str(tokens);
        match tail.as_bytes().first() {
            None => return,
            Some(b'"') => {
                let end = string(tail.as_bytes(), 1).map_or(tail.len(), |text| text.end + 1);
                let Some((text, after)) = tail.split_at_checked(end) else { return };
                copy_string(text, out);
                rest = after;
            }
            Some(_) => rest = tail.get(1..).unwrap_or_default(),
        }
    }
}

/// Copies the string `text`, quotes included, and escapes control characters.
fn copy_string(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((plain, control)) =
        rest.bytes().position(|b| b < b' ').and_then(|n| rest.split_at_checked(n))
    {
        out.push_str(plain);
        escape_control(control.as_bytes().first().copied().unwrap_or_default(), out);
        rest = control.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Appends `value` as a JSON string, quotes included.
pub(crate) fn write_string(value: &str, out: &mut String) {
    out.push('"');
    let mut rest = value;
    while let Some((plain, stop)) =
        plain_end(rest.as_bytes(), 0).and_then(|n| rest.split_at_checked(n))
    {
        out.push_str(plain);
        match stop.as_bytes().first() {
            Some(b'"') => out.push_str("\\\""),
            Some(b'\\') => out.push_str("\\\\"),
            Some(&control) => escape_control(control, out),
            None => {}
        }
        rest = stop.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

fn escape_control(byte: u8, out: &mut String) {
    match byte {
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        _ => {
            let hex = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
            out.push_str("\\u00");
            out.push(hex(byte >> 4));
            out.push(hex(byte & 15));
        }
    }
}
