//! Rounds → commits: squares them with what other writers did, deduplicates, keeps the books.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use arrow::{
    array::{Array as _, AsArray as _, Int32Array, RecordBatch, StringArray},
    datatypes::Int32Type,
};

use super::{
    IngestOptions, IngestReport, OtherFile, Skipped,
    books::{self, FileRow, Stamp},
    dedupe::{self, Origin, Question, Target, Verdicts},
    ledger::{Counts, Ledger, Outcome, Prior, Settled, Verdict, next_part},
    plan::Job,
    round::{Ending, Part, Round},
    worker::Reject,
};
use crate::{
    Result,
    cache::{Cache, Chunk, CommitOutcome, Snapshot, Sorted, Table},
    logs::cloudtrail::decode::{Rows, SortKey},
    source::Why,
};

/// Commits rounds, one after the other.
pub(super) struct Committer<'a> {
    cache: &'a Cache,
    options: &'a IngestOptions,
    snapshot: Snapshot,
    /// What the ledger says; read again when another writer was faster.
    ledger: Held<'a>,
    /// The large file whose first records this ingest has committed.
    open: Option<OpenFile>,
    report: &'a mut IngestReport,
}

/// The ledger: the one of the plan, or a later one.
enum Held<'a> {
    Planned(&'a Ledger),
    Later(Ledger),
}

impl Deref for Held<'_> {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        match self {
            Self::Planned(ledger) => ledger,
            Self::Later(ledger) => ledger,
        }
    }
}

/// How far a file is that is committed in parts.
struct OpenFile {
    job: Arc<Job>,
    version: i32,
    prior: Prior,
    settled: Settled,
}

/// What of a part is to be committed.
#[derive(Debug, Clone)]
struct Share {
    /// Nothing: another writer has the file.
    is_taken: bool,
    version: i32,
    prior: Option<Prior>,
    /// What is settled already, and so not to be committed again.
    settled: Settled,
}

impl<'a> Committer<'a> {
    pub(super) fn new(
        cache: &'a Cache,
        options: &'a IngestOptions,
        snapshot: Snapshot,
        ledger: &'a Ledger,
        report: &'a mut IngestReport,
    ) -> Self {
        let ledger = Held::Planned(ledger);
        Self { cache, options, snapshot, ledger, open: None, report }
    }

    /// Commits one round, however often other writers are faster.
    pub(super) fn commit(&mut self, mut round: Round) -> Result<()> {
        settle_containers(&mut round);
        loop {
            let draft = self.draft(&round)?;
            if draft.is_empty() {
                self.close(round, draft);
                return Ok(());
            }
            match self.cache.commit(&self.snapshot, &draft.chunk)? {
                CommitOutcome::Committed => {
                    self.close(round, draft);
                    return self.look_again(1);
                }
                CommitOutcome::Conflict => self.look_again(0)?,
            }
        }
    }

    /// Takes up what is in the cache now; where that is more than the `n_own` commits just made,
    /// others were at work, and the ledger is read again.
    fn look_again(&mut self, n_own: u64) -> Result<()> {
        let expected = self.snapshot.version() + n_own;
        self.snapshot = self.cache.snapshot()?;
        if n_own == 0 || self.snapshot.version() != expected {
            let limits = self.options.inflate;
            self.ledger = Held::Later(Ledger::load(self.cache, &self.snapshot, limits)?);
        }
        Ok(())
    }

    /// Says what of `part` is to be committed, given what others did since it was planned.
    fn share(&self, part: &Part) -> Share {
        let job = &part.job;
        let open = self.open.as_ref().filter(|open| open.job.file.uri == job.file.uri);
        let planned = open.map_or(
            Share { is_taken: false, version: job.version, prior: job.prior, settled: job.settled },
            |open| Share {
                is_taken: false,
                version: open.version,
                prior: Some(open.prior),
                settled: open.settled,
            },
        );
        let now = self.ledger.prior(&job.file.uri);
        let is_ours = match open {
            // Our own partial rows are not in the ledger as it was read.
            Some(open) => now
                .is_none_or(|now| (now.version, now.part) <= (open.prior.version, open.prior.part)),
            None => now == job.prior,
        };
        if is_ours {
            return planned;
        }
        match self.ledger.judge(&job.file) {
            Verdict::Unchanged | Verdict::UnchangedArchive(_) => {
                Share { is_taken: true, ..planned }
            }
            Verdict::Read { version, prior, settled, .. } if version == planned.version => {
                Share { is_taken: false, version, prior, settled }
            }
            // Other content at this URI came in between. What was begun under one version goes on
            // under it.
            Verdict::Read { version, prior, .. } if part.from == 0 => {
                Share { is_taken: false, version, prior, settled: Settled::default() }
            }
            Verdict::Read { .. } => planned,
        }
    }

    fn draft(&self, round: &Round) -> Result<Draft> {
        let shares = Shares::new(self, round);
        let stamp =
            Stamp { now: chrono::Utc::now().timestamp_micros(), limits: self.options.inflate };
        let events = self.verdicts(Target::Events, &round.events, &shares)?;
        let aggregated = self.verdicts(Target::Aggregated, &round.aggregated, &shares)?;
        let mut counts = vec![Counts::default(); round.parts.len()];
        for (verdicts, _batches) in [&events, &aggregated] {
            for key in &verdicts.written {
                shares.count(&mut counts, key.seq, |counts| {
                    counts.written += 1;
                    counts.time(key.ts);
                });
            }
            for duplicate in &verdicts.duplicates {
                shares.count(&mut counts, duplicate.key.seq, |counts| {
                    counts.duplicates += 1;
                    counts.time(duplicate.key.ts);
                });
            }
        }
        let rejects: Vec<&Reject> = round
            .rejects
            .iter()
            .filter(|reject| shares.is_in(reject.seq, reject.record_no))
            .collect();
        for reject in &rejects {
            shares.count(&mut counts, reject.seq, |counts| counts.rejected += 1);
        }
        for counts in &mut counts {
            counts.read = counts.written + counts.duplicates + counts.rejected;
        }
        let rows = self.file_rows(round, &shares, &counts);
        let log_files = self.log_files(&rows, &stamp)?;
        let rejects: Vec<_> = rejects
            .into_iter()
            .filter_map(|reject| {
                let (part, share) = shares.of(reject.seq)?;
                Some((reject, &*part.job, share.version))
            })
            .collect();
        let chunk = Chunk {
            log_files,
            duplicates: duplicates(&[&events, &aggregated], &shares, &stamp)?,
            rejects: some(&rejects, |rows| books::rejects(rows, &stamp))?,
            events: Sorted { batches: events.1, order: events.0.order },
            aggregated: Sorted { batches: aggregated.1, order: aggregated.0.order },
            ..Chunk::default()
        };
        let next = rows.into_iter().find(|row| row.ending.is_none()).map(|row| OpenFile {
            prior: Prior { version: row.version, part: row.part },
            settled: Settled { records_done: row.records_done, counts: row.counts },
            version: row.version,
            job: row.job,
        });
        let taken = shares.of_parts.iter().map(|share| share.is_taken).collect();
        let taken_settled = shares.of_settled.iter().map(|share| share.is_taken).collect();
        Ok(Draft { chunk, counts, taken, taken_settled, open: next })
    }

    /// Sorts and deduplicates the rows of one table.
    fn verdicts(
        &self,
        target: Target,
        batches: &[Arc<Rows>],
        shares: &Shares<'_>,
    ) -> Result<(Verdicts, Vec<Arc<Rows>>)> {
        let batches = shares.renumbered(batches)?;
        let verdicts = dedupe::verdicts(&Question {
            target,
            batches: &batches,
            is_in: &|key| shares.is_in(key.seq, key.record_no),
            origin: &|key| shares.origin(key),
            cache: self.cache,
            snapshot: &self.snapshot,
        })?;
        Ok((verdicts, batches))
    }

    /// The rows of the ledger for what the round is done with.
    fn file_rows(&self, round: &Round, shares: &Shares<'_>, counts: &[Counts]) -> Vec<FileRow> {
        let read = round.parts.iter().zip(&shares.of_parts).zip(counts.iter().copied());
        let settled = round.settled.iter().zip(&shares.of_settled);
        let settled = settled.map(|both| (both, Counts::default()));
        let mut rows = Vec::new();
        for ((part, share), counts) in read.chain(settled) {
            let done = part.to.max(share.settled.records_done);
            let has_news = counts.read > 0 || part.ending.is_some();
            if share.is_taken || !has_news || self.is_known(part, counts) {
                continue;
            }
            let mut total = share.settled.counts;
            total.add(counts);
            let prior = share.prior.filter(|prior| prior.version == share.version);
            let mut ending = part.ending.clone();
            if let Some(ending) = &mut ending
                && ending.may_change
            {
                // Without its hash it is looked at again.
                ending.digest = None;
            }
            rows.push(FileRow {
                job: Arc::clone(&part.job),
                version: share.version,
                part: next_part(prior.map(|prior| prior.part), ending.is_some()),
                ending,
                counts: total,
                records_done: done,
            });
        }
        rows
    }

    /// Whether the ledger needs no row for it: an archive that is looked into again anyway, or a
    /// fault that it names already.
    fn is_known(&self, part: &Part, counts: Counts) -> bool {
        let Some(ending) = part.ending.as_ref().filter(|ending| ending.may_change) else {
            return false;
        };
        match (ending.outcome, &ending.reason) {
            (Some(Outcome::Archive), _) => true,
            (Some(outcome), Some(reason)) => {
                counts.read == 0 && self.ledger.says(&part.job.file.uri, outcome, reason)
            }
            _ => false,
        }
    }

    fn log_files(&self, rows: &[FileRow], stamp: &Stamp) -> Result<Option<RecordBatch>> {
        let is_touched =
            |row: &FileRow| row.ending.as_ref().is_some_and(|ending| ending.outcome.is_none());
        let (touched, read): (Vec<usize>, Vec<usize>) =
            (0..rows.len()).partition(|&row| rows.get(row).is_some_and(is_touched));
        let mut batches = Vec::new();
        if touched.is_empty() {
            batches.extend(some(rows, |rows| books::log_files(rows, stamp))?);
            return concat(Table::LogFiles, &batches);
        }
        let pick = |which: &[usize]| -> Vec<FileRow> {
            which.iter().filter_map(|&row| rows.get(row)).map(FileRow::again).collect()
        };
        batches.extend(some(&pick(&read), |rows| books::log_files(rows, stamp))?);
        let (old, touched) = self.old_rows(pick(&touched))?;
        batches.extend(some(&touched, |rows| books::touched(&old, rows, stamp))?);
        concat(Table::LogFiles, &batches)
    }

    /// The latest rows that the ledger has of files whose content it has.
    fn old_rows(&self, rows: Vec<FileRow>) -> Result<(Vec<RecordBatch>, Vec<FileRow>)> {
        let mut wanted: HashMap<String, (FileRow, Option<(Prior, RecordBatch)>)> =
            rows.into_iter().map(|row| (row.job.file.uri.to_string(), (row, None))).collect();
        let schema = Table::LogFiles.schema();
        let columns: Vec<&str> =
            schema.fields().iter().map(|field| field.name().as_str()).collect();
        self.cache.read(&self.snapshot, Table::LogFiles, &columns, None, &mut |batch| {
            let uris: Option<&StringArray> =
                batch.column_by_name("uri").and_then(|column| column.as_string_opt());
            let numbers = |name: &str| -> Option<&Int32Array> {
                batch.column_by_name(name)?.as_primitive_opt::<Int32Type>()
            };
            let (Some(uris), Some(versions), Some(parts)) =
                (uris, numbers("version"), numbers("part"))
            else {
                return Ok(());
            };
            for row in (0..batch.num_rows()).filter(|&row| uris.is_valid(row)) {
                let Some((_, latest)) = wanted.get_mut(uris.value(row)) else { continue };
                let prior = Prior { version: versions.value(row), part: parts.value(row) };
                let is_later = latest.as_ref().is_none_or(|(known, _)| {
                    (prior.version, prior.part) >= (known.version, known.part)
                });
                if is_later {
                    *latest = Some((prior, batch.slice(row, 1)));
                }
            }
            Ok(())
        })?;
        let mut found: Vec<_> = wanted.into_values().collect();
        found.sort_unstable_by(|(a, _), (b, _)| a.job.file.uri.cmp(&b.job.file.uri));
        Ok(found
            .into_iter()
            .filter_map(|(row, latest)| {
                let (prior, batch) = latest?;
                let part = next_part(Some(prior.part), true);
                Some((batch, FileRow { version: prior.version, part, ..row }))
            })
            .unzip())
    }

    /// Adds what was committed to the report.
    fn close(&mut self, round: Round, draft: Draft) {
        let report = &mut *self.report;
        report.files.unchanged += round.n_unchanged;
        report.files.seen += round.n_unchanged;
        for (uri, why) in round.known {
            report.unread(&uri, &why);
        }
        let goes_on = round.parts.last().is_some_and(|part| part.ending.is_none());
        let read = round.parts.into_iter().zip(&draft.taken).zip(&draft.counts);
        for ((part, taken), counts) in read {
            report.records.read += counts.read;
            report.records.written += counts.written;
            report.records.duplicates += counts.duplicates;
            report.records.rejected += counts.rejected;
            report.bytes.compressed += part.stored_bytes;
            report.file(part, *taken);
        }
        for (part, taken) in round.settled.into_iter().zip(&draft.taken_settled) {
            report.file(part, *taken);
        }
        // A part without a record leaves a file as far as it was.
        if draft.open.is_some() || !goes_on {
            self.open = draft.open;
        }
    }
}

impl IngestReport {
    fn unread(&mut self, uri: &str, why: &Why) {
        self.files.seen += 1;
        match why {
            Why::Fault(reason) => {
                self.files.skipped += 1;
                let (path, reason) = (uri.to_owned(), reason.clone());
                self.skipped.push(Skipped { path, offset: None, reason });
            }
            Why::Other(kind) => {
                self.files.other += 1;
                self.other.push(OtherFile { path: uri.to_owned(), kind: kind.clone() });
            }
        }
    }

    fn file(&mut self, part: Part, is_taken: bool) {
        let Some(ending) = part.ending else { return };
        let path = part.job.file.uri.to_string();
        if ending.is_archive && ending.outcome != Some(Outcome::Skipped) {
            return;
        }
        self.files.seen += 1;
        let inflated = ending.digest.as_ref().map_or(0, |digest| digest.inflated_bytes);
        match ending.outcome {
            _ if is_taken => self.files.unchanged += 1,
            None | Some(Outcome::Archive | Outcome::Partial | Outcome::Forgotten) => {
                self.files.unchanged += 1;
            }
            Some(Outcome::Ingested) => {
                self.files.ingested += 1;
                self.bytes.raw += inflated;
            }
            Some(Outcome::Other) => {
                self.files.other += 1;
                self.bytes.raw += inflated;
                let kind = ending.kind.unwrap_or_default().into_owned();
                self.other.push(OtherFile { path, kind });
            }
            Some(Outcome::Skipped) => {
                self.files.skipped += 1;
                self.bytes.raw += inflated;
                let reason = ending.reason.unwrap_or_default();
                self.skipped.push(Skipped { path, offset: ending.reason_offset, reason });
            }
        }
    }
}

/// What would be committed, and what that settles.
struct Draft {
    chunk: Chunk,
    /// By part: what is committed of it.
    counts: Vec<Counts>,
    /// By part: whether another writer has it.
    taken: Vec<bool>,
    taken_settled: Vec<bool>,
    open: Option<OpenFile>,
}

impl Draft {
    fn is_empty(&self) -> bool {
        let Chunk { events, aggregated, log_files, duplicates, rejects, .. } = &self.chunk;
        let batches = [log_files, duplicates, rejects];
        events.order.is_empty()
            && aggregated.order.is_empty()
            && batches.iter().all(|batch| batch.is_none())
    }
}

/// The shares of a round's parts, by the sequence number in the keys of their rows.
struct Shares<'r> {
    first_seq: u32,
    end_seq: u32,
    parts: &'r [Part],
    of_parts: Vec<Share>,
    of_settled: Vec<Share>,
}

impl<'r> Shares<'r> {
    fn new(committer: &Committer<'_>, round: &'r Round) -> Self {
        Self {
            first_seq: round.parts.first().map_or(0, |part| part.seq),
            end_seq: round.end_seq,
            parts: &round.parts,
            of_parts: round.parts.iter().map(|part| committer.share(part)).collect(),
            of_settled: round.settled.iter().map(|part| committer.share(part)).collect(),
        }
    }

    fn index(&self, seq: u32) -> Option<usize> {
        // Every file handed over gives a part, so they mostly count up without gaps.
        let near = usize::try_from(seq.checked_sub(self.first_seq)?).ok()?;
        if self.parts.get(near).is_some_and(|part| part.seq == seq) {
            return Some(near);
        }
        self.parts.binary_search_by_key(&seq, |part| part.seq).ok()
    }

    fn of(&self, seq: u32) -> Option<(&'r Part, &Share)> {
        let index = self.index(seq)?;
        Some((self.parts.get(index)?, self.of_parts.get(index)?))
    }

    fn count(&self, counts: &mut [Counts], seq: u32, add: impl FnOnce(&mut Counts)) {
        if let Some(counts) = self.index(seq).and_then(|index| counts.get_mut(index)) {
            add(counts);
        }
    }

    /// Whether a record is to be committed.
    fn is_in(&self, seq: u32, record_no: u32) -> bool {
        seq < self.end_seq
            && self.of(seq).is_some_and(|(_part, share)| {
                !share.is_taken && record_no > share.settled.records_done
            })
    }

    fn origin(&self, key: &SortKey) -> Option<Origin> {
        let (part, share) = self.of(key.seq)?;
        Some(Origin {
            file: Arc::clone(&part.job.file.uri),
            version: share.version,
            record_no: key.record_no.into(),
        })
    }

    /// The batches, with the versions of files that turned out to have another.
    fn renumbered(&self, batches: &[Arc<Rows>]) -> Result<Vec<Arc<Rows>>> {
        let moved = |(part, share): (&Part, &Share)| part.job.version != share.version;
        if !self.parts.iter().zip(&self.of_parts).any(moved) {
            return Ok(batches.to_vec());
        }
        batches.iter().map(|rows| self.renumber(rows)).collect()
    }

    fn renumber(&self, rows: &Rows) -> Result<Arc<Rows>> {
        let version = |key: &SortKey| self.of(key.seq).map(|(_part, share)| share.version);
        let versions: Int32Array = rows.keys.iter().map(version).collect();
        let schema = rows.batch.schema();
        let mut columns = rows.batch.columns().to_vec();
        if let Ok(index) = schema.index_of("source_version")
            && let Some(column) = columns.get_mut(index)
        {
            *column = Arc::new(versions);
        }
        let batch = RecordBatch::try_new(schema, columns).map_err(|source| {
            crate::ErrorKind::Columnar { action: "number a file's versions", source: source.into() }
        })?;
        Ok(Arc::new(Rows { batch, keys: rows.keys.clone() }))
    }
}

/// Adds the rows of archives whose last member this round settles.
fn settle_containers(round: &mut Round) {
    let mut endings: Vec<(Arc<super::plan::Container>, Ending)> = Vec::new();
    for part in round.parts.iter().chain(&round.settled) {
        if let (Some(container), Some(ending)) = (&part.job.container, &part.ending) {
            endings.push((Arc::clone(container), ending.clone()));
        }
    }
    while let Some((container, ending)) = endings.pop() {
        let Some((job, row)) = container.settle(&ending) else { continue };
        if let Some(outer) = &job.container {
            endings.push((Arc::clone(outer), row.clone()));
        }
        round.settled.push(Part::settled(job, row));
    }
}

/// The rows of `duplicates` of both tables.
fn duplicates(
    tables: &[&(Verdicts, Vec<Arc<Rows>>)],
    shares: &Shares<'_>,
    stamp: &Stamp,
) -> Result<Option<RecordBatch>> {
    let mut found = Vec::new();
    for (verdicts, batches) in tables {
        let origin = |key: &SortKey| shares.origin(key);
        found.extend(some(&verdicts.duplicates, |duplicates| {
            books::duplicates(batches, duplicates, &origin, stamp)
        })?);
    }
    concat(Table::Duplicates, &found)
}

fn some<T>(
    rows: &[T],
    build: impl FnOnce(&[T]) -> Result<RecordBatch>,
) -> Result<Option<RecordBatch>> {
    (!rows.is_empty()).then(|| build(rows)).transpose()
}

fn concat(table: Table, batches: &[RecordBatch]) -> Result<Option<RecordBatch>> {
    match batches {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        many => arrow::compute::concat_batches(&table.schema(), many).map(Some).map_err(|source| {
            crate::ErrorKind::Columnar { action: "join rows", source: source.into() }.into()
        }),
    }
}
