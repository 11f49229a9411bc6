//! Makes trails as CloudTrail delivers them: log files, and digests signed with keys of our own.
//!
//! Written from AWS's documentation alone, so that tests compare two readings of it:
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_collect,
    clippy::doc_markdown,
    reason = "test data: what cannot be made cannot be tested; each user takes a part of it"
)]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A key that signs digests.
pub(crate) struct Signer(KeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The public key in PKCS #1.
    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    pub(crate) fn fingerprint(&self) -> String {
        use md5::Digest as _;
        hex(&md5::Md5::digest(self.der()))
    }

    /// The key as an entry of `list-public-keys`.
    pub(crate) fn entry(&self) -> Value {
        json!({
            "Value": STANDARD.encode(self.der()),
            "ValidityStartTime": "2024-02-01T00:00:00+00:00",
            "ValidityEndTime": "2024-12-31T00:00:00+00:00",
            "Fingerprint": self.fingerprint(),
        })
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .unwrap();
        hex(&signature)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The output of `list-public-keys` for `signers`.
pub(crate) fn key_list(signers: &[&Signer]) -> String {
    let entries: Vec<Value> = signers.iter().map(|signer| signer.entry()).collect();
    json!({ "PublicKeyList": entries }).to_string()
}

/// A trail's deliveries of one account and region into a bucket.
#[derive(Clone)]
pub(crate) struct Trail {
    pub(crate) bucket: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
}

/// A log file that was delivered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Log {
    pub(crate) key: String,
    pub(crate) hash: String,
}

/// A digest that was delivered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Digest {
    pub(crate) key: String,
    pub(crate) json: String,
    pub(crate) signature: String,
    pub(crate) end: DateTime<Utc>,
}

impl Trail {
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self {
            bucket: "example-trail-logs".to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            name: "main_trail".to_owned(),
        }
    }

    /// The key of the `n`th log file, delivered at `at`.
    pub(crate) fn log_key(&self, at: DateTime<Utc>, n: usize) -> String {
        let Self { account, region, .. } = self;
        let mark = hex(&Sha256::digest(format!("{account}{region}{at}{n}")));
        let (day, minute) = (at.format("%Y/%m/%d"), at.format("%Y%m%dT%H%MZ"));
        format!(
            "AWSLogs/{account}/CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{minute}_{}.json.gz",
            &mark[..16]
        )
    }

    pub(crate) fn digest_key(&self, end: DateTime<Utc>, backfill: bool) -> String {
        let Self { account, region, name, .. } = self;
        let late = if backfill { "_backfill" } else { "" };
        let (day, second) = (end.format("%Y/%m/%d"), end.format("%Y%m%dT%H%M%SZ"));
        format!(
            "AWSLogs/{account}/CloudTrail-Digest/{region}/{day}/{account}_CloudTrail-Digest_{region}_{name}_us-east-1_{second}{late}.json.gz"
        )
    }

    /// The digest of the hour before `end`, signed.
    pub(crate) fn digest(
        &self,
        signer: &Signer,
        end: DateTime<Utc>,
        logs: &[Log],
        previous: Option<&Digest>,
        backfill: bool,
    ) -> Digest {
        let second = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let key = self.digest_key(end, backfill);
        let newest = (!logs.is_empty()).then(|| second(end - Duration::minutes(9)));
        let oldest = (!logs.is_empty()).then(|| second(end - Duration::minutes(50)));
        let files: Vec<Value> = logs
            .iter()
            .map(|log| {
                json!({
                    "s3Bucket": self.bucket, "s3Object": log.key,
                    "hashValue": log.hash, "hashAlgorithm": "SHA-256",
                    "newestEventTime": newest, "oldestEventTime": oldest,
                })
            })
            .collect();
        let json = json!({
            "awsAccountId": self.account,
            "digestStartTime": second(end - Duration::hours(1)),
            "digestEndTime": second(end),
            "digestS3Bucket": self.bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": signer.fingerprint(),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": newest,
            "oldestEventTime": oldest,
            "previousDigestS3Bucket": previous.map(|_| &self.bucket),
            "previousDigestS3Object": previous.map(|digest| &digest.key),
            "previousDigestHashValue": previous.map(|digest| hex(&Sha256::digest(&digest.json))),
            "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
            "previousDigestSignature": previous.map(|digest| &digest.signature),
            "logFiles": files,
        })
        .to_string();
        let signature = signer.sign(&Self::signed_text(&json));
        Digest { key, json, signature, end }
    }

    /// What is signed of a digest's text.
    pub(crate) fn signed_text(json: &str) -> String {
        let value: Value = serde_json::from_str(json).unwrap();
        let member = |name: &str| value[name].as_str().unwrap_or("null").to_owned();
        format!(
            "{}\n{}/{}\n{}\n{}",
            member("digestEndTime"),
            member("digestS3Bucket"),
            member("digestS3Object"),
            hex(&Sha256::digest(json)),
            member("previousDigestSignature"),
        )
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes an object below `dir`, as `aws s3 sync` would.
pub(crate) fn put(dir: &Path, key: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

/// Writes a log file with `text`.
pub(crate) fn put_log(dir: &Path, key: String, text: &str) -> Log {
    put(dir, &key, &gzip(text.as_bytes()));
    Log { key, hash: hex(&Sha256::digest(text)) }
}

/// Writes a digest; `sidecar` also the file that `aws s3api head-object` would make.
pub(crate) fn put_digest(dir: &Path, digest: &Digest, sidecar: bool) -> PathBuf {
    let path = put(dir, &digest.key, &gzip(digest.json.as_bytes()));
    if sidecar {
        let head = json!({
            "ContentType": "application/json",
            "Metadata": {
                "signature": digest.signature,
                "signature-algorithm": "SHA256withRSA",
            },
        });
        put(dir, &format!("{}.meta.json", digest.key), head.to_string().as_bytes());
    }
    path
}
