//! Text → statements with their places → syntax trees.

use std::{cell::Cell, sync::Arc};

use datafusion::sql::{
    parser::{DFParserBuilder, Statement as Ast},
    sqlparser::{
        dialect::Dialect,
        parser::ParserError,
        tokenizer::{Location, Token, TokenWithSpan, Tokenizer},
    },
};

use super::{
    Statement,
    ddl::{self, Ddl},
    diagnose, dialect,
    lenient::glyphs,
    parameters, stack, tokens,
};
use crate::{Result, error::Diagnostic};

/// How deep expressions and queries may nest before the parser gives up.
///
/// DataFusion's own 50 is below what generated SQL (long `OR` chains in parentheses) reaches.
const RECURSION_LIMIT: usize = 200;

/// The dialect statements are read in.
pub(super) fn dialect() -> &'static dyn Dialect {
    &dialect::Trino
}

/// Splits `text` at its top-level semicolons and checks the syntax of each statement, so that a
/// fault in the last one is told before the first one runs.
pub(super) fn split(text: &str, origin: Option<&str>) -> Result<Vec<Statement>> {
    let lines = Lines::new(text);
    let shared: Arc<str> = Arc::from(text);
    let origin: Option<Arc<str>> = origin.map(Arc::from);
    let whole = Statement {
        text: Arc::clone(&shared),
        origin: origin.clone(),
        span: 0..text.len(),
        parameters: Arc::default(),
    };
    let tokens = tokenize(text).map_err(|error| diagnose::tokens(&whole, &error))?;

    let mut statements = Vec::new();
    let mut span: Option<std::ops::Range<usize>> = None;
    for token in tokens {
        match token.token {
            Token::SemiColon => statements.extend(span.take()),
            Token::Whitespace(_) | Token::EOF => {}
            _ => {
                let start = lines.offset(token.span.start);
                let end = lines.offset(token.span.end);
                span = Some(span.map_or(start, |s| s.start)..end);
            }
        }
    }
    statements.extend(span);

    let statements: Vec<Statement> = statements
        .into_iter()
        .map(|span| Statement {
            text: Arc::clone(&shared),
            origin: origin.clone(),
            span,
            parameters: Arc::default(),
        })
        .collect();
    for statement in &statements {
        if hive(statement)?.is_none() {
            tree(statement)?;
        }
    }
    Ok(statements)
}

/// A statement of Hive's; nothing where it is none.
pub(super) fn hive(statement: &Statement) -> Result<Option<Ddl>> {
    ddl::parse(statement.sql()).transpose().map_err(|fault| diagnose::fault(statement, fault))
}

/// The syntax tree of a statement; places in it count from the statement's start.
pub(super) fn tree(statement: &Statement) -> Result<Ast> {
    stack::deep(|| read(statement))
}

fn read(statement: &Statement) -> Result<Ast> {
    let tokens = tokenize(statement.sql()).map_err(|error| diagnose::tokens(statement, &error))?;
    let mut parser = DFParserBuilder::new(tokens::adapt(statement.sql(), tokens))
        .with_dialect(dialect())
        .with_recursion_limit(RECURSION_LIMIT)
        .build()
        .map_err(|error| diagnose::syntax(statement, &error))?;
    let mut trees =
        parser.parse_statements().map_err(|error| diagnose::syntax(statement, &error))?;
    match (trees.pop_front(), trees.is_empty()) {
        (Some(mut tree), true) => {
            stack::balance(&mut tree).map_err(|fault| diagnose::at(statement, None, fault))?;
            parameters::bind(statement, &mut tree)?;
            Ok(tree)
        }
        (None, _) => Err(diagnose::at(statement, None, "expected a statement, but found none")),
        (Some(_), false) => {
            Err(diagnose::at(statement, None, "expected one statement, but found several"))
        }
    }
}

/// The tokens of `sql`, with their places.
pub(super) fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>, ParserError> {
    let plain = glyphs::plain(sql);
    let mut tokens = Tokenizer::new(dialect(), &plain).tokenize_with_location()?;
    if !sql.is_ascii() {
        tokens.iter_mut().for_each(whole_word);
    }
    Ok(tokens)
}

/// Leaves out of a word what takes no room in it.
fn whole_word(token: &mut TokenWithSpan) {
    if let Token::Word(word) = &token.token
        && word.quote_style.is_none()
        && word.value.contains(glyphs::is_zero_width)
    {
        token.token = Token::make_keyword(&word.value.replace(glyphs::is_zero_width, ""));
    }
}

/// Turns the tokenizer's places (line and column, in characters from 1) into byte offsets.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// Where the last question ended: (line, column, byte). Questions come in order, and lines
    /// can be as long as the text.
    last: Cell<(u64, u64, usize)>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        Self { text, starts, last: Cell::new((1, 1, 0)) }
    }

    /// The byte at `location`; the text's end where it lies beyond.
    pub(super) fn offset(&self, location: Location) -> usize {
        self.at(location.line, location.column)
    }

    /// The byte at (line, column), both from 1.
    pub(super) fn at(&self, line: u64, column: u64) -> usize {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(index).copied() else { return self.text.len() };
        let (last_line, last_column, last_byte) = self.last.get();
        let (from, skip) = if last_line == line && last_column <= column {
            (last_byte, column - last_column)
        } else {
            (start, column.saturating_sub(1))
        };
        let rest = self.text.get(from..).unwrap_or_default();
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let byte = rest.char_indices().nth(skip).map_or(self.text.len(), |(at, _)| from + at);
        self.last.set((line, column.max(1), byte));
        byte
    }
}

/// A diagnostic for `statement` at `span` of its own text.
pub(super) fn diagnostic(
    statement: &Statement,
    span: Option<std::ops::Range<usize>>,
    message: impl Into<String>,
) -> Diagnostic {
    let base = statement.span.start;
    Diagnostic {
        message: message.into(),
        text: statement.text.to_string(),
        origin: statement.origin.as_deref().map(str::to_owned),
        span: span.map(|s| base + s.start..base + s.end),
        label: None,
        help: None,
    }
}
