//! Where output goes, and what is said beside it.

use std::io::{self, Write as _};

use crate::{Error, output};

/// Where output goes: data to stdout, all else to stderr.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about three streams")]
pub struct Screen {
    /// Whether someone types.
    pub stdin_is_terminal: bool,
    /// Whether someone reads the data.
    pub stdout_is_terminal: bool,
    /// Whether someone reads notices and progress.
    pub stderr_is_terminal: bool,
    /// Whether data is coloured.
    pub stdout_color: bool,
    /// Whether notices are coloured.
    pub stderr_color: bool,
}

impl Screen {
    /// The terminal's width in columns and height in lines, where stdout is one.
    pub fn size(self) -> Option<(usize, usize)> {
        let (width, height) = terminal_size::terminal_size().filter(|_| self.stdout_is_terminal)?;
        // Terminals that are not told their size say that they have none.
        (width.0 > 0 && height.0 > 0).then(|| (usize::from(width.0), usize::from(height.0)))
    }

    /// Says `text`, which is safe to show and may have several lines, on stderr.
    ///
    /// That nobody listens is no reason to stop.
    pub fn say(self, text: &str) {
        let text = text.strip_suffix('\n').unwrap_or(text);
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Says something beside the data, dimmed where there is colour.
    pub fn aside(self, text: &str) {
        let (dim, plain) = if self.stderr_color { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
        self.say(&format!("{dim}{text}{plain}"));
    }

    /// Says what the user should know about an answer.
    pub fn notice(self, text: &str) {
        let (yellow, plain) = if self.stderr_color { ("\x1b[33m", "\x1b[0m") } else { ("", "") };
        // A name with a line feed in it begins no line of its own.
        let text = output::visible_lines(text).replace('\n', "\n      ");
        self.say(&format!("{yellow}note{plain}: {text}"));
    }

    /// Says what failed.
    pub fn error(self, error: &Error) {
        self.say(&output::render_error(error, self.stderr_color));
    }
}

/// Whether what reads the output shows more than ASCII, as far as the locale says.
pub fn speaks_unicode() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    // A system without a locale, as in containers, says nothing either way.
    set.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
