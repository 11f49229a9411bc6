//! Chains in all the forms that they genuinely have.

use std::fs;

use chrono::Duration;
use serde_json::json;

use super::scene::{HOURS, Scene, end_of, name, signer, stranger};
use crate::trail::{Trail, key_list, put, put_digest, put_log};

#[test]
fn a_key_that_changes_in_the_middle_changes_nothing() {
    let mut scene = Scene::empty();
    for hour in 0..HOURS {
        let by = if hour < 3 { signer() } else { stranger() };
        scene.hour(hour, "DescribeTrails", by, hour > 0);
    }
    scene.put_digests();
    // The newer key's half is verified; what comes before has its signatures, but no key.
    fs::write(scene.home().join("keys.json"), key_list(&[stranger()])).unwrap();
    assert_eq!(scene.verify(&[]).counts("digests"), [3, 0, 3, 0]);
    fs::write(scene.home().join("other.json"), key_list(&[signer()])).unwrap();
    let verified = scene.verify(&["--public-keys", "other.json"]);
    assert_eq!((verified.faults(), verified.code), (vec![], 0));
}

#[test]
fn keys_are_read_in_every_form() {
    let scene = Scene::new();
    let der = signer().der();
    let base64 = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    // The lengths of a key of 2,048 bits never differ.
    let head = [
        0x30, 0x82, 1, 0x22, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0, 3,
        0x82, 1, 0x0f, 0,
    ];
    let wrapped = [&head[..], &der].concat();
    let lower = json!({"publicKeyList": [{
        "value": base64(&der), "fingerprint": signer().fingerprint(),
        "validityStartTime": "1436317441.0", "validityEndTime": 4_102_444_800_u64,
    }]});
    let forms: [(&str, Vec<u8>); 6] = [
        ("camel.json", lower.to_string().into_bytes()),
        ("pages.json", [key_list(&[stranger()]), key_list(&[signer()])].concat().into_bytes()),
        ("pkcs1.der", der.clone()),
        ("spki.der", wrapped.clone()),
        ("pkcs1.pem", pem("RSA PUBLIC KEY", &base64(&der))),
        ("spki.pem", pem("PUBLIC KEY", &base64(&wrapped))),
    ];
    for (file, bytes) in forms {
        fs::write(scene.home().join("keys.json"), bytes).unwrap();
        let verified = scene.verify(&[]);
        assert_eq!((verified.faults(), verified.code), (vec![], 0), "{file}");
    }
}

fn pem(label: &str, base64: &str) -> Vec<u8> {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n").into_bytes()
}

#[test]
fn a_key_outside_its_validity_is_told() {
    let scene = Scene::new();
    let mut entry = signer().entry();
    entry["ValidityEndTime"] = "2024-03-01T03:00:00Z".into();
    fs::write(scene.home().join("keys.json"), entry.to_string()).unwrap();
    let verified = scene.verify(&[]);
    assert_eq!((verified.faults(), verified.code), (vec![], 0));
    assert_eq!(verified.warnings().len(), 4);
    assert!(verified.warnings()[0].starts_with("its key is not valid at its end, 2024-03-01T"));
}

#[test]
fn logs_that_came_late_are_in_the_back_fill() {
    let scene = Scene::new();
    let late: Vec<_> = (0..2)
        .map(|n| {
            let key = scene.trail.log_key(end_of(1) - Duration::minutes(3), 8 + n);
            put_log(&scene.dir(), key, "{\"Records\":[]}")
        })
        .collect();
    let first = scene.trail.digest(signer(), end_of(1), &late[..1], None, true);
    let second = scene.trail.digest(signer(), end_of(4), &late[1..], Some(&first), true);
    put_digest(&scene.dir(), &first, false);
    put_digest(&scene.dir(), &second, true);
    let verified = scene.verify(&[]);
    assert_eq!((verified.faults(), verified.code), (vec![], 0));
    assert_eq!(verified.counts("backfill_digests"), [2, 0, 0, 0]);
    assert_eq!(verified.counts("logs"), [12, 0, 0, 0]);
    scene.remove(&first.key);
    let faults = scene.verify(&[]).faults();
    assert!(faults.contains(&format!("digest {} invalid: not found", name(&first.key))));
}

#[test]
fn a_gap_lies_beside_the_call_that_made_it() {
    let mut scene = Scene::empty();
    scene.hour(0, "DescribeTrails", signer(), false);
    scene.hour(1, "StopLogging", signer(), true);
    scene.hour(5, "StartLogging", signer(), false);
    scene.put_digests();
    for digest in &scene.digests {
        put_digest(&scene.dir(), digest, true);
    }
    let verified = scene.verify(&[]);
    assert_eq!((verified.faults(), verified.code), (vec![], 0));
    let gaps = verified.report["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0]["from"], "2024-03-01T02:05:31Z");
    assert_eq!(gaps[0]["to"], "2024-03-01T05:05:31Z");
    let event = &gaps[0]["events"][0];
    assert_eq!(event["event_name"], "StopLogging");
    assert_eq!(event["principal"], "arn:aws:iam::111122223333:user/eve");
    insta::assert_snapshot!(scene.text(&[]));
}

#[test]
fn accounts_and_regions_are_verified_at_once() {
    let scene = Scene::new();
    for (account, region) in [("111122223333", "eu-west-1"), ("444455556666", "us-east-1")] {
        let trail = Trail::new(account, region);
        let mut previous = None;
        for hour in 0..4 {
            let key = trail.log_key(end_of(hour) - Duration::minutes(9), 0);
            let log = put_log(&scene.dir(), key, "{\"Records\":[]}");
            let digest = trail.digest(signer(), end_of(hour), &[log], previous.as_ref(), false);
            put_digest(&scene.dir(), &digest, hour == 3);
            previous = Some(digest);
        }
    }
    let verified = scene.verify(&[]);
    assert_eq!((verified.faults(), verified.code), (vec![], 0));
    assert_eq!(verified.counts("digests"), [14, 0, 0, 0]);
    assert_eq!(verified.report["chains"].as_array().unwrap().len(), 3);
    let one = scene.verify(&["--account", "444455556666"]);
    assert_eq!((one.counts("logs"), one.code), ([4, 0, 0, 0], 0));
    let early = scene.verify(&["--until", "2024-03-01T02:05:31Z"]);
    assert_eq!((early.faults(), early.code), (vec![], 0));
    assert_eq!(early.counts("logs")[0], 8);
}

#[test]
fn a_copy_may_be_flat_unpacked_zipped_or_twice_there() {
    let scene = Scene::new();
    let files: Vec<_> = walkdir::WalkDir::new(scene.dir())
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .collect();
    let flat = scene.home().join("flat");
    fs::create_dir(&flat).unwrap();
    for file in &files {
        fs::copy(file.path(), flat.join(file.file_name())).unwrap();
    }
    let log = &scene.logs[0][0];
    let (from, to) =
        (flat.join(name_in(&log.key)), flat.join(name_in(&log.key).replace(".gz", "")));
    let mut text = Vec::new();
    let packed = fs::File::open(&from).unwrap();
    std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut text).unwrap();
    fs::write(to, text).unwrap();
    fs::remove_file(from).unwrap();
    let verified = scene.verify(&["flat"]);
    assert_eq!((verified.faults(), verified.warnings()), (vec![], vec![]));
    assert_eq!(verified.counts("logs"), [20, 0, 0, 0]);

    let archive = fs::File::create(scene.home().join("copy.zip")).unwrap();
    let mut archive = zip::ZipWriter::new(archive);
    for file in &files {
        let name = file.path().strip_prefix(scene.dir()).unwrap().to_str().unwrap();
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, &fs::read(file.path()).unwrap()).unwrap();
    }
    archive.finish().unwrap();
    let output =
        scene.run(&["verify", "copy.zip", "--public-keys", "keys.json", "--json", "--verbose"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

fn name_in(key: &str) -> &str {
    key.rsplit('/').next().unwrap()
}

#[test]
fn two_digests_with_one_predecessor_are_a_fork() {
    let scene = Scene::new();
    let other = scene.digests[4].end + Duration::minutes(20);
    let rival = scene.trail.digest(signer(), other, &[], Some(&scene.digests[3]), false);
    put_digest(&scene.dir(), &rival, true);
    let verified = scene.verify(&[]);
    let forks = verified.warnings().iter().filter(|w| w.ends_with("the chain forks")).count();
    assert_eq!(forks, 2, "{:#?}", verified.warnings());
    // Files of other kinds beside the evidence are no fault.
    put(&scene.dir(), "AWSLogs/111122223333/CloudTrail/us-east-1/.DS_Store", b"x");
    assert_eq!(scene.verify(&[]).report["other_files"], 1);
}
