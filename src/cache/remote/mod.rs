//! A cache's files in S3: what a directory does with links and locks, done with conditional writes.
//!
//! Small files are read and written whole. Parquet files are written in the directory for temporary
//! files and uploaded when they are whole, before any log names them; an upload that does not end
//! leaves nothing that is ever listed.

mod connect;
mod entries;
mod failure;
mod read;
mod sure;

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path as FsPath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::{
    GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, UpdateVersion,
    WriteMultipart, path::Path, prefix::PrefixStore,
};
use url::Url;

use self::read::Footers;
pub(super) use self::read::RemoteFile;
use super::{files::Found, place::S3Place};
use crate::{
    Result,
    aws::AwsOptions,
    bridge::Bridge,
    error::{BoxError, ErrorKind},
};

/// Bytes of a part of an upload, and of the largest file that is uploaded in one request.
const PART_BYTES: usize = 8 << 20;

/// Parts uploaded at once.
const PARTS_AT_ONCE: usize = 4;

/// How often an upload or a deletion is begun before its failure is told: the store has tried each
/// request many times before it fails, and what is left are answers that broke off.
const MAX_ATTEMPTS: u32 = 3;

/// How often a change is made anew because others changed the same file meanwhile.
const MAX_EXCHANGES: u32 = 100;

/// The files of a cache in S3.
#[derive(Debug)]
pub(super) struct Remote {
    /// `s3://bucket/prefix`.
    name: PathBuf,
    /// The store whose root is the bucket.
    bucket: Arc<dyn ObjectStore>,
    /// The bucket's address, under which the engine knows `bucket`.
    url: Url,
    prefix: Path,
    options: AwsOptions,
    temp_dir: PathBuf,
    runtime: Arc<Bridge>,
    /// The footers of the files that were read.
    footers: Footers,
}

impl Remote {
    /// The files of the cache at `place`, which is called `name`.
    pub(super) fn new(place: &S3Place, name: PathBuf, runtime: Arc<Bridge>) -> Result<Self> {
        let options = place.aws.options().clone();
        let failed = |source| failure::told("open", &name, source, &options);
        let connect = || -> Result<_, BoxError> {
            let store = connect::connect(place, &runtime.handle().ok_or("the cache is closed")?)?;
            // The bucket of an access point's ARN has no name that is a host's. The address only
            // has to be another than any other store's.
            let url = Url::parse(&format!("s3://{}", place.bucket.replace([':', '/'], "-")))?;
            Ok((store, url))
        };
        let (store, url) = connect().map_err(failed)?;
        Ok(Self {
            bucket: Arc::new(sure::SureStore::new(store)),
            url,
            prefix: place.prefix.clone(),
            options,
            temp_dir: place.temp_dir.clone(),
            runtime,
            footers: Footers::default(),
            name,
        })
    }

    /// `s3://bucket/prefix`.
    pub(super) fn name(&self) -> &FsPath {
        &self.name
    }

    /// The error to tell for `source`, met when doing `action` with the cache.
    pub(super) fn told(&self, action: &'static str, source: BoxError) -> ErrorKind {
        failure::told(action, &self.name, source, &self.options)
    }

    /// The same for what an engine met that reads its files; `error` itself if no request failed.
    pub(super) fn explain(&self, error: BoxError) -> Result<crate::Error, BoxError> {
        match failure::meaning(&*error, &self.options) {
            Some(_) => Ok(self.told("read", error).into()),
            None => Err(error),
        }
    }

    /// The store for the transaction logs, whose root is the cache.
    pub(super) fn store(&self) -> Arc<dyn ObjectStore> {
        let entries = entries::EntryStore::new(Arc::clone(&self.bucket));
        Arc::new(PrefixStore::new(entries, self.prefix.clone()))
    }

    /// The store whose root is the bucket, and its address.
    pub(super) fn bucket(&self) -> (Url, Arc<dyn ObjectStore>) {
        (self.url.clone(), Arc::clone(&self.bucket))
    }

    /// Where the file `name` of the cache lies in the bucket. Names are ours or a log's: parts that
    /// lead elsewhere are refused.
    pub(super) fn location(&self, name: &str) -> Result<Path, BoxError> {
        let below = Path::parse(name)?;
        Ok(self.prefix.parts().chain(below.parts()).collect())
    }

    /// The whole file `name`, and its `ETag`; nothing where there is none.
    pub(super) fn get(&self, name: &str) -> Result<Option<(Bytes, Option<String>)>, BoxError> {
        let (store, location) = (Arc::clone(&self.bucket), self.location(name)?);
        self.wait(async move {
            let got = match store.get(&location).await {
                Ok(got) => got,
                Err(object_store::Error::NotFound { source, .. })
                    if failure::is_missing_key(&*source) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            };
            let etag = got.meta.e_tag.clone();
            Ok(Some((got.bytes().await?, etag)))
        })
    }

    /// Writes the file `name` whole, if there is none: whether it did.
    pub(super) fn create(&self, name: &str, bytes: Bytes) -> Result<bool, BoxError> {
        self.put_if(name, bytes, PutMode::Create)
    }

    /// Exchanges the file `name`, which had that `ETag`: whether it still had.
    fn exchange(&self, name: &str, bytes: Bytes, etag: Option<String>) -> Result<bool, BoxError> {
        self.put_if(name, bytes, PutMode::Update(UpdateVersion { e_tag: etag, version: None }))
    }

    fn put_if(&self, name: &str, bytes: Bytes, mode: PutMode) -> Result<bool, BoxError> {
        let (store, location) = (Arc::clone(&self.bucket), self.location(name)?);
        self.wait(async move {
            match store.put_opts(&location, bytes.into(), mode.into()).await {
                Ok(_done) => Ok(true),
                Err(
                    object_store::Error::AlreadyExists { .. }
                    | object_store::Error::Precondition { .. },
                ) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Puts what `change` makes of the text of the file `name` in its place; nothing where it stays.
    /// There are no locks: where others change it meanwhile, `change` is asked again.
    pub(super) fn change<T>(
        &self,
        name: &str,
        mut change: impl FnMut(Option<&str>) -> Result<(Option<String>, T)>,
    ) -> Result<T> {
        let failed = |action, source| crate::Error::from(self.told(action, source));
        for _ in 0..MAX_EXCHANGES {
            let there = self.get(name).map_err(|error| failed("read", error))?;
            let text = match &there {
                Some((bytes, _)) => {
                    Some(std::str::from_utf8(bytes).map_err(|error| failed("read", error.into()))?)
                }
                None => None,
            };
            let (text, outcome) = change(text)?;
            let Some(text) = text else { return Ok(outcome) };
            let put = match there {
                Some((_, etag)) => self.exchange(name, text.into(), etag),
                None => self.create(name, text.into()),
            };
            if put.map_err(|error| failed("commit to", error))? {
                return Ok(outcome);
            }
        }
        Err(failed("commit to", "others change it all the time".into()))
    }

    /// The files directly below the folder `folder`, or below the cache itself where it is empty.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<Found>, BoxError> {
        let (store, prefix) = (Arc::clone(&self.bucket), self.location(folder)?);
        self.wait(async move {
            let found = store.list_with_delimiter(Some(&prefix)).await?;
            let listed = |object: ObjectMeta| {
                let name = object.location.filename()?.to_owned();
                Some(Found { name, bytes: object.size, modified: object.last_modified.into() })
            };
            Ok(found.objects.into_iter().filter_map(listed).collect())
        })
    }

    /// Whether there is nothing at all at the cache's place.
    pub(super) fn is_vacant(&self) -> Result<bool, BoxError> {
        let (store, prefix) = (Arc::clone(&self.bucket), self.prefix.clone());
        self.wait(async move {
            let mut listing = store.list(Some(&prefix));
            Ok(listing.try_next().await?.is_none())
        })
    }

    /// Deletes the file `name`; that it is not there is as good.
    pub(super) fn delete(&self, name: &str) -> Result<(), BoxError> {
        let (store, location) = (Arc::clone(&self.bucket), self.location(name)?);
        self.wait(async move {
            // Deleting twice is as good as once, so a broken answer is no failure yet.
            let mut attempt = 1;
            loop {
                match store.delete(&location).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => return Ok(()),
                    Err(error) if attempt >= MAX_ATTEMPTS || failure::is_final(&error) => {
                        return Err(error.into());
                    }
                    Err(_broken) => attempt += 1,
                }
            }
        })
    }

    /// A file without a name in the directory for temporary files; it vanishes with its handle.
    pub(super) fn draft(&self) -> Result<File> {
        tempfile::tempfile_in(&self.temp_dir).map_err(|source| {
            let path = self.temp_dir.clone();
            ErrorKind::Io { action: "create a file in", path, source }.into()
        })
    }

    /// Uploads `file` as the file `name`, and gives its size in bytes.
    pub(super) fn upload(&self, name: &str, mut file: &File) -> Result<u64, BoxError> {
        let location = self.location(name)?;
        let size = file.metadata()?.len();
        let mut attempt = 1;
        loop {
            file.seek(SeekFrom::Start(0))?;
            let done = if size <= PART_BYTES as u64 {
                self.upload_whole(&location, file, size)
            } else {
                self.upload_in_parts(&location, file, size)
            };
            match done {
                Ok(()) => return Ok(size),
                Err(error) if attempt < MAX_ATTEMPTS && !failure::is_final(&*error) => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn upload_whole(&self, location: &Path, file: &File, size: u64) -> Result<(), BoxError> {
        let bytes = next_part(file, size)?;
        let (store, location) = (Arc::clone(&self.bucket), location.clone());
        self.wait(async move {
            store.put(&location, PutPayload::from(bytes)).await?;
            Ok(())
        })
    }

    fn upload_in_parts(&self, location: &Path, file: &File, size: u64) -> Result<(), BoxError> {
        let (store, location) = (Arc::clone(&self.bucket), location.clone());
        let mut upload = self.wait(async move {
            let upload = store.put_multipart(&location).await?;
            Ok(WriteMultipart::new_with_chunk_size(upload, PART_BYTES))
        })?;
        let mut left = size;
        loop {
            let part = next_part(file, left)?;
            left = left.saturating_sub(part.len() as u64);
            let is_last = left == 0;
            let put = async move {
                match upload.wait_for_capacity(PARTS_AT_ONCE).await {
                    Ok(()) => upload.put(part.into()),
                    Err(error) => {
                        // What cannot be given up here, the bucket's lifecycle does.
                        let _ = upload.abort().await;
                        return Err(error.into());
                    }
                }
                if is_last {
                    upload.finish().await?;
                    return Ok(None);
                }
                Ok(Some(upload))
            };
            match self.wait(put)? {
                Some(next) => upload = next,
                None => return Ok(()),
            }
        }
    }

    /// The file `name` as one without a name in the directory for temporary files.
    pub(super) fn download(&self, name: &str) -> Result<File, BoxError> {
        let (store, location) = (Arc::clone(&self.bucket), self.location(name)?);
        let mut file = self.draft()?;
        let mut body = self.wait(async move {
            let got = store.get_opts(&location, GetOptions::default()).await?;
            Ok(got.into_stream())
        })?;
        loop {
            let next =
                self.wait(async move { Ok(body.try_next().await?.map(|bytes| (bytes, body))) })?;
            let Some((bytes, rest)) = next else { break };
            file.write_all(&bytes)?;
            body = rest;
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// The file `name` of `size_bytes`, to be read in parts.
    pub(super) fn file(
        self: &Arc<Self>,
        name: &str,
        size_bytes: u64,
    ) -> Result<RemoteFile, BoxError> {
        Ok(RemoteFile { location: self.location(name)?, size_bytes, remote: Arc::clone(self) })
    }

    /// Runs `future` and waits for it.
    pub(super) fn wait<T, F>(&self, future: F) -> Result<T, BoxError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, BoxError>> + Send + 'static,
    {
        self.runtime.wait(future)
    }
}

/// The next bytes of `file`, which has `left`: as many as a part of an upload has.
fn next_part(mut file: &File, left: u64) -> std::io::Result<Vec<u8>> {
    let n_bytes = usize::try_from(left).unwrap_or(usize::MAX).min(PART_BYTES);
    let mut part = vec![0; n_bytes];
    file.read_exact(&mut part)?;
    Ok(part)
}
