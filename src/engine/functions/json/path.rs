//! The paths of `json_extract` and its kin: `$`, `.name`, `["name"]`, `[0]`.
//!
//! Trino's own reader of these (not the SQL/JSON path language) knows steps and nothing else. A
//! step's text serves both as a member's name and, where it is a number, as an element's index:
//! `$[0]` finds the member `"0"` of an object, `$.0` the first element of an array.
//!
//! `-` and `@` in a name without quotes are taken here and refused by Trino, since published
//! queries have `$.x-amz-copy-source`; what they mean is not in doubt.

use datafusion::{
    common::exec_datafusion_err,
    error::{DataFusionError, Result},
};

use super::super::call::excerpt;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The member's name.
    pub(super) name: String,
    /// The element's index from 0, where the name is one.
    pub(super) index: Option<usize>,
}

impl Step {
    fn new(name: String) -> Self {
        // Java's parseInt, which takes a sign too.
        let index = name.parse::<i32>().ok().and_then(|index| usize::try_from(index).ok());
        Self { name, index }
    }
}

/// A path, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) steps: Vec<Step>,
}

impl Path {
    /// Reads `text`.
    pub(super) fn read(text: &str) -> Result<Self> {
        let Some(mut rest) = text.strip_prefix('$') else {
            return Err(invalid(text, "a path begins with `$`"));
        };
        let mut steps = Vec::new();
        while let Some(c) = rest.chars().next() {
            let behind = rest.get(c.len_utf8()..).unwrap_or_default();
            let (name, tail) = match c {
                '.' => {
                    if behind.starts_with(['.', '*']) {
                        return Err(invalid(text, "`..` and `*` are not supported"));
                    }
                    plain(behind, |c| matches!(c, ':' | '-' | '@'))
                        .ok_or_else(|| invalid(text, NAME))?
                }
                '[' => subscript(text, behind)?,
                _ => return Err(invalid(text, "expected `.` or `[` after a step")),
            };
            steps.push(Step::new(name));
            rest = tail;
        }
        Ok(Self { steps })
    }
}

const NAME: &str = "expected a name after `.`; other characters than letters, digits, `_`, `:`, \
                    `-` and `@` need `[\"…\"]`";

/// The step that `behind`, what follows a `[`, begins with, and what follows its `]`.
fn subscript<'a>(text: &str, behind: &'a str) -> Result<(String, &'a str)> {
    let (name, tail) = match behind.strip_prefix('"') {
        Some(inside) => quoted(inside).ok_or_else(|| invalid(text, "`[\"` without its `\"]`"))?,
        None if behind.starts_with('*') => {
            return Err(invalid(text, "`[*]` is not supported"));
        }
        None if behind.starts_with('-') => {
            return Err(invalid(text, "an index is not negative; see json_array_get"));
        }
        None => plain(behind, |_| false)
            .ok_or_else(|| invalid(text, "expected an index or `\"` after `[`"))?,
    };
    let tail = tail.strip_prefix(']').ok_or_else(|| invalid(text, "expected `]`"))?;
    Ok((name, tail))
}

/// The name without quotes at the start of `text`, if there is one, and the rest.
fn plain(text: &str, also: fn(char) -> bool) -> Option<(String, &str)> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || also(c)));
    let (name, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

/// The name up to the closing quote in `text`, and what follows the quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((name, chars.as_str())),
            '\\' => match chars.next()? {
                c @ ('"' | '\\') => name.push(c),
                _ => return None,
            },
            c => name.push(c),
        }
    }
}

fn invalid(text: &str, why: &str) -> DataFusionError {
    exec_datafusion_err!("invalid JSON path '{}': {why}", excerpt(text))
}

/// Paths that come row by row: the last one read is kept.
#[derive(Debug, Default)]
pub(super) struct Paths {
    last: Option<(String, Path)>,
}

impl Paths {
    /// The path that `text` spells.
    pub(super) fn get(&mut self, text: &str) -> Result<&Path> {
        if self.last.as_ref().is_none_or(|(spelled, _)| spelled != text) {
            self.last = Some((text.to_owned(), Path::read(text)?));
        }
        match &self.last {
            Some((_, path)) => Ok(path),
            None => Err(exec_datafusion_err!("no JSON path")),
        }
    }
}
