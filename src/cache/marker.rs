//! `trailhound.json`: says that a place is a cache, and of which format.

use serde::{Deserialize, Serialize};

use super::files::Files;
use crate::{Result, error::ErrorKind};

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

/// Whether `files` are those of a cache that this build can use.
pub(super) fn check(files: &Files) -> Result<()> {
    let path = || files.name().to_owned();
    let Some(text) = files.read(NAME)? else {
        return Err(if files.is_vacant()? {
            ErrorKind::NoCache { path: path() }.into()
        } else {
            ErrorKind::NotACache { path: path() }.into()
        });
    };
    let marker: Marker = serde_json::from_str(&text).map_err(|error| ErrorKind::Cache {
        action: "read the marker of",
        path: path(),
        source: error.into(),
    })?;
    if marker.format > FORMAT {
        let (found, known) = (marker.format, FORMAT);
        return Err(ErrorKind::CacheTooNew { path: path(), found, known }.into());
    }
    Ok(())
}

/// Makes a cache of the place of `files` unless it is one; its tables are created afterwards.
pub(super) fn create(files: &Files) -> Result<()> {
    match check(files).map_err(|error| (matches!(error.kind(), ErrorKind::NoCache { .. }), error)) {
        Ok(()) => return Ok(()),
        Err((true, _)) => {}
        Err((false, error)) => return Err(error),
    }
    let marker = Marker {
        about: "a cache of trailhound: tables of CloudTrail events, each a Delta Lake table"
            .to_owned(),
        format: FORMAT,
        created_by: concat!("trailhound ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    };
    let mut text = serde_json::to_string_pretty(&marker)
        .map_err(|error| files.failed("create", error.into()))?;
    text.push('\n');
    // Where another process created the same cache at the same moment, it is that one.
    if files.create(NAME, text)? { Ok(()) } else { check(files) }
}
