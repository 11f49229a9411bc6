//! Digests and keys that anybody may have written: nothing panics, loops or is taken for valid.

use std::fs;

use serde_json::{Value, json};

use super::scene::{Scene, name, signer};
use crate::trail::{gzip, put_digest};

#[test]
fn damaged_digests_are_invalid_and_nothing_more() {
    let whole = Scene::new().digests[3].json.clone();
    let nested = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let typed = whole.replace("\"logFiles\":[", "\"logFiles\":[7,");
    let twice = whole.replacen('{', "{\"digestEndTime\":\"2024-03-01T04:05:31Z\",", 1);
    let timeless = whole.replace("\"digestEndTime\":\"", "\"digestEndTime\":\"x");
    let packed = gzip(whole.as_bytes());
    let trailing = [packed.clone(), packed.clone()].concat();
    let damaged: [(&str, Vec<u8>); 10] = [
        ("truncated", packed[..packed.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("no JSON", gzip(b"hello")),
        ("an array", gzip(b"[]")),
        ("deep", gzip(nested.as_bytes())),
        ("wrong types", gzip(typed.as_bytes())),
        ("duplicate keys", gzip(twice.as_bytes())),
        ("no time", gzip(timeless.as_bytes())),
        ("a bomb", gzip(&vec![b' '; 300 << 20])),
        ("appended", trailing),
    ];
    for (what, bytes) in damaged {
        let scene = Scene::new();
        let key = &scene.digests[3].key;
        scene.change(key, |content| *content = bytes);
        let verified = scene.verify(&[]);
        let faults = verified.faults();
        let of_it = format!("digest {} invalid: ", name(key));
        assert!(faults.iter().any(|fault| fault.starts_with(&of_it)), "{what}: {faults:#?}");
        assert_eq!(verified.code, 1, "{what}");
        assert_eq!(verified.report["missing_hours"], json!([]), "{what}");
    }
}

#[test]
fn a_cycle_of_digests_ends() {
    let scene = Scene::new();
    // The first names the last as its predecessor, and one names itself.
    for (of, to) in [(0, 5), (2, 2)] {
        let mut value: Value = serde_json::from_str(&scene.digests[of].json).unwrap();
        value["previousDigestS3Bucket"] = "example-trail-logs".into();
        value["previousDigestS3Object"] = scene.digests[to].key.clone().into();
        scene.change(&scene.digests[of].key, |bytes| *bytes = gzip(value.to_string().as_bytes()));
    }
    let verified = scene.verify(&[]);
    assert_eq!(verified.code, 1);
    assert_eq!(verified.counts("digests")[0], 3);
}

#[test]
fn times_that_nobody_lives_in_list_no_hours() {
    let scene = Scene::new();
    for (year, end) in [("0001", "00010101T000000Z"), ("9999", "99991231T235959Z")] {
        let json = scene.digests[3].json.replace("2024-03-01T", &format!("{year}-03-01T"));
        let digest = crate::trail::Digest {
            key: scene.digests[3].key.replace("20240301T040531Z", end),
            json,
            ..scene.digests[3].clone()
        };
        put_digest(&scene.dir(), &digest, true);
    }
    let verified = scene.verify(&[]);
    assert_eq!(verified.counts("digests"), [6, 2, 0, 0], "{:#?}", verified.faults());
    assert_eq!(verified.report["missing_hours"], json!([]));
    assert_eq!(verified.report["gaps"], json!([]));
}

#[test]
fn names_in_digests_are_shown_harmlessly() {
    let mut scene = Scene::empty();
    scene.trail.bucket = "b\u{1b}[2J\u{202e}".to_owned();
    scene.hour(0, "DescribeTrails", signer(), false);
    scene.put_digests();
    scene.remove(&scene.logs[0][0].key);
    let text = scene.text(&[]);
    assert!(text.contains("s3://b\\x1b[2J\\u{202e}/"), "{text}");
}

#[test]
fn keys_that_cannot_be_used_are_refused() {
    let scene = Scene::new();
    let mut entry = signer().entry();
    entry["Fingerprint"] = "00000000000000000000000000000000".into();
    let files: [(&str, Vec<u8>); 4] = [
        ("no keys", b"{\"PublicKeyList\":[]}".to_vec()),
        ("another fingerprint", entry.to_string().into_bytes()),
        ("no key file", b"hello".to_vec()),
        ("a private key", b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n".to_vec()),
    ];
    let mut said = Vec::new();
    for (what, bytes) in files {
        fs::write(scene.home().join("keys.json"), bytes).unwrap();
        let text = scene.text(&[]).replace(&signer().fingerprint(), "FINGERPRINT");
        said.push(format!("# {what}\n{text}"));
    }
    let output = scene.run(&["verify", "evidence"]);
    said.push(format!("# none\n{}", String::from_utf8(output.stderr).unwrap()));
    insta::assert_snapshot!(said.join("\n"));
}
