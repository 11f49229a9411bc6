//! `less` for answers taller than the screen.

use std::{
    io::{self, Write},
    process::{Child, Command, Stdio},
};

/// Lines of the screen that are not the answer's: the prompt and the line below the answer.
const LINES_KEPT: usize = 3;

/// Writes to the screen, through `less` from the moment more comes than fits.
pub(super) struct Pager {
    /// How many lines fit.
    room: usize,
    lines: usize,
    held: Vec<u8>,
    state: State,
}

enum State {
    /// It may still fit.
    Holding,
    /// It did not fit.
    Paging(Child),
    /// It did not fit, and there is no `less`.
    Passing,
}

impl Pager {
    /// A pager for a screen of `height` lines.
    pub(super) fn new(height: usize) -> Self {
        Self {
            room: height.saturating_sub(LINES_KEPT),
            lines: 0,
            held: Vec::new(),
            state: State::Holding,
        }
    }

    /// Shows what is held, or waits until the user has read enough.
    ///
    /// # Errors
    /// The screen cannot be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        match &mut self.state {
            State::Holding => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(&self.held)?;
                stdout.flush()
            }
            State::Passing => io::stdout().flush(),
            State::Paging(less) => {
                drop(less.stdin.take());
                less.wait().map(drop)
            }
        }
    }

    fn start(&mut self) -> io::Result<()> {
        // -S cut long lines (they scroll sideways), -R colours, -X leave the text on the screen,
        // -F leave at once where it fits after all. Log text is sanitised before it comes here.
        let less = Command::new("less")
            .arg("-SRXF")
            .env_remove("LESS")
            .env("LESSSECURE", "1")
            // What is written is UTF-8, whatever the locale says.
            .env("LESSCHARSET", "utf-8")
            .stdin(Stdio::piped())
            .spawn();
        self.state = less.map_or(State::Passing, State::Paging);
        let held = std::mem::take(&mut self.held);
        self.pass(&held)
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.state {
            State::Holding => {
                self.held.extend_from_slice(bytes);
                Ok(())
            }
            State::Passing => io::stdout().lock().write_all(bytes),
            State::Paging(less) => match &mut less.stdin {
                Some(stdin) => stdin.write_all(bytes),
                None => Ok(()),
            },
        }
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pass(bytes)?;
        if matches!(self.state, State::Holding) {
            self.lines += memchr::memchr_iter(b'\n', bytes).count();
            if self.lines > self.room {
                self.start()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Paging(Child { stdin: Some(stdin), .. }) => stdin.flush(),
            State::Passing => io::stdout().flush(),
            _ => Ok(()),
        }
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        // After a failure: `less` must not outlive us with the terminal in its hands.
        if let State::Paging(less) = &mut self.state {
            drop(less.stdin.take());
            drop(less.wait());
        }
    }
}
