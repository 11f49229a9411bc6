//! Listing a prefix.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::{Place, fetch::Objects};
use crate::{
    ErrorKind, Result,
    aws::{Aws, Failure, s3::Object},
    source::{Keys, ListOptions, Listing, LogFile, Open},
};

/// Adds the objects below `source` to `listing`.
pub(crate) fn list(
    source: &str,
    aws: &Arc<Aws>,
    options: &ListOptions<'_>,
    listing: &mut Listing,
) -> Result<()> {
    let place = Place::parse(source).map_err(|reason| ErrorKind::Source {
        uri: source.to_owned(),
        reason: reason.to_owned(),
    })?;
    let failed = |failure: Failure| ErrorKind::S3 {
        action: "list",
        uri: source.to_owned(),
        help: failure.advice(aws.options()),
        reason: failure.text,
    };
    let (connection, name) = (Arc::clone(aws), place.bucket.clone());
    let bucket = aws.wait(async move { connection.bucket(&name).await }).map_err(failed)?;
    let opener: Arc<dyn Open> = Arc::new(Objects { aws: Arc::clone(aws), bucket: bucket.clone() });
    let source_uri: Arc<str> = source.into();
    let mut keys = Keys::default();
    let mut from = None;
    loop {
        if options.cancelled.load(Relaxed) {
            return Err(ErrorKind::Interrupted.into());
        }
        let (bucket, prefix) = (bucket.clone(), place.key.clone());
        let page =
            aws.wait(async move { bucket.page(&prefix, None, from).await }).map_err(failed)?;
        options.n_listed.fetch_add(page.objects.len() as u64, Relaxed);
        for object in page.objects {
            let uri = place.uri_of(&object.key, None);
            let key = keys.of(&uri);
            if options.filter.chooses(&key) && !is_folder(&object) {
                listing.files.push(LogFile {
                    uri: uri.into(),
                    container: None,
                    source: Arc::clone(&source_uri),
                    size_bytes: object.size_bytes,
                    modified_at: object.modified_at,
                    etag: object.etag.map(Into::into),
                    object_version: None,
                    key,
                    order: 0,
                    depth: 0,
                    once: false,
                    opener: Arc::clone(&opener),
                });
            }
        }
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(()),
        }
    }
}

/// Whether it only stands for a folder, as the console makes them: nothing is in it.
fn is_folder(object: &Object) -> bool {
    object.key.ends_with('/') && object.size_bytes == 0
}
