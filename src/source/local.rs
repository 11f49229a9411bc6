//! Files and directories of this machine, and standard input.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use super::{Filter, Keys, Listing, LogFile, Open, Stored, Unread, Why, Window};
use crate::{ErrorKind, Result};

/// The URI of what comes through standard input.
pub(super) const STDIN_URI: &str = "stdin";

/// Standard input as a file.
pub(super) fn stdin() -> LogFile {
    let uri: Arc<str> = Arc::from(STDIN_URI);
    LogFile { once: true, ..LogFile::new(Arc::clone(&uri), uri, Arc::new(Stdin)) }
}

/// Adds the file `source`, or all below the directory `source`, to `listing`.
pub(super) fn list(source: &str, filter: &Filter, listing: &mut Listing) -> Result<()> {
    let given = Path::new(source);
    let root = given.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::Source {
            uri: source.to_owned(),
            reason: "there is no such file or directory".to_owned(),
        },
        _ => ErrorKind::Io { action: "open", path: given.to_owned(), source: error },
    })?;
    let metadata = fs::metadata(&root).map_err(|error| ErrorKind::Io {
        action: "open",
        path: given.to_owned(),
        source: error,
    })?;
    let source_uri: Arc<str> = uri_of(&root).into();
    let mut walk = Walk {
        root: &root,
        source: source_uri,
        filter,
        keys: Keys::default(),
        plain: Arc::new(Plain),
        listing,
    };
    if metadata.is_dir() {
        walk.directory();
    } else {
        let once = !metadata.is_file();
        walk.file(&root, &metadata, once);
    }
    Ok(())
}

/// [`super::check_apart`] for one source of this machine.
pub(super) fn check_apart(cache: &Path, temp_dir: Option<&Path>, source: &str) -> Result<()> {
    let (cache_path, source_path) = (resolved(cache), resolved(Path::new(source)));
    if cache_path.starts_with(&source_path) || source_path.starts_with(&cache_path) {
        let (cache, source_uri) = (cache.to_owned(), source.to_owned());
        return Err(ErrorKind::CacheInsideSource { cache, source_uri }.into());
    }
    if let Some(temp_dir) = temp_dir
        && resolved(temp_dir).starts_with(&source_path)
    {
        return Err(ErrorKind::Value {
            name: "--temp-dir".to_owned(),
            value: temp_dir.display().to_string(),
            reason: format!("it lies inside the source `{source}`, which is never written to"),
        }
        .into());
    }
    Ok(())
}

/// `path` with symbolic links resolved as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_invalid| path.to_owned());
    absolute.components().fold(PathBuf::new(), |mut path, component| {
        match component {
            Component::ParentDir => drop(path.pop()),
            other => path.push(other),
        }
        path.canonicalize().unwrap_or(path)
    })
}

/// One walk over a source.
struct Walk<'a> {
    root: &'a Path,
    source: Arc<str>,
    filter: &'a Filter,
    keys: Keys,
    plain: Arc<dyn Open>,
    listing: &'a mut Listing,
}

impl Walk<'_> {
    /// Everything below the root. Links are not followed, so there are no loops; what cannot be
    /// read is named.
    fn directory(&mut self) {
        for entry in walkdir::WalkDir::new(self.root).follow_links(false) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_symlink() => self.link(entry.path()),
                Ok(entry) => match entry.metadata() {
                    Ok(metadata) if metadata.is_file() => self.file(entry.path(), &metadata, false),
                    Ok(_special) => {
                        let why = "neither a file nor a directory".to_owned();
                        self.unread(entry.path(), Why::Fault(why));
                    }
                    Err(error) => self.unreadable(entry.path(), &error),
                },
                Err(error) => {
                    let path = error.path().unwrap_or(self.root).to_owned();
                    self.unreadable(&path, &error);
                }
            }
        }
    }

    /// A link into the source names what is read anyway; one that leads out may hide evidence.
    fn link(&mut self, path: &Path) {
        let why = match path.canonicalize() {
            Ok(target) if target.starts_with(self.root) => {
                Why::Other("symbolic link to a file that is read under its own name".to_owned())
            }
            Ok(target) => Why::Fault(format!(
                "symbolic link that leads out of the source, to `{}`: ingest that too",
                target.display()
            )),
            Err(_dangling) => Why::Fault("symbolic link whose target cannot be reached".to_owned()),
        };
        self.unread(path, why);
    }

    fn unreadable(&mut self, path: &Path, error: &walkdir::Error) {
        let cause = error.io_error().map_or_else(|| error.to_string(), plain_text);
        self.unread(path, Why::Fault(format!("cannot be read: {cause}")));
    }

    fn unread(&mut self, path: &Path, why: Why) {
        self.listing.unread.push(Unread {
            uri: uri_of(path).into(),
            container: None,
            source: Arc::clone(&self.source),
            why,
        });
    }

    fn file(&mut self, path: &Path, metadata: &fs::Metadata, once: bool) {
        let uri: Arc<str> = uri_of(path).into();
        let key = self.keys.of(&uri);
        if !self.filter.chooses(&key) {
            return;
        }
        let opener: Arc<dyn Open> = if path.to_str().is_some() {
            Arc::clone(&self.plain)
        } else {
            Arc::new(At(path.into()))
        };
        self.listing.files.push(LogFile {
            size_bytes: if once { 0 } else { metadata.len() },
            modified_at: if once { None } else { metadata.modified().ok().and_then(micros) },
            key,
            once,
            ..LogFile::new(uri, Arc::clone(&self.source), opener)
        });
    }
}

/// What the operating system says, without the number of the error.
pub(crate) fn plain_text(error: &io::Error) -> String {
    if let Some(lost) = super::Lost::of(error) {
        return lost.reason.clone();
    }
    let text = error.to_string();
    text.rsplit_once(" (os error ")
        .map_or(text.clone(), |(plain, _number)| plain.to_owned())
        .to_ascii_lowercase()
}

/// Microseconds since 1970.
fn micros(at: SystemTime) -> Option<i64> {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).ok(),
        Err(before) => i64::try_from(before.duration().as_micros()).ok().map(|micros| -micros),
    }
}

/// A path as a URI: itself, where it is UTF-8.
///
/// Otherwise its other bytes stand as `%FF`, and `%` as `%25` so that no two such names are one.
pub(super) fn uri_of(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => escaped(path.as_os_str().as_encoded_bytes()),
    }
}

/// `name` as text, with what is not UTF-8 in it escaped.
pub(super) fn escaped(name: &[u8]) -> String {
    use std::fmt::Write as _;
    if let Ok(text) = std::str::from_utf8(name) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(name.len() + 16);
    for chunk in name.utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Opens files whose URI is their path.
struct Plain;

impl Open for Plain {
    fn open(&self, file: &LogFile) -> io::Result<Stored> {
        fs::File::open(&*file.uri).map(Stored::plain)
    }

    fn window(&self, file: &LogFile) -> io::Result<Option<Window>> {
        Ok(Some(Window::of_path(Path::new(&*file.uri), file.size_bytes)))
    }
}

/// Opens a file whose name is not UTF-8.
struct At(Box<Path>);

impl Open for At {
    fn open(&self, _file: &LogFile) -> io::Result<Stored> {
        fs::File::open(&self.0).map(Stored::plain)
    }

    fn window(&self, file: &LogFile) -> io::Result<Option<Window>> {
        Ok(Some(Window::of_path(&self.0, file.size_bytes)))
    }
}

/// Opens standard input.
struct Stdin;

impl Open for Stdin {
    fn open(&self, _file: &LogFile) -> io::Result<Stored> {
        Ok(Stored::plain(io::stdin()))
    }
}
