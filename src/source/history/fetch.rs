//! Fetches a region's event history, ahead of who reads it.
//!
//! CloudTrail gives the latest event first, 50 to the page and two pages a second; the plan reads
//! the earliest window first. So windows are fetched a run at a time: as many in a row as some
//! twenty seconds of pages hold, which are days where little happens and one hour where much does.

use std::{
    cmp::Ordering,
    collections::HashSet,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError, Weak, atomic::Ordering::Relaxed},
    time::Duration,
};

use super::{
    progress::{HistoryProgress, Hours},
    window::{Events, Window},
};
use crate::{
    aws::{
        Failure, FailureKind,
        cloudtrail::{EventHistory, HistoryEvent, HistoryPage},
    },
    source::Lost,
};

/// Windows of the first run.
const FIRST_RUN: usize = 24;

/// Windows of the longest run.
const LONGEST_RUN: usize = 24 * 30;

/// Pages of a run below which the next one is longer.
const FEW_PAGES: usize = 10;

/// Pages of a run beyond which it is cut, and the next one is shorter.
const MANY_PAGES: usize = 40;

/// Bytes fetched and not read, beyond which fetching waits.
const AHEAD_BYTES: usize = 32 << 20;

/// How often a page is asked for again where trying again may help, beside what the SDK tries.
const PATIENCE: u32 = 6;

/// How often a run begins anew where CloudTrail no longer knows its place.
const MOST_RESTARTS: u32 = 8;

/// One region's event history.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) name: String,
    client: EventHistory,
    /// The moments from which and up to which is asked, in microseconds since 1970.
    oldest: i64,
    now: i64,
    /// In the order of time.
    windows: Mutex<Vec<Weak<Window>>>,
    /// That a window was read, or let go.
    stirred: tokio::sync::Notify,
}

impl Region {
    pub(super) fn new(name: String, client: EventHistory, (oldest, now): (i64, i64)) -> Self {
        let (windows, stirred) = (Mutex::default(), tokio::sync::Notify::new());
        Self { name, client, oldest, now, windows, stirred }
    }

    /// Takes up a window that follows all others.
    pub(super) fn add(&self, window: &Arc<Window>) {
        self.lock().push(Arc::downgrade(window));
    }

    /// Says that a window was read, or let go.
    pub(super) fn wake(&self) {
        self.stirred.notify_one();
    }

    /// What to tell of a failure. Without credentials no other region is read either.
    pub(super) fn lost(&self, failure: &Failure) -> Lost {
        let (region, text) = (&self.name, &failure.text);
        let reason = format!("the event history of {region} cannot be read: {text}");
        let advice = match failure.kind {
            FailureKind::Credentials => {
                let renew = "get new credentials (`aws sso login`), then run it again";
                return Lost { reason: text.clone(), ends_all: true, help: Some(renew.to_owned()) };
            }
            FailureKind::Denied => "; the policy must allow cloudtrail:LookupEvents in this region",
            _ if failure.is_retryable() => "; run it again: it goes on where it stopped",
            _ => "",
        };
        Lost { reason: format!("{reason}{advice}"), ends_all: false, help: None }
    }

    /// Fetches what is wanted, until nothing is.
    pub(super) async fn fetch_all(
        self: Arc<Self>,
        temp_dir: Arc<Path>,
        progress: Arc<HistoryProgress>,
    ) {
        let hours = Arc::new(Hours::default());
        let n_wanted = self.lock().iter().filter(|window| window.strong_count() > 0).count();
        hours.n_wanted.store(n_wanted as u64, Relaxed);
        progress.add(&hours);
        let mut longest = FIRST_RUN;
        loop {
            let run = self.next_run(longest);
            if run.is_empty() {
                return;
            }
            let n_before = hours.n_here.load(Relaxed);
            let fetched = Run::new(&self, &run, (&temp_dir, &progress, &hours)).fetch().await;
            let n_here = run.iter().filter(|window| !window.is_waiting()).count();
            hours.n_here.store(n_before + n_here as u64, Relaxed);
            match fetched {
                Ok(n_pages) if n_pages > MANY_PAGES => longest = (run.len() / 4).max(1),
                Ok(n_pages) if n_pages < FEW_PAGES => longest = (longest * 2).min(LONGEST_RUN),
                Ok(_) => {}
                Err(failure) => {
                    // The next page would end the same way.
                    drop(run);
                    self.give_up(&failure);
                    return;
                }
            }
            drop(run);
            self.room().await;
        }
    }

    /// The first windows in a row that are wanted and not there yet.
    fn next_run(&self, longest: usize) -> Vec<Arc<Window>> {
        let mut windows = self.lock();
        windows.retain(|window| window.strong_count() > 0);
        let wanted = windows.iter().filter_map(Weak::upgrade).filter(|window| window.is_waiting());
        let mut run: Vec<Arc<Window>> = Vec::new();
        for window in wanted {
            let follows = run.last().is_none_or(|last| last.end == window.start);
            if !follows || run.len() == longest {
                break;
            }
            run.push(window);
        }
        run
    }

    /// Says of all windows that are not there why they never will be.
    fn give_up(&self, failure: &Failure) {
        let windows: Vec<Arc<Window>> = self.lock().iter().filter_map(Weak::upgrade).collect();
        for window in windows.iter().filter(|window| window.is_waiting()) {
            window.arrive(Err(failure.clone()));
        }
    }

    /// Waits until little of what is there is unread.
    async fn room(&self) {
        loop {
            let windows: Vec<Arc<Window>> = self.lock().iter().filter_map(Weak::upgrade).collect();
            let n_bytes: usize = windows.iter().map(|window| window.unread_bytes()).sum();
            drop(windows);
            if n_bytes < AHEAD_BYTES {
                return;
            }
            self.stirred.notified().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Window>>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Windows in a row on their way.
struct Run<'a> {
    region: &'a Region,
    windows: &'a [Arc<Window>],
    temp_dir: &'a Path,
    progress: &'a HistoryProgress,
    hours: &'a Hours,
    /// The hours that were there before.
    n_before: u64,
    /// The events so far, window by window.
    events: Vec<Events>,
    /// The time of the earliest event so far, in microseconds since 1970.
    earliest: i64,
    /// The events of that time.
    seen: HashSet<blake3::Hash>,
    /// Those that come again, where a run goes on from that time.
    again: HashSet<blake3::Hash>,
    /// Whether every event so far was no later than the one before.
    in_order: bool,
}

impl<'a> Run<'a> {
    fn new(
        region: &'a Region,
        windows: &'a [Arc<Window>],
        (temp_dir, progress, hours): (&'a Path, &'a HistoryProgress, &'a Hours),
    ) -> Self {
        let mut run = Self {
            region,
            windows,
            temp_dir,
            progress,
            hours,
            n_before: hours.n_here.load(Relaxed),
            events: Vec::new(),
            earliest: 0,
            seen: HashSet::new(),
            again: HashSet::new(),
            in_order: true,
        };
        run.begin();
        run
    }

    fn begin(&mut self) {
        self.events = self.windows.iter().map(|_| Events::default()).collect();
        self.earliest = i64::MAX;
        self.seen.clear();
        self.again.clear();
        self.in_order = true;
    }

    /// The first moment of the run that is still remembered.
    fn since(&self) -> i64 {
        let start = self.windows.first().map_or(0, |window| window.start);
        start.max(self.region.oldest).min(self.until())
    }

    /// Its last: the API's seconds count whole, and both ends are included.
    fn until(&self) -> i64 {
        let end = self.windows.last().map_or(0, |window| window.end);
        (end - 1).min(self.region.now)
    }

    /// Fetches page after page; gives how many. What is whole has arrived then; a run that is cut
    /// leaves its earliest windows waiting.
    async fn fetch(mut self) -> Result<usize, Failure> {
        let (mut n_pages, mut n_restarts, mut next) = (0_usize, 0_u32, None::<String>);
        let mut until = self.until();
        loop {
            let page = match self.page(until, next.clone()).await {
                Err(failure) if is_lost_place(&failure) && n_restarts < MOST_RESTARTS => {
                    n_restarts += 1;
                    next = None;
                    if self.in_order {
                        until = until.min(self.earliest);
                        self.again.clone_from(&self.seen);
                    } else {
                        self.begin();
                        until = self.until();
                    }
                    continue;
                }
                page => page?,
            };
            n_pages += 1;
            self.progress.n_events.fetch_add(page.events.len() as u64, Relaxed);
            for event in &page.events {
                self.push(event).map_err(|error| spool_failed(&error))?;
            }
            let n_passed = self.windows.len() - self.first_whole();
            self.hours.n_here.store(self.n_before + n_passed as u64, Relaxed);
            if page.next.is_none() {
                break;
            }
            if page.next == next {
                return Err(Failure::transient("CloudTrail gives the same page again and again"));
            }
            next = page.next;
            if n_pages > MANY_PAGES && self.windows.len() > 1 && self.in_order {
                self.cut()?;
                return Ok(n_pages);
            }
        }
        self.arrive(0)?;
        Ok(n_pages)
    }

    /// A page, asked for again while that may help.
    async fn page(&self, until: i64, next: Option<String>) -> Result<HistoryPage, Failure> {
        let mut n_tries = 0;
        loop {
            match self.region.client.page(self.since(), until, next.clone()).await {
                Err(failure) if failure.is_retryable() && n_tries < PATIENCE => {
                    tokio::time::sleep(Duration::from_secs(1 << n_tries)).await;
                    n_tries += 1;
                }
                page => return page,
            }
        }
    }

    fn push(&mut self, event: &HistoryEvent) -> io::Result<()> {
        let at = event.at.unwrap_or(self.earliest).clamp(self.since(), self.until());
        let hash = blake3::hash(event.json.get().as_bytes());
        if self.again.remove(&hash) {
            return Ok(());
        }
        match at.cmp(&self.earliest) {
            Ordering::Less => {
                self.earliest = at;
                self.seen.clear();
                self.seen.insert(hash);
            }
            Ordering::Equal => drop(self.seen.insert(hash)),
            Ordering::Greater => self.in_order = false,
        }
        let behind = self.windows.partition_point(|window| window.start <= at);
        match self.events.get_mut(behind.saturating_sub(1)) {
            Some(events) => events.push(event, self.temp_dir),
            None => Ok(()),
        }
    }

    /// Hands over the windows that are later than the earliest event: they are whole.
    fn cut(mut self) -> Result<(), Failure> {
        let first = self.first_whole();
        self.arrive(first)
    }

    /// The first window that is later than the earliest event.
    fn first_whole(&self) -> usize {
        self.windows.partition_point(|window| window.start <= self.earliest)
    }

    /// Hands over the windows from the one at `first` on.
    fn arrive(&mut self, first: usize) -> Result<(), Failure> {
        let events = std::mem::take(&mut self.events).into_iter();
        for (window, events) in self.windows.iter().zip(events).skip(first) {
            let events = events.finish(self.temp_dir).map_err(|error| spool_failed(&error))?;
            window.arrive(Ok(events));
        }
        Ok(())
    }
}

/// Whether CloudTrail no longer knows where a page begins.
fn is_lost_place(failure: &Failure) -> bool {
    failure.code.as_deref() == Some("InvalidNextTokenException")
}

fn spool_failed(error: &io::Error) -> Failure {
    Failure::other(format!("cannot write to the directory of spools: {error}"))
}
