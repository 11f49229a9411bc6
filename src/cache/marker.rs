//! `trailhound.json`: says that a directory is a cache, and of which format.

use std::{
    fs,
    io::{self, ErrorKind::AlreadyExists, ErrorKind::NotFound, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::store;
use crate::{Error, Result, error::ErrorKind};

/// The file's name.
const NAME: &str = "trailhound.json";

/// The format this build reads and writes. It grows when an older build could not go on.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    /// Says to whoever finds it what this is.
    #[serde(default)]
    about: String,
    format: u32,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    created_at: String,
}

/// Whether `dir` holds a cache that this build can use.
pub(super) fn check(dir: &Path) -> Result<()> {
    let path = dir.join(NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == NotFound => {
            return Err(if is_vacant(dir)? {
                ErrorKind::NoCache { path: dir.to_owned() }.into()
            } else {
                ErrorKind::NotACache { path: dir.to_owned() }.into()
            });
        }
        Err(source) => return Err(io_error("read", &path, source)),
    };
    let marker: Marker = serde_json::from_str(&text).map_err(|error| ErrorKind::Cache {
        action: "read the marker of",
        path: dir.to_owned(),
        source: error.into(),
    })?;
    if marker.format > FORMAT {
        let (found, known) = (marker.format, FORMAT);
        return Err(ErrorKind::CacheTooNew { path: dir.to_owned(), found, known }.into());
    }
    Ok(())
}

/// Makes `dir` a cache unless it is one; its tables are created afterwards.
pub(super) fn create(dir: &Path) -> Result<()> {
    match check(dir).map_err(|error| (matches!(error.kind(), ErrorKind::NoCache { .. }), error)) {
        Ok(()) => return Ok(()),
        Err((true, _)) => {}
        Err((false, error)) => return Err(error),
    }
    fs::create_dir_all(dir).map_err(|source| io_error("create", dir, source))?;
    let marker = Marker {
        about: "a cache of trailhound: tables of CloudTrail events, each a Delta Lake table"
            .to_owned(),
        format: FORMAT,
        created_by: concat!("trailhound ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    };
    let path = dir.join(NAME);
    let write = |file: &mut fs::File| {
        serde_json::to_writer_pretty(&mut *file, &marker)?;
        file.write_all(b"\n")
    };
    match store::write_durably(&path, true, write) {
        Ok(()) => Ok(()),
        // Another process created the same cache at the same moment.
        Err(error) if error.kind() == AlreadyExists => check(dir),
        Err(source) => Err(io_error("create", &path, source)),
    }
}

/// Whether nothing is lost by using `dir`: it is not there, or holds nothing of anybody's.
fn is_vacant(dir: &Path) -> Result<bool> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == NotFound => return Ok(true),
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

fn io_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    ErrorKind::Io { action, path: path.to_owned(), source }.into()
}
