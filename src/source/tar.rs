//! Tar archives: one scan over the headers, then members read by position.

use std::{
    io::{self, BufReader},
    sync::Arc,
};

use ::tar::{Archive, EntryType};

use super::{
    Why, Window,
    archive::{Gather, Member, Stretch},
};

/// Bytes read at once while scanning headers.
const HEADER_BUFFER_BYTES: usize = 8 << 10;

/// Whether `head` begins with a tar header: 512 bytes whose checksum is right.
///
/// That holds for every tar since Unix v7; the word `ustar` only for later ones.
pub(super) fn is_header(head: &[u8]) -> bool {
    let (Some(block), Some(&first)) = (head.get(..512), head.first()) else { return false };
    let Some(field) = block.get(148..156) else { return false };
    let octal: String = field
        .iter()
        .map(|&byte| char::from(byte))
        .skip_while(|&digit| digit == ' ')
        .take_while(char::is_ascii_digit)
        .collect();
    let Ok(checksum) = u32::from_str_radix(&octal, 8) else { return false };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, &byte)| if (148..156).contains(&at) { u32::from(b' ') } else { byte.into() })
        .sum();
    first != 0 && sum == checksum
}

/// Gathers the members in their order. A damaged header ends the scan: what it hides is not
/// reached, and the damage says where.
pub(super) fn members(window: &Window, gather: &mut Gather<'_>) -> io::Result<()> {
    let reader = BufReader::with_capacity(HEADER_BUFFER_BYTES, window.reader()?);
    let mut archive = Archive::new(reader);
    let mut end = 0_u64;
    for entry in archive.entries_with_seek()? {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                gather.members.damage = Some((end, format!("the tar archive is damaged: {error}")));
                return Ok(());
            }
        };
        let (start, size) = (entry.raw_file_position(), entry.size());
        end = start.saturating_add(size);
        let name = entry.path_bytes();
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                let modified_at = entry.header().mtime().ok().and_then(|seconds| {
                    i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000))
                });
                if end > window.len() {
                    let reason =
                        format!("the tar archive ends inside `{}`", super::local::escaped(&name));
                    gather.members.damage = Some((window.len(), reason));
                }
                gather.push(Member {
                    name: &name,
                    size_bytes: size,
                    modified_at,
                    etag: None,
                    opener: Arc::new(Stretch { window: window.slice(start, size) }),
                });
            }
            EntryType::GNUSparse => {
                gather.unread(
                    &name,
                    Why::Fault("sparse tar member, which trailhound does not read".to_owned()),
                );
            }
            EntryType::Symlink | EntryType::Link => {
                gather.unread(&name, Why::Other("link in an archive".to_owned()));
            }
            // Directories, devices, pax records: nothing that could hold logs.
            _ => {}
        }
    }
    Ok(())
}
