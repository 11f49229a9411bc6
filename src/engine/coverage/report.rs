//! What the cache covers, for `trailhound status`.

use std::collections::BTreeMap;

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use chrono::{DateTime, SecondsFormat};
use datafusion::{
    error::{DataFusionError, Result},
    execution::session_state::SessionState,
    physical_plan::execute_stream,
    sql::parser::DFParser,
};
use futures::StreamExt;
use serde::Serialize;

use super::{
    HOUR,
    history::{self, EventHistory},
};
use crate::{
    ErrorKind,
    cache::Table,
    engine::{session::Session, tables::SnapshotTables},
};

/// What the cache covers.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Coverage {
    /// Events in `cloudtrail_logs`.
    pub events: u64,
    /// The first event's time, RFC 3339 in UTC.
    pub first_event: Option<String>,
    /// The last event's time.
    pub last_event: Option<String>,
    /// By recipient account.
    pub accounts: Vec<Slice>,
    /// By region.
    pub regions: Vec<Slice>,
    /// By category: Management, Data, Insight, `NetworkActivity`.
    pub categories: Vec<Slice>,
    /// By service, the data events alone: others were not recorded, or there were none.
    pub data_sources: Vec<Slice>,
    /// By account, what came from event histories: management events alone.
    pub event_histories: Vec<EventHistory>,
    /// Rows of `cloudtrail_aggregated`.
    pub aggregated: u64,
    /// Files by outcome.
    pub files: FileCoverage,
    /// Records by outcome.
    pub records: RecordCoverage,
    /// Hours between the first and the last event in which there is none.
    pub gaps: Vec<Gap>,
    /// The files that could not be read whole.
    pub skipped: Vec<SkippedFile>,
}

/// The events that have one value in common.
#[derive(Debug, Clone, Serialize)]
pub struct Slice {
    /// The value; nothing for events without one.
    pub name: Option<String>,
    /// How many there are.
    pub events: u64,
    /// The first one's time, RFC 3339 in UTC.
    pub first_event: Option<String>,
    /// The last one's time.
    pub last_event: Option<String>,
}

/// Files and archive members by outcome; each version of a file counts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileCoverage {
    /// All of them.
    pub seen: u64,
    /// Read, and their records are here.
    pub ingested: u64,
    /// Recognised, but no `CloudTrail` log.
    pub other: u64,
    /// Faults: unreadable, damaged, over a limit.
    pub skipped: u64,
    /// Begun by an ingest that did not finish.
    pub partial: u64,
    /// Removed by `trailhound forget`.
    pub forgotten: u64,
}

/// Records by outcome; `read = written + duplicates + rejected`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RecordCoverage {
    /// All of them.
    pub read: u64,
    /// Those that became rows.
    pub written: u64,
    /// Copies of rows.
    pub duplicates: u64,
    /// Kept in `rejects`.
    pub rejected: u64,
}

/// Hours without an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The first of them, RFC 3339 in UTC.
    pub from: String,
    /// The end of the last.
    pub to: String,
    /// How many.
    pub hours: u64,
}

/// A file that could not be read whole.
#[derive(Debug, Clone, Serialize)]
pub struct SkippedFile {
    /// Its URI.
    pub path: String,
    /// Where in its inflated bytes, if there is a place.
    pub offset: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

const SLICES: &str = "SELECT recipientaccountid, awsregion, category, \
    CASE WHEN category = 'Data' THEN eventsource END, \
    arrow_cast(min(event_ts), 'Int64'), arrow_cast(max(event_ts), 'Int64'), count(*) \
    FROM cloudtrail_logs GROUP BY 1, 2, 3, 4";

const HOURS: &str = "SELECT DISTINCT arrow_cast(date_trunc('hour', event_ts), 'Int64') AS hour \
    FROM cloudtrail_logs WHERE event_ts IS NOT NULL ORDER BY hour";

const FILES: &str = "SELECT outcome, count(*), sum(records_read), sum(records_written), \
    sum(records_duplicate), sum(records_rejected) FROM log_files GROUP BY outcome";

const SKIPPED: &str = "SELECT uri, reason_offset, reason FROM log_files \
    WHERE outcome = 'skipped' ORDER BY uri, version";

const FAULTS: &str = "SELECT count(*) FROM log_files WHERE outcome = 'skipped'";

impl Session {
    /// What the cache covers now. Looks at every event once.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub async fn coverage(&self) -> crate::Result<Coverage> {
        let tables = self.tables().await?;
        let state = self.state(&self.names_over(std::sync::Arc::clone(&tables)));
        let coverage = gather(&state, &tables).await;
        coverage.map_err(|error| ErrorKind::Engine(Box::new(error)).into())
    }
}

async fn gather(state: &SessionState, tables: &SnapshotTables) -> Result<Coverage> {
    let mut coverage = Coverage {
        events: tables.rows(Table::Events),
        aggregated: tables.rows(Table::Aggregated),
        ..Coverage::default()
    };
    let mut parts: [BTreeMap<Option<String>, Part>; 4] = Default::default();
    let mut all = Part::default();
    for batch in rows(state, SLICES).await? {
        let Some((keys, numbers)) = batch.columns().split_at_checked(4) else { continue };
        let keys = keys.iter().map(texts).collect::<Result<Vec<_>>>()?;
        let numbers = numbers.iter().map(numbers_of).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            let number =
                |index: usize| numbers.get(index).and_then(|n| n.get(row).copied().flatten());
            let part =
                Part { events: number(2).map_or(0, unsigned), first: number(0), last: number(1) };
            all.add(&part);
            for (map, key) in parts.iter_mut().zip(&keys) {
                let key = key.get(row).cloned().flatten();
                map.entry(key).or_default().add(&part);
            }
        }
    }
    let [accounts, regions, categories, mut data_sources] = parts;
    data_sources.remove(&None);
    coverage.accounts = slices(accounts);
    coverage.regions = slices(regions);
    coverage.categories = slices(categories);
    coverage.data_sources = slices(data_sources);
    coverage.first_event = all.first.and_then(rfc3339);
    coverage.last_event = all.last.and_then(rfc3339);
    coverage.event_histories = history::of_cache(state).await?;
    coverage.gaps = gaps(state).await?;
    files(state, &mut coverage).await?;
    Ok(coverage)
}

#[derive(Default)]
struct Part {
    events: u64,
    first: Option<i64>,
    last: Option<i64>,
}

impl Part {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
    }
}

fn slices(parts: BTreeMap<Option<String>, Part>) -> Vec<Slice> {
    let slice = |(name, part): (Option<String>, Part)| Slice {
        name,
        events: part.events,
        first_event: part.first.and_then(rfc3339),
        last_event: part.last.and_then(rfc3339),
    };
    parts.into_iter().map(slice).collect()
}

async fn gaps(state: &SessionState) -> Result<Vec<Gap>> {
    let mut gaps = Vec::new();
    let mut last: Option<i64> = None;
    for batch in rows(state, HOURS).await? {
        let Some(hours) = batch.columns().first() else { continue };
        for hour in numbers_of(hours)?.into_iter().flatten() {
            if let Some(before) = last
                && hour - before > HOUR
            {
                let missing = (hour - before) / HOUR - 1;
                gaps.extend(rfc3339(before + HOUR).zip(rfc3339(hour)).map(|(from, to)| Gap {
                    from,
                    to,
                    hours: unsigned(missing),
                }));
            }
            last = Some(hour);
        }
    }
    Ok(gaps)
}

async fn files(state: &SessionState, coverage: &mut Coverage) -> Result<()> {
    for batch in rows(state, FILES).await? {
        let Some((outcomes, numbers)) = batch.columns().split_first() else { continue };
        let outcomes = texts(outcomes)?;
        let numbers = numbers.iter().map(numbers_of).collect::<Result<Vec<_>>>()?;
        for (row, outcome) in outcomes.iter().enumerate() {
            let number = |index: usize| {
                numbers.get(index).and_then(|n| n.get(row).copied().flatten()).map_or(0, unsigned)
            };
            let (files, records) = (&mut coverage.files, &mut coverage.records);
            files.seen += number(0);
            match outcome.as_deref() {
                Some("ingested") => files.ingested += number(0),
                Some("other") => files.other += number(0),
                Some("skipped") => files.skipped += number(0),
                Some("partial") => files.partial += number(0),
                Some("forgotten") => files.forgotten += number(0),
                _ => {}
            }
            if outcome.as_deref() != Some("forgotten") {
                records.read += number(1);
                records.written += number(2);
                records.duplicates += number(3);
                records.rejected += number(4);
            }
        }
    }
    for batch in rows(state, SKIPPED).await? {
        let [uris, offsets, reasons] = batch.columns() else { continue };
        let offsets = numbers_of(offsets)?;
        let named = texts(uris)?.into_iter().zip(texts(reasons)?).zip(offsets);
        coverage.skipped.extend(named.map(|((path, reason), offset)| SkippedFile {
            path: path.unwrap_or_default(),
            offset: offset.and_then(|offset| u64::try_from(offset).ok()),
            reason: reason.unwrap_or_default(),
        }));
    }
    Ok(())
}

/// The numbers of files skipped and of records rejected.
pub(super) async fn faults(state: &SessionState, tables: &SnapshotTables) -> Result<(u64, u64)> {
    let mut skipped = 0;
    for batch in rows(state, FAULTS).await? {
        let counts = batch.columns().first().map(numbers_of).transpose()?;
        skipped = counts.iter().flatten().flatten().copied().map(unsigned).sum();
    }
    Ok((skipped, tables.rows(Table::Rejects)))
}

/// Runs one of the queries above.
pub(super) async fn rows(state: &SessionState, sql: &str) -> Result<Vec<RecordBatch>> {
    let tree = DFParser::parse_sql(sql)?
        .pop_front()
        .ok_or_else(|| DataFusionError::Internal("no statement".to_owned()))?;
    let plan = state.statement_to_plan(tree).await?;
    let plan = state.create_physical_plan(&plan).await?;
    let mut stream = execute_stream(plan, state.task_ctx())?;
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await {
        batches.push(batch?);
    }
    Ok(batches)
}

pub(super) fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>> {
    let column = cast(column, &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect())
}

fn numbers_of(column: &ArrayRef) -> Result<Vec<Option<i64>>> {
    let column = cast(column, &DataType::Int64)?;
    Ok(column.as_primitive::<Int64Type>().iter().collect())
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn rfc3339(micros: i64) -> Option<String> {
    let time = DateTime::from_timestamp_micros(micros)?;
    Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}
