//! What the service holds: buckets, their objects, and every version of each.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use s3s::crypto::{Checksum, Md5};

/// When the first object of a bucket was written; each later one a second after the one before.
/// In seconds since 1970: 2024-07-01.
const EPOCH: u64 = 1_719_792_000;

/// A bucket: how it may be used, and what lies in it.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// Where it lies: requests signed for another region are sent there.
    pub(crate) region: String,
    /// Who may do what.
    pub(crate) policy: Policy,
    /// Whether what is overwritten or deleted stays as a version.
    pub(crate) keeps_versions: bool,
    /// Whether objects have a checksum (CRC32), as those written since 2024 do.
    pub(crate) has_checksums: bool,
    /// Prefixes that a policy lets nobody list.
    pub(crate) unlisted: Vec<String>,
    pub(super) objects: BTreeMap<String, Vec<Version>>,
    pub(super) uploads: HashMap<String, Upload>,
    /// Versions ever written: what ids and times are made of.
    pub(super) n_written: u64,
}

/// Who may do what with a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The service's credentials may read, and nobody may write.
    Evidence,
    /// As evidence, for those who say that they pay.
    RequesterPays,
    /// As evidence, and whoever does not sign may read too.
    Public,
    /// The service's credentials may read and write.
    Writable,
}

impl Bucket {
    /// A bucket for evidence: nobody may write to it.
    pub(crate) fn evidence(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            region: "us-east-1".to_owned(),
            policy: Policy::Evidence,
            keeps_versions: false,
            has_checksums: false,
            unlisted: Vec::new(),
            objects: BTreeMap::new(),
            uploads: HashMap::new(),
            n_written: 0,
        }
    }

    /// A bucket for a cache.
    pub(crate) fn writable(name: &str) -> Self {
        Self { policy: Policy::Writable, ..Self::evidence(name) }
    }

    /// The bucket with an object in it.
    pub(crate) fn with(mut self, key: &str, content: impl Into<Content>) -> Self {
        self.put(key, content);
        self
    }

    /// Writes an object, and gives it to be changed: archived, denied, listed wrongly.
    pub(crate) fn put(&mut self, key: &str, content: impl Into<Content>) -> &mut Version {
        let content = content.into();
        let bytes = content.bytes(key);
        let mut version = self.version(Some(content));
        version.size_bytes = bytes.len();
        version.etag = md5(&bytes);
        let versions = self.versions_to_add_to(key);
        versions.push(version);
        versions.last_mut().unwrap()
    }

    /// Deletes an object as S3 does: where versions are kept it stays below a delete marker.
    pub(crate) fn delete(&mut self, key: &str) {
        if self.keeps_versions {
            let marker = self.version(None);
            self.versions_to_add_to(key).push(marker);
        } else {
            self.objects.remove(key);
        }
    }

    /// Removes one version for good.
    pub(super) fn delete_version(&mut self, key: &str, id: &str) {
        if let Some(versions) = self.objects.get_mut(key) {
            versions.retain(|version| version.id != id);
            if versions.is_empty() {
                self.objects.remove(key);
            }
        }
    }

    /// What `key` leads to, delete markers too; `None` where there never was anything.
    pub(crate) fn latest(&self, key: &str) -> Option<&Version> {
        self.objects.get(key)?.last()
    }

    /// The latest version of `key`, to be changed.
    pub(crate) fn latest_mut(&mut self, key: &str) -> Option<&mut Version> {
        self.objects.get_mut(key)?.last_mut()
    }

    /// The keys that lead to an object, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let is_object = |versions: &[Version]| versions.last().is_some_and(|v| !v.is_marker());
        self.objects.iter().filter(move |(_, v)| is_object(v)).map(|(key, _)| key.as_str())
    }

    fn version(&mut self, content: Option<Content>) -> Version {
        self.n_written += 1;
        let id = if self.keeps_versions { format!("v{:06}", self.n_written) } else { NULL.into() };
        Version {
            id,
            content,
            size_bytes: 0,
            etag: String::new(),
            modified_at: SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH + self.n_written),
            metadata: HashMap::new(),
            storage_class: None,
            is_restored: false,
            denial: None,
            listed: Listed::AsItIs,
        }
    }

    fn versions_to_add_to(&mut self, key: &str) -> &mut Vec<Version> {
        let keeps_versions = self.keeps_versions;
        let versions = self.objects.entry(key.to_owned()).or_default();
        if !keeps_versions {
            versions.clear();
        }
        versions
    }
}

/// The id of what was written while no versions were kept.
pub(super) const NULL: &str = "null";

/// An object, or the mark that it was deleted.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    /// `None` for a delete marker.
    pub(super) content: Option<Content>,
    pub(crate) size_bytes: usize,
    /// Without quotation marks.
    pub(crate) etag: String,
    pub(crate) modified_at: SystemTime,
    /// What the writer gave it: `x-amz-meta-…`, without that prefix.
    pub(crate) metadata: HashMap<String, String>,
    /// Where it is not the standard one; those of archives are refused unless restored.
    pub(crate) storage_class: Option<String>,
    /// Whether it was restored from an archive.
    pub(crate) is_restored: bool,
    /// Why nobody may read it.
    pub(crate) denial: Option<Denial>,
    /// What listings say about it.
    pub(crate) listed: Listed,
}

impl Version {
    /// Whether it is a delete marker.
    pub(crate) fn is_marker(&self) -> bool {
        self.content.is_none()
    }

    /// Whether it must be restored before it can be read.
    pub(super) fn is_archived(&self) -> bool {
        let class = self.storage_class.as_deref();
        matches!(class, Some("GLACIER" | "DEEP_ARCHIVE")) && !self.is_restored
    }
}

/// Why an object may not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// A policy.
    Policy,
    /// The policy of the key that encrypts it.
    Kms,
}

/// What a listing says about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// The truth.
    AsItIs,
    /// That it is there, though it is gone.
    ThoughGone,
    /// What it was before it was overwritten: an `ETag` that no longer holds.
    AsItWas,
}

/// An object's bytes, or how to make them when they are asked for.
#[derive(Clone)]
pub(crate) enum Content {
    Bytes(Bytes),
    /// Of the key alone, so that it is the same whenever it is read: many objects take no memory.
    Made(Arc<dyn Fn(&str) -> Bytes + Send + Sync>),
}

impl Content {
    /// What `make` makes of an object's key whenever it is read.
    pub(crate) fn made(make: impl Fn(&str) -> Bytes + Send + Sync + 'static) -> Self {
        Self::Made(Arc::new(make))
    }

    pub(crate) fn bytes(&self, key: &str) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Made(make) => make(key),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Made(_) => f.write_str("made"),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Content {
    fn from(bytes: T) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// A multipart upload that is not complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) metadata: HashMap<String, String>,
    pub(super) parts: BTreeMap<i32, Bytes>,
}

/// The `ETag` of an object written in one request.
pub(crate) fn md5(bytes: &[u8]) -> String {
    digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `ETag` of an object written in parts: the hash of their hashes, and how many they were.
pub(super) fn md5_of_parts<'a>(parts: impl Iterator<Item = &'a Bytes>) -> String {
    let hashes: Vec<[u8; 16]> = parts.map(|part| digest(part)).collect();
    format!("{}-{}", md5(&hashes.concat()), hashes.len())
}

fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut hash = Md5::new();
    hash.update(bytes);
    hash.finalize()
}
