//! Small readers of JSON that is whole and at hand: members, elements, strings, white space.
//!
//! They follow brackets and quotes only and never fail: what is not JSON simply ends the walk.

use std::{fmt::Write as _, ops::Range};

use memchr::memchr;

/// `bytes[range]`, or what there is of it.
pub(super) fn part(bytes: &[u8], range: Range<usize>) -> &[u8] {
    bytes.get(range.start..range.end.min(bytes.len())).unwrap_or_default()
}

/// The index of the first byte at or behind `at` that is no JSON white space.
pub(super) fn skip_space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| !is_space(*b)).unwrap_or(rest.len())
}

/// Whether JSON counts the byte as white space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// `bytes` without white space at either end.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| !is_space(*b)).map_or(0, |i| i + 1);
    let start = skip_space(bytes, 0).min(end);
    part(bytes, start..end)
}

/// The index behind the closing quote of the string that opens at `at`.
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let found = find_special(bytes, from)?;
        if bytes.get(found) == Some(&b'"') {
            return Some(found + 1);
        }
        from = found + 2;
    }
}

/// The index of the first quote or backslash at or behind `from`. Strings are short and what is
/// escaped is dense, so that eight bytes at a time beat wider registers.
pub(super) fn find_special(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (words, tail) = rest.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
        if found != 0 {
            return Some(from + i * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    let i = tail.iter().position(|b| matches!(b, b'"' | b'\\'))?;
    Some(from + words.len() * 8 + i)
}

/// One in each of eight bytes.
const BYTES: u64 = 0x0101_0101_0101_0101;
const QUOTES: u64 = BYTES * b'"' as u64;
const BACKSLASHES: u64 = BYTES * b'\\' as u64;

/// The high bit of each byte that is zero; what lies above the first of them may be wrong.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(BYTES) & !word & BYTES << 7
}

/// The index behind the value that begins at `at`, if it is whole.
pub(super) fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at),
        b'{' => nested_end(bytes, at).filter(|end| bytes.get(end - 1) == Some(&b'}')),
        b'[' => nested_end(bytes, at).filter(|end| bytes.get(end - 1) == Some(&b']')),
        _ => Some(scalar_end(bytes, at)).filter(|end| *end > at),
    }
}

/// The index behind the number or literal that begins at `at`.
pub(super) fn scalar_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| ends_scalar(*b)).unwrap_or(rest.len())
}

/// Whether the byte cannot be part of a number or literal.
pub(super) fn ends_scalar(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b',' | b':' | b'"' | b'{' | b'}' | b'[' | b']')
}

/// The index behind the bracket that closes the one at `at`, of whatever kind.
pub(super) fn nested_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = at;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            // Not JSON, but the fast search for the end reads it so.
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\\')) => at += 1,
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

/// Where a member of an object stands, in bytes from the object's start.
#[derive(Debug, Clone)]
pub(super) struct Span {
    /// The key between its quotes, as spelled.
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The members of the object that some bytes begin with, up to the first that is not whole.
#[derive(Debug, Clone)]
pub(super) struct Members<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Members<'b> {
    /// The members of `bytes`, which begin with `{`.
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 1 }
    }
}

impl Iterator for Members<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let mut at = skip_space(self.bytes, self.at);
        if self.at > 1 {
            if self.bytes.get(at) != Some(&b',') {
                return None;
            }
            at = skip_space(self.bytes, at + 1);
        }
        if self.bytes.get(at) != Some(&b'"') {
            return None;
        }
        let key_end = string_end(self.bytes, at)?;
        let colon = skip_space(self.bytes, key_end);
        if self.bytes.get(colon) != Some(&b':') {
            return None;
        }
        let start = skip_space(self.bytes, colon + 1);
        let end = value_end(self.bytes, start)?;
        self.at = end;
        Some(Span { key: at + 1..key_end - 1, value: start..end })
    }
}

/// The value of the first member called `key` of the object that `bytes` begin with.
pub(super) fn member(bytes: &[u8], key: &str) -> Option<Range<usize>> {
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let mut members = Members::new(bytes);
    let found = members.find(|member| part(bytes, member.key.clone()) == key.as_bytes())?;
    Some(found.value)
}

/// The text of the string member called `key`, as spelled.
pub(super) fn text<'b>(bytes: &'b [u8], key: &str) -> Option<&'b [u8]> {
    part(bytes, member(bytes, key)?).strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// The elements of the array that `bytes` begin with, up to the first that is not whole.
#[derive(Debug, Clone)]
pub(super) struct Elements<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Elements<'b> {
    /// The elements of `bytes`, which begin with `[`.
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 1 }
    }
}

impl Iterator for Elements<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let mut start = skip_space(self.bytes, self.at);
        if self.at > 1 && self.bytes.get(start) == Some(&b',') {
            start = skip_space(self.bytes, start + 1);
        }
        let end = value_end(self.bytes, start)?;
        self.at = end;
        Some(start..end)
    }
}

/// Appends `bytes` to `out` without the white space outside strings.
pub(super) fn compact(bytes: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < bytes.len() {
        let end = if bytes.get(at) == Some(&b'"') {
            string_end(bytes, at).unwrap_or(bytes.len())
        } else {
            let rest = bytes.get(at..).unwrap_or_default();
            at + memchr(b'"', rest).unwrap_or(rest.len())
        };
        let run = part(bytes, at..end);
        if run.first() == Some(&b'"') {
            out.extend_from_slice(run);
        } else {
            out.extend(run.iter().filter(|b| !is_space(**b)));
        }
        at = end;
    }
}

/// The text a JSON string stands for, given what lies between its quotes. A lone surrogate stays
/// the escape it is, which means the same in JSON that the text may hold.
pub(super) fn unescape(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    let mut at = 0;
    loop {
        at = copy_plain(bytes, at, &mut out);
        let Some(escape) = bytes.get(at) else { return Some(out) };
        debug_assert_eq!(*escape, b'\\', "plain bytes were copied");
        at += 2;
        match bytes.get(at - 1)? {
            byte @ (b'"' | b'\\' | b'/') => out.push(*byte),
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(0x08),
            b'f' => out.push(0x0C),
            b'u' => at = unicode(bytes, at, &mut out)?,
            _ => return None,
        }
    }
}

/// Copies what comes before the next backslash and gives its index.
fn copy_plain(bytes: &[u8], from: usize, out: &mut Vec<u8>) -> usize {
    let mut at = from;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = zeros(u64::from_le_bytes(*word) ^ BACKSLASHES);
        let length = out.len();
        out.extend_from_slice(word);
        if found != 0 {
            let plain = (found.trailing_zeros() / 8) as usize;
            out.truncate(length + plain);
            return at + plain;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let plain = memchr(b'\\', rest).unwrap_or(rest.len());
    out.extend_from_slice(part(rest, 0..plain));
    at + plain
}

/// Appends what the four digits at `at` (and a low surrogate behind them) stand for.
fn unicode(bytes: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let high = hex(bytes, at)?;
    if (0xD800..0xDC00).contains(&high)
        && bytes.get(at + 4..at + 6) == Some(b"\\u")
        && let Some(low @ 0xDC00..0xE000) = hex(bytes, at + 6)
    {
        push_char(char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?, out);
        return Some(at + 10);
    }
    match char::from_u32(high) {
        Some(found) => push_char(found, out),
        None => out.extend_from_slice(part(bytes, at - 2..at + 4)),
    }
    Some(at + 4)
}

fn push_char(found: char, out: &mut Vec<u8>) {
    out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
}

/// Appends the text as a JSON string, quotes included.
pub(super) fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// JSON bytes as text. A byte that is not UTF-8 becomes the lone surrogate U+DC80 to U+DCFF that
/// Python's `surrogateescape` gives it, so that nothing is lost.
pub(super) fn to_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let mut text = String::new();
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            for byte in chunk.invalid() {
                let _ = write!(text, "\\udc{byte:02x}");
            }
        }
        text
    })
}

/// Decodes standard or URL-safe base64, padded or not.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut n_bits) = (0_u32, 0_u32);
    for &byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push((bits >> n_bits).to_le_bytes()[0]);
        }
    }
    Some(out)
}

/// Encodes as standard base64 with padding.
pub(super) fn to_base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_usize, |bits, b| bits << 8 | usize::from(*b));
        let bits = bits << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = DIGITS.get(bits >> (18 - 6 * i) & 63).copied().unwrap_or(b'=');
            out.push(if i <= group.len() { digit } else { b'=' });
        }
    }
    out
}
