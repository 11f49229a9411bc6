//! The generator of `benches/generate`: what benches and tests stand on.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::generate::{self, Mix, Options};

/// Every file below `dir`, by its path from there.
fn tree(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(dir).unwrap().to_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn records(stored: &[u8]) -> Vec<Value> {
    let mut text = Vec::new();
    if stored.starts_with(b"\x1f\x8b") {
        std::io::copy(&mut flate2::read::GzDecoder::new(stored), &mut text).unwrap();
    } else {
        text.extend_from_slice(stored);
    }
    let mut document: BTreeMap<String, Vec<Value>> = serde_json::from_slice(&text).unwrap();
    document.remove("Records").unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_threads() {
    let make = |seed, threads| {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { events: 6_000, seed, threads, ..Options::default() };
        generate::write(&options, dir.path()).unwrap();
        tree(dir.path())
    };
    let one = make(3, 1);
    assert!(one == make(3, 4), "threads change the bytes");
    assert!(one != make(4, 4), "the seed changes nothing");
}

#[test]
fn every_event_asked_for_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { events: 12_345, duplicates_ppm: 20_000, ..Options::default() };
    let summary = generate::write(&options, dir.path()).unwrap();
    let files = tree(dir.path());
    let (mut ids, mut n_records, mut n_reads) = (HashMap::new(), 0_u64, 0_u64);
    for (name, stored) in &files {
        let name = name.to_str().unwrap();
        assert!(name.starts_with("AWSLogs/") && name.ends_with(".json.gz"), "{name}");
        for record in records(stored) {
            let account = record["recipientAccountId"].as_str().unwrap();
            assert!(name.contains(&format!("/{account}_CloudTrail_")), "{name} holds {account}");
            let region = record["awsRegion"].as_str().unwrap();
            assert!(name.contains(&format!("/{region}/")), "{name} holds {region}");
            n_records += 1;
            n_reads += u64::from(record["readOnly"] == true);
            let id = record["eventID"].as_str().unwrap().to_owned();
            let copy = ids.entry(id).or_insert_with(|| record.clone());
            assert_eq!(*copy, record, "copies of a record are equal");
        }
    }
    assert_eq!(ids.len() as u64, options.events);
    assert_eq!(summary.events, options.events);
    assert_eq!(summary.files, files.len() as u64);
    assert_eq!(n_records, summary.events + summary.duplicates);
    assert!((100..400).contains(&summary.duplicates), "{} copies for 2 %", summary.duplicates);
    let share = n_reads * 100 / n_records;
    assert!((52..70).contains(&share), "{share} % of the calls only read");
}

#[test]
fn credentials_are_issued_before_they_are_used() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { events: 8_000, accounts: 3, days: 2, ..Options::default() };
    generate::write(&options, dir.path()).unwrap();
    let all: Vec<Value> = tree(dir.path()).values().flat_map(|stored| records(stored)).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut issued: HashMap<String, String> = HashMap::new();
    let mut shared: HashMap<String, BTreeSet<String>> = HashMap::new();
    for record in all.iter().filter(|r| r["eventName"] == "AssumeRole") {
        let key = text(&record["responseElements"]["credentials"]["accessKeyId"]);
        issued.insert(key, text(&record["eventTime"]));
        let accounts = shared.entry(text(&record["sharedEventID"])).or_default();
        accounts.insert(text(&record["recipientAccountId"]));
    }
    let mut used = 0;
    for record in all.iter().filter(|r| r["userIdentity"]["type"] == "AssumedRole") {
        let key = text(&record["userIdentity"]["accessKeyId"]);
        let since = issued.get(&key).unwrap_or_else(|| panic!("{key} was never issued"));
        assert!(*since <= text(&record["eventTime"]), "{key} is used before {since}");
        used += 1;
    }
    assert!(used > 2_000, "only {used} calls with issued credentials");
    let both = shared.values().filter(|accounts| accounts.len() == 2).count();
    assert!(both > 3, "only {both} chains across accounts");
}

#[test]
fn records_have_the_sizes_of_real_ones() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { events: 20_000, mix: Mix::Single, ..Options::default() };
    generate::write(&options, dir.path()).unwrap();
    let text = fs::read(dir.path().join("archive.json")).unwrap();
    let document: BTreeMap<String, Vec<Box<serde_json::value::RawValue>>> =
        serde_json::from_slice(&text).unwrap();
    let mut sizes: Vec<usize> = document["Records"].iter().map(|r| r.get().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes.len(), 20_000);
    let (median, p99) = (sizes[10_000], sizes[19_800]);
    assert!((1_000..1_400).contains(&median), "the median record has {median} bytes");
    assert!((1_600..3_000).contains(&p99), "one in a hundred has {p99} bytes or more");
    assert!((15_000..80_000).contains(&sizes[19_999]), "the largest has {} bytes", sizes[19_999]);
}

#[test]
fn tiny_files_hold_about_five_events() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { events: 2_000, mix: Mix::Tiny, gz: false, ..Options::default() };
    let summary = generate::write(&options, dir.path()).unwrap();
    assert!((350..500).contains(&summary.files), "{} files", summary.files);
    assert!(tree(dir.path()).values().all(|stored| records(stored).len() <= 7));
}
