//! The user's pager for answers taller than the screen.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use super::{interrupts::Since, outlet::Outlet};

/// Lines of the screen that are not the answer's: the prompt and the line below the answer.
const LINES_KEPT: usize = 3;

/// How the shell says that a program is not there, or is none.
const NOT_RUN: [i32; 2] = [126, 127];

/// How programs end at Ctrl-C: `less -K`, and what a shell ran.
const INTERRUPTED: [i32; 2] = [2, 130];

/// When answers go through the pager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Paging {
    /// Where they are taller than the screen.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Paging {
    const ALL: [(Self, &str); 3] = [(Self::Auto, "auto"), (Self::On, "on"), (Self::Off, "off")];

    /// The way called `word`.
    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == word).map(|(paging, _)| *paging)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(paging, _)| *paging == self).map_or("", |(_, name)| name)
    }

    /// How many lines are shown without a pager on a screen of `height` lines.
    fn room(self, height: usize) -> usize {
        match self {
            Self::Auto => height.saturating_sub(LINES_KEPT),
            Self::On => 0,
            Self::Off => usize::MAX,
        }
    }
}

/// Writes to the screen, through the pager from the moment more comes than fits.
pub(super) struct Pager {
    /// How many lines fit.
    room: usize,
    lines: usize,
    held: Vec<u8>,
    state: State,
    interrupts: Since,
}

enum State {
    /// It may still fit.
    Holding,
    /// It did not fit, or is not to be paged: to the pager, if there is one, or the screen.
    Passing(Outlet, Option<Child>),
}

impl Pager {
    /// A pager for a screen of `height` lines.
    pub(super) fn new(paging: Paging, height: usize, interrupts: Since) -> Self {
        let room = paging.room(height);
        Self { room, lines: 0, held: Vec::new(), state: State::Holding, interrupts }
    }

    /// Shows what is held, or waits until the user has read enough. Gives how long the reader kept
    /// us waiting before that.
    ///
    /// # Errors
    /// The screen cannot be written, or the pager cannot be run.
    pub(super) fn finish(mut self) -> io::Result<Duration> {
        match std::mem::replace(&mut self.state, State::Holding) {
            State::Holding => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(&std::mem::take(&mut self.held))?;
                stdout.flush()?;
                Ok(Duration::ZERO)
            }
            State::Passing(outlet, pager) => {
                let waited = outlet.waited();
                let finished = outlet.finish();
                let ended = pager.map(|mut pager| pager.wait()).transpose()?;
                match ended.and_then(fault) {
                    Some(fault) => Err(fault),
                    None => finished.map(|()| waited),
                }
            }
        }
    }

    /// Leaves the rest, and waits until the user has left the pager: `error`, or what the pager's
    /// end tells of its reason.
    pub(super) fn give_up(mut self, error: io::Error) -> io::Error {
        let is_closed = error.kind() == io::ErrorKind::BrokenPipe;
        let ended = self.close();
        ended.filter(|_| is_closed).and_then(fault).unwrap_or(error)
    }

    /// Ends the pager's input, and waits for the pager.
    fn close(&mut self) -> Option<ExitStatus> {
        let State::Passing(outlet, Some(mut pager)) =
            std::mem::replace(&mut self.state, State::Holding)
        else {
            return None;
        };
        // The input ends when the thread that writes to it does, and that may wait for the pager.
        let closing = std::thread::spawn(move || drop(outlet));
        let ended = pager.wait().ok();
        drop(closing.join());
        ended
    }

    fn start(&mut self) -> io::Result<()> {
        let mut pager = if self.room == usize::MAX { None } else { spawn() };
        let outlet = match pager.as_mut().and_then(|pager| pager.stdin.take()) {
            Some(stdin) => Outlet::new(stdin, self.interrupts.clone()),
            None => Outlet::new(io::stdout(), self.interrupts.clone()),
        };
        self.state = State::Passing(outlet?, pager);
        let held = std::mem::take(&mut self.held);
        self.pass(&held)
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.state {
            State::Holding => {
                self.held.extend_from_slice(bytes);
                Ok(())
            }
            State::Passing(outlet, _) => outlet.write_all(bytes),
        }
    }
}

/// What the way in which a pager ended says of why it did; nothing where the user left it.
fn fault(ended: ExitStatus) -> Option<io::Error> {
    if ended.code().is_some_and(|code| NOT_RUN.contains(&code)) {
        let pager = std::env::var("PAGER").unwrap_or_default();
        let told = format!("the pager `{pager}` does not run; `.pager off` goes without");
        return Some(io::Error::new(io::ErrorKind::NotFound, told));
    }
    // Killed by Ctrl-C, or as shells and `less -K` tell of it: the query ends with it, even where
    // we have not heard of it yet.
    let is_interrupted = ended.code().map_or(cfg!(unix), |code| INTERRUPTED.contains(&code));
    is_interrupted.then(|| io::ErrorKind::Interrupted.into())
}

/// Starts the user's pager, or `less`; nothing where there is none.
fn spawn() -> Option<Child> {
    let told = std::env::var_os("PAGER").filter(|pager| !pager.is_empty());
    let mut command = told.map_or_else(our_own, of_the_user);
    // What is written is UTF-8, whatever the locale says.
    command.env("LESSCHARSET", "utf-8").stdin(Stdio::piped()).spawn().ok()
}

fn our_own() -> Command {
    // -S cut long lines (they scroll sideways), -R colours, -X leave the text on the screen, -F
    // leave at once where it fits after all, -K leave at Ctrl-C, as the query does. Log text is
    // sanitised before it comes here.
    let mut less = Command::new("less");
    less.arg("-SRXFK").env_remove("LESS").env("LESSSECURE", "1");
    less
}

/// The user's pager, which may have options.
fn of_the_user(pager: OsString) -> Command {
    let mut command = if cfg!(windows) {
        Command::new(pager)
    } else {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(pager);
        shell
    };
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "-SRXFK");
    }
    command
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(self.state, State::Holding) {
            self.lines = self.lines.saturating_add(memchr::memchr_iter(b'\n', bytes).count());
            if self.lines > self.room || self.room == usize::MAX {
                self.start()?;
            }
        }
        self.pass(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Passing(outlet, _) => outlet.flush(),
            State::Holding => Ok(()),
        }
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        // After a failure or Ctrl-C: the pager must not outlive us with the terminal in its hands,
        // and what it has may be read to its end.
        let _told_already = self.close();
    }
}
