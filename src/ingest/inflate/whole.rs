//! Small files: read whole, inflated whole.

use std::{
    io::{self, Cursor, Read},
    sync::{Arc, atomic::Ordering},
};

use memchr::memmem;
use sha2::{Digest as _, Sha256};

use super::{
    Digest, Fault, GZIP_MAGIC, InflateLimits, MAX_LAYERS, Meters, archive,
    deflate::{Framing, Inflater},
    foreign,
    input::Input,
    text, unpacked,
};
use crate::source::Stored;

/// A worker's buffers, used for one file after the other.
pub(crate) struct Scratch {
    libdeflate: libdeflater::Decompressor,
    pub(super) stored: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) spare: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            libdeflate: libdeflater::Decompressor::new(),
            stored: Vec::new(),
            data: Vec::new(),
            spare: Vec::new(),
        }
    }
}

/// A small file, whole.
#[derive(Debug)]
pub(crate) enum Whole<'a> {
    /// Something the framer looks into.
    Data {
        /// The bytes of the log; up to the fault, where there is one.
        data: &'a [u8],
        /// Hashes and counts.
        digest: Digest,
        /// Where in `data` the first gzip member ends, if it is gzip.
        first_member_end: u64,
        /// What is wrong with the stored bytes.
        fault: Option<Fault>,
    },
    /// An archive.
    Archive,
    /// Packed by something this build does not unpack.
    Foreign(&'static str, Digest),
    /// More than `max_bytes`, stored or inflated.
    TooBig,
}

/// What one layer of gzip gave.
struct Inflated {
    gzip_members: u32,
    first_member_end: u64,
    fault: Option<Fault>,
}

/// Reads a file that should be no longer than `max_bytes`, inflated included.
pub(crate) fn whole(
    stored: Stored,
    size_hint: u64,
    max_bytes: usize,
    limits: InflateLimits,
    scratch: &mut Scratch,
) -> io::Result<Whole<'_>> {
    let meters = Arc::new(Meters::default());
    let mut reader = unpacked(stored, limits, &meters);
    scratch.stored.clear();
    scratch.stored.reserve(usize::try_from(size_hint).unwrap_or(max_bytes).min(max_bytes) + 1);
    let mut fault = match read_capped(&mut *reader, max_bytes, &mut scratch.stored) {
        Ok(true) => None,
        Ok(false) => return Ok(Whole::TooBig),
        Err(error) => Some(Fault::of(&error).cloned().ok_or(error)?),
    };
    let sha256: [u8; 32] = Sha256::digest(&scratch.stored).into();
    std::mem::swap(&mut scratch.stored, &mut scratch.data);
    let (mut gzip_members, mut first_member_end) = (0, u64::MAX);
    for _layer in 0..MAX_LAYERS {
        if !scratch.data.starts_with(&GZIP_MAGIC) {
            break;
        }
        let Some(layer) = inflate_layer(max_bytes, limits, scratch)? else {
            return Ok(Whole::TooBig);
        };
        std::mem::swap(&mut scratch.data, &mut scratch.spare);
        (gzip_members, first_member_end) = (layer.gzip_members, layer.first_member_end);
        fault = fault.or(layer.fault);
    }
    let digest = Digest {
        sha256,
        sha256_inflated: Some(if gzip_members == 0 && fault.is_none() {
            sha256
        } else {
            Sha256::digest(&scratch.data).into()
        }),
        inflated_bytes: scratch.data.len() as u64,
        gzip_members,
    };
    let head = scratch.data.get(..archive::SNIFF_BYTES).unwrap_or(&scratch.data);
    if archive::sniff(head).is_some() {
        return Ok(Whole::Archive);
    }
    if let Some(name) = foreign(head) {
        return Ok(Whole::Foreign(name, digest));
    }
    if let Some(order) = text::Utf16::of_mark(head) {
        scratch.spare.clear();
        let mut converter = text::Converter::new(order);
        converter.push(&scratch.data, &mut scratch.spare);
        converter.finish(&mut scratch.spare);
        std::mem::swap(&mut scratch.data, &mut scratch.spare);
    }
    Ok(Whole::Data { data: &scratch.data, digest, first_member_end, fault })
}

/// Inflates `scratch.data` into `scratch.spare`; `None` where it is longer than `max_bytes`.
fn inflate_layer(
    max_bytes: usize,
    limits: InflateLimits,
    scratch: &mut Scratch,
) -> io::Result<Option<Inflated>> {
    if let Some(n_bytes) = single_member(max_bytes, limits, scratch) {
        let first_member_end = n_bytes as u64;
        return Ok(Some(Inflated { gzip_members: 1, first_member_end, fault: None }));
    }
    let meters = Arc::new(Meters::default());
    // The ratio counts from 64 MiB on, which a small file does not reach.
    let packed = std::mem::take(&mut scratch.data);
    meters.packed.store(packed.len() as u64, Ordering::Relaxed);
    let input = Input::new(Box::new(Cursor::new(packed)));
    let mut inflater = Inflater::new(input, Framing::Gzip, limits, meters);
    let layer = Arc::clone(inflater.layer());
    scratch.spare.clear();
    let fault = match read_capped(&mut inflater, max_bytes, &mut scratch.spare) {
        Ok(true) => None,
        Ok(false) => return Ok(None),
        Err(error) => Some(Fault::of(&error).cloned().ok_or(error)?),
    };
    Ok(Some(Inflated {
        gzip_members: layer.n_members.load(Ordering::Relaxed),
        first_member_end: layer.first_end.load(Ordering::Relaxed),
        fault,
    }))
}

/// Inflates by libdeflate, at twice the speed, where the data is one whole member; `None` where
/// it is anything else, which the streaming inflater then tells apart.
pub(super) fn single_member(
    max_bytes: usize,
    limits: InflateLimits,
    scratch: &mut Scratch,
) -> Option<usize> {
    let packed = scratch.data.as_slice();
    let trailer: [u8; 8] = *packed.last_chunk()?;
    let [crc, size] = [trailer.first_chunk::<4>()?, trailer.last_chunk::<4>()?];
    let n_bytes = usize::try_from(u32::from_le_bytes(*size)).ok()?;
    if n_bytes > max_bytes || n_bytes as u64 > limits.max_bytes {
        return None;
    }
    scratch.spare.clear();
    scratch.spare.resize(n_bytes, 0);
    let inflated = scratch.libdeflate.gzip_decompress(packed, &mut scratch.spare).ok()?;
    // It checked the trailer behind the first member, and does not say where that is. It is the one
    // at the end if that one fits and no other like it comes before.
    let before = packed.get(..packed.len() - 1)?;
    let ends_there = inflated == n_bytes
        && libdeflater::crc32(&scratch.spare) == u32::from_le_bytes(*crc)
        && memmem::find(before, &trailer).is_none();
    ends_there.then_some(n_bytes)
}

/// Reads all of `reader`, if it is no more than `max_bytes`. What was read before an error stays.
pub(super) fn read_capped(
    reader: &mut dyn Read,
    max_bytes: usize,
    out: &mut Vec<u8>,
) -> io::Result<bool> {
    io::copy(&mut reader.take(max_bytes as u64 + 1), out)?;
    Ok(out.len() <= max_bytes)
}
