//! A time window of a region's event history: its place in the plan, and its bytes once they are
//! there.

use std::{
    fs::File,
    io::{self, Cursor, Write as _},
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError, atomic::Ordering},
};

use super::{History, LOOK, fetch::Region};
use crate::{
    aws::{Failure, cloudtrail::HistoryEvent},
    source::{LogFile, Open, Stored, Window as Stretch},
};

/// Bytes of a window that are kept in memory; more go to a spool.
const MEMORY_BYTES: usize = 1 << 20;

/// A window that may be read. As long as someone holds it, it is wanted: what the ledger has
/// already is let go before anything is fetched.
#[derive(Debug)]
pub(super) struct Window {
    /// Its first moment, in microseconds since 1970.
    pub(super) start: i64,
    /// The first moment behind it.
    pub(super) end: i64,
    region: Arc<Region>,
    history: Arc<History>,
    state: Mutex<State>,
    arrived: Condvar,
}

/// How far a window is.
#[derive(Debug)]
enum State {
    /// Nothing is fetched yet.
    Waiting,
    /// All its events are there, and whether they were asked for.
    Here { events: Events, is_read: bool },
    /// They cannot be had.
    Failed(Failure),
}

impl Window {
    pub(super) fn new(start: i64, end: i64, region: Arc<Region>, history: Arc<History>) -> Self {
        let state = Mutex::new(State::Waiting);
        Self { start, end, region, history, state, arrived: Condvar::new() }
    }

    /// Whether it is still to be fetched.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(*self.lock(), State::Waiting)
    }

    /// Bytes that were fetched and not asked for yet.
    pub(super) fn unread_bytes(&self) -> usize {
        match &*self.lock() {
            State::Here { events, is_read: false } => events.n_bytes(),
            _ => 0,
        }
    }

    /// Gives it its events, or says why there are none.
    pub(super) fn arrive(&self, events: Result<Events, Failure>) {
        *self.lock() = match events {
            Ok(events) => State::Here { events, is_read: false },
            Err(failure) => State::Failed(failure),
        };
        self.arrived.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Whoever fetches may wait for room.
        self.region.wake();
    }
}

impl Open for Window {
    /// Waits for the window's events. The bytes stay until the window is let go: a long one is
    /// looked into, then streamed.
    fn open(&self, _file: &LogFile) -> io::Result<Stored> {
        self.history.start();
        let mut state = self.lock();
        loop {
            match &mut *state {
                State::Here { events, is_read } => {
                    *is_read = true;
                    self.region.wake();
                    return events.stored();
                }
                State::Failed(failure) => return Err(io::Error::other(self.region.lost(failure))),
                State::Waiting => {}
            }
            if self.history.cancelled.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let waited = self.arrived.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_remote(&self) -> bool {
        true
    }
}

/// The events of a window as `aws cloudtrail lookup-events` prints them: `{"Events":[…]}`, each as
/// CloudTrail sent it; `{"Records":[]}` where there are none.
#[derive(Debug, Default)]
pub(super) struct Events {
    memory: Vec<u8>,
    /// What no longer fitted into memory, and how long it is.
    spool: Option<(Arc<File>, u64)>,
    count: u64,
    is_whole: bool,
}

impl Events {
    /// Adds an event.
    ///
    /// # Errors
    /// The spool cannot be written.
    pub(super) fn push(&mut self, event: &HistoryEvent, temp_dir: &Path) -> io::Result<()> {
        let before = if self.count == 0 { "{\"Events\":[" } else { ",\n" };
        self.count += 1;
        self.memory.extend_from_slice(before.as_bytes());
        self.memory.extend_from_slice(event.json.get().as_bytes());
        if self.memory.len() > MEMORY_BYTES {
            self.spill(temp_dir)?;
        }
        Ok(())
    }

    /// Ends it: no event follows.
    ///
    /// # Errors
    /// The spool cannot be written.
    pub(super) fn finish(mut self, temp_dir: &Path) -> io::Result<Self> {
        // An empty list of events could be any service's; one of records is CloudTrail's.
        let end: &[u8] = if self.count == 0 { b"{\"Records\":[]}\n" } else { b"]}\n" };
        self.memory.extend_from_slice(end);
        self.is_whole = true;
        if self.spool.is_some() {
            self.spill(temp_dir)?;
        }
        self.memory.shrink_to_fit();
        Ok(self)
    }

    fn spill(&mut self, temp_dir: &Path) -> io::Result<()> {
        let (file, len) = match self.spool.take() {
            Some(spool) => spool,
            None => (Arc::new(tempfile::tempfile_in(temp_dir)?), 0),
        };
        (&*file).write_all(&self.memory)?;
        self.spool = Some((file, len + self.memory.len() as u64));
        self.memory.clear();
        Ok(())
    }

    fn n_bytes(&self) -> usize {
        let spooled = self.spool.as_ref().map_or(0, |(_, len)| *len);
        self.memory.len() + usize::try_from(spooled).unwrap_or(usize::MAX / 2)
    }

    fn stored(&self) -> io::Result<Stored> {
        debug_assert!(self.is_whole, "only whole windows are handed out");
        Ok(match &self.spool {
            Some((file, len)) => {
                Stored::plain(Stretch::of_shared(Arc::clone(file), *len).reader()?)
            }
            None => Stored::plain(Cursor::new(self.memory.clone())),
        })
    }
}
