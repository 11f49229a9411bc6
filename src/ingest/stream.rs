//! Large files: one thread inflates and frames, the workers decode.

use std::{
    borrow::Cow,
    io::{self, Read as _},
    sync::Arc,
};

use crossbeam_channel::Sender;
use sha2::{Digest as _, Sha256};

use super::{
    inflate::{self, Fault, Opened, Stream},
    plan::Job,
    round::{Context, Ending, Gauge, Part},
    worker::{self, Found, Reject, Task, Text},
};
use crate::{
    aws::s3::Head,
    logs::cloudtrail::{
        decode::FileMeta,
        envelope::{Framer, Item},
    },
};

/// Bytes framed and handed over at once.
const WINDOW_BYTES: usize = 4 << 20;

/// Rows cost about this many bytes beside their record's.
const ROW_BYTES: usize = 512;

/// A large file on its way.
pub(super) struct Streaming {
    job: Arc<Job>,
    meta: Arc<FileMeta>,
    /// What the store said of it.
    head: Option<Arc<Head>>,
    stream: Stream,
    framer: Framer,
    /// What is read and not framed yet.
    buf: Vec<u8>,
    filled: usize,
    /// Records met so far.
    n_items: u32,
    /// Of those, the ones of earlier rounds and runs.
    from: u32,
    at_end: bool,
    fault: Option<Fault>,
}

/// What opening a large file gave.
#[expect(clippy::large_enum_variant, reason = "one for each large file")]
pub(super) enum Begun {
    Streaming(Streaming),
    /// Nothing in it to stream.
    Settled(Ending),
    /// It is an archive.
    Archive,
    /// Nothing more can be read, this or any other.
    Ended,
}

/// Why [`Streaming::run`] returned.
#[expect(clippy::large_enum_variant, reason = "one for each round of a large file")]
pub(super) enum Step {
    /// The round is full; there is more in the file.
    Full,
    /// The file is done with.
    Ended(Part),
    /// The round ends before this file.
    Dropped,
}

/// Opens a large file.
pub(super) fn begin(job: &Arc<Job>, seq: u32, context: &Context<'_>) -> Begun {
    match open(job, seq, context) {
        Ok(begun) => begun,
        Err(error) if context.ends_at(&job.file, &error) => Begun::Ended,
        Err(error) => Begun::Settled(worker::unreadable(&error)),
    }
}

fn open(job: &Arc<Job>, seq: u32, context: &Context<'_>) -> io::Result<Begun> {
    if let Some(known) = job.same_as
        && hash(job, context)? == known
    {
        let digest = inflate::Digest { sha256: known, ..inflate::Digest::default() };
        let head = job.file.open()?.head.map(Arc::new);
        return Ok(Begun::Settled(Ending { digest: Some(digest), head, ..Ending::default() }));
    }
    let mut stored = job.file.open()?;
    let head = stored.head.take().map(Arc::new);
    let stream = match inflate::open(stored, context.options.inflate) {
        Opened::Data(stream) => stream,
        Opened::Archive(..) => return Ok(Begun::Archive),
        Opened::Foreign(name) => {
            let digest =
                inflate::Digest { sha256: hash(job, context)?, ..inflate::Digest::default() };
            let ending = Ending { head, ..worker::foreign(name, Some(digest)) };
            return Ok(Begun::Settled(ending));
        }
    };
    Ok(Begun::Streaming(Streaming {
        job: Arc::clone(job),
        meta: Arc::new(worker::file_meta(job, seq)),
        head,
        stream,
        framer: Framer::new(context.options.limits),
        buf: vec![0; WINDOW_BYTES],
        filled: 0,
        n_items: 0,
        from: job.settled.records_done,
        at_end: false,
        fault: None,
    }))
}

/// SHA-256 of the stored bytes, by a pass of its own: whether a file is as the ledger has it must
/// be known before its first record is.
fn hash(job: &Job, context: &Context<'_>) -> io::Result<[u8; 32]> {
    let mut stream = inflate::stored(job.file.open()?, context.options.inflate);
    let mut hasher = Sha256::new();
    let mut buf = vec![0_u8; 1 << 20];
    loop {
        match stream.read(&mut buf) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(n_bytes) => hasher.update(buf.get(..n_bytes).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Streaming {
    pub(super) fn job(&self) -> &Arc<Job> {
        &self.job
    }

    pub(super) fn seq(&self) -> u32 {
        self.meta.seq
    }

    /// The same file in the next round.
    pub(super) fn go_on(mut self, seq: u32) -> Self {
        self.from = self.n_items.max(self.from);
        self.meta = Arc::new(worker::file_meta(&self.job, seq));
        self
    }

    /// The records of this round.
    pub(super) fn part(&mut self) -> Part {
        Part {
            job: Arc::clone(&self.job),
            seq: self.meta.seq,
            from: self.from,
            to: self.n_items.max(self.from),
            stored_bytes: self.stream.newly_read(),
            ending: None,
        }
    }

    /// Frames and hands over windows until the file ends or the round is full.
    pub(super) fn run(
        &mut self,
        sender: &Sender<Task>,
        gauge: &Gauge,
        target: i64,
        context: &Context<'_>,
        rejects: &mut Vec<Reject>,
    ) -> Step {
        loop {
            if gauge.is_stopped_before(self.meta.seq) || context.is_cancelled() {
                return Step::Dropped;
            }
            if let Err(error) = self.fill() {
                if context.ends_at(&self.job.file, &error) {
                    gauge.stop_before(self.meta.seq);
                    return Step::Dropped;
                }
                return Step::Ended(self.end(worker::unreadable(&error)));
            }
            let last = self.at_end && !self.fault.as_ref().is_some_and(|fault| fault.over_limit);
            let (records, consumed) = self.frame(last, rejects, gauge);
            if consumed == 0 && !self.at_end {
                // What is there is less than a record.
                let longer = self.buf.len().saturating_mul(2);
                self.buf.resize(longer, 0);
                continue;
            }
            let reserved = i64::try_from(consumed + records.len() * ROW_BYTES).unwrap_or(i64::MAX);
            let bytes = self.advance(consumed);
            if !records.is_empty() {
                gauge.add(reserved);
                let meta = Arc::clone(&self.meta);
                if sender.send(Task::Window { meta, bytes, records, reserved }).is_err() {
                    return Step::Dropped;
                }
            }
            if self.at_end && (last || consumed == 0 || self.filled == 0) {
                return self.finish(gauge, context);
            }
            if gauge.bytes() >= target {
                return Step::Full;
            }
        }
    }

    /// Fills the window as far as there is something.
    fn fill(&mut self) -> io::Result<()> {
        while !self.at_end && self.filled < self.buf.len() {
            match self.stream.read(self.buf.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => self.at_end = true,
                Ok(n_bytes) => self.filled += n_bytes,
                Err(error) => {
                    self.fault = Some(Fault::of(&error).cloned().ok_or(error)?);
                    self.at_end = true;
                }
            }
        }
        Ok(())
    }

    /// Finds the records of the window; gives how much of it is done with.
    fn frame(
        &mut self,
        last: bool,
        rejects: &mut Vec<Reject>,
        gauge: &Gauge,
    ) -> (Vec<Found>, usize) {
        let Self { framer, buf, filled, n_items, from, meta, stream, .. } = self;
        let window = buf.get(..*filled).unwrap_or_default();
        let mut records = Vec::new();
        let consumed = framer.feed(window, last, &mut |item| {
            *n_items = n_items.saturating_add(1);
            if *n_items <= *from {
                return;
            }
            let record_no = *n_items;
            match item {
                Item::Record { json, offset, shape, envelope } => {
                    let appended = stream.is_appended(offset);
                    let text = match json {
                        Cow::Borrowed(text) => within(window, text),
                        Cow::Owned(text) => Text::Apart(text),
                    };
                    records.push(Found { text, record_no, offset, appended, shape, envelope });
                }
                Item::Reject { text, offset, length, reject } => {
                    gauge.add(i64::try_from(text.len()).unwrap_or(i64::MAX));
                    rejects.push(Reject {
                        seq: meta.seq,
                        record_no,
                        offset,
                        length,
                        appended: stream.is_appended(offset),
                        shape: None,
                        why: reject,
                        text: text.into_owned(),
                    });
                }
            }
        });
        (records, consumed.min(*filled))
    }

    /// Moves what is not framed to a window of its own, and gives the one that is.
    fn advance(&mut self, consumed: usize) -> Vec<u8> {
        let rest = self.buf.get(consumed..self.filled).unwrap_or_default();
        let mut next = vec![0; WINDOW_BYTES.max(rest.len())];
        if let Some(front) = next.get_mut(..rest.len()) {
            front.copy_from_slice(rest);
        }
        self.filled = rest.len();
        std::mem::replace(&mut self.buf, next)
    }

    fn finish(&mut self, gauge: &Gauge, context: &Context<'_>) -> Step {
        let framer = std::mem::replace(&mut self.framer, Framer::new(context.options.limits));
        let ending = match self.stream.finish() {
            Ok(digest) => worker::ending(framer.finish(), digest, self.fault.take()),
            Err(error) if context.ends_at(&self.job.file, &error) => {
                gauge.stop_before(self.meta.seq);
                return Step::Dropped;
            }
            Err(error) => worker::unreadable(&error),
        };
        Step::Ended(self.end(ending))
    }

    fn end(&mut self, ending: Ending) -> Part {
        Part { ending: Some(Ending { head: self.head.clone(), ..ending }), ..self.part() }
    }
}

/// Where `text` lies in `window`.
fn within(window: &[u8], text: &[u8]) -> Text {
    let start = (text.as_ptr() as usize).checked_sub(window.as_ptr() as usize);
    match start.map(|start| start..start + text.len()) {
        Some(range) if range.end <= window.len() => Text::Within(range),
        _ => Text::Apart(text.to_vec()),
    }
}
