//! The tokens of a Hive statement, one after the other.

use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use crate::engine::{parse, rewrite::Fault};

/// Where a parser is in a statement's tokens.
pub(super) struct Cursor {
    tokens: Vec<TokenWithSpan>,
    at: usize,
}

impl Cursor {
    /// A cursor at the first token of `sql`; nothing where it has no tokens to speak of, which
    /// the parser of queries tells.
    pub(super) fn new(sql: &str) -> Option<Self> {
        let mut tokens = parse::tokenize(sql).ok()?;
        tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
        Some(Self { tokens, at: 0 })
    }

    fn token(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|token| &token.token)
    }

    /// The place of the next token, or behind the last one.
    pub(super) fn span(&self) -> Span {
        let end = || self.tokens.last().map_or(Location::empty(), |last| last.span.end);
        self.tokens.get(self.at).map_or_else(|| Span::new(end(), end()), |token| token.span)
    }

    /// Whether all tokens were read.
    pub(super) fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Whether `words` come next, in any case.
    pub(super) fn sees(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, word)| {
            matches!(self.tokens.get(self.at + n).map(|token| &token.token),
                Some(Token::Word(found)) if found.quote_style.is_none()
                    && found.value.eq_ignore_ascii_case(word))
        })
    }

    /// Reads `words` if they come next.
    pub(super) fn eats(&mut self, words: &[&str]) -> bool {
        let sees = self.sees(words);
        if sees {
            self.at += words.len();
        }
        sees
    }

    /// Reads `words`.
    pub(super) fn words(&mut self, words: &[&str]) -> Result<(), Fault> {
        if self.eats(words) { Ok(()) } else { Err(self.expected(&words.join(" "))) }
    }

    /// Reads `token` if it comes next.
    pub(super) fn eats_token(&mut self, token: &Token) -> bool {
        let sees = self.token() == Some(token);
        if sees {
            self.at += 1;
        }
        sees
    }

    /// Reads `token`.
    pub(super) fn take(&mut self, token: &Token) -> Result<(), Fault> {
        if self.eats_token(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }

    /// Reads the `>` that closes a type, which may be the first half of `>>`.
    pub(super) fn take_angle(&mut self) -> Result<(), Fault> {
        if let Some(token) = self.tokens.get_mut(self.at)
            && token.token == Token::ShiftRight
        {
            token.token = Token::Gt;
            token.span.start.column += 1;
            return Ok(());
        }
        self.take(&Token::Gt)
    }

    /// Reads a name in any quotes, in lower case.
    pub(super) fn name(&mut self, what: &str) -> Result<String, Fault> {
        match self.token() {
            Some(Token::Word(word)) => {
                let name = word.value.to_lowercase();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.expected(what)),
        }
    }

    /// Reads a table's name: the last part of it, since databases are all one here.
    pub(super) fn table(&mut self) -> Result<Name, Fault> {
        let start = self.span();
        let mut name = self.name("a table's name")?;
        let mut end = start;
        while self.eats_token(&Token::Period) {
            end = self.span();
            name = self.name("a table's name")?;
        }
        Ok(Name { name, span: Span::new(start.start, end.end) })
    }

    /// Reads a text in single or double quotes.
    pub(super) fn text(&mut self, what: &str) -> Result<Text, Fault> {
        let span = self.span();
        let value = match self.token() {
            Some(Token::SingleQuotedString(text) | Token::DoubleQuotedString(text)) => text.clone(),
            Some(Token::Word(word)) if word.quote_style == Some('"') => word.value.clone(),
            _ => return Err(self.expected(what)),
        };
        self.at += 1;
        Ok(Text { value, span })
    }

    /// Reads the value of a partition column: a text or a number.
    pub(super) fn value(&mut self) -> Result<Text, Fault> {
        if let Some(Token::Number(number, _)) = self.token() {
            let (value, span) = (number.clone(), self.span());
            self.at += 1;
            return Ok(Text { value, span });
        }
        // `dt = date '2024-01-02'`, as Athena also writes it.
        self.eats(&["date"]);
        self.text("a value in quotes")
    }

    /// A fault: `what` does not come next.
    pub(super) fn expected(&self, what: &str) -> Fault {
        let found = self.token().map_or("the end".to_owned(), |token| format!("`{token}`"));
        fault(self.span(), format!("expected {what}, but found {found}"), None)
    }

    /// Fails unless all tokens were read.
    pub(super) fn end(&self) -> Result<(), Fault> {
        if self.is_done() { Ok(()) } else { Err(self.expected("the end of the statement")) }
    }

    /// Reads what `one` reads, in parentheses and with commas between.
    pub(super) fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.take(&Token::LParen)?;
        let mut all = vec![one(self)?];
        while self.eats_token(&Token::Comma) {
            all.push(one(self)?);
        }
        self.take(&Token::RParen)?;
        Ok(all)
    }
}

/// A table's name and its place.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Name {
    /// In lower case, without its database.
    pub(in crate::engine) name: String,
    pub(in crate::engine) span: Span,
}

/// A text and its place.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Text {
    pub(in crate::engine) value: String,
    pub(in crate::engine) span: Span,
}

/// A fault at `span`.
pub(super) fn fault(span: Span, message: String, help: Option<&str>) -> Fault {
    Fault { message, span: Some(span), help: help.map(str::to_owned) }
}
