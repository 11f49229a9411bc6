//! The words of a command's line: quotes keep spaces.

use std::path::{Path, PathBuf};

/// Splits at white space; quotes keep it.
pub(in crate::repl) fn split(text: &str) -> Vec<String> {
    words(text).0
}

/// Where the last word of `text` starts, in bytes: at the end where it would be a new one.
pub(in crate::repl) fn last_word(text: &str) -> usize {
    words(text).1
}

fn words(text: &str) -> (Vec<String>, usize) {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut start = text.len();
    for (at, c) in text.char_indices() {
        if word.is_none() && !c.is_whitespace() {
            start = at;
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => {
                words.extend(word.take());
                start = text.len();
            }
            Some(_) | None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (words, start)
}

/// `text` as an argument that [`split`] gives back: in quotes where it needs them. The quotes of a
/// directory stay open, since more follows.
pub(in crate::repl) fn as_argument(text: &str) -> String {
    let needs_quotes = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | ';');
    if !text.contains(needs_quotes) {
        return text.to_owned();
    }
    let quote = if text.contains('\'') { '"' } else { '\'' };
    let end = if text.ends_with('/') { String::new() } else { quote.to_string() };
    // What has both is put together of pieces.
    let text = if quote == '"' { text.replace('"', "\"'\"'\"") } else { text.to_owned() };
    format!("{quote}{text}{end}")
}

/// `path` with the user's home for a `~` at its start.
pub(in crate::repl) fn expanded(path: &str) -> PathBuf {
    let home = || etcetera::home_dir().ok();
    match path.strip_prefix('~') {
        Some("") => home().unwrap_or_else(|| path.into()),
        Some(rest) if rest.starts_with('/') => {
            home().map_or_else(|| path.into(), |home| home.join(rest.trim_start_matches('/')))
        }
        _ => Path::new(path).to_owned(),
    }
}
