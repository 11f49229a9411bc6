//! Single files: what becomes of each, and what is said of it.

use super::*;

#[test]
fn delivery_files_become_rows_whatever_they_are_called() {
    let case = Case::new();
    case.write("a.json", file_of(0..10));
    case.write("b.json.gz", gzip(file_of(10..20)));
    case.write("gzip-under.json", gzip(file_of(20..30)));
    case.write("plain-under.gz", file_of(30..40));
    let report = case.ingest();
    assert_eq!((report.files.seen, report.files.ingested), (4, 4));
    assert_eq!((report.records.read, report.records.written), (40, 40));
    assert_eq!(case.events("eventid"), (0..40).map(id).collect::<Vec<_>>());
    let stored: u64 = ["a.json", "b.json.gz", "gzip-under.json", "plain-under.gz"]
        .iter()
        .map(|name| fs::metadata(case.path(name)).unwrap().len())
        .sum();
    assert_eq!(report.bytes.compressed, stored);
    let inflated: u64 = (0..4).map(|n| file_of(n * 10..n * 10 + 10).len() as u64).sum();
    assert_eq!(report.bytes.raw, inflated);
    let entry = case.entry("b.json.gz");
    assert_eq!((entry["outcome"].as_str(), entry["kind"].as_str()), ("ingested", "CloudTrail"));
    assert_eq!((entry["gzip_members"].as_str(), entry["version"].as_str()), ("1", "1"));
    assert_eq!(entry["first_event_at"], "2024-03-05T00:00:10Z");
    assert_eq!(entry["last_event_at"], "2024-03-05T00:00:19Z");
    assert_eq!(entry["source"], case.uri("").trim_end_matches('/'));
    let inflated = file_of(10..20);
    assert_eq!(entry["sha256_inflated"], sha256(inflated.as_bytes()));
    assert_eq!(entry["sha256"], sha256(&gzip(&inflated)));
    assert_eq!(entry["inflated_bytes"], inflated.len().to_string());
}

fn sha256(data: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn rows_know_where_they_came_from() {
    let case = Case::new();
    let text = file_of(5..8);
    case.write("a.json", &text);
    case.ingest();
    let columns = ["record_no", "source_file", "source_version", "record_offset", "appended"];
    let rows = case.rows(Table::Events, &columns);
    for (row, n) in rows.iter().zip(5..) {
        let offset = text.find(&record(n)).unwrap().to_string();
        let number = (n - 4).to_string();
        assert_eq!(row, &[number, case.uri("a.json"), "1".to_owned(), offset, "false".to_owned()]);
    }
}

#[test]
fn files_that_are_no_logs_are_named_and_read_once() {
    let case = Case::new();
    case.write("README.md", "# nothing\n");
    case.write("empty.json", "");
    case.write("none.json", r#"{"Records":[]}"#);
    let report = case.ingest();
    assert_eq!((report.files.other, report.files.ingested, report.files.skipped), (2, 1, 0));
    let named: Vec<_> = report.other.iter().map(|other| other.path.clone()).collect();
    assert_eq!(named, [case.uri("README.md"), case.uri("empty.json")]);
    let version = case.version();
    let report = case.ingest();
    assert_eq!((report.files.seen, report.files.unchanged), (3, 3));
    assert!(report.other.is_empty());
    assert_eq!(case.version(), version);
}

#[test]
fn a_truncated_file_gives_its_whole_records_and_is_named() {
    let case = Case::new();
    let text = file_of(0..10);
    let cut = text.find(&record(7)).unwrap() + 40;
    case.write("plain.json", &text[..cut]);
    let report = case.ingest();
    assert_eq!((report.files.skipped, report.files.ingested), (1, 0));
    assert_eq!((report.records.written, report.records.rejected), (7, 1));
    assert_eq!(report.skipped[0].path, case.uri("plain.json"));
    assert_eq!(report.skipped[0].offset, Some(cut as u64 - 40));
    let columns = ["source_file", "record_no", "record_offset", "reason", "text"];
    let rejects = case.rows(Table::Rejects, &columns);
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0][1..4], ["8", &(cut - 40).to_string(), "truncated"]);
    let hex: String = text[cut - 40..cut].bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(rejects[0][4] == hex || rejects[0][4] == text[cut - 40..cut]);
    assert_eq!(case.ingest().files.unchanged, 1);
}

#[test]
fn damaged_gzip_gives_what_comes_before_the_damage() {
    let case = Case::new();
    let packed = gzip(file_of(0..2000));
    case.write("cut.json.gz", &packed[..packed.len() * 3 / 4]);
    case.write("tail.json.gz", [gzip(file_of(5000..5010)), b"rubbish".to_vec()].concat());
    let report = case.ingest();
    assert_eq!(report.files.skipped, 2);
    let reasons: Vec<_> = report.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["the compressed data ends early", "what follows the gzip data is not gzip"]
    );
    let ids = case.events("eventid");
    assert!(ids.len() > 1000 && ids.contains(&id(0)) && ids.contains(&id(5009)));
    assert_eq!(case.entry("tail.json.gz")["records_written"], "10");
}

#[test]
fn records_behind_the_first_gzip_member_are_read_and_marked() {
    let case = Case::new();
    case.write("a.json.gz", [gzip(file_of(0..3)), gzip(file_of(3..5))].concat());
    let report = case.ingest();
    assert_eq!((report.files.ingested, report.records.written), (1, 5));
    let rows = case.rows(Table::Events, &["eventid", "appended"]);
    let appended: Vec<_> = rows.iter().map(|row| row[1] == "true").collect();
    assert_eq!(appended, [false, false, false, true, true]);
    assert_eq!(case.entry("a.json.gz")["gzip_members"], "2");
}

#[test]
fn utf16_is_read() {
    let case = Case::new();
    let text = format!("\u{feff}{}", file_of(0..3));
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    case.write("windows.json", bytes);
    assert_eq!(case.ingest().records.written, 3);
}

#[test]
fn what_is_packed_otherwise_is_skipped_by_its_name() {
    let case = Case::new();
    case.write("a.json.zst", b"\x28\xb5\x2f\xfd\x00\x00");
    case.write("big.7z", [&b"7z\xbc\xaf\x27\x1c"[..], &vec![0; 20 << 20]].concat());
    let report = case.ingest();
    let reasons: Vec<_> = report.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "compressed with zstd, which trailhound does not read",
            "compressed with 7-Zip, which trailhound does not read"
        ]
    );
    assert_eq!(case.ingest().files.unchanged, 2);
}

#[cfg(unix)]
#[test]
fn links_and_special_files_are_named() {
    let case = Case::new();
    case.write("a.json", file_of(0..3));
    std::os::unix::fs::symlink(case.path("a.json"), case.path("same")).unwrap();
    std::os::unix::fs::symlink("/nowhere", case.path("gone")).unwrap();
    let report = case.ingest();
    assert_eq!((report.files.seen, report.files.other, report.files.skipped), (3, 1, 1));
    assert_eq!(report.skipped[0].path, case.uri("gone"));
    assert_eq!(case.entry("gone")["outcome"], "skipped");
    // A fault is named again as long as it lasts, and written once.
    let version = case.version();
    let report = case.ingest();
    assert_eq!((report.files.unchanged, report.files.skipped), (2, 1));
    assert_eq!(case.version(), version);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_spooled_and_known_again_by_its_content() {
    let mut case = Case::new();
    let pipe = case.dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    case.options.sources = vec![pipe.to_str().unwrap().to_owned()];
    let feed = |content: Vec<u8>| {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::write(pipe, content).unwrap())
    };
    for (content, files, written) in [
        (gzip(file_of(0..10)), (1, 0), 10),
        (gzip(file_of(0..10)), (0, 1), 0),
        (file_of(0..12).into_bytes(), (1, 0), 2),
    ] {
        let writer = feed(content);
        let report = case.ingest();
        writer.join().unwrap();
        assert_eq!((report.files.ingested, report.files.unchanged), files);
        assert_eq!(report.records.written, written);
    }
    assert_eq!(case.ledger().last().unwrap()["version"], "2");
}

#[test]
fn a_filter_leaves_out_what_the_key_says_is_elsewhere() {
    let mut case = Case::new();
    let key = |account: &str, day: &str| {
        format!(
            "AWSLogs/{account}/CloudTrail/us-east-1/2024/03/{day}/{account}_CloudTrail_us-east-1_\
             202403{day}T0000Z_abcdefgh01234567.json"
        )
    };
    case.write(&key("111122223333", "05"), file_of(0..3));
    case.write(&key("444455556666", "05"), file_of(3..6));
    case.write(&key("111122223333", "09"), file_of(6..9));
    case.write("elsewhere.json", file_of(9..12));
    case.options.filter.accounts = vec!["111122223333".to_owned()];
    let day = chrono::NaiveDate::from_ymd_opt(2024, 3, 5).unwrap().and_hms_opt(0, 0, 0).unwrap();
    case.options.filter.until = Some(day.and_utc().timestamp_micros());
    let report = case.ingest();
    assert_eq!((report.files.seen, report.records.written), (2, 6));
    case.options.filter = Filter::default();
    let report = case.ingest();
    assert_eq!((report.files.unchanged, report.files.ingested), (2, 2));
    assert_eq!(case.events("eventid").len(), 12);
}

#[test]
fn a_cache_within_the_evidence_is_refused_before_anything_is_written() {
    let mut case = Case::new();
    case.write("a.json", file_of(0..3));
    case.options.sources = vec![case.dir.path().to_str().unwrap().to_owned()];
    let error = case.try_ingest().unwrap_err();
    assert!(matches!(error.kind(), trailhound::ErrorKind::CacheInsideSource { .. }));
    case.options.sources = vec![case.dir.path().join("cache").to_str().unwrap().to_owned()];
    let error = case.try_ingest().unwrap_err();
    assert!(matches!(error.kind(), trailhound::ErrorKind::CacheInsideSource { .. }));
}
