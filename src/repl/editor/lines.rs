//! What stands in front of the second and later lines of a statement that is being typed.
//!
//! The line editor has a prompt for the first line alone. So Enter puts a margin behind its line
//! feed: figure spaces, which nobody types and SQL takes for spaces. The margin is drawn as `->`
//! ([`super::highlight`]), passed over by the keys that move and delete, and gone from what runs
//! and from the history.

use std::borrow::Cow;

use rustyline::{
    At, CharSearch, Cmd, ConditionalEventHandler, Event, EventContext, KeyEvent, Movement, Word,
};

use super::super::scan;

/// What the margin is made of.
const BLANK: char = '\u{2007}';

/// Its last character, by which keys find it.
const LAST: char = '\u{2008}';

/// What is drawn in its place; as wide as the first line's prompt.
pub(super) const SHOWN: &str = "         -> ";

/// The margin's width in columns.
const WIDTH: usize = SHOWN.len();

/// A line feed and the margin of the line behind it.
fn line_start() -> String {
    let mut text = String::from("\n");
    text.extend(std::iter::repeat_n(BLANK, WIDTH - 1));
    text.push(LAST);
    text
}

/// `text` without margins.
pub(super) fn without_margins(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 {
            plain.push('\n');
            plain.push_str(line.trim_start_matches([BLANK, LAST]));
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
    line.strip_prefix(line_start().strip_prefix('\n')?)
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
        // Counts are the user's to give, so that places are found by their characters.
        let found = |search| Movement::ViCharSearch(1, search);
        let is_at_margin = before.ends_with(&line_start());
        let next = behind.strip_prefix(&line_start());
        match self {
            Self::Enter if scan::is_complete(line) => None,
            Self::Enter | Self::NewLine => Some(Cmd::Insert(1, line_start())),
            Self::Backspace => is_at_margin.then(|| Cmd::Kill(found(CharSearch::Backward('\n')))),
            Self::Left => is_at_margin.then(|| Cmd::Move(found(CharSearch::Backward('\n')))),
            Self::Delete => next.map(|_| Cmd::Kill(found(CharSearch::Forward(LAST)))),
            Self::Right => next.map(|next| {
                let is_empty = next.is_empty() || next.starts_with('\n');
                Cmd::Move(if is_empty {
                    Movement::LineDown(1)
                } else {
                    Movement::ForwardWord(1, At::Start, Word::Big)
                })
            }),
            Self::Home => {
                let (_, current) = before.rsplit_once('\n')?;
                let typed = current.rsplit_once(LAST).map(|(_, typed)| typed);
                typed.map(|_| Cmd::Move(found(CharSearch::BackwardAfter(LAST))))
            }
        }
    }
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
        let at = |key: Key, at: usize| key.command(&line, at);
        let found = |search| Movement::ViCharSearch(1, search);
        let line_feed = || found(CharSearch::Backward('\n'));
        assert_eq!(at(Key::Backspace, start), Some(Cmd::Kill(line_feed())));
        assert_eq!(at(Key::Left, start), Some(Cmd::Move(line_feed())));
        assert_eq!(at(Key::Delete, 2), Some(Cmd::Kill(found(CharSearch::Forward(LAST)))));
        let word = Movement::ForwardWord(1, At::Start, Word::Big);
        assert_eq!(at(Key::Right, 2), Some(Cmd::Move(word)));
        let home = Cmd::Move(found(CharSearch::BackwardAfter(LAST)));
        assert_eq!(at(Key::Home, line.len()), Some(home));
        assert_eq!(at(Key::Home, 1), None);
        assert_eq!(at(Key::Backspace, line.len()), None);
    }
}
