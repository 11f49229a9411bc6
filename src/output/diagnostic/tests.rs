use std::io;

use proptest::prelude::*;

use super::*;

fn fault(text: &str, span: std::ops::Range<usize>) -> Error {
    ErrorKind::Query(Diagnostic {
        message: "column `useridenty` does not exist".to_owned(),
        text: text.to_owned(),
        origin: Some("root.sql".to_owned()),
        span: Some(span),
        label: Some("unknown column".to_owned()),
        help: Some("did you mean `useridentity`?".to_owned()),
    })
    .into()
}

#[test]
fn a_fault_in_sql_is_drawn_with_a_caret() {
    let text = "SELECT eventname,\n       useridenty.arn\nFROM cloudtrail_logs";
    insta::assert_snapshot!(render_error(&fault(text, 25..35), false), @r"
    error: column `useridenty` does not exist
     --> root.sql:2:8
      |
    2 |        useridenty.arn
      |        ^^^^^^^^^^ unknown column
      |
      = help: did you mean `useridentity`?
    ");
}

#[test]
fn causes_follow_the_error_once_each() {
    let error: Error = ErrorKind::Io {
        action: "open",
        path: "/evidence/a\u{1b}[2J.gz".into(),
        source: io::Error::new(io::ErrorKind::NotFound, "no such file"),
    }
    .into();
    insta::assert_snapshot!(render_error(&error, false), @r"
    error: cannot open `/evidence/a\x1b[2J.gz`
      = cause: no such file
    ");
}

#[test]
fn help_follows_the_causes() {
    let error: Error = ErrorKind::CacheInsideSource {
        cache: "/evidence/cache".into(),
        source_uri: "/evidence".to_owned(),
    }
    .into();
    insta::assert_snapshot!(render_error(&error, false), @r"
    error: the cache `/evidence/cache` lies inside the source `/evidence`
      = help: evidence is never written to: choose another place with --cache or --case
    ");
}

proptest! {
    #[test]
    fn any_text_and_span_can_be_drawn(text in any::<String>(), a in 0usize..99, b in 0usize..99) {
        let drawn = render_error(&fault(&text, a..b), false);
        prop_assert!(!drawn.chars().any(|c| c != '\n' && is_hidden(c)), "{drawn:?}");
    }

    #[test]
    fn replacements_keep_every_offset(text in any::<String>()) {
        let replaced = same_length(&text);
        let offsets = |s: &str| s.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
        prop_assert_eq!(offsets(&replaced), offsets(&text));
    }
}
