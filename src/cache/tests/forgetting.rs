use arrow::array::{ArrayRef, RecordBatch};

use super::{
    commits::open,
    standin::{Row, book, i32, i64, ledger, row, s, schemas, sorted, stored, texts_of},
};
use crate::cache::{Cache, Chunk, CommitOutcome, CompactOptions, ForgetReport, Step, Table};

/// A row of `duplicates`: the copy, and what it is a copy of.
fn copy(of: (&str, i64), copy: (&str, i64)) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("source_file", s(copy.0)),
        ("source_version", i32(1)),
        ("record_no", i64(copy.1)),
        ("record_offset", i64(copy.1 * 7)),
        ("account", s("444455556666")),
        ("of_file", s(of.0)),
        ("of_version", i32(1)),
        ("of_record_no", i64(of.1)),
    ]
}

/// A file and the number of a record in it.
type Place<'a> = (&'a str, i64);

fn copies(list: &[(Place<'_>, Place<'_>)]) -> RecordBatch {
    let rows: Vec<_> = list.iter().map(|(of, c)| copy(*of, *c)).collect();
    let rows: Vec<&[(&str, ArrayRef)]> = rows.iter().map(Vec::as_slice).collect();
    book(Table::Duplicates, &rows)
}

fn rejected(file: &str) -> RecordBatch {
    book(Table::Rejects, &[&[("source_file", s(file)), ("source_version", i32(1))]])
}

fn commit(cache: &Cache, file: &str, rows: &[Row], list: &[(Place<'_>, Place<'_>)]) {
    let source = file.rsplit_once('/').unwrap().0;
    let chunk = Chunk {
        events: sorted(&schemas().events, rows, 2),
        aggregated: sorted(&schemas().aggregated, rows, 2),
        log_files: Some(ledger(file, source, i64::try_from(rows.len()).unwrap())),
        duplicates: (!list.is_empty()).then(|| copies(list)),
        rejects: Some(rejected(file)),
        ..Chunk::default()
    };
    let outcome = cache.commit(&cache.snapshot().unwrap(), &chunk).unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
}

/// Three files of two sources: `/b/1` has copies of a record of `/a/1`, `/a/2` of both.
fn filled(cache: &Cache) {
    commit(cache, "/a/1", &[row(1, "a1", "/a/1", 1), row(2, "a2", "/a/1", 2)], &[]);
    commit(cache, "/a/2", &[row(3, "a3", "/a/2", 3)], &[(("/a/1", 1), ("/a/2", 1))]);
    commit(
        cache,
        "/b/1",
        &[row(4, "b1", "/b/1", 9)],
        &[(("/a/1", 1), ("/b/1", 1)), (("/a/1", 1), ("/b/1", 5)), (("/a/2", 3), ("/b/1", 2))],
    );
}

fn duplicates(cache: &Cache) -> Vec<(String, String)> {
    let snapshot = cache.snapshot().unwrap();
    let files = texts_of(cache, &snapshot, Table::Duplicates, "source_file");
    let of = texts_of(cache, &snapshot, Table::Duplicates, "of_file");
    files.into_iter().zip(of).collect()
}

#[test]
fn forgets_a_source_and_keeps_what_others_have_too() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    filled(&cache);
    let report = cache.forget("/a/").unwrap();
    let expected = ForgetReport {
        files: 2,
        rows_removed: 2,
        rows_transferred: 4,
        duplicates_removed: 3,
        rejects_removed: 2,
    };
    assert_eq!(report, expected);
    let cache = open(dir.path());
    let snapshot = cache.snapshot().unwrap();
    let rows = [row(1, "a1", "/b/1", 1), row(3, "a3", "/b/1", 2), row(4, "b1", "/b/1", 9)];
    for table in [Table::Events, Table::Aggregated] {
        let mut found = stored(&cache, &snapshot, table);
        found.sort();
        assert_eq!(found, rows, "{table:?}");
    }
    // The copy lends the row what depends on the file, too.
    let accounts = texts_of(&cache, &snapshot, Table::Events, "account");
    assert_eq!(accounts.iter().filter(|a| *a == "444455556666").count(), 2);
    // What was a copy of the forgotten row is one of the row in its place.
    assert_eq!(duplicates(&cache), [("/b/1".to_owned(), "/b/1".to_owned())]);
    assert_eq!(texts_of(&cache, &snapshot, Table::Rejects, "source_file"), ["/b/1"]);
    let outcomes = texts_of(&cache, &snapshot, Table::LogFiles, "outcome");
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "forgotten").count(), 2);
    assert_eq!(outcomes.len(), 6, "two are forgotten, one has gained rows");
    assert_eq!(cache.forget("/a").unwrap(), ForgetReport::default(), "they are gone");
}

#[test]
fn counts_in_the_ledger_follow_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    filled(&cache);
    cache.forget("/a").unwrap();
    let snapshot = cache.snapshot().unwrap();
    let mut newest = Vec::new();
    let columns = ["uri", "records_written", "records_duplicate", "part"];
    let each = &mut |batch: RecordBatch| {
        for r in 0..batch.num_rows() {
            let cell =
                |c: usize| arrow::util::display::array_value_to_string(batch.column(c), r).unwrap();
            newest.push((cell(0), cell(3), cell(1), cell(2)));
        }
        Ok(())
    };
    cache.read(&snapshot, Table::LogFiles, &columns, None, each).unwrap();
    newest.retain(|(uri, part, ..)| uri == "/b/1" && part == "2");
    let two_more = ("/b/1".to_owned(), "2".to_owned(), "3".to_owned(), "-2".to_owned());
    assert_eq!(newest, [two_more]);
}

#[test]
fn one_file_can_be_forgotten_and_names_are_no_mere_prefixes() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    filled(&cache);
    commit(&cache, "/a/11", &[row(7, "a11", "/a/11", 1)], &[]);
    assert_eq!(cache.forget("/nowhere").unwrap(), ForgetReport::default());
    let report = cache.forget("/a/1").unwrap();
    assert_eq!((report.files, report.rows_removed, report.rows_transferred), (1, 2, 2));
    let mut found = stored(&cache, &cache.snapshot().unwrap(), Table::Events);
    found.sort();
    // Of two copies, that of the first file in the order of ingest becomes the row.
    assert_eq!(
        found,
        [
            row(1, "a1", "/a/2", 1),
            row(3, "a3", "/a/2", 3),
            row(4, "b1", "/b/1", 9),
            row(7, "a11", "/a/11", 1),
        ]
    );
}

#[test]
fn a_crash_in_forgetting_leaves_all_or_nothing() {
    let steps = [
        (Step::Files, false),
        (Step::Decided, true),
        (Step::Applied(Table::Aggregated), true),
        (Step::Applied(Table::Duplicates), true),
        (Step::Applied(Table::Rejects), true),
    ];
    for (step, decided) in steps {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(dir.path());
        filled(&cache);
        *cache.fail_after.lock().unwrap() = Some(step);
        cache.forget("/a").unwrap_err();
        let again = open(dir.path());
        let snapshot = again.snapshot().unwrap();
        let counts = Table::ALL.map(|table| snapshot.n_records(table));
        let expected = if decided { [3, 3, 6, 1, 1, 0, 0] } else { [4, 4, 3, 4, 3, 0, 0] };
        assert_eq!(counts, expected, "after {step:?}");
    }
}

#[test]
fn forgetting_beside_a_compaction_and_a_writer_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    filled(&cache);
    std::thread::scope(|scope| {
        let dir = dir.path();
        scope.spawn(move || {
            for _ in 0..10 {
                let options = CompactOptions { min_files: 2, ..CompactOptions::default() };
                open(dir).compact(&options).unwrap();
            }
        });
        scope.spawn(move || {
            let cache = open(dir);
            for i in 0..5 {
                let rows = [row(i, &format!("c{i}"), "/c/1", i)];
                let chunk =
                    Chunk { events: sorted(&schemas().events, &rows, 1), ..Chunk::default() };
                while cache.commit(&cache.snapshot().unwrap(), &chunk).unwrap()
                    == CommitOutcome::Conflict
                {}
            }
        });
        scope.spawn(move || open(dir).forget("/a").unwrap());
    });
    let cache = open(dir.path());
    let mut found = stored(&cache, &cache.snapshot().unwrap(), Table::Events);
    found.retain(|row| row.source_file != "/c/1");
    found.sort();
    assert_eq!(found, [row(1, "a1", "/b/1", 1), row(3, "a3", "/b/1", 2), row(4, "b1", "/b/1", 9)]);
    assert_eq!(cache.snapshot().unwrap().n_records(Table::Events), 8);
    assert_eq!(
        texts_of(&cache, &cache.snapshot().unwrap(), Table::Rejects, "source_file").len(),
        1
    );
}
