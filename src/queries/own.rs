//! The user's own queries: files `NAME.sql` in a directory and the folders below it.

use std::{fs, io, path::Path};

use walkdir::WalkDir;

use super::SavedQuery;
use crate::{Error, ErrorKind};

/// The most text a saved query may have, in bytes.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// A query, or a file that holds none.
pub(super) type Found = Result<SavedQuery, Broken>;

/// A file that should hold a query.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    /// What the query would be called.
    pub(super) name: String,
    /// The file.
    pub(super) origin: String,
    /// What is wrong, in a line.
    pub(super) reason: String,
    /// What is in it, where that can be read.
    text: Option<String>,
}

impl Broken {
    /// What is wrong, drawn at its place where it has one.
    pub(super) fn error(&self) -> Error {
        let text = self.text.as_deref();
        let parsed = text.map(|text| SavedQuery::parse(&self.name, text, &self.origin));
        if let Some(Err(error)) = parsed {
            return error;
        }
        let source = io::Error::other(self.reason.clone());
        ErrorKind::Io { action: "read", path: self.origin.clone().into(), source }.into()
    }
}

/// The files below `dir`, in the order of their paths. Hidden folders, as those of version control,
/// are none of the user's folders of queries.
pub(super) fn files(dir: &Path) -> Vec<Found> {
    let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    let entries = WalkDir::new(dir)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
    let mut found = Vec::new();
    for entry in entries {
        let fault = entry.as_ref().err().map(ToString::to_string);
        let path = match &entry {
            Ok(entry) if !entry.file_type().is_file() => continue,
            Ok(entry) => entry.path(),
            // A directory that is not there holds nothing.
            Err(error) if error.depth() == 0 && !dir.exists() => continue,
            Err(error) => error.path().unwrap_or(dir),
        };
        let origin = path.display().to_string();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(reason) = fault {
            found.push(Err(Broken { name, origin, reason, text: None }));
        } else if path.extension().is_some_and(|ending| ending == "sql") {
            found.push(query(&name, &origin, path));
        }
    }
    found
}

fn query(name: &str, origin: &str, path: &Path) -> Found {
    let broken = |reason: String, text: Option<String>| Broken {
        name: name.to_owned(),
        origin: origin.to_owned(),
        reason,
        text,
    };
    let text = read(path).map_err(|error| broken(error.to_string(), None))?;
    SavedQuery::parse(name, &text, origin).map_err(|error| broken(error.to_string(), Some(text)))
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        return Err(io::Error::other("a saved query is at most 1 MiB"));
    }
    fs::read_to_string(path)
}
