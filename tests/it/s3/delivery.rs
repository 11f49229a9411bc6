//! What trails deliver to a bucket: log files and digests under the keys that AWS gives them, made
//! when they are read.

use std::{fmt::Write as _, io::Write as _};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

use super::store::{Bucket, Content};

/// The events of each log file.
const EVENTS: usize = 2;

/// The first day on which something is delivered: 2024-01-01, so that all days of a test lie in
/// one year.
const YEAR: u32 = 2024;

/// An organisation trail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Organisation {
    pub(crate) accounts: usize,
    pub(crate) regions: usize,
    pub(crate) days: u32,
    /// Log files, spread evenly over accounts, regions and days.
    pub(crate) log_files: usize,
}

impl Organisation {
    /// A bucket with its log files, and a digest for each account, region and day.
    pub(crate) fn bucket(self, name: &str) -> Bucket {
        let mut bucket = Bucket::evidence(name);
        let log = Content::made(log_file);
        let digest = Content::made(digest_file);
        let mut n = 0;
        let per_folder = self.log_files.div_ceil(self.folders());
        for folder in 0..self.folders() {
            let (account, region, day) = self.place(folder);
            for _ in 0..per_folder.min(self.log_files - n) {
                bucket.put(&log_key(&account, region, day, n), log.clone());
                n += 1;
            }
            bucket.put(&digest_key(&account, region, day), digest.clone());
        }
        bucket
    }

    /// Accounts × regions × days: as many folders have log files, and as many digests there are.
    pub(crate) fn folders(self) -> usize {
        self.accounts * self.regions * self.days as usize
    }

    fn place(self, folder: usize) -> (String, &'static str, u32) {
        let (account, rest) = (folder % self.accounts, folder / self.accounts);
        let (region, day) = (rest % self.regions, rest / self.regions);
        (account_id(account), REGIONS[region], u32::try_from(day).unwrap())
    }
}

/// A bucket of log files without folders, as tools leave them that copy: `export/NAME`.
pub(crate) fn flat(name: &str, log_files: usize) -> Bucket {
    let mut bucket = Bucket::evidence(name);
    let log = Content::made(log_file);
    for n in 0..log_files {
        let key = log_key(&account_id(n % 8), REGIONS[n % 5], u32::try_from(n % 60).unwrap(), n);
        let (_, file_name) = key.rsplit_once('/').unwrap();
        bucket.put(&format!("export/{file_name}"), log.clone());
    }
    bucket
}

/// The id of the `n`th account: documentation accounts.
pub(crate) fn account_id(n: usize) -> String {
    format!("{n}{n}{n}{n}2222333{n}", n = n + 1)
}

/// Where trails deliver from.
const REGIONS: [&str; 5] =
    ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2", "sa-east-1"];

/// `YYYY/MM/DD` of a day, counted from the first.
pub(crate) fn date(day: u32) -> String {
    const MONTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (mut month, mut left) = (0, day);
    while left >= MONTHS[month] {
        left -= MONTHS[month];
        month += 1;
    }
    format!("{YEAR}/{:02}/{:02}", month + 1, left + 1)
}

/// A key of the `n`th log file of all
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html>).
pub(crate) fn log_key(account: &str, region: &str, day: u32, n: usize) -> String {
    let date = date(day);
    let compact = date.replace('/', "");
    let (hour, minute) = (n / 12 % 24, n % 12 * 5);
    let unique = &hex(&n.to_string())[..16];
    format!(
        "AWSLogs/o-exampleorg/{account}/CloudTrail/{region}/{date}/\
         {account}_CloudTrail_{region}_{compact}T{hour:02}{minute:02}Z_{unique}.json.gz"
    )
}

fn digest_key(account: &str, region: &str, day: u32) -> String {
    let date = date(day);
    let compact = date.replace('/', "");
    format!(
        "AWSLogs/o-exampleorg/{account}/CloudTrail-Digest/{region}/{date}/\
         {account}_CloudTrail-Digest_{region}_org_us-east-1_{compact}T120000Z.json.gz"
    )
}

/// The ids of the events in the log file at `key`.
pub(crate) fn event_ids(key: &str) -> impl Iterator<Item = String> {
    let hash = hex(key);
    (0..EVENTS).map(move |n| {
        format!(
            "{}-{}-4{}-8{}-{}{n:03}",
            &hash[..8],
            &hash[8..12],
            &hash[12..15],
            &hash[15..18],
            &hash[18..27]
        )
    })
}

/// The log file at `key`: a few events of its account and region, at the time in its name.
pub(crate) fn log_file(key: &str) -> Bytes {
    let name = key.rsplit('/').next().unwrap();
    let mut parts = name.split('_');
    let (account, _, region) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
    let at = parts.next().unwrap();
    let time = format!("{}-{}-{}T{}:{}:", &at[..4], &at[4..6], &at[6..8], &at[9..11], &at[11..13]);
    let mut text = String::from("{\"Records\":[");
    for (n, id) in event_ids(key).enumerate() {
        let comma = if n > 0 { "," } else { "" };
        write!(
            text,
            "{comma}{{\"eventVersion\":\"1.11\",\"userIdentity\":{{\"type\":\"IAMUser\",\
             \"principalId\":\"AIDACKCEVSQ6C2EXAMPLE\",\"arn\":\"arn:aws:iam::{account}:user/alice\",\
             \"accountId\":\"{account}\",\"accessKeyId\":\"AKIAIOSFODNN7EXAMPLE\",\
             \"userName\":\"alice\"}},\"eventTime\":\"{time}{n:02}Z\",\
             \"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"DescribeInstances\",\
             \"awsRegion\":\"{region}\",\"sourceIPAddress\":\"192.0.2.7\",\
             \"userAgent\":\"aws-cli/2\",\"requestParameters\":null,\"responseElements\":null,\
             \"eventID\":\"{id}\",\"readOnly\":true,\"eventType\":\"AwsApiCall\",\
             \"managementEvent\":true,\"recipientAccountId\":\"{account}\",\
             \"eventCategory\":\"Management\"}}"
        )
        .unwrap();
    }
    text.push_str("]}");
    gzip(&text)
}

/// A digest file of an hour without log files.
fn digest_file(key: &str) -> Bytes {
    let account = key.rsplit('/').next().unwrap().split('_').next().unwrap();
    gzip(&format!(
        "{{\"awsAccountId\":\"{account}\",\"digestStartTime\":\"2024-01-01T11:00:00Z\",\
         \"digestEndTime\":\"2024-01-01T12:00:00Z\",\"digestS3Bucket\":\"logs\",\
         \"digestS3Object\":\"{key}\",\"digestPublicKeyFingerprint\":\"{}\",\
         \"digestSignatureAlgorithm\":\"SHA256withRSA\",\"newestEventTime\":null,\
         \"oldestEventTime\":null,\"previousDigestS3Bucket\":null,\"previousDigestS3Object\":null,\
         \"previousDigestHashValue\":null,\"previousDigestHashAlgorithm\":null,\
         \"previousDigestSignature\":null,\"logFiles\":[]}}",
        &hex("key")[..32]
    ))
}

pub(crate) fn gzip(text: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap().into()
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
