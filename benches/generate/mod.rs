//! Writes archives of CloudTrail records of our own making, as much as is asked for.
//!
//! For benches and tests, which include it by path:
//!
//! ```text
//! #[path = "../../benches/generate/mod.rs"]
//! mod generate;
//!
//! let options = generate::Options { events: 20_000, seed: 7, ..generate::Options::default() };
//! let summary = generate::write(&options, directory)?;
//! ```
//!
//! and as a program: `cargo run --release --example generate -- --help`.
//!
//! The bytes depend on the options alone: not on the machine, the clock or the number of threads.
//! Everything that looks random comes from the seed; a file can be written without those before it.
//! The mix: about six in ten calls only read; a fifth come from AWS's own services; users, roles,
//! buckets, errors and APIs (some 3,600) have long tails; AssumeRole issues credentials that later
//! calls use, in the same file, in later ones, and across accounts (joined by `sharedEventID`); a
//! quarter are S3 and Lambda data events; a record has about 1.2 KB, one in four thousand 20 to
//! 60 KB. Documentation accounts and addresses only.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each of its users includes it as a private module and uses a part of it"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::doc_markdown,
    reason = "test data: indices come from tables of known length, numbers are small, API names are words"
)]

mod apis;
mod event;
mod plan;
mod random;
mod text;
mod world;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use event::Writer;
use plan::File;
use world::World;

/// How events are spread over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Many small files and a few large ones, about 300 events each on average.
    Default,
    /// Three to seven events each.
    Tiny,
    /// All in one plain file, `archive.json`.
    Single,
}

/// What to write.
#[derive(Debug, Clone)]
pub struct Options {
    /// Distinct events.
    pub events: u64,
    /// What everything depends on.
    pub seed: u64,
    /// Accounts that deliver.
    pub accounts: usize,
    /// Regions they deliver from, at most twelve.
    pub regions: usize,
    /// The days over which the events are spread.
    pub days: u32,
    /// When they start, in seconds since 1970.
    pub start: i64,
    /// How they are spread over files.
    pub mix: Mix,
    /// Gzipped files, or plain ones.
    pub gz: bool,
    /// Copies of records delivered again in a later file, per million events.
    pub duplicates_ppm: u64,
    /// Threads; 0 for as many as cores.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            events: 100_000,
            seed: 1,
            accounts: 8,
            regions: 5,
            days: 60,
            start: 1_704_067_200, // 2024-01-01
            mix: Mix::Default,
            gz: true,
            duplicates_ppm: 0,
            threads: 0,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files.
    pub files: u64,
    /// Distinct events.
    pub events: u64,
    /// Copies of them.
    pub duplicates: u64,
    /// Bytes of JSON.
    pub raw_bytes: u64,
    /// Bytes on disk.
    pub stored_bytes: u64,
}

/// Writes the archive of `options` below `dir`.
///
/// # Errors
/// A file or directory cannot be written.
pub fn write(options: &Options, dir: &Path) -> io::Result<Summary> {
    let world = World::new(options.seed, options.accounts.max(1));
    let files = plan::files(options, &world);
    let archive = Archive { options, world: &world, files: &files };
    fs::create_dir_all(dir)?;
    if options.mix == Mix::Single { archive.single(dir) } else { archive.tree(dir) }
}

struct Archive<'a> {
    options: &'a Options,
    world: &'a World,
    files: &'a [File],
}

impl Archive<'_> {
    fn threads(&self) -> usize {
        match self.options.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }

    /// A file's own records and the copies, separated by commas.
    fn records(&self, out: &mut Vec<u8>, file: &File) -> usize {
        let writer = Writer::new(self.world, self.options.seed);
        writer.records(out, self.files, file, usize::MAX);
        let Some(before) = file.before.and_then(|n| self.files.get(n)) else { return 0 };
        let copies = file.copies.min(before.events);
        if copies > 0 {
            out.push(b',');
            writer.records(out, self.files, before, copies);
        }
        copies
    }

    /// A directory tree in the S3 key layout.
    fn tree(&self, dir: &Path) -> io::Result<Summary> {
        self.make_directories(dir)?;
        let next = AtomicUsize::new(0);
        let parts = Parts::default();
        let (failed, gz) = (Mutex::new(None), self.options.gz);
        thread::scope(|scope| {
            for _ in 0..self.threads() {
                scope.spawn(|| {
                    let mut compressor = libdeflater::Compressor::new(level());
                    let (mut raw, mut stored) = (Vec::new(), Vec::new());
                    while let Some(file) = self.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        raw.clear();
                        raw.extend_from_slice(b"{\"Records\":[");
                        let copies = self.records(&mut raw, file);
                        raw.extend_from_slice(b"]}");
                        let bytes =
                            if gz { compress(&mut compressor, &raw, &mut stored) } else { &raw };
                        parts.add(file, copies, raw.len(), bytes.len());
                        let path = dir.join(file.key(self.world, self.options.seed, gz));
                        if let Err(error) = fs::write(path, bytes) {
                            failed
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .get_or_insert(error);
                            break;
                        }
                    }
                });
            }
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(parts.summary(self.files.len() as u64)),
        }
    }

    fn make_directories(&self, dir: &Path) -> io::Result<()> {
        let mut made = std::collections::BTreeSet::new();
        for file in self.files {
            let key = file.key(self.world, self.options.seed, self.options.gz);
            let parent = PathBuf::from(&key).parent().map(Path::to_path_buf).unwrap_or_default();
            if !made.contains(&parent) {
                fs::create_dir_all(dir.join(&parent))?;
                made.insert(parent);
            }
        }
        Ok(())
    }

    /// One plain file: parts are made in parallel and written in order.
    fn single(&self, dir: &Path) -> io::Result<Summary> {
        let mut sink = fs::File::create(dir.join("archive.json"))?;
        let parts = Parts::default();
        io::Write::write_all(&mut sink, b"{\"Records\":[")?;
        for (n, group) in self.files.chunks(self.threads() * 2).enumerate() {
            let made: Vec<Vec<u8>> = thread::scope(|scope| {
                let running: Vec<_> = group
                    .iter()
                    .map(|file| {
                        let parts = &parts;
                        scope.spawn(move || {
                            let mut raw = Vec::new();
                            let copies = self.records(&mut raw, file);
                            parts.add(file, copies, raw.len() + 1, raw.len() + 1);
                            raw
                        })
                    })
                    .collect();
                running.into_iter().map(|t| t.join().unwrap_or_default()).collect()
            });
            for (k, raw) in made.iter().enumerate() {
                if n + k > 0 {
                    io::Write::write_all(&mut sink, b",")?;
                }
                io::Write::write_all(&mut sink, raw)?;
            }
        }
        io::Write::write_all(&mut sink, b"]}")?;
        Ok(parts.summary(1))
    }
}

fn level() -> libdeflater::CompressionLvl {
    libdeflater::CompressionLvl::new(4).unwrap_or_default()
}

/// Gzips `raw` into `stored`.
fn compress<'b>(
    compressor: &mut libdeflater::Compressor,
    raw: &[u8],
    stored: &'b mut Vec<u8>,
) -> &'b [u8] {
    stored.resize(compressor.gzip_compress_bound(raw.len()), 0);
    let n = compressor.gzip_compress(raw, stored).unwrap_or(0);
    &stored[..n]
}

/// Counts that threads add to.
#[derive(Default)]
struct Parts {
    events: AtomicU64,
    duplicates: AtomicU64,
    raw: AtomicU64,
    stored: AtomicU64,
}

impl Parts {
    fn add(&self, file: &File, copies: usize, raw: usize, stored: usize) {
        self.events.fetch_add(file.events as u64, Ordering::Relaxed);
        self.duplicates.fetch_add(copies as u64, Ordering::Relaxed);
        self.raw.fetch_add(raw as u64, Ordering::Relaxed);
        self.stored.fetch_add(stored as u64, Ordering::Relaxed);
    }

    fn summary(&self, files: u64) -> Summary {
        Summary {
            files,
            events: self.events.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            raw_bytes: self.raw.load(Ordering::Relaxed),
            stored_bytes: self.stored.load(Ordering::Relaxed),
        }
    }
}

/// Seconds since 1970 of `2024-01-01`.
pub fn parse_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let valid =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    valid.then(|| text::days_of(text::Date { year, month, day }) * 86_400)
}
