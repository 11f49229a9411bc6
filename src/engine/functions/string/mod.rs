//! Strings, in code points: <https://trino.io/docs/current/functions/string.html>.
//!
//! Upper and lower case map one character to one, as in Java: the upper case of `ß` is `ß`.

mod build;
mod cut;
mod format;
mod measure;
mod normal;
mod split;

pub(super) use self::split::pieces;
use super::Function;

const FAMILY: &str = "strings";

pub(super) fn functions() -> Vec<Function> {
    let families = [
        build::functions(),
        cut::functions(),
        format::functions(),
        measure::functions(),
        normal::functions(),
        split::functions(),
    ];
    families.into_iter().flatten().collect()
}

/// The byte where character `index` of `text` starts; the end for the one after the last.
fn byte_of(text: &str, index: usize) -> Option<usize> {
    if text.is_ascii() {
        return (index <= text.len()).then_some(index);
    }
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.into_iter().nth(index)
}

/// How many characters `text` has.
fn characters(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// A count as SQL's integer.
fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
