//! Characters that word processors and web pages put where SQL has others: typographic quotes,
//! non-breaking and zero-width spaces, dashes.
//!
//! `‘…’` is a text and `“…”` a name, as `'…'` and `"…"` are: what a page set in type was one of those.
//! Inside plain quotes and comments nothing is touched. One character stands for one, so that all
//! places in the text stay what they are. A zero-width character inside a word is a place where a page
//! may break it, and is left out of the word.

use std::{borrow::Cow, ops::Range};

use super::{super::Statement, Kind, Place, Taken};

/// `sql` in characters that the tokenizer knows: as many as there were.
pub(in crate::engine) fn plain(sql: &str) -> Cow<'_, str> {
    if sql.is_ascii() {
        return Cow::Borrowed(sql);
    }
    let mut text: Option<String> = None;
    let mut copied = 0;
    scan(sql, &mut |_, at, instead| {
        let Some(instead) = instead else { return };
        let out = text.get_or_insert_with(|| String::with_capacity(sql.len()));
        out.push_str(sql.get(copied..at.start).unwrap_or_default());
        out.push(instead);
        copied = at.end;
    });
    match text {
        None => Cow::Borrowed(sql),
        Some(mut text) => {
            text.push_str(sql.get(copied..).unwrap_or_default());
            Cow::Owned(text)
        }
    }
}

/// Whether `c` takes no room, which the tokenizer leaves in words.
pub(in crate::engine) fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// What of this stands in `statement`.
pub(in crate::engine) fn taken(statement: &Statement) -> Vec<Taken> {
    let sql = statement.sql();
    let mut all = Vec::new();
    if sql.is_ascii() {
        return all;
    }
    scan(sql, &mut |kind, at, instead| {
        let glyph = sql.get(at.clone()).unwrap_or_default();
        let code = glyph.chars().next().map_or(0, u32::from);
        let one = |written: String, meant: &str, strict: &str, fault: String| Taken {
            kind,
            place: Place::Bytes(at.clone()),
            written,
            meant: meant.to_owned(),
            strict: strict.to_owned(),
            fault,
        };
        all.push(match (kind, instead) {
            (Kind::Quote, quote) => {
                let (meant, strict) = match quote {
                    Some('"') => ("the quote of a name, `\"`", "`\"`"),
                    _ => ("the quote of a text, `'`", "`'`"),
                };
                let fault = format!("`{glyph}` is a typographic quote");
                one(format!("`{glyph}`"), meant, strict, fault)
            }
            (Kind::Dash, _) => {
                let fault = format!("`{glyph}` is a dash, not a minus sign");
                one(format!("`{glyph}`"), "a minus sign, `-`", "`-`", fault)
            }
            (_, None) => {
                let written = format!("U+{code:04X} inside a word");
                let fault = format!("the word has a zero-width character in it, U+{code:04X}");
                one(written, "nothing", "the word without it", fault)
            }
            _ => {
                let fault = format!("the character U+{code:04X} is no space in SQL");
                one(format!("U+{code:04X}"), "a space", "plain spaces", fault)
            }
        });
    });
    all
}

fn is_single(c: char) -> bool {
    matches!(c, '‘' | '’' | '‚' | '‛')
}

fn is_double(c: char) -> bool {
    matches!(c, '“' | '”' | '„' | '‟')
}

/// Tells each such character in `sql`, its place, and what stands for it; nothing stands for what is
/// left out of a word.
fn scan(sql: &str, tell: &mut dyn FnMut(Kind, Range<usize>, Option<char>)) {
    let mut at = 0;
    let mut in_word = false;
    while let Some(c) = sql.get(at..).and_then(|rest| rest.chars().next()) {
        let end = at + c.len_utf8();
        let rest = sql.get(end..).unwrap_or_default();
        let was_word = std::mem::take(&mut in_word);
        at = match c {
            '\'' | '"' | '`' => past(sql, end, |next| next == c),
            '-' if rest.starts_with('-') => past(sql, end, |next| next == '\n'),
            '/' if rest.starts_with('*') => past_comment(sql, end + 1),
            _ if is_single(c) => quoted(sql, at, '\'', is_single, tell),
            _ if is_double(c) => quoted(sql, at, '"', is_double, tell),
            '\u{2013}' | '\u{2212}' if is_minus(rest) => {
                tell(Kind::Dash, at..end, Some('-'));
                end
            }
            _ if is_zero_width(c) => {
                in_word = was_word;
                tell(Kind::Space, at..end, (!was_word).then_some(' '));
                end
            }
            _ if c.is_whitespace() && !c.is_ascii() => {
                tell(Kind::Space, at..end, Some(' '));
                end
            }
            _ => {
                in_word = c.is_alphabetic()
                    || c == '_'
                    || (was_word && (c.is_alphanumeric() || matches!(c, '@' | '$' | '#')));
                end
            }
        };
    }
}

/// Tells the quotes around what opens at `open`, and gives the offset behind it.
fn quoted(
    sql: &str,
    open: usize,
    plain: char,
    is_quote: fn(char) -> bool,
    tell: &mut dyn FnMut(Kind, Range<usize>, Option<char>),
) -> usize {
    let next = |from: usize| sql.get(from..).and_then(|rest| rest.chars().next());
    let mut at = open + next(open).map_or(1, char::len_utf8);
    tell(Kind::Quote, open..at, Some(plain));
    while let Some(c) = next(at) {
        let end = at + c.len_utf8();
        if c == plain && next(end) == Some(plain) {
            at = end + plain.len_utf8();
            continue;
        }
        if is_quote(c) {
            tell(Kind::Quote, at..end, Some(plain));
        }
        if is_quote(c) || c == plain {
            return end;
        }
        at = end;
    }
    sql.len()
}

/// The offset behind the first character from `from` on that `is_end`.
fn past(sql: &str, from: usize, is_end: impl Fn(char) -> bool) -> usize {
    let rest = sql.get(from..).unwrap_or_default();
    rest.char_indices()
        .find(|(_, c)| is_end(*c))
        .map_or(sql.len(), |(at, c)| from + at + c.len_utf8())
}

/// The offset behind the comment whose inside begins at `from`; comments nest.
fn past_comment(sql: &str, from: usize) -> usize {
    let bytes = sql.as_bytes();
    let mut depth = 1_usize;
    let mut at = from;
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"*/" => depth -= 1,
            b"/*" => depth += 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    sql.len()
}

/// Whether a dash before `rest` is a minus sign: a number, a parenthesis or an interval follows.
fn is_minus(rest: &str) -> bool {
    let rest = rest.trim_start();
    let interval = rest.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("interval"));
    interval || rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '(' | '.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn typographic_characters_are_plain_ones() {
        assert_eq!(plain("SELECT ‘a’, “b”, „c“"), "SELECT 'a', \"b\", \"c\"");
        assert_eq!(plain("a\u{a0}=\u{2003}b\u{feff}"), "a = b\u{feff}");
        assert_eq!(plain("\u{feff}SELECT \u{200b}1"), " SELECT  1");
        assert_eq!(plain("now() – interval '1' day −1"), "now() - interval '1' day -1");
    }

    #[test]
    fn a_dash_that_may_open_a_comment_stays() {
        assert_eq!(plain("– find the root user"), "– find the root user");
    }

    #[test]
    fn texts_names_and_comments_stay() {
        for text in ["'it’s “so”\u{a0}'", "\"a‘b\"", "-- it’s\n1", "/* ’ /* ’ */ ’ */ 1"]
        {
            assert_eq!(plain(text), text);
        }
        assert_eq!(plain("-- it’s\n‘a’"), "-- it’s\n'a'");
        assert_eq!(plain("‘a \u{a0} “x”’"), "'a \u{a0} “x”'");
        assert_eq!(plain("‘it''s’"), "'it''s'");
    }

    proptest! {
        #[test]
        fn as_many_characters_as_there_were(text in "[a'\"‘’“”\u{a0}\u{200b}–/*\n -]{0,24}") {
            prop_assert_eq!(plain(&text).chars().count(), text.chars().count());
        }
    }
}
