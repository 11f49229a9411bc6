//! Deleting what no table needs any more.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use super::{
    Cache, Table,
    delta::Log,
    files::{Files, Found},
    recover, store,
};
use crate::Result;

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
    // What is there is listed before what is needed is looked up: a file committed in between is
    // then known.
    let there: Vec<(Table, Vec<Found>)> = Table::ALL
        .into_iter()
        .map(|table| Ok((table, cache.files.list(table.name(), ".parquet")?)))
        .collect::<Result<_>>()?;
    let snapshot = cache.snapshot()?;
    for (table, mut there) in there {
        let (log, dir) = (cache.log(table), table.name());
        let needed: HashSet<&str> = snapshot.files(table).iter().map(|file| &*file.name).collect();
        there.retain(|found| !needed.contains(found.name.as_str()));
        // Most often nothing is left over, and the log need not be read anew.
        let removed = if there.is_empty() { HashMap::new() } else { removed(cache, &log)? };
        for found in there {
            let (since, limit) = match removed.get(&found.name) {
                Some(at) => (at.unwrap_or(found.modified), options.removed_after),
                None => (found.modified, options.orphans_after),
            };
            if is_older(since, limit) {
                delete(cache, dir, &found, &mut report)?;
            }
        }
        if matches!(cache.files, Files::Local(_)) {
            let dir = format!("{dir}/_delta_log");
            for found in cache.files.list(&dir, store::STAGED)? {
                if is_older(found.modified, options.orphans_after) {
                    delete(cache, &dir, &found, &mut report)?;
                }
            }
        }
        if recover::may_have_checkpoint(cache, table) {
            let clean = async move { log.clean().await };
            cache.runtime.wait(clean).map_err(|source| cache.failed("sweep", source))?;
        }
    }
    Ok(report)
}

fn delete(cache: &Cache, dir: &str, found: &Found, report: &mut SweepReport) -> Result<()> {
    if cache.files.delete(&format!("{dir}/{}", found.name))? {
        report.files += 1;
        report.bytes += found.bytes;
    }
    Ok(())
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
