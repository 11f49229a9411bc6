//! Where a file lies, against where CloudTrail delivered it.

use super::digest::Place;
use crate::source::LogFile;

/// The last part of a key, path or member's URI.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// A file's name without what tells its format: a copy that was unpacked keeps the rest.
pub(super) fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".json").unwrap_or(name)
}

/// How a file's place agrees with the one that a digest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// In S3 the very object; elsewhere nothing in its path contradicts.
    Original,
    /// A copy outside S3 whose path says something else.
    Moved,
    /// Another object of S3.
    Elsewhere,
}

/// Compares where `file` lies with `place`.
///
/// A copy outside S3 may hold any part of the key's folders: its path agrees when it ends with the
/// key, with the key from `AWSLogs` on, or when all of it below the SOURCE is the key's end.
pub(super) fn locate(file: &LogFile, place: &Place) -> Location {
    if let Some(object) = file.unversioned_uri().strip_prefix("s3://") {
        let is_same = object
            .strip_prefix(&*place.bucket)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|key| key == place.key);
        return if is_same { Location::Original } else { Location::Elsewhere };
    }
    let key: Vec<&str> = place.key.split('/').collect();
    let parts = |path| -> Vec<&str> {
        str::split(path, ['/', '\\']).map(|part| part.strip_suffix('!').unwrap_or(part)).collect()
    };
    let path = parts(&file.uri);
    let same_part = |(a, b): &(&&str, &&str)| stem(a) == stem(b);
    let n_same = key.iter().rev().zip(path.iter().rev()).take_while(same_part).count();
    let from_aws_logs = key.iter().rposition(|part| *part == "AWSLogs").unwrap_or_default();
    let n_below = below_source(file);
    if n_same >= key.len() - from_aws_logs || n_same >= n_below {
        Location::Original
    } else {
        Location::Moved
    }
}

/// How many parts of a file's path lie below its SOURCE, or within its archive.
fn below_source(file: &LogFile) -> usize {
    let within = match file.container.as_deref() {
        Some(container) => {
            file.uri.strip_prefix(container).map(|rest| rest.trim_start_matches('!'))
        }
        None => file.uri.strip_prefix(&*file.source),
    };
    let within = within.unwrap_or(&file.uri).trim_matches(['/', '\\']);
    // A SOURCE that is the file itself leaves only its name.
    within.split(['/', '\\']).count().max(1)
}
