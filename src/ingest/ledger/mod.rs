//! What the ledger knows of the files of a plan.

use std::collections::HashMap;

use arrow::{
    array::{
        Array, AsArray as _, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{Int32Type, Int64Type, TimestampMicrosecondType},
};

use super::InflateLimits;
use crate::{
    Result,
    cache::{Cache, Snapshot, Table},
    source::LogFile,
};

/// What became of a file. The words are those of the ledger's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ingested,
    Other,
    Skipped,
    /// The first records are in the cache, the rest are not yet.
    Partial,
    /// An archive all of whose members have rows of their own.
    Archive,
    /// Its rows were removed at the user's wish.
    Forgotten,
}

impl Outcome {
    const ALL: [Self; 6] =
        [Self::Ingested, Self::Other, Self::Skipped, Self::Partial, Self::Archive, Self::Forgotten];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ingested => "ingested",
            Self::Other => "other",
            Self::Skipped => "skipped",
            Self::Partial => "partial",
            Self::Archive => "archive",
            Self::Forgotten => "forgotten",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// The records of a file that are settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) read: u64,
    pub(super) written: u64,
    pub(super) duplicates: u64,
    pub(super) rejected: u64,
    /// The smallest and largest event time, in microseconds.
    pub(super) span: Option<(i64, i64)>,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.read += other.read;
        self.written += other.written;
        self.duplicates += other.duplicates;
        self.rejected += other.rejected;
        self.span = match (self.span, other.span) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }

    pub(super) fn time(&mut self, ts: i64) {
        let other = Self { span: (ts != i64::MIN).then_some((ts, ts)), ..Self::default() };
        self.add(other);
    }
}

/// The row of the ledger that a plan was made upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prior {
    pub(super) version: i32,
    pub(super) part: i32,
}

/// The number of the row that follows `prior` for the same content.
///
/// The row that first completes a file is always 0, whatever number of partial rows came before:
/// a run that was killed and repeated leaves the same ledger as one that was not.
pub(super) fn next_part(prior: Option<i32>, is_final: bool) -> i32 {
    match prior {
        Some(part) if part >= 0 => part.saturating_add(1),
        _ if is_final => 0,
        Some(part) => part.saturating_add(1).min(-1),
        None => i32::MIN,
    }
}

/// The latest row of a URI, as far as planning asks.
#[derive(Debug, Clone)]
struct Entry {
    prior: Prior,
    size_bytes: Option<u64>,
    modified_at: Option<i64>,
    etag: u64,
    sha256: Option<[u8; 32]>,
    outcome: Outcome,
    reason: u64,
    limits: u64,
    settled: Option<Box<Settled>>,
}

/// How far a file that is not done with has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Settled {
    pub(super) records_done: u32,
    pub(super) counts: Counts,
}

/// What to do with a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Nothing: it is as the ledger has it.
    Unchanged,
    /// Nothing: it is an archive, and so are all its members, of which there are so many.
    UnchangedArchive(u64),
    /// Read it.
    Read {
        version: i32,
        prior: Option<Prior>,
        settled: Settled,
        /// The content the ledger has for this URI, where the size alone does not tell it apart.
        same_as: Option<[u8; 32]>,
    },
}

/// The ledger in memory: the latest row of each URI, without its texts.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By a hash of the URI.
    entries: HashMap<u128, Entry>,
    /// How many files each archive has, nested ones counted with the archive they lie in.
    members: HashMap<u128, u64>,
    /// Archives within archives: (inner, outer).
    nested: Vec<(u128, u128)>,
    limits: u64,
}

const COLUMNS: [&str; 19] = [
    "uri",
    "container",
    "version",
    "part",
    "size_bytes",
    "modified_at",
    "etag",
    "sha256",
    "outcome",
    "reason",
    "limits",
    "records_done",
    "records_read",
    "records_written",
    "records_duplicate",
    "records_rejected",
    "first_event_at",
    "last_event_at",
    "kind",
];

impl Ledger {
    /// Reads the ledger of `snapshot`.
    pub(super) fn load(cache: &Cache, snapshot: &Snapshot, limits: InflateLimits) -> Result<Self> {
        let mut ledger = Self { limits: hash64(&limits_text(limits)), ..Self::default() };
        let mut containers: HashMap<u128, u128> = HashMap::new();
        cache.read(snapshot, Table::LogFiles, &COLUMNS, None, &mut |batch| {
            ledger.gather(&batch, &mut containers);
            Ok(())
        })?;
        for (uri, container) in containers {
            match ledger.entries.get(&uri).map(|entry| entry.outcome) {
                Some(Outcome::Archive) => ledger.nested.push((uri, container)),
                Some(Outcome::Forgotten) | None => {}
                Some(_) => *ledger.members.entry(container).or_default() += 1,
            }
        }
        Ok(ledger)
    }

    fn gather(&mut self, batch: &RecordBatch, containers: &mut HashMap<u128, u128>) {
        let columns = Columns { batch };
        for row in 0..batch.num_rows() {
            let Some(uri) = columns.text("uri", row) else { continue };
            let Some(outcome) = columns.text("outcome", row).and_then(Outcome::of) else {
                continue;
            };
            let prior = Prior {
                version: columns.small("version", row).unwrap_or(1),
                part: columns.small("part", row).unwrap_or(0),
            };
            let hash = hash128(uri);
            let newest = |known: &Entry| {
                (known.prior.version, known.prior.part) > (prior.version, prior.part)
            };
            if self.entries.get(&hash).is_some_and(newest) {
                continue;
            }
            if let Some(container) = columns.text("container", row)
                && uri.strip_prefix(container).is_some_and(|rest| rest.starts_with("!/"))
            {
                containers.insert(hash, hash128(container));
            }
            let entry = columns.entry(row, prior, outcome);
            self.entries.insert(hash, entry);
        }
    }

    /// What the ledger's latest row of `uri` is.
    pub(super) fn prior(&self, uri: &str) -> Option<Prior> {
        self.entries.get(&hash128(uri)).map(|entry| entry.prior)
    }

    /// Says what to do with `file`.
    pub(super) fn judge(&self, file: &LogFile) -> Verdict {
        let hash = hash128(&file.uri);
        let Some(entry) = self.entries.get(&hash) else {
            return Verdict::Read {
                version: 1,
                prior: None,
                settled: Settled::default(),
                same_as: None,
            };
        };
        let is_same = !file.once
            && file.modified_at.is_some()
            && entry.modified_at == file.modified_at
            && entry.size_bytes == Some(file.size_bytes)
            && entry.etag == file.etag.as_deref().map_or(0, hash64);
        let limits_reached = entry.limits != 0 && entry.limits != self.limits;
        let unread = entry.sha256.is_none() && entry.limits == 0;
        match entry.outcome {
            Outcome::Archive if is_same && !limits_reached => {
                return Verdict::UnchangedArchive(self.n_members(hash));
            }
            Outcome::Ingested | Outcome::Other if is_same => return Verdict::Unchanged,
            Outcome::Skipped if is_same && !limits_reached && !unread => {
                return Verdict::Unchanged;
            }
            Outcome::Skipped | Outcome::Partial | Outcome::Archive if is_same => {
                return Verdict::Read {
                    version: entry.prior.version,
                    prior: Some(entry.prior),
                    settled: entry.settled.as_deref().copied().unwrap_or_default(),
                    same_as: None,
                };
            }
            _ => {}
        }
        let complete = !matches!(entry.outcome, Outcome::Partial | Outcome::Forgotten);
        Verdict::Read {
            version: entry.prior.version.saturating_add(1),
            prior: Some(entry.prior),
            settled: Settled::default(),
            same_as: entry.sha256.filter(|_hash| {
                complete && !limits_reached && entry.size_bytes == Some(file.size_bytes)
            }),
        }
    }

    /// Whether the ledger already says of `uri` that it is no log, or cannot be read, for
    /// this very reason.
    pub(super) fn says(&self, uri: &str, outcome: Outcome, reason: &str) -> bool {
        self.entries.get(&hash128(uri)).is_some_and(|entry| {
            entry.outcome == outcome && entry.reason == hash64(reason) && entry.prior.part >= 0
        })
    }

    /// Files in the archive, those in archives within it included.
    pub(super) fn n_members_of(&self, uri: &str) -> u64 {
        self.n_members(hash128(uri))
    }

    fn n_members(&self, archive: u128) -> u64 {
        let own = self.members.get(&archive).copied().unwrap_or_default();
        let inner = self.nested.iter().filter(|(_inner, outer)| *outer == archive);
        // An archive is not its own member, so this ends; the depth of nests is bounded.
        own + inner.map(|&(inner, _outer)| self.n_members(inner)).sum::<u64>()
    }
}

/// The columns of a batch of the ledger, by name.
struct Columns<'a> {
    batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    fn text(&self, name: &str, row: usize) -> Option<&'a str> {
        let column: &StringArray = self.batch.column_by_name(name)?.as_string_opt()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn small(&self, name: &str, row: usize) -> Option<i32> {
        let column: &Int32Array =
            self.batch.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn count(&self, name: &str, row: usize) -> Option<u64> {
        let column: &Int64Array =
            self.batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row)).and_then(|value| value.try_into().ok())
    }

    fn time(&self, name: &str, row: usize) -> Option<i64> {
        let column: &TimestampMicrosecondArray =
            self.batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn entry(&self, row: usize, prior: Prior, outcome: Outcome) -> Entry {
        let count = |name| self.count(name, row).unwrap_or_default();
        let done = self.count("records_done", row).unwrap_or_default();
        let counts = Counts {
            read: count("records_read"),
            written: count("records_written"),
            duplicates: count("records_duplicate"),
            rejected: count("records_rejected"),
            span: self.time("first_event_at", row).zip(self.time("last_event_at", row)),
        };
        let is_open = matches!(outcome, Outcome::Partial | Outcome::Skipped);
        let settled = (is_open && done > 0).then(|| {
            Box::new(Settled { records_done: u32::try_from(done).unwrap_or(u32::MAX), counts })
        });
        let why = self.text("reason", row).or_else(|| self.text("kind", row));
        Entry {
            prior,
            size_bytes: self.count("size_bytes", row),
            modified_at: self.time("modified_at", row),
            etag: self.text("etag", row).map_or(0, hash64),
            sha256: self.text("sha256", row).and_then(unhex),
            outcome,
            reason: why.map_or(0, hash64),
            limits: self.text("limits", row).map_or(0, hash64),
            settled,
        }
    }
}

/// The limits as the ledger's column has them.
pub(super) fn limits_text(limits: InflateLimits) -> String {
    format!("max_ratio={} max_bytes={}", limits.max_ratio, limits.max_bytes)
}

fn hash128(text: &str) -> u128 {
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes().first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes))
}

/// Never 0, which stands for an absent text.
fn hash64(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes().first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes)).max(1)
}

/// Bytes as lower-case hex.
pub(super) fn hex(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(text).ok().map(Into::into)
}

#[cfg(test)]
mod tests;
