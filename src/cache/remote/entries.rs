//! Log entries, asked for once.
//!
//! The table library reads the entries of a log again and again: for the files, for the schema, for
//! the transactions. An entry never changes once it is written, and writing it tells what it says.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use object_store::{
    Attributes, CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result, path::Path,
};

/// Bytes of entries that are kept.
const KEPT_BYTES: usize = 16 << 20;

/// A store that keeps the log entries that were read from it or written to it.
#[derive(Debug)]
pub(super) struct EntryStore {
    inner: Arc<dyn ObjectStore>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Path, (ObjectMeta, Bytes)>,
    bytes: usize,
}

impl EntryStore {
    pub(super) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, kept: Mutex::default() }
    }

    fn kept(&self, location: &Path) -> Option<(ObjectMeta, Bytes)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.get(location).cloned()
    }

    fn keep(&self, meta: ObjectMeta, bytes: Bytes) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + bytes.len() > KEPT_BYTES {
            *kept = Kept::default();
        }
        kept.bytes += bytes.len();
        kept.entries.insert(meta.location.clone(), (meta, bytes));
    }
}

/// Whether `location` is that of a log entry: `_delta_log/00000000000000000007.json`.
fn is_entry(location: &Path) -> bool {
    let mut parts = location.as_ref().rsplit('/');
    let version = parts.next().and_then(|name| name.strip_suffix(".json"));
    version.is_some_and(|version| {
        version.len() == 20 && version.bytes().all(|byte| byte.is_ascii_digit())
    }) && parts.next() == Some("_delta_log")
}

/// Whether the whole object is asked for, whatever it is.
fn is_whole(options: &GetOptions) -> bool {
    let GetOptions {
        if_match,
        if_none_match,
        if_modified_since,
        if_unmodified_since,
        range,
        version,
        head,
        ..
    } = options;
    let has_condition = if_match.is_some()
        || if_none_match.is_some()
        || if_modified_since.is_some()
        || if_unmodified_since.is_some();
    !has_condition && range.is_none() && version.is_none() && !head
}

fn whole(meta: ObjectMeta, bytes: Bytes) -> GetResult {
    let range = 0..meta.size;
    let payload = GetResultPayload::Stream(stream::once(async { Ok(bytes) }).boxed());
    GetResult { payload, meta, range, attributes: Attributes::default() }
}

impl fmt::Display for EntryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entries({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for EntryStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        if !is_entry(location) || opts.mode != PutMode::Create {
            return self.inner.put_opts(location, payload, opts).await;
        }
        let bytes = Bytes::from(payload.clone());
        let done = self.inner.put_opts(location, payload, opts).await?;
        let meta = ObjectMeta {
            location: location.clone(),
            last_modified: chrono::Utc::now(),
            size: bytes.len() as u64,
            e_tag: done.e_tag.clone(),
            version: done.version.clone(),
        };
        self.keep(meta, bytes);
        Ok(done)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if !is_entry(location) || !is_whole(&options) {
            return self.inner.get_opts(location, options).await;
        }
        if let Some((meta, bytes)) = self.kept(location) {
            return Ok(whole(meta, bytes));
        }
        let got = self.inner.get_opts(location, options).await?;
        let meta = got.meta.clone();
        let bytes = got.bytes().await?;
        self.keep(meta.clone(), bytes.clone());
        Ok(whole(meta, bytes))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use object_store::{ObjectStoreExt as _, memory::InMemory};

    use super::*;

    #[tokio::test]
    async fn an_entry_is_read_once_and_other_files_as_they_are() {
        let below: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let store = EntryStore::new(Arc::clone(&below));
        let entry = Path::from("a/_delta_log/00000000000000000007.json");
        let other = Path::from("a/_delta_log/_last_checkpoint");
        let read = async |path: &Path| store.get(path).await.unwrap().bytes().await.unwrap();
        for path in [&entry, &other] {
            assert!(store.get(path).await.is_err(), "what is not there is asked for each time");
            below.put(path, "first".into()).await.unwrap();
            assert_eq!(read(path).await, "first");
            below.put(path, "second".into()).await.unwrap();
        }
        assert_eq!((read(&entry).await, read(&other).await), ("first".into(), "second".into()));
        assert_eq!(store.get_range(&entry, 0..2).await.unwrap(), "se");
        assert_eq!(store.head(&entry).await.unwrap().size, 6);
    }

    #[tokio::test]
    async fn what_was_written_need_not_be_read() {
        let below: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let store = EntryStore::new(Arc::clone(&below));
        let entry = Path::from("_delta_log/00000000000000000001.json");
        store.put_opts(&entry, "ours".into(), PutMode::Create.into()).await.unwrap();
        below.delete(&entry).await.unwrap();
        assert_eq!(store.get(&entry).await.unwrap().bytes().await.unwrap(), "ours");
        let again = store.put_opts(&entry, "x".into(), PutMode::Overwrite.into()).await;
        again.unwrap();
    }
}
