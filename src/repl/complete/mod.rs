//! What Tab offers. First [`context`] tells what kind of name fits at the cursor, from the text
//! alone; then [`complete`] fills in the names.

use super::{
    commands::{Argument, COMMANDS},
    scan::{self, End},
};
use crate::engine::{Name, NameKind, Session};

/// The names there are.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Tables.
    pub(super) tables: Vec<String>,
    /// Columns of tables.
    pub(super) columns: Vec<String>,
    /// Members of struct columns, by their whole path: `useridentity.arn`.
    pub(super) fields: Vec<String>,
    /// Functions.
    pub(super) functions: Vec<String>,
    /// Keywords, in capitals.
    pub(super) keywords: Vec<String>,
}

impl Names {
    /// The names that `session` knows.
    pub(super) fn of(session: &Session) -> Self {
        let mut names = Self::default();
        for Name { text, kind } in session.names() {
            match kind {
                NameKind::Table => names.tables.push(text),
                NameKind::Column { .. } => names.columns.push(text),
                NameKind::Field => names.fields.push(text),
                NameKind::Function => names.functions.push(text),
                NameKind::Keyword => names.keywords.push(text),
            }
        }
        names
    }
}

/// What fits at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Context {
    /// Nothing that we know: in a string, in a comment.
    Nothing,
    /// A command of the prompt.
    Command,
    /// An argument of a command.
    Argument(Argument),
    /// A table.
    Table,
    /// A member of what stands before the last dot.
    Member(String),
    /// A keyword, a column, a function, a table.
    Word,
}

/// The keywords behind which a table is named.
const BEFORE_TABLES: [&str; 4] = ["FROM", "JOIN", "DESCRIBE", "INTO"];

/// Where the word under the cursor starts, in bytes, and what fits there.
pub(super) fn context(line: &str, cursor: usize) -> (usize, Context) {
    let text = line.get(..cursor).unwrap_or(line);
    if scan::is_command(text) {
        return command_context(text);
    }
    let word = text.len()
        - text.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$')).len();
    let start = text.len() - word;
    if matches!(scan::scan(text), End::InQuotes | End::InComment) || ends_in_line_comment(text) {
        return (start, Context::Nothing);
    }
    let before = text.get(..start).unwrap_or_default();
    if let Some(path) = before.strip_suffix('.') {
        let path_len = path.len()
            - path.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.')).len();
        let path = path.get(path.len() - path_len..).unwrap_or_default();
        return (start, Context::Member(path.to_lowercase()));
    }
    // In a list of tables, `FROM a, |`, the keyword stands before all of it.
    let mut words = before.trim_end().rsplit(|c: char| c.is_whitespace() || c == '(');
    let last = words.next().unwrap_or_default();
    let is_table = BEFORE_TABLES.iter().any(|keyword| last.eq_ignore_ascii_case(keyword));
    (start, if is_table { Context::Table } else { Context::Word })
}

fn command_context(text: &str) -> (usize, Context) {
    let start = text.len() - text.rsplit(char::is_whitespace).next().map_or(0, str::len);
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    if start == 0 || text.trim_start() == name {
        return (text.len() - name.len(), Context::Command);
    }
    let command = COMMANDS.iter().find(|command| command.is_called(name));
    (start, command.map_or(Context::Nothing, |command| Context::Argument(command.argument)))
}

/// Whether the text's last line ends in a `--` comment, which [`scan::scan`] counts as over.
fn ends_in_line_comment(text: &str) -> bool {
    // A quote that the line feed closes opens a string, unless it stood in the comment.
    let probe = format!("{text}'");
    text.lines().next_back().is_some_and(|line| line.contains("--"))
        && scan::scan(&probe) != End::InQuotes
        && scan::scan(text) != End::InQuotes
}

/// The byte at which the word to complete starts, and what may stand there, in order.
pub(super) fn complete(line: &str, cursor: usize, names: &Names) -> (usize, Vec<String>) {
    let (start, context) = context(line, cursor);
    let typed = line.get(start..cursor).unwrap_or_default();
    let mut found = Vec::new();
    let mut offer = |all: &mut dyn Iterator<Item = &str>| {
        let mut fitting: Vec<&str> = all.filter(|name| starts_with(name, typed)).collect();
        fitting.sort_unstable();
        for name in fitting {
            if !found.iter().any(|other| other == name) {
                found.push(name.to_owned());
            }
        }
    };
    match context {
        Context::Command => {
            offer(&mut COMMANDS.iter().flat_map(|command| [command.name, command.alias]));
            // psql's names are for fingers that know them; they are offered only when begun.
            found.retain(|name| !name.is_empty() && (name.starts_with('.') || typed.len() > 1));
        }
        Context::Argument(Argument::Table) | Context::Table => {
            offer(&mut names.tables.iter().map(String::as_str));
        }
        Context::Argument(Argument::OneOf(words)) => offer(&mut words.iter().copied()),
        Context::Argument(Argument::Command) => {
            offer(&mut COMMANDS.iter().map(|command| command.name));
        }
        Context::Argument(Argument::Path) => found = paths(typed),
        Context::Nothing | Context::Argument(Argument::Free) => {}
        Context::Member(path) => {
            let last = path.rsplit('.').next().unwrap_or_default();
            if names.tables.iter().any(|table| table == last) {
                offer(&mut names.columns.iter().map(String::as_str));
            }
            offer(&mut names.fields.iter().filter_map(|field| member_of(field, &path)));
        }
        Context::Word => {
            offer(&mut names.columns.iter().map(String::as_str));
            offer(&mut names.tables.iter().map(String::as_str));
            offer(&mut names.functions.iter().map(String::as_str));
            let keywords = spelled_like(typed, &names.keywords);
            offer(&mut keywords.iter().map(String::as_str));
        }
    }
    (start, found)
}

/// The last part of `field` where all that stands before it is the end of `path`, which may have
/// a table's name or alias in front.
fn member_of<'f>(field: &'f str, path: &str) -> Option<&'f str> {
    let (parent, member) = field.rsplit_once('.')?;
    let is_parent =
        path == parent || path.strip_suffix(parent).is_some_and(|in_front| in_front.ends_with('.'));
    is_parent.then_some(member)
}

fn starts_with(name: &str, typed: &str) -> bool {
    name.get(..typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(typed))
}

/// The keywords in the case that is being typed.
fn spelled_like(typed: &str, keywords: &[String]) -> Vec<String> {
    let is_lower = typed.starts_with(|c: char| c.is_lowercase());
    let spell = |word: &String| if is_lower { word.to_lowercase() } else { word.clone() };
    keywords.iter().map(spell).collect()
}

/// The files and directories whose path starts with `typed`.
fn paths(typed: &str) -> Vec<String> {
    let (dir, name) = match typed.rfind('/') {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let Ok(entries) = std::fs::read_dir(if dir.is_empty() { "." } else { dir }) else {
        return Vec::new();
    };
    let mut found: Vec<String> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let file = entry.file_name().into_string().ok()?;
            let is_hidden = file.starts_with('.') && !name.starts_with('.');
            let is_plain =
                !file.chars().any(|c| c.is_whitespace() || crate::output::sanitize::is_hidden(c));
            let slash = if entry.path().is_dir() { "/" } else { "" };
            (file.starts_with(name) && !is_hidden && is_plain)
                .then(|| format!("{dir}{file}{slash}"))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests;
