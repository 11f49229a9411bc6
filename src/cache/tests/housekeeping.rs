use std::{collections::HashSet, fs, path::PathBuf, time::Duration};

use super::{
    commits::{chunk, commit, open},
    standin::{Row, row, rows_of, stored, texts_of},
};
use crate::cache::{
    Cache, CommitOutcome, CompactOptions, CompactReport, Step, SweepOptions, Table,
};

const NOW: SweepOptions =
    SweepOptions { orphans_after: Duration::ZERO, removed_after: Duration::ZERO };

fn any() -> CompactOptions {
    CompactOptions { min_files: 2, ..CompactOptions::default() }
}

/// Ten files whose times overlap, with rows of equal time and rows without one.
fn filled(cache: &Cache) -> Vec<Row> {
    let mut all = Vec::new();
    for i in 0..10 {
        let file = format!("f{i}");
        let mut rows = rows_of(&file, 500, 10 + i % 3);
        rows.push(Row { ts: None, ..row(0, "timeless", &file, 501) });
        rows.push(row(70, "same time", &file, 502));
        assert_eq!(commit(cache, &rows, &file), CommitOutcome::Committed);
        all.extend(rows);
    }
    all.sort_by_key(|row| row.ts);
    all
}

#[test]
fn compaction_keeps_rows_and_order_and_makes_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let rows = filled(&cache);
    let before = cache.snapshot().unwrap();
    let ledger = texts_of(&cache, &before, Table::LogFiles, "uri");
    let report = cache.compact(&any()).unwrap();
    assert_eq!((report.files_merged, report.files_written, report.conflicts), (70, 7, 0));
    let after = cache.snapshot().unwrap();
    for table in Table::ALL {
        assert_eq!(after.files(table).len(), 1, "{table:?}");
        assert_eq!(after.n_records(table), before.n_records(table), "{table:?}");
    }
    // The sort is stable: at equal times, the order of the commits.
    assert!(stored(&cache, &after, Table::Events) == rows);
    assert_eq!(texts_of(&cache, &after, Table::LogFiles, "uri"), ledger);
    assert!(after.version() > before.version());
    // Who looked before still reads what was there.
    assert_eq!(stored(&cache, &before, Table::Events).len(), rows.len());
    let again = open(dir.path());
    assert!(stored(&again, &again.snapshot().unwrap(), Table::Events) == rows);
    assert_eq!(again.compact(&any()).unwrap(), CompactReport::default());
}

#[test]
fn compaction_in_little_memory_gives_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let rows = filled(&cache);
    cache.compact(&CompactOptions { memory_bytes: 300_000, ..any() }).unwrap();
    let after = cache.snapshot().unwrap();
    assert_eq!(after.files(Table::Events).len(), 1);
    assert!(stored(&cache, &after, Table::Events) == rows);
}

#[test]
fn compaction_waits_until_it_pays_and_leaves_large_files_alone() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    filled(&cache);
    let few = CompactOptions { min_files: 11, ..CompactOptions::default() };
    assert_eq!(cache.compact(&few).unwrap(), CompactReport::default());
    let tiny = CompactOptions { target_rows: 2, ..any() };
    assert_eq!(cache.compact(&tiny).unwrap().files_merged, 0);
    let report = cache.compact(&CompactOptions { target_rows: 2_000, ..any() }).unwrap();
    assert!(report.files_written > 5);
    let files = cache.snapshot().unwrap().files(Table::Events).len();
    assert!((2..10).contains(&files), "{files} files");
}

#[test]
fn an_ingest_that_looked_before_a_compaction_commits_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    filled(&cache);
    let base = cache.snapshot().unwrap();
    cache.compact(&any()).unwrap();
    let outcome = cache.commit(&base, &chunk(&rows_of("late", 5, 1), "late")).unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    assert_eq!(cache.snapshot().unwrap().n_records(Table::Events), 5_025);
}

#[test]
fn of_two_compactions_of_the_same_files_one_gives_up() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let rows = filled(&cache);
    let reports: Vec<CompactReport> = std::thread::scope(|scope| {
        let run = || open(dir.path()).compact(&any()).unwrap();
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let merged: u64 = reports.iter().map(|report| report.files_merged).sum();
    assert!(merged >= 50, "{reports:?}");
    let snapshot = cache.snapshot().unwrap();
    assert!(stored(&cache, &snapshot, Table::Events) == rows);
    assert_eq!(snapshot.n_records(Table::LogFiles), 10);
}

#[test]
fn compaction_beside_writers_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path());
    std::thread::scope(|scope| {
        let dir = dir.path();
        for writer in 0..2 {
            scope.spawn(move || {
                let cache = open(dir);
                for i in 0..10 {
                    let file = format!("{writer}-{i}");
                    while commit(&cache, &rows_of(&file, 20, 1), &file) == CommitOutcome::Conflict {
                    }
                }
            });
        }
        scope.spawn(move || {
            let cache = open(dir);
            for _ in 0..10 {
                cache.compact(&any()).unwrap();
            }
        });
    });
    let cache = open(dir.path());
    cache.compact(&any()).unwrap();
    let snapshot = cache.snapshot().unwrap();
    let rows = stored(&cache, &snapshot, Table::Events);
    let distinct: HashSet<&str> = rows.iter().map(|row| row.eventid.as_str()).collect();
    assert_eq!((rows.len(), distinct.len()), (400, 400));
    assert!(rows.iter().map(|row| row.ts).is_sorted());
    assert_eq!(snapshot.n_records(Table::LogFiles), 20);
}

#[test]
fn a_crash_in_a_compaction_changes_no_row() {
    for step in [Step::Files, Step::Decided, Step::Applied(Table::LogFiles)] {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(dir.path());
        let rows = filled(&cache);
        *cache.fail_after.lock().unwrap() = Some(step);
        cache.compact(&any()).unwrap_err();
        let again = open(dir.path());
        let snapshot = again.snapshot().unwrap();
        let mut found = stored(&again, &snapshot, Table::Events);
        found.sort_by_key(|row| row.ts);
        assert!(found == rows, "{step:?}");
        assert_eq!(snapshot.n_records(Table::LogFiles), 10);
        again.compact(&any()).unwrap();
        let found = stored(&again, &again.snapshot().unwrap(), Table::Events);
        assert!(found == rows, "{step:?}");
    }
}

fn data_files(cache: &Cache) -> HashSet<PathBuf> {
    let dirs = Table::ALL.into_iter().map(|table| cache.name().join(table.name()));
    let paths = dirs.flat_map(|dir| fs::read_dir(dir).unwrap()).map(|e| e.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|e| e == "parquet")).collect()
}

#[test]
fn the_sweep_takes_leftovers_and_nothing_that_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let rows = filled(&cache);
    let orphan = dir.path().join("rejects/part-0.zstd.parquet");
    fs::write(&orphan, "left over").unwrap();
    let staged = dir.path().join("log_files/_delta_log/.staged-0");
    fs::write(&staged, "left over").unwrap();
    cache.compact(&any()).unwrap();
    let day = SweepOptions::default();
    assert_eq!(cache.sweep(&day).unwrap().files, 0, "too young");
    let orphans = SweepOptions { orphans_after: Duration::ZERO, ..day };
    assert_eq!(cache.sweep(&orphans).unwrap().files, 2);
    assert!(!orphan.exists() && !staged.exists());
    assert_eq!(data_files(&cache).len(), 77, "what compaction replaced is still there");
    let report = cache.sweep(&NOW).unwrap();
    assert_eq!(report.files, 70);
    assert!(report.bytes > 0);
    assert_eq!(data_files(&cache).len(), 7);
    let again = open(dir.path());
    assert!(stored(&again, &again.snapshot().unwrap(), Table::Events) == rows);
}
