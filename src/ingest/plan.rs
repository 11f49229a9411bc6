//! The plan: which files are read, in which order, and what the ledger already has of them.

use std::{
    io::{self, Read as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use sha2::{Digest as _, Sha256};

use super::{
    Progress,
    inflate::{self, Fault, Opened, Stream},
    ledger::{Ledger, Outcome, Prior, Settled, Verdict},
    round::{Context, Ending, Part},
};
use crate::{
    aws::s3::Head,
    source::{
        LogFile, Stored, Unread, Why, Window,
        archive::{self, Format, Members},
        plain_text,
    },
};

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// By its size: whole in a worker, or streamed.
    Auto,
    /// Streamed, whatever its size says.
    Stream,
    /// As an archive, if it is one.
    Archive,
}

/// One file of the plan.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) file: LogFile,
    pub(super) version: i32,
    /// The row of the ledger this was planned upon.
    pub(super) prior: Option<Prior>,
    pub(super) settled: Settled,
    /// The content that the ledger has for this URI.
    pub(super) same_as: Option<[u8; 32]>,
    pub(super) mode: Mode,
    /// The archive it is a member of.
    pub(super) container: Option<Arc<Container>>,
}

/// An archive whose members are in the plan. It is done with when they are.
#[derive(Debug)]
pub(super) struct Container {
    /// Its own row of the ledger, written with the last member's.
    pub(super) job: Arc<Job>,
    pub(super) ending: Ending,
    /// Members that are not settled yet.
    open: AtomicU64,
    /// Whether a member was left out or may be read next time: then the archive gets no row,
    /// and is looked into again.
    is_incomplete: AtomicBool,
    /// Whether a member reached a limit.
    limits_reached: AtomicBool,
}

impl Container {
    /// Settles one member; gives the archive's row when it was the last.
    pub(super) fn settle(&self, member: &Ending) -> Option<(Arc<Job>, Ending)> {
        if member.may_change {
            self.is_incomplete.store(true, Ordering::Relaxed);
        }
        if member.limits_reached {
            self.limits_reached.store(true, Ordering::Relaxed);
        }
        (self.open.fetch_sub(1, Ordering::Relaxed) == 1).then(|| self.row())
    }

    fn row(&self) -> (Arc<Job>, Ending) {
        let mut ending = self.ending.clone();
        ending.limits_reached |= self.limits_reached.load(Ordering::Relaxed);
        ending.may_change |= self.is_incomplete.load(Ordering::Relaxed);
        (Arc::clone(&self.job), ending)
    }
}

/// What is still to be read, in plan order.
///
/// A stack of lists: the members of an archive that is opened on the way go on top.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lists: Vec<std::vec::IntoIter<Job>>,
    /// How many of the next files their stores were told of.
    n_prepared: usize,
}

/// Files of which stores are told ahead, at most.
const MAX_PREPARED: usize = 1 << 15;

impl Queue {
    pub(super) fn new(jobs: Vec<Job>) -> Self {
        Self { lists: vec![jobs.into_iter()], n_prepared: 0 }
    }

    /// Tells stores what comes next, as far as they take note of it.
    pub(super) fn prepare(&mut self) {
        let ahead = self.lists.iter().rev().flat_map(std::vec::IntoIter::as_slice);
        for job in ahead.skip(self.n_prepared) {
            let is_noted = job.mode != Mode::Auto || job.file.opener.prepare(&job.file);
            if !is_noted || self.n_prepared >= MAX_PREPARED {
                return;
            }
            self.n_prepared += 1;
        }
    }

    /// The next file.
    pub(super) fn pop(&mut self) -> Option<Job> {
        self.n_prepared = self.n_prepared.saturating_sub(1);
        loop {
            match self.lists.last_mut()?.next() {
                Some(job) => return Some(job),
                None => drop(self.lists.pop()),
            }
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.lists.iter().all(|list| list.as_slice().is_empty())
    }

    /// Puts `jobs` before everything else.
    pub(super) fn push(&mut self, jobs: Vec<Job>) {
        if !jobs.is_empty() {
            // Some of them may have been read before; to be told twice does no harm.
            self.n_prepared = 0;
            self.lists.push(jobs.into_iter());
        }
    }
}

/// What planning found: files to read, and what is settled without reading.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) jobs: Vec<Job>,
    /// Rows of the ledger that need no reading.
    pub(super) parts: Vec<Part>,
    /// Files that are as the ledger has them.
    pub(super) n_unchanged: u64,
    /// Faults and others that are in the ledger already: only for the report.
    pub(super) known: Vec<(Arc<str>, Why)>,
}

impl Planned {
    /// Adds `files` and `unread` as the ledger judges them.
    pub(super) fn add(
        &mut self,
        files: Vec<LogFile>,
        unread: Vec<Unread>,
        container: Option<&Arc<Container>>,
        ledger: &Ledger,
    ) {
        self.jobs.reserve(files.len());
        for file in files {
            match ledger.judge(&file) {
                Verdict::Unchanged => self.n_unchanged += 1,
                Verdict::UnchangedArchive(n_members) => self.n_unchanged += n_members,
                Verdict::Read { version, prior, settled, same_as } => {
                    let mode = if file.once || file.is_archive_by_name() {
                        Mode::Archive
                    } else {
                        Mode::Auto
                    };
                    let container = container.map(Arc::clone);
                    self.jobs.push(Job { file, version, prior, settled, same_as, mode, container });
                }
            }
        }
        for unread in unread {
            self.unread(unread, ledger);
        }
    }

    /// Opens the archives that can be read in place, so that their members stand in the plan
    /// where their days put them. Others are opened when their turn comes: spooling them all at
    /// once could fill the disk.
    pub(super) fn expand_local(&mut self, context: &Context<'_>) {
        let is_local = |job: &mut Job| {
            let name = job.file.uri.to_ascii_lowercase();
            let in_place = [".zip", ".tar"].iter().any(|end| name.ends_with(end));
            in_place && !job.file.once && !job.file.opener.is_remote()
        };
        let archives: Vec<Job> = self.jobs.extract_if(.., is_local).collect();
        if archives.is_empty() {
            return;
        }
        for job in archives {
            match expand(job, context) {
                Expanded::Archive(mut planned) => {
                    self.jobs.append(&mut planned.jobs);
                    self.parts.append(&mut planned.parts);
                    self.known.append(&mut planned.known);
                    self.n_unchanged += planned.n_unchanged;
                }
                Expanded::File(job) => self.jobs.push(job),
                Expanded::Settled(part) => self.parts.push(part),
                Expanded::Ended => {}
            }
        }
        self.jobs.sort_by(|a, b| a.file.plan_order(&b.file));
    }

    fn unread(&mut self, unread: Unread, ledger: &Ledger) {
        let (outcome, text) = match &unread.why {
            Why::Fault(reason) => (Outcome::Skipped, reason.clone()),
            Why::Other(kind) => (Outcome::Other, kind.clone()),
        };
        if ledger.says(&unread.uri, outcome, &text) {
            match outcome {
                Outcome::Other => self.n_unchanged += 1,
                _ => self.known.push((unread.uri, unread.why)),
            }
            return;
        }
        let prior = ledger.prior(&unread.uri);
        let ending = match unread.why {
            Why::Fault(reason) => Ending::unread(reason),
            Why::Other(kind) => Ending::other(kind),
        };
        let job = Job {
            version: prior.map_or(1, |prior| prior.version),
            prior,
            settled: Settled::default(),
            same_as: None,
            mode: Mode::Auto,
            container: None,
            file: LogFile {
                container: unread.container,
                ..LogFile::new(unread.uri, unread.source, Arc::new(Never))
            },
        };
        self.parts.push(Part::settled(Arc::new(job), ending));
    }
}

/// Opens what is not opened.
struct Never;

impl crate::source::Open for Never {
    fn open(&self, _file: &LogFile) -> io::Result<Stored> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// What looking into a file that may be an archive gave.
pub(super) enum Expanded {
    /// It is one: its members, judged.
    Archive(Planned),
    /// It is none, or it cannot be spooled: how to go on.
    File(Job),
    /// It is settled.
    Settled(Part),
    /// Nothing more can be read, this or any other.
    Ended,
}

/// Looks into a file that may be an archive; spools what cannot be read in place.
pub(super) fn expand(mut job: Job, context: &Context<'_>) -> Expanded {
    if job.file.once {
        match spool_once(&job.file, context) {
            Ok(file) => {
                let judged = context.ledger.judge(&file);
                job.file = file;
                if let Verdict::Read { version, prior, settled, same_as } = judged {
                    job = Job { version, prior, settled, same_as, ..job };
                }
            }
            Err(error) => return unreadable(job, &error, context),
        }
    }
    match look(&job, context) {
        Ok(Look::Plain) => Expanded::File(Job { mode: Mode::Auto, ..job }),
        Ok(Look::Archive { format, window, digest, head, fault }) => {
            let ending = Ending { digest: Some(digest), head, ..Ending::archive(format.kind()) };
            members(job, format, &window, ending, fault, context)
        }
        Err(error) => unreadable(job, &error, context),
    }
}

fn unreadable(job: Job, error: &io::Error, context: &Context<'_>) -> Expanded {
    if context.ends_at(&job.file, error) {
        return Expanded::Ended;
    }
    let reason = format!("cannot be read: {}", plain_text(error));
    Expanded::Settled(Part::settled(Arc::new(job), Ending::unread(reason)))
}

/// What the front of a file says.
enum Look {
    Plain,
    Archive {
        format: Format,
        window: Window,
        digest: inflate::Digest,
        /// What the store said of it.
        head: Option<Arc<Head>>,
        /// What ended its bytes early.
        fault: Option<Fault>,
    },
}

fn look(job: &Job, context: &Context<'_>) -> io::Result<Look> {
    let limits = context.options.inflate;
    let mut stored = job.file.open()?;
    let head = stored.head.take().map(Arc::new);
    let format_and_stream = match inflate::open(stored, limits) {
        Opened::Archive(format, stream) => (format, stream),
        Opened::Data(_) | Opened::Foreign(_) => return Ok(Look::Plain),
    };
    let (format, mut stream) = format_and_stream;
    if let Some(window) = job.file.opener.window(&job.file)? {
        let mut front = Vec::with_capacity(archive::SNIFF_BYTES);
        let wanted = archive::SNIFF_BYTES as u64;
        io::copy(&mut window.reader()?.take(wanted), &mut front)?;
        if archive::sniff(&front) == Some(format) {
            let digest = hash(&window, context.progress)?;
            return Ok(Look::Archive { format, window, digest, head, fault: None });
        }
    }
    let (window, digest, fault) = spool(&mut stream, context)?;
    Ok(Look::Archive { format, window, digest, head, fault })
}

/// Hashes an archive that is read in place.
fn hash(window: &Window, progress: &Progress) -> io::Result<inflate::Digest> {
    let mut reader = window.reader()?;
    let mut hasher = Sha256::new();
    let mut buf = vec![0_u8; 1 << 20];
    loop {
        let n_bytes = reader.read(&mut buf)?;
        if n_bytes == 0 || progress.cancelled.load(Ordering::Relaxed) {
            break;
        }
        hasher.update(buf.get(..n_bytes).unwrap_or_default());
    }
    Ok(inflate::Digest { sha256: hasher.finalize().into(), ..inflate::Digest::default() })
}

/// Writes the bytes of a stream to a file without a name in the directory of spools.
fn spool(
    stream: &mut Stream,
    context: &Context<'_>,
) -> io::Result<(Window, inflate::Digest, Option<Fault>)> {
    let mut file = tempfile::tempfile_in(&context.options.temp_dir)?;
    let mut fault = None;
    let mut buf = vec![0_u8; 1 << 20];
    let mut len = 0_u64;
    loop {
        match stream.read(&mut buf) {
            Ok(0) => break,
            Ok(n_bytes) => {
                io::Write::write_all(&mut file, buf.get(..n_bytes).unwrap_or_default())?;
                len += n_bytes as u64;
            }
            Err(error) => {
                fault = Some(Fault::of(&error).cloned().ok_or(error)?);
                break;
            }
        }
        if context.progress.cancelled.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
    let digest = stream.finish()?;
    Ok((Window::of_spool(file, len), digest, fault))
}

/// Spools what can be read but once.
fn spool_once(file: &LogFile, context: &Context<'_>) -> io::Result<LogFile> {
    let mut stored = file.open()?;
    let mut spool = tempfile::tempfile_in(&context.options.temp_dir)?;
    let max_bytes = context.options.inflate.max_bytes;
    let len = io::copy(&mut (&mut stored.reader).take(max_bytes), &mut spool)?;
    if len == max_bytes {
        return Err(io::Error::other(format!("it is longer than {max_bytes} bytes")));
    }
    Ok(archive::spooled(file, Window::of_spool(spool, len)))
}

fn members(
    job: Job,
    format: Format,
    window: &Window,
    ending: Ending,
    fault: Option<Fault>,
    context: &Context<'_>,
) -> Expanded {
    if job.same_as.is_some() && job.same_as == ending.digest.as_ref().map(|digest| digest.sha256) {
        let n_members = context.ledger.n_members_of(&job.file.uri);
        let touched = Ending { outcome: None, ..ending };
        return Expanded::Archive(Planned {
            parts: vec![Part::settled(Arc::new(job), touched)],
            n_unchanged: n_members,
            ..Planned::default()
        });
    }
    if job.file.depth >= archive::MAX_DEPTH {
        let reason =
            format!("archives nested more than {} deep are not opened", archive::MAX_DEPTH);
        return Expanded::Settled(Part::settled(
            Arc::new(job),
            Ending { head: ending.head, ..Ending::damaged(reason, None, ending.digest) },
        ));
    }
    let listed = match archive::expand(&job.file, window, format, &context.options.filter) {
        Ok(members) => members,
        Err(error)
            if error.kind() == io::ErrorKind::InvalidData
                || error.kind() == io::ErrorKind::UnexpectedEof =>
        {
            let reason = format!("damaged {}: {}", format.kind(), plain_text(&error));
            let head = ending.head;
            let ending = Ending { head, ..Ending::damaged(reason, None, ending.digest) };
            return Expanded::Settled(Part::settled(Arc::new(job), ending));
        }
        Err(error) => return unreadable(job, &error, context),
    };
    Expanded::Archive(settle_later(job, listed, ending, fault, context))
}

/// Puts the members into the plan; the archive's own row follows the last of them.
fn settle_later(
    job: Job,
    listed: Members,
    mut ending: Ending,
    fault: Option<Fault>,
    context: &Context<'_>,
) -> Planned {
    let head = ending.head.take();
    if let Some((offset, reason)) = listed.damage {
        ending = Ending::damaged(reason, Some(offset), ending.digest);
    }
    if let Some(fault) = fault {
        let offset = ending.digest.as_ref().map(|digest| digest.inflated_bytes);
        ending = Ending {
            limits_reached: fault.over_limit,
            ..Ending::damaged(fault.reason, offset, ending.digest)
        };
    }
    ending.may_change = listed.filtered;
    ending.head = head;
    let container = Arc::new(Container {
        job: Arc::new(job),
        ending,
        open: AtomicU64::new(1),
        is_incomplete: AtomicBool::new(false),
        limits_reached: AtomicBool::new(false),
    });
    let mut planned = Planned::default();
    planned.add(listed.files, listed.unread, Some(&container), context.ledger);
    container.open.fetch_add(planned.jobs.len() as u64, Ordering::Relaxed);
    if let Some((job, ending)) = container.settle(&Ending::archive("")) {
        planned.parts.push(Part::settled(job, ending));
    }
    planned
}
