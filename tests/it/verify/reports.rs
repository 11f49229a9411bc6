//! What people and scripts get to read.

use std::fs;

use chrono::Duration;

use super::scene::{Scene, end_of, signer};
use crate::trail::{gzip, put_digest, put_log};

/// A scene with one of each.
fn tampered() -> Scene {
    let scene = Scene::new();
    for digest in &scene.digests {
        put_digest(&scene.dir(), digest, true);
    }
    scene.change(&scene.logs[0][0].key, |bytes| bytes.extend_from_slice(&gzip(b"more")));
    scene.change(&scene.logs[1][0].key, |bytes| *bytes = gzip(b"{\"Records\":[]}"));
    scene.change(&scene.logs[1][1].key, |bytes| bytes.truncate(40));
    scene.remove(&scene.logs[3][0].key);
    scene.remove(&scene.digests[4].key);
    scene.remove(&format!("{}.meta.json", scene.digests[5].key));
    let planted = scene.trail.log_key(end_of(3) - Duration::minutes(9), 7);
    put_log(&scene.dir(), planted, "{\"Records\":[]}");
    scene
}

#[test]
fn the_report_as_text() {
    insta::assert_snapshot!(tampered().text(&[]));
    insta::assert_snapshot!(Scene::new().text(&["--verbose"]));
}

#[test]
fn the_report_as_json() {
    let scene = tampered();
    let output = scene.run(&["verify", "evidence", "--public-keys", "keys.json", "--json"]);
    let mut report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    report["seconds"] = 0.into();
    // A digest's hash depends on the key, which is made anew for each run.
    for row in report["digest_files"].as_array_mut().unwrap() {
        if row["sha256_inflated"].is_string() {
            row["sha256_inflated"] = "HASH".into();
        }
    }
    let home = scene.home().canonicalize().unwrap();
    let text = serde_json::to_string_pretty(&report).unwrap();
    let text = text.replace(home.to_str().unwrap(), "HOME");
    insta::assert_snapshot!(text.replace(&signer().fingerprint(), "FINGERPRINT"));
}

#[test]
fn without_digests_nothing_is_valid() {
    let scene = Scene::new();
    for digest in &scene.digests {
        scene.remove(&digest.key);
    }
    let verified = scene.verify(&[]);
    assert_eq!((verified.counts("logs"), verified.code), ([0, 0, 0, 10], 1));
    assert!(verified.stderr.contains("there are no digest files"));
    fs::remove_dir_all(scene.dir()).unwrap();
    fs::create_dir(scene.dir()).unwrap();
    assert_eq!(scene.verify(&[]).code, 1);
}
