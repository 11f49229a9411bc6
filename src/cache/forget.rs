//! Taking a source back out of the cache, as if it had never been there.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    compute::{concat_batches, interleave},
    datatypes::{Date32Type, Int32Type, Int64Type},
};

use super::{
    Cache, DataFile, Snapshot, Table,
    commit::{self, Loose},
    delta::{Change, Changes, Note},
    encode::FileWriter,
    merge::{Bounds, Merger},
    read::{self, Batches},
    settings,
};
use crate::{
    Result,
    error::{BoxError, ErrorKind},
};

/// How often to look again when others commit meanwhile.
const MAX_ATTEMPTS: usize = 20;

/// Rows in memory while a file is rewritten, in bytes.
const MEMORY_BYTES: usize = 512 << 20;

/// The columns that tell where a copy of an event lies, and what depends on that: of the events and of
/// `duplicates`. A surviving copy lends them to the row whose own file is forgotten.
pub(crate) const OF_THE_COPY: [&str; 10] = [
    "source_file",
    "source_version",
    "record_no",
    "record_offset",
    "appended",
    "shape",
    "envelope",
    "account",
    "region",
    "delivery_date",
];

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForgetReport {
    /// Files of the source.
    pub files: u64,
    /// Rows of events that are gone.
    pub rows_removed: u64,
    /// Rows of events that stayed because another file has the same record; they now say that
    /// they come from there.
    pub rows_transferred: u64,
    /// Rows of `duplicates` that are gone: copies in the source, and those that became rows.
    pub duplicates_removed: u64,
    /// Rows of `rejects` that are gone.
    pub rejects_removed: u64,
}

pub(super) fn forget(cache: &Cache, source: &str) -> Result<ForgetReport> {
    for _ in 0..MAX_ATTEMPTS {
        let base = cache.snapshot()?;
        let ledger = Ledger::read(cache, &base)?;
        let victims = ledger.victims(source);
        if victims.len() == 0 {
            return Ok(ForgetReport::default());
        }
        let mut forgetting = Forgetting {
            cache,
            heirs: Heirs::find(cache, &base, &victims)?,
            victims,
            loose: Loose::default(),
            changes: Changes::new(),
            report: ForgetReport::default(),
        };
        forgetting.run(&base, &ledger)?;
        let Forgetting { loose, changes, report, .. } = forgetting;
        let note = Note { operation: "DELETE", data_change: true };
        // Whatever others did meanwhile, compaction included, moved the rows we rewrote.
        if commit::decide(cache, &base, note, &|_| true, changes, loose)? {
            return Ok(report);
        }
    }
    Err(cache.failed("forget a source in", "other writers kept committing".into()))
}

/// A file's content: URI and version.
type FileKey = (Arc<str>, i32);

/// A record: its file's content, and its number there.
type RecordKey = (Arc<str>, i32, i64);

/// Contents of files that are to be forgotten.
#[derive(Debug, Default)]
struct Victims(HashMap<Arc<str>, Vec<i32>>);

impl Victims {
    fn has(&self, (file, version): (&str, i32)) -> bool {
        self.0.get(file).is_some_and(|versions| versions.contains(&version))
    }

    fn add(&mut self, (file, version): FileKey) {
        self.0.entry(file).or_default().push(version);
    }

    fn keys(&self) -> impl Iterator<Item = FileKey> + '_ {
        let keys = |(file, versions): (&Arc<str>, &Vec<i32>)| {
            let file = Arc::clone(file);
            versions.clone().into_iter().map(move |version| (Arc::clone(&file), version))
        };
        self.0.iter().flat_map(keys)
    }

    fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

/// The newest row of the ledger for each file's content.
struct Ledger {
    batches: Vec<RecordBatch>,
    newest: HashMap<FileKey, (usize, usize)>,
}

impl Ledger {
    fn read(cache: &Cache, snapshot: &Snapshot) -> Result<Self> {
        let batches = read_whole(cache, snapshot, Table::LogFiles)?;
        let mut ledger = Self { batches: Vec::new(), newest: HashMap::new() };
        for (b, batch) in batches.into_iter().enumerate() {
            for row in 0..batch.num_rows() {
                let key = (text(&batch, "uri", row).into(), int(&batch, "version", row));
                let part = int(&batch, "part", row);
                let older = ledger.newest.get(&key).is_none_or(|&(b, row)| {
                    let older = ledger.batches.get(b).unwrap_or(&batch);
                    int(older, "part", row) <= part
                });
                if older {
                    ledger.newest.insert(key, (b, row));
                }
            }
            ledger.batches.push(batch);
        }
        Ok(ledger)
    }

    /// The contents that came from `source`: its own, or from below it.
    fn victims(&self, source: &str) -> Victims {
        let source = source.trim_end_matches('/');
        let below = |text: &str| {
            text.strip_prefix(source).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('/') || rest.starts_with("!/")
            })
        };
        let is_victim = |&(b, row): &(usize, usize)| {
            self.batches.get(b).is_some_and(|batch| {
                text(batch, "outcome", row) != "forgotten"
                    && ["uri", "container", "source"].iter().any(|c| below(text(batch, c, row)))
            })
        };
        let mut victims = Victims::default();
        for (key, _) in self.newest.iter().filter(|(_, place)| is_victim(place)) {
            victims.add(key.clone());
        }
        victims
    }

    /// New rows of the ledger: the victims are forgotten, and files whose copies became rows have
    /// that many more.
    fn replace(
        &self,
        victims: &Victims,
        gains: &HashMap<FileKey, i64>,
    ) -> Result<Option<RecordBatch>, BoxError> {
        let mut rows: Vec<(FileKey, i64)> = victims.keys().map(|key| (key, 0)).collect();
        rows.extend(gains.iter().map(|(key, gain)| (key.clone(), *gain)));
        rows.retain(|(key, _)| self.newest.contains_key(key));
        rows.sort();
        let places: Vec<(usize, usize)> =
            rows.iter().filter_map(|(key, _)| self.newest.get(key).copied()).collect();
        if places.is_empty() {
            return Ok(None);
        }
        let schema = Table::LogFiles.schema();
        let mut columns = Vec::with_capacity(schema.fields().len());
        for (index, field) in schema.fields().iter().enumerate() {
            let old: Vec<&dyn Array> =
                self.batches.iter().map(|batch| batch.column(index).as_ref()).collect();
            let old = interleave(&old, &places)?;
            columns.push(renewed(field.name(), old, &rows, victims));
        }
        Ok(Some(RecordBatch::try_new(schema, columns)?))
    }
}

/// A column of the ledger's new rows, made from that of the rows they replace.
fn renewed(name: &str, old: ArrayRef, rows: &[(FileKey, i64)], victims: &Victims) -> ArrayRef {
    let add = |sign: i64| -> ArrayRef {
        let counts = old.as_primitive::<Int64Type>().iter().zip(rows);
        Arc::new(counts.map(|(n, (_, gain))| n.map(|n| n + sign * gain)).collect::<Int64Array>())
    };
    match name {
        "outcome" => {
            let outcomes = old.as_string::<i32>().iter().zip(rows);
            Arc::new(
                outcomes
                    .map(
                        |(outcome, ((file, version), _))| {
                            if victims.has((file, *version)) { Some("forgotten") } else { outcome }
                        },
                    )
                    .collect::<StringArray>(),
            )
        }
        "part" => {
            let parts = old.as_primitive::<Int32Type>().iter();
            Arc::new(parts.map(|part| Some(part.unwrap_or(0) + 1)).collect::<Int32Array>())
        }
        "records_written" => add(1),
        "records_duplicate" => add(-1),
        "ingested_at" => {
            let now = chrono::Utc::now().timestamp_micros();
            let times = TimestampMicrosecondArray::from(vec![now; rows.len()]);
            Arc::new(times.with_timezone("UTC"))
        }
        "trailhound_version" => {
            Arc::new(StringArray::from(vec![env!("CARGO_PKG_VERSION"); rows.len()]))
        }
        _ => old,
    }
}

/// The copies that take the place of rows whose file is forgotten.
struct Heirs {
    /// Rows of `duplicates`.
    rows: RecordBatch,
    /// Which of them is the heir of a record.
    of: HashMap<RecordKey, usize>,
    /// The records that were found as rows, and their heirs.
    used: HashSet<RecordKey>,
}

impl Heirs {
    /// Of each victim's surviving copies, the first in the order in which files are ingested.
    fn find(cache: &Cache, snapshot: &Snapshot, victims: &Victims) -> Result<Self> {
        let schema = Table::Duplicates.schema();
        let mut candidates = Vec::new();
        for batch in read_whole(cache, snapshot, Table::Duplicates)? {
            let rows = (0..batch.num_rows()).filter(|&row| {
                victims.has(file_key(&batch, ["of_file", "of_version"], row))
                    && !victims.has(file_key(&batch, ["source_file", "source_version"], row))
            });
            let rows: Vec<(usize, usize)> = rows.map(|row| (0, row)).collect();
            candidates.push(gather(&batch, &rows).map_err(unreadable)?);
        }
        let rows = concat_batches(&schema, &candidates).map_err(|e| unreadable(e.into()))?;
        let mut of: HashMap<RecordKey, usize> = HashMap::new();
        for row in 0..rows.num_rows() {
            let heir = of.entry(original(&rows, row)).or_insert(row);
            if plan_order(&rows, row) < plan_order(&rows, *heir) {
                *heir = row;
            }
        }
        Ok(Self { rows, of, used: HashSet::new() })
    }
}

/// The place of a copy in the order in which files are ingested.
fn plan_order(batch: &RecordBatch, row: usize) -> (Option<i32>, &str, i32, i64) {
    let days = column(batch, "delivery_date").and_then(|c| c.as_primitive_opt::<Date32Type>());
    let day = days.filter(|days| days.is_valid(row)).map(|days| days.value(row));
    let file = text(batch, "source_file", row);
    (day, file, int(batch, "source_version", row), long(batch, "record_no", row))
}

/// A `forget` on its way.
struct Forgetting<'a> {
    cache: &'a Cache,
    victims: Victims,
    heirs: Heirs,
    loose: Loose,
    changes: Changes,
    report: ForgetReport,
}

impl Forgetting<'_> {
    fn run(&mut self, base: &Snapshot, ledger: &Ledger) -> Result<()> {
        self.report.files = self.victims.len() as u64;
        for table in [Table::Events, Table::Aggregated] {
            let (removed, transferred) = self.rewrite(base, table, Self::keep_events)?;
            self.report.rows_removed += removed;
            self.report.rows_transferred += transferred;
        }
        // Only now it is known which heirs became rows.
        let (removed, _) = self.rewrite(base, Table::Duplicates, Self::keep_duplicates)?;
        self.report.duplicates_removed = removed;
        let (removed, _) = self.rewrite(base, Table::Rejects, Self::keep_rejects)?;
        self.report.rejects_removed = removed;
        let mut gains: HashMap<FileKey, i64> = HashMap::new();
        for key in &self.heirs.used {
            if let Some(&row) = self.heirs.of.get(key) {
                let names = ["source_file", "source_version"];
                let (file, version) = file_key(&self.heirs.rows, names, row);
                *gains.entry((file.into(), version)).or_default() += 1;
            }
        }
        if let Some(rows) = ledger.replace(&self.victims, &gains).map_err(unreadable)? {
            let file = commit::write_batch(self.cache, Table::LogFiles, &rows, &mut self.loose)?;
            self.changes.entry(Table::LogFiles).or_default().push(Change::Add(file));
        }
        Ok(())
    }

    /// Rewrites those files of `table` that `keep` changes. Gives the rows removed and changed.
    fn rewrite(
        &mut self,
        base: &Snapshot,
        table: Table,
        keep: fn(&mut Self, &RecordBatch) -> Keep,
    ) -> Result<(u64, u64)> {
        let (mut removed, mut changed) = (0, 0);
        for file in base.files(table) {
            if !self.is_touched(table, file)? {
                continue;
            }
            let schema = self.cache.schemas.of(table);
            let mut batches = Vec::new();
            let (mut kept, mut touched) = (0, 0);
            let share = read::BatchSize::Bytes(MEMORY_BYTES / 4);
            // First what stays, so that nothing is written where nothing changes.
            for batch in read::open(file, &schema, None, share)? {
                let keep = keep(self, &batch?);
                kept += keep.rows.len() as u64;
                touched += keep.changed;
                batches.push(keep);
            }
            if kept == file.n_records && touched == 0 {
                continue;
            }
            removed += file.n_records - kept;
            changed += touched;
            let list = self.changes.entry(table).or_default();
            list.push(Change::Remove(file.clone()));
            if kept > 0 {
                let new = self.write(table, file, batches, kept)?;
                self.loose.add(&new);
                self.changes.entry(table).or_default().push(Change::Add(new));
            }
        }
        Ok((removed, changed))
    }

    /// Whether `file` names a victim at all; only those columns are read for it.
    fn is_touched(&self, table: Table, file: &DataFile) -> Result<bool> {
        let mut pairs = vec![["source_file", "source_version"]];
        if table == Table::Duplicates {
            pairs.push(["of_file", "of_version"]);
        }
        let columns: Vec<&str> = pairs.iter().flatten().copied().collect();
        let schema = read::project(&self.cache.schemas.of(table), &columns)?;
        for batch in read::open(file, &schema, None, read::BatchSize::Rows(read::BATCH_ROWS))? {
            let batch = batch?;
            for names in &pairs {
                if (0..batch.num_rows()).any(|row| self.victims.has(file_key(&batch, *names, row)))
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Writes what `kept` says of `file` into a new one.
    fn write(
        &self,
        table: Table,
        file: &DataFile,
        kept: Vec<Keep>,
        n_records: u64,
    ) -> Result<DataFile> {
        let schema = self.cache.schemas.of(table);
        let share = read::BatchSize::Bytes(MEMORY_BYTES / 4);
        let batches = read::open(file, &schema, None, share)?.zip(kept);
        let batches: Batches =
            Box::new(batches.map(|(batch, keep)| keep.apply(&batch?).map_err(unreadable)));
        let group_rows = usize::try_from(n_records).unwrap_or(usize::MAX);
        let group_rows = group_rows.min(settings::MAX_GROUP_ROWS);
        let bounds = Bounds { memory_bytes: MEMORY_BYTES, group_rows: settings::MAX_GROUP_ROWS };
        let log = self.cache.log(table);
        let mut writer = FileWriter::create(&log, &schema, group_rows, self.cache.threads)?;
        writer.write(Merger::new(vec![batches], settings::is_sorted(table), bounds)?)?;
        writer.finish()
    }

    fn keep_events(&mut self, batch: &RecordBatch) -> Keep {
        let mut keep = Keep::lending(&OF_THE_COPY, &self.heirs.rows);
        for row in 0..batch.num_rows() {
            if !self.victims.has(file_key(batch, ["source_file", "source_version"], row)) {
                keep.rows.push((row, None));
                continue;
            }
            let record = copy(batch, row);
            if let Some(&heir) = self.heirs.of.get(&record) {
                keep.rows.push((row, Some(heir)));
                keep.changed += 1;
                self.heirs.used.insert(record);
            }
        }
        keep
    }

    fn keep_duplicates(&mut self, batch: &RecordBatch) -> Keep {
        let mut keep = Keep::redirecting(&self.heirs.rows);
        for row in 0..batch.num_rows() {
            if self.victims.has(file_key(batch, ["source_file", "source_version"], row)) {
                continue;
            }
            let record = original(batch, row);
            match self.heirs.of.get(&record).filter(|_| self.heirs.used.contains(&record)) {
                None => keep.rows.push((row, None)),
                Some(&heir) if copy(&self.heirs.rows, heir) == copy(batch, row) => {}
                Some(&heir) => {
                    keep.rows.push((row, Some(heir)));
                    keep.changed += 1;
                }
            }
        }
        keep
    }

    fn keep_rejects(&mut self, batch: &RecordBatch) -> Keep {
        let mut keep = Keep::lending(&[], &self.heirs.rows);
        let names = ["source_file", "source_version"];
        let stays = |row: &usize| !self.victims.has(file_key(batch, names, *row));
        keep.rows.extend((0..batch.num_rows()).filter(stays).map(|row| (row, None)));
        keep
    }
}

/// What becomes of a batch.
struct Keep {
    /// The rows that stay, each with the heir that lends it columns, if one does.
    rows: Vec<(usize, Option<usize>)>,
    /// Rows to which columns are lent.
    changed: u64,
    /// The columns lent: name in the batch, and the heirs' column.
    lent: Vec<(&'static str, ArrayRef)>,
}

impl Keep {
    fn lending(names: &[&'static str], heirs: &RecordBatch) -> Self {
        Self::new(names.iter().map(|name| (*name, *name)), heirs)
    }

    /// Copies of a row that now comes from elsewhere are copies of that.
    fn redirecting(heirs: &RecordBatch) -> Self {
        let names = [
            ("of_file", "source_file"),
            ("of_version", "source_version"),
            ("of_record_no", "record_no"),
        ];
        Self::new(names.into_iter(), heirs)
    }

    fn new(names: impl Iterator<Item = (&'static str, &'static str)>, heirs: &RecordBatch) -> Self {
        let lent =
            names.filter_map(|(to, from)| Some((to, Arc::clone(heirs.column_by_name(from)?))));
        Self { rows: Vec::new(), changed: 0, lent: lent.collect() }
    }

    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, BoxError> {
        let own: Vec<(usize, usize)> = self.rows.iter().map(|&(row, _)| (0, row)).collect();
        let lent: Vec<(usize, usize)> =
            self.rows.iter().map(|&(row, heir)| heir.map_or((0, row), |heir| (1, heir))).collect();
        let schema = batch.schema();
        let columns =
            schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
                match self.lent.iter().find(|(name, _)| name == field.name()) {
                    Some((_, heirs)) => interleave(&[column, heirs], &lent),
                    None => interleave(&[column], &own),
                }
            });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

fn gather(batch: &RecordBatch, rows: &[(usize, usize)]) -> Result<RecordBatch, BoxError> {
    let columns = batch.columns().iter().map(|column| interleave(&[column], rows));
    Ok(RecordBatch::try_new(batch.schema(), columns.collect::<Result<Vec<_>, _>>()?)?)
}

fn read_whole(cache: &Cache, snapshot: &Snapshot, table: Table) -> Result<Vec<RecordBatch>> {
    let schema = cache.schemas.of(table);
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut batches = Vec::new();
    read::read(cache, snapshot, table, &names, None, &mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    Ok(batches)
}

/// The record that a row of `duplicates` is a copy of.
fn original(batch: &RecordBatch, row: usize) -> RecordKey {
    let (file, version) = file_key(batch, ["of_file", "of_version"], row);
    (file.into(), version, long(batch, "of_record_no", row))
}

/// The record that a row of events or of `duplicates` is.
fn copy(batch: &RecordBatch, row: usize) -> RecordKey {
    let (file, version) = file_key(batch, ["source_file", "source_version"], row);
    (file.into(), version, long(batch, "record_no", row))
}

fn file_key<'a>(batch: &'a RecordBatch, [file, version]: [&str; 2], row: usize) -> (&'a str, i32) {
    (text(batch, file, row), int(batch, version, row))
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a dyn Array> {
    batch.column_by_name(name).map(AsRef::as_ref)
}

/// A text, empty where there is none.
fn text<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> &'a str {
    let texts = column(batch, name).and_then(|column| column.as_string_opt::<i32>());
    texts.filter(|texts| texts.is_valid(row)).map_or("", |texts| texts.value(row))
}

fn int(batch: &RecordBatch, name: &str, row: usize) -> i32 {
    let numbers = column(batch, name).and_then(|c| c.as_primitive_opt::<Int32Type>());
    numbers.filter(|n| n.is_valid(row)).map_or(0, |n| n.value(row))
}

fn long(batch: &RecordBatch, name: &str, row: usize) -> i64 {
    let numbers = column(batch, name).and_then(|c| c.as_primitive_opt::<Int64Type>());
    numbers.filter(|n| n.is_valid(row)).map_or(0, |n| n.value(row))
}

fn unreadable(source: BoxError) -> crate::Error {
    ErrorKind::Columnar { action: "rewrite rows", source }.into()
}
