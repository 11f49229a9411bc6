//! What stands in front of the second and later lines of a statement that is being typed.
//!
//! The line editor has a prompt for the first line alone. So Enter puts a margin behind its line
//! feed: figure spaces, which nobody types and SQL takes for spaces. The margin is drawn as `->`
//! ([`super::highlight`]), passed over by the keys that move and delete, and gone from what runs
//! and from the history.

use std::borrow::Cow;

use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, KeyEvent, Movement};

use super::super::scan;

/// What the margin is made of.
const BLANK: char = '\u{2007}';

/// What is drawn in its place; as wide as the first line's prompt.
pub(super) const SHOWN: &str = "         -> ";

/// The margin's width in columns.
const WIDTH: usize = SHOWN.len();

/// A line feed and the margin of the line behind it.
fn line_start() -> String {
    let mut text = String::from("\n");
    text.extend(std::iter::repeat_n(BLANK, WIDTH));
    text
}

/// `text` without margins.
pub(super) fn without_margins(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 {
            plain.push('\n');
            plain.push_str(line.trim_start_matches(BLANK));
        } else {
            plain.push_str(line);
        }
    }
    plain
}

/// `text` with margins.
pub(super) fn with_margins(text: &str) -> String {
    text.replace('\n', &line_start())
}

/// Where byte `at` of `text` is without margins.
pub(super) fn without_margins_at(text: &str, at: usize) -> usize {
    without_margins(text.get(..at).unwrap_or(text)).len()
}

/// Where byte `at` of `text`, which has no margins, is with them.
pub(super) fn with_margins_at(text: &str, at: usize) -> usize {
    with_margins(text.get(..at).unwrap_or(text)).len()
}

/// What stands behind the margin of `line`, where it has one.
pub(super) fn split_margin(line: &str) -> Option<&str> {
    let behind = line.trim_start_matches(BLANK);
    let is_whole = line.len() - behind.len() == WIDTH * BLANK.len_utf8();
    is_whole.then_some(behind)
}

/// `text` with whole margins drawn by `draw`.
pub(super) fn drawn(text: &str, draw: impl Fn() -> String) -> Cow<'_, str> {
    if text.contains(BLANK) {
        text.replace(&line_start(), &format!("\n{}", draw())).into()
    } else {
        text.into()
    }
}

/// The keys that the margin gives another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Runs a whole statement, or begins a new line.
    Enter,
    /// Begins a new line.
    NewLine,
    /// Deletes to the left.
    Backspace,
    /// Deletes to the right.
    Delete,
    /// Moves to the left.
    Left,
    /// Moves to the right.
    Right,
    /// Moves to the start of the line.
    Home,
}

impl Key {
    /// All of them, with what is typed for each.
    pub(super) fn bindings() -> Vec<(KeyEvent, Self)> {
        use rustyline::{KeyCode as Code, Modifiers as With};
        let plain = |code| KeyEvent(code, With::NONE);
        vec![
            (plain(Code::Enter), Self::Enter),
            (KeyEvent::ctrl('J'), Self::Enter),
            (KeyEvent::ctrl('M'), Self::Enter),
            (KeyEvent(Code::Enter, With::ALT), Self::NewLine),
            (KeyEvent::alt('\r'), Self::NewLine),
            (KeyEvent(Code::Char('M'), With::CTRL_ALT), Self::NewLine),
            (KeyEvent(Code::Char('J'), With::CTRL_ALT), Self::NewLine),
            (plain(Code::Backspace), Self::Backspace),
            (KeyEvent::ctrl('H'), Self::Backspace),
            (plain(Code::Delete), Self::Delete),
            (plain(Code::Left), Self::Left),
            (KeyEvent::ctrl('B'), Self::Left),
            (plain(Code::Right), Self::Right),
            (KeyEvent::ctrl('F'), Self::Right),
            (plain(Code::Home), Self::Home),
            (KeyEvent::ctrl('A'), Self::Home),
        ]
    }

    /// What it does where it does not what it always does.
    fn command(self, line: &str, at: usize) -> Option<Cmd> {
        let (before, behind) = line.split_at_checked(at)?;
        let in_front = || before.len() - before.trim_end_matches(BLANK).len();
        // How many characters a line feed with its margin is, where the cursor is right behind it.
        let margin = || {
            let blanks = in_front() / BLANK.len_utf8();
            let is_start = before.trim_end_matches(BLANK).ends_with('\n');
            (blanks > 0 && is_start).then_some(blanks + 1)
        };
        let next_margin = || {
            let inner = behind.strip_prefix('\n')?;
            let blanks = inner.chars().take_while(|c| *c == BLANK).count();
            (blanks > 0).then_some(blanks + 1)
        };
        match self {
            Self::Enter if scan::is_complete(line) => None,
            Self::Enter | Self::NewLine => Some(Cmd::Insert(1, line_start())),
            Self::Backspace => margin().map(|n| Cmd::Kill(Movement::BackwardChar(count(n)))),
            Self::Left => margin().map(|n| Cmd::Move(Movement::BackwardChar(count(n)))),
            Self::Delete => next_margin().map(|n| Cmd::Kill(Movement::ForwardChar(count(n)))),
            Self::Right => next_margin().map(|n| Cmd::Move(Movement::ForwardChar(count(n)))),
            Self::Home => {
                let (_, current) = before.rsplit_once('\n')?;
                let behind_margin = current.trim_start_matches(BLANK);
                let n = behind_margin.chars().count();
                (behind_margin.len() < current.len())
                    .then(|| Cmd::Move(Movement::BackwardChar(count(n))))
            }
        }
    }
}

fn count(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

impl ConditionalEventHandler for Key {
    fn handle(&self, _: &Event, n: u16, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        if n != 1 {
            return None;
        }
        self.command(context.line(), context.pos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_come_and_go() {
        let text = "SELECT 'a\n  b'\n;";
        let shown = with_margins(text);
        assert_eq!(without_margins(&shown), text);
        assert_eq!(drawn(&shown, || SHOWN.to_owned()), text.replace('\n', &format!("\n{SHOWN}")));
        assert_eq!(without_margins_at(&shown, shown.len()), text.len());
        assert_eq!(with_margins_at(text, text.len()), shown.len());
    }

    #[test]
    fn enter_runs_what_is_whole_and_goes_on_otherwise() {
        let line = |text: &str| Key::Enter.command(text, text.len());
        assert_eq!(line("SELECT 1;"), None);
        assert_eq!(line(".help"), None);
        assert_eq!(line("SELECT 1"), Some(Cmd::Insert(1, line_start())));
        assert_eq!(line("SELECT ';"), Some(Cmd::Insert(1, line_start())));
        let whole = Key::NewLine.command("SELECT 1;", 6);
        assert_eq!(whole, Some(Cmd::Insert(1, line_start())));
    }

    #[test]
    fn keys_pass_over_margins() {
        let line = with_margins("ab\ncd");
        let start = line.len() - 2;
        let all = count(WIDTH + 1);
        let at = |key: Key, at: usize| key.command(&line, at);
        assert_eq!(at(Key::Backspace, start), Some(Cmd::Kill(Movement::BackwardChar(all))));
        assert_eq!(at(Key::Left, start), Some(Cmd::Move(Movement::BackwardChar(all))));
        assert_eq!(at(Key::Delete, 2), Some(Cmd::Kill(Movement::ForwardChar(all))));
        assert_eq!(at(Key::Right, 2), Some(Cmd::Move(Movement::ForwardChar(all))));
        assert_eq!(at(Key::Home, line.len()), Some(Cmd::Move(Movement::BackwardChar(2))));
        assert_eq!(at(Key::Home, 1), None);
        assert_eq!(at(Key::Backspace, line.len()), None);
    }
}
