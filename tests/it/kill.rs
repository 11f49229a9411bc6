//! Invariant 4: kill -9 at any moment, run again: the same content as without it.
//!
//! By default a few kills of a small ingest. The full form, 200,000 events and as many kills as
//! asked for: `TRAILHOUND_TEST_KILLS=20 cargo test --release --test it kill`.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use trailhound::cache::{Cache, Table};

use crate::{
    generate::{self, Options},
    support::{batches, fingerprint, ingest_into, rows},
};

/// Columns that tell when, not what.
const TIMES: [&str; 2] = ["ingested_at", "found_at"];

/// Columns that tell from which of two equal copies a row came.
const ORIGIN: [&str; 10] = [
    "shape",
    "envelope",
    "account",
    "region",
    "delivery_date",
    "source_file",
    "source_version",
    "record_no",
    "record_offset",
    "appended",
];

struct Evidence {
    _dir: tempfile::TempDir,
    path: PathBuf,
    events: u64,
    kills: u32,
}

fn evidence() -> Evidence {
    let asked = std::env::var("TRAILHOUND_TEST_KILLS").ok().and_then(|n| n.parse().ok());
    let (events, single, kills) =
        asked.map_or((20_000, 14_000, 3), |kills| (200_000, 50_000, kills));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("evidence");
    let options =
        Options { events, seed: 4, duplicates_ppm: 10_000, days: 9, ..Options::default() };
    generate::write(&options, &path).unwrap();
    // A large plain file, so that some kills fall into the middle of one, and some damage.
    let one = Options { events: single, seed: 5, mix: generate::Mix::Single, ..options };
    generate::write(&one, &path.join("more")).unwrap();
    for name in ["truncated.json.gz", "not-utf8.json", "digest.json.gz", "duplicate-equal.json"] {
        let from = crate::support::from_root("testdata/broken").join(name);
        std::fs::copy(from, path.join(name)).unwrap();
    }
    Evidence { path: path.canonicalize().unwrap(), _dir: dir, events: events + single, kills }
}

fn start(cache: &Path, evidence: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_trailhound"))
        // Little memory: many rounds, many commits, many places to die.
        .args(["--memory", "64MiB", "--threads", "2", "--cache"])
        .arg(cache)
        .arg("ingest")
        .arg(evidence)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs to the end: exit code 1, as some files are damaged.
fn finish(run: Child) {
    let output = run.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}: {said}", output.status);
}

/// The ledger as it holds: of the rows of one file the last, without when it was written.
fn ledger(cache: &Path) -> Vec<String> {
    let mut last: HashMap<(String, i32), (i32, String)> = HashMap::new();
    for batch in batches(cache, Table::LogFiles) {
        let number = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Int32Type>();
        let (versions, parts) = (number("version"), number("part"));
        let uris = batch.column_by_name("uri").unwrap().as_string::<i32>();
        for row in 0..batch.num_rows() {
            let key = (uris.value(row).to_owned(), versions.value(row));
            let part = parts.value(row);
            if last.get(&key).is_none_or(|(highest, _)| *highest < part) {
                last.insert(key, (part, line(&batch, row)));
            }
        }
    }
    let mut out: Vec<String> = last.into_values().map(|(_, line)| line).collect();
    out.sort_unstable();
    out
}

fn line(batch: &RecordBatch, row: usize) -> String {
    let skip = [TIMES.as_slice(), &["part"]].concat();
    let schema = batch.schema();
    let fields = schema.fields().iter().filter(|field| !skip.contains(&field.name().as_str()));
    let cell = |name: &String| {
        let array = batch.column_by_name(name).unwrap();
        let value = arrow::util::display::array_value_to_string(array, row).unwrap();
        format!("{name}={value}")
    };
    fields.map(|field| cell(field.name())).collect::<Vec<_>>().join("|")
}

/// All that a cache holds, but when.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    tables: Vec<(Table, (usize, String))>,
    ledger: Vec<String>,
}

fn contents(cache: &Path) -> Contents {
    let tables = [Table::Events, Table::Aggregated, Table::Duplicates, Table::Rejects];
    Contents {
        tables: tables.map(|table| (table, fingerprint(cache, table, &TIMES))).into(),
        ledger: ledger(cache),
    }
}

/// Says which rows differ, where there are few enough to compare them one by one.
fn assert_same(when: &str, undisturbed: &Path, wanted: &Contents, cache: &Path) {
    let found = contents(cache);
    if found == *wanted {
        return;
    }
    let mut faults = Vec::new();
    for ((table, wanted), (_, found)) in wanted.tables.iter().zip(&found.tables) {
        if wanted == found {
            continue;
        }
        faults.push(format!("{table:?} has {} rows, not {}", found.0, wanted.0));
        if wanted.0 > 100_000 {
            continue;
        }
        let (wanted, found) = (rows(undisturbed, *table, &TIMES), rows(cache, *table, &TIMES));
        let more = found.iter().filter(|(row, n)| wanted.get(*row) != Some(n));
        faults.extend(more.take(3).map(|(row, n)| format!("  {n} × {row}")));
        let less = wanted.iter().filter(|(row, n)| found.get(*row) != Some(n));
        faults.extend(less.take(3).map(|(row, n)| format!("  instead of {n} × {row}")));
    }
    let differ = wanted.ledger.iter().filter(|line| !found.ledger.contains(line));
    faults.extend(differ.take(5).map(|line| format!("ledger lacks {line}")));
    let differ = found.ledger.iter().filter(|line| !wanted.ledger.contains(line));
    faults.extend(differ.take(5).map(|line| format!("ledger has {line}")));
    panic!("{when}:\n{}", faults.join("\n"));
}

#[test]
fn kill_9_at_any_moment_changes_nothing() {
    let evidence = evidence();
    let home = tempfile::tempdir().unwrap();
    let undisturbed = home.path().join("undisturbed");
    let began = Instant::now();
    finish(start(&undisturbed, &evidence.path));
    let whole = began.elapsed();
    let wanted = contents(&undisturbed);
    let n_events = wanted.tables.first().map_or(0, |(_, (n, _))| *n as u64);
    assert!(n_events >= evidence.events, "{n_events} rows");
    let commits = Cache::open(&undisturbed).unwrap().snapshot().unwrap().version();
    assert!(commits > 3, "only {commits} commits to die in");

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut moment = now.subsec_nanos() | 1;
    let mut killed = 0;
    for n in 0..evidence.kills {
        let cache = home.path().join(format!("killed-{n}"));
        // A xorshift is random enough to choose moments.
        moment ^= moment << 13;
        moment ^= moment >> 17;
        moment ^= moment << 5;
        let after = whole.mul_f64(f64::from(moment % 1000) / 1000.0);
        let mut run = start(&cache, &evidence.path);
        thread::sleep(after);
        killed += u32::from(run.try_wait().unwrap().is_none());
        run.kill().unwrap();
        run.wait().unwrap();
        finish(start(&cache, &evidence.path));
        let when = format!("killed after {after:?} of {whole:?}");
        assert_same(&when, &undisturbed, &wanted, &cache);
        std::fs::remove_dir_all(&cache).unwrap();
    }
    assert!(killed > 0, "no run was still going when it was to be killed");
}

#[test]
fn killed_again_and_again_an_ingest_still_arrives() {
    let evidence = evidence();
    let home = tempfile::tempdir().unwrap();
    let undisturbed = home.path().join("undisturbed");
    finish(start(&undisturbed, &evidence.path));
    let cache = home.path().join("killed");
    for n in 1..=6 {
        let mut run = start(&cache, &evidence.path);
        thread::sleep(Duration::from_millis(90 * n));
        run.kill().unwrap();
        run.wait().unwrap();
    }
    finish(start(&cache, &evidence.path));
    assert_same("killed six times", &undisturbed, &contents(&undisturbed), &cache);
}

#[test]
fn two_processes_at_once_write_each_event_once() {
    let evidence = evidence();
    let home = tempfile::tempdir().unwrap();
    let (alone, both) = (home.path().join("alone"), home.path().join("both"));
    finish(start(&alone, &evidence.path));
    let first = start(&both, &evidence.path);
    let second = start(&both, &evidence.path);
    finish(first);
    finish(second);
    let but = [TIMES.as_slice(), &ORIGIN].concat();
    let events = |cache: &Path| fingerprint(cache, Table::Events, &but);
    assert_eq!(events(&both), events(&alone), "the events, wherever their copies lay");
    assert_eq!(
        fingerprint(&both, Table::Rejects, &TIMES),
        fingerprint(&alone, Table::Rejects, &TIMES)
    );
    assert_eq!(ledger(&both).len(), ledger(&alone).len(), "every file is in the ledger once");
    let again = ingest_into(&both, &evidence.path);
    assert_eq!(again.files.unchanged, again.files.seen, "a third finds nothing new");
    assert_eq!(events(&both), events(&alone));
}
