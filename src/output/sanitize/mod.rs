//! What makes log text safe to look at.
//!
//! Log text is written by attackers: user agents, names and parameters can carry terminal
//! escapes, bidirectional controls and invisible characters. Wherever a person looks these are
//! shown as escapes (`\x1b`, `\u{202e}`); data formats keep the value.

use std::{borrow::Cow, fmt::Write as _};

use unicode_width::UnicodeWidthChar;

/// Characters without width that may follow each other before the rest is shown as escapes: no
/// script needs more, and a pile of combining marks paints over its neighbours.
const MAX_ZERO_WIDTH_RUN: usize = 8;

/// Whether `c` moves the cursor, reorders what is around it, or cannot be seen.
///
/// C0 and C1 controls, bidirectional controls, zero-width and filler characters, line and
/// paragraph separators, and the invisible tag characters.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Shows hidden characters of one line of text as escapes: `\n`, `\t`, `\x1b`, `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    push_visible(text, false, &mut out);
    Cow::Owned(out)
}

/// Like [`visible`] for text of several lines: line feeds stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    push_visible(text, true, &mut out);
    Cow::Owned(out)
}

/// Whether nothing in `text` needs a closer look: printable ASCII only.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

fn push_visible(text: &str, keep_lines: bool, out: &mut String) {
    let mut zero_width = 0;
    for c in text.chars() {
        if c == '\n' && keep_lines {
            zero_width = 0;
            out.push(c);
            continue;
        }
        zero_width = if c.width() == Some(0) { zero_width + 1 } else { 0 };
        if is_hidden(c) || zero_width > MAX_ZERO_WIDTH_RUN {
            push_escape(c, out);
        } else {
            out.push(c);
        }
    }
}

fn push_escape(c: char, out: &mut String) {
    let code = u32::from(c);
    let written = match c {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        _ if code < 0x100 => write!(out, "\\x{code:02x}"),
        _ => write!(out, "\\u{{{code:x}}}"),
    };
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

#[cfg(test)]
mod tests;
