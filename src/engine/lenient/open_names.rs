//! Placeholders of tables among the tokens: the parser reads none of `<EDS ID>`, `$EDS_ID`, `{store_id}`
//! as a name, so each becomes a quoted one. What it stands for is told on the syntax tree.

use datafusion::sql::sqlparser::{
    keywords::Keyword,
    tokenizer::{Span, Token, TokenWithSpan, Word},
};

use super::super::parse::Lines;

/// The most tokens in a placeholder.
const MOST: usize = 16;

/// Has placeholders where tables are named become quoted names, which keep their places.
pub(in crate::engine) fn open_names(sql: &str, tokens: &mut Vec<TokenWithSpan>) {
    let mut at = 0;
    let mut clauses = Clauses::default();
    while at < tokens.len() {
        let is_table = clauses.names_table(tokens, at);
        if is_table {
            if let Some(end) = end_of_name(tokens, at) {
                named(sql, tokens, at, end);
            }
            // The name behind a dot is one too.
            while tokens.get(at + 1).is_some_and(|token| token.token == Token::Period) {
                at += 2;
                if let Some(end) = end_of_name(tokens, at) {
                    named(sql, tokens, at, end);
                }
            }
        }
        clauses.pass(tokens, at);
        at += 1;
    }
}

fn keyword(token: Option<&TokenWithSpan>) -> Option<Keyword> {
    match token.map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

/// In which clauses the parentheses around a token are, outermost first.
struct Clauses(Vec<Clause>);

#[derive(Clone, Copy, Default)]
struct Clause {
    /// A SELECT stands here, so that a FROM begins a clause and is no part of a call.
    selects: bool,
    from: bool,
}

impl Default for Clauses {
    fn default() -> Self {
        Self(vec![Clause::default()])
    }
}

impl Clauses {
    /// Whether the token at `at` begins the name of a table.
    fn names_table(&self, tokens: &[TokenWithSpan], at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        self.0.last().is_some_and(|clause| clause.from)
            && (matches!(keyword(tokens.get(before)), Some(Keyword::FROM | Keyword::JOIN))
                || tokens
                    .get(before)
                    .is_some_and(|token| matches!(token.token, Token::Comma | Token::LParen)))
    }

    fn pass(&mut self, tokens: &[TokenWithSpan], at: usize) {
        use Keyword::{
            EXCEPT, FETCH, FROM, GROUP, HAVING, INTERSECT, LIMIT, OFFSET, ORDER, SELECT, UNION,
            WHERE,
        };
        let opens = self.names_table(tokens, at);
        match tokens.get(at).map(|token| &token.token) {
            // `FROM (a JOIN b)`
            Some(Token::LParen) => self.0.push(Clause { selects: false, from: opens }),
            Some(Token::RParen) if self.0.len() > 1 => {
                self.0.pop();
            }
            _ => {}
        }
        let Some(clause) = self.0.last_mut() else { return };
        match keyword(tokens.get(at)) {
            Some(SELECT) => *clause = Clause { selects: true, from: false },
            Some(FROM) => {
                let before = at.checked_sub(1).and_then(|before| keyword(tokens.get(before)));
                clause.from |= clause.selects && before != Some(Keyword::DISTINCT);
            }
            Some(
                WHERE | GROUP | HAVING | ORDER | LIMIT | OFFSET | FETCH | UNION | EXCEPT
                | INTERSECT,
            ) => clause.from = false,
            _ => {}
        }
    }
}

/// The place behind the placeholder that begins at `at`.
fn end_of_name(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    let token = |at: usize| tokens.get(at).map(|token| &token.token);
    match token(at)? {
        Token::Lt => closed(tokens, at + 1, &Token::Gt),
        Token::LBracket => closed(tokens, at + 1, &Token::RBracket),
        Token::Placeholder(name) if name == "$" && token(at + 1) == Some(&Token::LBrace) => {
            closed(tokens, at + 2, &Token::RBrace)
        }
        // `$1` is a parameter.
        Token::Placeholder(name) => {
            let rest = name.strip_prefix('$')?;
            rest.starts_with(|c: char| c.is_alphabetic() || c == '_').then_some(at + 1)
        }
        Token::LBrace if token(at + 1) == Some(&Token::LBrace) => {
            let end = closed(tokens, at + 2, &Token::RBrace)?;
            (token(end) == Some(&Token::RBrace)).then_some(end + 1)
        }
        Token::LBrace => closed(tokens, at + 1, &Token::RBrace),
        Token::Word(_) | Token::Number(..) => hyphened(tokens, at),
        _ => None,
    }
}

/// The place behind the `close` that ends a placeholder whose inside begins at `from`.
fn closed(tokens: &[TokenWithSpan], from: usize, close: &Token) -> Option<usize> {
    for at in from..from + MOST {
        match &tokens.get(at)?.token {
            found if found == close => return (at > from).then_some(at + 1),
            Token::Word(_)
            | Token::Number(..)
            | Token::Minus
            | Token::Period
            | Token::Colon
            | Token::Div
            | Token::Placeholder(_) => {}
            _ => return None,
        }
    }
    None
}

/// The place behind words with hyphens and nothing else between them.
fn hyphened(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    let mut end = at;
    let mut hyphens = 0;
    while let Some(token) = tokens.get(end) {
        let touches =
            end == at || tokens.get(end - 1).is_some_and(|last| last.span.end == token.span.start);
        let is_part = match &token.token {
            Token::Word(word) => word.quote_style.is_none(),
            Token::Number(..) => true,
            Token::Minus => {
                hyphens += 1;
                true
            }
            _ => false,
        };
        if !touches || !is_part {
            break;
        }
        end += 1;
    }
    let ends_well = tokens.get(end - 1).is_some_and(|last| last.token != Token::Minus);
    (hyphens > 0 && ends_well).then_some(end)
}

/// Puts a quoted name for the tokens from `at` to `end`.
fn named(sql: &str, tokens: &mut Vec<TokenWithSpan>, at: usize, end: usize) {
    let (Some(first), Some(last)) =
        (tokens.get(at), end.checked_sub(1).and_then(|n| tokens.get(n)))
    else {
        return;
    };
    let span = Span::new(first.span.start, last.span.end);
    let lines = Lines::new(sql);
    let start = lines.offset(span.start);
    let text = sql.get(start..lines.offset(span.end)).unwrap_or_default();
    let word = Word { value: text.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword };
    tokens.splice(at..end, [TokenWithSpan { token: Token::Word(word), span }]);
}
