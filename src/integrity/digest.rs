//! A digest file: bytes → what it says. Its bytes may be anybody's.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>

use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};

use super::time;

/// The most bytes of a digest that are read, inflated. One lists the files of an hour, some 500
/// bytes each.
pub(super) const MAX_BYTES: usize = 256 << 20;

/// What a digest file says.
#[derive(Debug, Clone)]
pub(super) struct Digest {
    /// Where its hour begins and ends, in microseconds since 1970.
    pub(super) start: i64,
    pub(super) end: i64,
    /// The end in its own spelling, which is what is signed.
    pub(super) end_text: String,
    /// Where CloudTrail delivered it.
    pub(super) bucket: String,
    pub(super) key: String,
    /// The key it is signed with.
    pub(super) fingerprint: String,
    /// The digest before it, unless it begins a chain.
    pub(super) previous: Option<Place>,
    pub(super) previous_signature: Option<String>,
    /// `None` where it says none, or none of a kind that we know.
    pub(super) previous_hash: Option<[u8; 32]>,
    /// The log files delivered in its hour.
    pub(super) logs: Vec<Reference>,
    /// SHA-256 of its inflated bytes.
    pub(super) sha256: [u8; 32],
}

/// An object's place in S3.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) bucket: String,
    pub(super) key: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// A log file as a digest names it.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) place: Place,
    /// SHA-256 of its inflated bytes; `None` where the digest gives no such hash.
    pub(super) hash: Option<[u8; 32]>,
}

/// The members that the AWS CLI requires must be there; all must be of their type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    digest_start_time: String,
    digest_end_time: String,
    #[serde(rename = "digestS3Bucket")]
    bucket: String,
    #[serde(rename = "digestS3Object")]
    key: String,
    digest_public_key_fingerprint: String,
    #[serde(rename = "previousDigestS3Bucket", default)]
    previous_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object", default)]
    previous_key: Option<String>,
    #[serde(default)]
    previous_digest_hash_value: Option<String>,
    #[serde(default)]
    previous_digest_hash_algorithm: Option<String>,
    #[serde(deserialize_with = "present")]
    previous_digest_signature: Option<String>,
    #[serde(default)]
    log_files: Option<Vec<WireLog>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLog {
    #[serde(rename = "s3Bucket")]
    bucket: String,
    #[serde(rename = "s3Object")]
    key: String,
    #[serde(default)]
    hash_value: Option<String>,
    #[serde(default)]
    hash_algorithm: Option<String>,
}

/// A member that may be null but must be there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

impl Digest {
    /// Reads a digest's inflated bytes.
    ///
    /// # Errors
    /// They are no digest: why, for people.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let at = |name: &str, text: &str| {
            time::of_iso(text).ok_or_else(|| format!("its {name} is no time: {text:?}"))
        };
        let log = |log: WireLog| Reference {
            hash: sha256(log.hash_algorithm.as_deref(), log.hash_value.as_deref()),
            place: Place { bucket: log.bucket, key: log.key },
        };
        let previous = wire.previous_bucket.zip(wire.previous_key);
        Ok(Self {
            start: at("digestStartTime", &wire.digest_start_time)?,
            end: at("digestEndTime", &wire.digest_end_time)?,
            end_text: wire.digest_end_time,
            bucket: wire.bucket,
            key: wire.key,
            fingerprint: wire.digest_public_key_fingerprint,
            previous: previous.map(|(bucket, key)| Place { bucket, key }),
            previous_signature: wire.previous_digest_signature,
            previous_hash: sha256(
                wire.previous_digest_hash_algorithm.as_deref(),
                wire.previous_digest_hash_value.as_deref(),
            ),
            logs: wire.log_files.unwrap_or_default().into_iter().map(log).collect(),
            sha256: Sha256::digest(bytes).into(),
        })
    }

    /// Where CloudTrail delivered it.
    pub(super) fn place(&self) -> Place {
        Place { bucket: self.bucket.clone(), key: self.key.clone() }
    }
}

fn sha256(algorithm: Option<&str>, hex: Option<&str>) -> Option<[u8; 32]> {
    let is_known = algorithm.is_none_or(|name| name.eq_ignore_ascii_case("SHA-256"));
    super::unhex(hex?.trim()).filter(|_| is_known)
}

/// What a digest's name tells: `ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOMEREGION_TIME.json.gz`,
/// with `_backfill` behind the time in chains of files that came late.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// All of it before the time: what the digests of a chain share.
    pub(super) chain: String,
    pub(super) trail: String,
    pub(super) is_backfill: bool,
    /// The end of its hour.
    pub(super) end: Option<i64>,
}

impl Name {
    /// Reads the name at the end of a key or path.
    pub(super) fn parse(path: &str) -> Self {
        let name = super::place::file_name(path);
        let stem = super::place::stem(name);
        let (stem, is_backfill) = match stem.strip_suffix("_backfill") {
            Some(stem) => (stem, true),
            None => (stem, false),
        };
        let (chain, end) = match stem.rsplit_once('_') {
            Some((chain, at)) if time::of_name(at).is_some() => (chain, time::of_name(at)),
            _ => (stem, None),
        };
        let inner = chain.splitn(4, '_').nth(3).unwrap_or_default();
        let trail = inner.rsplit_once('_').map_or(inner, |(trail, _home)| trail);
        Self { chain: chain.to_owned(), trail: trail.to_owned(), is_backfill, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_chain_trail_and_time() {
        let name = Name::parse(
            "a.zip!/AWSLogs/111122223333_CloudTrail-Digest_eu-west-1_my_trail_us-east-1_20150817T150131Z_backfill.json.gz",
        );
        assert_eq!(name.chain, "111122223333_CloudTrail-Digest_eu-west-1_my_trail_us-east-1");
        assert_eq!((name.trail.as_str(), name.is_backfill), ("my_trail", true));
        assert_eq!(name.end, Some(1_439_823_691_000_000));
        assert_eq!(Name::parse("x").end, None);
    }

    #[test]
    fn what_is_no_digest_says_why() {
        for (text, why) in [
            ("", "EOF"),
            ("[]", "invalid length"),
            ("{}", "missing field"),
            (r#"{"digestEndTime":7}"#, "invalid type"),
            (r#"{"digestEndTime":"a","digestEndTime":"b"}"#, "duplicate field"),
        ] {
            let error = Digest::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
