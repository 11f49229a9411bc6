//! Files that are streamed, window by window and round by round.

use super::*;

/// A case whose rounds hold a few thousand records.
fn small_rounds() -> Case {
    let mut case = Case::new();
    case.options.memory_bytes = 8 << 20;
    case
}

#[test]
fn a_large_file_is_committed_in_parts() {
    let case = small_rounds();
    case.write("a.json", file_of(0..30_000));
    case.write("b.json.gz", gzip(file_of(30_000..50_000)));
    let report = case.ingest();
    assert_eq!((report.files.ingested, report.records.written), (2, 50_000));
    let parts = case.rows(Table::LogFiles, &["uri", "outcome"]);
    let partial = parts.iter().filter(|row| row[1] == "partial").count();
    assert!(partial >= 2, "{parts:?}");
    assert_eq!(case.entry("a.json")["records_written"], "30000");
    assert_eq!(case.entry("a.json")["part"], "0");
    assert_eq!(case.events("eventid"), (0..50_000).map(id).collect::<Vec<_>>());
    assert_eq!(case.ingest().files.unchanged, 2);
}

#[test]
fn large_and_small_files_give_the_same_rows() {
    let content = |memory_bytes| {
        let mut case = Case::new();
        case.options.memory_bytes = memory_bytes;
        case.write("a.json", file_of(0..3));
        case.write("b.json", file_of(0..12_000));
        case.write("c.json.gz", [gzip(file_of(100..9000)), gzip(file_of(8000..16_000))].concat());
        case.write("d.json", file_of(15_000..15_010));
        let text = file_of(20_000..25_000);
        case.write("e.json", &text[..text.len() - 400]);
        let packed = gzip(file_of(25_000..35_000));
        case.write("f.json.gz", &packed[..packed.len() - 5000]);
        case.ingest();
        case.content()
    };
    let (whole, streamed) = (content(1 << 30), content(4 << 20));
    let differs = whole.iter().zip(&streamed).find(|(a, b)| a != b);
    assert_eq!(differs, None);
    assert_eq!(whole.len(), streamed.len());
}

#[test]
fn a_record_longer_than_a_window_is_read() {
    let case = small_rounds();
    let long = record(1).replace("example-1", &"x".repeat(6 << 20));
    case.write("a.json", format!(r#"{{"Records":[{},{long},{}]}}"#, record(0), record(2)));
    assert_eq!(case.ingest().records.written, 3);
}

#[test]
fn a_run_that_stopped_mid_file_goes_on_where_it_was() {
    use std::sync::atomic::Ordering;
    let undisturbed = small_rounds();
    let case = small_rounds();
    let text = file_of((0..40_000).chain(0..10));
    for case in [&undisturbed, &case] {
        touch(&case.write("a.json", &text), 1_700_000_000);
        touch(&case.write("b.json", file_of(39_990..40_010)), 1_700_000_000);
    }
    undisturbed.ingest();
    for stop_after in [1, 12_000, 25_000] {
        let progress = Arc::new(Progress::default());
        let watcher = {
            let progress = Arc::clone(&progress);
            std::thread::spawn(move || {
                while progress.records.load(Ordering::Relaxed) < stop_after {
                    std::thread::yield_now();
                }
                progress.cancelled.store(true, Ordering::Relaxed);
            })
        };
        let result = ingest::run(&case.cache(), &case.options, &progress);
        progress.records.store(u64::MAX, Ordering::Relaxed);
        watcher.join().unwrap();
        if let Err(error) = result {
            assert!(matches!(error.kind(), trailhound::ErrorKind::Interrupted));
        }
        case.balance();
    }
    case.ingest();
    assert_eq!(case.events("eventid").len(), 40_010);
    assert_eq!(case.content(), undisturbed.content());
}
