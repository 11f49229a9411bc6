//! Which rows of a chunk are copies: of one another, or of rows that are in the cache.
//!
//! Equal records share their time and their id, so only rows that share both are compared, and
//! in the cache only what lies at those times is looked at: first by a few columns, then the
//! candidates by all columns of the record itself.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray as _, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray, UInt32Array,
    },
    compute::take,
    datatypes::{Int32Type, Int64Type, TimestampMicrosecondType},
    row::{RowConverter, SortField},
};

use crate::{
    ErrorKind, Result,
    cache::{Cache, Snapshot, Table},
    error::BoxError,
    logs::cloudtrail::{
        decode::{Rows, SortKey},
        schema,
    },
};

/// Rows whose content is compared at once: bounds the memory for it.
const SLICE_ROWS: usize = 4096;

/// Stretches of time to look at in the cache. More of them would cost more than they spare.
const MAX_RANGES: usize = 512;

/// A row: (batch, row).
pub(super) type At = (u32, u32);

/// Where a row of the cache came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub(super) file: Arc<str>,
    pub(super) version: i32,
    pub(super) record_no: i64,
}

/// The row that stays when another is a copy of it.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// One of this chunk.
    Here(SortKey),
    /// One of the cache.
    Cached(Origin),
}

/// A record that is a copy.
#[derive(Debug, Clone)]
pub(super) struct Duplicate {
    pub(super) key: SortKey,
    pub(super) at: At,
    pub(super) kept: Kept,
}

/// What is to become of the rows of a chunk.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// The rows to store, in their order.
    pub(super) order: Vec<At>,
    /// The records that are stored, or are in the cache as themselves: one key each.
    pub(super) written: Vec<SortKey>,
    pub(super) duplicates: Vec<Duplicate>,
}

/// How records of a table are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A row is a record.
    Events,
    /// Several rows are one, and each carries its text.
    Aggregated,
}

impl Target {
    fn table(self) -> Table {
        match self {
            Self::Events => Table::Events,
            Self::Aggregated => Table::Aggregated,
        }
    }

    /// What equal records share; cheap to read.
    fn identity(self) -> &'static [&'static str] {
        match self {
            Self::Events => &["recipientaccountid", "eventid"],
            Self::Aggregated => &["eventjson"],
        }
    }

    /// The columns of the record itself: not what wrapped it, nor where it lay.
    fn content(self) -> Vec<&'static str> {
        match self {
            Self::Events => schema::content_columns().map(|column| column.name).collect(),
            Self::Aggregated => vec!["eventjson"],
        }
    }
}

/// A chunk's rows and what surrounds them.
pub(super) struct Question<'a> {
    pub(super) target: Target,
    pub(super) batches: &'a [Arc<Rows>],
    /// Whether a row is in the chunk at all.
    pub(super) is_in: &'a dyn Fn(&SortKey) -> bool,
    /// The file and version of a row.
    pub(super) origin: &'a dyn Fn(&SortKey) -> Option<Origin>,
    pub(super) cache: &'a Cache,
    pub(super) snapshot: &'a Snapshot,
}

/// A record: one entry, or the neighbouring entries of several rows.
struct Unit {
    key: SortKey,
    at: At,
    /// Its rows among the entries.
    rows: std::ops::Range<usize>,
    /// A hash of its time and identity.
    lookup: u64,
}

/// A row of the cache that may be equal.
struct Copy {
    content: [u8; 32],
    origin: Origin,
}

/// Sorts the rows, and says of each whether it stays.
pub(super) fn verdicts(question: &Question<'_>) -> Result<Verdicts> {
    let entries = sorted(question);
    if entries.is_empty() {
        return Ok(Verdicts::default());
    }
    let hasher = RandomState::new();
    let units = units(question, &entries, &hasher)?;
    let copies = cached(question, &units, &hasher)?;
    let contents = contents(question, &units, &copies)?;
    Ok(decide(question, &entries, &units, &copies, &contents))
}

fn sorted(question: &Question<'_>) -> Vec<(SortKey, At)> {
    let n_rows = question.batches.iter().map(|rows| rows.keys.len()).sum();
    let mut entries = Vec::with_capacity(n_rows);
    for (batch, rows) in (0_u32..).zip(question.batches) {
        let kept = (0_u32..).zip(&rows.keys).filter(|(_row, key)| (question.is_in)(key));
        entries.extend(kept.map(|(row, key)| (*key, (batch, row))));
    }
    entries.sort_unstable();
    entries
}

fn units(
    question: &Question<'_>,
    entries: &[(SortKey, At)],
    hasher: &RandomState,
) -> Result<Vec<Unit>> {
    let identities = question
        .batches
        .iter()
        .map(|rows| Identity::of(&rows.batch, question.target))
        .collect::<Result<Vec<_>>>()?;
    let mut units: Vec<Unit> = Vec::with_capacity(entries.len());
    for (index, (key, at)) in entries.iter().enumerate() {
        if let Some(last) = units.last_mut()
            && last.key == *key
        {
            last.rows.end = index + 1;
            continue;
        }
        let lookup = identities
            .get(at.0 as usize)
            .map_or(0, |identity| identity.lookup(hasher, key.ts, at.1 as usize));
        units.push(Unit { key: *key, at: *at, rows: index..index + 1, lookup });
    }
    Ok(units)
}

/// The columns that equal records share.
struct Identity<'a>(Vec<&'a StringArray>);

impl<'a> Identity<'a> {
    fn of(batch: &'a RecordBatch, target: Target) -> Result<Self> {
        let columns = target.identity().iter().map(|name| strings(batch, name));
        Ok(Self(columns.collect::<Result<_>>()?))
    }

    fn lookup(&self, hasher: &RandomState, ts: i64, row: usize) -> u64 {
        let mut state = hasher.build_hasher();
        state.write_i64(ts);
        for column in &self.0 {
            if column.is_null(row) {
                state.write_u8(0);
            } else {
                state.write_u8(1);
                state.write(column.value(row).as_bytes());
                state.write_u8(0xff);
            }
        }
        state.finish()
    }
}

/// Hashes that are random already.
#[derive(Default)]
struct Identical(u64);

impl Hasher for Identical {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Lookups<V> = HashMap<u64, V, std::hash::BuildHasherDefault<Identical>>;

/// The rows of the cache that share time and identity with rows of the chunk.
fn cached(
    question: &Question<'_>,
    units: &[Unit],
    hasher: &RandomState,
) -> Result<Lookups<Vec<Copy>>> {
    let mut copies = Lookups::<Vec<Copy>>::default();
    let Question { target, cache, snapshot, .. } = *question;
    if snapshot.files(target.table()).is_empty() {
        return Ok(copies);
    }
    let wanted: HashSet<u64, std::hash::BuildHasherDefault<Identical>> =
        units.iter().map(|unit| unit.lookup).collect();
    let mut columns = vec!["event_ts"];
    columns.extend(target.identity());
    let mut found: Vec<(i64, u64)> = Vec::new();
    let all = ranges(&units.iter().map(|unit| unit.key.ts));
    cache.read(snapshot, target.table(), &columns, Some(&all), &mut |batch| {
        found.extend(matches(&batch, target, hasher, &wanted)?.map(|(_row, ts, hash)| (ts, hash)));
        Ok(())
    })?;
    if found.is_empty() {
        return Ok(copies);
    }
    found.sort_unstable();
    let hits = found.iter().map(|&(_ts, lookup)| lookup).collect();
    let at = ranges(&found.iter().map(|&(ts, _lookup)| ts));
    let content = target.content();
    columns.extend(["source_file", "source_version", "record_no"]);
    columns.extend(content.iter().filter(|name| !target.identity().contains(name)));
    let files = RefCell::new(HashMap::<String, Arc<str>>::new());
    cache.read(snapshot, target.table(), &columns, Some(&at), &mut |batch| {
        let hits: Vec<_> = matches(&batch, target, hasher, &hits)?.collect();
        let rows: Vec<u32> = hits.iter().map(|&(row, _ts, _lookup)| row).collect();
        let hashes = content_hashes(&batch, &content, &rows)?;
        for ((row, _ts, lookup), content) in hits.into_iter().zip(hashes) {
            let origin = origin_of(&batch, row as usize, &mut files.borrow_mut())?;
            copies.entry(lookup).or_default().push(Copy { content, origin });
        }
        Ok(())
    })?;
    for list in copies.values_mut() {
        list.sort_unstable_by(|a, b| a.origin.cmp(&b.origin));
    }
    Ok(copies)
}

/// The rows of `batch` whose lookup is wanted: (row, time, lookup).
fn matches<'a>(
    batch: &'a RecordBatch,
    target: Target,
    hasher: &'a RandomState,
    wanted: &'a HashSet<u64, std::hash::BuildHasherDefault<Identical>>,
) -> Result<impl Iterator<Item = (u32, i64, u64)> + 'a> {
    let identity = Identity::of(batch, target)?;
    let times: &TimestampMicrosecondArray = batch
        .column_by_name("event_ts")
        .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
        .ok_or_else(|| missing("event_ts"))?;
    let n_rows = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX);
    Ok((0..n_rows).filter_map(move |row| {
        let index = row as usize;
        let ts = if times.is_null(index) { i64::MIN } else { times.value(index) };
        let lookup = identity.lookup(hasher, ts, index);
        wanted.contains(&lookup).then_some((row, ts, lookup))
    }))
}

fn origin_of(
    batch: &RecordBatch,
    row: usize,
    files: &mut HashMap<String, Arc<str>>,
) -> Result<Origin> {
    let name = strings(batch, "source_file")?.value(row);
    let file = match files.get(name) {
        Some(file) => Arc::clone(file),
        None => Arc::clone(files.entry(name.to_owned()).or_insert_with(|| Arc::from(name))),
    };
    let version: &Int32Array = batch
        .column_by_name("source_version")
        .and_then(|column| column.as_primitive_opt::<Int32Type>())
        .ok_or_else(|| missing("source_version"))?;
    let record_no: &Int64Array = batch
        .column_by_name("record_no")
        .and_then(|column| column.as_primitive_opt::<Int64Type>())
        .ok_or_else(|| missing("record_no"))?;
    Ok(Origin { file, version: version.value(row), record_no: record_no.value(row) })
}

/// Stretches of time that hold all of `times`, which are sorted: sorted, disjoint, and no more
/// than are worth it.
fn ranges(times: &(impl Iterator<Item = i64> + Clone)) -> Vec<(i64, i64)> {
    const SECOND: i64 = 1_000_000;
    let mut gap = 60 * SECOND;
    loop {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for ts in times.clone() {
            match ranges.last_mut() {
                Some((_start, end)) if ts.saturating_sub(*end) <= gap && *end != i64::MIN => {
                    *end = ts;
                }
                Some((_start, end)) if *end == ts => {}
                _ => ranges.push((ts, ts)),
            }
        }
        if ranges.len() <= MAX_RANGES {
            return ranges;
        }
        gap = gap.saturating_mul(2);
    }
}

/// Hashes of the content of those units that may have an equal.
fn contents(
    question: &Question<'_>,
    units: &[Unit],
    copies: &Lookups<Vec<Copy>>,
) -> Result<HashMap<At, [u8; 32]>> {
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); question.batches.len()];
    for group in units.chunk_by(same_identity) {
        for unit in group {
            if (group.len() > 1 || copies.contains_key(&unit.lookup))
                && let Some(rows) = rows.get_mut(unit.at.0 as usize)
            {
                rows.push(unit.at.1);
            }
        }
    }
    let columns = question.target.content();
    let mut contents = HashMap::new();
    for ((batch, source), rows) in (0_u32..).zip(question.batches).zip(&rows) {
        let hashes = content_hashes(&source.batch, &columns, rows)?;
        contents.extend(rows.iter().zip(hashes).map(|(&row, hash)| ((batch, row), hash)));
    }
    Ok(contents)
}

fn same_identity(a: &Unit, b: &Unit) -> bool {
    (a.key.ts, a.key.id) == (b.key.ts, b.key.id)
}

fn decide(
    question: &Question<'_>,
    entries: &[(SortKey, At)],
    units: &[Unit],
    copies: &Lookups<Vec<Copy>>,
    contents: &HashMap<At, [u8; 32]>,
) -> Verdicts {
    let mut verdicts = Verdicts { order: Vec::with_capacity(entries.len()), ..Verdicts::default() };
    let mut seen: HashMap<[u8; 32], SortKey> = HashMap::new();
    for group in units.chunk_by(same_identity) {
        seen.clear();
        for unit in group {
            let content = contents.get(&unit.at);
            let mut equal = copies
                .get(&unit.lookup)
                .into_iter()
                .flatten()
                .filter(|copy| Some(&copy.content) == content)
                .peekable();
            let own = (question.origin)(&unit.key);
            let (key, at) = (unit.key, unit.at);
            if let Some(first) = equal.peek() {
                let kept = Kept::Cached(first.origin.clone());
                if equal.any(|copy| Some(&copy.origin) == own.as_ref()) {
                    verdicts.written.push(key);
                } else {
                    verdicts.duplicates.push(Duplicate { key, at, kept });
                }
                continue;
            }
            if let Some(content) = content {
                if let Some(first) = seen.get(content) {
                    verdicts.duplicates.push(Duplicate { key, at, kept: Kept::Here(*first) });
                    continue;
                }
                seen.insert(*content, key);
            }
            verdicts.written.push(key);
            let rows = entries.get(unit.rows.clone()).unwrap_or_default();
            verdicts.order.extend(rows.iter().map(|(_key, at)| *at));
        }
    }
    verdicts
}

/// A hash of the columns `columns` for each of `rows`, equal where their values are.
fn content_hashes(batch: &RecordBatch, columns: &[&str], rows: &[u32]) -> Result<Vec<[u8; 32]>> {
    let mut hashes = Vec::with_capacity(rows.len());
    if rows.is_empty() {
        return Ok(hashes);
    }
    let columns = columns
        .iter()
        .map(|name| batch.column_by_name(name).cloned().ok_or_else(|| missing(name)))
        .collect::<Result<Vec<ArrayRef>>>()?;
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(|error| failed(error.into()))?;
    for slice in rows.chunks(SLICE_ROWS) {
        let indices = UInt32Array::from(slice.to_vec());
        let taken = columns
            .iter()
            .map(|column| take(column, &indices, None))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(error.into()))?;
        let encoded = converter.convert_columns(&taken).map_err(|error| failed(error.into()))?;
        hashes.extend(encoded.iter().map(|row| <[u8; 32]>::from(blake3::hash(row.as_ref()))));
    }
    Ok(hashes)
}

fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_string_opt::<i32>())
        .ok_or_else(|| missing(name))
}

fn failed(source: BoxError) -> crate::Error {
    ErrorKind::Columnar { action: "compare records", source }.into()
}

fn missing(column: &str) -> crate::Error {
    failed(format!("there is no column `{column}`").into())
}

#[cfg(test)]
mod tests;
