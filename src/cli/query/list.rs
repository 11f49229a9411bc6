//! `trailhound query --list`: the saved queries by theme on a terminal, else as rows.

use std::{fmt::Write as _, sync::Arc};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use unicode_width::UnicodeWidthStr;

use crate::{
    ErrorKind, Result,
    output::visible,
    queries::{SavedQuery, THEMES},
};

/// `queries` as rows.
pub(super) fn rows(queries: &[&SavedQuery]) -> Result<RecordBatch> {
    let column = |text: fn(&SavedQuery) -> Option<String>| -> ArrayRef {
        Arc::new(queries.iter().map(|query| text(query)).collect::<StringArray>())
    };
    let columns = [
        ("name", column(|query| Some(query.name.clone()))),
        ("title", column(|query| Some(query.title.clone()))),
        ("theme", column(|query| Some(query.theme.clone()))),
        ("severity", column(|query| query.severity.map(|severity| severity.as_str().to_owned()))),
        ("parameters", column(|query| Some(query.signature()))),
        ("services", column(|query| joined(&query.services))),
        ("attack", column(|query| joined(&query.attack))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .map_err(|source| {
            ErrorKind::Columnar { action: "list the saved queries", source: source.into() }.into()
        })
}

fn joined(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// `queries` for a reader: by theme, names and titles under each other, within `width` columns.
pub(super) fn text(queries: &[&SavedQuery], width: usize, color: bool) -> String {
    let (bold, dim, plain) = if color { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let names = queries.iter().map(|query| visible(&query.name).width()).max().unwrap_or_default();
    // Beside names that leave no room for titles, these stand below.
    let is_beside = width >= names + 4 + 24;
    let room = if is_beside { width.saturating_sub(names + 4) } else { width.saturating_sub(6) };
    let mut out = String::new();
    for (theme, asks) in THEMES {
        let mut listed = queries.iter().filter(|query| query.theme == theme).peekable();
        if listed.peek().is_none() {
            continue;
        }
        let parting = if out.is_empty() { "" } else { "\n" };
        // Writing into a string does not fail.
        let _ = writeln!(out, "{parting}{bold}{theme}{plain}{dim}: {asks}{plain}");
        for query in listed {
            let (name, title) = (visible(&query.name), visible(&query.title));
            let title = cut(&title, room);
            let gap = if is_beside {
                " ".repeat(names.saturating_sub(name.width()) + 2)
            } else {
                "\n      ".to_owned()
            };
            let _ = writeln!(out, "  {name}{gap}{title}");
        }
    }
    out
}

/// As much of `text` as fits into `width` columns.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        let with_it = format!("{out}{c}…");
        if with_it.width() > width {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::Library;

    #[test]
    fn a_narrow_screen_is_kept_to() {
        let library = Library::open(None::<&str>).unwrap();
        let queries: Vec<&SavedQuery> = library.find("").collect();
        for width in [20, 40, 60, 80, 132] {
            let text = text(&queries, width, false);
            let names = queries.iter().map(|query| query.name.width() + 2).max().unwrap();
            let longest =
                text.lines().filter(|line| line.starts_with(' ')).map(UnicodeWidthStr::width);
            assert!(longest.max().unwrap() <= width.max(names), "{width}");
        }
    }

    #[test]
    fn queries_stand_by_theme_with_titles_under_each_other() {
        let query = |theme: &str, name: &str, title: &str| {
            let text = format!("-- title: {title}\n-- description: D.\nSELECT 1");
            let query = SavedQuery::parse(name, &text, "q.sql").unwrap();
            SavedQuery { theme: theme.to_owned(), ..query }
        };
        let queries = [
            query("time", "first_seen", "When something was first seen, and last"),
            query("callers", "who", "Who"),
            query("own", "mine", "My own \u{1b}[31mquestion"),
        ];
        insta::assert_snapshot!(text(&queries.iter().collect::<Vec<_>>(), 40, false), @r"
        own: your own
          mine        My own \x1b[31mquestion

        callers: who acted, with which key or session
          who         Who

        time: when, in which order, how often
          first_seen  When something was first…
        ");
        insta::assert_snapshot!(text(&queries.iter().collect::<Vec<_>>(), 30, false), @r"
        own: your own
          mine
              My own \x1b[31mquestion

        callers: who acted, with which key or session
          who
              Who

        time: when, in which order, how often
          first_seen
              When something was firs…
        ");
    }

    #[test]
    fn rows_have_a_row_for_each_query() {
        let library = Library::open(None::<&str>).unwrap();
        let queries: Vec<&SavedQuery> = library.find("").collect();
        assert_eq!(rows(&queries).unwrap().num_rows(), queries.len());
        assert_eq!(rows(&[]).unwrap().num_rows(), 0);
    }
}
