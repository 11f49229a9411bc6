//! What Trino writes and the parser does not read, put right between tokenizer and parser.
//!
//! The text is tokenized as it is, and every token keeps its place in it, those that are put in too;
//! only what the parser could not read at all is changed here. All else is done on the syntax tree.

use super::lenient::open_names;
use datafusion::sql::sqlparser::{
    keywords::Keyword,
    tokenizer::{Span, Token, TokenWithSpan, Word},
};

/// Makes `tokens` readable for the parser.
pub(super) fn adapt(sql: &str, tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    store_ids(&mut tokens);
    open_names(sql, &mut tokens);
    types(&mut tokens);
    typed_strings(&mut tokens);
    values(&mut tokens);
    prepared(&mut tokens);
    values_as_subquery(&mut tokens);
    tokens
}

fn keyword(token: Option<&TokenWithSpan>) -> Option<Keyword> {
    match token.map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

fn is_word(token: Option<&TokenWithSpan>, name: &str) -> bool {
    matches!(token.map(|token| &token.token), Some(Token::Word(word))
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name))
}

fn is(tokens: &[TokenWithSpan], at: usize, token: &Token) -> bool {
    tokens.get(at).is_some_and(|found| found.token == *token)
}

fn put(tokens: &mut [TokenWithSpan], at: usize, token: Token) {
    if let Some(place) = tokens.get_mut(at) {
        place.token = token;
    }
}

/// The place of the parenthesis that closes the one at `open`.
fn closing(tokens: &[TokenWithSpan], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Types in CAST and `TRY_CAST`: `ARRAY(T)` and `ROW(…)` in the angle brackets that the parser wants.
fn types(tokens: &mut [TokenWithSpan]) {
    for at in 0..tokens.len() {
        let is_cast = matches!(keyword(tokens.get(at)), Some(Keyword::CAST | Keyword::TRY_CAST));
        if !is_cast || !is(tokens, at + 1, &Token::LParen) {
            continue;
        }
        let Some(end) = closing(tokens, at + 1) else { continue };
        let mut depth = 0_usize;
        let mut start = None;
        for (place, token) in tokens.iter().enumerate().take(end).skip(at + 2) {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ if depth == 0 && keyword(Some(token)) == Some(Keyword::AS) => start = Some(place),
                _ => {}
            }
        }
        let Some(start) = start else { continue };
        for place in start + 1..end {
            let is_row = is_word(tokens.get(place), "row");
            if !(is_row || is_word(tokens.get(place), "array"))
                || !is(tokens, place + 1, &Token::LParen)
            {
                continue;
            }
            let Some(close) = closing(tokens, place + 1) else { continue };
            if is_row {
                put(tokens, place, Token::make_keyword("STRUCT"));
            }
            put(tokens, place + 1, Token::Lt);
            put(tokens, close, Token::Gt);
        }
    }
}

/// `JSON '…'` is `json_parse('…')`, and `IPADDRESS '…'` a cast.
fn typed_strings(tokens: &mut Vec<TokenWithSpan>) {
    let mut at = 0;
    while at + 1 < tokens.len() {
        let is_text = matches!(
            tokens.get(at + 1).map(|token| &token.token),
            Some(Token::SingleQuotedString(_))
        );
        let json = is_word(tokens.get(at), "json");
        if is_text && (json || is_word(tokens.get(at), "ipaddress")) {
            let span = tokens.get(at).map_or(Span::empty(), |token| token.span);
            let text = tokens.remove(at + 1);
            let mut call = vec![Token::LParen, text.token];
            if json {
                put(tokens, at, word("json_parse", None));
            } else {
                put(tokens, at, Token::make_keyword("CAST"));
                call.extend([Token::make_keyword("AS"), word("ipaddress", None)]);
            }
            call.push(Token::RParen);
            let call = call.into_iter().map(|token| TokenWithSpan { token, span });
            tokens.splice((at + 1)..=at, call);
        }
        at += 1;
    }
}

/// `VALUES 1, 2`: each row in parentheses.
fn values(tokens: &mut Vec<TokenWithSpan>) {
    let mut at = 0;
    while at < tokens.len() {
        at += 1;
        let follows = keyword(tokens.get(at - 1)) == Some(Keyword::VALUES)
            && !is(tokens, at, &Token::LParen)
            && !is_word(tokens.get(at), "row");
        if !follows {
            continue;
        }
        let mut put_in = vec![(at, Token::LParen)];
        let mut depth = 0_usize;
        let mut end = tokens.len();
        for (place, token) in tokens.iter().enumerate().skip(at) {
            match &token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket if depth > 0 => depth -= 1,
                Token::Comma if depth == 0 => {
                    put_in.extend([(place, Token::RParen), (place + 1, Token::LParen)]);
                }
                Token::RParen | Token::EOF | Token::SemiColon => {
                    end = place;
                    break;
                }
                Token::Word(_) if depth == 0 && ends_values(keyword(Some(token))) => {
                    end = place;
                    break;
                }
                _ => {}
            }
        }
        put_in.push((end, Token::RParen));
        for (place, token) in put_in.into_iter().rev() {
            let span = tokens.get(place).map_or(Span::empty(), |token| token.span);
            tokens.insert(place.min(tokens.len()), TokenWithSpan { token, span });
        }
    }
}

/// `> ALL (VALUES 2, 4)`: the parser takes a subquery there where it is a SELECT.
fn values_as_subquery(tokens: &mut Vec<TokenWithSpan>) {
    let mut at = 0;
    while at < tokens.len() {
        at += 1;
        let quantified = matches!(
            keyword(tokens.get(at - 1)),
            Some(Keyword::ALL | Keyword::ANY | Keyword::SOME | Keyword::IN)
        );
        if !quantified
            || !is(tokens, at, &Token::LParen)
            || keyword(tokens.get(at + 1)) != Some(Keyword::VALUES)
        {
            continue;
        }
        let Some(close) = closing(tokens, at) else { continue };
        let span = tokens.get(at).map_or(Span::empty(), |token| token.span);
        let put_in = |token| TokenWithSpan { token, span };
        tokens.insert(close, put_in(Token::RParen));
        let select =
            [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM"), Token::LParen];
        tokens.splice((at + 1)..=at, select.map(put_in));
    }
}

fn ends_values(keyword: Option<Keyword>) -> bool {
    use Keyword::{EXCEPT, FETCH, INTERSECT, LIMIT, OFFSET, ORDER, UNION};
    matches!(keyword, Some(ORDER | LIMIT | OFFSET | FETCH | UNION | EXCEPT | INTERSECT))
}

fn word(value: &str, quote_style: Option<char>) -> Token {
    Token::Word(Word { value: value.to_owned(), quote_style, keyword: Keyword::NoKeyword })
}

/// An event data store's id as a table: `FROM 0233062b-51c6-4d2d-8cde-1a2b3c4d5e6f`.
fn store_ids(tokens: &mut Vec<TokenWithSpan>) {
    let mut at = 0;
    while at < tokens.len() {
        at += 1;
        let is_table = matches!(keyword(tokens.get(at - 1)), Some(Keyword::FROM | Keyword::JOIN));
        if !is_table {
            continue;
        }
        // The id's parts are numbers, words and minus signs with nothing between them.
        let (mut id, mut end) = (String::new(), at);
        while let Some(token) = tokens.get(end) {
            let touches = end == at
                || tokens.get(end - 1).is_some_and(|last| last.span.end == token.span.start);
            let part = match &token.token {
                Token::Number(number, false) => number.clone(),
                Token::Word(word) if word.quote_style.is_none() => word.value.clone(),
                Token::Minus => "-".to_owned(),
                _ => break,
            };
            if !touches || id.len() >= 36 {
                break;
            }
            id.push_str(&part);
            end += 1;
        }
        if !is_uuid(&id) {
            continue;
        }
        let start = tokens.get(at).map(|token| token.span.start);
        let stop = end.checked_sub(1).and_then(|last| tokens.get(last)).map(|last| last.span.end);
        if let (Some(start), Some(stop)) = (start, stop) {
            let token = word(&id, Some('"'));
            let table = TokenWithSpan { token, span: Span::new(start, stop) };
            tokens.splice(at..end, [table]);
        }
    }
}

/// Whether `text` has the form of an event data store's id.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `PREPARE name FROM SELECT …`, as Athena has it: the parser wants AS there.
fn prepared(tokens: &mut [TokenWithSpan]) {
    let is_prepare = keyword(tokens.first()) == Some(Keyword::PREPARE)
        && keyword(tokens.get(2)) == Some(Keyword::FROM);
    if is_prepare {
        put(tokens, 2, Token::make_keyword("AS"));
    }
}
