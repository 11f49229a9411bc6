//! The operations of S3 that trailhound and Delta tables use, over what the store holds.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use futures::TryStreamExt;
use s3s::{
    Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    checksum::ChecksumHasher,
    crypto::{Checksum, Crc32},
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CommonPrefix,
        CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CreateMultipartUploadInput,
        CreateMultipartUploadOutput, DeleteMarkerEntry, DeleteObjectInput, DeleteObjectOutput,
        DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, ETagCondition,
        GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
        HeadObjectOutput, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input,
        ListObjectsV2Output, Object, ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass,
        PutObjectInput, PutObjectOutput, RestoreStatus, StorageClass, StreamingBlob, Timestamp,
        UploadPartInput, UploadPartOutput,
    },
    s3_error,
};

use super::{
    Shared, encoding,
    faults::Fault,
    listing::{Entry, Query, listed_etag},
    store::{Bucket, Denial, Listed, Upload, Version, md5, md5_of_parts},
};

/// The most keys of a page, as in S3.
pub(super) const PAGE: usize = 1000;

/// S3, over one store.
#[derive(Debug, Clone)]
pub(super) struct Service(pub(super) Arc<Shared>);

impl Service {
    /// The version that a client may read and what it holds.
    fn readable(
        &self,
        bucket: &str,
        key: &str,
        id: Option<&str>,
        if_match: Option<&ETagCondition>,
    ) -> S3Result<(Version, bool)> {
        let buckets = self.0.buckets();
        let bucket = buckets.get(bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        let version = match id {
            Some(id) => bucket
                .objects
                .get(key)
                .and_then(|versions| versions.iter().find(|version| version.id == id))
                .ok_or(S3ErrorCode::NoSuchVersion)?,
            None => bucket.latest(key).ok_or(S3ErrorCode::NoSuchKey)?,
        };
        if version.listed == Listed::ThoughGone {
            self.0.faults.struck(Fault::ListedThoughGone);
            return Err(S3ErrorCode::NoSuchKey.into());
        }
        if version.is_marker() {
            return Err(match id {
                Some(_) => s3_error!(MethodNotAllowed, "a delete marker cannot be read"),
                None => S3ErrorCode::NoSuchKey.into(),
            });
        }
        match version.denial {
            Some(Denial::Policy) => return Err(s3_error!(AccessDenied, "Access Denied")),
            Some(Denial::Kms) => {
                let message = "User is not authorized to perform: kms:Decrypt on the resource \
                               associated with this ciphertext";
                return Err(s3_error!(AccessDenied, "{message}"));
            }
            None => {}
        }
        if let Some(ETagCondition::ETag(wanted)) = if_match
            && wanted.value() != version.etag
        {
            if version.listed == Listed::AsItWas {
                self.0.faults.struck(Fault::ListedAsItWas);
            }
            return Err(S3ErrorCode::PreconditionFailed.into());
        }
        Ok((version.clone(), bucket.has_checksums))
    }

    /// Writes an object unless what is there forbids it.
    fn write(
        &self,
        bucket: &str,
        key: &str,
        (if_match, if_none_match): (Option<&ETagCondition>, Option<&ETagCondition>),
        write: impl FnOnce(&mut Bucket) -> Version,
    ) -> S3Result<Version> {
        let mut buckets = self.0.buckets_mut();
        let bucket = buckets.get_mut(bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        let there = bucket.latest(key).filter(|version| !version.is_marker());
        let is = |condition: &ETagCondition| {
            there.is_some_and(|version| {
                condition.as_etag().is_none_or(|etag| etag.value() == version.etag)
            })
        };
        if if_match.is_some_and(|condition| !is(condition)) || if_none_match.is_some_and(is) {
            return Err(S3ErrorCode::PreconditionFailed.into());
        }
        Ok(write(bucket))
    }
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        let buckets = self.0.buckets();
        let bucket = buckets.get(&input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        let after = match &input.continuation_token {
            Some(token) => Some(from_token(token)?),
            None => input.start_after.clone(),
        };
        let query = Query {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after: after.as_deref(),
            max: page_size(input.max_keys),
            ..Query::default()
        };
        let page = query.page(bucket);
        self.0.counts.listed(page.entries.iter().filter_map(Entry::latest).count());
        let with_restore = input.optional_object_attributes.is_some();
        let contents: Vec<Object> = page
            .entries
            .iter()
            .filter_map(Entry::latest)
            .map(|(key, version)| Object {
                key: Some(key.to_owned()),
                e_tag: Some(ETag::Strong(listed_etag(version))),
                size: size(version),
                last_modified: Some(version.modified_at.into()),
                storage_class: Some(ObjectStorageClass::from(class(version))),
                restore_status: restore_status(version).filter(|_| with_restore),
                ..Object::default()
            })
            .collect();
        let mut page = ListObjectsV2Output {
            key_count: i32::try_from(page.entries.len()).ok(),
            max_keys: input.max_keys,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.map(|(place, _)| to_token(place)),
            common_prefixes: Some(prefixes(&page.entries)),
            contents: Some(contents),
            name: Some(input.bucket),
            prefix: input.prefix.clone(),
            delimiter: input.delimiter.clone(),
            continuation_token: input.continuation_token.clone(),
            encoding_type: input.encoding_type,
            ..ListObjectsV2Output::default()
        };
        if page.encoding_type.is_some() {
            encoding::objects(&mut page);
        }
        Ok(S3Response::new(page))
    }

    async fn list_object_versions(
        &self,
        req: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let input = req.input;
        let buckets = self.0.buckets();
        let bucket = buckets.get(&input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        let query = Query {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after: input.key_marker.as_deref(),
            after_version: input.version_id_marker.as_deref(),
            max: page_size(input.max_keys),
            all_versions: true,
        };
        let page = query.page(bucket);
        self.0.counts.listed(page.entries.iter().filter_map(Entry::latest).count());
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for entry in &page.entries {
            let Entry::Key(key, of_key) = entry else { continue };
            let latest = bucket.latest(key).map(|version| version.id.as_str());
            for version in of_key.iter().rev() {
                let is_latest = Some(latest == Some(version.id.as_str()));
                if version.is_marker() {
                    markers.push(marker(key, version, is_latest));
                } else {
                    versions.push(object_version(key, version, is_latest));
                }
            }
        }
        let (next_key, next_version) = page.next.unzip();
        let mut page = ListObjectVersionsOutput {
            is_truncated: Some(next_key.is_some()),
            next_key_marker: next_key.map(str::to_owned),
            next_version_id_marker: next_version.flatten().map(str::to_owned),
            common_prefixes: Some(prefixes(&page.entries)),
            versions: Some(versions),
            delete_markers: Some(markers),
            name: Some(input.bucket),
            prefix: input.prefix.clone(),
            delimiter: input.delimiter.clone(),
            max_keys: input.max_keys,
            encoding_type: input.encoding_type,
            ..ListObjectVersionsOutput::default()
        };
        if page.encoding_type.is_some() {
            encoding::versions(&mut page);
        }
        Ok(S3Response::new(page))
    }

    async fn get_object(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        let id = input.version_id.as_deref();
        let (version, has_checksums) =
            self.readable(&input.bucket, &input.key, id, input.if_match.as_ref())?;
        if version.is_archived() {
            let message = "The operation is not valid for the object's storage class";
            return Err(s3_error!(InvalidObjectState, "{message}"));
        }
        let content = version.content.as_ref().ok_or(S3ErrorCode::NoSuchKey)?;
        let whole = content.bytes(&input.key);
        let (body, content_range) = match input.range {
            None => (whole.clone(), None),
            Some(range) => {
                let len = whole.len() as u64;
                let range = range.check(len).map_err(|_error| S3ErrorCode::InvalidRange)?;
                let text = format!("bytes {}-{}/{len}", range.start, range.end - 1);
                let (start, end) = (index(range.start)?, index(range.end)?);
                (whole.slice(start..end), Some(text))
            }
        };
        let wants_checksum = input.checksum_mode.is_some() && content_range.is_none();
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(body.len()).ok(),
            content_range,
            checksum_crc32: (has_checksums && wants_checksum).then(|| crc32(&whole)).flatten(),
            body: Some(StreamingBlob::from(Body::from(body))),
            e_tag: Some(ETag::Strong(version.etag.clone())),
            last_modified: Some(version.modified_at.into()),
            storage_class: version.storage_class.clone().map(StorageClass::from),
            version_id: shown_id(&version),
            metadata: Some(version.metadata.into_iter().collect()),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = req.input;
        let id = input.version_id.as_deref();
        let (version, _) = self.readable(&input.bucket, &input.key, id, input.if_match.as_ref())?;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: size(&version),
            e_tag: Some(ETag::Strong(version.etag.clone())),
            last_modified: Some(version.modified_at.into()),
            storage_class: version.storage_class.clone().map(StorageClass::from),
            restore: version.is_restored.then(|| "ongoing-request=\"false\"".to_owned()),
            version_id: shown_id(&version),
            metadata: Some(version.metadata.into_iter().collect()),
            ..HeadObjectOutput::default()
        }))
    }

    async fn head_bucket(
        &self,
        req: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let buckets = self.0.buckets();
        let bucket = buckets.get(&req.input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(bucket.region.clone()),
            ..HeadBucketOutput::default()
        }))
    }

    async fn put_object(
        &self,
        req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = req.input;
        let bytes = whole(input.body).await?;
        let conditions = (input.if_match.as_ref(), input.if_none_match.as_ref());
        let written = self.write(&input.bucket, &input.key, conditions, |bucket| {
            let version = bucket.put(&input.key, bytes);
            version.modified_at = SystemTime::now();
            version.metadata = input.metadata.unwrap_or_default().into_iter().collect();
            version.clone()
        })?;
        Ok(S3Response::new(PutObjectOutput {
            version_id: shown_id(&written),
            e_tag: Some(ETag::Strong(written.etag)),
            ..PutObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = req.input;
        let mut buckets = self.0.buckets_mut();
        let bucket = buckets.get_mut(&input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        match &input.version_id {
            Some(id) => bucket.delete_version(&input.key, id),
            None => bucket.delete(&input.key),
        }
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = req.input;
        let mut buckets = self.0.buckets_mut();
        let bucket = buckets.get_mut(&input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        let mut deleted = Vec::new();
        for object in input.delete.objects {
            match &object.version_id {
                Some(id) => bucket.delete_version(&object.key, id),
                None => bucket.delete(&object.key),
            }
            deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() });
        }
        let deleted = Some(deleted);
        Ok(S3Response::new(DeleteObjectsOutput { deleted, ..DeleteObjectsOutput::default() }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = req.input;
        let mut buckets = self.0.buckets_mut();
        let bucket = buckets.get_mut(&input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        let id = uuid::Uuid::new_v4().to_string();
        let metadata = input.metadata.unwrap_or_default().into_iter().collect();
        let upload = Upload { key: input.key.clone(), metadata, ..Upload::default() };
        bucket.uploads.insert(id.clone(), upload);
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        req: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = req.input;
        let bytes = whole(input.body).await?;
        let etag = md5(&bytes);
        let mut buckets = self.0.buckets_mut();
        let bucket = buckets.get_mut(&input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        let upload = bucket.uploads.get_mut(&input.upload_id).ok_or(S3ErrorCode::NoSuchUpload)?;
        upload.parts.insert(input.part_number, bytes);
        let e_tag = Some(ETag::Strong(etag));
        Ok(S3Response::new(UploadPartOutput { e_tag, ..UploadPartOutput::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = req.input;
        let upload = {
            let mut buckets = self.0.buckets_mut();
            let bucket = buckets.get_mut(&input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
            bucket.uploads.remove(&input.upload_id).ok_or(S3ErrorCode::NoSuchUpload)?
        };
        let parts: Vec<&[u8]> = upload.parts.values().map(Bytes::as_ref).collect();
        let bytes = Bytes::from(parts.concat());
        let etag = md5_of_parts(upload.parts.values());
        let conditions = (input.if_match.as_ref(), input.if_none_match.as_ref());
        let written = self.write(&input.bucket, &upload.key, conditions, |bucket| {
            let version = bucket.put(&upload.key, bytes);
            version.modified_at = SystemTime::now();
            version.etag = etag;
            version.metadata.clone_from(&upload.metadata);
            version.clone()
        })?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            version_id: shown_id(&written),
            e_tag: Some(ETag::Strong(written.etag)),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let mut buckets = self.0.buckets_mut();
        let bucket = buckets.get_mut(&req.input.bucket).ok_or(S3ErrorCode::NoSuchBucket)?;
        bucket.uploads.remove(&req.input.upload_id);
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

impl<'a> Entry<'a> {
    fn latest(&self) -> Option<(&'a str, &'a Version)> {
        match self {
            Self::Prefix(_) => None,
            Self::Key(key, versions) => Some((key, versions.last()?)),
        }
    }
}

fn prefixes(entries: &[Entry<'_>]) -> Vec<CommonPrefix> {
    let cut = entries.iter().filter_map(|entry| match entry {
        Entry::Prefix(prefix) => Some((*prefix).to_owned()),
        Entry::Key(..) => None,
    });
    cut.map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect()
}

fn marker(key: &str, version: &Version, is_latest: Option<bool>) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(key.to_owned()),
        version_id: Some(version.id.clone()),
        is_latest,
        last_modified: Some(version.modified_at.into()),
        owner: None,
    }
}

fn object_version(key: &str, version: &Version, is_latest: Option<bool>) -> ObjectVersion {
    ObjectVersion {
        key: Some(key.to_owned()),
        version_id: Some(version.id.clone()),
        is_latest,
        e_tag: Some(ETag::Strong(listed_etag(version))),
        size: size(version),
        last_modified: Some(version.modified_at.into()),
        storage_class: Some(ObjectVersionStorageClass::from(class(version))),
        restore_status: restore_status(version),
        ..ObjectVersion::default()
    }
}

fn class(version: &Version) -> String {
    version.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned())
}

fn restore_status(version: &Version) -> Option<RestoreStatus> {
    version.is_restored.then(|| RestoreStatus {
        is_restore_in_progress: Some(false),
        restore_expiry_date: Some(Timestamp::from(version.modified_at)),
    })
}

fn shown_id(version: &Version) -> Option<String> {
    (version.id != super::store::NULL).then(|| version.id.clone())
}

fn size(version: &Version) -> Option<i64> {
    i64::try_from(version.size_bytes).ok()
}

fn index(at: u64) -> S3Result<usize> {
    usize::try_from(at).map_err(|_error| S3ErrorCode::InvalidRange.into())
}

fn page_size(asked: Option<i32>) -> usize {
    asked.and_then(|n| usize::try_from(n).ok()).map_or(PAGE, |n| n.min(PAGE))
}

/// A place in a listing, so that no client can mistake it for one.
fn to_token(place: &str) -> String {
    place.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn from_token(token: &str) -> S3Result<String> {
    let wrong = || s3_error!(InvalidArgument, "The continuation token provided is incorrect");
    let digits: Vec<char> = token.chars().collect();
    let bytes = digits.chunks(2).map(|pair| {
        let pair: String = pair.iter().collect();
        u8::from_str_radix(&pair, 16).map_err(|_error| wrong())
    });
    String::from_utf8(bytes.collect::<S3Result<_>>()?).map_err(|_error| wrong())
}

fn crc32(bytes: &[u8]) -> Option<String> {
    let mut hasher = ChecksumHasher { crc32: Some(Crc32::new()), ..ChecksumHasher::default() };
    hasher.update(bytes);
    hasher.finalize().checksum_crc32
}

async fn whole(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    let parts: Vec<Bytes> = body.try_collect().await.map_err(|error| {
        let mut incomplete = S3Error::new(S3ErrorCode::IncompleteBody);
        incomplete.set_source(error);
        incomplete
    })?;
    Ok(Bytes::from(parts.concat()))
}
