//! Archives: what they look like, and their members as files.

use std::{collections::HashMap, io, sync::Arc};

use super::{Filter, Keys, LogFile, Open, Stored, Unread, Window, local, tar, zip};

/// How many archives may lie in one another.
///
/// Evidence comes as a zip of tars at most; a nest deeper than this is there to exhaust.
pub const MAX_DEPTH: u8 = 4;

/// Bytes from the front of a file that [`sniff`] wants to see.
pub const SNIFF_BYTES: usize = 512;

/// The archives that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PKWARE's.
    Zip,
    /// POSIX's, and what was before it.
    Tar,
}

impl Format {
    /// What the ledger calls it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Zip => "zip archive",
            Self::Tar => "tar archive",
        }
    }
}

/// The archive that begins with `head`, if it is one.
pub fn sniff(head: &[u8]) -> Option<Format> {
    // A local file header; the end of a directory without members; a split or spanned archive.
    const ZIP: [&[u8; 4]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];
    if ZIP.iter().any(|magic| head.starts_with(*magic)) {
        return Some(Format::Zip);
    }
    tar::is_header(head).then_some(Format::Tar)
}

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Members {
    /// Its files, in plan order.
    pub files: Vec<LogFile>,
    /// What is in it, but is not opened.
    pub unread: Vec<Unread>,
    /// Whether the filter left something out.
    pub filtered: bool,
    /// Where and why listing it ended early: what lies behind is not reached.
    pub damage: Option<(u64, String)>,
}

/// Lists the members of the archive `file`, whose bytes are `window`.
///
/// Members are read in place: nothing is unpacked under a name of the archive's choosing.
///
/// # Errors
/// The archive cannot be read at all.
pub fn expand(
    file: &LogFile,
    window: &Window,
    format: Format,
    filter: &Filter,
) -> io::Result<Members> {
    let mut gather = Gather {
        archive: file,
        uri_prefix: format!("{}!/", file.uri),
        filter,
        keys: Keys::default(),
        names: HashMap::new(),
        order: 0,
        members: Members::default(),
    };
    match format {
        Format::Zip => zip::members(window, &mut gather)?,
        Format::Tar => tar::members(window, &mut gather)?,
    }
    let mut members = gather.members;
    members.files.sort_unstable_by(LogFile::plan_order);
    Ok(members)
}

/// Gathers the members of one archive.
pub(super) struct Gather<'a> {
    archive: &'a LogFile,
    uri_prefix: String,
    filter: &'a Filter,
    keys: Keys,
    /// How often each name has come up, by a hash of it: an archive may hold one name twice.
    names: HashMap<u64, u32>,
    order: u32,
    pub(super) members: Members,
}

/// What an archive tells of a member.
pub(super) struct Member<'a> {
    pub(super) name: &'a [u8],
    pub(super) size_bytes: u64,
    pub(super) modified_at: Option<i64>,
    pub(super) etag: Option<Arc<str>>,
    pub(super) opener: Arc<dyn Open>,
}

impl Gather<'_> {
    fn uri(&mut self, name: &[u8]) -> Arc<str> {
        use std::hash::BuildHasher as _;
        let text = local::escaped(name);
        // The map's own hasher is keyed at random, so an archive cannot choose collisions.
        let hash = self.names.hasher().hash_one(&text);
        let n_met = self.names.entry(hash).or_insert(0);
        *n_met += 1;
        match n_met {
            1 => format!("{}{text}", self.uri_prefix).into(),
            n => format!("{}{text}#{n}", self.uri_prefix).into(),
        }
    }

    /// Adds a member that can be opened.
    pub(super) fn push(&mut self, member: Member<'_>) {
        let uri = self.uri(member.name);
        let key = self.keys.of(&uri);
        self.order = self.order.saturating_add(1);
        if !self.filter.chooses(&key) {
            self.members.filtered = true;
            return;
        }
        self.members.files.push(LogFile {
            container: Some(Arc::clone(&self.archive.uri)),
            size_bytes: member.size_bytes,
            modified_at: member.modified_at,
            etag: member.etag,
            key,
            order: self.order,
            depth: self.archive.depth.saturating_add(1),
            ..LogFile::new(uri, Arc::clone(&self.archive.source), member.opener)
        });
    }

    /// Adds a member that cannot be opened.
    pub(super) fn unread(&mut self, name: &[u8], why: super::Why) {
        let unread = Unread {
            uri: self.uri(name),
            container: Some(Arc::clone(&self.archive.uri)),
            source: Arc::clone(&self.archive.source),
            why,
        };
        self.members.unread.push(unread);
    }
}

/// A member that lies in its archive as it is.
pub(super) struct Stretch {
    pub(super) window: Window,
}

impl Open for Stretch {
    fn open(&self, _file: &LogFile) -> io::Result<Stored> {
        self.window.reader().map(Stored::plain)
    }

    fn window(&self, _file: &LogFile) -> io::Result<Option<Window>> {
        Ok(Some(self.window.clone()))
    }
}

/// A file that was spooled.
pub(crate) fn spooled(file: &LogFile, window: Window) -> LogFile {
    LogFile {
        size_bytes: window.len(),
        once: false,
        opener: Arc::new(Stretch { window }),
        ..file.clone()
    }
}
