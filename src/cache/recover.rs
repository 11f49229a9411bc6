//! Looking at the cache: the state of all tables at one moment, and rolling forward what an entry
//! promised and nobody has done yet.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use arrow::datatypes::Schema;

use super::{
    Cache, DataFile, N_TABLES, Snapshot, Step, Table,
    delta::{CHECKPOINT_INTERVAL, Change, Changes, Entry, Log, Note, State},
};
use crate::{Result, error::BoxError};

/// A state older than this is read anew: entries that followed it may have been cleaned away.
const STALE_AFTER: Duration = Duration::from_hours(24);

/// After so long, all tables are looked at, though nothing was written to `cloudtrail_logs`.
const LOOK_AT_ALL_AFTER: Duration = Duration::from_mins(1);

/// The order in which promises are kept. That of `log_files` says that all of them are.
const KEEPING_ORDER: [Table; N_TABLES - 1] = [
    Table::Aggregated,
    Table::Duplicates,
    Table::Rejects,
    Table::DigestFiles,
    Table::DigestVerdicts,
    Table::LogFiles,
];

/// What an entry of `cloudtrail_logs` promised for the other tables.
#[derive(Debug, Clone)]
struct Promise {
    changes: Changes,
    data_change: bool,
}

impl Promise {
    fn of(entry: Entry) -> Option<(i64, Self)> {
        let (changes, data_change) = (entry.pending, entry.data_change);
        entry.n.map(|n| (n, Self { changes, data_change }))
    }
}

/// What we know of the tables.
#[derive(Debug)]
pub(super) struct Known {
    /// By `Table as usize`.
    states: [State; N_TABLES],
    /// Promises that `log_files` does not know to be kept, by number.
    promises: BTreeMap<i64, Promise>,
    looked_at: Instant,
    snapshot: Option<Snapshot>,
}

impl Known {
    #[expect(clippy::indexing_slicing, reason = "there is a state for each table")]
    fn state(&self, table: Table) -> &State {
        &self.states[table as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "there is a state for each table")]
    fn state_mut(&mut self, table: Table) -> &mut State {
        &mut self.states[table as usize]
    }

    /// Reads everything: all tables at once, and then what was written meanwhile.
    async fn load(logs: &[Log]) -> Result<Self, BoxError> {
        let mut known = loop {
            let states = futures::future::try_join_all(logs.iter().map(Log::load)).await?;
            let Ok(states) = <[State; N_TABLES]>::try_from(states) else {
                return Err("a table is missing".into());
            };
            let (promises, looked_at) = (BTreeMap::new(), Instant::now());
            let mut known = Self { states, promises, looked_at, snapshot: None };
            if known.catch_up(logs).await? {
                break known;
            }
        };
        let Some(events) = logs.get(Table::Events as usize) else { return Ok(known) };
        let kept = known.state(Table::LogFiles).n;
        let (mut n, mut version) =
            (known.state(Table::Events).n, known.state(Table::Events).version);
        while n > kept {
            let entry = events.entry(version).await?;
            let entry = entry.ok_or("log entries are missing that tell what is to be done")?;
            if let Some((number, promise)) = Promise::of(entry) {
                known.promises.insert(number, promise);
                n = number - 1;
            }
            version = version.checked_sub(1).ok_or("the tables do not belong together")?;
        }
        Ok(known)
    }

    /// Brings everything up to date. `log_files` is no newer than the others then, and they are
    /// no newer than `cloudtrail_logs`: every promise of the latter that the former does not tell
    /// to be kept is looked up. Gives `false` when all must be read anew.
    async fn catch_up(&mut self, logs: &[Log]) -> Result<bool, BoxError> {
        let order: [&[Table]; 3] = [
            &[Table::LogFiles],
            &[
                Table::Aggregated,
                Table::Duplicates,
                Table::Rejects,
                Table::DigestFiles,
                Table::DigestVerdicts,
            ],
            &[Table::Events],
        ];
        for tables in order {
            let followed = tables.iter().map(|table| {
                // On an error all of this is dropped.
                let mut state = std::mem::take(self.state_mut(*table));
                async move {
                    let log = logs.get(*table as usize).ok_or("a table is missing")?;
                    let entries = log.follow(&mut state).await?;
                    Ok::<_, BoxError>((*table, state, entries))
                }
            });
            let followed: Vec<_> = followed.collect();
            for (table, state, entries) in futures::future::try_join_all(followed).await? {
                if entries.iter().any(|entry| entry.metadata) {
                    // Another program changed the table: the library must judge what it is now.
                    return Ok(false);
                }
                *self.state_mut(table) = state;
                if entries.is_empty() {
                    continue;
                }
                self.snapshot = None;
                if table == Table::Events {
                    self.promises.extend(entries.into_iter().filter_map(Promise::of));
                }
            }
        }
        Ok(true)
    }

    /// Whether nothing has been written since we looked. All that we write begins with an entry in
    /// `cloudtrail_logs`; what other programs write into the other tables is looked for once a
    /// minute.
    async fn is_current(&self, logs: &[Log]) -> Result<bool, BoxError> {
        let all_is_kept = self.state(Table::LogFiles).n >= self.state(Table::Events).n;
        if !all_is_kept || self.looked_at.elapsed() > LOOK_AT_ALL_AFTER {
            return Ok(false);
        }
        let log = logs.get(Table::Events as usize).ok_or("a table is missing")?;
        let version = self.state(Table::Events).version;
        let (next, there) = futures::join!(log.has_entry(version + 1), log.has_entry(version));
        Ok(!next? && there?)
    }

    /// What is known now, starting from what was known before.
    async fn renew(mut self, logs: &[Log]) -> Result<Self, BoxError> {
        if self.looked_at.elapsed() > STALE_AFTER {
            return Self::load(logs).await;
        }
        if self.is_current(logs).await? {
            return Ok(self);
        }
        let there = self.states.iter().zip(logs).map(|(state, log)| log.has_entry(state.version));
        if !futures::future::try_join_all(there).await?.into_iter().all(|is_there| is_there) {
            // It was cleaned away, and perhaps its successors too.
            return Self::load(logs).await;
        }
        if !self.catch_up(logs).await? {
            return Self::load(logs).await;
        }
        self.looked_at = Instant::now();
        Ok(self)
    }

    /// The numbers of the promises that may not have been kept yet.
    fn open_promises(&self) -> Vec<i64> {
        let kept = self.state(Table::LogFiles).n;
        self.promises.keys().copied().filter(|n| *n > kept).collect()
    }

    /// The files of `table`, those promised included.
    fn files(&self, table: Table) -> Arc<[DataFile]> {
        let state = self.state(table);
        let mut files: HashMap<&str, &DataFile> =
            state.files.iter().map(|(name, file)| (name.as_str(), file)).collect();
        for promise in self.promises.range(state.n + 1..).map(|(_, promise)| promise) {
            if table == Table::Events {
                break;
            }
            for change in promise.changes.get(&table).into_iter().flatten() {
                match change {
                    Change::Add(file) => files.insert(&file.name, file),
                    Change::Remove(file) => files.remove(&*file.name),
                };
            }
        }
        let mut files: Vec<DataFile> = files.into_values().cloned().collect();
        files.sort_by(|a, b| (a.written_at, &a.name).cmp(&(b.written_at, &b.name)));
        files.into()
    }

    fn snapshot(&mut self) -> Snapshot {
        if let Some(snapshot) = &self.snapshot {
            return snapshot.clone();
        }
        let state = self.state(Table::Events);
        let (version, n) = (state.version, state.n);
        let snapshot = Snapshot { files: Table::ALL.map(|table| self.files(table)), version, n };
        self.snapshot = Some(snapshot.clone());
        snapshot
    }
}

/// What is in the cache now. Promises are kept where that is possible; where the directory cannot
/// be written, what is promised is in the snapshot all the same.
pub(super) fn snapshot(cache: &Cache) -> Result<Snapshot> {
    let mut guard = cache.known.lock().unwrap_or_else(PoisonError::into_inner);
    let mut known = look(cache, guard.take())?;
    // Nobody asked to write: that it cannot be done, the next commit will tell.
    let _ = keep_promises(cache, &mut known);
    let snapshot = known.snapshot();
    *guard = Some(known);
    Ok(snapshot)
}

/// What is in the cache now, for a reader who cannot write.
#[cfg(test)]
pub(super) fn overlaid(cache: &Cache) -> Result<Snapshot> {
    Ok(look(cache, None)?.snapshot())
}

/// Whether the log of `table` is long enough to have a checkpoint, as far as we have looked.
pub(super) fn may_have_checkpoint(cache: &Cache, table: Table) -> bool {
    let guard = cache.known.lock().unwrap_or_else(PoisonError::into_inner);
    guard.as_ref().is_none_or(|known| known.state(table).version >= CHECKPOINT_INTERVAL)
}

/// Keeps all promises, or fails.
pub(super) fn settle(cache: &Cache) -> Result<()> {
    let mut guard = cache.known.lock().unwrap_or_else(PoisonError::into_inner);
    let mut known = look(cache, guard.take())?;
    keep_promises(cache, &mut known)?;
    *guard = Some(known);
    Ok(())
}

/// Whether `table`, as it was when it was read last, lacks a column of `schema`.
pub(super) fn lacks(cache: &Cache, table: Table, schema: &Schema) -> bool {
    let guard = cache.known.lock().unwrap_or_else(PoisonError::into_inner);
    let has = |name: &str| match guard.as_ref() {
        Some(known) => known.state(table).columns.contains(name),
        None => false,
    };
    !schema.fields().iter().all(|field| has(field.name()))
}

fn look(cache: &Cache, known: Option<Known>) -> Result<Known> {
    let logs = cache.logs.clone();
    let look = async move {
        match known {
            Some(known) => known.renew(&logs).await,
            None => Known::load(&logs).await,
        }
    };
    cache.runtime.wait(look).map_err(|source| cache.failed("read", source))
}

fn keep_promises(cache: &Cache, known: &mut Known) -> Result<()> {
    for n in known.open_promises() {
        let Some(promise) = known.promises.get(&n).cloned() else { continue };
        for table in KEEPING_ORDER {
            let changes = promise.changes.get(&table).cloned().unwrap_or_default();
            if changes.is_empty() && table != Table::LogFiles {
                continue;
            }
            let note = Note { operation: "WRITE", data_change: promise.data_change };
            keep(cache, known, table, n, note, changes)?;
            cache.step(Step::Applied(table))?;
        }
        known.promises.remove(&n);
    }
    Ok(())
}

/// Keeps the promise `n` for one table, if nobody else has.
fn keep(
    cache: &Cache,
    known: &mut Known,
    table: Table,
    n: i64,
    note: Note,
    changes: Vec<Change>,
) -> Result<()> {
    let log = cache.log(table);
    let mut state = known.state(table).clone();
    let keep = async move {
        while state.n < n {
            log.write(state.version + 1, n, note, &changes, &Changes::new()).await?;
            // Ours or, where another was faster, theirs.
            log.follow(&mut state).await?;
        }
        log.checkpoint_if_due(state.version).await;
        Ok(state)
    };
    let state = cache.runtime.wait(keep).map_err(|source| cache.failed("commit to", source))?;
    *known.state_mut(table) = state;
    // The list of files stays what it was, but not where they come from.
    known.snapshot = None;
    Ok(())
}
