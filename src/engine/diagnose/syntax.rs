//! Syntax errors: the place comes from the message, the advice from the tokens around it.

use std::ops::Range;

use datafusion::{
    error::DataFusionError,
    sql::sqlparser::{parser::ParserError, tokenizer::Token},
};

use super::{at, error, nearest::nearest, words};
use crate::{
    Error,
    engine::{
        Statement,
        names::KEYWORDS,
        parse::{self, Lines},
    },
    error::Diagnostic,
};

/// Text that has no tokens: an open quote or comment.
pub(in crate::engine) fn tokens(statement: &Statement, fault: &ParserError) -> Error {
    from_parser(statement, fault)
}

/// A statement that does not parse.
pub(in crate::engine) fn syntax(statement: &Statement, fault: &DataFusionError) -> Error {
    for part in fault.iter() {
        if let DataFusionError::SQL(parser, _) = part.find_root() {
            return from_parser(statement, parser);
        }
    }
    at(statement, None, words::tidy(&fault.strip_backtrace()))
}

fn from_parser(statement: &Statement, fault: &ParserError) -> Error {
    let message = match fault {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        ParserError::RecursionLimitExceeded => {
            let message = "the statement is nested too deep";
            return super::with_help(statement, None, message, "split it with WITH");
        }
    };
    let (text, place) = split_place(statement, message);
    let place = place.unwrap_or(statement.sql().len());
    let tokens = words(statement);
    let index = tokens.iter().position(|(_, at)| at.start == place);
    let span = match index.and_then(|index| tokens.get(index)) {
        Some((_, at)) => at.clone(),
        None if place >= statement.sql().len() => end(statement),
        None => place..next_char(statement, place),
    };
    let message = match text.split_once(", found: ") {
        Some((expected, found)) => {
            let expected =
                expected.trim_start_matches("Expected: ").trim_start_matches("Expected ");
            format!(
                "expected {}, but found {}",
                name(expected),
                found_name(found, statement, &span)
            )
        }
        None => words::tidy(text),
    };
    let help = advice(statement, &tokens, index, &message);
    let diagnostic = parse::diagnostic(statement, Some(span), message);
    error(Diagnostic { help, ..diagnostic })
}

/// Cuts ` at Line: 1, Column: 8` off a message and gives the byte it means.
fn split_place<'a>(statement: &Statement, message: &'a str) -> (&'a str, Option<usize>) {
    let Some((text, place)) = message.rsplit_once(" at Line: ") else { return (message, None) };
    let Some((line, column)) = place.split_once(", Column: ") else { return (message, None) };
    let column: String = column.chars().take_while(char::is_ascii_digit).collect();
    match (line.trim().parse(), column.parse()) {
        (Ok(line), Ok(column)) => {
            let offset = Lines::new(statement.sql()).at(line, column);
            (text, Some(offset))
        }
        _ => (message, None),
    }
}

/// Just behind the last token: where something is missing.
fn end(statement: &Statement) -> Range<usize> {
    let end = words(statement).last().map_or(statement.sql().len(), |(_, at)| at.end);
    end..end
}

fn next_char(statement: &Statement, at: usize) -> usize {
    let rest = statement.sql().get(at..).unwrap_or_default();
    at + rest.chars().next().map_or(0, char::len_utf8)
}

/// What was expected, with symbols and keywords in backticks.
fn name(expected: &str) -> String {
    let quote = |word: &str| {
        let is_keyword = word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let is_symbol = word.chars().all(|c| !c.is_alphanumeric());
        if !word.is_empty() && (is_keyword || is_symbol) && word != "SQL" && word != "A" {
            format!("`{word}`")
        } else {
            word.to_owned()
        }
    };
    let words = expected.split(' ').map(|word| match word.strip_suffix(',') {
        Some(word) if !word.is_empty() => format!("{},", quote(word)),
        _ => quote(word),
    });
    words.collect::<Vec<_>>().join(" ").replace("` `", " ")
}

fn found_name(found: &str, statement: &Statement, span: &Range<usize>) -> String {
    if found == "EOF" || span.is_empty() {
        return "the end of the statement".to_owned();
    }
    // The token as it was written, not as the parser prints it.
    format!("`{}`", statement.sql().get(span.clone()).unwrap_or(found))
}

/// How to mend it, for the slips that are made most.
fn advice(
    statement: &Statement,
    tokens: &[(Token, Range<usize>)],
    index: Option<usize>,
    message: &str,
) -> Option<String> {
    let sql = statement.sql();
    // Where both are typographic, they are taken as plain ones.
    if message.starts_with("unterminated")
        && let Some(quote) = sql.chars().find(|c| matches!(c, '‘' | '’' | '“' | '”'))
    {
        let plain = if matches!(quote, '‘' | '’') { "'" } else { "\"" };
        return Some(format!("`{quote}` is a typographic quote: use `{plain}`"));
    }
    if message.starts_with("unterminated string") {
        return Some("close the text with `'`; a quote inside is doubled: ''".to_owned());
    }
    if message.starts_with("unexpected EOF while in a multi-line comment") {
        return Some("close the comment with `*/`".to_owned());
    }
    let at = index.unwrap_or(tokens.len());
    let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map(|(token, _)| token);
    if let Some(Token::Comma) = before {
        return Some("remove the comma before it".to_owned());
    }
    if let Some((Token::Word(word), _)) = index.and_then(|index| tokens.get(index))
        && ["GROUP", "ORDER", "PARTITION"].iter().any(|k| word.value.eq_ignore_ascii_case(k))
    {
        return Some(format!("did you mean `{} BY`?", word.value.to_uppercase()));
    }
    let here = index.and_then(|index| tokens.get(index)).map(|(token, _)| token);
    [here, before].into_iter().flatten().find_map(|token| match token {
        Token::Word(word) if word.quote_style.is_none() => {
            let is_known = KEYWORDS.iter().any(|known| word.value.eq_ignore_ascii_case(known));
            let near = nearest(&word.value, KEYWORDS.iter().copied()).filter(|_| !is_known)?;
            Some(format!("did you mean `{near}`?"))
        }
        _ => None,
    })
}
