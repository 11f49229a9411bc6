//! The first gzip member of a file, exactly: what CloudTrail delivered, and so what digests hash.
//!
//! The same inflating that reads the logs; but where ingest goes on to what was appended, and marks
//! it, a validator must know where the delivery ends.

use std::{
    io::{self, Read},
    sync::{Arc, atomic::Ordering},
};

use sha2::{Digest as _, Sha256};

use super::{
    Fault, GZIP_MAGIC, InflateLimits, Meters, Scratch, Shared,
    deflate::{Framing, Inflater},
    input::Input,
    lock, unpacked,
    whole::{read_capped, single_member},
};
use crate::source::Stored;

/// What the first gzip member of a file holds, or the file where it is no gzip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct First {
    /// SHA-256 of the stored bytes, all of them.
    pub(crate) sha256: [u8; 32],
    /// SHA-256 of the member's inflated bytes, as far as they came out.
    pub(crate) sha256_inflated: [u8; 32],
    /// How many those are.
    pub(crate) inflated_bytes: u64,
    /// Whether the file is gzip at all.
    pub(crate) is_gzip: bool,
    /// Whether bytes follow the member.
    pub(crate) trailing: bool,
    /// What is wrong with the member.
    pub(crate) fault: Option<Fault>,
}

/// Reads the first gzip member of a file of about `size_hint` bytes, and hashes it. `look` is given
/// its inflated bytes, whole where they are no more than `max_bytes`, else piece by piece.
pub(crate) fn first_member(
    stored: Stored,
    size_hint: u64,
    max_bytes: usize,
    limits: InflateLimits,
    scratch: &mut Scratch,
    look: &mut dyn FnMut(&[u8]),
) -> io::Result<First> {
    let meters = Arc::new(Meters::default());
    let mut reader = unpacked(stored, limits, &meters);
    scratch.stored.clear();
    scratch.stored.reserve(usize::try_from(size_hint).unwrap_or(max_bytes).min(max_bytes) + 1);
    let is_whole = match read_capped(&mut *reader, max_bytes, &mut scratch.stored) {
        Ok(is_whole) => is_whole,
        // What came before is all there is.
        Err(error) if Fault::of(&error).is_some() => true,
        Err(error) => return Err(error),
    };
    std::mem::swap(&mut scratch.stored, &mut scratch.data);
    let is_gzip = scratch.data.starts_with(&GZIP_MAGIC);
    if is_whole && is_gzip && single_member(max_bytes, limits, scratch).is_some() {
        look(&scratch.spare);
        return Ok(First {
            sha256: Sha256::digest(&scratch.data).into(),
            sha256_inflated: Sha256::digest(&scratch.spare).into(),
            inflated_bytes: scratch.spare.len() as u64,
            is_gzip,
            trailing: false,
            fault: None,
        });
    }
    let read = std::mem::take(&mut scratch.data);
    let bottom = Shared::new(Box::new(io::Cursor::new(read).chain(reader)), &meters);
    streamed(bottom, limits, &meters, look)
}

fn streamed(
    mut bottom: Shared,
    limits: InflateLimits,
    meters: &Arc<Meters>,
    look: &mut dyn FnMut(&[u8]),
) -> io::Result<First> {
    let mut input = Input::new(Box::new(bottom.clone()));
    let is_gzip = input.look(GZIP_MAGIC.len()).starts_with(&GZIP_MAGIC);
    let mut member = Member::new(input, is_gzip, limits, Arc::clone(meters));
    let mut hasher = Sha256::new();
    let (mut inflated_bytes, mut fault) = (0, None);
    let mut buf = vec![0; 256 << 10];
    loop {
        match member.read(&mut buf) {
            Ok(0) => break,
            Ok(n_bytes) => {
                let bytes = buf.get(..n_bytes).unwrap_or_default();
                hasher.update(bytes);
                look(bytes);
                inflated_bytes += n_bytes as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                fault = Some(Fault::of(&error).cloned().ok_or(error)?);
                break;
            }
        }
    }
    let trailing = fault.is_none() && member.is_followed();
    // What is left, for the hash of the stored bytes.
    loop {
        match bottom.read(&mut buf) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if Fault::of(&error).is_some() => break,
            Err(error) => return Err(error),
        }
    }
    let sha256 = lock(&meters.stored_hash).clone().finalize().into();
    let sha256_inflated = hasher.finalize().into();
    Ok(First { sha256, sha256_inflated, inflated_bytes, is_gzip, trailing, fault })
}

/// A reader of the first member, or of what is no gzip.
enum Member {
    Gzip(Box<Inflater>),
    Plain(Input),
}

impl Member {
    fn new(input: Input, is_gzip: bool, limits: InflateLimits, meters: Arc<Meters>) -> Self {
        if is_gzip {
            Self::Gzip(Box::new(Inflater::new(input, Framing::Gzip, limits, meters)))
        } else {
            Self::Plain(input)
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buf),
            // Once the first is whole, the next call would go on to what follows it.
            Self::Gzip(inflater) if inflater.layer().n_members.load(Ordering::Relaxed) > 0 => Ok(0),
            Self::Gzip(inflater) => inflater.read_member(buf),
        }
    }

    fn is_followed(&mut self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Gzip(inflater) => inflater.has_more(),
        }
    }
}
