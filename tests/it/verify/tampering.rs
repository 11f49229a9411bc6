//! Each tampering is found, and nothing else is.

use std::fs;

use chrono::Duration;
use serde_json::Value;

use super::scene::{HOURS, Scene, end_of, log_text, name, signer, stranger};
use crate::trail::{Trail, gzip, key_list, put, put_digest, put_log};

#[test]
fn a_whole_chain_is_valid() {
    let scene = Scene::new();
    let verified = scene.verify(&[]);
    assert_eq!(verified.faults(), [""; 0]);
    assert_eq!(verified.warnings(), [""; 0]);
    assert_eq!(verified.counts("digests"), [6, 0, 0, 0]);
    assert_eq!(verified.counts("logs"), [10, 0, 0, 0]);
    assert_eq!(verified.report["gaps"], Value::Array(vec![]));
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert_eq!(verified.stderr, "");
}

/// Verifies `scene`, which must have the faults `expected` and no others.
fn assert_faults(scene: &Scene, expected: &[String]) -> super::scene::Verified {
    let verified = scene.verify(&[]);
    let mut faults = verified.faults();
    faults.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(faults, expected);
    assert_eq!(verified.code, 1);
    verified
}

#[test]
fn a_flipped_byte_is_found() {
    let scene = Scene::new();
    let [inside, of_content] = [&scene.logs[1][0], &scene.logs[3][1]];
    scene.change(&inside.key, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    let text = log_text(end_of(3), "DescribeTrailz", 1);
    scene.change(&of_content.key, |bytes| *bytes = gzip(text.as_bytes()));
    assert_faults(
        &scene,
        &[
            format!("log {} invalid: invalid format", name(&inside.key)),
            format!("log {} invalid: hash value doesn't match", name(&of_content.key)),
        ],
    );
}

#[test]
fn a_removed_log_is_found() {
    let scene = Scene::new();
    scene.remove(&scene.logs[4][0].key);
    assert_faults(&scene, &[format!("log {} invalid: not found", name(&scene.logs[4][0].key))]);
}

#[test]
fn a_removed_digest_and_its_hours_are_found() {
    let scene = Scene::new();
    scene.remove(&scene.digests[3].key);
    let mut expected = vec![format!("digest {} invalid: not found", name(&scene.digests[3].key))];
    let unmentioned = |hour: usize| {
        let why = "undigested: there is no digest of its time";
        scene.logs[hour].iter().map(move |log| format!("log {} {why}", name(&log.key)))
    };
    expected.extend(unmentioned(3));
    // What the removed one would prove of the one before it, nothing proves now.
    let unsigned =
        "unverifiable: signature not supplied: it is in the metadata of the object in S3";
    expected.push(format!("digest {} {unsigned}", name(&scene.digests[2].key)));
    let verified = assert_faults(&scene, &expected);
    let missing = verified.report["missing_hours"].as_array().unwrap();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0]["from"], "2024-03-01T03:05:31Z");
    assert_eq!(missing[0]["to"], "2024-03-01T04:05:31Z");
}

#[test]
fn of_two_removed_digests_each_hour_is_listed() {
    let scene = Scene::new();
    // With metadata of all, the removed ones are all that is wrong.
    for digest in &scene.digests {
        put_digest(&scene.dir(), digest, true);
    }
    for hour in [3, 4] {
        scene.remove(&scene.digests[hour].key);
        for log in &scene.logs[hour] {
            scene.remove(&log.key);
        }
    }
    let verified = assert_faults(
        &scene,
        &[
            "digest 2024-03-01T04:05:31Z invalid: not found".to_owned(),
            format!("digest {} invalid: not found", name(&scene.digests[4].key)),
        ],
    );
    assert_eq!(verified.report["missing_hours"].as_array().unwrap().len(), 2);
}

#[test]
fn the_removed_start_of_a_chain_is_found() {
    let scene = Scene::new();
    scene.remove(&scene.digests[0].key);
    for log in &scene.logs[0] {
        scene.remove(&log.key);
    }
    assert_faults(&scene, &[format!("digest {} invalid: not found", name(&scene.digests[0].key))]);
    // Who asks for a later time does not ask for it.
    let later = scene.verify(&["--since", "2024-03-01T01:05:31Z"]);
    assert_eq!((later.code, later.faults()), (0, vec![]));
}

#[test]
fn an_edited_digest_is_found_and_vouches_for_nothing() {
    let scene = Scene::new();
    let digest = &scene.digests[3];
    let edited = digest.json.replace(&scene.logs[3][0].hash, &"0".repeat(64));
    assert_ne!(edited, digest.json);
    scene.change(&digest.key, |bytes| *bytes = gzip(edited.as_bytes()));
    let verified = scene.verify(&[]);
    let faults = verified.faults();
    let failed = format!("digest {} invalid: signature verification failed", name(&digest.key));
    assert!(faults.contains(&failed), "{faults:#?}");
    let whose = |why: &str, log: usize| {
        format!("log {} unverifiable: {why}", name(&scene.logs[3][log].key))
    };
    assert!(faults.contains(&whose(
        "the digest that names it is not valid, and the hash value doesn't match",
        0
    )));
    assert!(faults.contains(&whose("the digest that names it is not valid", 1)));
    assert_eq!(verified.counts("logs")[0], 8);
    let why = "the next digest was made from another content: this one was altered";
    assert!(verified.warnings().contains(&why));
}

#[test]
fn what_follows_the_gzip_stream_is_found() {
    let scene = Scene::new();
    let logs = [&scene.logs[0][0], &scene.logs[0][1], &scene.logs[1][0], &scene.logs[1][1]];
    let planted = gzip(log_text(end_of(0), "Planted", 9).as_bytes());
    let own = fs::read(scene.path(&logs[3].key)).unwrap();
    // A member, garbage, padding, and what ends as the member itself does.
    for (log, appended) in logs.into_iter().zip([&planted[..], b"garbage", b"\0\0", &own]) {
        scene.change(&log.key, |bytes| bytes.extend_from_slice(appended));
    }
    let trailing = "invalid: unexpected data after end of compressed stream";
    assert_faults(&scene, &logs.map(|log| format!("log {} {trailing}", name(&log.key))));
}

#[test]
fn a_log_that_no_digest_mentions_is_found() {
    let scene = Scene::new();
    let planted = scene.trail.log_key(end_of(3) - Duration::minutes(9), 7);
    put_log(&scene.dir(), planted.clone(), "{\"Records\":[]}");
    let young = scene.trail.log_key(end_of(HOURS) - Duration::minutes(9), 7);
    put_log(&scene.dir(), young.clone(), "{\"Records\":[]}");
    let there = "undigested: no digest mentions it, though there are digests of its time";
    assert_faults(
        &scene,
        &[
            format!("log {} {there}", name(&planted)),
            format!("log {} undigested: it is younger than the newest digest", name(&young)),
        ],
    );
}

#[test]
fn a_forged_predecessor_is_found() {
    // Another key: the digest is signed, but not by any key of CloudTrail's.
    let scene = Scene::new();
    let end = scene.digests[3].end;
    let previous = Some(&scene.digests[2]);
    let forged = scene.trail.digest(stranger(), end, &[], previous, false);
    put_digest(&scene.dir(), &forged, true);
    let faults = scene.verify(&[]).faults();
    let hash = "invalid: is not the digest that the next one of its chain names: its hash differs";
    assert!(faults.contains(&format!("digest {} {hash}", name(&forged.key))), "{faults:#?}");
    // Even the own key, which an attacker who has it may use, does not make it the predecessor.
    let forged = scene.trail.digest(signer(), end, &[], previous, false);
    put_digest(&scene.dir(), &forged, true);
    let faults = scene.verify(&[]).faults();
    assert!(faults.contains(&format!("digest {} {hash}", name(&forged.key))), "{faults:#?}");
}

#[test]
fn a_forged_signature_over_genuine_content_is_found() {
    let scene = Scene::new();
    let mut digest = scene.digests[3].clone();
    digest.signature = stranger().sign("anything");
    put_digest(&scene.dir(), &digest, true);
    let verified = scene.verify(&[]);
    let failed = format!("digest {} invalid: signature verification failed", name(&digest.key));
    assert!(verified.faults().contains(&failed));
    let why = "the next digest confirms its content: the signature was altered";
    assert!(verified.warnings().contains(&why));
}

#[test]
fn a_next_digest_that_names_another_hash_is_found() {
    // Signed by the right key, the chain's signature holds, and only the hash does not.
    let mut scene = Scene::empty();
    scene.hour(0, "DescribeTrails", signer(), false);
    scene.hour(1, "DescribeTrails", signer(), true);
    let newest = &mut scene.digests[1];
    let mut value: Value = serde_json::from_str(&newest.json).unwrap();
    value["previousDigestHashValue"] = "0".repeat(64).into();
    newest.json = value.to_string();
    newest.signature = signer().sign(&Trail::signed_text(&newest.json));
    scene.put_digests();
    let faults = scene.verify(&[]).faults();
    let hash = "invalid: is not the digest that the next one of its chain names: its hash differs";
    assert!(faults.contains(&format!("digest {} {hash}", name(&scene.digests[0].key))));
}

#[test]
fn a_moved_digest_is_told_and_invalid_where_asked() {
    let scene = Scene::new();
    let key = &scene.digests[3].key;
    let moved = key.replace("/us-east-1/", "/eu-west-1/");
    put(&scene.dir(), &moved, &fs::read(scene.path(key)).unwrap());
    scene.remove(key);
    let verified = scene.verify(&[]);
    assert_eq!(verified.faults(), [""; 0]);
    let place = format!("it lies elsewhere than it was delivered: s3://example-trail-logs/{key}");
    assert_eq!(verified.warnings(), [place]);
    let strict = scene.verify(&["--strict-path"]);
    let moved =
        format!("digest {} invalid: has been moved from its original location", name(&moved));
    assert!(strict.faults().contains(&moved), "{:#?}", strict.faults());
    assert_eq!((verified.code, strict.code), (0, 1));
}

#[test]
fn with_the_wrong_keys_nothing_is_valid() {
    let scene = Scene::new();
    fs::write(scene.home().join("keys.json"), key_list(&[stranger()])).unwrap();
    let verified = scene.verify(&[]);
    assert_eq!(verified.counts("digests"), [0, 0, 6, 0]);
    assert_eq!(verified.counts("logs"), [0, 0, 10, 0]);
    assert_eq!(verified.code, 1);
    let reason = format!(
        "public key not found in region us-east-1 for fingerprint {}",
        signer().fingerprint()
    );
    assert!(verified.faults()[0].ends_with(&reason));
    assert!(verified.stderr.contains("keys belong to a region and a time"));
}

#[test]
fn the_newest_digest_without_its_metadata_is_unverifiable() {
    let scene = Scene::new();
    scene.remove(&format!("{}.meta.json", scene.digests[HOURS - 1].key));
    let unsigned =
        "unverifiable: signature not supplied: it is in the metadata of the object in S3";
    let newest = HOURS - 1;
    let mut expected = vec![format!("digest {} {unsigned}", name(&scene.digests[newest].key))];
    let unproven = "unverifiable: the digest that names it is not valid";
    expected
        .extend(scene.logs[newest].iter().map(|log| format!("log {} {unproven}", name(&log.key))));
    assert_faults(&scene, &expected);
}
