//! S3 Inventory reports: a bucket's keys from files, in place of a listing.
//!
//! A report is a `manifest.json` and files of CSV, gzipped, that it names with their MD5. Both are
//! read from S3 or from a local copy. Source: "Amazon S3 Inventory list" of the Amazon S3 User
//! Guide. Names in it are encoded as in listings.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use chrono::DateTime;
use md5::{Digest as _, Md5};
use serde::Deserialize;

use super::{Place, SCHEME, fetch::Objects, list, walk::Finds};
use crate::{
    Error, ErrorKind, Result,
    aws::{
        Aws,
        s3::{Object, Version, decoded},
    },
    source::{ListOptions, LogFile, Open, plain_text},
};

/// The manifest's name, where a folder is given.
const MANIFEST: &str = "manifest.json";

/// The longest manifest, in bytes: each file it names takes 200.
const MAX_MANIFEST_BYTES: u64 = 64 << 20;

/// Objects that are handed on at once.
const BATCH: usize = 1_000;

/// A report.
pub(in crate::source) struct Inventory {
    /// Where its manifest lies, as given.
    uri: String,
    manifest: Manifest,
    place: Home,
}

/// Where a report lies.
enum Home {
    Local(PathBuf),
    Bucket(Place, Arc<dyn Open>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    source_bucket: String,
    creation_timestamp: Option<String>,
    file_format: String,
    file_schema: String,
    files: Vec<DataFile>,
}

#[derive(Debug, Deserialize)]
struct DataFile {
    key: String,
    size: u64,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

impl Inventory {
    /// Reads the manifest at `uri`: an object, a file, or the folder it lies in.
    ///
    /// # Errors
    /// It cannot be read, is none, or is of a report in another format than CSV.
    pub(in crate::source) fn open(
        uri: &str,
        options: &ListOptions<'_>,
        connect: &mut dyn FnMut() -> Result<Arc<Aws>>,
    ) -> Result<Self> {
        let refused = |reason: String| ErrorKind::Source { uri: uri.to_owned(), reason };
        let (place, reader) = if uri.starts_with(SCHEME) {
            let mut place = Place::parse(uri).map_err(|reason| refused(reason.to_owned()))?;
            if !place.key.ends_with(MANIFEST) {
                place.key = format!("{}/{MANIFEST}", place.key.trim_end_matches('/'));
            }
            let aws = connect()?;
            let bucket = list::open(&aws, &place.bucket)
                .map_err(|failure| list::failed("read", uri, &aws, failure))?;
            let fetcher = Arc::clone(options.fetcher);
            let opener: Arc<dyn Open> = Arc::new(Objects { aws, bucket, fetcher });
            let reader = open_object(&opener, &place, &place.key, 0);
            (Home::Bucket(place, opener), reader)
        } else {
            let mut path = PathBuf::from(uri);
            if path.is_dir() {
                path.push(MANIFEST);
            }
            let reader: io::Result<Box<dyn io::Read + Send>> =
                fs::File::open(&path).map(|file| Box::new(file) as _);
            (Home::Local(path), reader)
        };
        let mut text = String::new();
        let read = reader.and_then(|reader| {
            io::Read::read_to_string(&mut io::Read::take(reader, MAX_MANIFEST_BYTES), &mut text)
        });
        read.map_err(|error| refused(format!("the manifest cannot be read: {}", said(&error))))?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            refused(format!(
                "it is no manifest of an S3 Inventory report (line {line}, column {column})"
            ))
        })?;
        if !manifest.file_format.eq_ignore_ascii_case("csv") {
            return Err(refused(format!(
                "reports in {} are not read: choose CSV as the report's output format, or list \
                 the bucket",
                manifest.file_format
            ))
            .into());
        }
        Ok(Self { uri: uri.to_owned(), manifest, place })
    }

    /// The bucket whose objects it lists.
    pub(in crate::source) fn bucket(&self) -> &str {
        &self.manifest.source_bucket
    }

    /// Whether it lists the bucket that `source` is of.
    pub(in crate::source) fn is_of(&self, source: &str) -> bool {
        Place::parse(source).is_ok_and(|place| place.bucket == self.bucket())
    }

    /// What its date can hide.
    pub(super) fn notice(&self) -> String {
        let made = self.manifest.creation_timestamp.as_deref();
        let made = made.and_then(|millis| DateTime::from_timestamp_millis(millis.parse().ok()?));
        let bucket = self.bucket();
        match made {
            Some(made) => format!(
                "the keys of `{bucket}` are those of an inventory made at {}: what was written \
                 since is not among them",
                made.format("%Y-%m-%dT%H:%M:%SZ")
            ),
            None => format!(
                "the keys of `{bucket}` are those of an inventory that does not say when it was \
                 made: what was written since is not among them"
            ),
        }
    }

    /// Hands on the objects whose key begins with `prefix`. Gives whether there were any.
    ///
    /// # Errors
    /// A file is missing, is not what the manifest says, or is damaged; a column is missing.
    pub(super) fn objects(
        &self,
        prefix: &str,
        options: &ListOptions<'_>,
        found: &mut impl Finds,
    ) -> Result<bool> {
        let columns = self.columns(options.versions)?;
        let mut batch = Vec::new();
        let mut is_any = false;
        for file in &self.manifest.files {
            let read = self.rows(file, &columns, &mut |object| {
                if options.cancelled.load(Relaxed) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                options.n_listed.fetch_add(1, Relaxed);
                if !object.key.starts_with(prefix) || !is_wanted(&object, options.versions) {
                    return Ok(());
                }
                is_any = true;
                // Without versions, what stays is what the key leads to.
                let version = object.version.filter(|_| options.versions);
                batch.push(Object { version, ..object });
                if !options.versions && batch.len() == BATCH {
                    found.objects(std::mem::take(&mut batch), &mut None);
                }
                Ok(())
            });
            read.map_err(|error| match error.kind() {
                io::ErrorKind::Interrupted => ErrorKind::Interrupted,
                _ => ErrorKind::Source {
                    uri: self.uri.clone(),
                    reason: format!("its file `{}`: {}", file.key, said(&error)),
                },
            })?;
        }
        // Versions of a key need not lie side by side.
        batch.sort_by(Object::newest_first);
        found.objects(batch, &mut None);
        Ok(is_any)
    }

    /// Which column is which.
    fn columns(&self, versions: bool) -> Result<Columns> {
        let schema = &self.manifest.file_schema;
        let at = |name: &str| schema.split(',').position(|column| column.trim() == name);
        let missing = |name: &str| ErrorKind::Source {
            uri: self.uri.clone(),
            reason: format!(
                "the report has no `{name}`, which is needed: add it to the report, or list the bucket"
            ),
        };
        let needed = |name: &str| at(name).ok_or_else(|| Error::from(missing(name)));
        let version = if versions { Some(needed("VersionId")?) } else { at("VersionId") };
        Ok(Columns {
            key: needed("Key")?,
            size: needed("Size")?,
            modified: needed("LastModifiedDate")?,
            etag: needed("ETag")?,
            class: at("StorageClass"),
            version,
            is_latest: at("IsLatest"),
            is_marker: at("IsDeleteMarker"),
        })
    }

    /// Reads one file to its end, and makes sure that it is what the manifest says.
    fn rows(
        &self,
        file: &DataFile,
        columns: &Columns,
        take: &mut dyn FnMut(Object) -> io::Result<()>,
    ) -> io::Result<()> {
        let reader = match &self.place {
            Home::Bucket(place, opener) => open_object(opener, place, &file.key, file.size)?,
            Home::Local(manifest) => open_copy(manifest, &file.key)?,
        };
        let mut hashed = Hashed { reader, md5: Md5::new() };
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(flate2::read::MultiGzDecoder::new(&mut hashed));
        let mut row = csv::StringRecord::new();
        let mut each = || {
            while rows.read_record(&mut row).map_err(io::Error::from)? {
                take(columns.object(&row).ok_or(io::ErrorKind::InvalidData)?)?;
            }
            Ok(())
        };
        let read: io::Result<()> = each();
        drop(rows);
        if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
            return read;
        }
        io::copy(&mut hashed, &mut io::sink())?;
        let md5 = hex(&hashed.md5.finalize());
        if md5.eq_ignore_ascii_case(&file.md5) {
            read
        } else {
            let message = format!("its MD5 is {md5}, but the manifest says {}", file.md5);
            Err(io::Error::new(io::ErrorKind::InvalidData, message))
        }
    }
}

/// Whether an object can be a file of the plan.
fn is_wanted(object: &Object, versions: bool) -> bool {
    let is_current = |version: &Version| version.is_latest && !version.is_delete_marker;
    versions || object.version.as_ref().is_none_or(is_current)
}

/// Where the columns stand.
struct Columns {
    key: usize,
    size: usize,
    modified: usize,
    etag: usize,
    class: Option<usize>,
    version: Option<usize>,
    is_latest: Option<usize>,
    is_marker: Option<usize>,
}

impl Columns {
    /// The object of one row; `None` where the row is none.
    fn object(&self, row: &csv::StringRecord) -> Option<Object> {
        let text =
            |at: Option<usize>| at.and_then(|at| row.get(at)).filter(|text| !text.is_empty());
        let size = text(Some(self.size)).map(str::parse);
        let is = |at: Option<usize>| text(at).map(|word| word.eq_ignore_ascii_case("true"));
        let version = self.version.is_some() || self.is_latest.is_some();
        let class = text(self.class).filter(|class| *class != "STANDARD");
        Some(Object {
            key: decoded(row.get(self.key)?.to_owned()),
            size_bytes: size.transpose().ok()?.unwrap_or_default(),
            etag: text(Some(self.etag)).map(|etag| etag.trim_matches('"').to_owned()),
            modified_at: DateTime::parse_from_rfc3339(row.get(self.modified)?)
                .ok()
                .map(|at| at.timestamp_micros()),
            storage_class: class.map(str::to_owned),
            is_restored: false,
            version: version.then(|| Version {
                id: text(self.version).unwrap_or("null").to_owned(),
                is_latest: is(self.is_latest).unwrap_or(true),
                is_delete_marker: is(self.is_marker).unwrap_or_default(),
            }),
        })
    }
}

/// Hashes what is read.
struct Hashed {
    reader: Box<dyn io::Read + Send>,
    md5: Md5,
}

impl io::Read for Hashed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.reader.read(buf)?;
        self.md5.update(buf.get(..n_bytes).unwrap_or_default());
        Ok(n_bytes)
    }
}

fn open_object(
    opener: &Arc<dyn Open>,
    place: &Place,
    key: &str,
    size_bytes: u64,
) -> io::Result<Box<dyn io::Read + Send>> {
    let uri: Arc<str> = place.uri_of(key, None).into();
    let file = LogFile { size_bytes, ..LogFile::new(Arc::clone(&uri), uri, Arc::clone(opener)) };
    file.open().map(|stored| stored.reader)
}

/// Opens a data file of a local copy: at its key below one of the folders above the manifest, else
/// beside it by its name.
fn open_copy(manifest: &Path, key: &str) -> io::Result<Box<dyn io::Read + Send>> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let is_plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
    let at_key = manifest.ancestors().skip(1).map(|dir| dir.join(key));
    let dir = manifest.parent().unwrap_or(Path::new("."));
    let by_name = [dir.join(name), dir.join("data").join(name), dir.join("../data").join(name)];
    // A manifest is evidence as well: it must not lead anywhere else.
    let is_safe = Path::new(key).components().all(is_plain);
    let found = at_key.chain(by_name).filter(|_| is_safe).find(|path| path.is_file());
    let found = found.ok_or_else(|| {
        let place = dir.display();
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no `{name}` at or below `{place}`"),
        )
    })?;
    Ok(Box::new(fs::File::open(found)?))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData if error.get_ref().is_none() => {
            "a row of it cannot be read".to_owned()
        }
        _ if error.get_ref().is_some() => error.to_string(),
        _ => plain_text(error),
    }
}
