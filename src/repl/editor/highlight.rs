//! Colours for what is being typed.

use std::collections::HashSet;

use super::{
    super::{
        commands,
        complete::Names,
        lex::{Kind, Piece, pieces},
        scan,
    },
    lines::{SHOWN, drawn, split_margin},
};

const PLAIN: &str = "\x1b[0m";
const KEYWORD: &str = "\x1b[1m";
const FUNCTION: &str = "\x1b[36m";
const TEXT: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[35m";
const COMMENT: &str = "\x1b[2m";
const COMMAND: &str = "\x1b[1m";
const FAULT: &str = "\x1b[31m";
const OPEN: &str = "\x1b[33m";
const PAIR: &str = "\x1b[1;4m";

/// Text beyond which nothing is coloured: every key would take noticeably long.
const MAX_BYTES: usize = 32 << 10;

/// What is known of words.
#[derive(Debug, Default)]
pub(super) struct Colors {
    is_on: bool,
    keywords: HashSet<String>,
    functions: HashSet<String>,
}

impl Colors {
    /// Colours where `is_on`, for the keywords and functions of `names`.
    pub(super) fn new(is_on: bool, names: &Names) -> Self {
        let keywords = names.keywords.iter().cloned().collect();
        Self { is_on, keywords, functions: names.functions.iter().cloned().collect() }
    }

    /// Whether there are colours.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// `line` as it is drawn; the parenthesis at `cursor` with its other half, if there is a cursor.
    pub(super) fn draw(&self, line: &str, cursor: Option<usize>) -> String {
        if !self.is_on || line.len() > MAX_BYTES {
            return drawn(line, || SHOWN.to_owned()).into_owned();
        }
        if scan::is_command(line) {
            return command(line);
        }
        let pieces = pieces(line);
        let pairs = Pairs::of(line, &pieces);
        let lit = cursor.and_then(|cursor| pairs.at(&pieces, cursor));
        let mut out = String::with_capacity(line.len() * 2);
        for (place, piece) in pieces.iter().enumerate() {
            let is_lit = lit.is_some_and(|(one, other)| one == place || other == place);
            let style = match piece.kind {
                _ if is_lit => PAIR,
                Kind::Symbol if pairs.unclosed.contains(&place) => OPEN,
                Kind::Symbol if pairs.unopened.contains(&place) => FAULT,
                Kind::Text => TEXT,
                Kind::Number => NUMBER,
                Kind::Comment => COMMENT,
                Kind::Word => self.word(piece.of(line), pieces.get(place + 1), line),
                Kind::Space | Kind::Name | Kind::Symbol => "",
            };
            push(&mut out, piece.of(line), style);
        }
        out
    }

    fn word(&self, word: &str, next: Option<&Piece>, line: &str) -> &'static str {
        if next.is_some_and(|next| next.of(line) == "(")
            && self.functions.contains(&word.to_ascii_lowercase())
        {
            return FUNCTION;
        }
        if self.keywords.contains(&word.to_ascii_uppercase()) { KEYWORD } else { "" }
    }
}

/// A command: its name, in red where there is none that begins so.
fn command(line: &str) -> String {
    let start = line.len() - line.trim_start().len();
    let end = line.get(start..).and_then(|rest| rest.find(char::is_whitespace));
    let end = end.map_or(line.len(), |at| start + at);
    let name = line.get(start..end).unwrap_or_default();
    let is_begun = end == line.len()
        && commands::COMMANDS
            .iter()
            .any(|it| it.name.starts_with(name) || it.alias.starts_with(name));
    let style = match commands::find(name.trim_end_matches(';')) {
        Some(_) => COMMAND,
        None if is_begun => "",
        None => FAULT,
    };
    let mut out = line.get(..start).unwrap_or_default().to_owned();
    push(&mut out, name, style);
    push(&mut out, line.get(end..).unwrap_or_default(), "");
    out
}

/// Appends `text` in `style`, line by line: margins have a style of their own.
fn push(out: &mut String, text: &str, style: &str) {
    for (place, line) in text.split('\n').enumerate() {
        let mut rest = line;
        if place > 0 {
            out.push('\n');
            if let Some(behind) = split_margin(line) {
                out.push_str(COMMENT);
                out.push_str(SHOWN);
                out.push_str(PLAIN);
                rest = behind;
            }
        }
        if style.is_empty() || rest.is_empty() {
            out.push_str(rest);
        } else {
            out.push_str(style);
            out.push_str(rest);
            out.push_str(PLAIN);
        }
    }
}

/// Which parentheses and brackets belong together, as places among the pieces.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    whole: Vec<(usize, usize)>,
    /// Those that are not closed yet, the outermost first.
    pub(super) unclosed: Vec<usize>,
    unopened: Vec<usize>,
}

impl Pairs {
    /// The pairs among `pieces` of `text`.
    pub(super) fn of(text: &str, pieces: &[Piece]) -> Self {
        let mut pairs = Self::default();
        for (place, piece) in pieces.iter().enumerate().filter(|(_, it)| it.kind == Kind::Symbol) {
            let symbol = piece.of(text);
            match symbol {
                "(" | "[" => pairs.unclosed.push(place),
                ")" | "]" => {
                    let opener = if symbol == ")" { "(" } else { "[" };
                    let is_its = |place: &usize| {
                        pieces.get(*place).is_some_and(|piece| piece.of(text) == opener)
                    };
                    match pairs.unclosed.pop_if(|place| is_its(place)) {
                        Some(open) => pairs.whole.push((open, place)),
                        None => pairs.unopened.push(place),
                    }
                }
                // A statement that ends leaves nothing open to the next.
                ";" => pairs.unopened.append(&mut pairs.unclosed),
                _ => {}
            }
        }
        pairs
    }

    /// The pair of which one half is under the cursor or before it.
    fn at(&self, pieces: &[Piece], cursor: usize) -> Option<(usize, usize)> {
        let is_there =
            |place: usize, at: usize| pieces.get(place).is_some_and(|piece| piece.at.start == at);
        let pair_at = |at: usize| {
            self.whole.iter().find(|(open, close)| is_there(*open, at) || is_there(*close, at))
        };
        pair_at(cursor).or_else(|| pair_at(cursor.checked_sub(1)?)).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::lines::with_margins, *};

    fn colors() -> Colors {
        let names = Names {
            keywords: vec!["SELECT".to_owned(), "FROM".to_owned()],
            functions: vec!["count".to_owned()],
            ..Names::default()
        };
        Colors::new(true, &names)
    }

    fn shown(line: &str, cursor: Option<usize>) -> String {
        colors().draw(line, cursor).replace(PLAIN, "}").replace("\x1b[", "{")
    }

    #[test]
    fn words_texts_and_numbers_have_colours() {
        assert_eq!(
            shown("select count(*), 'a' || 1.5 -- x", None),
            "{1mselect} {36mcount}(*), {32m'a'} || {35m1.5} {2m-- x}"
        );
        assert_eq!(shown("SELECT 'a", None), "{1mSELECT} {32m'a}");
        assert_eq!(shown(".tables", None), "{1m.tables}");
        assert_eq!(shown(".tab", None), ".tab");
        assert_eq!(shown(".tabels x", None), "{31m.tabels} x");
    }

    #[test]
    fn parentheses_are_matched_where_the_cursor_is() {
        assert_eq!(shown("((1)", Some(4)), "{33m(}{1;4m(}{35m1}{1;4m)}");
        assert_eq!(shown("1)", None), "{35m1}{31m)}");
        assert_eq!(shown("(]", None), "{33m(}{31m]}");
    }

    #[test]
    fn margins_are_drawn_also_within_a_text() {
        let line = with_margins("SELECT 'a\nb'");
        assert_eq!(shown(&line, None), format!("{{1mSELECT}} {{32m'a}}\n{{2m{SHOWN}}}{{32mb'}}"));
        let plain = Colors::default().draw(&line, None);
        assert_eq!(plain, format!("SELECT 'a\n{SHOWN}b'"));
    }

    proptest! {
        #[test]
        fn what_is_drawn_is_what_is_typed(text in "[-a-z'\"()\\[\\];./* \n]{0,60}") {
            let drawn = colors().draw(&text, Some(text.len() / 2));
            let mut plain = String::new();
            let mut rest = drawn.as_str();
            while let Some((before, behind)) = rest.split_once('\x1b') {
                plain.push_str(before);
                rest = behind.split_once('m').unwrap().1;
            }
            plain.push_str(rest);
            prop_assert_eq!(plain, text);
        }
    }
}
