//! Bytes that can be read anywhere: a file, or a stretch of one, shared by many readers.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

/// A stretch of a file. Clones share the file; each reader has its own place.
#[derive(Debug, Clone)]
pub struct Window {
    backing: Backing,
    start: u64,
    len: u64,
}

/// What the bytes lie in.
#[derive(Debug, Clone)]
enum Backing {
    /// A file of the evidence, opened whenever it is read: ten thousand archives must not hold ten
    /// thousand descriptors.
    Path(Arc<Path>),
    /// A spool without a name, gone when the last window on it is.
    Spool(Arc<File>),
}

impl Window {
    /// All of the file at `path`, which is `len` bytes long.
    pub fn of_path(path: &Path, len: u64) -> Self {
        Self { backing: Backing::Path(Arc::from(path)), start: 0, len }
    }

    /// All of a spooled file, which is `len` bytes long.
    pub fn of_spool(file: File, len: u64) -> Self {
        Self::of_shared(Arc::new(file), len)
    }

    /// The same of one that others read, too.
    pub fn of_shared(file: Arc<File>, len: u64) -> Self {
        Self { backing: Backing::Spool(file), start: 0, len }
    }

    /// The `len` bytes from `start` on; as many of them as there are.
    #[must_use]
    pub fn slice(&self, start: u64, len: u64) -> Self {
        let start = start.min(self.len);
        Self {
            backing: self.backing.clone(),
            start: self.start + start,
            len: len.min(self.len - start),
        }
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A reader from its first byte.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn reader(&self) -> io::Result<WindowReader> {
        let file = match &self.backing {
            Backing::Path(path) => Arc::new(File::open(path)?),
            Backing::Spool(file) => Arc::clone(file),
        };
        Ok(WindowReader { file, start: self.start, len: self.len, at: 0 })
    }
}

/// Reads a [`Window`] by position: readers of one file do not disturb each other.
#[derive(Debug)]
pub struct WindowReader {
    file: Arc<File>,
    start: u64,
    len: u64,
    at: u64,
}

impl Read for WindowReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(left);
        let Some(target) = buf.get_mut(..wanted) else { return Ok(0) };
        if target.is_empty() {
            return Ok(0);
        }
        let n_bytes = read_at(&self.file, target, self.start.saturating_add(self.at))?;
        self.at += n_bytes as u64;
        Ok(n_bytes)
    }
}

impl Seek for WindowReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a place before the first byte")
        })?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buf: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, at)
}

#[cfg(windows)]
fn read_at(file: &File, buf: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, at)
}
