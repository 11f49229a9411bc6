//! What fits at the cursor, from the text alone.

use super::super::{
    commands::{self, Argument},
    lex::{Kind, Piece, is_word, pieces},
    scan,
    values::Values,
};

/// What fits at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::repl) enum Context {
    /// Nothing that we know: in a string, in a comment.
    Nothing,
    /// A command of the prompt.
    Command,
    /// An argument of a command; the first is number 0, behind these words.
    Argument(Argument, Vec<String>),
    /// A table.
    Table,
    /// A setting, behind `SET`.
    Setting,
    /// A member of what stands before the last dot.
    Member(String),
    /// A value of this column, in quotes.
    Value(&'static str),
    /// A keyword, a column, a function, a table.
    Word,
}

/// The keywords behind which a table is named.
const BEFORE_TABLES: [&str; 4] = ["FROM", "JOIN", "DESCRIBE", "INTO"];

/// The operators behind which a value of a column stands.
const COMPARISONS: [&str; 8] = ["=", "==", "<>", "!=", "<", ">", "<=", ">="];

/// Where the word under the cursor starts, in bytes, and what fits there.
pub(in crate::repl) fn context(line: &str, cursor: usize) -> (usize, Context) {
    let text = line.get(..cursor).unwrap_or(line);
    if scan::is_command(text) {
        return command_context(text);
    }
    let word = text.len() - text.trim_end_matches(is_word).len();
    let start = text.len() - word;
    let pieces = pieces(text);
    match pieces.last() {
        Some(open) if !open.is_closed => {
            let is_text = open.kind == Kind::Text && open.of(text).starts_with('\'');
            let before = pieces.get(..pieces.len() - 1).unwrap_or_default();
            let column = is_text.then(|| column_compared(text, before)).flatten();
            return match column {
                Some(column) => (open.at.start + 1, Context::Value(column)),
                None => (start, Context::Nothing),
            };
        }
        Some(comment) if comment.kind == Kind::Comment && comment.of(text).starts_with('-') => {
            return (start, Context::Nothing);
        }
        _ => {}
    }
    let before = text.get(..start).unwrap_or_default();
    if let Some(start) = setting(text, &pieces) {
        return (start, Context::Setting);
    }
    if let Some(path) = before.strip_suffix('.') {
        let is_part = |c: char| is_word(c) || matches!(c, '.' | '"');
        let path_len = path.len() - path.trim_end_matches(is_part).len();
        let path = path.get(path.len() - path_len..).unwrap_or_default();
        return (start, Context::Member(path.replace('"', "").to_lowercase()));
    }
    (start, fitting(text, start, &pieces))
}

/// What fits behind the pieces that end before `start`.
fn fitting(text: &str, start: usize, pieces: &[Piece]) -> Context {
    let mut words = pieces.iter().rev().filter(|piece| !piece.is_blank() && piece.at.end <= start);
    let Some(last) = words.next().map(|piece| piece.of(text)) else { return Context::Word };
    if BEFORE_TABLES.iter().any(|keyword| last.eq_ignore_ascii_case(keyword)) {
        return Context::Table;
    }
    Context::Word
}

/// Where the name of a setting starts: behind a `SET` that begins a statement.
fn setting(text: &str, pieces: &[Piece]) -> Option<usize> {
    let path_len = |piece: &&Piece| piece.kind == Kind::Word || piece.of(text) == ".";
    let path = pieces.iter().rev().take_while(path_len).count();
    let mut before = pieces.get(..pieces.len() - path)?.iter().rev();
    let space = before.next().filter(|piece| piece.kind == Kind::Space)?;
    let mut words = before.filter(|piece| !piece.is_blank());
    let keyword = words.next()?.of(text);
    let is_set = ["SET", "RESET"].iter().any(|word| keyword.eq_ignore_ascii_case(word));
    (is_set && words.next().is_none_or(|before| before.of(text) == ";")).then_some(space.at.end)
}

/// The column with which the string behind `pieces` is compared: `eventname = '`,
/// `t.eventname IN ('a', '`, `useridentity.arn NOT LIKE '`.
fn column_compared(text: &str, pieces: &[Piece]) -> Option<&'static str> {
    let said: Vec<&Piece> = pieces.iter().filter(|piece| !piece.is_blank()).collect();
    let mut rest = said.as_slice();
    let is = |piece: &Piece, word: &str| piece.of(text).eq_ignore_ascii_case(word);
    let (last, before) = rest.split_last()?;
    if COMPARISONS.contains(&last.of(text)) || is(last, "LIKE") || is(last, "ILIKE") {
        rest = before;
    } else if matches!(last.of(text), "(" | ",") {
        // Earlier elements of a list are values too.
        while let Some((element, before)) = rest.split_last() {
            match element.kind {
                Kind::Text | Kind::Number => rest = before,
                _ if is(element, ",") => rest = before,
                _ => break,
            }
        }
        let (open, before) = rest.split_last()?;
        let (keyword, before) = before.split_last()?;
        if open.of(text) != "(" || !is(keyword, "IN") {
            return None;
        }
        rest = before;
    } else {
        return None;
    }
    if let Some((not, before)) = rest.split_last().filter(|(not, _)| is(not, "NOT")) {
        debug_assert!(is(not, "NOT"), "found above");
        rest = before;
    }
    let mut path = String::new();
    while let Some((piece, before)) = rest.split_last() {
        // Of `a.b.c`, read from its end, names and dots take turns.
        let wants_name = path.is_empty() || path.starts_with('.');
        let is_name = matches!(piece.kind, Kind::Word | Kind::Name);
        match (wants_name, is_name, piece.of(text)) {
            (true, true, name) => path.insert_str(0, name.trim_matches(['"', '`'])),
            (false, false, ".") => path.insert(0, '.'),
            _ => break,
        }
        rest = before;
    }
    Values::column(&path)
}

fn command_context(text: &str) -> (usize, Context) {
    let start = commands::last_word(text);
    let mut words = commands::split(text.get(..start).unwrap_or_default()).into_iter();
    let Some(name) = words.next() else { return (start, Context::Command) };
    let command = commands::find(&name);
    let context = command.map(|it| Context::Argument(commands::argument_of(it), words.collect()));
    (start, context.unwrap_or(Context::Nothing))
}

/// The tables that a statement names, in lower case, each with its alias: `FROM a AS x, b y`.
pub(in crate::repl) fn tables_named(text: &str) -> Vec<(String, Option<String>)> {
    let pieces = pieces(text);
    let mut said = pieces.iter().filter(|piece| !piece.is_blank()).peekable();
    let mut tables = Vec::new();
    let name = |piece: &Piece| piece.of(text).trim_matches(['"', '`']).to_lowercase();
    let is_name = |piece: &Piece| matches!(piece.kind, Kind::Word | Kind::Name);
    let mut in_list = false;
    while let Some(piece) = said.next() {
        let word = piece.of(text).to_ascii_uppercase();
        in_list = match word.as_str() {
            "FROM" | "JOIN" => true,
            "," => in_list,
            _ => false,
        };
        if !in_list {
            continue;
        }
        let Some(mut table) = said.next_if(|piece| is_name(piece)) else {
            in_list = false;
            continue;
        };
        while said.next_if(|piece| piece.of(text) == ".").is_some() {
            if let Some(part) = said.next_if(|piece| is_name(piece)) {
                table = part;
            }
        }
        let has_as = said.next_if(|piece| piece.of(text).eq_ignore_ascii_case("AS")).is_some();
        let alias = said
            .next_if(|piece| is_name(piece) && (has_as || !is_keyword(piece.of(text))))
            .map(name);
        tables.push((name(table), alias));
    }
    tables
}

/// The tables that a `WITH` of the statement names.
pub(in crate::repl) fn tables_with(text: &str) -> Vec<String> {
    let pieces = pieces(text);
    let said: Vec<&Piece> = pieces.iter().filter(|piece| !piece.is_blank()).collect();
    let is = |piece: &Piece, word: &str| piece.of(text).eq_ignore_ascii_case(word);
    let named = said.windows(4).filter_map(|four| match four {
        [before, name, as_word, open]
            if (is(before, "WITH") || is(before, ",") || is(before, "RECURSIVE"))
                && name.kind == Kind::Word
                && is(as_word, "AS")
                && is(open, "(") =>
        {
            Some(name.of(text).to_owned())
        }
        _ => None,
    });
    named.collect()
}

/// Keywords that follow a table, and so are no alias of it.
fn is_keyword(word: &str) -> bool {
    const BEHIND_TABLES: [&str; 20] = [
        "WHERE",
        "GROUP",
        "ORDER",
        "LIMIT",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "FULL",
        "CROSS",
        "NATURAL",
        "ON",
        "USING",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "HAVING",
        "WINDOW",
        "OFFSET",
        "TABLESAMPLE",
    ];
    BEHIND_TABLES.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}
