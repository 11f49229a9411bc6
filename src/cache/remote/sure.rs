//! Conditional writes that say what became of them, and listings that go on where they broke.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, path::Path,
};

/// How often a conditional write or a page of a listing is tried before its failure is told.
const MAX_ATTEMPTS: u32 = 6;

/// The pause before the second attempt; it doubles from one to the next.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A store whose conditional writes say what became of them.
///
/// When the answer to a write is lost, the store sends it again, and the condition then fails
/// because of what the first one wrote: a writer would take its own commit for another's, and
/// delete the files it names. And S3 answers 409 to writes that meet, whether or not one of them
/// has won (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>). So
/// whenever a conditional write fails, what is there is compared with what was to be written.
///
/// Requests are tried again by the store below, but not when a listing breaks in the middle of a
/// page: it goes on behind the last key that arrived.
#[derive(Debug)]
pub(super) struct SureStore<S>(Arc<S>);

/// What is there after a conditional write has failed.
enum Found {
    Ours(PutResult),
    Nothing,
    /// Another content, with its `ETag`.
    Other(Option<String>),
}

impl<S: ObjectStore> SureStore<S> {
    /// What `store` does, surely.
    pub(super) fn new(store: S) -> Self {
        Self(Arc::new(store))
    }

    /// Lists what lies below `prefix` and behind `after`.
    fn listed(
        &self,
        prefix: Option<&Path>,
        after: Option<&Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let rest = Rest {
            store: Arc::clone(&self.0),
            prefix: prefix.cloned(),
            after: after.cloned(),
            under_way: None,
            attempt: 1,
        };
        stream::try_unfold(rest, Rest::next).boxed()
    }

    async fn put_if(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let mut attempt = 1;
        loop {
            let error = match self.0.put_opts(location, payload.clone(), opts.clone()).await {
                Ok(done) => return Ok(done),
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => error,
            };
            match (self.found(location, &payload).await, &opts.mode) {
                (Ok(Found::Ours(done)), _) => return Ok(done),
                (Ok(Found::Other(_)), PutMode::Create) => {
                    let path = location.to_string();
                    return Err(Error::AlreadyExists { path, source: error.into() });
                }
                (Ok(Found::Other(etag)), PutMode::Update(expected)) if etag != expected.e_tag => {
                    let path = location.to_string();
                    return Err(Error::Precondition { path, source: error.into() });
                }
                (Ok(Found::Nothing), PutMode::Update(_)) => {
                    let path = location.to_string();
                    return Err(Error::Precondition { path, source: error.into() });
                }
                // It was not written: by nobody, or nothing changed.
                _ if attempt < MAX_ATTEMPTS => {}
                _ => return Err(error),
            }
            pause(attempt).await;
            attempt += 1;
        }
    }

    async fn found(&self, location: &Path, payload: &PutPayload) -> Result<Found> {
        let got = match self.0.get(location).await {
            Ok(got) => got,
            Err(Error::NotFound { .. }) => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        let (e_tag, version) = (got.meta.e_tag.clone(), got.meta.version.clone());
        let there = got.bytes().await?;
        let ours = Bytes::from(payload.clone());
        Ok(if there == ours {
            Found::Ours(PutResult { e_tag, version })
        } else {
            Found::Other(e_tag)
        })
    }
}

/// What is left of a listing.
struct Rest<S> {
    store: Arc<S>,
    prefix: Option<Path>,
    /// The last key that arrived.
    after: Option<Path>,
    under_way: Option<BoxStream<'static, Result<ObjectMeta>>>,
    attempt: u32,
}

impl<S: ObjectStore> Rest<S> {
    async fn next(mut self) -> Result<Option<(ObjectMeta, Self)>> {
        loop {
            let listing = self.under_way.get_or_insert_with(|| match &self.after {
                Some(after) => self.store.list_with_offset(self.prefix.as_ref(), after),
                None => self.store.list(self.prefix.as_ref()),
            });
            match listing.try_next().await {
                Ok(Some(object)) => {
                    self.after = Some(object.location.clone());
                    self.attempt = 1;
                    return Ok(Some((object, self)));
                }
                Ok(None) => return Ok(None),
                Err(error) if is_final(&error) || self.attempt >= MAX_ATTEMPTS => {
                    return Err(error);
                }
                Err(_broken) => {
                    self.under_way = None;
                    pause(self.attempt).await;
                    self.attempt += 1;
                }
            }
        }
    }
}

/// Waits before another attempt.
async fn pause(attempt: u32) {
    tokio::time::sleep(FIRST_PAUSE * 2_u32.saturating_pow(attempt - 1)).await;
}

/// Whether `error` says that nothing was written and trying again is of no use.
fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound { .. }
            | Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::NotImplemented { .. }
            | Error::NotSupported { .. }
            | Error::InvalidPath { .. }
            | Error::UnknownConfigurationKey { .. }
    )
}

impl<S: fmt::Display> fmt::Display for SureStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sure({})", self.0)
    }
}

#[async_trait]
impl<S: ObjectStore> ObjectStore for SureStore<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        match opts.mode {
            PutMode::Overwrite => self.0.put_opts(location, payload, opts).await,
            PutMode::Create | PutMode::Update(_) => self.put_if(location, payload, opts).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut attempt = 1;
        loop {
            match self.0.list_with_delimiter(prefix).await {
                Err(error) if !is_final(&error) && attempt < MAX_ATTEMPTS => {}
                listed => return listed,
            }
            pause(attempt).await;
            attempt += 1;
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use object_store::{UpdateVersion, memory::InMemory};

    use super::*;

    /// A store in memory that writes what it says it has not, or says that others wrote.
    #[derive(Debug)]
    struct Liar {
        inner: InMemory,
        lies: AtomicU32,
        writes_first: bool,
    }

    impl Liar {
        /// Whether it lies this time.
        fn lies(&self) -> bool {
            let less = |n: u32| n.checked_sub(1);
            self.lies.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
        }
    }

    impl fmt::Display for Liar {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Liar")
        }
    }

    #[async_trait]
    impl ObjectStore for Liar {
        async fn put_opts(
            &self,
            location: &Path,
            payload: PutPayload,
            opts: PutOptions,
        ) -> Result<PutResult> {
            if !self.lies() {
                return self.inner.put_opts(location, payload, opts).await;
            }
            if self.writes_first {
                self.inner.put_opts(location, payload, opts).await?;
            }
            let (path, source) = (location.to_string(), "409 ConditionalRequestConflict".into());
            Err(Error::AlreadyExists { path, source })
        }

        async fn put_multipart_opts(
            &self,
            location: &Path,
            opts: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>> {
            self.inner.put_multipart_opts(location, opts).await
        }

        async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
            self.inner.get_opts(location, options).await
        }

        fn delete_stream(
            &self,
            locations: BoxStream<'static, Result<Path>>,
        ) -> BoxStream<'static, Result<Path>> {
            self.inner.delete_stream(locations)
        }

        /// Breaks off behind the first object, as often as it lies.
        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            let whole = self.inner.list(prefix);
            if !self.lies() {
                return whole;
            }
            let broken = Error::Generic { store: "Liar", source: "the connection broke".into() };
            whole.take(1).chain(stream::once(async { Err(broken) })).boxed()
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.inner.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
            self.inner.copy_opts(from, to, options).await
        }
    }

    fn store(lies: u32, writes_first: bool) -> SureStore<Liar> {
        SureStore::new(Liar { inner: InMemory::new(), lies: AtomicU32::new(lies), writes_first })
    }

    async fn put(store: &SureStore<Liar>, text: &'static str, mode: PutMode) -> Result<PutResult> {
        store.put_opts(&Path::from("entry"), text.into(), mode.into()).await
    }

    #[tokio::test]
    async fn a_write_whose_answer_was_lost_is_known_to_be_ours() {
        let store = store(1, true);
        put(&store, "ours", PutMode::Create).await.unwrap();
        let error = put(&store, "theirs", PutMode::Create).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_conflict_that_nobody_won_is_tried_again() {
        let store = store(2, false);
        put(&store, "ours", PutMode::Create).await.unwrap();
        assert_eq!(store.get(&Path::from("entry")).await.unwrap().bytes().await.unwrap(), "ours");
    }

    #[tokio::test]
    async fn a_listing_that_breaks_goes_on_behind_what_arrived() {
        let store = store(0, false);
        for name in ["a/1", "a/2", "a/3", "b/1"] {
            store.put(&Path::from(name), name.into()).await.unwrap();
        }
        store.0.lies.store(2, Ordering::SeqCst);
        let listed: Vec<ObjectMeta> =
            store.list(Some(&Path::from("a"))).try_collect().await.unwrap();
        let names: Vec<&str> = listed.iter().map(|object| object.location.as_ref()).collect();
        assert_eq!(names, ["a/1", "a/2", "a/3"]);
    }

    #[tokio::test]
    async fn an_exchange_whose_answer_was_lost_is_known_to_be_ours() {
        let store = store(0, true);
        let first = put(&store, "first", PutMode::Create).await.unwrap();
        let expected = |e_tag| PutMode::Update(UpdateVersion { e_tag, version: None });
        store.0.lies.store(1, Ordering::SeqCst);
        let second = put(&store, "second", expected(first.e_tag.clone())).await.unwrap();
        let error = put(&store, "late", expected(first.e_tag)).await.unwrap_err();
        assert!(matches!(error, Error::Precondition { .. }), "{error}");
        put(&store, "third", expected(second.e_tag)).await.unwrap();
    }
}
