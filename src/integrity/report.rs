//! What a verification found: the object that `verify --json` prints.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{
    stops::TrailEvent,
    time,
    verdict::{Reason, Status},
};

/// What was found of all files.
#[derive(Debug, Default, Serialize)]
pub struct VerifyReport {
    /// The time asked about.
    pub requested: Span,
    /// The time of the valid digests.
    pub found: Span,
    /// Hourly digest files; missing ones count as invalid.
    pub digests: Counts,
    /// Digest files of logs that came late.
    pub backfill_digests: Counts,
    /// Log files.
    pub logs: Counts,
    /// The chains that were walked.
    pub chains: Vec<ChainRow>,
    /// Hours whose digest is not there.
    pub missing_hours: Vec<HoleRow>,
    /// Times for which CloudTrail made no digests.
    pub gaps: Vec<HoleRow>,
    /// Digest files that are not valid or have warnings; all of them where asked for.
    pub digest_files: Vec<DigestRow>,
    /// Log files, likewise.
    pub log_files: Vec<LogRow>,
    /// What could not be read at all.
    pub unread: Vec<UnreadRow>,
    /// Files that are neither digests nor logs.
    pub other_files: u64,
    /// Log files whose bytes were known from an earlier run.
    pub log_files_unchanged: u64,
    /// Bytes of log files that were hashed, inflated.
    pub inflated_bytes: u64,
    /// What to know of the whole.
    pub notices: Vec<String>,
    /// Whether the user stopped it: the rest was not looked at.
    pub interrupted: bool,
    /// Wall-clock time.
    pub seconds: f64,
}

impl VerifyReport {
    /// Whether all that was looked at is valid.
    pub fn is_clean(&self) -> bool {
        let all = [&self.digests, &self.backfill_digests, &self.logs];
        all.iter().all(|counts| counts.valid == counts.total())
            && self.missing_hours.is_empty()
            && self.unread.is_empty()
    }

    /// Whether there was anything to verify by.
    pub fn has_digests(&self) -> bool {
        self.digests.total() + self.backfill_digests.total() > 0
    }
}

/// From when to when; open where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    /// In microseconds since 1970.
    #[serde(serialize_with = "moment")]
    pub from: Option<i64>,
    /// In microseconds since 1970.
    #[serde(serialize_with = "moment")]
    pub to: Option<i64>,
}

impl Span {
    /// Widens it to hold all from `from` to `to`.
    pub(super) fn widen(&mut self, from: i64, to: i64) {
        self.from = Some(self.from.map_or(from, |known| known.min(from)));
        self.to = Some(self.to.map_or(to, |known| known.max(to)));
    }
}

/// A time as JSON has it.
#[expect(clippy::ref_option, reason = "as serde calls it")]
fn moment<S: Serializer>(at: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_str(&time::text(*at)),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::ref_option, reason = "as serde calls it")]
fn hexadecimal<S: Serializer>(hash: &Option<[u8; 32]>, serializer: S) -> Result<S::Ok, S::Error> {
    match hash {
        Some(hash) => serializer.serialize_str(&super::hex(hash)),
        None => serializer.serialize_none(),
    }
}

/// How many files have which status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Vouched for.
    pub valid: u64,
    /// Altered or gone.
    pub invalid: u64,
    /// Neither.
    pub unverifiable: u64,
    /// Mentioned by no digest.
    pub undigested: u64,
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.valid + self.invalid + self.unverifiable + self.undigested
    }

    pub(super) fn add(&mut self, status: Status) {
        match status {
            Status::Valid => self.valid += 1,
            Status::Invalid => self.invalid += 1,
            Status::Unverifiable => self.unverifiable += 1,
            Status::Undigested => self.undigested += 1,
        }
    }
}

/// Which chain: an account's digests of one trail in one region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChainName {
    /// Twelve digits.
    pub account: String,
    /// The region of the log files.
    pub region: String,
    /// The trail's name.
    pub trail: String,
    /// Whether it is the chain of logs that came late.
    pub backfill: bool,
}

/// A chain that was walked.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChainRow {
    /// Which.
    #[serde(flatten)]
    pub chain: ChainName,
    /// Its digest files.
    pub digests: u64,
    /// Where it starts and ends.
    #[serde(flatten)]
    pub span: Span,
    /// What happened at its end that may explain it.
    pub ended_by: Vec<TrailEvent>,
}

/// A time without digests.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HoleRow {
    /// In which chain.
    #[serde(flatten)]
    pub chain: ChainName,
    /// From when to when.
    #[serde(flatten)]
    pub span: Span,
    /// Where the digest was, `s3://…`, if the one after it tells.
    pub s3: Option<String>,
    /// Calls that may explain it.
    pub events: Vec<TrailEvent>,
}

/// A digest file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DigestRow {
    /// Where it lies; nothing where it is not found.
    pub uri: Option<Arc<str>>,
    /// Where CloudTrail delivered it, `s3://…`, as it says itself.
    pub s3: Option<String>,
    /// Its chain.
    #[serde(flatten)]
    pub chain: ChainName,
    /// Its hour.
    #[serde(flatten)]
    pub span: Span,
    /// The finding.
    pub status: Option<Status>,
    /// Why it is not valid.
    pub reason: Option<Reason>,
    /// More on that.
    pub detail: Option<String>,
    /// What should be known of it, valid or not.
    pub warnings: Vec<String>,
    /// The MD5 of the key it names.
    pub fingerprint: Option<String>,
    /// Where its signature was found.
    pub signature_from: Option<&'static str>,
    /// Where the digest before it is said to be, `s3://…`.
    pub previous: Option<String>,
    /// The log files it lists.
    pub log_files: Option<u64>,
    /// SHA-256 of its inflated bytes.
    #[serde(serialize_with = "hexadecimal")]
    pub sha256_inflated: Option<[u8; 32]>,
    /// What it was when it was verified.
    #[serde(skip)]
    pub version: FileVersion,
}

/// A log file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LogRow {
    /// Where it lies; nothing where it is not found.
    pub uri: Option<Arc<str>>,
    /// Where CloudTrail delivered it, `s3://…`, as the digest says.
    pub s3: Option<String>,
    /// The digest that decides, by its URI.
    pub digest: Option<Arc<str>>,
    /// Whether that is one of logs that came late.
    pub backfill: bool,
    /// The account of its key.
    pub account: String,
    /// The region of its key.
    pub region: String,
    /// When it was delivered, as its name tells.
    #[serde(serialize_with = "moment")]
    pub delivered_at: Option<i64>,
    /// The finding.
    pub status: Option<Status>,
    /// Why it is not valid.
    pub reason: Option<Reason>,
    /// More on that.
    pub detail: Option<String>,
    /// What should be known of it, valid or not.
    pub warnings: Vec<String>,
    /// SHA-256 that the digest has for its inflated bytes.
    #[serde(serialize_with = "hexadecimal")]
    pub expected_sha256: Option<[u8; 32]>,
    /// SHA-256 that its first gzip stream has, inflated.
    #[serde(serialize_with = "hexadecimal")]
    pub actual_sha256: Option<[u8; 32]>,
    /// What it was when it was verified.
    #[serde(skip)]
    pub version: FileVersion,
    /// What was found in its bytes, as JSON, to be read again.
    #[serde(skip)]
    pub facts: Option<String>,
}

/// What tells whether a file was changed since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileVersion {
    /// Its stored size in bytes.
    pub size_bytes: Option<u64>,
    /// When it was last modified, in microseconds since 1970.
    pub modified_at: Option<i64>,
    /// What vouches for it beside.
    pub etag: Option<Arc<str>>,
    /// SHA-256 of its stored bytes.
    pub sha256: Option<[u8; 32]>,
}

/// Something that could not be read.
#[derive(Debug, Clone, Serialize)]
pub struct UnreadRow {
    /// What.
    pub uri: String,
    /// Why.
    pub reason: String,
}
