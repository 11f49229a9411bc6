//! Reading Parquet files where they lie: footers once, columns in few large requests.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{FutureExt as _, TryFutureExt as _, future::BoxFuture};
use object_store::{ObjectStoreExt as _, path::Path};
use parquet::{
    arrow::{arrow_reader::ArrowReaderOptions, async_reader::AsyncFileReader},
    errors::{ParquetError, Result},
    file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
};

/// Bytes read from a file's end in the hope that its footer and page indexes are in them.
const FOOTER_BYTES: usize = 512 << 10;

/// Bytes of footers that are kept.
const KEPT_BYTES: usize = 16 << 20;

/// The footers of files that were read. Files never change.
#[derive(Debug, Default)]
pub(in crate::cache) struct Footers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_file: HashMap<Path, Arc<ParquetMetaData>>,
    bytes: usize,
}

impl Footers {
    fn get(&self, file: &Path) -> Option<Arc<ParquetMetaData>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.by_file.get(file).cloned()
    }

    fn keep(&self, file: &Path, footer: &Arc<ParquetMetaData>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = footer.memory_size();
        if kept.bytes + bytes > KEPT_BYTES {
            // Which of them are needed again is not known; reading one is a single request.
            *kept = Kept::default();
        }
        kept.bytes += bytes;
        kept.by_file.insert(file.clone(), Arc::clone(footer));
    }
}

/// A Parquet file in a bucket.
pub(in crate::cache) struct RemoteFile {
    pub(super) location: Path,
    pub(super) size_bytes: u64,
    pub(super) remote: Arc<super::Remote>,
}

impl RemoteFile {
    /// The cache it belongs to.
    pub(in crate::cache) fn remote(&self) -> &Arc<super::Remote> {
        &self.remote
    }
}

impl AsyncFileReader for RemoteFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        self.remote.bucket.get_range(&self.location, range).map_err(failed).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move { self.remote.bucket.get_ranges(&self.location, &ranges).await.map_err(failed) }
            .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let remote = Arc::clone(&self.remote);
            if let Some(footer) = remote.footers.get(&self.location) {
                return Ok(footer);
            }
            let (size, location) = (self.size_bytes, self.location.clone());
            let footer = ParquetMetaDataReader::new()
                .with_page_index_policy(PageIndexPolicy::Optional)
                .with_prefetch_hint(Some(FOOTER_BYTES))
                .load_and_finish(self, size)
                .await?;
            let footer = Arc::new(footer);
            remote.footers.keep(&location, &footer);
            Ok(footer)
        }
        .boxed()
    }
}

fn failed(error: object_store::Error) -> ParquetError {
    ParquetError::External(error.into())
}
