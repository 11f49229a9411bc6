//! Zip, tar and tar.gz, in one another and under false names.

use std::io::Cursor;

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn text(numbers: std::ops::Range<u32>) -> Vec<u8> {
    file_of(numbers).into_bytes()
}

#[test]
fn members_are_files_of_their_own() {
    let case = Case::new();
    let packed = gzip(text(10..20));
    case.write("a.zip", zip_of(&[("x/a.json", &text(0..10)), ("b.json.gz", &packed)]));
    case.write("b.tar", tar_of(&[("c.json", &text(20..30)), ("README", b"hello")]));
    case.write("c.tar.gz", gzip(tar_of(&[("d.json", &text(30..40))])));
    let report = case.ingest();
    assert_eq!((report.files.seen, report.files.ingested, report.files.other), (5, 4, 1));
    assert_eq!(report.records.written, 40);
    let files: std::collections::BTreeSet<_> = case.events("source_file").into_iter().collect();
    let expected = ["a.zip!/b.json.gz", "a.zip!/x/a.json", "b.tar!/c.json", "c.tar.gz!/d.json"];
    assert_eq!(files, expected.map(|name| case.uri(name)).into());
    let member = case.entry("a.zip!/b.json.gz");
    assert_eq!(member["container"], case.uri("a.zip"));
    assert_eq!(member["gzip_members"], "1");
    let archive = case.entry("c.tar.gz");
    assert_eq!((archive["outcome"].as_str(), archive["kind"].as_str()), ("archive", "tar archive"));
    assert_eq!(archive["sha256"].len(), 64);
    let version = case.version();
    let report = case.ingest();
    assert_eq!((report.files.seen, report.files.unchanged), (5, 5));
    assert_eq!(case.version(), version);
}

#[test]
fn archives_are_known_by_content_wherever_they_stand_in_the_plan() {
    let case = Case::new();
    case.write("a.json", file_of(0..10));
    case.write("b.json", zip_of(&[("m.json", &text(10..20))]));
    case.write("c.json", file_of(20..30));
    case.write("d.json.gz", gzip(tar_of(&[("m.json", &text(30..40)), ("n.json", &text(40..50))])));
    case.write("e.json", file_of(50..60));
    case.write("f.zip", file_of(60..70));
    let report = case.ingest();
    assert_eq!((report.files.seen, report.records.written), (7, 70));
    assert_eq!(case.events("eventid"), (0..70).map(id).collect::<Vec<_>>());
    assert_eq!(case.ingest().files.unchanged, 7);
}

#[test]
fn archives_in_archives_are_read_to_a_bounded_depth() {
    let case = Case::new();
    let mut archive = text(0..5);
    for depth in 0..6 {
        let name = if depth == 0 { "a.json".to_owned() } else { format!("{depth}.zip") };
        let beside = text(10 * (depth + 1)..10 * (depth + 1) + 2);
        archive = if depth % 2 == 0 {
            zip_of(&[(&name, &archive), ("beside.json", &beside)])
        } else {
            gzip(tar_of(&[(&name, &archive), ("beside.json", &beside)]))
        };
    }
    case.write("6.zip", archive);
    let report = case.ingest();
    // Four archives are opened, the one in the innermost is not.
    assert_eq!(report.records.written, 2 * 4);
    assert_eq!(report.files.skipped, 1);
    assert!(report.skipped[0].reason.contains("nested"), "{:?}", report.skipped);
    assert_eq!(case.ingest().files.skipped, 0);
}

#[test]
fn a_changed_archive_is_opened_and_only_its_changed_members_are_read() {
    let case = Case::new();
    let old = zip_of(&[("a.json", &text(0..10)), ("b.json", &text(10..20))]);
    let path = case.write("a.zip", old);
    case.ingest();
    let (a, b, c) = (text(0..10), text(10..21), text(30..40));
    case.write("a.zip", zip_of(&[("a.json", &a), ("b.json", &b), ("c.json", &c)]));
    touch(&path, 1_700_000_000);
    let report = case.ingest();
    assert_eq!((report.files.unchanged, report.files.ingested), (1, 2));
    assert_eq!((report.records.written, report.records.duplicates), (11, 10));
    assert_eq!(case.entry("a.zip!/b.json")["version"], "2");
    assert_eq!(case.entry("a.zip")["version"], "2");
    touch(&path, 1_800_000_000);
    let report = case.ingest();
    assert_eq!((report.files.seen, report.files.unchanged), (3, 3));
    let version = case.version();
    case.ingest();
    assert_eq!(case.version(), version);
}

#[test]
fn damaged_archives_give_what_can_be_reached_and_are_named() {
    let case = Case::new();
    let tar = tar_of(&[("a.json", &text(0..10)), ("b.json", &text(10..20))]);
    case.write("cut.tar", &tar[..tar.len() - 3000]);
    let packed = gzip(tar_of(&[("a.json", &text(20..30)), ("b.json", &text(30..300))]));
    case.write("cut.tar.gz", &packed[..packed.len() - 100]);
    let zip = zip_of(&[("a.json", &text(300..310))]);
    case.write("cut.zip", &zip[..zip.len() - 30]);
    let report = case.ingest();
    let named: Vec<_> = report.skipped.iter().map(|skipped| skipped.path.as_str()).collect();
    for name in ["cut.tar", "cut.tar.gz", "cut.zip"] {
        assert!(named.contains(&case.uri(name).as_str()), "{name} is not in {named:?}");
    }
    let ids = case.events("eventid");
    assert!(ids.contains(&id(9)) && ids.contains(&id(29)), "{} rows", ids.len());
    let report = case.ingest();
    assert_eq!((report.files.skipped, report.files.seen), (0, report.files.unchanged));
}

#[test]
fn a_filter_leaves_an_archive_open_for_the_rest() {
    let mut case = Case::new();
    let key = |account: &str| format!("AWSLogs/{account}/CloudTrail/us-east-1/2024/03/05/x.json");
    let (a, b) = (key("111122223333"), key("444455556666"));
    case.write("a.zip", zip_of(&[(&a, &text(0..5)), (&b, &text(5..10))]));
    case.options.filter.accounts = vec!["444455556666".to_owned()];
    let report = case.ingest();
    assert_eq!((report.files.seen, report.records.written), (1, 5));
    case.options.filter = Filter::default();
    let report = case.ingest();
    assert_eq!((report.files.ingested, report.files.unchanged), (1, 1));
    assert_eq!(case.events("eventid").len(), 10);
}

#[test]
fn a_bomb_in_an_archive_is_cut_at_the_limit() {
    let mut case = Case::new();
    case.options.inflate.max_bytes = 2 << 20;
    let bomb = gzip(gzip(vec![b' '; 8 << 20]));
    case.write("a.zip", zip_of(&[("bomb.json.gz", &bomb), ("a.json", &text(0..5))]));
    case.write("b.tar.gz", gzip(tar_of(&[("a.json", &text(5..8)), ("z", &vec![b' '; 4 << 20])])));
    let report = case.ingest();
    assert_eq!(report.records.written, 8);
    let named: Vec<_> = report.skipped.iter().map(|skipped| skipped.path.clone()).collect();
    assert_eq!(named, [case.uri("a.zip!/bomb.json.gz"), case.uri("b.tar.gz")]);
    assert_eq!(case.ingest().files.skipped, 0);
    case.options.inflate.max_bytes = 64 << 20;
    let report = case.ingest();
    assert_eq!(report.files.skipped, 0, "{:?}", report.skipped);
    assert_eq!(case.events("eventid").len(), 8);
}
