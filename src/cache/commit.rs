//! Committing: files first, then one entry that decides, then what it promised.

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Cache, Chunk, CommitOutcome, DataFile, Snapshot, Sorted, Step, Table,
    delta::{Change, Changes, Entry, Note},
    encode::{FileWriter, Group},
    recover,
    settings::MAX_GROUP_ROWS,
};
use crate::{
    Result,
    error::{BoxError, ErrorKind},
};

/// The most rows of a file.
pub(super) const TARGET_ROWS: usize = 1_048_576;

/// Files that no log knows of yet. Dropped, it deletes them.
#[derive(Debug, Default)]
pub(super) struct Loose(Vec<DataFile>);

impl Loose {
    /// Takes note of a file.
    pub(super) fn add(&mut self, file: &DataFile) {
        self.0.push(file.clone());
    }

    /// From now on the files may be in a log: they are the sweep's to judge.
    fn forget(&mut self) -> Vec<DataFile> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Loose {
    fn drop(&mut self) {
        for file in &self.0 {
            file.folder.discard(&file.name);
        }
    }
}

pub(super) fn commit(cache: &Cache, base: &Snapshot, chunk: &Chunk) -> Result<CommitOutcome> {
    let rows_came_or_went = |entry: &Entry| entry.data_change || entry.metadata;
    if overtaken(cache, base, &rows_came_or_went)? {
        return Ok(CommitOutcome::Conflict);
    }
    let mut loose = Loose::default();
    let mut changes = Changes::new();
    for (table, rows) in [(Table::Events, &chunk.events), (Table::Aggregated, &chunk.aggregated)] {
        let files = write_sorted(cache, table, rows, &mut loose)?;
        changes.insert(table, files.into_iter().map(Change::Add).collect());
    }
    let books = [
        (Table::LogFiles, &chunk.log_files),
        (Table::Duplicates, &chunk.duplicates),
        (Table::Rejects, &chunk.rejects),
        (Table::DigestFiles, &chunk.digest_files),
        (Table::DigestVerdicts, &chunk.digest_verdicts),
    ];
    for (table, rows) in books {
        if let Some(batch) = rows.as_ref().filter(|batch| batch.num_rows() > 0) {
            let file = write_batch(cache, table, batch, &mut loose)?;
            changes.insert(table, vec![Change::Add(file)]);
        }
    }
    if changes.values().all(Vec::is_empty) {
        return Ok(CommitOutcome::Committed);
    }
    let note = Note { operation: "WRITE", data_change: true };
    if !decide(cache, base, note, &rows_came_or_went, changes, loose)? {
        return Ok(CommitOutcome::Conflict);
    }
    Ok(CommitOutcome::Committed)
}

/// Whether an entry that `conflicts` was written since `base`.
pub(super) fn overtaken(
    cache: &Cache,
    base: &Snapshot,
    conflicts: &dyn Fn(&Entry) -> bool,
) -> Result<bool> {
    Ok(catch_up(cache, base.version, base.n, conflicts)?.is_none())
}

/// The newest version and number after `version` and `n`, unless an entry `conflicts`.
fn catch_up(
    cache: &Cache,
    mut version: u64,
    mut n: i64,
    conflicts: &dyn Fn(&Entry) -> bool,
) -> Result<Option<(u64, i64)>> {
    loop {
        let log = cache.log(Table::Events);
        let look = async move {
            // Where our base was cleaned away, its successor may have been too.
            let (entry, is_there) = futures::join!(log.entry(version + 1), log.has_entry(version));
            Ok((entry?, is_there?))
        };
        match cache.runtime.wait(look).map_err(|source| cache.failed("read", source))? {
            (None, true) => return Ok(Some((version, n))),
            (None, false) => return Ok(None),
            (Some(entry), _) if conflicts(&entry) => return Ok(None),
            (Some(entry), _) => {
                version = entry.version;
                n = entry.n.unwrap_or(n);
            }
        }
    }
}

/// Writes the entry that decides, unless one that `conflicts` was written since `base`; then does
/// what it promised. Gives `false`, and deletes the files, on a conflict.
pub(super) fn decide(
    cache: &Cache,
    base: &Snapshot,
    note: Note,
    conflicts: &dyn Fn(&Entry) -> bool,
    mut changes: Changes,
    mut loose: Loose,
) -> Result<bool> {
    for table in changes.iter().filter(|(_, list)| !list.is_empty()).map(|(table, _)| *table) {
        cache.log(table).folder().sync()?;
    }
    cache.step(Step::Files)?;
    let own = Arc::new(changes.remove(&Table::Events).unwrap_or_default());
    changes.retain(|_, list| !list.is_empty());
    let promised = Arc::new(changes);
    let (mut version, mut n) = (base.version, base.n);
    loop {
        let Some(newest) = catch_up(cache, version, n, conflicts)? else {
            return Ok(false);
        };
        (version, n) = newest;
        // An error may come after the entry has become visible.
        let files = loose.forget();
        let log = cache.log(Table::Events);
        let (own, promised) = (Arc::clone(&own), Arc::clone(&promised));
        let (version, n) = (version + 1, n + 1);
        let write = async move { log.write(version, n, note, &own, &promised).await };
        if cache.runtime.wait(write).map_err(|source| cache.failed("commit to", source))? {
            break;
        }
        loose.0 = files;
    }
    cache.step(Step::Decided)?;
    recover::settle(cache)?;
    let log = cache.log(Table::Events);
    let checkpoint = async move {
        log.checkpoint_if_due(version + 1).await;
        Ok(())
    };
    cache.runtime.wait(checkpoint).map_err(|source| cache.failed("commit to", source))?;
    Ok(true)
}

fn write_sorted(
    cache: &Cache,
    table: Table,
    rows: &Sorted,
    loose: &mut Loose,
) -> Result<Vec<DataFile>> {
    let schema = cache.schemas.of(table);
    let batches: Arc<[RecordBatch]> = rows.batches.iter().map(|r| r.batch.clone()).collect();
    for batch in &*batches {
        fits(batch, &schema)?;
    }
    let place = |&(batch, row): &(u32, u32)| (batch as usize, row as usize);
    let there = |(batch, row): (usize, usize)| {
        batches.get(batch).is_some_and(|batch: &RecordBatch| row < batch.num_rows())
    };
    if !rows.order.iter().map(place).all(there) {
        return Err(unfit("the order names a row that is not there".into()));
    }
    let key = |&(batch, row): &(u32, u32)| {
        rows.batches.get(batch as usize).and_then(|rows| rows.keys.get(row as usize))
    };
    if !rows.order.iter().map(|place| key(place).map(|key| key.ts)).is_sorted() {
        return Err(unfit("the rows are not in the order of time".into()));
    }
    let mut files = Vec::new();
    for part in rows.order.chunks(TARGET_ROWS) {
        let group_rows = part.len().min(MAX_GROUP_ROWS);
        let mut writer = FileWriter::create(&cache.log(table), &schema, group_rows, cache.threads)?;
        writer.write(part.chunks(MAX_GROUP_ROWS).map(|order| {
            let order = order.iter().map(place).collect();
            Ok(Group { batches: Arc::clone(&batches), order })
        }))?;
        let file = writer.finish()?;
        loose.add(&file);
        files.push(file);
    }
    Ok(files)
}

/// Writes one batch of a table of the books.
pub(super) fn write_batch(
    cache: &Cache,
    table: Table,
    batch: &RecordBatch,
    loose: &mut Loose,
) -> Result<DataFile> {
    let schema = cache.schemas.of(table);
    fits(batch, &schema)?;
    let group_rows = batch.num_rows().min(MAX_GROUP_ROWS);
    let mut writer = FileWriter::create(&cache.log(table), &schema, group_rows, cache.threads)?;
    let batches: Arc<[RecordBatch]> = [batch.clone()].into();
    let rows: Vec<(usize, usize)> = (0..batch.num_rows()).map(|row| (0, row)).collect();
    writer.write(
        rows.chunks(MAX_GROUP_ROWS)
            .map(|order| Ok(Group { batches: Arc::clone(&batches), order: order.into() })),
    )?;
    let file = writer.finish()?;
    loose.add(&file);
    Ok(file)
}

fn fits(batch: &RecordBatch, schema: &SchemaRef) -> Result<()> {
    if Arc::ptr_eq(batch.schema_ref(), schema) || batch.schema_ref().fields() == schema.fields() {
        return Ok(());
    }
    Err(unfit("the rows have other columns than the table".into()))
}

fn unfit(source: BoxError) -> crate::Error {
    ErrorKind::Columnar { action: "store rows", source }.into()
}
