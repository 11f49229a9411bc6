//! What a walk over a bucket finds → files of the plan.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Inventory, Place,
    fetch::{Objects, archived},
    layout,
    walk::{Finds, Walk},
};
use crate::{
    ErrorKind, Result,
    aws::{
        Aws, Failure,
        s3::{Bucket, Object},
    },
    source::{Keys, ListOptions, Listing, LogFile, Open, Removed, Unread, Why},
};

/// Adds the objects below `source` to `listing`.
pub(in crate::source) fn list(
    source: &str,
    aws: &Arc<Aws>,
    inventories: &[Inventory],
    options: &ListOptions<'_>,
    listing: &mut Listing,
) -> Result<()> {
    let refused =
        |reason: &str| ErrorKind::Source { uri: source.to_owned(), reason: reason.to_owned() };
    let place = Place::parse(source).map_err(refused)?;
    let failed = |failure: Failure| failed("list", source, aws, failure);
    let inventory = inventories.iter().find(|inventory| inventory.bucket() == place.bucket);
    let bucket = open(aws, &place.bucket).map_err(failed)?;
    let mut found = Found::new(place, aws, bucket.clone(), options, listing);
    let key = found.place.key.clone();
    let is_anything = match inventory {
        Some(inventory) => inventory.objects(&key, options, &mut found)?,
        None => Walk::new(aws, &bucket, options).below(&key, &failed, &mut found)?,
    };
    listing.notices.extend(inventory.map(Inventory::notice));
    if !is_anything && key.is_empty() {
        listing.notices.push(format!("{source} is empty"));
    } else if !is_anything {
        let hint = if options.versions { "" } else { "; --versions finds what was deleted" };
        return Err(refused(&format!("no key of the bucket begins so{hint}")).into());
    }
    Ok(())
}

/// What a failed request for `uri` means to the user.
pub(super) fn failed(action: &'static str, uri: &str, aws: &Aws, failure: Failure) -> ErrorKind {
    let help = failure.advice(aws.options());
    ErrorKind::S3 { action, uri: uri.to_owned(), help, reason: failure.text }
}

/// The bucket of that name or ARN.
pub(super) fn open(aws: &Arc<Aws>, name: &str) -> Result<Bucket, Failure> {
    let (connection, name) = (Arc::clone(aws), name.to_owned());
    aws.wait(async move { connection.bucket(&name).await })
}

/// Makes files of objects.
pub(super) struct Found<'a> {
    place: Place,
    source: Arc<str>,
    opener: Arc<dyn Open>,
    keys: Keys,
    /// Folders of other services that were met.
    others: BTreeSet<String>,
    options: &'a ListOptions<'a>,
    listing: &'a mut Listing,
}

impl<'a> Found<'a> {
    pub(super) fn new(
        place: Place,
        aws: &Arc<Aws>,
        bucket: Bucket,
        options: &'a ListOptions<'a>,
        listing: &'a mut Listing,
    ) -> Self {
        Self {
            source: place.uri().into(),
            place,
            opener: Arc::new(Objects {
                aws: Arc::clone(aws),
                bucket,
                fetcher: Arc::clone(options.fetcher),
            }),
            keys: Keys::default(),
            others: BTreeSet::new(),
            options,
            listing,
        }
    }

    /// Takes one object, or a version of one that `removed` tells how it was removed.
    fn object(&mut self, object: Object, removed: Option<Removed>) {
        if let Some((folder, service)) = layout::other_folder(&object.key)
            && !self.place.key.starts_with(folder)
        {
            return self.other(folder, service);
        }
        let key = self.keys.of(&object.key);
        if !self.options.filter.chooses(&key) || is_folder(&object) {
            return;
        }
        let version = object.version.map(|version| version.id).filter(|_| removed.is_some());
        let uri = self.place.uri_of(&object.key, version.as_deref());
        if let Some(class) = object.storage_class.filter(|class| is_archive(class))
            && !object.is_restored
        {
            let bucket = &self.place.bucket;
            let why = archived(bucket, &object.key, version.as_deref(), &class);
            self.unread(uri, Why::Fault(why));
            return;
        }
        self.listing.files.push(LogFile {
            size_bytes: object.size_bytes,
            modified_at: object.modified_at,
            etag: object.etag.map(Into::into),
            object_version: version.map(Into::into),
            removed,
            key,
            ..LogFile::new(uri.into(), Arc::clone(&self.source), Arc::clone(&self.opener))
        });
    }

    fn unread(&mut self, uri: String, why: Why) {
        let source = Arc::clone(&self.source);
        self.listing.unread.push(Unread { uri: uri.into(), container: None, source, why });
    }
}

impl Finds for Found<'_> {
    fn objects(&mut self, objects: Vec<Object>, newer: &mut Option<Object>) {
        for object in objects {
            let Some(version) = &object.version else {
                self.object(object, None);
                continue;
            };
            let is_marker = version.is_delete_marker;
            let after = newer.take().filter(|newer| newer.key == object.key);
            let removed = after.filter(|_| !version.is_latest).map(|newer| Removed {
                by_overwriting: newer.version.is_some_and(|newer| !newer.is_delete_marker),
                at: newer.modified_at,
            });
            *newer = Some(object.clone());
            if !is_marker {
                self.object(object, removed);
            }
        }
    }

    fn other(&mut self, prefix: &str, service: &'static str) {
        if !self.others.insert(prefix.to_owned()) {
            return;
        }
        let uri = self.place.uri_of(prefix, None);
        let what = format!("{service} logs: not listed, unless it is given as a SOURCE");
        self.unread(uri, Why::Other(what));
    }

    fn fault(&mut self, prefix: &str, failure: &Failure) {
        let uri = self.place.uri_of(prefix, None);
        let mut reason = format!("cannot be listed: {failure}");
        if let Some(advice) = failure.advice(&self.options.aws.clone()) {
            reason.push_str("; ");
            reason.push_str(&advice);
        }
        self.unread(uri, Why::Fault(reason));
    }
}

/// Whether it only stands for a folder, as the console makes them: nothing is in it.
fn is_folder(object: &Object) -> bool {
    object.key.ends_with('/') && object.size_bytes == 0
}

/// Whether objects of this class must be restored before they can be read. Instant retrieval needs
/// none; of intelligent tiering a listing does not tell. Source: "Archiving" in the Amazon S3 User
/// Guide.
fn is_archive(class: &str) -> bool {
    matches!(class, "GLACIER" | "DEEP_ARCHIVE")
}
