//! Where it lies: digests and logs in S3, signatures in the metadata of their objects.

use std::fs;

use serde_json::Value;

use super::scene::{HOURS, Scene, name};
use crate::{
    s3::{Bucket, Fault, Kind, Plan, Server},
    trail::gzip,
};

const BUCKET: &str = "example-trail-logs";

/// A scene whose copy lies in a bucket of that name, as CloudTrail delivered it.
struct Remote {
    scene: Scene,
    server: Server,
}

impl Remote {
    fn new(plan: Plan) -> Self {
        let scene = Scene::new();
        let mut bucket = Bucket::evidence(BUCKET);
        let keys = scene.logs.iter().flatten().map(|log| &log.key);
        for key in keys.chain(scene.digests.iter().map(|digest| &digest.key)) {
            bucket.put(key, fs::read(scene.path(key)).unwrap());
        }
        for digest in &scene.digests {
            let metadata = &mut bucket.latest_mut(&digest.key).unwrap().metadata;
            metadata.insert("signature".to_owned(), digest.signature.clone());
            metadata.insert("signature-algorithm".to_owned(), "SHA256withRSA".to_owned());
        }
        Self { scene, server: Server::with_faults([bucket], plan) }
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let cache = self.scene.home().join("cache");
        let mut command = self.server.command(&cache, arguments);
        command.current_dir(self.scene.home()).output().unwrap()
    }

    fn verify(&self) -> super::scene::Verified {
        let source = format!("s3://{BUCKET}");
        let all = ["verify", &source, "--public-keys", "keys.json", "--json", "--verbose"];
        let output = self.run(&all);
        let stderr = String::from_utf8(output.stderr).unwrap();
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {stderr}"));
        super::scene::Verified { code: output.status.code().unwrap(), report, stderr }
    }
}

#[test]
fn a_bucket_is_verified_where_it_lies_whatever_goes_wrong_on_the_way() {
    let remote = Remote::new(Plan::none().with(Fault::SlowDown, 200_000));
    let verified = remote.verify();
    assert_eq!((verified.faults(), verified.code), (vec![], 0), "{}", verified.stderr);
    assert_eq!(verified.counts("digests"), [6, 0, 0, 0]);
    assert_eq!(verified.counts("logs"), [10, 0, 0, 0]);
    let from = &verified.report["digest_files"][HOURS - 1]["signature_from"];
    assert_eq!(from, "object metadata");
    remote.server.assert_injected(Fault::SlowDown);
}

#[test]
fn in_s3_an_object_must_be_the_very_one() {
    let remote = Remote::new(Plan::none());
    let (log, digest) = (&remote.scene.logs[1][0].key, &remote.scene.digests[4].key);
    let moved = digest.replace("/us-east-1/", "/eu-west-1/");
    remote.server.change(BUCKET, |bucket| {
        bucket.put(log, gzip(b"{\"Records\":[]}"));
        let version = bucket.latest(digest).unwrap().metadata.clone();
        bucket.put(&moved, fs::read(remote.scene.path(digest)).unwrap());
        bucket.latest_mut(&moved).unwrap().metadata = version;
        bucket.delete(digest);
    });
    let faults = remote.verify().faults();
    let altered = format!("log {} invalid: hash value doesn't match", name(log));
    assert!(faults.contains(&altered), "{faults:#?}");
    let elsewhere = "invalid: has been moved from its original location";
    assert!(faults.contains(&format!("digest {} {elsewhere}", name(&moved))), "{faults:#?}");
}

#[test]
fn a_second_look_reads_only_digests_and_what_changed() {
    let remote = Remote::new(Plan::none());
    assert_eq!(remote.verify().code, 0);
    remote.server.forget_requests();
    let log = &remote.scene.logs[1][0].key;
    remote.server.change(BUCKET, |bucket| {
        bucket.put(log, gzip(b"{\"Records\":[]}"));
    });
    let again = remote.verify();
    assert_eq!(again.report["log_files_unchanged"], 9);
    assert_eq!(again.faults(), [format!("log {} invalid: hash value doesn't match", name(log))]);
    assert_eq!(remote.server.requests(Kind::Get), 6 + 1);
}

#[test]
fn a_copy_has_its_signatures_from_the_ledger() {
    let remote = Remote::new(Plan::none());
    let source = format!("s3://{BUCKET}");
    let output = remote.run(&["ingest", &source]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let newest = &remote.scene.digests[HOURS - 1].key;
    remote.scene.remove(&format!("{newest}.meta.json"));
    let verified = remote.scene.verify(&["--cache", "cache"]);
    assert_eq!((verified.faults(), verified.code), (vec![], 0));
    assert_eq!(verified.report["digest_files"][HOURS - 1]["signature_from"], "ledger");
}
