//! Rounds: prefixes of the plan, decoded by all workers at once, each to be committed as a chunk.
//!
//! The driver walks the plan and hands files to the workers; a large file it frames itself and
//! hands over window by window. A round ends when enough is decoded. Everything handed over
//! before that is in it, so a round is always a prefix of what was left of the plan, and of equal
//! records the first in plan order is committed first, whatever the number of threads.

use std::{
    borrow::Cow,
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::Sender;

use super::{
    IngestOptions, Progress, fetch_bytes,
    inflate::Digest,
    ledger::{Ledger, Outcome},
    plan::{self, Expanded, Job, Mode, Planned, Queue},
    stream::{self, Begun, Step, Streaming},
    worker::{self, Output, Reject, Task},
};
use crate::{
    ErrorKind,
    aws::s3::Head,
    logs::cloudtrail::decode::Rows,
    source::{LogFile, Lost, Why},
};

/// What all of an ingest shares.
pub(super) struct Context<'a> {
    pub(super) options: &'a IngestOptions,
    pub(super) progress: &'a Arc<Progress>,
    /// The ledger that the plan is made upon.
    pub(super) ledger: &'a Ledger,
    /// Memory that is not for rows, in bytes.
    fetch_bytes: usize,
    /// Why nothing more can be read: what comes before is committed.
    end: OnceLock<crate::Error>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        options: &'a IngestOptions,
        progress: &'a Arc<Progress>,
        ledger: &'a Ledger,
        is_remote: bool,
    ) -> Self {
        let fetch_bytes = if is_remote { fetch_bytes(options.memory_bytes) } else { 0 };
        Self { options, progress, ledger, fetch_bytes, end: OnceLock::new() }
    }

    /// Whether `error`, met in `file`, ends the work rather than the file.
    pub(super) fn ends_at(&self, file: &LogFile, error: &io::Error) -> bool {
        let Some(lost) = Lost::of(error).filter(|lost| lost.ends_all) else { return false };
        let failure = ErrorKind::S3 {
            action: "read",
            uri: file.uri.to_string(),
            reason: lost.reason.clone(),
            help: lost.help.clone(),
        };
        // The first to meet it is enough.
        let _ = self.end.set(failure.into());
        true
    }

    fn is_ended(&self) -> bool {
        self.end.get().is_some()
    }

    /// Why the work ended early, if it did.
    pub(super) fn into_result(self) -> crate::Result<()> {
        self.end.into_inner().map_or(Ok(()), Err)
    }
}

impl Context<'_> {
    pub(super) fn is_cancelled(&self) -> bool {
        self.progress.cancelled.load(Ordering::Relaxed)
    }

    /// Decoded bytes after which a round ends.
    ///
    /// Two chunks are in memory at once, one being decoded and one being committed; sorting and
    /// encoding the latter takes about its size again, and workers overshoot by a file each.
    fn round_bytes(&self) -> i64 {
        let memory_bytes = self.options.memory_bytes.saturating_sub(self.fetch_bytes);
        i64::try_from(memory_bytes / 4).unwrap_or(i64::MAX).max(1 << 20)
    }

    /// The longest file that a worker takes whole.
    pub(super) fn whole_bytes(&self) -> usize {
        (self.options.memory_bytes / 64).clamp(64 << 10, 16 << 20)
    }

    /// Whether a file is streamed rather than taken whole: it is long, or what comes out of it is.
    fn is_large(&self, job: &Job) -> bool {
        let by_name = if is_gzip_by_name(&job.file.uri) { GZIP_RATIO } else { 1 };
        job.mode == Mode::Stream
            || job.file.size_bytes.saturating_mul(by_name) > self.whole_bytes() as u64
    }
}

/// What comes out of CloudTrail's gzip for each byte: 6 to 15 times that.
const GZIP_RATIO: u64 = 10;

fn is_gzip_by_name(uri: &str) -> bool {
    uri.len() >= 3 && uri.get(uri.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case(".gz"))
}

/// How a file ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Ending {
    /// What became of it; `None` where its content is what the ledger has, and only its time is
    /// news.
    pub(super) outcome: Option<Outcome>,
    /// What it is.
    pub(super) kind: Option<Cow<'static, str>>,
    /// What is wrong with it.
    pub(super) reason: Option<String>,
    /// Where, in its inflated bytes.
    pub(super) reason_offset: Option<u64>,
    pub(super) digest: Option<Digest>,
    /// What the store said of it.
    pub(super) head: Option<Arc<Head>>,
    /// The members that follow the records in their container.
    pub(super) wrapper: Option<String>,
    /// Whether it is an archive: its members are the files that count.
    pub(super) is_archive: bool,
    /// Whether a limit cut it short: other limits, and it is read on.
    pub(super) limits_reached: bool,
    /// Whether reading it may end differently next time.
    pub(super) may_change: bool,
}

/// What the ledger calls a file of CloudTrail records.
pub(super) const CLOUDTRAIL: &str = "CloudTrail";

impl Ending {
    /// A file that could not be read.
    pub(super) fn unread(reason: String) -> Self {
        Self {
            outcome: Some(Outcome::Skipped),
            reason: Some(reason),
            may_change: true,
            ..Self::default()
        }
    }

    /// A file that is no CloudTrail log.
    pub(super) fn other(kind: String) -> Self {
        Self { outcome: Some(Outcome::Other), kind: Some(kind.into()), ..Self::default() }
    }

    /// A file that was read as far as it is whole.
    pub(super) fn damaged(reason: String, offset: Option<u64>, digest: Option<Digest>) -> Self {
        Self {
            outcome: Some(Outcome::Skipped),
            reason: Some(reason),
            reason_offset: offset,
            digest,
            ..Self::default()
        }
    }

    /// An archive.
    pub(super) fn archive(kind: &'static str) -> Self {
        let kind = Some(kind.into());
        Self { outcome: Some(Outcome::Archive), kind, is_archive: true, ..Self::default() }
    }
}

/// The records of one file that are in one round.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) job: Arc<Job>,
    /// What its rows' keys carry.
    pub(super) seq: u32,
    /// The number of the last record before this part.
    pub(super) from: u32,
    /// The number of its last record.
    pub(super) to: u32,
    /// Stored bytes that were read for it.
    pub(super) stored_bytes: u64,
    /// How the file ended; `None` where there is more to come.
    pub(super) ending: Option<Ending>,
}

impl Part {
    /// A file that is done with without a look at its records.
    pub(super) fn settled(job: Arc<Job>, ending: Ending) -> Self {
        let (from, stored_bytes) = (job.settled.records_done, job.file.size_bytes);
        Self { job, seq: u32::MAX, from, to: from, stored_bytes, ending: Some(ending) }
    }
}

/// What one round gave.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The files with records, in plan order: the keys of their rows count up from the first's.
    pub(super) parts: Vec<Part>,
    /// Files that are done with without records.
    pub(super) settled: Vec<Part>,
    pub(super) events: Vec<Arc<Rows>>,
    pub(super) aggregated: Vec<Arc<Rows>>,
    pub(super) rejects: Vec<Reject>,
    /// Rows whose key says so many or more were dropped: their files come again.
    pub(super) end_seq: u32,
    /// Files found to be as the ledger has them.
    pub(super) n_unchanged: u64,
    /// What the ledger has already, for the report.
    pub(super) known: Vec<(Arc<str>, Why)>,
}

impl Round {
    fn absorb(&mut self, planned: &mut Planned) {
        self.settled.append(&mut planned.parts);
        self.known.append(&mut planned.known);
        self.n_unchanged += std::mem::take(&mut planned.n_unchanged);
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty()
            && self.settled.is_empty()
            && self.known.is_empty()
            && self.n_unchanged == 0
    }
}

/// How full a round is, and whether it must end early.
#[derive(Debug)]
pub(super) struct Gauge {
    /// Decoded bytes, and an estimate of what is being decoded.
    bytes: AtomicI64,
    /// The first file that cannot be read in this round.
    stop: AtomicU32,
}

impl Gauge {
    fn new() -> Self {
        Self { bytes: AtomicI64::new(0), stop: AtomicU32::new(u32::MAX) }
    }

    pub(super) fn add(&self, n_bytes: i64) {
        self.bytes.fetch_add(n_bytes, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> i64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn stop_before(&self, seq: u32) {
        self.stop.fetch_min(seq, Ordering::Relaxed);
    }

    /// Whether the round ends before `seq`.
    pub(super) fn is_stopped_before(&self, seq: u32) -> bool {
        seq >= self.stop.load(Ordering::Relaxed)
    }
}

/// How long a round may take before it ends: what comes slowly, over a network, is committed now and
/// then, so that an interruption loses little of it.
const LONGEST_ROUND: Duration = Duration::from_secs(30);

/// Bytes that a file costs beside its records: its row in the ledger, its place in the round.
const FILE_BYTES: i64 = 1024;

/// Walks the plan, round by round.
pub(super) struct Driver<'a> {
    context: &'a Context<'a>,
    queue: Queue,
    next_seq: u32,
    /// The large file that the last round ended in.
    streaming: Option<Streaming>,
    /// What was settled while planning: it goes with the first round.
    planned: Planned,
}

impl<'a> Driver<'a> {
    pub(super) fn new(context: &'a Context<'a>, mut planned: Planned) -> Self {
        let queue = Queue::new(std::mem::take(&mut planned.jobs));
        Self { context, queue, next_seq: 0, streaming: None, planned }
    }

    /// The next round; `None` when nothing is left of the plan, or the work was cancelled.
    pub(super) fn next_round(&mut self) -> Option<Round> {
        let context = self.context;
        if context.is_ended() {
            return None;
        }
        let threads = context.options.threads.max(1);
        let gauge = Gauge::new();
        let mut attempt = Attempt { first_seq: self.next_seq, ..Attempt::default() };
        attempt.round.absorb(&mut self.planned);
        let outputs: Vec<Output> = thread::scope(|scope| {
            let (sender, receiver) = crossbeam_channel::bounded(threads);
            let workers: Vec<_> = (0..threads)
                .map(|_worker| {
                    let (receiver, gauge) = (receiver.clone(), &gauge);
                    scope.spawn(move || worker::run(&receiver, context, gauge))
                })
                .collect();
            drop(receiver);
            self.dispatch(&mut attempt, &gauge, &sender);
            drop(sender);
            workers
                .into_iter()
                .map(|worker| {
                    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect()
        });
        if self.context.is_cancelled() {
            return None;
        }
        let round = self.gather(attempt, outputs, gauge.stop.into_inner());
        let is_over = round.is_empty() && self.streaming.is_none() && self.queue.is_empty();
        (!is_over).then_some(round)
    }

    fn dispatch(&mut self, attempt: &mut Attempt, gauge: &Gauge, sender: &Sender<Task>) {
        if let Some(streaming) = self.streaming.take() {
            let seq = self.seq();
            attempt.jobs.push(Arc::clone(streaming.job()));
            self.stream(streaming.go_on(seq), attempt, gauge, sender);
        }
        let target = self.context.round_bytes();
        let started_at = Instant::now();
        while gauge.bytes() < target
            && started_at.elapsed() < LONGEST_ROUND
            && !gauge.is_stopped_before(self.next_seq)
            && !self.context.is_cancelled()
            && !self.context.is_ended()
        {
            self.queue.prepare();
            let Some(job) = self.queue.pop() else { break };
            if job.mode == Mode::Archive {
                self.expand(job, attempt);
            } else if self.context.is_large(&job) {
                self.begin(job, attempt, gauge, sender);
            } else {
                let expected = i64::try_from(job.file.size_bytes).unwrap_or(i64::MAX / 4);
                let ratio = if is_gzip_by_name(&job.file.uri) { 10 } else { 1 };
                let reserved = FILE_BYTES + expected.saturating_mul(ratio);
                gauge.add(reserved);
                let (job, seq) = (Arc::new(job), self.seq());
                attempt.jobs.push(Arc::clone(&job));
                let task = Task::File { job, seq, reserved: reserved - FILE_BYTES };
                if sender.send(task).is_err() {
                    break;
                }
            }
        }
    }

    fn seq(&mut self) -> u32 {
        let seq = self.next_seq;
        self.next_seq = self.next_seq.saturating_add(1);
        seq
    }

    fn expand(&mut self, job: Job, attempt: &mut Attempt) {
        let progress = self.context.progress;
        match plan::expand(job, self.context) {
            Expanded::Archive(mut planned) => {
                let n_bytes = planned.jobs.iter().map(|job| job.file.size_bytes).sum();
                progress.files_total.fetch_add(planned.jobs.len() as u64, Ordering::Relaxed);
                progress.bytes_total.fetch_add(n_bytes, Ordering::Relaxed);
                attempt.round.absorb(&mut planned);
                self.queue.push(planned.jobs);
            }
            Expanded::File(job) => self.queue.push(vec![job]),
            Expanded::Settled(part) => attempt.round.settled.push(part),
            Expanded::Ended => {}
        }
    }

    /// Starts to read a large file.
    fn begin(&mut self, job: Job, attempt: &mut Attempt, gauge: &Gauge, sender: &Sender<Task>) {
        let (job, seq) = (Arc::new(job), self.seq());
        attempt.jobs.push(Arc::clone(&job));
        match stream::begin(&job, seq, self.context) {
            Begun::Streaming(streaming) => self.stream(streaming, attempt, gauge, sender),
            Begun::Settled(ending) => {
                let part = Part { seq, ..Part::settled(job, ending) };
                attempt.round.parts.push(part);
            }
            Begun::Archive => {
                attempt.stops.push((seq, Mode::Archive));
                gauge.stop_before(seq);
            }
            Begun::Ended => gauge.stop_before(seq),
        }
    }

    fn stream(
        &mut self,
        mut streaming: Streaming,
        attempt: &mut Attempt,
        gauge: &Gauge,
        sender: &Sender<Task>,
    ) {
        let target = self.context.round_bytes();
        match streaming.run(sender, gauge, target, self.context, &mut attempt.round.rejects) {
            Step::Full => {
                attempt.round.parts.push(streaming.part());
                self.streaming = Some(streaming);
            }
            Step::Ended(part) => attempt.round.parts.push(part),
            Step::Dropped => {}
        }
    }

    /// Puts together what the workers gave, less what lies behind a file that ended the round.
    fn gather(&mut self, attempt: Attempt, outputs: Vec<Output>, stop: u32) -> Round {
        let Attempt { first_seq, jobs, mut stops, mut round } = attempt;
        for mut output in outputs {
            round.parts.append(&mut output.parts);
            round.rejects.append(&mut output.rejects);
            round.events.append(&mut output.events);
            round.aggregated.append(&mut output.aggregated);
            stops.append(&mut output.stops);
        }
        round.end_seq = stop;
        round.parts.retain(|part| part.seq < stop);
        round.rejects.retain(|reject| reject.seq < stop);
        round.parts.sort_unstable_by_key(|part| part.seq);
        round.rejects.sort_unstable_by_key(|reject| (reject.seq, reject.record_no));
        let kept = usize::try_from(stop.saturating_sub(first_seq)).unwrap_or(usize::MAX);
        let mut again: Vec<Job> = jobs.into_iter().skip(kept).map(Arc::unwrap_or_clone).collect();
        let mode = stops.iter().find(|(seq, _mode)| *seq == stop).map(|(_seq, mode)| *mode);
        if let (Some(first), Some(mode)) = (again.first_mut(), mode) {
            first.mode = mode;
        }
        self.queue.push(again);
        self.streaming.take_if(|streaming| streaming.seq() >= stop);
        self.note_progress(&round);
        round
    }

    fn note_progress(&self, round: &Round) {
        let progress = self.context.progress;
        for part in round.parts.iter().chain(&round.settled) {
            progress.bytes_done.fetch_add(part.stored_bytes, Ordering::Relaxed);
            progress.records.fetch_add((part.to - part.from).into(), Ordering::Relaxed);
            let Some(ending) = &part.ending else { continue };
            progress.files_done.fetch_add(1, Ordering::Relaxed);
            if ending.outcome == Some(Outcome::Skipped) {
                progress.skipped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A round in the making.
#[derive(Debug, Default)]
struct Attempt {
    first_seq: u32,
    /// The files handed over, in plan order.
    jobs: Vec<Arc<Job>>,
    /// Files that could not be read in this round, and how they are to be read.
    stops: Vec<(u32, Mode)>,
    round: Round,
}
