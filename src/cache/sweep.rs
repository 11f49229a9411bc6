//! Deleting what no table needs any more.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{Cache, Table, delta::Log, store};
use crate::{Result, error::ErrorKind};

/// What is old enough to be deleted.
#[derive(Debug, Clone, Copy)]
pub struct SweepOptions {
    /// Files that no table ever knew: leftovers of writers that crashed. A writer that still
    /// works must have committed its files before they are so old.
    pub orphans_after: Duration,
    /// Files that compaction replaced or `forget` rewrote. Readers that looked before may still
    /// be reading them.
    pub removed_after: Duration,
}

impl Default for SweepOptions {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self { orphans_after: day, removed_after: 7 * day }
    }
}

/// What a sweep deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

pub(super) fn sweep(cache: &Cache, options: &SweepOptions) -> Result<SweepReport> {
    let mut report = SweepReport::default();
    for table in Table::ALL {
        let log = cache.log(table);
        // What is there is listed before what is needed is looked up: a file committed in
        // between is then known.
        let there = list(log.dir(), ".parquet")?;
        let staged = list(&log.dir().join("_delta_log"), store::STAGED)?;
        let snapshot = cache.snapshot()?;
        let needed: HashSet<&Path> =
            snapshot.files(table).iter().map(|file| file.path.as_path()).collect();
        let removed = removed(cache, &log)?;
        for found in there {
            let name = found.name.as_str();
            let (since, limit) = match removed.get(name) {
                Some(at) => (at.unwrap_or(found.modified), options.removed_after),
                None => (found.modified, options.orphans_after),
            };
            let path = log.dir().join(name);
            if !needed.contains(path.as_path()) && is_older(since, limit) {
                delete(&path, found.bytes, &mut report)?;
            }
        }
        for found in staged {
            if is_older(found.modified, options.orphans_after) {
                let path = log.dir().join("_delta_log").join(&found.name);
                delete(&path, found.bytes, &mut report)?;
            }
        }
        let clean = async move { log.clean().await };
        cache.runtime.wait(clean).map_err(|source| cache.failed("sweep", source))?;
    }
    Ok(report)
}

/// When each file was removed from the table, as far as its log still tells.
fn removed(cache: &Cache, log: &Log) -> Result<HashMap<String, Option<SystemTime>>> {
    let log = log.clone();
    let tombstones = cache
        .runtime
        .wait(async move { log.tombstones().await })
        .map_err(|source| cache.failed("sweep", source))?;
    let time = |millis: i64| {
        u64::try_from(millis).ok().map(|n| SystemTime::UNIX_EPOCH + Duration::from_millis(n))
    };
    Ok(tombstones.into_iter().map(|(name, at)| (name, at.and_then(time))).collect())
}

fn is_older(since: SystemTime, limit: Duration) -> bool {
    // A time in the future is none to judge by.
    SystemTime::now().duration_since(since).is_ok_and(|age| age >= limit)
}

/// A file found in a directory.
struct Found {
    name: String,
    bytes: u64,
    modified: SystemTime,
}

/// The files in `dir` whose name begins or ends with `part`.
fn list(dir: &Path, part: &str) -> Result<Vec<Found>> {
    let failed = |source: io::Error| ErrorKind::Io { action: "read", path: dir.to_owned(), source };
    let mut list = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // What vanishes meanwhile, another sweep took.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() && (name.starts_with(part) || name.ends_with(part)) {
            let modified = metadata.modified().map_err(failed)?;
            list.push(Found { name, bytes: metadata.len(), modified });
        }
    }
    Ok(list)
}

fn delete(path: &Path, bytes: u64, report: &mut SweepReport) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => {
            report.files += 1;
            report.bytes += bytes;
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => {
            Err(ErrorKind::Io { action: "delete", path: path.to_owned(), source }.into())
        }
    }
}
