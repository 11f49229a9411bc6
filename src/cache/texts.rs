//! The distinct texts of a column, from the dictionaries of Parquet files: no rows are read.
//!
//! A column chunk begins with the page of its dictionary, some kilobytes that stand for 131,072
//! rows. So what a column of ten million rows holds is known after a few hundred small reads.

use std::{
    collections::HashMap,
    io::{Cursor, Read as _, Seek as _, SeekFrom},
    ops::Range,
    sync::Arc,
};

use bytes::{Buf as _, Bytes};
use parquet::{
    arrow::async_reader::AsyncFileReader as _,
    basic::Encoding,
    column::page::{Page, PageReader as _},
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
        reader::{ChunkReader, Length},
        serialized_reader::SerializedPageReader,
        statistics::Statistics,
    },
};

use super::DataFile;
use crate::{Result, error::BoxError};

/// The largest dictionary that is looked into, in bytes as stored. The encoder's own bound is a
/// megabyte before compression.
const MAX_DICTIONARY_BYTES: u64 = 4 << 20;

/// Gives each distinct text of the leaves `leaves` (paths with dots) of `file` to `each`, with the
/// leaf's place in `leaves`; a text may come once for each row group. The places of those leaves
/// of which some rows have no dictionary, so that texts may be missing.
///
/// # Errors
/// The file cannot be read.
pub(super) fn of_file(
    file: &DataFile,
    leaves: &[&str],
    each: &mut dyn FnMut(usize, &str),
) -> Result<Vec<usize>> {
    read(file, leaves, each).map_err(|source| file.folder.failed(&file.name, source))
}

fn read(
    file: &DataFile,
    leaves: &[&str],
    each: &mut dyn FnMut(usize, &str),
) -> Result<Vec<usize>, BoxError> {
    let places: HashMap<&str, usize> =
        leaves.iter().enumerate().map(|(place, leaf)| (*leaf, place)).collect();
    let (metadata, bytes, ranges);
    if let Some(mut remote) = file.folder.remote_file(&file.name, file.size_bytes)? {
        let reached = Arc::clone(remote.remote());
        let names: Vec<String> = leaves.iter().map(|leaf| (*leaf).to_owned()).collect();
        (metadata, ranges, bytes) = reached.wait(async move {
            let metadata = remote.get_metadata(None).await?;
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let ranges: Vec<Range<u64>> =
                dictionaries(&metadata, &names).into_iter().map(|(_, _, range)| range).collect();
            let bytes = remote.get_byte_ranges(ranges.clone()).await?;
            Ok((metadata, ranges, bytes))
        })?;
    } else {
        let mut opened = file.folder.open(&file.name)?;
        metadata = Arc::new(ParquetMetaDataReader::new().parse_and_finish(&opened)?);
        ranges = dictionaries(&metadata, leaves).into_iter().map(|(_, _, range)| range).collect();
        let mut read = Vec::new();
        for range in &ranges {
            opened.seek(SeekFrom::Start(range.start))?;
            let mut page = vec![0; usize::try_from(range.end - range.start)?];
            opened.read_exact(&mut page)?;
            read.push(Bytes::from(page));
        }
        bytes = read;
    }
    let mut partial = without_dictionary(&metadata, &places);
    let found = dictionaries(&metadata, leaves);
    for (((leaf, chunk, _), range), bytes) in found.into_iter().zip(ranges).zip(bytes) {
        let Some(place) = places.get(leaf.as_str()) else { continue };
        let part = Arc::new(Part { start: range.start, bytes });
        if !texts(part, chunk, &mut |text| each(*place, text))? {
            partial.push(*place);
        }
    }
    partial.sort_unstable();
    partial.dedup();
    Ok(partial)
}

/// The column chunks of `leaves` that begin with a dictionary, and where it lies.
fn dictionaries<'m>(
    metadata: &'m ParquetMetaData,
    leaves: &[&str],
) -> Vec<(String, &'m ColumnChunkMetaData, Range<u64>)> {
    let mut found = Vec::new();
    for group in metadata.row_groups() {
        for chunk in group.columns() {
            let path = chunk.column_path().string();
            if let Some(range) = dictionary(chunk)
                && leaves.contains(&path.as_str())
            {
                found.push((path, chunk, range));
            }
        }
    }
    found
}

/// Where the dictionary of `chunk` lies.
fn dictionary(chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let start = u64::try_from(chunk.dictionary_page_offset()?).ok()?;
    let end = u64::try_from(chunk.data_page_offset()).ok()?;
    (start < end && end - start <= MAX_DICTIONARY_BYTES).then_some(start..end)
}

/// The places of the leaves that have texts in a chunk without a dictionary, or behind it.
fn without_dictionary(metadata: &ParquetMetaData, places: &HashMap<&str, usize>) -> Vec<usize> {
    let mut partial = Vec::new();
    for chunk in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        let Some(place) = places.get(chunk.column_path().string().as_str()) else { continue };
        let is_empty = chunk
            .statistics()
            .and_then(Statistics::null_count_opt)
            .is_some_and(|nulls| nulls == chunk.num_values().unsigned_abs());
        // Pages behind a dictionary that grew too large hold their texts themselves.
        let is_mixed = chunk.page_encoding_stats_mask().is_some_and(|mask| {
            !mask.is_only(Encoding::RLE_DICTIONARY) && !mask.is_only(Encoding::PLAIN_DICTIONARY)
        });
        if !is_empty && (dictionary(chunk).is_none() || is_mixed) {
            partial.push(*place);
        }
    }
    partial
}

/// Gives the texts of the dictionary that `part` holds; whether it could be read.
fn texts(
    part: Arc<Part>,
    chunk: &ColumnChunkMetaData,
    each: &mut dyn FnMut(&str),
) -> Result<bool, BoxError> {
    let mut pages = SerializedPageReader::new(part, chunk, 0, None)?;
    let Some(Page::DictionaryPage { buf, num_values, .. }) = pages.get_next_page()? else {
        return Ok(false);
    };
    let mut rest = buf;
    for _ in 0..num_values {
        if rest.remaining() < 4 {
            return Ok(false);
        }
        let length = usize::try_from(rest.get_u32_le())?;
        if rest.remaining() < length {
            return Ok(false);
        }
        let text = rest.split_to(length);
        if let Ok(text) = std::str::from_utf8(&text) {
            each(text);
        }
    }
    Ok(true)
}

/// A part of a file.
struct Part {
    start: u64,
    bytes: Bytes,
}

impl Length for Part {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Part {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut reader = Cursor::new(self.bytes.clone());
        reader.set_position(start.saturating_sub(self.start));
        Ok(reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let outside = || ParquetError::EOF("a dictionary ends early".to_owned());
        let at = usize::try_from(start.saturating_sub(self.start)).map_err(|_too_far| outside())?;
        let end = at.checked_add(length).ok_or_else(outside)?;
        if end > self.bytes.len() { Err(outside()) } else { Ok(self.bytes.slice(at..end)) }
    }
}
