//! Zip archives: the central directory, and members read by position.

use std::{
    io::{self, BufReader, Read as _},
    sync::Arc,
};

// The reader that is called stable keeps members by name, and so loses those whose name occurs
// twice.
use ::zip::{CompressionMethod, read::Config, unstable::read::ZipIterable};

use super::{
    LogFile, Open, Stored, Why, Window,
    archive::{Gather, Member},
};

/// Bytes read at once from the central directory.
const DIRECTORY_BUFFER_BYTES: usize = 64 << 10;

/// Gathers the members that the central directory names, in its order, names that occur twice
/// included.
pub(super) fn members(window: &Window, gather: &mut Gather<'_>) -> io::Result<()> {
    let reader = BufReader::with_capacity(DIRECTORY_BUFFER_BYTES, window.reader()?);
    let mut archive = ZipIterable::try_new(reader, Config::default()).map_err(io_error)?;
    let n_members = archive.len();
    for (n_listed, entry) in archive.files().map_err(io_error)?.enumerate() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let reason = format!(
                    "the zip archive's directory is damaged after {n_listed} of {n_members} \
                     members: {error}"
                );
                gather.members.damage = Some((0, reason));
                return Ok(());
            }
        };
        if entry.is_dir() {
            continue;
        }
        let name = entry.name_raw();
        if entry.is_symlink() {
            gather.unread(name, Why::Other("symbolic link in an archive".to_owned()));
            continue;
        }
        if entry.encrypted() {
            gather.unread(name, Why::Fault("encrypted zip member".to_owned()));
            continue;
        }
        let deflated = match entry.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => {
                let method = method_name(other);
                let why =
                    format!("zip member compressed with {method}, which trailhound does not read");
                gather.unread(name, Why::Fault(why));
                continue;
            }
        };
        let crc32 = entry.crc32();
        gather.push(Member {
            name,
            size_bytes: entry.size(),
            modified_at: entry.last_modified().and_then(micros),
            etag: Some(format!("crc32:{crc32:08x}").into()),
            opener: Arc::new(Packed {
                archive: window.clone(),
                header_start: entry.header_start(),
                packed_bytes: entry.compressed_size(),
                deflated,
                crc32,
            }),
        });
    }
    Ok(())
}

/// What a method of compression is called.
/// <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, 4.4.5
fn method_name(method: CompressionMethod) -> String {
    const NAMES: [(u16, &str); 7] = [
        (1, "shrink"),
        (6, "implode"),
        (9, "deflate64"),
        (12, "bzip2"),
        (14, "lzma"),
        (93, "zstd"),
        (95, "xz"),
    ];
    #[expect(deprecated, reason = "the number of a method without a constant is nowhere else")]
    let CompressionMethod::Unsupported(number) = method else { return format!("{method:?}") };
    NAMES
        .iter()
        .find(|(known, _name)| *known == number)
        .map_or_else(|| format!("method {number}"), |(_number, name)| (*name).to_owned())
}

fn io_error(error: ::zip::result::ZipError) -> io::Error {
    match error {
        ::zip::result::ZipError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}

/// The time of a member. Zip keeps local time without a zone; it is taken as UTC, for it serves
/// only to see whether the member changed.
fn micros(at: ::zip::DateTime) -> Option<i64> {
    let date =
        chrono::NaiveDate::from_ymd_opt(at.year().into(), at.month().into(), at.day().into())?;
    let time = date.and_hms_opt(at.hour().into(), at.minute().into(), at.second().into())?;
    Some(time.and_utc().timestamp_micros())
}

/// A member, found by its place in the archive.
#[expect(clippy::struct_field_names, reason = "packed bytes are those of the archive")]
struct Packed {
    archive: Window,
    header_start: u64,
    packed_bytes: u64,
    deflated: bool,
    crc32: u32,
}

impl Packed {
    /// Its packed bytes: they follow the local header, whose length only it tells.
    fn data(&self) -> io::Result<Window> {
        const HEADER_BYTES: usize = 30;
        let mut header = [0_u8; HEADER_BYTES];
        self.archive
            .slice(self.header_start, HEADER_BYTES as u64)
            .reader()?
            .read_exact(&mut header)?;
        let [b'P', b'K', 3, 4, .., n0, n1, e0, e1] = header else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the zip archive has no member where its directory says",
            ));
        };
        let name_bytes = u64::from(u16::from_le_bytes([n0, n1]));
        let extra_bytes = u64::from(u16::from_le_bytes([e0, e1]));
        let start =
            self.header_start.saturating_add(HEADER_BYTES as u64 + name_bytes + extra_bytes);
        Ok(self.archive.slice(start, self.packed_bytes))
    }
}

impl Open for Packed {
    fn open(&self, _file: &LogFile) -> io::Result<Stored> {
        let reader = Box::new(self.data()?.reader()?);
        Ok(Stored { reader, deflated: self.deflated, crc32: Some(self.crc32), head: None })
    }

    fn window(&self, _file: &LogFile) -> io::Result<Option<Window>> {
        if self.deflated { Ok(None) } else { self.data().map(Some) }
    }
}
