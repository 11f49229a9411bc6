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
//! The built-in ones lie in the root's `queries/`, in a folder for each theme. Users keep their own in
//! directories, with folders as they like (`own`); of several queries of one name the user's wins over
//! the built-in one, and that of the directory named first over the others.

mod front_matter;
mod own;
mod parameter;
mod save;
mod values;

use std::path::Path;

pub use self::{
    front_matter::{SavedQuery, Severity},
    parameter::{Kind, Parameter},
    save::{replace, save},
    values::ListSource,
};
use crate::{ErrorKind, Result, error::nearest};

/// The built-in queries: theme, file name without its ending, text.
const BUILT_IN: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// The theme of the user's own queries.
const OWN: &str = "own";

/// The themes in the order in which they are listed, and what their queries ask.
pub const THEMES: [(&str, &str); 13] = [
    (OWN, "your own"),
    ("callers", "who acted, with which key or session"),
    ("sources", "from where, and with which client"),
    ("errors", "what was refused, failed or was throttled"),
    ("time", "when, in which order, how often"),
    ("resources", "what was touched, created, left behind"),
    ("persistence", "how someone can come back"),
    ("escalation", "how someone got more rights"),
    ("evasion", "which guards and records were taken away"),
    ("data", "what was read, shared, encrypted, destroyed"),
    ("compute", "what was run, and by which way in"),
    ("compliance", "what benchmarks and auditors ask"),
    ("operations", "whether logs, trails and keys are in order"),
];

/// All saved queries, in the order of their names.
#[derive(Debug, Clone)]
pub struct Library {
    queries: Vec<SavedQuery>,
    /// Files of the user's that hold no query.
    broken: Vec<own::Broken>,
    /// Files of the user's whose name another file of theirs has, and that file.
    hidden: Vec<(String, String)>,
}

impl Library {
    /// The built-in queries and those in `dirs`; where names are equal, the user's wins over the
    /// built-in one, and that of the earlier directory over that of the later one.
    ///
    /// A file of the user's that is at fault takes nothing else away: [`Self::notices`] names it, and
    /// asking for it is an error. Directories that are not there hold nothing.
    ///
    /// # Errors
    /// A built-in query is at fault.
    pub fn open<P: AsRef<Path>>(dirs: impl IntoIterator<Item = P>) -> Result<Self> {
        let mut library = Self { queries: Vec::new(), broken: Vec::new(), hidden: Vec::new() };
        for dir in dirs {
            for found in own::files(dir.as_ref()) {
                library.add(found);
            }
        }
        for (theme, name, text) in BUILT_IN {
            let origin = format!("queries/{theme}/{name}.sql");
            let query = SavedQuery::parse(name, text, &origin)?;
            if library.origin_of(name).is_none() {
                library.queries.push(SavedQuery { theme: (*theme).to_owned(), ..query });
            }
        }
        library.queries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(library)
    }

    fn add(&mut self, found: own::Found) {
        let (name, origin) = match &found {
            Ok(query) => (query.name.as_str(), &query.origin),
            Err(broken) => (broken.name.as_str(), &broken.origin),
        };
        if let Some(other) = self.origin_of(name) {
            self.hidden.push((origin.clone(), other.to_owned()));
            return;
        }
        match found {
            Ok(query) => self.queries.push(query),
            Err(broken) => self.broken.push(broken),
        }
    }

    /// Where the query called `name` came from, whether it is one or broken.
    fn origin_of(&self, name: &str) -> Option<&str> {
        let whole = self.queries.iter().find(|query| query.name == name);
        let broken = || self.broken.iter().find(|broken| broken.name == name);
        whole
            .map(|query| query.origin.as_str())
            .or_else(|| broken().map(|broken| broken.origin.as_str()))
    }

    /// What the user should know of their files: those left out, a line each.
    pub fn notices(&self) -> Vec<String> {
        let broken = self
            .broken
            .iter()
            .map(|broken| format!("`{}` is left out: {}", broken.origin, broken.reason));
        let hidden = self.hidden.iter().map(|(origin, other)| {
            format!("`{origin}` is left out: `{other}` has the same name and comes first")
        });
        broken.chain(hidden).collect()
    }

    /// The query called `name`.
    ///
    /// # Errors
    /// There is none, or its file is at fault.
    pub fn get(&self, name: &str) -> Result<&SavedQuery> {
        if let Some(query) = self.queries.iter().find(|query| query.name == name) {
            return Ok(query);
        }
        if let Some(broken) = self.broken.iter().find(|broken| broken.name == name) {
            return Err(broken.error());
        }
        let names = self.queries.iter().map(|query| query.name.as_str());
        let nearest = nearest(name, names).map(str::to_owned);
        Err(ErrorKind::UnknownQuery { name: name.to_owned(), nearest }.into())
    }

    /// The queries that have `word` in their name, title, description, theme, services or techniques,
    /// whatever its case.
    pub fn find(&self, word: &str) -> impl Iterator<Item = &SavedQuery> {
        let word = word.to_lowercase();
        self.queries.iter().filter(move |query| {
            let texts = [&query.name, &query.title, &query.description, &query.theme];
            let mut texts = texts.into_iter().chain(&query.services).chain(&query.attack);
            texts.any(|text| text.to_lowercase().contains(&word))
        })
    }
}

#[cfg(test)]
mod tests;
