//! SQL in pieces: a scanner that knows quotes, comments, words and numbers, no more.
//!
//! It takes any text, and never says that SQL is wrong: whether a statement is whole, what fits at
//! the cursor and how the line is coloured all follow from these pieces.

use std::ops::Range;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space.
    Space,
    /// A comment.
    Comment,
    /// A string: `'…'`, or between dollars.
    Text,
    /// A name in quotes.
    Name,
    /// A number.
    Number,
    /// A keyword or a name.
    Word,
    /// Anything else, one character or an operator of several.
    Symbol,
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes.
    pub(super) at: Range<usize>,
    /// Whether what opens it is closed: quotes and comments may be not.
    pub(super) is_closed: bool,
}

impl Piece {
    /// Its text.
    pub(super) fn of<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.at.clone()).unwrap_or_default()
    }

    /// Whether it says nothing: white space, or a comment.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Space | Kind::Comment)
    }
}

/// Operators of more than one character.
const OPERATORS: [&str; 9] = ["<>", "!=", "<=", ">=", "==", "||", "::", "->", "=>"];

/// All pieces of `text`, in order; together they are the text.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = next(rest);
        let is_closed = length.is_some();
        let end = start + length.unwrap_or(rest.len());
        pieces.push(Piece { kind, at: start..end, is_closed });
        start = end;
    }
    pieces
}

/// The kind of the first piece of `rest` and its length in bytes; no length where it never ends.
fn next(rest: &str) -> (Kind, Option<usize>) {
    let Some(c) = rest.chars().next() else { return (Kind::Space, Some(0)) };
    let width = c.len_utf8();
    let behind = rest.get(width..).unwrap_or_default();
    match c {
        '\'' => (Kind::Text, quoted(rest, '\'')),
        '"' | '`' => (Kind::Name, quoted(rest, c)),
        '-' if behind.starts_with('-') => {
            (Kind::Comment, Some(rest.find('\n').unwrap_or(rest.len())))
        }
        '/' if behind.starts_with('*') => (Kind::Comment, comment(rest)),
        '$' => match dollar_tag(rest) {
            Some(tag) => {
                let inner = rest.get(tag.len()..).unwrap_or_default();
                (Kind::Text, inner.find(tag).map(|at| at + 2 * tag.len()))
            }
            None => (Kind::Symbol, Some(width)),
        },
        _ if c.is_whitespace() => (Kind::Space, Some(run(rest, char::is_whitespace))),
        _ if c.is_ascii_digit() => (Kind::Number, Some(number(rest))),
        _ if is_word(c) => (Kind::Word, Some(run(rest, is_word))),
        _ => {
            let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
            (Kind::Symbol, Some(operator.map_or(width, |operator| operator.len())))
        }
    }
}

/// Whether `c` may stand in a word.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The length of the beginning of `text` whose characters all are as told.
fn run(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// The length of what the quote at the start of `text` opens; a doubled one stands for itself.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut from = 1;
    loop {
        let at = from + text.get(from..)?.find(quote)? + 1;
        if !text.get(at..)?.starts_with(quote) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The length of the comment that begins `text`; comments nest.
fn comment(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        at += text.get(at..)?.find(['*', '/'])?;
        let mark = text.get(at..)?;
        if mark.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if mark.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
}

/// The length of the number that begins `text`: `1`, `1.5`, `1e-3`.
fn number(text: &str) -> usize {
    let digits = |text: &str| run(text, |c| c.is_ascii_digit() || c == '_');
    let rest = |at: usize| text.get(at..).unwrap_or_default();
    let mut end = digits(text);
    if rest(end).starts_with('.') {
        end += 1 + digits(rest(end + 1));
    }
    if rest(end).starts_with(['e', 'E']) {
        let sign = usize::from(rest(end + 1).starts_with(['+', '-']));
        let exponent = digits(rest(end + 1 + sign));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// The mark that opens a dollar-quoted text: `$$` or `$tag$`.
fn dollar_tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('$')?;
    let name = inner.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inner.len());
    let is_tag =
        inner.get(name..)?.starts_with('$') && !inner.starts_with(|c: char| c.is_numeric());
    if is_tag { text.get(..name + 2) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        pieces(text).iter().map(|piece| (piece.kind, piece.of(text))).collect()
    }

    #[test]
    fn text_falls_into_words_quotes_numbers_and_comments() {
        assert_eq!(
            kinds("a.b<>'it''s' -- c\n1.5e-3||\"x\"\"y\""),
            [
                (Kind::Word, "a"),
                (Kind::Symbol, "."),
                (Kind::Word, "b"),
                (Kind::Symbol, "<>"),
                (Kind::Text, "'it''s'"),
                (Kind::Space, " "),
                (Kind::Comment, "-- c"),
                (Kind::Space, "\n"),
                (Kind::Number, "1.5e-3"),
                (Kind::Symbol, "||"),
                (Kind::Name, "\"x\"\"y\""),
            ]
        );
        assert_eq!(
            kinds("/* é /* */ * */é"),
            [(Kind::Comment, "/* é /* */ * */"), (Kind::Word, "é")]
        );
        assert_eq!(kinds("$q$ ; $q$;"), [(Kind::Text, "$q$ ; $q$"), (Kind::Symbol, ";")]);
    }

    #[test]
    fn what_is_not_closed_goes_to_the_end() {
        for text in ["'it''", "\"a", "/* /* */", "$$ ;"] {
            let pieces = pieces(text);
            assert_eq!(pieces.len(), 1, "{text}");
            assert!(!pieces[0].is_closed, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in any::<String>()) {
            let joined: String = pieces(&text).iter().map(|piece| piece.of(&text)).collect();
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn so_they_are_of_text_full_of_marks(text in "[-'\"`$/*é;a1 \n]{0,40}") {
            let joined: String = pieces(&text).iter().map(|piece| piece.of(&text)).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
