//! The files of a cache, wherever it lies: in a directory, where links and locks make changes
//! atomic, or in S3, where conditional writes do.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use object_store::ObjectStore;

use super::{
    DataFile, Table,
    place::Place,
    remote::{Remote, RemoteFile},
    stats,
    store::{self, DurableStore},
};
use crate::{
    Result,
    bridge::Bridge,
    error::{BoxError, ErrorKind},
};

/// The files of a cache.
#[derive(Debug, Clone)]
pub(super) enum Files {
    /// In a directory.
    Local(Arc<Path>),
    /// In S3.
    Remote(Arc<Remote>),
}

/// A file that a listing found.
#[derive(Debug)]
pub(super) struct Found {
    /// Its name in its directory.
    pub(super) name: String,
    /// Its size in bytes.
    pub(super) bytes: u64,
    /// When it was written.
    pub(super) modified: SystemTime,
}

impl Files {
    /// The files of the cache at `place`, whether or not there is one.
    pub(super) fn at(place: &Place, runtime: &Arc<Bridge>) -> Result<Self> {
        let name = place.name().map_err(|source| match place {
            Place::Directory(dir) => io_error("open", dir, source),
            Place::S3(place) => io_error("open", Path::new(place.prefix.as_ref()), source),
        })?;
        Ok(match place {
            Place::Directory(_) => Self::Local(name.into()),
            Place::S3(place) => {
                Self::Remote(Arc::new(Remote::new(place, name, Arc::clone(runtime))?))
            }
        })
    }

    /// What the cache is called: its directory, or `s3://bucket/prefix`.
    pub(super) fn name(&self) -> &Path {
        match self {
            Self::Local(dir) => dir,
            Self::Remote(remote) => remote.name(),
        }
    }

    /// The object store for the transaction logs, whose root is the cache. A directory must exist.
    pub(super) fn store(&self) -> Result<Arc<dyn ObjectStore>, BoxError> {
        Ok(match self {
            Self::Local(dir) => Arc::new(DurableStore::new(dir)?),
            Self::Remote(remote) => remote.store(),
        })
    }

    /// The error to tell for `source`.
    pub(super) fn failed(&self, action: &'static str, source: BoxError) -> crate::Error {
        match self {
            Self::Local(dir) => ErrorKind::Cache { action, path: dir.to_path_buf(), source },
            Self::Remote(remote) => remote.told(action, source),
        }
        .into()
    }

    /// The whole text of the file `name`; nothing where there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>> {
        match self {
            Self::Local(dir) => {
                let path = dir.join(name);
                match fs::read_to_string(&path) {
                    Ok(text) => Ok(Some(text)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(io_error("read", &path, source)),
                }
            }
            Self::Remote(remote) => {
                let read = || -> Result<_, BoxError> {
                    let Some((bytes, _)) = remote.get(name)? else { return Ok(None) };
                    Ok(Some(String::from_utf8(bytes.into())?))
                };
                read().map_err(|source| self.failed("read", source))
            }
        }
    }

    /// Writes `text` as the file `name` unless there is one: whether it did.
    pub(super) fn create(&self, name: &str, text: String) -> Result<bool> {
        match self {
            Self::Local(dir) => {
                fs::create_dir_all(dir).map_err(|source| io_error("create", dir, source))?;
                let path = dir.join(name);
                match store::write_durably(&path, true, |file| file.write_all(text.as_bytes())) {
                    Ok(()) => Ok(true),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                    Err(source) => Err(io_error("create", &path, source)),
                }
            }
            Self::Remote(remote) => {
                let created = remote.create(name, text.into());
                created.map_err(|source| self.failed("create", source))
            }
        }
    }

    /// Whether nothing is lost by using the place: it is not there, or holds nothing of anybody's.
    pub(super) fn is_vacant(&self) -> Result<bool> {
        match self {
            Self::Local(dir) => is_vacant(dir),
            Self::Remote(remote) => {
                remote.is_vacant().map_err(|source| self.failed("open", source))
            }
        }
    }

    /// The files in the directory `dir` of the cache whose name begins or ends with `part`.
    pub(super) fn list(&self, dir: &str, part: &str) -> Result<Vec<Found>> {
        let mut found = match self {
            Self::Local(root) => list(&root.join(dir))?,
            Self::Remote(remote) => {
                remote.list(dir).map_err(|source| self.failed("sweep", source))?
            }
        };
        found.retain(|file| file.name.starts_with(part) || file.name.ends_with(part));
        Ok(found)
    }

    /// Deletes the file `name`: whether it was there, as far as that is known.
    pub(super) fn delete(&self, name: &str) -> Result<bool> {
        match self {
            Self::Local(root) => {
                let path = root.join(name);
                match fs::remove_file(&path) {
                    Ok(()) => Ok(true),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                    Err(source) => Err(io_error("delete", &path, source)),
                }
            }
            Self::Remote(remote) => {
                let deleted = remote.delete(name);
                deleted.map(|()| true).map_err(|source| self.failed("sweep", source))
            }
        }
    }

    /// Where the files of `table` lie.
    pub(super) fn folder(&self, table: Table) -> Folder {
        Folder { dir: self.name().join(table.name()).into(), files: self.clone(), table }
    }
}

/// Where the files of a table lie.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    files: Files,
    table: Table,
    dir: Arc<Path>,
}

impl Folder {
    /// Whose files they are.
    pub(super) fn table(&self) -> Table {
        self.table
    }

    /// That of another table of the same cache.
    pub(super) fn sibling(&self, table: Table) -> Self {
        self.files.folder(table)
    }

    /// What the file `name` in it is called: its path, or its address in S3.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The file `name` of `size_bytes`, to be read in parts, where it is in S3.
    pub(super) fn remote_file(
        &self,
        name: &str,
        size_bytes: u64,
    ) -> Result<Option<RemoteFile>, BoxError> {
        match &self.files {
            Files::Local(_) => Ok(None),
            Files::Remote(remote) => Ok(Some(remote.file(&self.below(name), size_bytes)?)),
        }
    }

    /// Where the engine's object store has the file `name`: below the root of the file system, or
    /// of the bucket.
    pub(super) fn location(&self, name: &str) -> Option<object_store::path::Path> {
        match &self.files {
            Files::Local(_) => {
                object_store::path::Path::from_absolute_path(self.path_of(name)).ok()
            }
            Files::Remote(remote) => remote.location(&self.below(name)).ok(),
        }
    }

    /// The file `name`, open to be read whole, copied first where it is in S3.
    pub(super) fn open(&self, name: &str) -> Result<File> {
        match &self.files {
            Files::Local(_) => {
                let path = self.path_of(name);
                File::open(&path).map_err(|source| io_error("open", &path, source))
            }
            Files::Remote(remote) => {
                let copied = remote.download(&self.below(name));
                copied.map_err(|source| self.files.failed("read", source))
            }
        }
    }

    /// Begins the file `name`, which nobody has: the file to write to, and what ends it.
    pub(super) fn begin(&self, name: String) -> Result<(File, Draft)> {
        let file = match &self.files {
            Files::Local(_) => {
                let path = self.path_of(&name);
                File::create_new(&path).map_err(|source| io_error("create", &path, source))?
            }
            Files::Remote(remote) => remote.draft()?,
        };
        Ok((file, Draft { folder: self.clone(), name, is_done: false }))
    }

    /// Deletes the file `name`; what cannot be deleted, the sweep takes.
    pub(super) fn discard(&self, name: &str) {
        let _ = self.files.delete(&self.below(name));
    }

    /// Makes the names in it durable.
    pub(super) fn sync(&self) -> Result<()> {
        match &self.files {
            Files::Local(_) => {
                store::sync_dir(&self.dir).map_err(|source| io_error("write", &self.dir, source))
            }
            // What has been uploaded is.
            Files::Remote(_) => Ok(()),
        }
    }

    /// The error to tell for `source`, met when reading the file `name`.
    pub(super) fn failed(&self, name: &str, source: BoxError) -> crate::Error {
        match &self.files {
            Files::Local(_) => {
                let path = self.path_of(name);
                ErrorKind::Cache { action: "read a file of", path, source }.into()
            }
            Files::Remote(_) => self.files.failed("read", source),
        }
    }

    fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.table.name())
    }
}

/// A file that is being written, which no log knows of. Dropped before [`Draft::finish`], it is
/// gone.
#[derive(Debug)]
pub(super) struct Draft {
    folder: Folder,
    name: String,
    is_done: bool,
}

impl Draft {
    /// The file it has become, of that size and with those statistics.
    pub(super) fn file(&self, size_bytes: u64, stats: String) -> DataFile {
        let now = chrono::Utc::now().timestamp_millis();
        let summary = stats::summary(&stats);
        DataFile::new(&self.folder, &self.name, size_bytes, now, &summary, Some(stats))
    }

    /// Makes what was written to `file` durable in its place, and gives its size in bytes. The
    /// names in a directory are the caller's to sync.
    pub(super) fn finish(&mut self, file: &File) -> Result<u64> {
        let size = match &self.folder.files {
            Files::Local(_) => {
                let sync = || -> io::Result<u64> {
                    file.sync_all()?;
                    Ok(file.metadata()?.len())
                };
                sync()
                    .map_err(|source| io_error("write", &self.folder.path_of(&self.name), source))?
            }
            Files::Remote(remote) => {
                let sent = remote.upload(&self.folder.below(&self.name), file);
                sent.map_err(|source| self.folder.files.failed("commit to", source))?
            }
        };
        self.is_done = true;
        Ok(size)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_done && matches!(self.folder.files, Files::Local(_)) {
            self.folder.discard(&self.name);
        }
    }
}

fn is_vacant(dir: &Path) -> Result<bool> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(source) => return Err(io_error("read", dir, source)),
    };
    for entry in entries {
        let name = entry.map_err(|source| io_error("read", dir, source))?.file_name();
        let name = name.to_string_lossy();
        // What a file system puts into its root, and a marker that was still being written.
        if name != "lost+found" && !name.starts_with(store::STAGED) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn list(dir: &Path) -> Result<Vec<Found>> {
    let failed = |source: io::Error| io_error("read", dir, source);
    let mut list = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // What vanishes meanwhile, another sweep took.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            let modified = metadata.modified().map_err(failed)?;
            list.push(Found { name, bytes: metadata.len(), modified });
        }
    }
    Ok(list)
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> crate::Error {
    ErrorKind::Io { action, path: path.to_owned(), source }.into()
}
