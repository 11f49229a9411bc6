//! Buckets: pages of keys, and objects. Only reading; evidence is never written to.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
};

use aws_sdk_s3::{
    Client,
    config::{Builder, retry::RetryConfig},
    operation::get_object::GetObjectOutput,
    types::{
        EncodingType, OptionalObjectAttributes, RequestPayer, RestoreStatus, ServerSideEncryption,
    },
};
use aws_smithy_types::{DateTime, byte_stream::ByteStream};
use bytes::Bytes;

use super::{Aws, Failure, FailureKind, micros};

/// A bucket, in its region. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    /// Asks once: whoever reads an object begins again where it broke off, which a client cannot.
    once: Client,
    name: String,
    payer: Option<RequestPayer>,
}

/// A page of a listing.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The objects, in the order of their keys; of one key the newest version first.
    pub objects: Vec<Object>,
    /// What the delimiter cut off: prefixes that end with it.
    pub prefixes: Vec<String>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Next>,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A token of `ListObjectsV2`.
    Token(String),
    /// Behind a key, of `ListObjectsV2`.
    After(String),
    /// A key, and perhaps a version, of `ListObjectVersions`.
    Marker(String, Option<String>),
}

/// An object, or a version of one, as a listing tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its stored size in bytes.
    pub size_bytes: u64,
    /// Its `ETag`, without quotation marks.
    pub etag: Option<String>,
    /// When it was last modified, in microseconds since 1970.
    pub modified_at: Option<i64>,
    /// Its storage class, where it is not the standard one.
    pub storage_class: Option<String>,
    /// Whether it was restored from an archive and can be read for now.
    pub is_restored: bool,
    /// Its version, where versions were listed.
    pub version: Option<Version>,
}

impl Object {
    /// By key; of one key the newest version first.
    pub fn newest_first(&self, other: &Self) -> Ordering {
        // Times are those of whole seconds: of equal ones the latest is what the key leads to.
        let rank = |object: &Self| {
            let is_latest = object.version.as_ref().is_some_and(|version| version.is_latest);
            Reverse((is_latest, object.modified_at))
        };
        self.key.cmp(&other.key).then_with(|| rank(self).cmp(&rank(other)))
    }
}

/// One of an object's versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its id; `null` for what was written before versions were kept.
    pub id: String,
    /// Whether it is what the key leads to.
    pub is_latest: bool,
    /// Whether it is no object, but the mark of a deletion.
    pub is_delete_marker: bool,
}

/// What comes with an object's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// How many bytes the service says there are.
    pub size_bytes: Option<u64>,
    /// Its `ETag`, without quotation marks.
    pub etag: Option<String>,
    /// Its version.
    pub version_id: Option<String>,
    /// When it was last modified, in microseconds since 1970.
    pub modified_at: Option<i64>,
    /// The metadata that whoever wrote it gave it, `x-amz-meta-…`: names in lower case.
    pub metadata: BTreeMap<String, String>,
    /// The MD5 of its bytes, where the `ETag` is that: of what was put in one part, and not
    /// encrypted under a key of KMS or of the customer's.
    ///
    /// Source: "Object" in the Amazon S3 API Reference.
    pub md5: Option<[u8; 16]>,
}

/// An object's bytes as they arrive.
#[derive(Debug)]
pub struct Body {
    bytes: ByteStream,
    start: u64,
}

impl Body {
    /// Where in the object its first byte lies: where it was asked for, or before that where the
    /// service does not know ranges.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The next bytes; `None` behind the last.
    ///
    /// # Errors
    /// [`super::FailureKind::Transient`]: the connection broke, or what came is not what was sent.
    pub async fn next(&mut self) -> Option<Result<Bytes, Failure>> {
        Some(self.bytes.next().await?.map_err(|error| Failure::of_body(&error)))
    }
}

impl Aws {
    /// The bucket `name` (or the access point of that ARN), in the region it lies in, whatever
    /// region was told: the service names it to everyone, whatever else it denies.
    ///
    /// # Errors
    /// There is no such bucket, there are no credentials, or nothing can be reached.
    pub async fn bucket(&self, name: &str) -> Result<Bucket, Failure> {
        let config = self.config().await;
        let options = self.options();
        let mut builder = Builder::from(config).force_path_style(options.path_style);
        if let Some(url) = &options.endpoint_url {
            builder = builder.endpoint_url(url);
        }
        // An access point's ARN names its region.
        if !name.starts_with("arn:") {
            // Whoever misspelt an endpoint should not wait for long.
            let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_TO_REACH);
            let asked = Client::from_conf(builder.clone().retry_config(retries).build());
            if let Some(region) = region_of(&asked, name).await? {
                builder = builder.region(aws_config::Region::new(region));
            }
        }
        let once = builder.clone().retry_config(RetryConfig::disabled());
        Ok(Bucket {
            client: Client::from_conf(builder.build()),
            once: Client::from_conf(once.build()),
            name: name.to_owned(),
            payer: options.requester_pays.then_some(RequestPayer::Requester),
        })
    }
}

/// How often a bucket is asked for its region.
const ATTEMPTS_TO_REACH: u32 = 4;

/// The region a bucket lies in, where the service says so (`HeadBucket`, "Errors" of its page in
/// the Amazon S3 API Reference).
async fn region_of(client: &Client, bucket: &str) -> Result<Option<String>, Failure> {
    const HEADER: &str = "x-amz-bucket-region";
    let error = match client.head_bucket().bucket(bucket).send().await {
        Ok(head) => return Ok(head.bucket_region.filter(|region| !region.is_empty())),
        Err(error) => error,
    };
    if let Some(region) = error.raw_response().and_then(|response| response.headers().get(HEADER)) {
        return Ok(Some(region.to_owned()));
    }
    let failure = Failure::of(&error);
    match failure.kind {
        FailureKind::NotFound => {
            let text = format!("there is no bucket `{bucket}`");
            Err(Failure { code: Some("NoSuchBucket".to_owned()), text, ..failure })
        }
        // A HEAD has no body to say why: the listing will tell.
        _ if error.raw_response().is_some() => Ok(None),
        _ => Err(failure),
    }
}

impl Bucket {
    /// Its name, or its access point's ARN.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SDK's client for its region.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// A page of the objects whose key begins with `prefix`; with a delimiter only those of that
    /// level (`ListObjectsV2`).
    ///
    /// # Errors
    /// What the service says, once trying again no longer helps.
    pub async fn page(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        from: Option<Next>,
    ) -> Result<Page, Failure> {
        let (token, after) = match from {
            Some(Next::Token(token)) => (Some(token), None),
            Some(Next::After(key)) => (None, Some(key)),
            Some(Next::Marker(..)) | None => (None, None),
        };
        let listed = self
            .client
            .list_objects_v2()
            .bucket(&self.name)
            .prefix(prefix)
            .set_delimiter(delimiter.map(str::to_owned))
            .set_continuation_token(token)
            .set_start_after(after)
            .encoding_type(EncodingType::Url)
            .set_request_payer(self.payer.clone())
            .optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
            .send()
            .await
            .map_err(|error| Failure::of(&error))?;
        let name = decoder(listed.encoding_type.as_ref());
        let next = listed.next_continuation_token.map(Next::Token);
        let objects = listed.contents.unwrap_or_default().into_iter().map(|object| {
            let class = object.storage_class.map(|class| class.as_str().to_owned());
            let key = name(object.key.unwrap_or_default());
            let modified = object.last_modified;
            told(key, object.size, object.e_tag, modified, class, object.restore_status)
        });
        Ok(Page {
            objects: objects.collect(),
            prefixes: prefixes(listed.common_prefixes, name),
            next: listed.is_truncated.unwrap_or_default().then_some(next).flatten(),
        })
    }

    /// A page of all versions and delete markers whose key begins with `prefix`
    /// (`ListObjectVersions`).
    ///
    /// # Errors
    /// As [`Bucket::page`].
    pub async fn versions_page(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        from: Option<Next>,
    ) -> Result<Page, Failure> {
        let (key, version) = match from {
            Some(Next::Marker(key, version)) => (Some(key), version),
            Some(Next::Token(_) | Next::After(_)) | None => (None, None),
        };
        let listed = self
            .client
            .list_object_versions()
            .bucket(&self.name)
            .prefix(prefix)
            .set_delimiter(delimiter.map(str::to_owned))
            .set_key_marker(key)
            .set_version_id_marker(version)
            .encoding_type(EncodingType::Url)
            .set_request_payer(self.payer.clone())
            .optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
            .send()
            .await
            .map_err(|error| Failure::of(&error))?;
        let name = decoder(listed.encoding_type.as_ref());
        let objects = listed.versions.unwrap_or_default().into_iter().map(|object| {
            let class = object.storage_class.map(|class| class.as_str().to_owned());
            let key = name(object.key.unwrap_or_default());
            let modified = object.last_modified;
            let version = Version {
                id: object.version_id.unwrap_or_default(),
                is_latest: object.is_latest.unwrap_or_default(),
                is_delete_marker: false,
            };
            Object {
                version: Some(version),
                ..told(key, object.size, object.e_tag, modified, class, object.restore_status)
            }
        });
        let markers = listed.delete_markers.unwrap_or_default().into_iter().map(|marker| Object {
            key: name(marker.key.unwrap_or_default()),
            modified_at: marker.last_modified.and_then(|at| micros(&at)),
            version: Some(Version {
                id: marker.version_id.unwrap_or_default(),
                is_latest: marker.is_latest.unwrap_or_default(),
                is_delete_marker: true,
            }),
            ..Object::default()
        });
        let mut objects: Vec<Object> = objects.chain(markers).collect();
        objects.sort_by(Object::newest_first);
        let next = listed
            .next_key_marker
            .map(|key| Next::Marker(name(key), listed.next_version_id_marker));
        Ok(Page {
            objects,
            prefixes: prefixes(listed.common_prefixes, name),
            next: listed.is_truncated.unwrap_or_default().then_some(next).flatten(),
        })
    }

    /// The bytes of an object from `from` on, as long as its `ETag` is still `etag`. Asks once.
    ///
    /// Where the service has a checksum of the whole object, the bytes are compared with it.
    ///
    /// # Errors
    /// [`super::FailureKind::Changed`] where the object is another one; else what the service says.
    pub async fn get(
        &self,
        key: &str,
        version_id: Option<&str>,
        etag: Option<&str>,
        from: u64,
    ) -> Result<(Head, Body), Failure> {
        let got = self
            .once
            .get_object()
            .bucket(&self.name)
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .set_if_match(etag.map(|etag| format!("\"{etag}\"")))
            .set_range((from > 0).then(|| format!("bytes={from}-")))
            .set_request_payer(self.payer.clone())
            .send()
            .await
            .map_err(|error| Failure::of(&error))?;
        let range = got.content_range.as_deref().and_then(content_range);
        let (start, size_bytes) = match range {
            Some((start, size_bytes)) => (start, size_bytes),
            None => (0, got.content_length.and_then(|len| u64::try_from(len).ok())),
        };
        let md5 = md5_of(&got);
        let head = Head {
            size_bytes,
            md5,
            etag: got.e_tag.map(|etag| unquoted(&etag)),
            version_id: got.version_id,
            modified_at: got.last_modified.and_then(|at| micros(&at)),
            metadata: got
                .metadata
                .unwrap_or_default()
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
        };
        Ok((head, Body { bytes: got.body, start }))
    }
}

/// Start and whole length that `bytes 5-9/10` tells; the length may be `*`.
fn content_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, whole) = header.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, whole.parse().ok()))
}

fn md5_of(got: &GetObjectOutput) -> Option<[u8; 16]> {
    let is_plain = matches!(got.server_side_encryption, None | Some(ServerSideEncryption::Aes256))
        && got.sse_customer_algorithm.is_none();
    let etag = got.e_tag.as_deref()?.trim_matches('"');
    let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(etag, 16).ok().filter(|_number| is_plain && is_md5)?;
    Some(number.to_be_bytes())
}

/// What both kinds of listing tell of an object.
fn told(
    key: String,
    size: Option<i64>,
    etag: Option<String>,
    modified: Option<DateTime>,
    storage_class: Option<String>,
    restore: Option<RestoreStatus>,
) -> Object {
    Object {
        key,
        size_bytes: size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        etag: etag.map(|etag| unquoted(&etag)),
        modified_at: modified.and_then(|at| micros(&at)),
        storage_class,
        is_restored: restore.is_some_and(|status| status.restore_expiry_date.is_some()),
        version: None,
    }
}

fn prefixes(
    listed: Option<Vec<aws_sdk_s3::types::CommonPrefix>>,
    name: fn(String) -> String,
) -> Vec<String> {
    let listed = listed.unwrap_or_default().into_iter();
    listed.filter_map(|common| common.prefix).map(name).collect()
}

/// Reads names as the service wrote them: encoded, since XML cannot hold every key, where it says
/// so.
fn decoder(encoding: Option<&EncodingType>) -> fn(String) -> String {
    if encoding == Some(&EncodingType::Url) { decoded } else { std::convert::identity }
}

/// A name in which `%2B` stands for a plus and a plus for a space.
pub fn decoded(name: String) -> String {
    if !name.contains(['%', '+']) {
        return name;
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let hex = behind.first_chunk::<2>().filter(|_| first == b'%');
        let code = hex.and_then(|hex| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(hex[0])? * 16 + digit(hex[1])?).ok()
        });
        if let Some(code) = code {
            bytes.push(code);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_names_are_read() {
        let plain = |name: &str| decoded(name.to_owned());
        assert_eq!(plain("AWSLogs/1/a.gz"), "AWSLogs/1/a.gz");
        assert_eq!(plain("year%3D2024/a+b%2Bc%01/%C3%A9"), "year=2024/a b+c\u{1}/é");
        assert_eq!(plain("100%/%zz%4"), "100%/%zz%4");
    }
}
