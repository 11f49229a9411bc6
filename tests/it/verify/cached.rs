//! Findings in a cache: kept, reused, and joined with the events of the files they are about.

use std::fs;

use chrono::Duration;

use super::scene::{Scene, end_of, log_text, signer};
use crate::trail::{gzip, put_digest, put_log};

/// The answer to `sql` as CSV without its header.
fn ask(scene: &Scene, sql: &str) -> String {
    let output = scene.run(&["--cache", "cache", "sql", "--format", "csv", sql]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_once('\n').map(|(_, rows)| rows.to_owned()).unwrap_or_default()
}

fn ingest(scene: &Scene) {
    let output = scene.run(&["--cache", "cache", "ingest", "evidence"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

const BY_STATUS: &str =
    "SELECT digest_status, count(*) FROM cloudtrail_logs GROUP BY 1 ORDER BY 1 NULLS LAST";

#[test]
fn events_are_filtered_by_what_was_found_of_their_files() {
    let scene = Scene::new();
    let altered = &scene.logs[1][0].key;
    let text = log_text(end_of(1), "Altered", 0);
    scene.change(altered, |bytes| *bytes = gzip(text.as_bytes()));
    let planted = scene.trail.log_key(end_of(3) - Duration::minutes(9), 7);
    put_log(&scene.dir(), planted, &log_text(end_of(3), "Planted", 7));
    ingest(&scene);
    assert_eq!(ask(&scene, BY_STATUS), ",11\n", "nothing is verified yet");
    assert_eq!(scene.verify(&["--cache", "cache"]).code, 1);
    assert_eq!(ask(&scene, BY_STATUS), "invalid,1\nundigested,1\nvalid,9\n");
    let odd = "SELECT eventname, digest_status FROM cloudtrail_logs WHERE digest_status <> 'valid' \
               ORDER BY 1";
    assert_eq!(ask(&scene, odd), "Altered,invalid\nPlanted,undigested\n");
    // Digest files have theirs as well.
    let files = "SELECT kind, digest_status, count(*) FROM log_files GROUP BY 1, 2 ORDER BY 1, 2";
    assert_eq!(
        ask(&scene, files),
        "CloudTrail,invalid,1\nCloudTrail,undigested,1\nCloudTrail,valid,9\n\
         CloudTrail digest file,valid,6\n\"JSON with ContentType, Metadata\",,1\n"
    );
    let reasons = "SELECT status, reason FROM digest_verdicts WHERE status <> 'valid' ORDER BY 1";
    assert_eq!(
        ask(&scene, reasons),
        "invalid,hash value doesn't match\nundigested,\"no digest mentions it, though there are \
         digests of its time\"\n"
    );
}

#[test]
fn a_file_that_changed_has_no_verdict_until_it_is_verified_again() {
    let scene = Scene::new();
    ingest(&scene);
    scene.verify(&["--cache", "cache"]);
    assert_eq!(ask(&scene, BY_STATUS), "valid,10\n");
    let text = log_text(end_of(1), "Altered", 0);
    scene.change(&scene.logs[1][0].key, |bytes| *bytes = gzip(text.as_bytes()));
    ingest(&scene);
    assert_eq!(ask(&scene, BY_STATUS), "valid,10\n,1\n");
    scene.verify(&["--cache", "cache"]);
    // The verdict is about the new content now; the old one was valid, but it is gone.
    let now = "SELECT eventname, superseded, digest_status FROM cloudtrail_logs \
               WHERE digest_status IS NULL OR digest_status <> 'valid' ORDER BY 1";
    assert_eq!(ask(&scene, now), "Altered,false,invalid\nDescribeTrails,true,\n");
}

#[test]
fn unchanged_files_are_not_read_again_and_nothing_is_written_about_them() {
    let scene = Scene::new();
    let first = scene.verify(&["--cache", "cache"]);
    assert_eq!(first.report["log_files_unchanged"], 0);
    let rows = "SELECT count(*) FROM digest_verdicts";
    assert_eq!(ask(&scene, rows), "10\n");
    let log =
        || fs::read_dir(scene.home().join("cache/digest_verdicts/_delta_log")).unwrap().count();
    let before = log();
    let again = scene.verify(&["--cache", "cache"]);
    assert_eq!(again.report["log_files_unchanged"], 10);
    assert_eq!(again.report["inflated_bytes"], 0);
    assert_eq!((again.faults(), again.code), (vec![], 0));
    assert_eq!(log(), before, "nothing was committed");
    // Without its digest a known file is judged anew.
    scene.remove(&scene.digests[0].key);
    let third = scene.verify(&["--cache", "cache"]);
    assert_eq!((third.report["log_files_unchanged"].as_u64(), third.code), (Some(10), 1));
    assert_eq!(
        ask(&scene, "SELECT status, count(*) FROM digest_verdicts GROUP BY 1 ORDER BY 1"),
        "undigested,2\nvalid,8\n"
    );
}

#[test]
fn what_was_missing_and_is_found_is_missing_no_more() {
    let scene = Scene::new();
    let log = scene.logs[1][0].key.clone();
    let bytes = fs::read(scene.path(&log)).unwrap();
    scene.remove(&log);
    let missing = "SELECT uri, reason FROM digest_verdicts WHERE status <> 'valid'";
    scene.verify(&["--cache", "cache"]);
    assert_eq!(ask(&scene, missing), format!("s3://example-trail-logs/{log},not found\n"));
    fs::write(scene.path(&log), bytes).unwrap();
    scene.verify(&["--cache", "cache"]);
    assert_eq!(ask(&scene, missing), "");
}

#[test]
fn gaps_lie_beside_the_calls_that_explain_them_in_sql_too() {
    let mut scene = Scene::empty();
    scene.hour(0, "DescribeTrails", signer(), false);
    scene.hour(1, "StopLogging", signer(), true);
    scene.hour(5, "StartLogging", signer(), false);
    for digest in &scene.digests {
        put_digest(&scene.dir(), digest, true);
    }
    ingest(&scene);
    assert_eq!(scene.verify(&["--cache", "cache"]).code, 0);
    let output = scene.run(&["--cache", "cache", "query", "digest_gaps", "--format", "csv"]);
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
    // Without the log files, the cache's events explain the gap.
    for log in scene.logs.iter().flatten() {
        scene.remove(&log.key);
    }
    let verified = scene.verify(&["--cache", "cache"]);
    let events = verified.report["gaps"][0]["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["event_name"], "StopLogging");
}

#[test]
fn a_cache_within_the_evidence_is_refused() {
    let scene = Scene::new();
    let output = scene.run(&[
        "verify",
        "evidence",
        "--public-keys",
        "keys.json",
        "--cache",
        "evidence/cache",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!scene.dir().join("cache").exists());
}
