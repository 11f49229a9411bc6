//! Statements that parse but do not plan: which fault it was, and where.

use std::ops::Range;

use datafusion::{
    common::Span as PlanSpan, error::DataFusionError, sql::sqlparser::tokenizer::Token,
};

use super::{error, names, patterns, words};
use crate::{
    Error, ErrorKind,
    engine::{
        Statement,
        parse::{self, Lines},
        session::Session,
    },
    error::Diagnostic,
};

/// What a fault is drawn from.
pub(super) struct Context<'a> {
    pub(super) statement: &'a Statement,
    pub(super) session: &'a Session,
    /// The statement's tokens with their places.
    pub(super) tokens: Vec<(Token, Range<usize>)>,
}

/// A fault in our words.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) message: String,
    pub(super) span: Option<Range<usize>>,
    pub(super) label: Option<&'static str>,
    pub(super) help: Option<String>,
}

/// A statement that does not plan.
pub(in crate::engine) fn planning(
    statement: &Statement,
    session: &Session,
    fault: DataFusionError,
) -> Error {
    let fault = of_rows(fault);
    if !is_users(&fault) {
        let told = session.cache().explain(Box::new(fault));
        return told.unwrap_or_else(|fault| ErrorKind::Engine(fault).into());
    }
    let context = Context { statement, session, tokens: words(statement) };
    let mut found = fault.iter().map(|part| context.found(part)).collect::<Vec<_>>().into_iter();
    let first = found.next().unwrap_or_default();
    // Of several faults the first that has a place.
    let told = if first.span.is_none() {
        found.find(|other| other.span.is_some()).unwrap_or(first)
    } else {
        first
    };
    let diagnostic = parse::diagnostic(statement, told.span, told.message);
    let label = told.label.map(str::to_owned);
    error(Diagnostic { label, help: told.help, ..diagnostic })
}

/// What failed on a row, where the Parquet reader, which filters rows, has made a text of it.
fn of_rows(fault: DataFusionError) -> DataFusionError {
    let DataFusionError::ParquetError(_) = fault.find_root() else { return fault };
    let text = fault.strip_backtrace();
    let Some((_, failed)) = text.split_once("Error evaluating filter predicate: ") else {
        return fault;
    };
    let inside = failed.split_once("(\"").and_then(|(_, rest)| rest.rsplit_once("\")"));
    let message = inside.map_or(failed, |(message, _)| message);
    DataFusionError::Execution(message.replace("\\\"", "\"").replace("\\'", "'"))
}

/// Whether the statement is at fault, not the engine or the disk below it.
fn is_users(fault: &DataFusionError) -> bool {
    let root = fault.find_root();
    if matches!(root, DataFusionError::External(cause) if cause.to_string().contains("regex parse"))
    {
        return true;
    }
    !matches!(
        root,
        DataFusionError::ObjectStore(_)
            | DataFusionError::ParquetError(_)
            | DataFusionError::IoError(_)
            | DataFusionError::Internal(_)
            | DataFusionError::ExecutionJoin(_)
            | DataFusionError::External(_)
    )
}

impl Context<'_> {
    fn found(&self, part: &DataFusionError) -> Found {
        let diagnostic = part.diagnostic();
        let span = diagnostic.and_then(|diagnostic| diagnostic.span).map(|span| self.range(span));
        let root = part.find_root();
        let mut found = match root {
            DataFusionError::SchemaError(fault, _) => {
                let notes = diagnostic.map(|d| d.notes.as_slice()).unwrap_or_default();
                names::schema_fault(self, fault, span.clone(), notes)
            }
            DataFusionError::ResourcesExhausted(_) => Found {
                message: "the query needs more memory than it may use".to_owned(),
                help: Some("--memory raises the limit; fewer columns and a LIMIT need less".into()),
                ..Found::default()
            },
            _ => patterns::found(self, &message(root)),
        };
        found.span = span.or(found.span).filter(|span| !span.is_empty());
        found
    }

    fn range(&self, span: PlanSpan) -> Range<usize> {
        let lines = Lines::new(self.statement.sql());
        let start = lines.at(span.start.line, span.start.column);
        start..lines.at(span.end.line, span.end.column).max(start)
    }

    /// Where the name `name` stands.
    pub(super) fn place_of(&self, name: &str) -> Option<Range<usize>> {
        super::find_name(&self.tokens, name)
    }

    /// Where the name `name` stands behind a dot.
    pub(super) fn place_of_member(&self, name: &str) -> Option<Range<usize>> {
        let pairs = self.tokens.iter().zip(self.tokens.iter().skip(1));
        let found = pairs.into_iter().find_map(|((dot, _), (token, place))| match token {
            Token::Word(word) if *dot == Token::Period && word.value.eq_ignore_ascii_case(name) => {
                Some(place.clone())
            }
            _ => None,
        });
        found.or_else(|| self.place_of(name))
    }

    /// Where a call of the function `name` stands.
    pub(super) fn place_of_call(&self, name: &str) -> Option<Range<usize>> {
        let pairs = self.tokens.iter().zip(self.tokens.iter().skip(1));
        pairs.into_iter().find_map(|((token, place), (next, _))| match token {
            Token::Word(word)
                if *next == Token::LParen && word.value.eq_ignore_ascii_case(name) =>
            {
                Some(place.clone())
            }
            _ => None,
        })
    }

    /// Where the text literal `value` stands.
    pub(super) fn place_of_text(&self, value: &str) -> Option<Range<usize>> {
        self.tokens.iter().find_map(|(token, place)| match token {
            Token::SingleQuotedString(text) if text == value => Some(place.clone()),
            _ => None,
        })
    }

    /// The text of the statement at `place`.
    pub(super) fn text(&self, place: &Range<usize>) -> &str {
        self.statement.sql().get(place.clone()).unwrap_or_default()
    }
}

/// What an error says, without what it says it of.
fn message(root: &DataFusionError) -> String {
    match root {
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::NotImplemented(message)
        | DataFusionError::Configuration(message) => without_backtrace(message),
        other => other.strip_backtrace(),
    }
}

fn without_backtrace(message: &str) -> String {
    message.split("\n\nbacktrace: ").next().unwrap_or_default().to_owned()
}
