//! The object store below the transaction logs: the local file system, made durable.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    ops::Range,
    path::{Path as FsPath, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
    local::LocalFileSystem, path::Path,
};
use uuid::Uuid;

/// What begins the name of a log entry that is still being written.
pub(super) const STAGED: &str = ".staged-";

/// The file whose lock is taken where the file system has no hard links.
const LOCK: &str = ".lock";

/// [`LocalFileSystem`], except that what is written has reached the disk before its name appears,
/// and its name before the write is reported: a power cut can neither lose a reported commit nor
/// leave an empty file under the name of one.
#[derive(Debug)]
pub(super) struct DurableStore(LocalFileSystem);

impl DurableStore {
    /// The store whose root is the directory `dir`, which exists.
    pub(super) fn new(dir: &FsPath) -> Result<Self> {
        LocalFileSystem::new_with_prefix(dir).map(Self)
    }
}

impl fmt::Display for DurableStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Durable({})", self.0)
    }
}

#[async_trait]
impl ObjectStore for DurableStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let path = self.0.path_to_filesystem(location)?;
        let exclusive = match opts.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return self.0.put_opts(location, payload, opts).await,
        };
        let place = location.to_string();
        tokio::task::spawn_blocking(move || put(&path, &payload, exclusive))
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| named(error, place))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let path = self.0.path_to_filesystem(location)?;
        Ok(Box::new(Upload { path, place: location.to_string(), parts: Vec::new() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.0.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        in_order(self.0.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        in_order(self.0.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

/// Lists in the order of names, as stores in the cloud do and the table library expects of all but
/// paths that it knows to be local.
fn in_order(
    list: BoxStream<'static, Result<ObjectMeta>>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let sorted = async move {
        let mut objects: Vec<ObjectMeta> = list.try_collect().await?;
        objects.sort_by(|a, b| a.location.cmp(&b.location));
        Ok::<_, object_store::Error>(stream::iter(objects.into_iter().map(Ok)))
    };
    stream::once(sorted).try_flatten().boxed()
}

/// An upload in parts, kept in memory: checkpoints are small, and a whole file is made durable
/// more simply than a growing one.
#[derive(Debug)]
struct Upload {
    path: PathBuf,
    place: String,
    parts: Vec<Bytes>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.extend(data);
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let payload = std::mem::take(&mut self.parts).into_iter().collect::<PutPayload>();
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || put(&path, &payload, false))
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| named(error, self.place.clone()))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}

fn named(error: io::Error, path: String) -> object_store::Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            object_store::Error::AlreadyExists { path, source: error.into() }
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            object_store::Error::PermissionDenied { path, source: error.into() }
        }
        _ => object_store::Error::Generic { store: "cache", source: error.into() },
    }
}

fn put(path: &FsPath, payload: &PutPayload, exclusive: bool) -> io::Result<()> {
    write_durably(path, exclusive, |file| payload.iter().try_for_each(|part| file.write_all(part)))
}

/// Writes `path` so that it appears whole or not at all, and is on disk when this returns.
///
/// With `exclusive`, an existing file makes it fail with [`io::ErrorKind::AlreadyExists`]: of
/// several writers of one name, exactly one succeeds.
pub(super) fn write_durably(
    path: &FsPath,
    exclusive: bool,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let dir = path.parent().unwrap_or(FsPath::new("."));
    if !dir.is_dir() {
        fs::create_dir_all(dir)?;
        if let Some(above) = dir.parent() {
            sync_dir(above)?;
        }
    }
    let staged = dir.join(format!("{STAGED}{}", Uuid::new_v4()));
    let result = (|| {
        let mut file = File::create_new(&staged)?;
        write(&mut file)?;
        file.sync_all()?;
        drop(file);
        if exclusive { rename_if_absent(&staged, path) } else { fs::rename(&staged, path) }
    })();
    if exclusive || result.is_err() {
        // A leftover is harmless: the sweep takes it.
        let _ = fs::remove_file(&staged);
    }
    result?;
    sync_dir(dir)
}

/// Gives the file `from` the name `to` as well, unless that exists.
///
/// A hard link is atomic and never replaces, but exFAT, as on many a portable disk, has none.
fn rename_if_absent(from: &FsPath, to: &FsPath) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
            ) =>
        {
            rename_under_lock(from, to)
        }
        result => result,
    }
}

/// The same where there are no hard links: whoever holds the directory's lock may look and rename.
/// The system releases it when its holder dies.
pub(super) fn rename_under_lock(from: &FsPath, to: &FsPath) -> io::Result<()> {
    let lock = File::create(to.with_file_name(LOCK))?;
    lock.lock()?;
    if to.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

/// Makes the names in `dir` durable.
pub(super) fn sync_dir(dir: &FsPath) -> io::Result<()> {
    // Windows has no such thing: there, names are durable with the file's own flush.
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}
