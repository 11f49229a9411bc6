//! Which files are a declared table's own, and in which of its partitions each lies.
//!
//! Files are known by their URI: an absolute path, `a.zip!/member`, `s3://bucket/key`.

use std::{collections::HashMap, path::Path};

use chrono::NaiveDateTime;
use regex::Regex;

use super::{projection::Values, store::DeclaredTable, values};

/// The folder that CloudTrail's keys begin with, behind the bucket and its prefix.
const LOGS: &str = "AWSLogs";

/// A location as it is kept: absolute, symbolic links resolved as far as it exists, without a
/// slash at the end. Locations in S3 stay as they are.
pub(in crate::engine) fn resolved(location: &str) -> String {
    let location = location.trim();
    for scheme in ["s3://", "s3a://", "s3n://"] {
        if let Some(key) = location.strip_prefix(scheme) {
            return format!("s3://{}", key.trim_end_matches('/'));
        }
    }
    let path = match location.strip_prefix("file:") {
        Some(path) => path.strip_prefix("//").unwrap_or(path),
        None => location,
    };
    let path = Path::new(path);
    let absolute = std::path::absolute(path).unwrap_or_else(|_invalid| path.to_owned());
    // What does not exist may lie within an archive, or be a folder that is not there yet.
    let resolved = absolute.ancestors().find_map(|above| {
        let real = above.canonicalize().ok()?;
        let rest = absolute.strip_prefix(above).ok()?;
        Some(if rest.as_os_str().is_empty() { real } else { real.join(rest) })
    });
    let resolved = resolved.unwrap_or(absolute);
    resolved.to_string_lossy().trim_end_matches('/').to_owned()
}

/// What follows `root` in `uri`, if that lies below it: nothing, `/…`, or `!/…` within an archive.
pub(super) fn below<'u>(root: &str, uri: &'u str) -> Option<&'u str> {
    let rest = uri.strip_prefix(root)?;
    (rest.is_empty() || rest.starts_with('/') || rest.starts_with("!/")).then_some(rest)
}

/// `storage.location.template`: text, and the columns that stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Column(String),
}

impl Template {
    /// Reads a template.
    pub(super) fn parse(text: &str) -> Self {
        let (mut pieces, mut rest) = (Vec::new(), text.trim_end_matches('/'));
        while let Some((before, behind)) = rest.split_once("${") {
            let Some((name, after)) = behind.split_once('}') else { break };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Column(name.trim().to_lowercase()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self(pieces)
    }

    /// The template of Hive's layout: `root/column=value/…`.
    fn hive<'n>(root: &str, names: impl Iterator<Item = &'n str>) -> Self {
        let mut pieces = vec![Piece::Text(root.to_owned())];
        for name in names {
            pieces.push(Piece::Text(format!("/{name}=")));
            pieces.push(Piece::Column(name.to_owned()));
        }
        Self(pieces)
    }

    /// `text` with the folders before its first column resolved.
    pub(super) fn resolved(text: &str) -> String {
        let first = text.find("${").unwrap_or(text.len());
        let (before, columns) = text.split_at_checked(first).unwrap_or((text, ""));
        match before.rsplit_once('/') {
            Some((folder, rest)) => format!("{}/{rest}{columns}", resolved(folder)),
            None => text.to_owned(),
        }
    }

    /// The folder that all of the template `text`, as written, lies below.
    pub(super) fn home_of(text: &str) -> String {
        Self::parse(&Self::resolved(text)).home()
    }

    /// The folder that all of it lies below.
    pub(super) fn home(&self) -> String {
        match self.0.first() {
            Some(Piece::Text(text)) => {
                text.rsplit_once('/').map_or(text.as_str(), |(folder, _)| folder).to_owned()
            }
            _ => String::new(),
        }
    }

    /// The regular expression of URIs below it, with a group for each column by its number among
    /// `names`; the text before the first column goes through `key`.
    fn regex(
        &self,
        table: &DeclaredTable,
        key: impl Fn(&str) -> Option<&str>,
    ) -> Option<(Regex, Vec<usize>)> {
        let names = &table.declaration.partitions;
        let values = table.declaration.projection.as_ref().map(|projection| &projection.values);
        let (mut pattern, mut groups) = ("^".to_owned(), vec![0; names.len()]);
        let mut group = 0;
        for (n, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    let text = if n == 0 { key(text)? } else { text };
                    pattern.push_str(&regex::escape(text));
                }
                Piece::Column(name) => {
                    let at = names.iter().position(|column| column.name == *name)?;
                    let values = values.and_then(|values| values.get(at));
                    let of_column = values.map_or("[^/]*".to_owned(), Values::pattern);
                    group += 1;
                    pattern = format!("{pattern}({of_column})");
                    if let Some(place) = groups.get_mut(at) {
                        *place = group;
                    }
                }
            }
        }
        pattern.push_str("(?:$|!?/)");
        Some((Regex::new(&pattern).ok()?, groups))
    }
}

/// How locations in S3 are found among the files of the cache; others are by the whole URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Rule {
    /// By the whole URI.
    Exact,
    /// Nothing was read from S3: by what follows from `AWSLogs/` on, in local copies.
    Copies,
}

impl Rule {
    /// The part of the URI of a file that is compared with [`Self::of_location`].
    fn key<'u>(self, location: &str, uri: &'u str) -> Option<&'u str> {
        match self {
            Self::Copies if is_in_s3(location) => copy_key(uri),
            _ => Some(uri),
        }
    }

    /// The part of a location that is looked for.
    fn of_location(self, location: &str) -> Option<&str> {
        match self {
            Self::Copies if is_in_s3(location) => logs(location),
            _ => Some(location),
        }
    }
}

/// Whether a location is one in S3.
pub(super) fn is_in_s3(location: &str) -> bool {
    location.starts_with("s3://")
}

/// The key of an object that the file at `uri` may be a local copy of, from `AWSLogs` on.
fn copy_key(uri: &str) -> Option<&str> {
    if is_in_s3(uri) { None } else { logs(uri) }
}

/// `path` from its folder `AWSLogs` on.
pub(super) fn logs(path: &str) -> Option<&str> {
    let mut from = 0;
    loop {
        let at = from + path.get(from..)?.find(LOGS)?;
        let behind = path.get(at + LOGS.len()..)?;
        let begins = path.get(..at)?.ends_with('/');
        if begins && (behind.is_empty() || behind.starts_with('/')) {
            return path.get(at..);
        }
        from = at + LOGS.len();
    }
}

/// Values of partition columns as they stand in paths.
pub(in crate::engine) type PathValues = Vec<Option<String>>;

/// The files of a table.
#[derive(Debug)]
pub(in crate::engine) struct Place {
    rule: Rule,
    layout: Layout,
    now: NaiveDateTime,
}

#[derive(Debug)]
enum Layout {
    /// No partitions.
    Whole,
    /// Partitions as properties project them.
    Projected { regex: Regex, groups: Vec<usize> },
    /// Partitions as they were added, by location.
    Listed(HashMap<String, PathValues>),
    /// Nothing lies there.
    Nowhere,
}

impl Place {
    /// The files of `table`, found by `rule`.
    pub(super) fn new(table: &DeclaredTable, rule: Rule, now: NaiveDateTime) -> Self {
        let layout = Self::layout(table, rule).unwrap_or(Layout::Nowhere);
        Self { rule, layout, now }
    }

    fn layout(table: &DeclaredTable, rule: Rule) -> Option<Layout> {
        if table.is_listed() {
            let (mut listed, mut twice) = (HashMap::new(), Vec::new());
            for partition in &table.stored.partitions {
                let Some(root) = rule.of_location(&partition.root) else { continue };
                if listed.insert(root.to_owned(), partition.values.clone()).is_some() {
                    twice.push(root);
                }
            }
            // Copies of which nobody can tell from which of two buckets they are.
            listed.retain(|root, _| !twice.contains(&root.as_str()));
            return Some(Layout::Listed(listed));
        }
        if table.declaration.partitions.is_empty() {
            return Some(Layout::Whole);
        }
        let template = table.template.clone().unwrap_or_else(|| hive(table));
        let (regex, groups) = template.regex(table, |text| rule.of_location(text))?;
        Some(Layout::Projected { regex, groups })
    }

    /// The values of the partition columns for the file at `uri`; nothing where the file is not
    /// the table's.
    pub(super) fn values(&self, table: &DeclaredTable, uri: &str) -> Option<PathValues> {
        match &self.layout {
            Layout::Nowhere => None,
            Layout::Whole => is_below(table, self.rule, uri).then(Vec::new),
            Layout::Listed(listed) => {
                // Locations of copies begin with `AWSLogs`, those of files with their scheme or root.
                let copy = copy_key(uri).filter(|_| self.rule == Rule::Copies);
                let mut above = folders(uri).chain(copy.into_iter().flat_map(folders));
                above.find_map(|folder| listed.get(folder)).cloned()
            }
            Layout::Projected { regex, groups } => {
                let location = table.template.as_ref().map(Template::home);
                let location = location.as_deref().unwrap_or(&table.stored.root);
                let key = self.rule.key(location, uri)?;
                let found = regex.captures(key)?;
                let text = |group: &usize| found.get(*group).map(|text| text.as_str());
                let texts: Option<Vec<&str>> = groups.iter().map(text).collect();
                let projected = table.declaration.projection.as_ref();
                let mut values = projected.into_iter().flat_map(|p| &p.values);
                let texts = texts?;
                let known = texts
                    .iter()
                    .all(|text| values.next().is_none_or(|values| values.has(text, self.now)));
                known.then(|| texts.into_iter().map(|text| Some(text.to_owned())).collect())
            }
        }
    }
}

/// Whether the file at `uri` lies below the table's locations, in a partition or in none.
pub(super) fn is_below(table: &DeclaredTable, rule: Rule, uri: &str) -> bool {
    let template = table.template.as_ref().map(Template::home);
    let home = template.as_deref().unwrap_or(&table.stored.root);
    match (rule.key(home, uri), rule.of_location(home)) {
        (Some(key), Some(home)) => below(home, key).is_some(),
        _ => false,
    }
}

/// Hive's layout of `table`, whose folders are `column=value`.
fn hive(table: &DeclaredTable) -> Template {
    let names = table.declaration.partitions.iter().map(|column| column.name.as_str());
    Template::hive(&table.stored.root, names)
}

/// `uri` and all that it lies below, the deepest first.
fn folders(uri: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(uri), |path| {
        let (above, _) = path.rsplit_once('/')?;
        Some(above.strip_suffix('!').unwrap_or(above))
    })
}

/// The value that Hive writes for NULL.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition of Hive's layout that the file at `uri` lies in: the values, and its location.
pub(super) fn hive_partition(
    table: &DeclaredTable,
    rule: Rule,
    uri: &str,
) -> Option<(PathValues, String)> {
    let key = rule.key(&table.stored.root, uri)?;
    let root = rule.of_location(&table.stored.root)?;
    let mut rest = below(root, key)?;
    let mut location = table.stored.root.clone();
    let mut values = Vec::new();
    for column in &table.declaration.partitions {
        let (folder, _) = rest.strip_prefix('/')?.split_once('/')?;
        let (name, value) = folder.split_once('=')?;
        if !name.eq_ignore_ascii_case(&column.name) {
            return None;
        }
        values.push((value != HIVE_NULL).then(|| values::spelled(&column.ty, &unescaped(value))));
        location = format!("{location}/{folder}");
        rest = rest.get(1 + folder.len()..)?;
    }
    Some((values, location))
}

/// A value of a folder's name: Hive writes `%2F` for what a name cannot hold.
fn unescaped(value: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(value.len()), value.as_bytes());
    while let Some((byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let code = code.filter(|_| *byte == b'%');
        bytes.push(code.unwrap_or(*byte));
        rest = behind.get(if code.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8(bytes).unwrap_or_else(|_other| value.to_owned())
}

/// The folder of Hive's layout for `values`, below `root`.
pub(super) fn hive_location(table: &DeclaredTable, values: &PathValues) -> String {
    let columns = table.declaration.partitions.iter().zip(values);
    columns.fold(table.stored.root.clone(), |path, (column, value)| {
        format!("{path}/{}={}", column.name, value.as_deref().unwrap_or(HIVE_NULL))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_kept_absolute_and_without_a_slash() {
        assert_eq!(resolved("s3://bucket/AWSLogs/1/"), "s3://bucket/AWSLogs/1");
        assert_eq!(resolved("s3a://bucket//"), "s3://bucket");
        assert_eq!(resolved("/no such/folder/"), "/no such/folder");
        assert_eq!(resolved("file:///no such/"), "/no such");
    }

    #[test]
    fn below_is_a_question_of_whole_folders() {
        assert_eq!(below("/a/b", "/a/b/c"), Some("/c"));
        assert_eq!(below("/a/b", "/a/b"), Some(""));
        assert_eq!(below("/a/b.zip", "/a/b.zip!/c"), Some("!/c"));
        assert_eq!(below("/a/b", "/a/bc"), None);
        assert_eq!(below("", "/a"), Some("/a"));
    }

    #[test]
    fn keys_begin_at_the_folder_of_logs() {
        assert_eq!(logs("/x/AWSLogs/1/a.gz"), Some("AWSLogs/1/a.gz"));
        assert_eq!(logs("/x/a.zip!/AWSLogs/1"), Some("AWSLogs/1"));
        assert_eq!(logs("/x/MyAWSLogs/AWSLogs/1"), Some("AWSLogs/1"));
        assert_eq!(logs("/x/AWSLogs2/1"), None);
        assert_eq!(logs("s3://bucket/AWSLogs"), Some("AWSLogs"));
        assert_eq!(logs("/x/y"), None);
    }

    #[test]
    fn values_of_folders_are_unescaped() {
        assert_eq!(unescaped("2024%2F01%2f02"), "2024/01/02");
        assert_eq!(unescaped("100%"), "100%");
        assert_eq!(unescaped("%zz"), "%zz");
    }

    #[test]
    fn all_folders_above_a_file_are_looked_at() {
        let all: Vec<&str> = folders("/a/b.zip!/c/d").collect();
        assert_eq!(all, ["/a/b.zip!/c/d", "/a/b.zip!/c", "/a/b.zip", "/a", ""]);
    }
}
