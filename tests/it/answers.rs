//! From a raw archive to an answer: the questions of the case, and the counts of the published
//! samples, asked of the binary in SQL. The answers are literals of `tests/oracle`.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

use crate::support::{from_root, literals, shared_data};

/// Runs the binary and gives what it says on stdout.
fn trailhound(cache: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_trailhound"))
        .arg("--cache")
        .arg(cache)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}: {said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The rows of a query's answer, header left out.
fn ask(cache: &Path, sql: &str) -> Vec<Vec<String>> {
    let text = trailhound(cache, &["sql", "--format", "csv", sql]);
    let rows = csv::ReaderBuilder::new().from_reader(text.as_bytes()).into_records();
    rows.map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The only cell of an answer.
fn one(cache: &Path, sql: &str) -> String {
    let mut rows = ask(cache, sql);
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [1], "one cell: {sql}");
    rows.pop().and_then(|mut row| row.pop()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Keys that these keys issued, and those that the issued ones did.
const CHAIN: &str = "WITH RECURSIVE chain(key) AS (
    VALUES ('AKIAIOSFODNN7EXAMPLE'), ('AKIAI44QH8DHBEXAMPLE')
    UNION
    SELECT issued_key FROM cloudtrail_logs JOIN chain ON useridentity.accesskeyid = chain.key
    WHERE issued_key IS NOT NULL)";

#[test]
fn the_case_answers_in_sql() {
    let answers = &literals("testdata.json")["answers"];
    let home = tempfile::tempdir().unwrap();
    let cache = home.path();
    trailhound(cache, &["ingest", from_root("testdata/case").to_str().unwrap()]);

    let calls = ask(
        cache,
        "SELECT sourceipaddress, count(*) FROM cloudtrail_logs
         WHERE useridentity.accesskeyid = 'AKIAIOSFODNN7EXAMPLE' GROUP BY 1",
    );
    let by_address = answers["calls_with_leaked_key_by_address"].as_object().unwrap();
    let wanted: BTreeSet<_> =
        by_address.iter().map(|(ip, n)| vec![ip.clone(), n.to_string()]).collect();
    assert_eq!(calls.into_iter().collect::<BTreeSet<_>>(), wanted);

    let first = "SELECT min(eventtime) FROM cloudtrail_logs
        WHERE useridentity.accesskeyid = 'AKIAIOSFODNN7EXAMPLE' AND src_ip <> '198.51.100.24'";
    assert_eq!(one(cache, first), text(&answers["leaked_key_first_seen_from_elsewhere"]));
    let denied = "SELECT count(*) FROM cloudtrail_logs WHERE outcome = 'denied'
        AND useridentity.accesskeyid = 'AKIAIOSFODNN7EXAMPLE' AND src_ip = '203.0.113.77'";
    assert_eq!(one(cache, denied), text(&answers["denied_to_leaked_key"]));
    let logins = "SELECT eventtime, sourceipaddress FROM cloudtrail_logs
        WHERE eventname = 'ConsoleLogin' AND responseelements LIKE '%\"Success\"%'
        AND lower(additionaleventdata) NOT LIKE '%\"mfaused\":\"yes\"%'";
    let wanted: Vec<Vec<String>> =
        serde_json::from_value(answers["console_logins_without_mfa"].clone()).unwrap();
    assert_eq!(ask(cache, logins), wanted);
    let shared = "SELECT count(*) FROM (SELECT sharedeventid FROM cloudtrail_logs
        WHERE sharedeventid IS NOT NULL GROUP BY 1 HAVING count(DISTINCT recipientaccountid) > 1)";
    assert_eq!(one(cache, shared), text(&answers["shared_event_ids_in_two_accounts"]));
    let trail = ask(
        cache,
        "SELECT eventtime FROM cloudtrail_logs
         WHERE eventname IN ('StopLogging', 'StartLogging') ORDER BY 1",
    );
    let wanted: Vec<String> =
        serde_json::from_value(answers["trail_stopped_and_started"].clone()).unwrap();
    assert_eq!(trail.concat(), wanted);

    let read = format!(
        "{CHAIN} SELECT count(*) FROM cloudtrail_logs JOIN chain ON useridentity.accesskeyid = key
         WHERE eventname = 'GetObject' AND errorcode IS NULL"
    );
    assert_eq!(one(cache, &read), text(&answers["objects_read_by_intruder"]));
    let events = format!(
        "{CHAIN} SELECT key, count(*) FROM cloudtrail_logs
         JOIN chain ON useridentity.accesskeyid = key GROUP BY 1"
    );
    let known = answers["events_by_key_of_the_intruder"].as_object().unwrap();
    let found = ask(cache, &events);
    assert_eq!(found.len(), known.len() - 1, "all keys but that of the console session");
    for row in found {
        assert_eq!(row[1], known[&row[0]].to_string(), "events of {}", row[0]);
    }
}

#[test]
fn the_samples_count_right_in_sql() {
    let Some(data) = shared_data("the_samples_count_right_in_sql") else { return };
    let expected = &literals("shared_data.json")["."];
    let home = tempfile::tempdir().unwrap();
    let cache = home.path();
    let report = trailhound(cache, &["ingest", data.to_str().unwrap(), "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    for count in ["read", "written", "duplicates"] {
        assert_eq!(report["records"][count], expected["records"][count], "{count}");
    }
    let rows = ask(
        cache,
        "SELECT count(*) AS n_rows, count(DISTINCT eventid) AS ids,
                count(*) - count(useridentity.type) AS typeless,
                (SELECT count(*) FROM duplicates) AS copies,
                (SELECT count(*) FROM log_files WHERE uri NOT IN
                    (SELECT container FROM log_files WHERE container IS NOT NULL)) AS files
         FROM cloudtrail_logs",
    );
    let without_type = &expected["rows_by_user_type"]["None"];
    let wanted = [
        &expected["rows"],
        &expected["distinct_event_ids"],
        without_type,
        &expected["records"]["duplicates"],
        &expected["files"]["seen"],
    ];
    assert_eq!(rows.concat(), wanted.map(text));
    let conflicts = "SELECT count(*) FROM (SELECT DISTINCT recipientaccountid, eventid
        FROM cloudtrail_logs WHERE id_conflict)";
    let versions = expected["ids_with_different_content"].as_array().unwrap();
    assert_eq!(one(cache, conflicts), versions.len().to_string(), "ids with different content");

    let again = trailhound(cache, &["ingest", data.to_str().unwrap(), "--json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["files"]["unchanged"], expected["files"]["seen"]);
    assert_eq!(again["records"]["read"], 0);
}
