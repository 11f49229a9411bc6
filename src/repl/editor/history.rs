//! What was entered before: kept in the user's state directory, for their eyes only.
//!
//! A line of the file is an entry, with line feeds and backslashes escaped. Every prompt appends
//! what is entered at it, so that several at once keep each other's entries. An entry that comes
//! again takes the place of the one before.

use std::{
    borrow::Cow,
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use rustyline::history::{History, SearchDirection, SearchResult};

use super::lines::{with_margins, with_margins_at, without_margins};

/// The most entries that are kept.
const MAX_ENTRIES: usize = 10_000;

/// The longest entry that is kept, in bytes; a pasted list of thousands of addresses is none.
const MAX_ENTRY_BYTES: usize = 64 << 10;

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The entries, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Past {
    entries: Vec<String>,
    file: Option<PathBuf>,
}

impl Past {
    /// The history in `file`. One that cannot be read or kept is no reason not to work.
    pub(super) fn open(file: Option<&Path>) -> Self {
        let mut past = Self { entries: Vec::new(), file: file.map(Path::to_owned) };
        if let Some(file) = file {
            if let Some(dir) = file.parent() {
                drop(std::fs::create_dir_all(dir));
            }
            past.entries = read(file).unwrap_or_default();
        }
        past
    }

    /// Keeps `entry`; whether it was new.
    pub(super) fn keep(&mut self, entry: &str) -> bool {
        let entry = without_margins(entry);
        let entry = entry.trim_end();
        // A space in front keeps an entry out, as in shells.
        let is_kept = !entry.is_empty()
            && !entry.starts_with(char::is_whitespace)
            && entry.len() <= MAX_ENTRY_BYTES;
        if !is_kept || self.entries.last().is_some_and(|last| last == entry) {
            return false;
        }
        self.entries.retain(|other| other != entry);
        self.entries.push(entry.to_owned());
        if let Some(file) = &self.file {
            drop(append(file, entry));
        }
        true
    }

    fn found(&self, idx: usize, pos: usize) -> Option<SearchResult<'_>> {
        let entry = self.entries.get(idx)?;
        let pos = with_margins_at(entry, pos);
        Some(SearchResult { entry: Cow::Owned(with_margins(entry)), idx, pos })
    }

    /// The entry nearest to number `start` in which `fits` finds a place.
    fn search_by(
        &self,
        start: usize,
        direction: SearchDirection,
        fits: impl Fn(&str) -> Option<usize>,
    ) -> Option<SearchResult<'_>> {
        let test = |(idx, entry): (usize, &String)| Some((idx, fits(entry)?));
        let entries = self.entries.iter().enumerate();
        let (idx, pos) = match direction {
            SearchDirection::Forward => entries.skip(start).find_map(test),
            SearchDirection::Reverse => entries.take(start.saturating_add(1)).rev().find_map(test),
        }?;
        self.found(idx, pos)
    }
}

/// Opens the history, which nobody else may read, and locks it against other prompts.
fn open(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600);
        let opened = options.open(file)?;
        if opened.metadata()?.permissions().mode() & 0o077 != 0 {
            opened.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        opened.lock()?;
        Ok(opened)
    }
    #[cfg(not(unix))]
    {
        let opened = options.open(file)?;
        opened.lock()?;
        Ok(opened)
    }
}

fn read(file: &Path) -> io::Result<Vec<String>> {
    let mut opened = open(file)?;
    let mut text = String::new();
    (&mut opened).take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    // The first line of files that earlier builds wrote names their format, which is this one.
    let lines = text.lines().filter(|line| !line.is_empty() && *line != "#V2");
    let mut seen = HashSet::new();
    let mut entries: Vec<String> = Vec::new();
    let n_lines = lines.clone().count();
    for line in lines.rev() {
        let entry = unescaped(line);
        if entries.len() < MAX_ENTRIES && seen.insert(line) {
            entries.push(entry);
        }
    }
    entries.reverse();
    if n_lines > 2 * MAX_ENTRIES.min(entries.len().max(1_000)) {
        // Most of it is old or said twice: under the lock, only what is left is written again.
        let text: String = entries.iter().map(|entry| escaped(entry) + "\n").collect();
        opened.set_len(0)?;
        opened.seek(SeekFrom::Start(0))?;
        opened.write_all(text.as_bytes())?;
    }
    Ok(entries)
}

fn append(file: &Path, entry: &str) -> io::Result<()> {
    open(file)?.write_all(format!("{}\n", escaped(entry)).as_bytes())
}

fn escaped(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "")
}

fn unescaped(line: &str) -> String {
    let mut entry = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('n') => entry.push('\n'),
                Some(other) => entry.push(other),
                None => entry.push('\\'),
            },
            _ => entry.push(c),
        }
    }
    entry
}

impl History for Past {
    fn get(&self, index: usize, _: SearchDirection) -> rustyline::Result<Option<SearchResult<'_>>> {
        Ok(self.found(index, 0))
    }

    fn add(&mut self, line: &str) -> rustyline::Result<bool> {
        Ok(self.keep(line))
    }

    fn add_owned(&mut self, line: String) -> rustyline::Result<bool> {
        Ok(self.keep(&line))
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn set_max_len(&mut self, _: usize) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_dups(&mut self, _: bool) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_space(&mut self, _: bool) {}

    fn save(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn append(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> rustyline::Result<()> {
        self.entries.clear();
        Ok(())
    }

    fn search(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        let term = without_margins(term);
        if term.is_empty() {
            return Ok(None);
        }
        Ok(self.search_by(start, direction, |entry| entry.find(&term)))
    }

    fn starts_with(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        let term = without_margins(term);
        if term.is_empty() {
            return Ok(None);
        }
        let fits = |entry: &str| entry.starts_with(&term).then_some(term.len());
        Ok(self.search_by(start, direction, fits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_several_prompts_come_back_whole_and_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state/history");
        let (mut one, mut other) = (Past::open(Some(&file)), Past::open(Some(&file)));
        one.keep("SELECT 1\n  + '\\n';");
        other.keep(".tables");
        one.keep("SELECT 2;");
        one.keep(".tables");
        one.keep(" SELECT 'a secret';");
        let entries = Past::open(Some(&file)).entries;
        assert_eq!(entries, ["SELECT 1\n  + '\\n';", "SELECT 2;", ".tables"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_long_history_is_shortened_when_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history");
        let lines: Vec<String> = (0..30_000).map(|n| format!("SELECT {n};\n")).collect();
        std::fs::write(&file, lines.concat()).unwrap();
        let past = Past::open(Some(&file));
        assert_eq!(past.entries.len(), MAX_ENTRIES);
        assert_eq!(past.entries.last().unwrap(), "SELECT 29999;");
        let kept = std::fs::read_to_string(&file).unwrap();
        assert_eq!(kept.lines().count(), MAX_ENTRIES);
        assert!(kept.starts_with("SELECT 20000;\n"), "{kept:.40}");
    }

    #[test]
    fn what_is_searched_is_found_with_margins() {
        let mut past = Past::default();
        past.keep("SELECT 1\nFROM a;");
        past.keep("SELECT 2;");
        let found = past.search("FROM", 1, SearchDirection::Reverse).unwrap().unwrap();
        assert_eq!((found.idx, without_margins(&found.entry).as_str()), (0, "SELECT 1\nFROM a;"));
        assert!(found.entry.get(found.pos..).unwrap().starts_with("FROM"));
        let found = past.starts_with("SELECT 2", 1, SearchDirection::Reverse).unwrap().unwrap();
        assert_eq!((found.idx, found.pos), (1, 8));
        assert!(past.starts_with("DROP", 1, SearchDirection::Reverse).unwrap().is_none());
    }
}
