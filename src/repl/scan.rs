//! Whether text is a whole statement. What is complete runs, and the engine draws the fault.

use super::lex::{self, Kind};

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
    let pieces = lex::pieces(text);
    if let Some(open) = pieces.last().filter(|piece| !piece.is_closed) {
        return if open.kind == Kind::Comment { End::InComment } else { End::InQuotes };
    }
    match pieces.iter().rfind(|piece| !piece.is_blank()) {
        Some(last) if last.of(text) != ";" => End::Open,
        _ => End::Complete,
    }
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
