//! Pages of keys: prefixes, delimiters, and where the next page begins.

use std::ops::Bound;

use super::store::{Bucket, Listed, Version};

/// What a listing has at one place.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    /// Keys that a delimiter cut off: what they have in common, with the delimiter.
    Prefix(&'a str),
    /// A key and its versions, the newest last.
    Key(&'a str, Vec<&'a Version>),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Query<'a> {
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    /// The last key or cut prefix that was listed before.
    pub(super) after: Option<&'a str>,
    /// Of the key in `after` the version that was listed last; without it all were.
    pub(super) after_version: Option<&'a str>,
    /// The most entries of a page.
    pub(super) max: usize,
    /// Every version and delete marker, or only what keys lead to.
    pub(super) all_versions: bool,
}

/// A page of a listing.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// The key or cut prefix that the page ends with, and its version, where more follows.
    pub(super) next: Option<(&'a str, Option<&'a str>)>,
}

impl<'a> Query<'a> {
    /// The page of `bucket` that was asked for.
    pub(super) fn page(self, bucket: &'a Bucket) -> Page<'a> {
        let mut page = Page { entries: Vec::new(), next: None };
        let (mut from, mut n_left) = (self.start(), self.max);
        while let Some((key, versions)) = bucket.objects.range((from, Bound::Unbounded)).next() {
            if !key.starts_with(self.prefix) {
                break;
            }
            from = Bound::Excluded(key.clone());
            let versions = self.shown(key, versions);
            if versions.is_empty() {
                continue;
            }
            if n_left == 0 {
                page.next = page.entries.last().map(Entry::place);
                break;
            }
            if let Some(cut) = self.cut(key) {
                from = past(cut);
                page.entries.push(Entry::Prefix(cut));
                n_left -= 1;
                continue;
            }
            let n_fitting = versions.len().min(n_left);
            let (fitting, rest) = versions.split_at(versions.len() - n_fitting);
            page.entries.push(Entry::Key(key, rest.to_vec()));
            n_left -= n_fitting;
            if !fitting.is_empty() {
                page.next = page.entries.last().map(Entry::place);
                break;
            }
        }
        page
    }

    fn start(&self) -> Bound<String> {
        match self.after {
            Some(after) if after >= self.prefix => match self.cut(after) {
                Some(cut) if cut == after => past(cut),
                _ if self.after_version.is_some() => Bound::Included(after.to_owned()),
                _ => Bound::Excluded(after.to_owned()),
            },
            _ => Bound::Included(self.prefix.to_owned()),
        }
    }

    /// The versions of `key` that the listing shows and has not shown yet, the newest last.
    fn shown(&self, key: &str, versions: &'a [Version]) -> Vec<&'a Version> {
        if !self.all_versions {
            return versions.last().filter(|version| !version.is_marker()).into_iter().collect();
        }
        let shown_before = self.after_version.filter(|_| self.after == Some(key));
        let n = shown_before
            .and_then(|id| versions.iter().position(|version| version.id == id))
            .unwrap_or(versions.len());
        versions.iter().take(n).collect()
    }

    /// What of `key` stands up to the delimiter behind the prefix.
    fn cut<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let below = key.strip_prefix(self.prefix)?;
        let at = below.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }
}

impl<'a> Entry<'a> {
    /// Where it stands: its key or prefix, and the oldest of its versions that is on the page.
    fn place(&self) -> (&'a str, Option<&'a str>) {
        match self {
            Self::Prefix(prefix) => (prefix, None),
            Self::Key(key, versions) => (key, versions.first().map(|version| version.id.as_str())),
        }
    }
}

/// Behind every key that begins with `prefix`.
fn past(prefix: &str) -> Bound<String> {
    Bound::Excluded(format!("{prefix}{}", char::MAX))
}

/// The `ETag` that a listing shows.
pub(super) fn listed_etag(version: &Version) -> String {
    match version.listed {
        Listed::AsItWas => version.etag.chars().rev().collect(),
        Listed::AsItIs | Listed::ThoughGone => version.etag.clone(),
    }
}
