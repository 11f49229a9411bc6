//! What matches are replaced by: text with `$1`, `${name}` and `\` before a character that is meant.

use datafusion::{common::exec_err, error::Result};
use regex::Captures;

use super::pattern::Pattern;
use crate::engine::functions::call::quoted;

/// A replacement, taken apart.
#[derive(Debug)]
pub(super) struct Replacement(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Literal(String),
    Group(usize),
}

impl Replacement {
    pub(super) fn parse(template: &str, pattern: &Pattern) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = template.chars();
        while let Some(character) = rest.next() {
            match character {
                '\\' => match rest.next() {
                    Some(meant) => literal.push(meant),
                    None => {
                        return exec_err!("the replacement {} ends in \\", quoted(template));
                    }
                },
                '$' => {
                    let (group, after) = group(rest.as_str(), template, pattern)?;
                    rest = after.chars();
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Group(group));
                }
                other => literal.push(other),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self(pieces))
    }

    /// The text, where no group is in it.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn write(&self, captures: &Captures<'_>, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Group(group) => {
                    out.push_str(captures.get(*group).map_or("", |found| found.as_str()));
                }
            }
        }
    }
}

/// The group that is named after a `$`, and what follows it.
fn group<'a>(rest: &'a str, template: &str, pattern: &Pattern) -> Result<(usize, &'a str)> {
    if let Some(named) = rest.strip_prefix('{') {
        let Some((name, after)) = named.split_once('}') else {
            return exec_err!("a }} is missing in the replacement {}", quoted(template));
        };
        return if let Some(group) = pattern.named(name) {
            Ok((group, after))
        } else {
            exec_err!("the pattern has no group {}", quoted(name))
        };
    }
    // As many digits as make the number of a group.
    let mut found = None;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    for end in 1..=digits {
        let number = rest.get(..end).and_then(|digits| digits.parse::<usize>().ok());
        match number {
            Some(number) if number <= pattern.groups() => found = Some((number, end)),
            _ => break,
        }
    }
    match found {
        Some((number, end)) => Ok((number, rest.get(end..).unwrap_or_default())),
        None if digits > 0 => exec_err!(
            "the replacement {} names a group that the pattern does not have",
            quoted(template)
        ),
        None => exec_err!(
            "a $ in the replacement {} must be \\$ unless a group follows",
            quoted(template)
        ),
    }
}
