//! A copy of a bucket, and what `trailhound verify` says of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::OnceLock,
};

use chrono::{DateTime, Duration, TimeZone as _, Utc};
use serde_json::Value;

use crate::{
    cli::Scene as Home,
    trail::{Digest, Log, Signer, Trail, key_list, put_digest, put_log},
};

/// The hours of a scene's chain.
pub(super) const HOURS: usize = 6;

/// The key that signs.
pub(super) fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(Signer::new)
}

/// Another key.
pub(super) fn stranger() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(Signer::new)
}

/// The end of the `n`th hour.
pub(super) fn end_of(n: usize) -> DateTime<Utc> {
    let first = Utc.with_ymd_and_hms(2024, 3, 1, 1, 5, 31).unwrap();
    first + Duration::hours(i64::try_from(n).unwrap())
}

/// A log file's text with one record.
pub(super) fn log_text(at: DateTime<Utc>, name: &str, n: usize) -> String {
    let at = at.format("%Y-%m-%dT%H:%M:%SZ");
    format!(
        r#"{{"Records":[{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/eve"}},"eventTime":"{at}","eventSource":"cloudtrail.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","requestParameters":{{"name":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main_trail"}},"eventID":"{at}-{n}","recipientAccountId":"111122223333"}}]}}"#
    )
}

/// A home with a copy of a bucket in `evidence`, and the public keys in `keys.json`.
pub(super) struct Scene {
    home: Home,
    pub(super) trail: Trail,
    pub(super) logs: Vec<Vec<Log>>,
    pub(super) digests: Vec<Digest>,
}

impl Scene {
    /// A chain of [`HOURS`] hours with two log files each, none in the third. The newest digest
    /// has its metadata beside it.
    pub(super) fn new() -> Self {
        let mut scene = Self::empty();
        for hour in 0..HOURS {
            scene.hour(hour, "DescribeTrails", signer(), hour > 0);
        }
        scene.put_digests();
        scene
    }

    pub(super) fn empty() -> Self {
        let home = Home::new();
        fs::remove_dir_all(home.evidence()).unwrap();
        fs::create_dir(home.evidence()).unwrap();
        fs::write(home.path().join("keys.json"), key_list(&[signer()])).unwrap();
        let trail = Trail::new("111122223333", "us-east-1");
        Self { home, trail, logs: Vec::new(), digests: Vec::new() }
    }

    /// Delivers the `n`th hour's logs, and makes its digest.
    pub(super) fn hour(&mut self, n: usize, call: &str, signer: &Signer, chained: bool) {
        let end = end_of(n);
        let logs: Vec<Log> = (0..if n == 2 { 0 } else { 2 })
            .map(|file| {
                let at = end - Duration::minutes(30 - i64::try_from(file).unwrap());
                let key = self.trail.log_key(at, file);
                put_log(&self.dir(), key, &log_text(at, call, file))
            })
            .collect();
        let previous = self.digests.last().filter(|_| chained);
        let digest = self.trail.digest(signer, end, &logs, previous, false);
        self.digests.push(digest);
        self.logs.push(logs);
    }

    /// Writes the digests, the newest with its metadata.
    pub(super) fn put_digests(&self) {
        for (n, digest) in self.digests.iter().enumerate() {
            put_digest(&self.dir(), digest, n + 1 == self.digests.len());
        }
    }

    /// The copy of the bucket.
    pub(super) fn dir(&self) -> PathBuf {
        self.home.evidence()
    }

    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.dir().join(key)
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Changes the bytes of an object.
    pub(super) fn change(&self, key: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(key)).unwrap();
        change(&mut bytes);
        fs::write(self.path(key), bytes).unwrap();
    }

    pub(super) fn remove(&self, key: &str) {
        fs::remove_file(self.path(key)).unwrap();
    }

    /// Runs trailhound in the scene's home.
    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        self.home.command().args(arguments).output().unwrap()
    }

    /// `verify evidence` with the scene's keys.
    pub(super) fn verify(&self, arguments: &[&str]) -> Verified {
        let all = ["verify", "evidence", "--public-keys", "keys.json", "--json", "--verbose"];
        let output = self.run(&[&all, arguments].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {stderr}"));
        Verified { code: output.status.code().unwrap(), report, stderr }
    }

    /// The report as text, with the scene's home as HOME.
    pub(super) fn text(&self, arguments: &[&str]) -> String {
        let all = ["verify", "evidence", "--public-keys", "keys.json"];
        let output = self.run(&[&all, arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let notices = String::from_utf8(output.stderr).unwrap();
        let home = self.home().canonicalize().unwrap();
        let text = text.replace(home.to_str().unwrap(), "HOME");
        format!("{text}{notices}exit code: {}\n", output.status.code().unwrap())
    }
}

/// What a verification said.
pub(super) struct Verified {
    pub(super) code: i32,
    pub(super) report: Value,
    pub(super) stderr: String,
}

impl Verified {
    /// All that is not valid, as `KIND NAME STATUS: REASON`, the name that of the file.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (list, kind) in [("digest_files", "digest"), ("log_files", "log")] {
            for row in self.report[list].as_array().unwrap() {
                let (status, reason) = (row["status"].as_str().unwrap(), row["reason"].as_str());
                if status != "valid" {
                    faults.push(format!("{kind} {} {status}: {}", name_of(row), reason.unwrap()));
                }
            }
        }
        faults
    }

    /// The warnings, without what they concern.
    pub(super) fn warnings(&self) -> Vec<&str> {
        let lists = ["digest_files", "log_files"].map(|list| self.report[list].as_array().unwrap());
        let rows = lists.into_iter().flatten();
        rows.flat_map(|row| row["warnings"].as_array().unwrap())
            .map(|warning| warning.as_str().unwrap())
            .collect()
    }

    pub(super) fn counts(&self, of: &str) -> [u64; 4] {
        ["valid", "invalid", "unverifiable", "undigested"]
            .map(|status| self.report[of][status].as_u64().unwrap())
    }
}

/// The last part of a row's URI or key, the end of its hour where it has neither.
fn name_of(row: &Value) -> String {
    let place = row["uri"].as_str().or(row["s3"].as_str()).or(row["to"].as_str());
    name(place.unwrap_or_default())
}

/// What of a key tells one file from another.
pub(super) fn name(key: &str) -> String {
    let name = key.rsplit('/').next().unwrap().trim_end_matches(".json.gz");
    name.rsplit_once("us-east-1_").map_or(name, |(_, rest)| rest).to_owned()
}
