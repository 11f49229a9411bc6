//! Buckets as sources: which objects lie below `s3://bucket/prefix`, and their bytes.

mod fetch;
mod list;
mod uri;

/// What URIs of objects begin with.
pub(super) const SCHEME: &str = "s3://";

pub(super) use self::list::list;
pub use self::uri::Place;
