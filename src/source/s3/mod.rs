//! Buckets as sources: which objects lie below `s3://bucket/prefix`, and their bytes.

mod fetch;
mod inventory;
mod layout;
mod list;
mod uri;
mod walk;

/// What URIs of objects begin with.
pub(super) const SCHEME: &str = "s3://";

pub(crate) use self::fetch::Lost;
pub use self::{
    fetch::{FetchOptions, Fetcher, Traffic},
    uri::Place,
};
pub(super) use self::{inventory::Inventory, list::list};
