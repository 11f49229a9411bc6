//! Whether text is a whole statement: a scanner that knows SQL's quotes and comments, no more.
//!
//! It never says that SQL is wrong. What is complete runs, and the engine draws the fault.

/// Where a scan of SQL ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Behind a `;` that ends a statement, or with nothing but space and comments.
    Complete,
    /// In the midst of a statement.
    Open,
    /// In a string, a quoted name or a dollar-quoted text.
    InQuotes,
    /// In a comment.
    InComment,
}

/// Whether Enter runs `text`: a command, or SQL that a semicolon ends.
pub(super) fn is_complete(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || is_command(text) || scan(text) == End::Complete
}

/// Whether `text` is a command of the prompt rather than SQL.
pub(super) fn is_command(text: &str) -> bool {
    text.trim_start().starts_with(['.', '\\'])
}

/// Scans SQL to its end.
pub(super) fn scan(text: &str) -> End {
    let mut end = End::Complete;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        let opened = match c {
            '\'' | '"' | '`' => {
                Some((skip_past(behind, c.encode_utf8(&mut [0; 4])), End::InQuotes))
            }
            '-' if behind.starts_with('-') => {
                // A comment at the very end of the text is over: Enter follows.
                Some((Some(skip_past(behind, "\n").unwrap_or_default()), End::InComment))
            }
            '/' if behind.starts_with('*') => Some((skip_comment(behind), End::InComment)),
            '$' => dollar_tag(rest).map(|tag| {
                let inner = rest.get(tag.len()..).unwrap_or_default();
                (skip_past(inner, tag), End::InQuotes)
            }),
            _ => None,
        };
        rest = match opened {
            Some((None, unclosed)) => return unclosed,
            Some((Some(after), kind)) => {
                if kind == End::InQuotes {
                    end = End::Open;
                }
                after
            }
            None => {
                if c == ';' {
                    end = End::Complete;
                } else if !c.is_whitespace() {
                    end = End::Open;
                }
                behind
            }
        };
    }
    end
}

/// What follows the first `mark` in `text`.
fn skip_past<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    text.split_once(mark).map(|(_, after)| after)
}

/// What follows a comment whose `/` was read; comments nest.
fn skip_comment(text: &str) -> Option<&str> {
    let mut depth = 1;
    let mut rest = text.strip_prefix('*')?;
    loop {
        let at = rest.find(['*', '/'])?;
        let mark = rest.get(at..)?;
        if let Some(after) = mark.strip_prefix("*/") {
            depth -= 1;
            rest = after;
            if depth == 0 {
                return Some(rest);
            }
        } else if let Some(after) = mark.strip_prefix("/*") {
            depth += 1;
            rest = after;
        } else {
            rest = mark.get(1..)?;
        }
    }
}

/// The mark that opens a dollar-quoted text: `$$` or `$tag$`.
fn dollar_tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('$')?;
    let name = inner.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inner.len());
    let is_tag =
        inner.get(name..)?.starts_with('$') && !inner.starts_with(|c: char| c.is_numeric());
    if is_tag { text.get(..name + 2) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_semicolon_outside_quotes_and_comments_ends_a_statement() {
        for complete in [
            "SELECT 1;",
            "SELECT ';' ; ",
            "SELECT 1; -- done",
            "SELECT 1; /* done; */",
            "SELECT 'it''s';",
            "SELECT \"a;b\";",
            "SELECT $$;$$;",
            "SELECT $q$ $$ ; $q$;",
            "SELECT $1;",
            "SELECT /* ; /* nested */ ; */ 1;",
            ";",
            "",
            "-- only a comment",
            ".help",
            "\\q",
        ] {
            assert!(is_complete(complete), "{complete}");
        }
    }

    #[test]
    fn all_else_goes_on() {
        for (open, end) in [
            ("SELECT 1", End::Open),
            ("SELECT 1; SELECT", End::Open),
            ("SELECT ';", End::InQuotes),
            ("SELECT \"a;", End::InQuotes),
            ("SELECT $$ ;", End::InQuotes),
            ("SELECT $q$ $$;", End::InQuotes),
            ("SELECT 1 /* ;", End::InComment),
            ("SELECT 1 /* /* */ ;", End::InComment),
            ("SELECT 1 -- ;", End::Open),
            ("SELECT 'a'", End::Open),
        ] {
            assert_eq!(scan(open), end, "{open}");
            assert!(!is_complete(open), "{open}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends_somewhere(text in any::<String>()) {
            scan(&text);
        }

        #[test]
        fn quotes_and_comments_around_anything_hide_it(inner in "[^']*", other in "[^*/]*") {
            let text = format!("SELECT '{inner}' /*{other}*/");
            prop_assert_eq!(scan(&text), End::Open);
            prop_assert_eq!(scan(&format!("{text};")), End::Complete);
        }
    }
}
