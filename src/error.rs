//! The one error type of the crate, and the diagnostics drawn for text that the user wrote.

use std::{fmt, io, ops::Range, path::PathBuf};

/// A boxed error of a library below us, kept as the cause.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of anything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed.
///
/// One word wide. Print it with its sources to explain the failure, match [`Error::kind`] to
/// react to it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Box<ErrorKind>);

impl Error {
    /// What went wrong, for callers that react to it.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// How to mend it, where we know.
    pub fn help(&self) -> Option<String> {
        self.0.help()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

/// The failures, by what the user can do about them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A fault in SQL that the user wrote; drawn with a caret.
    #[error("{0}")]
    Query(Diagnostic),
    /// A fault in the configuration file; drawn with a caret.
    #[error("{0}")]
    Config(Diagnostic),
    /// A fault in the front matter of a saved query; drawn with a caret.
    #[error("{0}")]
    SavedQuery(Diagnostic),
    /// A saved query that is not there.
    #[error("no saved query named `{name}`")]
    UnknownQuery {
        /// The name as given.
        name: String,
        /// The name that is nearest to it.
        nearest: Option<String>,
    },
    /// A file or directory could not be read or written.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// The verb: `open`, `read`, `create`, …
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Writing results failed (a closed pipe ends quietly instead).
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    /// The cache's tables could not be read or committed.
    #[error("cannot {action} the cache at `{}`", path.display())]
    Cache {
        /// The verb: `open`, `read`, `commit to`, `compact`, …
        action: &'static str,
        /// The cache's directory.
        path: PathBuf,
        /// What the table library said.
        source: BoxError,
    },
    /// A cache was asked for inside evidence, or evidence inside the cache.
    #[error("the cache `{}` lies inside the source `{source_uri}`", cache.display())]
    CacheInsideSource {
        /// The cache's directory.
        cache: PathBuf,
        /// The source as given.
        source_uri: String,
    },
    /// There is no cache where one is to be read.
    #[error("there is no cache at `{}`", path.display())]
    NoCache {
        /// The directory.
        path: PathBuf,
    },
    /// A directory that holds something else was named as a cache.
    #[error("`{}` is not a cache", path.display())]
    NotACache {
        /// The directory.
        path: PathBuf,
    },
    /// A cache that a newer trailhound wrote.
    #[error("the cache at `{}` has format {found}, but this build knows only {known}", path.display())]
    CacheTooNew {
        /// The cache's directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this build knows.
        known: u32,
    },
    /// A source that does not exist or that this build cannot read.
    #[error("cannot read the source `{uri}`: {reason}")]
    Source {
        /// The source as given.
        uri: String,
        /// Why, in a few words.
        reason: String,
    },
    /// A file of public keys that cannot be used.
    #[error("cannot use the public keys in `{}`: {reason}", path.display())]
    PublicKeys {
        /// The file.
        path: PathBuf,
        /// Why, in a few words.
        reason: String,
    },
    /// The public keys of a region that CloudTrail does not list.
    #[error("cannot list the public keys of `{region}`: {reason}")]
    PublicKeysUnlisted {
        /// The region.
        region: String,
        /// What the service, the network or the chain of credentials said.
        reason: String,
    },
    /// Digests are to be verified, and neither keys nor credentials are at hand.
    #[error("there are no public keys to verify digests with")]
    NoPublicKeys,
    /// S3 could not be asked, or said no.
    #[error("cannot {action} `{uri}`: {reason}")]
    S3 {
        /// The verb: `list`, `read`, …
        action: &'static str,
        /// The source, bucket or object.
        uri: String,
        /// What the service, the network or the chain of credentials said.
        reason: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// A value given on the command line or in the configuration file cannot be used.
    #[error("invalid value `{value}` for `{name}`: {reason}")]
    Value {
        /// The flag or setting.
        name: String,
        /// What was given.
        value: String,
        /// What was expected.
        reason: String,
    },
    /// The engine failed while running a query.
    #[error("cannot run the query")]
    Engine(#[source] BoxError),
    /// Encoding or decoding columnar data failed.
    #[error("cannot {action}")]
    Columnar {
        /// The verb and its object: `encode a Parquet file`, `sort a batch`, …
        action: &'static str,
        /// What Arrow or Parquet said.
        source: BoxError,
    },
    /// The user interrupted the work.
    #[error("interrupted")]
    Interrupted,
}

impl ErrorKind {
    fn help(&self) -> Option<String> {
        match self {
            Self::Query(diagnostic) | Self::Config(diagnostic) | Self::SavedQuery(diagnostic) => {
                diagnostic.help.clone()
            }
            Self::UnknownQuery { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::UnknownQuery { .. } => {
                Some("`trailhound query --list` names them all".to_owned())
            }
            Self::CacheInsideSource { .. } => Some(
                "evidence is never written to: choose another place with --cache or --case"
                    .to_owned(),
            ),
            Self::NoCache { .. } => Some(
                "`trailhound ingest SOURCE` creates it; --cache or --case choose another"
                    .to_owned(),
            ),
            Self::NotACache { .. } => Some(
                "it is not empty and has no `trailhound.json`: name a new or empty place"
                    .to_owned(),
            ),
            Self::PublicKeys { .. } | Self::PublicKeysUnlisted { .. } | Self::NoPublicKeys => Some(
                "save them with `aws cloudtrail list-public-keys --region REGION \
                     --start-time T --end-time T >keys.json`, once for each region, and give them \
                     with --public-keys"
                    .to_owned(),
            ),
            Self::S3 { help, .. } => help.clone(),
            Self::CacheTooNew { .. } => Some("use the trailhound that wrote it".to_owned()),
            _ => None,
        }
    }
}

/// A fault in text the user wrote: what, where, how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one lower-case line.
    pub message: String,
    /// The text the user wrote, whole, for drawing.
    pub text: String,
    /// Where it came from: a file's name, `<stdin>`, or nothing for the command line.
    pub origin: Option<String>,
    /// The bytes of `text` at fault.
    pub span: Option<Range<usize>>,
    /// A word or two under the caret.
    pub label: Option<String>,
    /// How to fix it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The one of `candidates` that `word` was probably meant to be: few letters differ, ignoring case.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, changed, or swapped with the next (Damerau and
/// Levenshtein, restricted) to turn `a` into `b`.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (i, a) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut last_b = None;
        for (j, b) in b.iter().copied().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best =
                (at(&row, j) + usize::from(a != b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if last_a == Some(b) && last_b == Some(a) && j > 0 {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
            last_b = Some(b);
        }
        before = std::mem::replace(&mut row, next);
        last_a = Some(a);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["tables", "limits", "memory", "case"];
        assert_eq!(nearest("tabels", names), Some("tables"));
        assert_eq!(nearest("Memroy", names), Some("memory"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn distances_count_letters() {
        let pairs = [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 1)];
        for (a, b, expected) in pairs {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
