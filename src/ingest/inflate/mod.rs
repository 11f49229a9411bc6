//! Stored bytes → the bytes of the log: inflating by content, within limits, hashing on the way.
//!
//! Names are not trusted: what is gzip is inflated, whatever it is called and however often it was
//! packed. A file that is damaged, or that inflates beyond a limit, gives what comes before.

mod deflate;
mod first;
mod input;
mod text;
mod whole;

use std::{
    fmt,
    io::{self, Read},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use sha2::{Digest as _, Sha256};

pub(crate) use self::first::first_member;
pub(crate) use self::whole::Scratch;
pub(super) use self::{
    deflate::GZIP_MAGIC,
    whole::{Whole, whole},
};
use self::{
    deflate::{Framing, Inflater},
    input::Input,
};
use super::InflateLimits;
use crate::source::{
    Stored,
    archive::{self, Format},
};

/// How often gzip may be packed in gzip. Log pipelines do it twice at most.
const MAX_LAYERS: usize = 4;

/// Bytes that may come out before the ratio counts: a small file of one repeated record is no bomb.
const RATIO_FREE_BYTES: u64 = 64 << 20;

/// What is wrong with a file's bytes, as far as inflating tells; travels inside [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// For people.
    pub(crate) reason: String,
    /// Whether a limit was reached, not damage found.
    pub(crate) over_limit: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}

impl Fault {
    fn damage(reason: impl Into<String>) -> io::Error {
        let fault = Self { reason: reason.into(), over_limit: false };
        io::Error::new(io::ErrorKind::InvalidData, fault)
    }

    fn limit(reason: impl Into<String>) -> io::Error {
        let fault = Self { reason: reason.into(), over_limit: true };
        io::Error::new(io::ErrorKind::InvalidData, fault)
    }

    /// The fault that `error` carries; otherwise reading itself failed.
    pub(super) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

/// A format that holds bytes which this build does not unpack.
pub(super) fn foreign(head: &[u8]) -> Option<&'static str> {
    const MAGICS: [(&[u8], &str); 8] = [
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\x04\x22\x4d\x18", "lz4"),
        (b"\x1f\x9d", "compress"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"Rar!\x1a\x07", "RAR"),
        (b"\xff\x06\x00\x00sNaPpY", "snappy"),
    ];
    let (_magic, name) = MAGICS.iter().find(|(magic, _name)| head.starts_with(magic))?;
    // `BZh` alone could begin a text: the digit of the block size and the block's magic follow.
    let is_text = *name == "bzip2" && head.get(4..10) != Some(b"1AY&SY");
    (!is_text).then_some(*name)
}

/// What a file that cannot be unpacked is skipped with.
pub(super) fn foreign_reason(name: &str) -> String {
    format!("compressed with {name}, which trailhound does not read")
}

/// What is counted and hashed while a stream is read.
#[derive(Debug, Default)]
pub(super) struct Meters {
    /// Bytes read from where the file lies: the measure of the inflation ratio.
    packed: AtomicU64,
    inflated: AtomicU64,
    stored_hash: Mutex<Sha256>,
    inflated_hash: Mutex<Sha256>,
}

/// The gzip members of one layer. The records lie in those of the innermost.
#[derive(Debug)]
pub(super) struct Layer {
    /// Members that were whole.
    n_members: AtomicU32,
    /// Inflated bytes at which the first ended.
    first_end: AtomicU64,
}

impl Default for Layer {
    fn default() -> Self {
        Self { n_members: AtomicU32::new(0), first_end: AtomicU64::new(u64::MAX) }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hashes and counts of a file that was read to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Digest {
    /// SHA-256 of the stored bytes.
    pub(super) sha256: [u8; 32],
    /// SHA-256 of the inflated bytes, as far as they came out.
    pub(super) sha256_inflated: Option<[u8; 32]>,
    /// How many those are.
    pub(super) inflated_bytes: u64,
    /// The gzip members that were whole.
    pub(super) gzip_members: u32,
}

/// The bytes of a large file's log.
pub(super) struct Stream {
    reader: Box<dyn Read + Send>,
    stored: Shared,
    meters: Arc<Meters>,
    layer: Arc<Layer>,
    is_packed: bool,
    n_reported: u64,
}

/// What a file's bytes turned out to be.
pub(super) enum Opened {
    /// Something the framer looks into.
    Data(Stream),
    /// An archive, whose bytes the stream gives.
    Archive(Format, Stream),
    /// Packed by something this build does not unpack.
    Foreign(&'static str),
}

/// Opens stored bytes for streaming, inflating as their content asks.
pub(super) fn open(stored: Stored, limits: InflateLimits) -> Opened {
    let meters = Arc::new(Meters::default());
    let bottom = Shared::new(unpacked(stored, limits, &meters), &meters);
    let mut input = Input::new(Box::new(bottom.clone()));
    let mut layer = Arc::default();
    let mut is_packed = false;
    for _layer in 0..MAX_LAYERS {
        if !input.look(GZIP_MAGIC.len()).starts_with(&GZIP_MAGIC) {
            break;
        }
        let inflater = Inflater::new(input, Framing::Gzip, limits, Arc::clone(&meters));
        layer = Arc::clone(inflater.layer());
        is_packed = true;
        input = Input::new(Box::new(inflater));
    }
    let head = input.look(archive::SNIFF_BYTES);
    let (format, foreign, utf16) =
        (archive::sniff(head), foreign(head), text::Utf16::of_mark(head));
    if let Some(name) = foreign {
        return Opened::Foreign(name);
    }
    let tee = Tee { inner: Box::new(input), meters: Arc::clone(&meters), is_packed };
    let reader: Box<dyn Read + Send> = match utf16 {
        Some(order) if format.is_none() => Box::new(text::Transcoder::new(tee, order)),
        _ => Box::new(tee),
    };
    let stream = Stream { reader, stored: bottom, meters, layer, is_packed, n_reported: 0 };
    match format {
        Some(format) => Opened::Archive(format, stream),
        None => Opened::Data(stream),
    }
}

/// The file's own bytes, not inflated: for their hash.
pub(super) fn stored(stored: Stored, limits: InflateLimits) -> Box<dyn Read + Send> {
    unpacked(stored, limits, &Arc::default())
}

/// The file's own bytes: what its archive deflated is inflated and checked.
fn unpacked(stored: Stored, limits: InflateLimits, meters: &Arc<Meters>) -> Box<dyn Read + Send> {
    let counted = Counted { inner: stored.reader, meters: Arc::clone(meters) };
    let inner: Box<dyn Read + Send> = if stored.deflated {
        let input = Input::new(Box::new(counted));
        Box::new(Inflater::new(input, Framing::Raw, limits, Arc::clone(meters)))
    } else {
        Box::new(counted)
    };
    match stored.crc32 {
        Some(expected) => Box::new(Checked { inner, crc: flate2::Crc::new(), expected }),
        None => inner,
    }
}

impl Stream {
    /// The stored bytes that were read since it was last asked.
    pub(super) fn newly_read(&mut self) -> u64 {
        let packed = self.meters.packed.load(Ordering::Relaxed);
        packed - std::mem::replace(&mut self.n_reported, packed)
    }

    /// Fills `buf` as far as there is something. An error comes after all bytes before it.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Whether a record at `offset` lies behind the end of the first gzip member.
    pub(super) fn is_appended(&self, offset: u64) -> bool {
        offset >= self.layer.first_end.load(Ordering::Relaxed)
    }

    /// The hashes and counts, once nothing more is read for its records. What is left of the
    /// stored bytes is read for their hash.
    pub(super) fn finish(&mut self) -> io::Result<Digest> {
        let mut rest = self.stored.clone();
        let mut buf = vec![0_u8; 64 << 10];
        loop {
            match rest.read(&mut buf) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if Fault::of(&error).is_some() => break,
                Err(error) => return Err(error),
            }
        }
        let meters = &self.meters;
        let hash = |hasher: &Mutex<Sha256>| -> [u8; 32] { lock(hasher).clone().finalize().into() };
        let inflated = if self.is_packed { &meters.inflated_hash } else { &meters.stored_hash };
        Ok(Digest {
            sha256: hash(&meters.stored_hash),
            sha256_inflated: Some(hash(inflated)),
            inflated_bytes: meters.inflated.load(Ordering::Relaxed),
            gzip_members: self.layer.n_members.load(Ordering::Relaxed),
        })
    }
}

/// Counts what is read from where the file lies.
struct Counted {
    inner: Box<dyn Read + Send>,
    meters: Arc<Meters>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.inner.read(buf)?;
        self.meters.packed.fetch_add(n_bytes as u64, Ordering::Relaxed);
        Ok(n_bytes)
    }
}

/// Checks what an archive says of a member's bytes, at their end.
struct Checked {
    inner: Box<dyn Read + Send>,
    crc: flate2::Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.inner.read(buf)?;
        self.crc.update(buf.get(..n_bytes).unwrap_or_default());
        if n_bytes == 0 && !buf.is_empty() && self.crc.sum() != self.expected {
            return Err(Fault::damage("the zip member's checksum does not match its content"));
        }
        Ok(n_bytes)
    }
}

/// Hashes the stored bytes; shared, so that they can be read to their end when the layers above
/// have ended early.
#[derive(Clone)]
struct Shared {
    inner: Arc<Mutex<Box<dyn Read + Send>>>,
    meters: Arc<Meters>,
}

impl Shared {
    fn new(inner: Box<dyn Read + Send>, meters: &Arc<Meters>) -> Self {
        Self { inner: Arc::new(Mutex::new(inner)), meters: Arc::clone(meters) }
    }
}

impl Read for Shared {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n_bytes = lock(&self.inner).read(buf)?;
        lock(&self.meters.stored_hash).update(buf.get(..n_bytes).unwrap_or_default());
        Ok(n_bytes)
    }
}

/// Hashes and counts the inflated bytes.
struct Tee {
    inner: Box<dyn Read + Send>,
    meters: Arc<Meters>,
    /// Whether the inflated bytes are others than the stored ones, and need a hash of their own.
    is_packed: bool,
}

impl Read for Tee {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.inner.read(buf)?;
        self.meters.inflated.fetch_add(n_bytes as u64, Ordering::Relaxed);
        if self.is_packed {
            lock(&self.meters.inflated_hash).update(buf.get(..n_bytes).unwrap_or_default());
        }
        Ok(n_bytes)
    }
}

#[cfg(test)]
mod tests;
