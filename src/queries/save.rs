//! Keeping a query of the user's in a file.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{SavedQuery, front_matter, own::MAX_BYTES};
use crate::{ErrorKind, Result};

/// The longest name of a query.
const MAX_NAME: usize = 64;

/// Keeps `text` as the saved query `name` in `dir`, which is made where there is none, and gives the
/// file. The front matter that it lacks is added.
///
/// # Errors
/// The name is none, there is such a file, the text's front matter is at fault, or the file cannot
/// be written.
pub fn save(dir: &Path, name: &str, text: &str) -> Result<PathBuf> {
    keep(dir, name, text, false)
}

/// The same, in the place of the file that is there.
///
/// # Errors
/// The same, but that there is such a file.
pub fn replace(dir: &Path, name: &str, text: &str) -> Result<PathBuf> {
    keep(dir, name, text, true)
}

fn keep(dir: &Path, name: &str, text: &str, is_replaced: bool) -> Result<PathBuf> {
    let invalid = |reason: String| ErrorKind::Value {
        name: "the name of a saved query".to_owned(),
        value: name.to_owned(),
        reason,
    };
    if !is_name(name) {
        let reason =
            "expected lower-case letters, digits and `_`, beginning with a letter, at most 64";
        return Err(invalid(reason.to_owned()).into());
    }
    let path = dir.join(format!("{name}.sql"));
    let text = with_front_matter(name, text);
    SavedQuery::parse(name, &text, &path.display().to_string())?;
    let failed = |source| ErrorKind::Io { action: "write", path: path.clone(), source };
    if text.len() as u64 > MAX_BYTES {
        return Err(failed(io::Error::other("a saved query is at most 1 MiB")).into());
    }
    fs::create_dir_all(dir).map_err(failed)?;
    // It gets its name once it is whole: nobody reads half a query.
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trailhound-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(dir).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    let kept = if is_replaced { file.persist(&path) } else { file.persist_noclobber(&path) };
    match kept {
        Ok(_) => Ok(path),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            let reason = format!("`{}` is there already: choose another name", path.display());
            Err(invalid(reason).into())
        }
        Err(error) => Err(failed(error.error).into()),
    }
}

/// Whether `text` can name a query and its file.
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// `text` with a title and a description, where it has none.
fn with_front_matter(name: &str, text: &str) -> String {
    let text = text.trim();
    let keys = front_matter::keys(text);
    let title = format!("-- title: {}\n", name.replace('_', " "));
    let description = "-- description: Kept at the prompt.\n";
    let lacks = |key: &str| !keys.contains(&key);
    let head = [("title", title.as_str()), ("description", description)];
    let head: String =
        head.into_iter().filter(|(key, _)| lacks(key)).map(|(_, line)| line).collect();
    // What follows the head is the query's own; a comment of it must not continue the head.
    let parting = if keys.is_empty() && !head.is_empty() { "\n" } else { "" };
    format!("{head}{parting}{text}\n")
}
