//! The timeline on a screen: a heading for each day, a line for each thing that happened.

use std::io::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::line::{self, Line};
use crate::{
    ErrorKind, Result,
    output::{OutputOptions, visible},
};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// The lines that are held to find the widths of actors and addresses.
const HELD: usize = 512;

/// The widest a column of actors or addresses is made on a screen.
const MOST_ACTOR: usize = 28;
const MOST_ADDRESS: usize = 24;

/// The narrowest the words may be; a narrower screen gets longer lines.
const LEAST_WORDS: usize = 30;

/// Writes lines for people.
pub(super) struct TextWriter<'a> {
    sink: Box<dyn Write + Send + 'a>,
    /// The screen's width, where there is one.
    width: Option<usize>,
    color: bool,
    held: Vec<Line>,
    /// The widths of actors and addresses, once known.
    widths: Option<(usize, usize)>,
    day: Option<String>,
    /// The account and region of the last line.
    place: Option<String>,
}

impl<'a> TextWriter<'a> {
    pub(super) fn new(options: &OutputOptions, sink: Box<dyn Write + Send + 'a>) -> Self {
        Self {
            sink,
            width: options.width,
            color: options.color,
            held: Vec::new(),
            widths: None,
            day: None,
            place: None,
        }
    }

    pub(super) fn write(&mut self, lines: Vec<Line>) -> Result<()> {
        self.held.extend(lines);
        if self.widths.is_none() && self.held.len() < HELD {
            return Ok(());
        }
        self.flush()
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        let widest = |text: fn(&Line) -> &str| {
            self.held.iter().map(|line| visible(text(line)).width()).max().unwrap_or(0)
        };
        let widths = *self.widths.get_or_insert_with(|| {
            let (actor, address) = (widest(|line| &line.event.actor), widest(address));
            (actor.min(MOST_ACTOR), address.min(MOST_ADDRESS))
        });
        let mut out = String::new();
        for line in std::mem::take(&mut self.held) {
            self.push(&line, widths, &mut out);
        }
        self.sink
            .write_all(out.as_bytes())
            .and_then(|()| self.sink.flush())
            .map_err(ErrorKind::Output)?;
        Ok(())
    }

    fn push(&mut self, line: &Line, (actor, address_width): (usize, usize), out: &mut String) {
        let paint = |style: &'static str| if self.color { (style, PLAIN) } else { ("", "") };
        let at = line.event.micros.and_then(line::time);
        let day = match at {
            Some(at) => at.format("%A, %-d %B %Y").to_string(),
            None => "without a time".to_owned(),
        };
        if self.day.as_ref() != Some(&day) {
            let (bold, plain) = paint(BOLD);
            let gap = if self.day.is_some() { "\n" } else { "" };
            let zone = if at.is_some() { " (UTC)" } else { "" };
            out.extend([gap, bold, &day, plain, zone, "\n"]);
            self.day = Some(day);
        }
        let time = at.map_or_else(|| "        ".to_owned(), |at| at.format("%H:%M:%S").to_string());
        let is_screen = self.width.is_some();
        let who = fitted(&visible(&line.event.actor), actor, is_screen);
        let from = fitted(&visible(address(line)), address_width, is_screen);
        let (dim, plain) = paint(DIM);
        out.extend([dim, &time, plain, "  ", &who, "  ", dim, &from, plain, "  "]);
        let margin = 8 + 2 + actor + 2 + address_width + 2;
        let (style, plain) = paint(if line.event.ending.is_some() { YELLOW } else { "" });
        let mut message = line.message();
        let place = place(line);
        if self.place.as_ref() != Some(&place) {
            message.push_str(" · ");
            message.push_str(&place);
            self.place = Some(place);
        }
        let message = visible(&message);
        let room = self.width.map(|width| width.saturating_sub(margin).max(LEAST_WORDS));
        for (nth, part) in wrapped(&message, room).into_iter().enumerate() {
            if nth > 0 {
                out.extend(std::iter::repeat_n(' ', margin));
            }
            out.push_str(style);
            out.push_str(part);
            out.push_str(plain);
            out.push('\n');
        }
    }
}

/// The account and region that logged it, which are told where they change.
fn place(line: &Line) -> String {
    let parts = [&line.event.account, &line.event.region];
    let parts: Vec<&str> = parts.into_iter().filter_map(Option::as_deref).collect();
    parts.join(" ")
}

fn address(line: &Line) -> &str {
    line.event.address.as_deref().unwrap_or("-")
}

/// `text` as wide as `width`; on a screen what is longer is cut, its end kept: sessions and
/// addresses differ there.
fn fitted(text: &str, width: usize, cuts: bool) -> String {
    let own = text.width();
    if own <= width || !cuts {
        let padding = width.saturating_sub(own);
        return format!("{text}{}", " ".repeat(padding));
    }
    let room = width.saturating_sub(1);
    let (front, back) = (room / 2, room - room / 2);
    let mut start = String::new();
    for c in text.chars() {
        if start.width() + c.width().unwrap_or(0) > front {
            break;
        }
        start.push(c);
    }
    let mut end: Vec<char> = Vec::new();
    let mut end_width = 0;
    for c in text.chars().rev() {
        end_width += c.width().unwrap_or(0);
        if end_width > back {
            break;
        }
        end.push(c);
    }
    let cut: String = end.into_iter().rev().collect();
    let shown = format!("{start}…{cut}");
    let padding = width.saturating_sub(shown.width());
    format!("{shown}{}", " ".repeat(padding))
}

/// `text` in lines of `room` columns, broken at spaces where there are any.
fn wrapped(text: &str, room: Option<usize>) -> Vec<&str> {
    let Some(room) = room.filter(|room| text.width() > *room) else { return vec![text] };
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.width() > room {
        let (mut used, mut end, mut space) = (0, 0, None);
        for (at, c) in rest.char_indices() {
            used += c.width().unwrap_or(0);
            if used > room {
                break;
            }
            if c == ' ' {
                space = Some(at);
            }
            end = at + c.len_utf8();
        }
        // One character at least, however narrow the screen.
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let at = space.filter(|at| *at > 0).unwrap_or(end.max(first));
        let Some((line, behind)) = rest.split_at_checked(at) else { break };
        lines.push(line);
        rest = behind.trim_start_matches(' ');
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_at_spaces_and_long_ones_anywhere() {
        assert_eq!(wrapped("one two three", Some(8)), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij", Some(4)), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("東京東京", Some(5)), ["東京", "東京"]);
        assert_eq!(wrapped("as it is", None), ["as it is"]);
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(fitted("data-platform-admin/backup", 11, true), "data-…ackup");
        assert_eq!(fitted("bob", 5, true), "bob  ");
        assert_eq!(fitted("data-platform", 5, false), "data-platform");
    }
}
