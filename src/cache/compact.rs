//! Compaction: many small files become few large ones.

use std::collections::HashSet;

use super::{
    Cache, DataFile, Snapshot, Table,
    commit::{Loose, TARGET_ROWS, decide},
    delta::{Change, Changes, Entry, Note},
    encode::FileWriter,
    merge::{Bounds, Merger},
    settings::{self, MAX_GROUP_ROWS},
};
use crate::Result;

/// The most files merged at once; each is open and has a batch of rows in memory.
const MAX_FAN_IN: usize = 256;

/// When and how to compact.
#[derive(Debug, Clone, Copy)]
pub struct CompactOptions {
    /// Rows of a file to aim at. Files of more than half of it are left alone.
    pub target_rows: u64,
    /// Bytes from which on a file is left alone, too: merging costs what encoding cost, and all it
    /// can save is opening the file.
    pub small_bytes: u64,
    /// Compact a table when it has so many small files.
    pub min_files: usize,
    /// Memory for rows in flight, in bytes.
    pub memory_bytes: usize,
}

impl Default for CompactOptions {
    fn default() -> Self {
        Self {
            target_rows: TARGET_ROWS as u64,
            // What an ingest commits at once is twice as much at the default memory.
            small_bytes: 4 << 20,
            min_files: 8,
            memory_bytes: 512 << 20,
        }
    }
}

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// Files that were merged.
    pub files_merged: u64,
    /// Files they were merged into.
    pub files_written: u64,
    /// Their rows.
    pub n_records: u64,
    /// Merges given up because another process changed the same files first.
    pub conflicts: u64,
}

pub(super) fn compact(cache: &Cache, options: &CompactOptions) -> Result<CompactReport> {
    let mut report = CompactReport::default();
    // Each pass merges many files into one; thousands of tiny ones take a second.
    loop {
        let snapshot = cache.snapshot()?;
        let before = report.files_merged;
        for table in Table::ALL {
            for files in plan(snapshot.files(table), options) {
                merge(cache, &snapshot, table, &files, options, &mut report)?;
            }
        }
        if report.files_merged == before || report.conflicts > 0 {
            return Ok(report);
        }
    }
}

/// Which files to merge: neighbours in time, up to the target.
fn plan(files: &[DataFile], options: &CompactOptions) -> Vec<Vec<DataFile>> {
    let small = |file: &&DataFile| {
        file.n_records < options.target_rows / 2 && file.size_bytes < options.small_bytes
    };
    let mut small: Vec<DataFile> = files.iter().filter(small).cloned().collect();
    if small.len() < options.min_files.max(2) {
        return Vec::new();
    }
    // Stable: files of the same time stay in the order they were written.
    small.sort_by_key(|file| file.event_ts.map_or(i64::MIN, |(min, _)| min));
    let mut groups: Vec<Vec<DataFile>> = Vec::new();
    let mut rows = u64::MAX;
    for file in small {
        let full = groups.last().is_none_or(|group| group.len() >= MAX_FAN_IN);
        if full || rows >= options.target_rows {
            groups.push(Vec::new());
            rows = 0;
        }
        rows += file.n_records;
        if let Some(group) = groups.last_mut() {
            group.push(file);
        }
    }
    // A lone file would only be copied.
    groups.retain(|group| group.len() > 1);
    for group in &mut groups {
        group.sort_by(|a, b| (a.written_at, &a.name).cmp(&(b.written_at, &b.name)));
    }
    groups
}

fn merge(
    cache: &Cache,
    base: &Snapshot,
    table: Table,
    files: &[DataFile],
    options: &CompactOptions,
    report: &mut CompactReport,
) -> Result<()> {
    let schema = cache.schemas.of(table);
    let sorted = settings::is_sorted(table);
    let bounds = Bounds { memory_bytes: options.memory_bytes, group_rows: MAX_GROUP_ROWS };
    let n_records: u64 = files.iter().map(|file| file.n_records).sum();
    let group_rows = usize::try_from(n_records).unwrap_or(usize::MAX).min(MAX_GROUP_ROWS);
    let mut loose = Loose::default();
    let mut writer = FileWriter::create(&cache.log(table), &schema, group_rows, cache.threads)?;
    writer.write(Merger::open(files, &schema, sorted, bounds)?)?;
    let merged = writer.finish()?;
    loose.add(&merged);
    if merged.n_records != n_records {
        return Err(cache.failed("compact", "the merged file has another number of rows".into()));
    }
    let mut list: Vec<Change> = files.iter().cloned().map(Change::Remove).collect();
    list.push(Change::Add(merged));
    let note = Note { operation: "OPTIMIZE", data_change: false };
    let conflicts = taken_away(table, files);
    if decide(cache, base, note, &conflicts, Changes::from([(table, list)]), loose)? {
        report.files_merged += files.len() as u64;
        report.files_written += 1;
        report.n_records += n_records;
    } else {
        report.conflicts += 1;
    }
    Ok(())
}

/// Says of an entry whether it removes one of `files` of `table`.
pub(super) fn taken_away(table: Table, files: &[DataFile]) -> impl Fn(&Entry) -> bool + '_ {
    let names: HashSet<&str> = files.iter().map(|file| &*file.name).collect();
    move |entry| {
        let promised = entry.pending.get(&table).into_iter().flatten();
        let promised = promised.filter_map(|change| match change {
            Change::Remove(file) => Some(&*file.name),
            Change::Add(_) => None,
        });
        let own = entry.removes.iter().map(String::as_str).filter(|_| table == Table::Events);
        entry.metadata || own.chain(promised).any(|name| names.contains(name))
    }
}
