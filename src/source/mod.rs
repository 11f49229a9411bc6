//! Where logs come from: directories, files, archives, standard input, buckets, event histories.
//!
//! Nothing here inflates and nothing here writes: a source says which files there are, what their
//! paths tell, and hands out their stored bytes.

pub mod archive;
mod history;
mod local;
pub mod s3;
mod tar;
mod window;
mod zip;

use std::{
    cmp::Ordering,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

pub(crate) use self::local::plain_text;
use self::s3::Inventory;
pub(crate) use self::s3::Lost;
pub use self::{
    history::{HistoryProgress, SCHEME as EVENT_HISTORY},
    s3::{FetchOptions, Fetcher, Place, Traffic},
    window::Window,
};
use chrono::{DateTime, Days, NaiveDate, Utc};

use crate::{
    ErrorKind, Result,
    aws::{Aws, AwsOptions, s3::Head},
    logs::cloudtrail::key::LogKey,
};

/// One file or archive member that may hold logs.
#[derive(Clone)]
pub struct LogFile {
    /// Its URI: an absolute path, `a.zip!/member`, `s3://bucket/key`, a window of an
    /// `event-history://`, `stdin`.
    ///
    /// Bytes of a name that are not UTF-8 stand in it as `%FF`; of several members with one name
    /// the second is `a.zip!/member#2`.
    pub uri: Arc<str>,
    /// The archive it is a member of.
    pub container: Option<Arc<str>>,
    /// The SOURCE it was found under, absolute.
    pub source: Arc<str>,
    /// Its stored size in bytes.
    pub size_bytes: u64,
    /// When it was last modified, in microseconds since 1970.
    pub modified_at: Option<i64>,
    /// What vouches for its content beside size and time: an `ETag`, a zip member's `crc32:…`.
    pub etag: Option<Arc<str>>,
    /// The version of the object that is meant, where it is not simply what its key leads to.
    pub object_version: Option<Arc<str>>,
    /// How it ceased to be what its key leads to, of a version that did.
    pub removed: Option<Removed>,
    /// What its path tells of account, region and delivery day.
    pub key: Arc<LogKey>,
    /// Its place among the members of its container.
    pub order: u32,
    /// How many archives it lies in.
    pub depth: u8,
    /// Whether it can be opened but once, and must be spooled: standard input, a pipe.
    pub once: bool,
    /// How to read it.
    pub opener: Arc<dyn Open>,
}

impl LogFile {
    /// The file at `uri`, of which nothing more is known than how to read it.
    pub(crate) fn new(uri: Arc<str>, source: Arc<str>, opener: Arc<dyn Open>) -> Self {
        Self {
            uri,
            container: None,
            source,
            size_bytes: 0,
            modified_at: None,
            etag: None,
            object_version: None,
            removed: None,
            key: Arc::default(),
            order: 0,
            depth: 0,
            once: false,
            opener,
        }
    }

    /// Opens it at its first stored byte.
    ///
    /// # Errors
    /// What the operating system or the archive says.
    pub fn open(&self) -> io::Result<Stored> {
        self.opener.open(self)
    }

    /// Its URI without the version of the object that is meant.
    pub fn unversioned_uri(&self) -> &str {
        let version = self.object_version.as_deref();
        let of_version =
            version.and_then(|version| self.uri.strip_suffix(version)?.strip_suffix("?versionId="));
        of_version.unwrap_or(&self.uri)
    }

    /// Whether its name is that of an archive, plain or compressed.
    pub fn is_archive_by_name(&self) -> bool {
        let name = self.uri.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        [".zip", ".tar", ".tar.gz", ".tgz"].iter().any(|end| name.ends_with(end))
    }

    /// Plan order: the delivery day, files without one first; then the URI; then the place in the
    /// container.
    pub fn plan_order(&self, other: &Self) -> Ordering {
        (self.key.day, &self.uri, self.order).cmp(&(other.key.day, &other.uri, other.order))
    }
}

impl std::fmt::Debug for LogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFile")
            .field("uri", &self.uri)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// How a version ceased to be what its key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Whether a newer version took its place; else it was deleted.
    pub by_overwriting: bool,
    /// When, in microseconds since 1970.
    pub at: Option<i64>,
}

impl Removed {
    /// The word of the ledger's column.
    pub fn as_str(self) -> &'static str {
        if self.by_overwriting { "overwritten" } else { "deleted" }
    }
}

/// Opens a file or member for reading its stored bytes.
pub trait Open: Send + Sync {
    /// A reader from the first stored byte of `file`, which is one this opener was made for.
    ///
    /// # Errors
    /// What the operating system or the archive says; [`io::ErrorKind::Unsupported`] where the
    /// archive packs it in a way that is not read here.
    fn open(&self, file: &LogFile) -> io::Result<Stored>;

    /// The file's bytes for reading anywhere in them, where that needs no unpacking.
    ///
    /// # Errors
    /// As [`Open::open`].
    fn window(&self, _file: &LogFile) -> io::Result<Option<Window>> {
        Ok(None)
    }

    /// Tells that `file` will be opened soon, the first told first: a store that takes its time
    /// begins to fetch it. Gives whether it took note of it; if not, it holds as much as it may,
    /// and is to be told again.
    fn prepare(&self, _file: &LogFile) -> bool {
        true
    }

    /// Whether what it opens comes over a network.
    fn is_remote(&self) -> bool {
        false
    }
}

/// The stored bytes of a file, as they lie in their directory or archive.
pub struct Stored {
    /// Reads them, from the first.
    pub reader: Box<dyn io::Read + Send>,
    /// Whether the archive deflated them; whoever reads inflates.
    pub deflated: bool,
    /// What the archive says of the unpacked bytes, for checking.
    pub crc32: Option<u32>,
    /// What the store told with the bytes: version, time, metadata (digests' signatures).
    pub head: Option<Head>,
}

impl Stored {
    /// Bytes that nothing packed.
    pub fn plain(reader: impl io::Read + Send + 'static) -> Self {
        Self { reader: Box::new(reader), deflated: false, crc32: None, head: None }
    }
}

/// Something met in a source that is not opened.
#[derive(Debug, Clone)]
pub struct Unread {
    /// Its URI.
    pub uri: Arc<str>,
    /// The archive it is a member of.
    pub container: Option<Arc<str>>,
    /// The SOURCE it was found under, absolute.
    pub source: Arc<str>,
    /// What it is, or what is wrong.
    pub why: Why,
}

/// Why something is not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Evidence may lie there that cannot be reached: a fault.
    Fault(String),
    /// It holds no logs of its own: what it is.
    Other(String),
}

/// What the sources hold.
#[derive(Debug, Default)]
pub struct Listing {
    /// The files, in plan order, each URI once.
    pub files: Vec<LogFile>,
    /// What is there, but is not opened.
    pub unread: Vec<Unread>,
    /// What to tell beside it: what the choice of files may hide.
    pub notices: Vec<String>,
}

/// How sources are listed.
#[derive(Debug)]
pub struct ListOptions<'a> {
    /// Which of their files are chosen.
    pub filter: &'a Filter,
    /// How AWS is reached, for sources in S3.
    pub aws: &'a AwsOptions,
    /// Whether versions of objects that were deleted or overwritten are files as well.
    pub versions: bool,
    /// S3 Inventory reports that stand in for listings: manifests, or folders with one.
    pub inventories: &'a [String],
    /// Counts the objects of buckets that were listed so far.
    pub n_listed: &'a AtomicU64,
    /// Where spools go.
    pub temp_dir: &'a Path,
    /// Is set to stop.
    pub cancelled: &'a Arc<AtomicBool>,
    /// Fetches the objects that are listed.
    pub fetcher: &'a Arc<Fetcher>,
    /// Counts what comes from event histories.
    pub histories: &'a Arc<HistoryProgress>,
}

/// Which files to choose by what their key or path tells; where it tells nothing, they are read.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Not before this time, in microseconds since 1970 in UTC.
    pub since: Option<i64>,
    /// Not after this time, in microseconds since 1970 in UTC.
    pub until: Option<i64>,
    /// Only these accounts, where not empty.
    pub accounts: Vec<String>,
    /// Only these regions, where not empty.
    pub regions: Vec<String>,
    /// Days of delivery behind `until` that are chosen too.
    ///
    /// A log file is delivered within minutes, but its key's day is the delivery's: an event
    /// shortly before midnight lies under the next day, and a delivery that failed is tried again.
    pub late_days: u16,
}

/// Days by which a delivery may lag behind its events and still be chosen, unless told.
pub const DEFAULT_LATE_DAYS: u16 = 2;

impl Default for Filter {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            accounts: Vec::new(),
            regions: Vec::new(),
            late_days: DEFAULT_LATE_DAYS,
        }
    }
}

impl Filter {
    /// Whether it chooses all files.
    pub fn is_empty(&self) -> bool {
        self.since.is_none()
            && self.until.is_none()
            && self.accounts.is_empty()
            && self.regions.is_empty()
    }

    /// Whether it chooses the file that lies under `key`.
    pub fn chooses(&self, key: &LogKey) -> bool {
        let day = key.day.and_then(|(y, m, d)| NaiveDate::from_ymd_opt(y, m, d));
        let (since, until) = self.days();
        let within = day.is_none_or(|day| {
            since.is_none_or(|since| day >= since) && until.is_none_or(|until| day <= until)
        });
        let among = |chosen: &[String], value: Option<&String>| {
            chosen.is_empty() || value.is_none_or(|value| chosen.contains(value))
        };
        within
            && among(&self.accounts, key.account.as_ref())
            && among(&self.regions, key.region.as_ref())
    }

    /// The first and the last day of delivery that are chosen.
    fn days(&self) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let day = |micros| DateTime::from_timestamp_micros(micros).map(|at| at.date_naive());
        let since = self.since.and_then(day);
        let late = Days::new(u64::from(self.late_days));
        (since, self.until.and_then(day).and_then(|until| until.checked_add_days(late)))
    }

    /// What a delivery that came later than is chosen still hides, where there can be one: one
    /// that failed is tried again for a month. Source: "How CloudTrail works" of the AWS
    /// CloudTrail User Guide.
    fn notice(&self, today: NaiveDate) -> Option<String> {
        const RETRIED_FOR_DAYS: u16 = 30;
        let (_, last) = self.days();
        let last = last.filter(|last| *last < today && self.late_days < RETRIED_FOR_DAYS)?;
        Some(format!(
            "--until chooses what was delivered until {last}, up to {} late; where a delivery \
             failed, it is tried again for {RETRIED_FOR_DAYS} days: --late-days \
             {RETRIED_FOR_DAYS} chooses those as well",
            if self.late_days == 1 {
                "1 day".to_owned()
            } else {
                format!("{} days", self.late_days)
            }
        ))
    }
}

/// Refuses a cache or a directory for spools that lies in a source, and a source that lies in the
/// cache, on this machine or in S3. To be asked before either is created: nothing is written below
/// evidence.
///
/// # Errors
/// [`ErrorKind::CacheInsideSource`], or [`ErrorKind::Value`] for the directory of spools.
pub fn check_apart(cache: &Path, temp_dir: Option<&Path>, sources: &[String]) -> Result<()> {
    let in_s3 = cache.to_str().and_then(|cache| Place::parse(cache).ok());
    for source in sources.iter().filter(|source| *source != "-") {
        if let Ok(source_place) = Place::parse(source) {
            let lies_within =
                |cache: &Place| source_place.holds(cache) || cache.holds(&source_place);
            if in_s3.as_ref().is_some_and(lies_within) {
                return Err(ErrorKind::CacheInsideSource {
                    cache: cache.to_owned(),
                    source_uri: source.clone(),
                }
                .into());
            }
        } else if !source.starts_with(s3::SCHEME) && !source.starts_with(history::SCHEME) {
            local::check_apart(cache, temp_dir, source)?;
        }
    }
    Ok(())
}

/// Lists the files below `sources` in plan order.
///
/// Archives are listed as the files they are: [`archive::expand`] gives their members.
///
/// # Errors
/// A source does not exist, cannot be listed, or is of a kind this build cannot read.
pub fn list(sources: &[String], options: &ListOptions<'_>) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut connection = None;
    let mut connected = || -> Result<Arc<Aws>> {
        match &connection {
            Some(aws) => Ok(Arc::clone(aws)),
            None => Ok(Arc::clone(connection.insert(connect(options.aws)?))),
        }
    };
    let mut inventories = Vec::new();
    for uri in options.inventories {
        let inventory = Inventory::open(uri, options, &mut connected)?;
        if !sources.iter().any(|source| inventory.is_of(source)) {
            return Err(ErrorKind::Source {
                uri: uri.clone(),
                reason: format!(
                    "it is an inventory of the bucket `{0}`, and no SOURCE is: give `s3://{0}`",
                    inventory.bucket()
                ),
            }
            .into());
        }
        inventories.push(inventory);
    }
    for source in sources {
        if source == "-" {
            listing.files.push(local::stdin());
        } else if source.starts_with(s3::SCHEME) {
            s3::list(source, &connected()?, &inventories, options, &mut listing)?;
        } else if source.starts_with(history::SCHEME) {
            history::list(source, &connected()?, options, &mut listing)?;
        } else {
            local::list(source, options.filter, &mut listing)?;
        }
    }
    // Stable: a file that several sources hold is the first one's.
    listing.files.sort_by(LogFile::plan_order);
    listing.files.dedup_by(|later, first| later.uri == first.uri);
    listing.unread.sort_by(|a, b| a.uri.cmp(&b.uri));
    listing.unread.dedup_by(|later, first| later.uri == first.uri);
    if sources.iter().any(|source| source != "-") {
        listing.notices.extend(options.filter.notice(Utc::now().date_naive()));
    }
    Ok(listing)
}

/// The connection to AWS that sources there share.
///
/// # Errors
/// The operating system gives no threads.
pub fn connect(options: &AwsOptions) -> Result<Arc<Aws>> {
    Aws::new(options.clone()).map_err(|source| {
        let path = PathBuf::from(s3::SCHEME);
        ErrorKind::Io { action: "start the threads that read", path, source }.into()
    })
}

/// The absolute form of a SOURCE, as the ledger's `source` has it.
///
/// Symbolic links are resolved, so that the same evidence has the same URIs whatever way leads
/// to it; a path that no longer exists is only made absolute.
pub fn absolute(source: &str) -> String {
    if source == "-" {
        return local::STDIN_URI.to_owned();
    }
    if source.starts_with(s3::SCHEME) {
        return Place::parse(source).map_or_else(|_reason| source.to_owned(), |place| place.uri());
    }
    if source.starts_with(history::SCHEME) {
        return source.to_owned();
    }
    let path = Path::new(source);
    let resolved = path
        .canonicalize()
        .or_else(|_gone| std::path::absolute(path))
        .unwrap_or_else(|_invalid| PathBuf::from(path));
    local::uri_of(&resolved)
}

/// Gives equal keys one place in memory: neighbours in a listing mostly share theirs.
#[derive(Default)]
struct Keys {
    last: Option<Arc<LogKey>>,
}

impl Keys {
    fn of(&mut self, uri: &str) -> Arc<LogKey> {
        let key = LogKey::parse(uri);
        match &self.last {
            Some(last) if **last == key => Arc::clone(last),
            _ => Arc::clone(self.last.insert(Arc::new(key))),
        }
    }
}

#[cfg(test)]
mod tests;
