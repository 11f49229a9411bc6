//! Opens objects: their bytes as they are stored.

use std::{io, sync::Arc};

use super::{
    super::{LogFile, Open, Stored},
    uri,
};
use crate::aws::{Aws, Failure, s3::Bucket};

/// Opens objects of one bucket.
pub(super) struct Objects {
    pub(super) aws: Arc<Aws>,
    pub(super) bucket: Bucket,
}

impl Open for Objects {
    fn open(&self, file: &LogFile) -> io::Result<Stored> {
        let version = file.object_version.clone();
        let key = uri::key_of(&file.uri, self.bucket.name(), version.as_deref())
            .ok_or(io::ErrorKind::InvalidInput)?
            .to_owned();
        let (bucket, etag) = (self.bucket.clone(), file.etag.clone());
        let fetched = self.aws.wait(async move {
            let (head, mut body) = bucket.get(&key, version.as_deref(), etag.as_deref(), 0).await?;
            let mut bytes = Vec::new();
            while let Some(chunk) = body.next().await {
                bytes.extend_from_slice(&chunk?);
            }
            if head.size_bytes.is_some_and(|size_bytes| size_bytes != bytes.len() as u64) {
                return Err(Failure::transient("it came cut short"));
            }
            Ok((head, bytes))
        });
        let (head, bytes) = fetched.map_err(io::Error::other)?;
        Ok(Stored { head: Some(head), ..Stored::plain(io::Cursor::new(bytes)) })
    }
}
