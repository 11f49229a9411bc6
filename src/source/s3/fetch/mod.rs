//! Objects' bytes: fetched ahead in the order in which they will be read.
//!
//! Log files are small, and waiting for each would take longer than reading it. So whoever walks
//! the plan tells what comes next ([`Open::prepare`]), and as many objects are on their way as pay
//! ([`pace`]) and as memory allows. One that is asked for before its turn goes first. Long objects
//! are read as they arrive ([`pipe`]). Whatever breaks on the way is taken up again ([`transfer`]);
//! what cannot be had says why, and what to do ([`lost`]).

mod lost;
mod pace;
mod pipe;
mod transfer;

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

pub(crate) use self::lost::Lost;
use self::{
    lost::Named,
    pipe::Pipe,
    transfer::{Link, Loss, Wanted, Whole},
};
use super::{
    super::{LogFile, Open, Stored},
    uri,
};
use crate::aws::{Aws, Failure, s3::Bucket};

/// What an object costs that is fetched ahead, beside its bytes.
const OBJECT_BYTES: u64 = 2 << 10;

/// How often whoever waits looks whether the work was cancelled.
const TICK: Duration = Duration::from_millis(50);

/// What came from stores so far; shared with whoever draws it.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes that came.
    pub n_bytes: AtomicU64,
    /// Objects that came whole.
    pub n_objects: AtomicU64,
    /// Requests that failed and were made again.
    pub n_retries: AtomicU64,
    /// When the first byte came.
    began_at: OnceLock<Instant>,
}

impl Traffic {
    /// How long something has been coming.
    pub fn elapsed(&self) -> Duration {
        self.began_at.get().map(Instant::elapsed).unwrap_or_default()
    }

    fn came(&self, n_bytes: usize) {
        self.began_at.get_or_init(Instant::now);
        self.n_bytes.fetch_add(n_bytes as u64, Ordering::Relaxed);
    }
}

/// Within which bounds objects are fetched.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Memory for objects that are fetched ahead, in bytes.
    pub memory_bytes: u64,
    /// How long an object is asked for in vain before it is given up.
    pub patience: Duration,
    /// Is set to stop.
    pub cancelled: Arc<AtomicBool>,
    /// Counts what comes.
    pub traffic: Arc<Traffic>,
}

impl FetchOptions {
    /// How long an object is asked for in vain, unless told.
    pub const PATIENCE: Duration = Duration::from_mins(5);

    /// Objects no longer than this are fetched whole.
    fn whole_bytes(&self) -> u64 {
        (self.memory_bytes / 8).clamp(64 << 10, 8 << 20)
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            memory_bytes: 32 << 20,
            patience: Self::PATIENCE,
            cancelled: Arc::default(),
            traffic: Arc::default(),
        }
    }
}

type Outcome = Result<Option<Whole>, Loss>;

/// Fetches the objects of a run, of whatever bucket.
#[derive(Debug)]
pub struct Fetcher {
    options: FetchOptions,
    link: Arc<Link>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The objects that were told and are not taken yet, by their URI.
    slots: HashMap<Arc<str>, Slot>,
    /// Those that wait for their turn. An object that was asked for before it may stand here still.
    waiting: VecDeque<Arc<str>>,
    /// What the slots may hold, in bytes.
    reserved_bytes: u64,
    is_stopped: bool,
}

/// An object that was told.
#[derive(Debug)]
struct Slot {
    /// What is to be done for it; nothing once that has begun.
    order: Option<Order>,
    fetched: Receiver<Outcome>,
    reserved_bytes: u64,
}

/// An object to be fetched.
#[derive(Debug)]
struct Order {
    aws: Arc<Aws>,
    wanted: Wanted,
    sender: SyncSender<Outcome>,
}

impl Order {
    fn new(aws: &Arc<Aws>, wanted: Wanted) -> (Self, Receiver<Outcome>) {
        let (sender, fetched) = sync_channel(1);
        (Self { aws: Arc::clone(aws), wanted, sender }, fetched)
    }
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new(FetchOptions::default())
    }
}

impl Fetcher {
    /// One that works within `options`.
    pub fn new(options: FetchOptions) -> Self {
        let link = Arc::new(Link::new(Arc::clone(&options.traffic), options.patience));
        Self { options, link, state: Mutex::default() }
    }

    /// Ends all work: nothing more will be opened.
    pub fn stop(&self) {
        let mut state = self.state();
        *state = State { is_stopped: true, ..State::default() };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of an object; gives whether there was room for it.
    fn prepare(self: &Arc<Self>, objects: &Objects, file: &LogFile) -> bool {
        let mut state = self.state();
        if state.slots.contains_key(&file.uri) || file.size_bytes > self.options.whole_bytes() {
            return true;
        }
        let reserved_bytes = file.size_bytes + OBJECT_BYTES;
        let is_full = state.reserved_bytes + reserved_bytes > self.options.memory_bytes;
        if is_full && !state.slots.is_empty() {
            return false;
        }
        let Some(wanted) = objects.wanted(file) else { return true };
        let (order, fetched) = Order::new(&objects.aws, wanted);
        state.reserved_bytes += reserved_bytes;
        state.waiting.push_back(Arc::clone(&file.uri));
        let slot = Slot { order: Some(order), fetched, reserved_bytes };
        state.slots.insert(Arc::clone(&file.uri), slot);
        self.start_some(state);
        true
    }

    /// Takes an object that is no longer than [`FetchOptions::whole_bytes`], or was so when it was
    /// listed, and waits for it.
    fn take(self: &Arc<Self>, objects: &Objects, file: &LogFile) -> Outcome {
        let mut state = self.state();
        let (order, fetched) = if let Some(slot) = state.slots.remove(&file.uri) {
            state.reserved_bytes -= slot.reserved_bytes;
            (slot.order, slot.fetched)
        } else {
            let wanted = objects.wanted(file).ok_or_else(|| Loss::of(not_ours()))?;
            let (order, fetched) = Order::new(&objects.aws, wanted);
            (Some(order), fetched)
        };
        drop(state);
        if let Some(order) = order {
            self.start(order);
        }
        wait(&fetched, &self.options)?
    }

    /// Starts what waits, as far as it may.
    fn start_some(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut orders = Vec::new();
        while !self.options.is_cancelled() && !state.is_stopped {
            let Some(uri) = state.waiting.front() else { break };
            let is_waiting = state.slots.get(uri).is_some_and(|slot| slot.order.is_some());
            if is_waiting && !self.link.pace().begin_if_room() {
                break;
            }
            if let Some(uri) = state.waiting.pop_front()
                && is_waiting
                && let Some(slot) = state.slots.get_mut(&uri)
            {
                orders.extend(slot.order.take());
            }
        }
        drop(state);
        for order in orders {
            self.run(order);
        }
    }

    /// Starts an object whatever else is on its way: someone waits for it.
    fn start(self: &Arc<Self>, order: Order) {
        self.link.pace().begin();
        self.run(order);
    }

    fn run(self: &Arc<Self>, order: Order) {
        let Order { aws, wanted, sender } = order;
        let running = Running { fetcher: Arc::clone(self), n_bytes: 0 };
        let max_bytes = self.options.whole_bytes();
        aws.spawn(async move {
            let mut running = running;
            let link = Arc::clone(&running.fetcher.link);
            let outcome = transfer::whole(wanted, link, max_bytes).await;
            if let Ok(Some(whole)) = &outcome {
                running.n_bytes = whole.bytes.len() as u64;
            }
            // Nobody may want it any more.
            let _ = sender.send(outcome);
        });
    }
}

/// An object being fetched; the next one follows it, however it ends.
struct Running {
    fetcher: Arc<Fetcher>,
    n_bytes: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.fetcher.link.pace().ended(self.n_bytes, Instant::now());
        self.fetcher.start_some(self.fetcher.state());
    }
}

/// Waits for what `fetched` brings, as long as the work is not cancelled.
fn wait<T>(fetched: &Receiver<T>, options: &FetchOptions) -> Result<T, Loss> {
    loop {
        match fetched.recv_timeout(TICK) {
            Ok(outcome) => return Ok(outcome),
            Err(RecvTimeoutError::Timeout) if options.is_cancelled() => {
                return Err(Loss::of(Failure::other("interrupted")));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Loss::of(Failure::other("fetching it ended early")));
            }
        }
    }
}

fn not_ours() -> Failure {
    Failure::other("it is no object of this bucket")
}

/// Opens objects of one bucket.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) aws: Arc<Aws>,
    pub(super) bucket: Bucket,
    pub(super) fetcher: Arc<Fetcher>,
}

impl Objects {
    fn wanted(&self, file: &LogFile) -> Option<Wanted> {
        let version = file.object_version.as_deref();
        Some(Wanted {
            key: uri::key_of(&file.uri, self.bucket.name(), version)?.to_owned(),
            bucket: self.bucket.clone(),
            version: file.object_version.clone(),
            size_bytes: file.size_bytes,
            etag: file.etag.clone(),
        })
    }

    fn named(&self, file: &LogFile) -> Named {
        Named { wanted: self.wanted(file), aws: Arc::clone(&self.aws) }
    }

    /// Reads an object as it arrives.
    fn stream(&self, file: &LogFile) -> io::Result<Stored> {
        let named = self.named(file);
        let wanted = self.wanted(file).ok_or_else(|| named.error(&Loss::of(not_ours())))?;
        let (link, options) = (&self.fetcher.link, &self.fetcher.options);
        let (head, pipe) = Pipe::open(&self.aws, wanted, link, options, named)?;
        Ok(Stored { head: Some(head), ..Stored::plain(pipe) })
    }
}

impl Open for Objects {
    fn open(&self, file: &LogFile) -> io::Result<Stored> {
        if file.size_bytes > self.fetcher.options.whole_bytes() {
            return self.stream(file);
        }
        match self.fetcher.take(self, file).map_err(|loss| self.named(file).error(&loss))? {
            Some(Whole { head, bytes }) => {
                Ok(Stored { head: Some(head), ..Stored::plain(io::Cursor::new(bytes)) })
            }
            // It has grown since.
            None => self.stream(file),
        }
    }

    fn prepare(&self, file: &LogFile) -> bool {
        self.fetcher.prepare(self, file)
    }

    fn is_remote(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
