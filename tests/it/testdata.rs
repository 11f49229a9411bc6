//! The written case, the shapes and the broken files of `testdata/`, against literals: those that
//! `tests/oracle/case.py` derived by a reading of its own, and those of `broken.json`, by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use arrow::array::{AsArray, RecordBatch};
use serde_json::Value;
use trailhound::{cache::Table, ingest::IngestReport, logs::cloudtrail::rebuild};

use crate::{
    shared_data::{assert_report, assert_rows},
    support::{
        batches, column, content, content_hash, contents_of_delivery, counts, expected_counts,
        from_root, ingest_into, literals, member,
    },
};

fn testdata() -> std::path::PathBuf {
    from_root("testdata").canonicalize().unwrap()
}

/// Counts of `expected` that hold for any ingest.
fn n_rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[test]
fn the_case_gives_what_an_independent_reading_found() {
    let expected = &literals("testdata.json")["case"];
    let cache = tempfile::tempdir().unwrap();
    let report = ingest_into(cache.path(), &testdata().join("case"));
    assert_report("case", &report, expected, &testdata());
    assert_rows("case", &batches(cache.path(), Table::Events), expected);
    let aggregated = batches(cache.path(), Table::Aggregated);
    assert_eq!(n_rows(&aggregated) as u64, expected["aggregated_rows"]);
    let records: BTreeSet<_> = column(&aggregated, "eventid").into_iter().collect();
    assert_eq!(records.len() as u64, expected["aggregated_records"]);
}

#[test]
fn the_case_can_be_solved() {
    let answers = &literals("testdata.json")["answers"];
    let cache = tempfile::tempdir().unwrap();
    ingest_into(cache.path(), &testdata().join("case"));
    let events = batches(cache.path(), Table::Events);
    let keys = member(&events, "useridentity", "accesskeyid");
    let addresses = column(&events, "sourceipaddress");
    let leaked = Some("AKIAIOSFODNN7EXAMPLE".to_owned());
    let by_address: Vec<_> = keys
        .iter()
        .zip(&addresses)
        .filter(|(key, _)| **key == leaked)
        .map(|(_, address)| address.clone())
        .collect();
    let expected = expected_counts(&answers["calls_with_leaked_key_by_address"]);
    assert_eq!(counts(&by_address), expected);
    let outcomes = column(&events, "outcome");
    let thief = Some("203.0.113.77".to_owned());
    let denied = (0..keys.len()).filter(|&row| {
        keys.get(row) == Some(&leaked)
            && addresses.get(row) == Some(&thief)
            && outcomes.get(row) == Some(&Some("denied".to_owned()))
    });
    assert_eq!(denied.count() as u64, answers["denied_to_leaked_key"]);

    // From the two keys that were found, along the credentials that each issued.
    let issued = column(&events, "issued_key");
    let mut chain = BTreeSet::from([leaked, Some("AKIAI44QH8DHBEXAMPLE".to_owned())]);
    loop {
        let found: BTreeSet<_> = keys
            .iter()
            .zip(&issued)
            .filter(|(key, issued)| chain.contains(*key) && issued.is_some())
            .map(|(_, issued)| issued.clone())
            .collect();
        if found.is_subset(&chain) {
            break;
        }
        chain.extend(found);
    }
    let known: BTreeSet<Option<String>> =
        serde_json::from_value(answers["keys_of_the_intruder"].clone()).unwrap();
    assert!(chain.is_subset(&known), "{chain:?}");
    let names = column(&events, "eventname");
    let errors = column(&events, "errorcode");
    let read = (0..keys.len()).filter(|&row| {
        keys.get(row).is_some_and(|key| chain.contains(key))
            && names.get(row) == Some(&Some("GetObject".to_owned()))
            && errors.get(row) == Some(&None)
    });
    assert_eq!(read.count() as u64, answers["objects_read_by_intruder"]);
}

#[test]
fn every_session_of_the_case_can_be_traced_to_where_it_began() {
    let cache = tempfile::tempdir().unwrap();
    ingest_into(cache.path(), &testdata().join("case"));
    let events = batches(cache.path(), Table::Events);
    let times = column(&events, "eventtime");
    let issued: BTreeMap<_, _> = column(&events, "issued_key").into_iter().zip(&times).collect();
    let user = |field| member(&events, "useridentity", field);
    let (kinds, keys, arns) = (user("type"), user("accesskeyid"), user("arn"));
    let names = column(&events, "eventname");
    let signed_in: BTreeSet<_> = (0..names.len())
        .filter(|&row| names[row].as_deref() == Some("ConsoleLogin"))
        .map(|row| (arns[row].clone(), times[row].clone()))
        .collect();
    let mut created = Vec::new();
    for batch in &events {
        let identity = batch.column_by_name("useridentity").unwrap().as_struct();
        let context = identity.column_by_name("sessioncontext").unwrap().as_struct();
        let attributes = context.column_by_name("attributes").unwrap().as_struct();
        let dates = attributes.column_by_name("creationdate").unwrap().as_string::<i32>();
        created.extend(dates.iter().map(|date| date.map(str::to_owned)));
    }
    let (mut roles, mut consoles) = (0, 0);
    for row in 0..keys.len() {
        let temporary = keys[row].as_deref().is_some_and(|key| key.starts_with("ASIA"));
        if kinds[row].as_deref() == Some("AssumedRole") {
            assert!(issued[&keys[row]] <= &times[row], "{:?} before it was issued", keys[row]);
            assert_eq!(issued[&keys[row]], &created[row], "{:?}", keys[row]);
            roles += 1;
        } else if temporary {
            let login = (arns[row].clone(), created[row].clone());
            assert!(signed_in.contains(&login), "no sign-in for {login:?}");
            consoles += 1;
        }
    }
    assert!(roles > 500 && consoles > 80, "{roles} and {consoles} events of sessions");
}

#[test]
fn the_key_of_a_file_tells_account_region_and_day() {
    let cache = tempfile::tempdir().unwrap();
    ingest_into(cache.path(), &testdata().join("case"));
    let events = batches(cache.path(), Table::Events);
    assert_eq!(column(&events, "account"), column(&events, "recipientaccountid"));
    assert_eq!(column(&events, "region"), column(&events, "awsregion"));
    // One file of the 13th came on the 14th.
    let (days, times) = (column(&events, "delivery_date"), column(&events, "eventtime"));
    let late = days.iter().zip(&times).filter(|(day, time)| {
        day.as_deref() == Some("2024-05-14")
            && time.as_deref().is_some_and(|time| time < "2024-05-13T12")
    });
    assert!(late.count() > 5, "the late file's rows have the day it was delivered");
}

#[test]
fn every_shape_gives_the_same_six_records() {
    let expected = literals("testdata.json");
    for (name, expected) in expected["shapes_alone"].as_object().unwrap() {
        let cache = tempfile::tempdir().unwrap();
        let report = ingest_into(cache.path(), &testdata().join(name));
        let events = batches(cache.path(), Table::Events);
        assert_eq!(report.records.read, expected["records"]["read"], "{name}: {report:?}");
        assert_eq!(report.files.ingested, expected["files"]["ingested"], "{name}: {report:?}");
        assert_eq!(report.files.other, expected["files"]["other"], "{name}: {report:?}");
        assert_eq!(report.files.skipped, 0, "{name}: {report:?}");
        let shapes = expected_counts(&expected["rows_by_shape"]);
        assert_eq!(counts(&column(&events, "shape")), shapes, "{name}");
        assert_eq!(content_hash(&events), expected["content_hash"], "{name}");
    }
}

#[test]
fn all_shapes_at_once_are_six_records_and_their_copies() {
    let expected = &literals("testdata.json")["shapes"];
    let cache = tempfile::tempdir().unwrap();
    let report = ingest_into(cache.path(), &testdata().join("shapes"));
    assert_report("shapes", &report, expected, &testdata());
    assert_rows("shapes", &batches(cache.path(), Table::Events), expected);
    let copies = batches(cache.path(), Table::Duplicates);
    assert_eq!(n_rows(&copies) as u64, expected["records"]["duplicates"]);
    assert!(column(&copies, "of_file").iter().all(Option::is_some), "each names what stayed");
}

#[test]
fn both_readings_take_the_same_things_for_equal() {
    // The hash is computed in two languages; this compares them without the program between.
    let expected = &literals("testdata.json")["shapes_alone"]["shapes/object/3.json"];
    let text = std::fs::read_to_string(testdata().join("shapes/object/3.json")).unwrap();
    assert_eq!(crate::support::hash_of(&text), expected["content_hash"]);
}

/// What an ingest of one file says of it.
fn outcome(report: &IngestReport) -> (&'static str, String) {
    let reasons: Vec<_> = report.skipped.iter().map(|skipped| skipped.reason.clone()).collect();
    let kinds: Vec<_> = report.other.iter().map(|other| other.kind.clone()).collect();
    if report.files.skipped > 0 {
        ("skipped", reasons.join("; "))
    } else if report.files.ingested > 0 {
        ("ingested", String::new())
    } else {
        ("other", kinds.join("; "))
    }
}

/// Compares what an ingest of `testdata/broken/NAME` did with what it should have.
fn compare_broken(name: &str, expected: &Value) -> Vec<String> {
    let cache = tempfile::tempdir().unwrap();
    let report = ingest_into(cache.path(), &testdata().join("broken").join(name));
    let (outcome, why) = outcome(&report);
    let counts = &report.records;
    let rejects = batches(cache.path(), Table::Rejects);
    let mut faults = Vec::new();
    let mut same = |what: &str, found: String, wanted: String| {
        if found != wanted {
            faults.push(format!("{name}: {what} is {found}, not {wanted} ({why})"));
        }
    };
    same("the outcome", outcome.to_owned(), expected["outcome"].as_str().unwrap().to_owned());
    for (what, found) in [
        ("read", counts.read),
        ("written", counts.written),
        ("duplicates", counts.duplicates),
        ("rejected", counts.rejected),
    ] {
        same(what, found.to_string(), expected[what].to_string());
    }
    same("rows in rejects", n_rows(&rejects).to_string(), counts.rejected.to_string());
    for reason in column(&rejects, "reason").into_iter().flatten() {
        if let Some(wanted) = expected["reject"].as_str() {
            same("the reason", reason, wanted.to_owned());
        }
    }
    for (key, word) in [("kind", "kind"), ("reason", "reason")] {
        if let Some(wanted) = expected[key].as_str()
            && !why.contains(wanted)
        {
            same(word, why.clone(), format!("one with `{wanted}`"));
        }
    }
    let appended = column(&batches(cache.path(), Table::Events), "appended");
    let n_appended = appended.iter().filter(|value| value.as_deref() == Some("true")).count();
    same(
        "appended",
        n_appended.to_string(),
        expected["appended"].as_u64().unwrap_or(0).to_string(),
    );
    faults
}

#[test]
fn every_broken_file_gives_what_is_whole_in_it() {
    let expected = literals("broken.json");
    let faults: Vec<String> = expected
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(name, expected)| compare_broken(name, expected))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let present = std::fs::read_dir(testdata().join("broken")).unwrap().count();
    assert_eq!(present, expected.as_object().unwrap().len(), "every file has an expectation");
}

#[test]
fn what_is_strange_in_a_record_survives() {
    for name in [
        "big-integers.json",
        "control-characters.json",
        "control-escaped.json",
        "duplicate-keys.json",
        "hostile.json",
        "lone-surrogates.json",
        "lower-case.json",
        "members-after.json",
        "nulls.json",
        "types.json",
        "unknown-fields.json",
    ] {
        let path = testdata().join("broken").join(name);
        let cache = tempfile::tempdir().unwrap();
        ingest_into(cache.path(), &path);
        let mut rebuilt = Vec::new();
        for batch in batches(cache.path(), Table::Events) {
            rebuilt.extend((0..batch.num_rows()).map(|row| content(&rebuild::record(&batch, row))));
        }
        rebuilt.sort_unstable();
        let source = contents_of_delivery(&std::fs::read(&path).unwrap());
        assert!(rebuilt == source, "{name}: a record changed on its way through the cache");
    }
}

#[test]
fn all_broken_files_at_once_reconcile() {
    let cache = tempfile::tempdir().unwrap();
    let report = ingest_into(cache.path(), &testdata().join("broken"));
    let records = &report.records;
    assert_eq!(records.read, records.written + records.duplicates + records.rejected);
    let files = &report.files;
    assert_eq!(files.seen, files.ingested + files.other + files.skipped);
    let (events, rejects, duplicates) = (Table::Events, Table::Rejects, Table::Duplicates);
    for (table, n) in
        [(events, records.written), (rejects, records.rejected), (duplicates, records.duplicates)]
    {
        assert_eq!(n_rows(&batches(cache.path(), table)) as u64, n, "rows of {table:?}");
    }
    let ledger = batches(cache.path(), Table::LogFiles);
    let outcomes: BTreeMap<_, _> =
        column(&ledger, "uri").into_iter().zip(column(&ledger, "outcome")).collect();
    for name in literals("broken.json").as_object().unwrap().keys() {
        let path = testdata().join("broken").join(name);
        let found = outcomes.keys().flatten().any(|uri| Path::new(uri).starts_with(&path));
        let member = format!("{}!/", path.display());
        let inside = outcomes.keys().flatten().any(|uri| uri.starts_with(&member));
        assert!(found || inside, "{name} is in the ledger");
    }
}

#[test]
fn what_is_committed_is_what_the_scripts_write() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED what_is_committed_is_what_the_scripts_write: there is no python3");
        return;
    }
    for script in [
        "testdata/make_case.py",
        "testdata/make_shapes.py",
        "testdata/make_broken.py",
        "tests/oracle/case.py",
        "tests/oracle/shared_data.py",
    ] {
        let run = Command::new("python3")
            .arg("-B")
            .args([from_root(script).to_str().unwrap(), "--check"])
            .output()
            .unwrap();
        assert!(run.status.success(), "{script}: {}", String::from_utf8_lossy(&run.stderr));
    }
}
