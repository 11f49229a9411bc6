//! A worker: files and windows in, rows out.

use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering},
};

use crossbeam_channel::Receiver;

use super::{
    inflate::{self, Digest, Fault, Scratch, Whole},
    ledger::Outcome,
    plan::{Job, Mode},
    round::{CLOUDTRAIL, Context, Ending, Gauge, Part},
};
use crate::{
    logs::{
        self,
        cloudtrail::{
            decode::{Decoder, FileMeta, RecordMeta, Rows},
            envelope::{Framer, Item, Kind, Shape},
        },
    },
    source::plain_text,
};

/// Decoded bytes after which a worker's rows become a batch: offsets stay small, and no buffer
/// doubles beyond it.
const BATCH_BYTES: usize = 16 << 20;

/// Something to do.
pub(super) enum Task {
    /// A file to read whole.
    File {
        job: Arc<Job>,
        seq: u32,
        /// What the round reckons it to decode to.
        reserved: i64,
    },
    /// A stretch of a large file, framed.
    Window {
        meta: Arc<FileMeta>,
        bytes: Vec<u8>,
        records: Vec<Found>,
        /// What the round reckons it to decode to.
        reserved: i64,
    },
}

/// A record in a window.
pub(super) struct Found {
    pub(super) text: Text,
    pub(super) record_no: u32,
    pub(super) offset: u64,
    pub(super) appended: bool,
    pub(super) shape: Shape,
    pub(super) envelope: Option<String>,
}

/// A record's JSON: in the window, or unescaped from it.
pub(super) enum Text {
    Within(Range<usize>),
    Apart(Vec<u8>),
}

/// A record that could not be written.
#[derive(Debug, Clone)]
pub(super) struct Reject {
    pub(super) seq: u32,
    pub(super) record_no: u32,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) appended: bool,
    pub(super) shape: Option<Shape>,
    pub(super) why: logs::Reject,
    pub(super) text: Vec<u8>,
}

/// What a worker did in a round.
#[derive(Default)]
pub(super) struct Output {
    pub(super) events: Vec<Arc<Rows>>,
    pub(super) aggregated: Vec<Arc<Rows>>,
    pub(super) parts: Vec<Part>,
    pub(super) rejects: Vec<Reject>,
    /// Files that must be read in another way.
    pub(super) stops: Vec<(u32, Mode)>,
}

/// Works until there is nothing more to do in the round.
pub(super) fn run(tasks: &Receiver<Task>, context: &Context<'_>, gauge: &Gauge) -> Output {
    let mut worker = Worker {
        context,
        decoder: Decoder::new(context.options.limits),
        scratch: Scratch::default(),
        reject_bytes: 0,
        taken_bytes: 0,
        output: Output::default(),
    };
    let mut counted = 0_i64;
    for task in tasks {
        let reserved = match task {
            Task::File { seq, reserved, .. } if gauge.is_stopped_before(seq) => reserved,
            Task::Window { meta, reserved, .. } if gauge.is_stopped_before(meta.seq) => reserved,
            Task::File { job, seq, reserved } => {
                worker.file(&job, seq, gauge);
                reserved
            }
            Task::Window { meta, bytes, records, reserved } => {
                worker.window(&meta, &bytes, records);
                reserved
            }
        };
        let held = worker.held_bytes();
        gauge.add(held - counted - reserved);
        counted = held;
        worker.take_if(BATCH_BYTES);
    }
    worker.take_if(0);
    worker.output
}

struct Worker<'a> {
    context: &'a Context<'a>,
    decoder: Decoder,
    scratch: Scratch,
    reject_bytes: usize,
    taken_bytes: usize,
    output: Output,
}

impl Worker<'_> {
    fn held_bytes(&self) -> i64 {
        let n_bytes = self.taken_bytes + self.decoder.bytes() + self.reject_bytes;
        i64::try_from(n_bytes).unwrap_or(i64::MAX)
    }

    fn take_if(&mut self, n_bytes: usize) {
        let held = self.decoder.bytes();
        if held < n_bytes || self.decoder.rows() == 0 {
            return;
        }
        self.taken_bytes += held;
        let decoded = self.decoder.take();
        self.output.events.extend(decoded.events.map(Arc::new));
        self.output.aggregated.extend(decoded.aggregated.map(Arc::new));
    }

    /// Reads a file whole; or says how it must be read instead.
    fn file(&mut self, job: &Arc<Job>, seq: u32, gauge: &Gauge) {
        let mut part = Part {
            job: Arc::clone(job),
            seq,
            from: job.settled.records_done,
            to: job.settled.records_done,
            stored_bytes: job.file.size_bytes,
            ending: None,
        };
        let options = self.context.options;
        let size_hint = job.file.size_bytes;
        let max_bytes = self.context.whole_bytes();
        // The scratch is borrowed by what it holds while the decoder works.
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut head = None;
        let whole = job.file.open().and_then(|mut stored| {
            head = stored.head.take().map(Arc::new);
            inflate::whole(stored, size_hint, max_bytes, options.inflate, &mut scratch)
        });
        if let Some(size_bytes) = head.as_ref().and_then(|head| head.size_bytes) {
            part.stored_bytes = size_bytes;
        }
        let mode = match whole {
            Ok(Whole::TooBig) => Some(Mode::Stream),
            Ok(Whole::Archive) => Some(Mode::Archive),
            Err(error) if self.context.ends_at(&job.file, &error) => Some(job.mode),
            Ok(Whole::Foreign(name, digest)) => {
                part.ending = Some(foreign(name, Some(digest)));
                None
            }
            Ok(Whole::Data { digest, .. }) if job.same_as == Some(digest.sha256) => {
                part.ending = Some(Ending { digest: Some(digest), ..Ending::default() });
                None
            }
            Ok(Whole::Data { data, digest, first_member_end, fault }) => {
                let read = self.read(&mut part, data, first_member_end, fault.as_ref());
                part.ending = Some(ending(read, digest, fault));
                None
            }
            Err(error) => {
                part.ending = Some(unreadable(&error));
                None
            }
        };
        self.scratch = scratch;
        if let Some(ending) = &mut part.ending {
            ending.head = head;
        }
        match mode {
            Some(mode) => {
                self.output.stops.push((seq, mode));
                gauge.stop_before(seq);
            }
            None => self.output.parts.push(part),
        }
    }

    /// Frames and decodes a file's bytes.
    fn read(
        &mut self,
        part: &mut Part,
        data: &[u8],
        first_member_end: u64,
        fault: Option<&Fault>,
    ) -> (Kind, Option<String>) {
        let meta = file_meta(&part.job, part.seq);
        let mut framer = Framer::new(self.context.options.limits);
        // Behind a limit lies more: the record that it cuts is none that is damaged.
        let last = !fault.is_some_and(|fault| fault.over_limit);
        let mut n_items = 0_u32;
        let mut done = 0_usize;
        loop {
            let rest = data.get(done..).unwrap_or_default();
            let consumed = framer.feed(rest, last, &mut |item| {
                n_items = n_items.saturating_add(1);
                if n_items <= part.from {
                    return;
                }
                let (meta, record_no) = (&meta, n_items);
                match item {
                    Item::Record { json, offset, shape, envelope } => {
                        let appended = offset >= first_member_end;
                        let envelope = envelope.as_deref();
                        let record = RecordMeta { record_no, offset, appended, shape, envelope };
                        self.push(meta, &record, &json);
                    }
                    Item::Reject { text, offset, length, reject } => {
                        let appended = offset >= first_member_end;
                        self.reject_bytes += text.len();
                        self.output.rejects.push(Reject {
                            seq: meta.seq,
                            record_no,
                            offset,
                            length,
                            appended,
                            shape: None,
                            why: reject,
                            text: text.into_owned(),
                        });
                    }
                }
            });
            done += consumed;
            if consumed == 0 || last || done >= data.len() {
                break;
            }
        }
        part.to = n_items.max(part.from);
        framer.finish()
    }

    fn push(&mut self, meta: &FileMeta, record: &RecordMeta<'_>, json: &[u8]) {
        if let Err(why) = self.decoder.push(meta, record, json) {
            self.reject_bytes += json.len();
            self.output.rejects.push(Reject {
                seq: meta.seq,
                record_no: record.record_no,
                offset: record.offset,
                length: json.len() as u64,
                appended: record.appended,
                shape: Some(record.shape),
                why,
                text: json.to_vec(),
            });
        }
    }

    /// Decodes a stretch of a large file.
    fn window(&mut self, meta: &FileMeta, bytes: &[u8], records: Vec<Found>) {
        for found in records {
            let record = RecordMeta {
                record_no: found.record_no,
                offset: found.offset,
                appended: found.appended,
                shape: found.shape,
                envelope: found.envelope.as_deref(),
            };
            match &found.text {
                Text::Within(range) => {
                    self.push(meta, &record, bytes.get(range.clone()).unwrap_or_default());
                }
                Text::Apart(text) => self.push(meta, &record, text),
            }
        }
        if self.context.progress.cancelled.load(Ordering::Relaxed) {
            // The round is dropped: make room.
            self.decoder.take();
        }
    }
}

/// What the decoder is told of a file.
pub(super) fn file_meta(job: &Job, seq: u32) -> FileMeta {
    FileMeta {
        seq,
        source_file: Arc::clone(&job.file.uri),
        source_version: job.version,
        key: (*job.file.key).clone(),
    }
}

/// A file that cannot be opened, or ended in an error while it was read.
pub(super) fn unreadable(error: &std::io::Error) -> Ending {
    Ending::unread(format!("cannot be read: {}", plain_text(error)))
}

/// A file packed by something else.
pub(super) fn foreign(name: &str, digest: Option<Digest>) -> Ending {
    Ending::damaged(inflate::foreign_reason(name), None, digest)
}

/// How a file ended whose bytes were read: what ended them early is told before what that did to
/// the records.
pub(super) fn ending(
    (kind, wrapper): (Kind, Option<String>),
    digest: Digest,
    fault: Option<Fault>,
) -> Ending {
    let ending = match (kind, fault) {
        (kind, Some(fault)) => Ending {
            kind: matches!(kind, Kind::CloudTrail).then_some(CLOUDTRAIL.into()),
            limits_reached: fault.over_limit,
            ..Ending::damaged(fault.reason, Some(digest.inflated_bytes), None)
        },
        (Kind::CloudTrail, None) => Ending {
            outcome: Some(Outcome::Ingested),
            kind: Some(CLOUDTRAIL.into()),
            ..Ending::default()
        },
        (Kind::Other(kind), None) => Ending::other(kind),
        (Kind::Damaged { offset, reason }, None) => Ending::damaged(reason, Some(offset), None),
    };
    Ending { wrapper, digest: Some(digest), ..ending }
}
