use std::{fs, path::Path};

use super::standin::{self, Row, ledger, row, rows_of, s, sorted, stored, texts_of};
use crate::{
    cache::{Cache, Chunk, CommitOutcome, Snapshot, Step, Table, store},
    error::ErrorKind,
};

pub(super) fn open(dir: &Path) -> Cache {
    Cache::create_with(dir, standin::schemas()).unwrap()
}

pub(super) fn chunk(rows: &[Row], file: &str) -> Chunk {
    let schemas = standin::schemas();
    let n = i64::try_from(rows.len()).unwrap();
    Chunk {
        events: sorted(&schemas.events, rows, 100),
        aggregated: sorted(&schemas.aggregated, &rows[..rows.len().min(3)], 2),
        log_files: Some(ledger(file, "/evidence", n)),
        duplicates: Some(standin::book(Table::Duplicates, &[&[("source_file", s(file))]])),
        rejects: Some(standin::book(Table::Rejects, &[&[("source_file", s(file))]])),
        digest_files: Some(standin::book(Table::DigestFiles, &[&[("uri", s(file))]])),
        digest_verdicts: Some(standin::book(Table::DigestVerdicts, &[&[("uri", s(file))]])),
    }
}

pub(super) fn commit(cache: &Cache, rows: &[Row], file: &str) -> CommitOutcome {
    cache.commit(&cache.snapshot().unwrap(), &chunk(rows, file)).unwrap()
}

/// Rows of all tables.
fn counts(snapshot: &Snapshot) -> [u64; 7] {
    Table::ALL.map(|table| snapshot.n_records(table))
}

fn parquet_files(dir: &Path) -> usize {
    let tables = Table::ALL.into_iter().map(|table| dir.join(table.name()));
    let names = tables.flat_map(|dir| fs::read_dir(dir).unwrap()).map(|e| e.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".parquet")).count()
}

#[test]
fn gives_back_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let mut rows = rows_of("b", 250, -7);
    rows.push(Row { ts: None, ..row(0, "timeless", "b", 251) });
    let empty = cache.snapshot().unwrap();
    assert_eq!(counts(&empty), [0; 7]);
    assert_eq!(commit(&cache, &rows, "b"), CommitOutcome::Committed);
    let snapshot = cache.snapshot().unwrap();
    assert_eq!(counts(&snapshot), [251, 3, 1, 1, 1, 1, 1]);
    assert!(snapshot.version() > empty.version());
    let mut expected = rows.clone();
    expected.sort_by_key(|row| row.ts);
    assert!(stored(&cache, &snapshot, Table::Events) == expected);
    // A snapshot never changes.
    assert_eq!(counts(&empty), [0; 7]);
    // And another process sees the same.
    let other = open(dir.path());
    assert!(stored(&other, &other.snapshot().unwrap(), Table::Events) == expected);
    assert_eq!(other.snapshot().unwrap().version(), snapshot.version());
}

#[test]
fn keeps_every_column_of_every_type() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let rows = rows_of("a", 9_000, 1);
    commit(&cache, &rows, "a");
    let schema = standin::schemas().events;
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut batches = Vec::new();
    let snapshot = cache.snapshot().unwrap();
    let each = &mut |batch| {
        batches.push(batch);
        Ok(())
    };
    cache.read(&snapshot, Table::Events, &names, None, each).unwrap();
    let read = arrow::compute::concat_batches(&schema, &batches).unwrap();
    let parts: Vec<_> = rows.chunks(100).map(|part| standin::batch(&schema, part)).collect();
    let written = arrow::compute::concat_batches(&schema, &parts).unwrap();
    assert!(read == written);
}

#[test]
fn an_empty_chunk_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let before = cache.snapshot().unwrap();
    assert_eq!(cache.commit(&before, &Chunk::default()).unwrap(), CommitOutcome::Committed);
    assert_eq!(cache.snapshot().unwrap().version(), before.version());
}

#[test]
fn of_two_writers_one_must_look_again() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    let (base_one, base_two) = (one.snapshot().unwrap(), two.snapshot().unwrap());
    let outcome = one.commit(&base_one, &chunk(&rows_of("a", 10, 1), "a")).unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    let files = parquet_files(dir.path());
    let outcome = two.commit(&base_two, &chunk(&rows_of("b", 10, 1), "b")).unwrap();
    assert_eq!(outcome, CommitOutcome::Conflict);
    assert_eq!(parquet_files(dir.path()), files, "the loser leaves no files behind");
    assert_eq!(commit(&two, &rows_of("b", 10, 1), "b"), CommitOutcome::Committed);
    assert_eq!(counts(&one.snapshot().unwrap()), [20, 6, 2, 2, 2, 2, 2]);
}

#[test]
fn two_commits_of_the_books_alone_conflict_too() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    let (base_one, base_two) = (one.snapshot().unwrap(), two.snapshot().unwrap());
    let books = || Chunk { log_files: Some(ledger("a", "/evidence", 0)), ..Chunk::default() };
    assert_eq!(one.commit(&base_one, &books()).unwrap(), CommitOutcome::Committed);
    assert_eq!(two.commit(&base_two, &books()).unwrap(), CommitOutcome::Conflict);
    assert_eq!(counts(&two.snapshot().unwrap()), [0, 0, 1, 0, 0, 0, 0]);
}

#[test]
fn many_writers_at_once_lose_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path());
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let dir = dir.path();
            scope.spawn(move || {
                let cache = open(dir);
                for i in 0..5 {
                    let file = format!("{writer}-{i}");
                    while commit(&cache, &rows_of(&file, 5, 1), &file) == CommitOutcome::Conflict {}
                }
            });
        }
    });
    let cache = open(dir.path());
    let snapshot = cache.snapshot().unwrap();
    assert_eq!(counts(&snapshot), [100, 60, 20, 20, 20, 20, 20]);
    let mut files = texts_of(&cache, &snapshot, Table::LogFiles, "uri");
    files.sort();
    files.dedup();
    assert_eq!(files.len(), 20);
}

#[test]
fn a_crash_before_the_decision_changes_nothing_and_after_it_everything() {
    let steps = [
        (Step::Files, false),
        (Step::Decided, true),
        (Step::Applied(Table::Aggregated), true),
        (Step::Applied(Table::Duplicates), true),
        (Step::Applied(Table::Rejects), true),
        (Step::Applied(Table::DigestFiles), true),
        (Step::Applied(Table::DigestVerdicts), true),
        (Step::Applied(Table::LogFiles), true),
    ];
    for (step, decided) in steps {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(dir.path());
        commit(&cache, &rows_of("a", 10, 1), "a");
        let base = cache.snapshot().unwrap();
        *cache.fail_after.lock().unwrap() = Some(step);
        cache.commit(&base, &chunk(&rows_of("b", 10, 1), "b")).unwrap_err();
        drop(cache);
        let cache = open(dir.path());
        let expected = if decided { [20, 6, 2, 2, 2, 2, 2] } else { [10, 3, 1, 1, 1, 1, 1] };
        assert_eq!(counts(&cache.snapshot().unwrap()), expected, "after {step:?}");
        // What was rolled forward is not rolled forward again.
        let again = open(dir.path());
        assert_eq!(counts(&again.snapshot().unwrap()), expected, "again after {step:?}");
        assert_eq!(commit(&again, &rows_of("c", 10, 1), "c"), CommitOutcome::Committed);
        let one_more = [10, 3, 1, 1, 1, 1, 1].iter().zip(expected).map(|(a, b)| a + b);
        assert!(counts(&cache.snapshot().unwrap()).into_iter().eq(one_more), "on {step:?}");
    }
}

#[test]
fn a_live_reader_finishes_what_a_crashed_writer_promised() {
    let dir = tempfile::tempdir().unwrap();
    let (reader, writer) = (open(dir.path()), open(dir.path()));
    assert_eq!(counts(&reader.snapshot().unwrap()), [0; 7]);
    *writer.fail_after.lock().unwrap() = Some(Step::Decided);
    let base = writer.snapshot().unwrap();
    writer.commit(&base, &chunk(&rows_of("a", 10, 1), "a")).unwrap_err();
    assert_eq!(counts(&reader.snapshot().unwrap()), [10, 3, 1, 1, 1, 1, 1]);
    let entry = dir.path().join("log_files/_delta_log/00000000000000000001.json");
    assert!(entry.exists());
}

#[test]
fn promises_are_seen_where_they_cannot_be_kept() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let base = cache.snapshot().unwrap();
    *cache.fail_after.lock().unwrap() = Some(Step::Applied(Table::Duplicates));
    cache.commit(&base, &chunk(&rows_of("a", 10, 1), "a")).unwrap_err();
    // The next table's log cannot be written: a file stands in the way of the staged entry.
    // (Permissions would not stop root.)
    let log = dir.path().join("rejects/_delta_log");
    fs::rename(&log, dir.path().join("rejects/away")).unwrap();
    fs::write(&log, "").unwrap();
    let read_only = Cache::open_with(dir.path(), standin::schemas());
    assert!(read_only.is_err(), "a table without a log is no table");
    fs::remove_file(&log).unwrap();
    fs::rename(dir.path().join("rejects/away"), &log).unwrap();
    let snapshot = cache.overlaid().unwrap();
    assert_eq!(counts(&snapshot), [10, 3, 1, 1, 1, 1, 1]);
    assert!(!log.join("00000000000000000001.json").exists(), "nothing was written");
}

#[test]
fn refuses_what_is_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let open = |dir: &Path| Cache::open_with(dir, standin::schemas()).unwrap_err();
    let missing = open(&dir.path().join("none"));
    assert!(matches!(missing.kind(), ErrorKind::NoCache { .. }), "{missing}");
    fs::write(dir.path().join("holiday.jpg"), "x").unwrap();
    let foreign = open(dir.path());
    assert!(matches!(foreign.kind(), ErrorKind::NotACache { .. }), "{foreign}");
    let foreign = Cache::create_with(dir.path(), standin::schemas()).unwrap_err();
    assert!(matches!(foreign.kind(), ErrorKind::NotACache { .. }), "{foreign}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing was created");
    let marker = dir.path().join("trailhound.json");
    fs::write(&marker, r#"{"format":2,"novelty":true}"#).unwrap();
    let newer = open(dir.path());
    assert!(matches!(newer.kind(), ErrorKind::CacheTooNew { found: 2, known: 1, .. }), "{newer}");
    fs::write(&marker, "{").unwrap();
    let broken = open(dir.path());
    assert!(matches!(broken.kind(), ErrorKind::Cache { .. }), "{broken}");
}

#[test]
fn creates_in_an_empty_directory_and_resumes_a_crashed_creation() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("lost+found")).unwrap();
    fs::write(dir.path().join(format!("{}x", store::STAGED)), "{").unwrap();
    open(dir.path());
    fs::remove_dir_all(dir.path().join("rejects")).unwrap();
    let cache = open(dir.path());
    assert_eq!(counts(&cache.snapshot().unwrap()), [0; 7]);
    assert_eq!(commit(&cache, &rows_of("a", 10, 1), "a"), CommitOutcome::Committed);
}

#[test]
fn without_hard_links_one_of_many_still_gets_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("00000000000000000001.json");
    let winners: usize = std::thread::scope(|scope| {
        let put = |writer: usize| {
            let from = dir.path().join(format!("{writer}"));
            fs::write(&from, writer.to_string()).unwrap();
            store::rename_under_lock(&from, &to)
        };
        let threads: Vec<_> = (0..8).map(|writer| scope.spawn(move || put(writer))).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results
            .filter(|result| match result {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
                    false
                }
            })
            .count()
    });
    assert_eq!(winners, 1);
    assert!(fs::read_to_string(&to).unwrap().parse::<usize>().is_ok());
}

#[test]
fn works_below_a_directory_with_a_difficult_name() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("Fäll #7 100%25 ?x=1&y [a]");
    let cache = open(&place);
    assert_eq!(commit(&cache, &rows_of("a", 10, 1), "a"), CommitOutcome::Committed);
    let again = Cache::open_with(&place, standin::schemas()).unwrap();
    let snapshot = again.snapshot().unwrap();
    assert_eq!(stored(&again, &snapshot, Table::Events).len(), 10);
    assert!(place.join("cloudtrail_logs/_delta_log/00000000000000000001.json").exists());
}

#[test]
fn opens_from_checkpoints_with_the_same_statistics() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    for i in 0..55 {
        let file = format!("f{i}");
        assert_eq!(commit(&cache, &rows_of(&file, 3, 1), &file), CommitOutcome::Committed);
    }
    let log = dir.path().join("cloudtrail_logs/_delta_log");
    assert!(log.join("_last_checkpoint").exists());
    let told = cache.snapshot().unwrap();
    let again = open(dir.path()).snapshot().unwrap();
    for table in Table::ALL {
        let of = |snapshot: &Snapshot| -> Vec<_> {
            let files = snapshot.files(table).iter();
            files.map(|f| (f.path.clone(), f.n_records, f.event_ts, f.stats.clone())).collect()
        };
        assert_eq!(of(&told), of(&again), "{table:?}");
    }
    assert_eq!(counts(&again), [165, 165, 55, 55, 55, 55, 55]);
}

#[tokio::test]
async fn can_be_used_from_inside_another_runtime() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    assert_eq!(commit(&cache, &rows_of("a", 10, 1), "a"), CommitOutcome::Committed);
    drop(cache);
}

#[test]
fn a_cache_without_the_tables_that_came_later_opens_and_gets_them() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let first =
        Chunk { digest_files: None, digest_verdicts: None, ..chunk(&rows_of("a", 10, 0), "a") };
    cache.commit(&cache.snapshot().unwrap(), &first).unwrap();
    for table in [Table::DigestFiles, Table::DigestVerdicts] {
        fs::remove_dir_all(dir.path().join(table.name())).unwrap();
    }
    // Whoever has it open, and whoever may only read it.
    assert_eq!(counts(&cache.snapshot().unwrap()), [10, 3, 1, 1, 1, 0, 0]);
    let again = open(dir.path());
    assert_eq!(counts(&again.overlaid().unwrap()), [10, 3, 1, 1, 1, 0, 0]);
    assert_eq!(commit(&again, &rows_of("b", 10, 100), "b"), CommitOutcome::Committed);
    assert_eq!(counts(&open(dir.path()).snapshot().unwrap()), [20, 6, 2, 2, 2, 1, 1]);
}
