//! The timeline through the command line: the written case, exports, queries, streams.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::support::{from_root, ingest_into, shared_data};

fn trailhound(cache: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trailhound"))
        .env_clear()
        .env("HOME", cache)
        .env("TRAILHOUND_CACHE", cache.join("cache"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(cache: &Path, arguments: &[&str]) -> String {
    let output = trailhound(cache, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn lines_of_json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn case() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    ingest_into(&dir.path().join("cache"), &from_root("testdata/case"));
    dir
}

const INTRUDER: [&str; 3] = ["203.0.113.77", "203.0.113.78", "2001:db8:4f3c::1a"];

#[test]
fn the_intruder_of_the_case_is_told_in_plain_words() {
    let dir = case();
    let arguments = [&["timeline", "--format", "table"], INTRUDER.as_slice()].concat();
    insta::assert_snapshot!(stdout(dir.path(), &arguments));
}

#[test]
fn subjects_are_told_by_their_form_and_add_up() {
    let dir = case();
    let ids = |arguments: &[&str]| -> BTreeSet<String> {
        let arguments = [&["timeline", "--all", "--no-fold", "--format", "ndjson"], arguments];
        let rows = lines_of_json(&stdout(dir.path(), &arguments.concat()));
        rows.iter().map(|row| row["eventid"].as_str().unwrap().to_owned()).collect()
    };
    // One of 154 is the other account's copy of the same action, told once; see testdata/README.md.
    let intruder = ids(&INTRUDER);
    assert_eq!(intruder.len(), 152);
    assert!(ids(&["203.0.113.0/24", "2001:db8:4f3c::/48"]) == intruder);
    assert_eq!(ids(&["AKIAIOSFODNN7EXAMPLE"]).len(), 53);
    assert_eq!(ids(&["ci-deployer"]), ids(&["arn:aws:iam::111122223333:user/ci-deployer"]));
    let role = ids(&["data-export-reader"]);
    assert!(role.len() > 95 && role.is_superset(&ids(&["data-export-reader/backup"])));
    assert!(ids(&["777788889999"]).is_empty());
    let night = ["--since", "2024-05-14T02:00:00Z", "--until", "2024-05-14T02:30:00Z"];
    assert_eq!(ids(&[&["ci-deployer"], night.as_slice()].concat()).len(), 22);
}

#[test]
fn exports_are_what_timesketch_asks_for() {
    let dir = case();
    let file = dir.path().join("timeline.jsonl");
    stdout(
        dir.path(),
        &[&["timeline", "-o", file.to_str().unwrap()], INTRUDER.as_slice()].concat(),
    );
    let rows = lines_of_json(&fs::read_to_string(&file).unwrap());
    for row in &rows {
        for name in ["message", "datetime", "timestamp_desc"] {
            assert!(row[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {row}");
        }
        let at = row["datetime"].as_str().unwrap();
        assert!(at.ends_with("+00:00") && chrono::DateTime::parse_from_rfc3339(at).is_ok(), "{at}");
    }
    let burst = rows.iter().find(|row| row["events"] == 95).unwrap();
    assert_eq!(burst["bytes"], 4_698_704_461_u64);
    let csv = stdout(dir.path(), &[&["timeline", "--format", "csv"], INTRUDER.as_slice()].concat());
    assert!(csv.starts_with("message,datetime,timestamp_desc,actor,"), "{csv}");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let messages: Vec<String> =
        reader.records().map(|record| record.unwrap().get(0).unwrap().to_owned()).collect();
    let expected: Vec<&str> = rows.iter().map(|row| row["message"].as_str().unwrap()).collect();
    assert_eq!(messages, expected);
}

#[test]
fn the_events_of_a_query_are_told() {
    let dir = case();
    let key = "key=AKIAI44QH8DHBEXAMPLE";
    let told = |arguments: &[&str]| {
        let arguments = [&["timeline", "--no-fold", "--format", "ndjson"], arguments].concat();
        lines_of_json(&stdout(dir.path(), &arguments))
    };
    assert_eq!(told(&["--query", "access_key_activity", key]), told(&["AKIAI44QH8DHBEXAMPLE"]),);
    let fault = |arguments: &[&str]| {
        let output = trailhound(dir.path(), &[&["timeline"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(fault(&["--query", "failed_calls"]).contains("its rows are no events"));
    assert!(fault(&["--query", "failed_call"]).contains("did you mean `failed_calls`?"));
    assert!(fault(&["--query", "access_key_activity", "203.0.113.77"]).contains("key=value"));
    assert!(fault(&["203.0.113.0/33"]).contains("expected a network"));
}

#[test]
fn nothing_to_tell_is_not_taken_for_nothing_done() {
    let dir = case();
    let output = trailhound(dir.path(), &["timeline", "bob", "--since", "2031-01-01"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("note: ") && stderr.contains("0 rows"), "{stderr}");
}

/// What the table says of real calls: each that succeeded is told with what it was about.
#[test]
fn real_calls_are_told_with_what_they_were_about() {
    let Some(data) = shared_data("real_calls_are_told_with_what_they_were_about") else { return };
    let dir = tempfile::tempdir().unwrap();
    for name in ["invictus", "stratus", "traildiscover"] {
        ingest_into(&dir.path().join("cache"), &data.join(name));
    }
    let rows = stdout(dir.path(), &["timeline", "--no-fold", "--format", "ndjson"]);
    let rows = lines_of_json(&rows);
    assert!(rows.len() > 900, "{}", rows.len());
    for row in &rows {
        let message = row["message"].as_str().unwrap();
        let bare = format!("({})", row["service"].as_str().unwrap());
        let is_bare = message.ends_with(&bare) || message.starts_with("called ");
        assert!(row["outcome"] != "ok" || !is_bare, "{message}: {}", row["action"]);
    }
    let all = stdout(dir.path(), &["timeline", "--all", "--no-fold", "--format", "ndjson"]);
    assert!(all.lines().count() > 3_300, "{}", all.lines().count());
}
