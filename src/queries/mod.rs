//! The library of saved queries: one plain `.sql` file each, with front matter in comments.
//!
//! ```sql
//! -- title: What an access key did
//! -- description: Every call made with one access key, in order.
//! -- param: key varchar -- the access key id
//! -- param: since varchar = '1970-01-01T00:00:00Z' -- earliest eventtime, inclusive
//!
//! SELECT … WHERE useridentity.accesskeyid = :key AND eventtime >= :since
//! ```
//!
//! The built-in ones lie in the root's `queries/`, in a folder for each theme; a file of the same name in the user's own
//! directory wins.

mod front_matter;
mod parameter;
mod values;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

pub use self::{
    front_matter::{SavedQuery, Severity},
    parameter::{Kind, Parameter},
    values::ListSource,
};
use crate::{ErrorKind, Result, error::nearest};

/// The built-in queries: theme, file name without its ending, text.
const BUILT_IN: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// The most text a saved query may have, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// All saved queries, in the order of their names.
#[derive(Debug, Clone)]
pub struct Library {
    queries: Vec<SavedQuery>,
}

impl Library {
    /// The built-in queries and those in `dir`, where there is one.
    ///
    /// # Errors
    /// A file cannot be read, or its front matter is at fault.
    pub fn open(dir: Option<&Path>) -> Result<Self> {
        let mut queries = Vec::new();
        for (theme, name, text) in BUILT_IN {
            let origin = format!("queries/{theme}/{name}.sql");
            queries.push(SavedQuery {
                theme: (*theme).to_owned(),
                ..SavedQuery::parse(name, text, &origin)?
            });
        }
        for own in dir.map(own_queries).transpose()?.unwrap_or_default() {
            queries.retain(|query| query.name != own.name);
            queries.push(own);
        }
        queries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { queries })
    }

    /// The query called `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<&SavedQuery> {
        self.queries.iter().find(|query| query.name == name).ok_or_else(|| {
            let names = self.queries.iter().map(|query| query.name.as_str());
            let nearest = nearest(name, names).map(str::to_owned);
            ErrorKind::UnknownQuery { name: name.to_owned(), nearest }.into()
        })
    }

    /// The queries that have `word` in their name, title or description, whatever its case.
    pub fn find(&self, word: &str) -> impl Iterator<Item = &SavedQuery> {
        let word = word.to_lowercase();
        self.queries.iter().filter(move |query| {
            [&query.name, &query.title, &query.description]
                .iter()
                .any(|text| text.to_lowercase().contains(&word))
        })
    }
}

/// Keeps `text` as the saved query `name` in `dir`; gives the file.
///
/// # Errors
/// The name is none, there is a query of this name in `dir` already, or the file cannot be written.
pub fn save(dir: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let invalid = |reason: &str| ErrorKind::Value {
        name: ".save".to_owned(),
        value: name.to_owned(),
        reason: reason.to_owned(),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_name {
        return Err(invalid("expected lower-case letters, digits and `_`").into());
    }
    let path = dir.join(format!("{name}.sql"));
    let failed = |source| ErrorKind::Io { action: "write", path: path.clone(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let title = name.replace('_', " ");
    let text = format!(
        "-- title: {title}\n-- description: Kept at the prompt.\n\n{}\n",
        text.trim().trim_end_matches(';').trim_end()
    );
    let mut file = match std::fs::File::create_new(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let reason = format!("`{}` is there already; choose another name", path.display());
            return Err(invalid(&reason).into());
        }
        created => created.map_err(failed)?,
    };
    file.write_all(text.as_bytes()).map_err(failed)?;
    Ok(path)
}

fn own_queries(dir: &Path) -> Result<Vec<SavedQuery>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |path: &Path, source| ErrorKind::Io { action: "read", path: path.into(), source };
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|source| failed(dir, source))? {
        let path = entry.map_err(|source| failed(dir, source))?.path();
        let (Some(name), Some("sql")) = (
            path.file_stem().and_then(|name| name.to_str()),
            path.extension().and_then(|ending| ending.to_str()),
        ) else {
            continue;
        };
        let size = path.metadata().map_err(|source| failed(&path, source))?.len();
        if size > MAX_BYTES {
            let source = std::io::Error::other("a saved query is at most 1 MiB");
            return Err(failed(&path, source).into());
        }
        let text = std::fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
        queries.push(SavedQuery::parse(name, &text, &path.display().to_string())?);
    }
    Ok(queries)
}

#[cfg(test)]
mod tests;
