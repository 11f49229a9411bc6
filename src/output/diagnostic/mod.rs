//! Errors → text for people, with a caret where the fault lies in text of theirs.

use std::{borrow::Cow, error::Error as _, fmt::Write as _, iter::successors};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::sanitize::{is_hidden, visible, visible_lines};
use crate::{Error, ErrorKind, error::Diagnostic};

/// Draws `error` with its causes and how to mend it; ends in a line feed.
///
/// ```text
/// error: column `useridenty` does not exist
///  --> queries/iam_root_login.sql:2:8
///   |
/// 2 |        useridenty.arn
///   |        ^^^^^^^^^^ unknown column
///   |
///   = help: did you mean `useridentity`?
/// ```
pub fn render_error(error: &Error, color: bool) -> String {
    use ErrorKind::{Config, Query, SavedQuery};
    if let Query(diagnostic) | Config(diagnostic) | SavedQuery(diagnostic) = error.kind() {
        return draw(diagnostic, color);
    }
    let (red, bold, plain) =
        if color { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
    let mut said = error.to_string();
    let mut out = format!("{red}error{plain}{bold}: {}{plain}\n", indented(&said));
    for cause in successors(error.source(), |&cause| cause.source()) {
        let text = cause.to_string();
        // Many libraries print their cause as part of themselves.
        if !said.contains(&text) {
            let _ = writeln!(out, "  {bold}= cause{plain}: {}", indented(&text));
            said = text;
        }
    }
    if let Some(help) = error.help() {
        let _ = writeln!(out, "  {bold}= help{plain}: {}", indented(&help));
    }
    out
}

/// Text of one or more lines below a heading.
fn indented(text: &str) -> String {
    visible_lines(text.trim_end()).replace('\n', "\n    ")
}

fn draw(diagnostic: &Diagnostic, color: bool) -> String {
    let text = same_length(&diagnostic.text);
    let label = diagnostic.label.as_deref().map(visible);
    let mut group = Group::with_title(Level::ERROR.primary_title(visible(&diagnostic.message)));
    if let Some(span) = span_within(diagnostic) {
        let mut annotation = AnnotationKind::Primary.span(span);
        if let Some(label) = label {
            annotation = annotation.label(label);
        }
        let mut snippet = Snippet::source(text).annotation(annotation);
        if let Some(origin) = &diagnostic.origin {
            snippet = snippet.path(visible(origin));
        }
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(visible_lines(help)));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = renderer.render(&[group]);
    out.push('\n');
    out
}

/// The span, moved to where characters of the text begin and end.
fn span_within(diagnostic: &Diagnostic) -> Option<std::ops::Range<usize>> {
    let text = &diagnostic.text;
    let span = diagnostic.span.as_ref()?;
    let floor = |at: usize| text.floor_char_boundary(at.min(text.len()));
    let start = floor(span.start);
    Some(start..floor(span.end).max(start))
}

/// Replaces hidden characters by visible ones that are as long in UTF-8, so that byte offsets
/// into the text stay true. ASCII controls stay: the renderer draws them as pictures.
fn same_length(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_hidden(c) && !c.is_ascii()) {
        return Cow::Borrowed(text);
    }
    let replace = |c: char| match c.len_utf8() {
        2 if is_hidden(c) => '¿',
        3 if is_hidden(c) => '\u{fffd}',
        4 if is_hidden(c) => '🛇',
        _ => c,
    };
    Cow::Owned(text.chars().map(replace).collect())
}

#[cfg(test)]
mod tests;
