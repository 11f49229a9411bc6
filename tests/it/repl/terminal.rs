//! A pseudo-terminal with the prompt in it. Every step waits for what is to be seen; nothing is
//! ever slept for in the hope that it is done.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rexpect::session::{PtySession, spawn_command};

use crate::cli::Scene;

/// How long a step may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a step looks, or tries again.
const LOOK: Duration = Duration::from_millis(5);
const AGAIN: Duration = Duration::from_millis(500);

const PROMPT: &str = "trailhound> ";

/// What the editor sends when it begins to read, and when a line is entered.
const READING: &str = "\u{1b}[?2004h";
const ENTERED: &str = "\u{1b}[?2004l";

pub(crate) struct Terminal {
    session: PtySession,
    /// What came and was not waited for yet.
    seen: String,
}

impl Terminal {
    /// A prompt on the scene's cache, without colours.
    pub(crate) fn open(scene: &Scene) -> Self {
        Self::with(scene, |command| {
            command.env("NO_COLOR", "1");
        })
    }

    /// The same with an environment of its own.
    pub(crate) fn with(scene: &Scene, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = scene.command();
        command.stdin(Stdio::inherit()).env("TERM", "xterm").env("LANG", "C.UTF-8");
        change(&mut command);
        let session = spawn_command(command, Some(60_000)).unwrap();
        let mut terminal = Self { session, seen: String::new() };
        terminal.resize(100, 30);
        terminal.wait_for_prompt();
        terminal
    }

    /// Makes the window as wide and high as told; the prompt hears of it as of any other.
    pub(crate) fn resize(&self, columns: u16, lines: u16) {
        let master = self.session.process().get_file_handle().unwrap();
        let size = ["cols", &columns.to_string(), "rows", &lines.to_string()];
        let done = Command::new("stty").args(size).stdin(master).status().unwrap();
        assert!(done.success());
    }

    /// Types `keys`.
    pub(crate) fn send(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
    }

    pub(crate) fn send_control(&mut self, key: char) {
        self.session.send_control(key).unwrap();
    }

    /// Enters a line and gives what is written before the next prompt.
    pub(crate) fn enter(&mut self, line: &str) -> String {
        self.begin(line);
        self.wait_for_prompt()
    }

    /// Enters a line, and waits no longer than until it is taken.
    pub(crate) fn begin(&mut self, line: &str) {
        self.send(&format!("{line}\r"));
        self.wait_for(ENTERED);
    }

    /// Waits for the next prompt; gives what is written before.
    pub(crate) fn wait_for_prompt(&mut self) -> String {
        let before = self.wait_for(READING);
        self.wait_for(PROMPT);
        before
    }

    /// Waits for `text`; gives what is written before.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        self.wait_while_trying(text, |_| {})
    }

    /// Waits for `text`, and does something again and again until it comes.
    #[track_caller]
    pub(crate) fn wait_while_trying(
        &mut self,
        text: &str,
        mut again: impl FnMut(&mut Self),
    ) -> String {
        let (began, mut tried) = (Instant::now(), Instant::now());
        let text = bytes_as_chars(text);
        loop {
            while let Some(c) = self.session.try_read() {
                self.seen.push(c);
            }
            if let Some((before, behind)) = self.seen.split_once(&text) {
                let (before, behind) = (before.to_owned(), behind.to_owned());
                self.seen = behind;
                return chars_as_bytes(&before);
            }
            assert!(began.elapsed() < PATIENCE, "`{text}` never comes: {:?}", self.seen);
            if tried.elapsed() > AGAIN {
                again(self);
                tried = Instant::now();
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Types `keys` and waits until the line that is being typed is drawn with `text` in it.
    #[track_caller]
    pub(crate) fn type_until(&mut self, keys: &str, text: &str) {
        self.send(keys);
        self.wait_for(text);
    }

    /// Gives the line up.
    pub(crate) fn clear(&mut self) {
        self.send_control('c');
        self.wait_for_prompt();
    }

    /// Leaves, and waits until the process is gone.
    pub(crate) fn leave(mut self) {
        self.send(".quit\r");
        self.session.exp_eof().unwrap();
    }
}

/// The terminal hands out bytes as characters: so is what is looked for.
fn bytes_as_chars(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

fn chars_as_bytes(text: &str) -> String {
    let bytes: Vec<u8> = text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
