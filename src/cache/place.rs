//! Where a cache lies: a directory, or a prefix of a bucket.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::aws::Aws;

/// Where a cache lies.
#[derive(Debug, Clone)]
pub enum Place {
    /// A directory.
    Directory(PathBuf),
    /// A prefix of a bucket.
    S3(S3Place),
}

/// A prefix of a bucket, and how to reach it.
#[derive(Debug, Clone)]
pub struct S3Place {
    /// The bucket's name, or the ARN of an access point.
    pub(super) bucket: String,
    /// The prefix; empty for the whole bucket.
    pub(super) prefix: object_store::path::Path,
    /// The connection; its credentials must be allowed to write there.
    pub(super) aws: Arc<Aws>,
    /// The directory in which files lie until they are whole.
    pub(super) temp_dir: PathBuf,
}

impl S3Place {
    /// The place below `prefix` of `bucket`, which is a name or the ARN of an access point. Slashes
    /// at the ends of a prefix mean nothing. The credentials of `aws` must be allowed to write
    /// there; files lie in the directory `temp_dir` until they are whole.
    ///
    /// # Errors
    /// Why the prefix cannot be one, in a few words.
    pub fn new(
        bucket: String,
        prefix: &str,
        aws: Arc<Aws>,
        temp_dir: PathBuf,
    ) -> Result<Self, &'static str> {
        let prefix = object_store::path::Path::parse(prefix.trim_matches('/'))
            .map_err(|_invalid| "a cache's prefix has no parts that are empty, `.` or `..`")?;
        Ok(Self { bucket, prefix, aws, temp_dir })
    }
}

impl Place {
    /// Its name: the directory, absolute, or `s3://bucket/prefix`.
    pub(super) fn name(&self) -> io::Result<PathBuf> {
        match self {
            Self::Directory(dir) => std::path::absolute(dir),
            Self::S3(place) if place.prefix.as_ref().is_empty() => {
                Ok(format!("s3://{}", place.bucket).into())
            }
            Self::S3(place) => Ok(format!("s3://{}/{}", place.bucket, place.prefix).into()),
        }
    }
}

impl From<&Path> for Place {
    fn from(dir: &Path) -> Self {
        Self::Directory(dir.to_owned())
    }
}

impl From<&PathBuf> for Place {
    fn from(dir: &PathBuf) -> Self {
        Self::Directory(dir.clone())
    }
}
