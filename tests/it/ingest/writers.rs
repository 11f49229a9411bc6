//! Several writers at once.

use super::*;

fn evidence(case: &Case) {
    for n in 0..40 {
        case.write(&format!("{n:02}.json"), file_of(n * 300..n * 300 + 310));
    }
    case.write("large.json", file_of(0..30_000));
    case.write("none.txt", "nothing");
    let text = file_of(50_000..50_100);
    case.write("cut.json", &text[..text.len() - 100]);
}

#[test]
fn two_that_ingest_the_same_evidence_write_it_once() {
    let mut case = Case::new();
    case.options.memory_bytes = 4 << 20;
    evidence(&case);
    let reports: Vec<IngestReport> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..2).map(|_run| scope.spawn(|| case.try_ingest().unwrap())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    case.balance();
    let mut alone = Case::new();
    alone.options.memory_bytes = 4 << 20;
    evidence(&alone);
    let report = alone.ingest();
    let written: u64 = reports.iter().map(|report| report.records.written).sum();
    assert_eq!(written, report.records.written);
    let duplicates: u64 = reports.iter().map(|report| report.records.duplicates).sum();
    assert_eq!(duplicates, report.records.duplicates);
    let (content, expected) = (case.content(), alone.content());
    let differs = content.iter().zip(&expected).find(|(a, b)| a != b);
    assert_eq!(differs, None);
    for report in reports {
        assert_eq!(report.files.seen, 43);
    }
}

#[test]
fn two_that_ingest_different_evidence_leave_each_record_once() {
    let case = Case::new();
    for n in 0..30 {
        case.write(&format!("a/{n:02}.json"), file_of(n * 200..n * 200 + 200));
        case.write(&format!("b/{n:02}.json"), file_of(n * 200 + 100..n * 200 + 300));
    }
    std::thread::scope(|scope| {
        for side in ["a", "b"] {
            let mut options = case.options.clone();
            options.sources = vec![case.path(side).to_str().unwrap().to_owned()];
            options.memory_bytes = 1 << 20;
            let cache = case.cache();
            scope.spawn(move || {
                ingest::run(&cache, &options, &Arc::new(Progress::default())).unwrap()
            });
        }
    });
    case.balance();
    assert_eq!(case.events("eventid"), (0..6100).map(id).collect::<Vec<_>>());
}
