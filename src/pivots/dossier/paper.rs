//! What the texts of reports are written on: lines no wider than the screen, of text that is safe
//! to show.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Pivot, TextOptions};
use crate::output::visible;

/// The least columns that are written for: below, lines wrap as the terminal does it.
const MIN_WIDTH: usize = 40;

/// The most lines that one value takes; what is longer is cut before its last line.
pub(super) const MAX_LINES: usize = 4;

/// A report's text as it grows.
#[derive(Debug)]
pub(super) struct Paper {
    pub(super) width: usize,
    color: bool,
    is_prompt: bool,
    pub(super) text: String,
}

impl Paper {
    pub(super) fn new(options: &TextOptions) -> Self {
        Self {
            width: options.width.max(MIN_WIDTH),
            color: options.color,
            is_prompt: options.is_prompt,
            text: String::new(),
        }
    }

    /// `text` in bold where there is colour.
    pub(super) fn bold(&self, text: &str) -> String {
        if self.color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// `text` dimmed.
    pub(super) fn dim(&self, text: &str) -> String {
        if self.color { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// `text` as a warning.
    pub(super) fn red(&self, text: &str) -> String {
        if self.color { format!("\x1b[31m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A line of our own making.
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A section's title, and what is to be said of it.
    pub(super) fn section(&mut self, title: &str, aside: &str) {
        self.text.push('\n');
        let title = self.bold(title);
        let aside = if aside.is_empty() { String::new() } else { self.dim(&format!("  {aside}")) };
        self.line(&format!("{title}{aside}"));
    }

    /// Log text behind `head`, which is ours and as wide as it has characters; further lines are
    /// indented below its beginning.
    pub(super) fn value(&mut self, head: &str, text: &str) {
        self.styled(head, head, text, "", MAX_LINES);
    }

    /// The same, with `styled` written for `head`, a remark behind the text, and at
    /// most so many lines.
    pub(super) fn styled(
        &mut self,
        head: &str,
        styled: &str,
        text: &str,
        remark: &str,
        most: usize,
    ) {
        let indent = head.width();
        let room = self.width.saturating_sub(indent).max(8);
        let mut lines = wrapped(&visible(text), room);
        if lines.len() > most {
            // The end often tells more than the middle.
            lines.truncate(most.saturating_sub(1).max(1));
            lines.push(format!("… {}", tail(&visible(text), room.saturating_sub(2))));
        }
        let last = lines.len().saturating_sub(1);
        for (at, line) in lines.into_iter().enumerate() {
            let mut whole = if at == 0 { styled.to_owned() } else { " ".repeat(indent) };
            whole.push_str(&line);
            if at == last && !remark.is_empty() {
                if line.width() + remark.width() + 2 > room {
                    self.line(&whole);
                    whole = " ".repeat(indent);
                } else {
                    whole.push_str("  ");
                }
                whole.push_str(&self.dim(remark));
            }
            self.line(&whole);
        }
    }

    /// Prose of ours, broken at spaces, behind `head`.
    pub(super) fn prose(&mut self, head: &str, text: &str) {
        let indent = head.width();
        let room = self.width.saturating_sub(indent).max(8);
        let mut line = String::new();
        let mut start = head.to_owned();
        for word in text.split(' ') {
            if !line.is_empty() && line.width() + 1 + word.width() > room {
                self.line(&format!("{start}{line}"));
                line.clear();
                start = " ".repeat(indent);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&format!("{start}{line}"));
    }

    /// The commands that lead on, with why.
    pub(super) fn pivots(&mut self, pivots: &[Pivot]) {
        let commands: Vec<(String, &str)> = pivots
            .iter()
            .filter_map(|pivot| Some((self.command(pivot)?, pivot.why.as_str())))
            .collect();
        if commands.is_empty() {
            return;
        }
        self.section("next", "");
        let room = self.width.saturating_sub(4);
        let wide = commands
            .iter()
            .map(|(command, why)| (command.width(), why.width()))
            .filter(|(command, why)| command + why <= room)
            .map(|(command, _)| command)
            .max()
            .unwrap_or(0);
        for (command, why) in commands {
            // A command that is cut could not be pasted: it may be wider than the screen.
            let n_columns = why.width();
            let why = self.dim(why);
            if command.width() <= wide && wide + n_columns <= room {
                let pad = " ".repeat(wide - command.width());
                self.line(&format!("  {command}{pad}  {why}"));
            } else {
                self.line(&format!("  {command}"));
                self.line(&format!("      {why}"));
            }
        }
    }

    /// The command that takes `pivot`, to be pasted; nothing where the value could not be typed.
    fn command(&self, pivot: &Pivot) -> Option<String> {
        if visible(&pivot.value) != pivot.value || pivot.value.len() > 200 {
            return None;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:@=+,-|".contains(c);
        let starts_plain = !pivot.value.starts_with('-') && !pivot.value.is_empty();
        let quoted = if self.is_prompt {
            if starts_plain && pivot.value.chars().all(is_plain) {
                pivot.value.clone()
            } else {
                let quote = ['\'', '"'].into_iter().find(|quote| !pivot.value.contains(*quote))?;
                format!("{quote}{}{quote}", pivot.value)
            }
        } else if starts_plain && pivot.value.chars().all(|c| is_plain(c) && c != '|') {
            pivot.value.clone()
        } else if pivot.value.starts_with('-') {
            return None;
        } else {
            format!("'{}'", pivot.value.replace('\'', "'\\''"))
        };
        let lead = if self.is_prompt { "." } else { "trailhound " };
        Some(format!("{lead}{} {quoted}", pivot.command))
    }
}

/// The end of `text`, as much as has room.
fn tail(text: &str, room: usize) -> String {
    let mut used = 0;
    let mut end: Vec<char> = Vec::new();
    for c in text.chars().rev() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        end.push(c);
    }
    end.iter().rev().collect()
}

/// `text`, which is safe to show, in lines of at most `room` columns: broken behind a space, a
/// slash or the like where there is one in the line's second half, else anywhere.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    // Where the line can be broken: its bytes and columns up to there.
    let mut seam: Option<(usize, usize)> = None;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            let (bytes, columns) = seam
                .take()
                .filter(|(_, columns)| *columns > room / 2)
                .unwrap_or((line.len(), used));
            let rest = line.split_off(bytes.min(line.len()));
            lines.push(std::mem::replace(&mut line, rest));
            used -= columns;
        }
        line.push(c);
        used += wide;
        if matches!(c, ' ' | '/' | ',' | ';' | ':' | '&') {
            seam = Some((line.len(), used));
        }
    }
    lines.push(line);
    lines
}
