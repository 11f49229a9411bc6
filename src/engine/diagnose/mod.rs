//! Errors in the user's words: what is wrong, where in their text, how to mend it.
//!
//! DataFusion knows the place of most faults in names and types; it does not for syntax errors,
//! members of structs and casts that fail while rows stream. Those places are found here, from
//! the message and the statement's tokens.

mod names;
mod nearest;
mod patterns;
mod planning;
mod running;
mod syntax;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use datafusion::sql::sqlparser::{
    ast::Spanned,
    tokenizer::{Span, Token, TokenWithSpan},
};

use super::{
    Statement,
    parse::{self, Lines},
    refuse::Refusal,
    rewrite::Fault,
    session::Session,
};
use crate::{Error, ErrorKind, error::Diagnostic};

pub(super) use self::{
    planning::planning,
    running::running,
    syntax::{syntax, tokens},
};

/// A fault at `span` of the statement's text.
pub(super) fn at(
    statement: &Statement,
    span: Option<Range<usize>>,
    message: impl Into<String>,
) -> Error {
    error(parse::diagnostic(statement, span, message))
}

/// A fault with advice.
pub(super) fn with_help(
    statement: &Statement,
    span: Option<Range<usize>>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Error {
    let diagnostic = parse::diagnostic(statement, span, message);
    error(Diagnostic { help: Some(help.into()), ..diagnostic })
}

/// A statement that may not run.
pub(super) fn refused(statement: &Statement, refusal: Refusal) -> Error {
    let span = match refusal.span {
        Some(span) => Some(range(statement, span)),
        None => first_token(statement),
    };
    let diagnostic = parse::diagnostic(statement, span, refusal.message);
    error(Diagnostic { help: refusal.help.map(str::to_owned), ..diagnostic })
}

/// A fault that the rewriter found.
pub(super) fn fault(statement: &Statement, fault: Fault) -> Error {
    let span = fault.span.and_then(|span| place_of_span(statement, span));
    let diagnostic = parse::diagnostic(statement, span, fault.message);
    error(Diagnostic { help: fault.help, ..diagnostic })
}

/// A table that is not there.
pub(super) fn no_table(
    statement: &Statement,
    session: &Session,
    span: Option<Range<usize>>,
    name: &str,
) -> Error {
    let message = format!("table `{name}` does not exist");
    let tables = session.table_names();
    let help = match nearest::nearest(name, tables.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "SHOW TABLES lists the tables".to_owned(),
    };
    let diagnostic = parse::diagnostic(statement, span, message);
    let label = Some("unknown table".to_owned());
    error(Diagnostic { help: Some(help), label, ..diagnostic })
}

fn error(diagnostic: Diagnostic) -> Error {
    ErrorKind::Query(diagnostic).into()
}

/// The bytes of the statement's text at `span`, where that is a place.
pub(super) fn span(statement: &Statement, span: Span) -> Option<Range<usize>> {
    (span.start.line > 0).then(|| range(statement, span))
}

/// The bytes of the statement's text at `span`.
fn range(statement: &Statement, span: Span) -> Range<usize> {
    let lines = Lines::new(statement.sql());
    let start = lines.offset(span.start);
    start..lines.offset(span.end).max(start)
}

/// The place of a node of the syntax tree.
pub(super) fn place(statement: &Statement, node: &impl Spanned) -> Option<Range<usize>> {
    place_of_span(statement, node.span())
}

/// The statement's tokens without white space, with their places in its text.
pub(super) fn words(statement: &Statement) -> Vec<(Token, Range<usize>)> {
    let lines = Lines::new(statement.sql());
    let place = |token: TokenWithSpan| {
        let start = lines.offset(token.span.start);
        let end = lines.offset(token.span.end);
        (token.token, start..end)
    };
    let tokens = parse::tokenize(statement.sql()).unwrap_or_default();
    tokens
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
        .map(place)
        .collect()
}

/// The bytes at a place of the syntax tree, where it has one.
pub(super) fn place_of_span(statement: &Statement, span: Span) -> Option<Range<usize>> {
    (span.start.line > 0).then(|| range(statement, span))
}

/// Where `names` stand with dots between them, quoted or not.
pub(super) fn place_of_names(statement: &Statement, names: &[String]) -> Option<Range<usize>> {
    let words = words(statement);
    let is_here = |at: usize| {
        names.iter().enumerate().all(|(n, name)| {
            let dotted = n == 0 || matches!(words.get(at + 2 * n - 1), Some((Token::Period, _)));
            dotted
                && matches!(words.get(at + 2 * n), Some((Token::Word(word), _))
                    if word.value.eq_ignore_ascii_case(name))
        })
    };
    let at = (0..words.len()).find(|at| is_here(*at))?;
    let last = at + 2 * names.len().checked_sub(1)?;
    Some(words.get(at)?.1.start..words.get(last)?.1.end)
}

fn first_token(statement: &Statement) -> Option<Range<usize>> {
    words(statement).into_iter().next().map(|(_, place)| place)
}

/// Where the name `name` stands: the first of `words` that is it, quoted or not.
fn find_name(words: &[(Token, Range<usize>)], name: &str) -> Option<Range<usize>> {
    words.iter().find_map(|(token, place)| match token {
        Token::Word(word) if word.value.eq_ignore_ascii_case(name) => Some(place.clone()),
        _ => None,
    })
}
