//! Real logs, published by others, against literals that `tests/oracle/shared_data.py` derived from
//! the files by a reading of its own.
//!
//! The samples are not part of the project. Where `../shared/data` is absent these tests say that
//! they were skipped, and pass.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use arrow::array::{Array, RecordBatch};
use serde_json::Value;
use trailhound::{
    cache::{Cache, Table},
    ingest::IngestReport,
};

use crate::support::{
    batches, column, content_hash, counts, expected_counts, ingest_into, literals, member,
    shared_data,
};

/// The columns whose value is a JSON string, number or boolean in AWS's schema, and its type there.
const SCALARS: &[(&str, &str)] = &[
    ("eventVersion", "string"),
    ("eventTime", "string"),
    ("eventSource", "string"),
    ("eventName", "string"),
    ("awsRegion", "string"),
    ("sourceIPAddress", "string"),
    ("userAgent", "string"),
    ("errorCode", "string"),
    ("errorMessage", "string"),
    ("requestID", "string"),
    ("eventID", "string"),
    ("eventType", "string"),
    ("apiVersion", "string"),
    ("managementEvent", "boolean"),
    ("readOnly", "boolean"),
    ("recipientAccountId", "string"),
    ("sharedEventID", "string"),
    ("vpcEndpointId", "string"),
    ("vpcEndpointAccountId", "string"),
    ("eventCategory", "string"),
    ("sessionCredentialFromConsole", "string"),
];

/// The others that the schema knows.
const COMPOUNDS: &[&str] = &[
    "userIdentity",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "resources",
    "serviceEventDetails",
    "insightDetails",
    "addendum",
    "edgeDeviceDetails",
    "tlsDetails",
    "eventContext",
    "annotation",
];

/// The folders, and `.` for all of them at once.
fn each_folder(test: &str, mut check: impl FnMut(&str, &Path, &Value, &Path)) {
    let Some(data) = shared_data(test) else { return };
    let expected = literals("shared_data.json");
    for (folder, literals) in expected.as_object().unwrap() {
        let cache = tempfile::tempdir().unwrap();
        let source = data.join(folder).canonicalize().unwrap();
        check(folder, &source, literals, cache.path());
    }
}

pub(crate) fn assert_report(what: &str, report: &IngestReport, expected: &Value, base: &Path) {
    let files = &report.files;
    assert_eq!(report.skipped.iter().map(|s| &s.path).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(files.seen, expected["files"]["seen"], "{what}: files seen");
    assert_eq!(files.ingested, expected["files"]["ingested"], "{what}: files ingested");
    assert_eq!(files.other, expected["files"]["other"], "{what}: other files");
    assert_eq!(files.unchanged + files.skipped, 0, "{what}: no other outcome");
    let records = &report.records;
    assert_eq!(records.read, expected["records"]["read"], "{what}: records read");
    assert_eq!(records.written, expected["records"]["written"], "{what}: records written");
    assert_eq!(records.duplicates, expected["records"]["duplicates"], "{what}: duplicates");
    assert_eq!(records.rejected, 0, "{what}: nothing is rejected");
    let prefix = format!("{}/", base.display());
    let mut theirs: BTreeMap<String, String> =
        serde_json::from_value(expected["other"].clone()).unwrap();
    for other in &report.other {
        let name = other.path.strip_prefix(&prefix).unwrap();
        let word = theirs.remove(name).unwrap_or_else(|| panic!("{name} is {}?", other.kind));
        assert!(!other.kind.is_empty() && other.kind.contains(&word), "{name} is {}", other.kind);
    }
    assert!(theirs.is_empty(), "{what}: not named as other: {theirs:?}");
}

/// Asserts what the table holds, from counts of rows down to the types of single fields.
pub(crate) fn assert_rows(what: &str, events: &[RecordBatch], expected: &Value) {
    let n_rows: u64 = events.iter().map(|batch| batch.num_rows() as u64).sum();
    assert_eq!(n_rows, expected["rows"], "{what}: rows");
    let ids: BTreeSet<_> = column(events, "eventid").into_iter().flatten().collect();
    assert_eq!(ids.len() as u64, expected["distinct_event_ids"], "{what}: distinct event ids");
    for (name, nulls) in expected["nulls"].as_object().unwrap() {
        let found: usize =
            events.iter().map(|batch| batch.column_by_name(name).unwrap().null_count()).sum();
        assert_eq!(found as u64, *nulls, "{what}: nulls of {name}");
    }
    for (name, literal) in [
        ("shape", "rows_by_shape"),
        ("eventcategory", "rows_by_event_category"),
        ("eventtype", "rows_by_event_type"),
        ("recipientaccountid", "rows_by_account"),
        ("awsregion", "rows_by_region"),
    ] {
        let expected = expected_counts(&expected[literal]);
        assert_eq!(counts(&column(events, name)), expected, "{what}: rows by {name}");
    }
    let users = counts(&member(events, "useridentity", "type"));
    assert_eq!(users, expected_counts(&expected["rows_by_user_type"]), "{what}: user types");
    assert_conflicts(what, events, expected);
    assert_types(what, events, &expected["json_types"]);
    assert_eq!(content_hash(events), expected["content_hash"], "{what}: the records, rebuilt");
}

/// The ids that occur with different content keep every version.
fn assert_conflicts(what: &str, events: &[RecordBatch], expected: &Value) {
    let accounts = column(events, "recipientaccountid");
    let mut versions: BTreeMap<_, u64> = BTreeMap::new();
    for (account, id) in accounts.into_iter().zip(column(events, "eventid")) {
        if id.is_some() {
            *versions.entry((account, id)).or_default() += 1;
        }
    }
    let several: BTreeSet<_> =
        versions.into_iter().filter(|(_, n)| *n > 1).map(|(key, _)| key).collect();
    let theirs: Vec<(Option<String>, Option<String>)> =
        serde_json::from_value(expected["ids_with_different_content"].clone()).unwrap();
    assert_eq!(several, theirs.into_iter().collect(), "{what}: ids with different content");
}

/// A field of an unexpected type, or of a name that the schema does not know, is in `extra`; one
/// that is null is in `empty_fields`.
fn assert_types(what: &str, events: &[RecordBatch], expected: &Value) {
    let mut extra: HashMap<String, u64> = HashMap::new();
    for text in column(events, "extra").into_iter().flatten() {
        let members: BTreeMap<String, &serde_json::value::RawValue> =
            serde_json::from_str(&text).unwrap();
        for key in members.into_keys() {
            *extra.entry(key).or_default() += 1;
        }
    }
    let mut empty: HashMap<String, u64> = HashMap::new();
    for paths in column(events, "empty_fields").into_iter().flatten() {
        for path in paths.split(',') {
            *empty.entry(path.to_owned()).or_default() += 1;
        }
    }
    for (name, wanted) in SCALARS {
        let types = expected.get(*name).cloned().unwrap_or(Value::Null);
        let types = types.as_object().cloned().unwrap_or_default();
        let strange: u64 = types
            .iter()
            .filter(|(kind, _)| kind.as_str() != *wanted && kind.as_str() != "null")
            .map(|(_, n)| n.as_u64().unwrap())
            .sum();
        assert_eq!(extra.get(*name).copied().unwrap_or(0), strange, "{what}: strange {name}");
    }
    for (name, types) in expected.as_object().unwrap() {
        let scalar = SCALARS.iter().any(|(known, _)| known == name);
        if !scalar && !COMPOUNDS.contains(&name.as_str()) {
            let n: u64 = types.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
            assert_eq!(extra.get(name).copied().unwrap_or(0), n, "{what}: unknown {name}");
        } else if let Some(n) = types.get("null") {
            let path = format!("{name}:null");
            assert_eq!(empty.get(&path).copied().unwrap_or(0), *n, "{what}: null {name}");
        }
    }
}

#[test]
fn every_folder_gives_what_an_independent_reading_found() {
    each_folder(
        "every_folder_gives_what_an_independent_reading_found",
        |name, source, expected, dir| {
            let base = if name == "." { source } else { source.parent().unwrap() };
            let report = ingest_into(dir, source);
            assert_report(name, &report, expected, base);
            assert_rows(name, &batches(dir, Table::Events), expected);
            let duplicates: usize =
                batches(dir, Table::Duplicates).iter().map(RecordBatch::num_rows).sum();
            assert_eq!(duplicates as u64, expected["records"]["duplicates"], "{name}: kept copies");
        },
    );
}

#[test]
fn a_second_ingest_reads_nothing_and_writes_nothing() {
    each_folder(
        "a_second_ingest_reads_nothing_and_writes_nothing",
        |name, source, expected, dir| {
            ingest_into(dir, source);
            let before = Cache::open(dir).unwrap().snapshot().unwrap().version();
            let again = ingest_into(dir, source);
            assert_eq!(again.files.seen, expected["files"]["seen"], "{name}: files seen again");
            assert_eq!(again.files.unchanged, again.files.seen, "{name}: all are unchanged");
            assert_eq!(again.records.read, 0, "{name}: no record is read");
            assert_eq!(again.bytes.compressed, 0, "{name}: no byte is read");
            let after = Cache::open(dir).unwrap().snapshot().unwrap().version();
            assert_eq!(before, after, "{name}: nothing is committed");
        },
    );
}

#[test]
fn invictus_is_as_its_publishers_describe_it() {
    let Some(data) = shared_data("invictus_is_as_its_publishers_describe_it") else { return };
    let cache = tempfile::tempdir().unwrap();
    let report = ingest_into(cache.path(), &data.join("invictus"));
    assert_eq!((report.records.read, report.records.written), (2_900, 2_900));
    let events = batches(cache.path(), Table::Events);
    let ids: BTreeSet<_> = column(&events, "eventid").into_iter().flatten().collect();
    assert_eq!(ids.len(), 2_900);
    let types = member(&events, "useridentity", "type");
    assert_eq!(types.iter().filter(|kind| kind.is_none()).count(), 42);
    let kinds = column(&events, "eventtype");
    assert_eq!(kinds.iter().flatten().filter(|kind| *kind == "AwsConsoleSignIn").count(), 3);
    let addresses = column(&events, "src_ip");
    assert_eq!(addresses.iter().filter(|ip| ip.is_none()).count(), 353);
}

#[test]
fn the_order_of_arrival_changes_nothing() {
    let Some(data) = shared_data("the_order_of_arrival_changes_nothing") else { return };
    let expected = literals("shared_data.json");
    let cache = tempfile::tempdir().unwrap();
    let mut folders: Vec<_> = expected.as_object().unwrap().keys().filter(|k| *k != ".").collect();
    folders.reverse();
    for folder in folders {
        ingest_into(cache.path(), &data.join(folder));
    }
    let events = batches(cache.path(), Table::Events);
    assert_eq!(content_hash(&events), expected["."]["content_hash"]);
}
