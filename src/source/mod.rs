//! Where logs come from: directories, files, archives, standard input; S3 with its own issue.

use std::{io, sync::Arc};

use crate::{Result, logs::cloudtrail::key::LogKey};

/// One file or archive member that may hold logs.
#[derive(Clone)]
pub struct LogFile {
    /// Its URI: an absolute path, `a.zip!/member`, `s3://bucket/key`, `stdin`.
    pub uri: Arc<str>,
    /// The archive it is a member of.
    pub container: Option<Arc<str>>,
    /// The SOURCE it was found under, absolute.
    pub source: Arc<str>,
    /// Its stored size in bytes.
    pub size_bytes: u64,
    /// When it was last modified, in microseconds since 1970.
    pub modified_at: Option<i64>,
    /// What its path tells of account, region and delivery day.
    pub key: LogKey,
    /// How to read it.
    pub opener: Arc<dyn Open>,
}

/// Opens a file or member for reading its stored bytes.
pub trait Open: Send + Sync {
    /// A reader from the first stored byte.
    ///
    /// # Errors
    /// What the operating system or the archive says.
    fn open(&self) -> io::Result<Box<dyn io::Read + Send>>;
}

/// Which files to choose by what their key or path tells; where it tells nothing, they are read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Not before this time, in microseconds since 1970 in UTC.
    pub since: Option<i64>,
    /// Not after this time, in microseconds since 1970 in UTC.
    pub until: Option<i64>,
    /// Only these accounts, where not empty.
    pub accounts: Vec<String>,
    /// Only these regions, where not empty.
    pub regions: Vec<String>,
}

/// Lists the files below `sources` in plan order.
///
/// # Errors
/// A source does not exist, cannot be listed, or is of a kind this build cannot read.
pub fn list(sources: &[String], filter: &Filter) -> Result<Vec<LogFile>> {
    let _ = (sources, filter);
    todo!()
}
