//! The second time: unchanged, touched, changed, tried again.

use super::*;

#[test]
fn what_is_unchanged_is_neither_opened_nor_written() {
    let case = Case::new();
    let path = case.write("a.json", file_of(10..20));
    touch(&path, 1_700_000_000);
    case.ingest();
    let version = case.version();
    // Had it been opened, this would be seen.
    case.write("a.json", file_of(20..30));
    touch(&path, 1_700_000_000);
    let report = case.ingest();
    assert_eq!((report.files.seen, report.files.unchanged), (1, 1));
    assert_eq!((report.records.read, report.bytes.compressed), (0, 0));
    assert_eq!(case.version(), version);
}

#[test]
fn a_touched_file_is_unchanged_and_its_new_time_is_learnt() {
    let case = Case::new();
    let small = case.write("a.json", file_of(0..10));
    let large = case.write("b.json", file_of(10..5000));
    case.ingest();
    let before = case.entry("b.json");
    touch(&small, 1_700_000_000);
    touch(&large, 1_700_000_001);
    let report = case.ingest();
    assert_eq!((report.files.seen, report.files.unchanged), (2, 2));
    let mut after = case.entry("b.json");
    assert_eq!(after["modified_at"], "2023-11-14T22:13:21Z");
    for name in ["modified_at", "ingested_at", "part"] {
        after.insert(name.to_owned(), before[name].clone());
    }
    assert_eq!(after, before);
    let version = case.version();
    assert_eq!(case.ingest().files.unchanged, 2);
    assert_eq!(case.version(), version);
}

#[test]
fn a_changed_file_is_a_new_version_whose_new_rows_join() {
    let case = Case::new();
    case.write("a.json", file_of(0..10));
    case.ingest();
    case.write("a.json", file_of(5..20));
    let report = case.ingest();
    assert_eq!((report.files.ingested, report.records.read), (1, 15));
    assert_eq!((report.records.written, report.records.duplicates), (10, 5));
    let ledger = case.ledger();
    assert_eq!(ledger.len(), 2);
    assert_eq!((ledger[0]["version"].as_str(), ledger[1]["version"].as_str()), ("1", "2"));
    let versions = case.rows(Table::Events, &["eventid", "source_version"]);
    assert_eq!(versions[9][1], "1");
    assert_eq!(versions[10][1], "2");
}

#[test]
fn a_limit_keeps_what_comes_before_it_and_is_tried_again_when_it_differs() {
    let mut case = Case::new();
    let text = file_of(0..400);
    case.write("a.json.gz", gzip(&text));
    case.options.inflate.max_bytes = text.find(&record(100)).unwrap() as u64 + 10;
    let report = case.ingest();
    assert_eq!((report.files.skipped, report.records.read, report.records.written), (1, 100, 100));
    assert!(report.skipped[0].reason.starts_with("inflates to more than"), "{report:?}");
    assert_eq!(case.ingest().files.unchanged, 1);
    case.options.inflate.max_bytes = text.find(&record(300)).unwrap() as u64 + 10;
    let report = case.ingest();
    assert_eq!((report.files.skipped, report.records.written), (1, 200));
    case.options.inflate.max_bytes = 1 << 30;
    let report = case.ingest();
    assert_eq!((report.files.ingested, report.records.written), (1, 100));
    assert_eq!(case.entry("a.json.gz")["records_written"], "400");
    assert_eq!(case.entry("a.json.gz")["outcome"], "ingested");
    assert_eq!(case.events("eventid"), (0..400).map(id).collect::<Vec<_>>());
    assert!(case.rows(Table::Duplicates, &["eventid"]).is_empty());
}

#[cfg(unix)]
#[test]
fn what_could_not_be_read_is_tried_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let case = Case::new();
    let path = case.write("a.json", file_of(0..10));
    case.write("b.json", file_of(10..20));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::File::open(&path).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let report = case.ingest();
    assert_eq!((report.files.skipped, report.records.written), (1, 10));
    assert_eq!(report.skipped[0].reason, "cannot be read: permission denied");
    let version = case.version();
    assert_eq!(case.ingest().files.skipped, 1);
    assert_eq!(case.version(), version);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let report = case.ingest();
    assert_eq!((report.files.ingested, report.files.unchanged), (1, 1));
    assert_eq!(case.events("eventid").len(), 20);
}

#[test]
fn cancelling_leaves_whole_commits_and_the_rest_follows() {
    use std::sync::atomic::Ordering;
    let mut case = Case::new();
    case.options.memory_bytes = 1 << 20;
    for n in 0..40 {
        case.write(&format!("{n:02}.json"), file_of(n * 500..n * 500 + 500));
    }
    let progress = Arc::new(Progress::default());
    let mut report = IngestReport::default();
    let watcher = {
        let progress = Arc::clone(&progress);
        std::thread::spawn(move || {
            while progress.files_done.load(Ordering::Relaxed) < 5 {
                std::thread::yield_now();
            }
            progress.cancelled.store(true, Ordering::Relaxed);
        })
    };
    let result = ingest::run_into(&case.cache(), &case.options, &progress, &mut report);
    watcher.join().unwrap();
    assert!(matches!(result.unwrap_err().kind(), trailhound::ErrorKind::Interrupted));
    case.balance();
    assert_eq!(case.events("eventid").len() as u64, report.records.written);
    assert!(report.files.ingested < 40);
    let rest = case.ingest();
    assert_eq!(rest.files.unchanged, report.files.ingested);
    assert_eq!(rest.files.ingested + report.files.ingested, 40);
    assert_eq!(case.events("eventid"), (0..20_000).map(id).collect::<Vec<_>>());
}
