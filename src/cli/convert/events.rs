//! The events → partitions, on all cores and within memory.
//!
//! Rows are sorted by their partition and then by time. To keep the sorts small, and to have
//! several at work, the rows are taken in groups of whole days (months, years) where the keys part
//! rows by time anyway: no partition is in two groups then.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Int64Type},
};

use super::{
    super::settings::Settings,
    partitions::{PartitionKey, Partitioned},
    quoted,
};
use crate::{
    ErrorKind, Result,
    cache::{Cache, Table},
    engine::{Session, SessionOptions},
    logs::cloudtrail::schema,
    output::RowWriter,
    repl::{self, Ran, Runner},
};

/// Rows of one group, unless one day (month, year) has more. Events take 1 to 2 kB in memory.
const GROUP_ROWS: u64 = 32_000;

/// The least memory a thread sorts with, in bytes.
const MIN_SORT_BYTES: usize = 96 << 20;

/// Writes all events of `cache` below `root`.
pub(super) fn write(
    settings: &Settings,
    cache: &Arc<Cache>,
    keys: &[PartitionKey],
    root: &Path,
) -> Result<()> {
    let groups = groups(settings, cache, keys)?;
    let n_threads =
        settings.threads.min(groups.len()).min(settings.memory_bytes / MIN_SORT_BYTES).max(1);
    let options = SessionOptions {
        memory_bytes: settings.memory_bytes / n_threads,
        // One sort in one thread: DataFusion's parallel ones cannot share little memory.
        threads: 1,
        ..settings.session()
    };
    let expected = cache.snapshot()?.n_records(Table::Events);
    let written = AtomicU64::new(0);
    let queue =
        Queue { groups: Mutex::new(groups.into_iter()), has_failed: AtomicBool::new(false) };
    let work = || -> Result<()> {
        let session = Session::open(Arc::clone(cache), &options)?;
        let runner = Runner::new(1)?;
        while let Some(condition) = queue.next() {
            run(&runner, &session, &sql(keys, &condition), |schema| {
                Box::new(Partitioned::new(root, keys, schema, &written))
            })
            .inspect_err(|_| queue.has_failed.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    };
    repl::watch_count(settings.screen, "write", "events", (&written, expected), || {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
            let mut outcome = Ok(());
            for worker in workers {
                let done = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                outcome = outcome.and(done);
            }
            outcome
        })
    })?;
    let written = written.into_inner();
    if written != expected {
        let source = format!("{written} of {expected} events were written").into();
        return Err(ErrorKind::Columnar { action: "write every event", source }.into());
    }
    Ok(())
}

/// The groups that no thread has taken yet.
struct Queue {
    groups: Mutex<std::vec::IntoIter<String>>,
    /// One thread failed: the others need not go on.
    has_failed: AtomicBool,
}

impl Queue {
    fn next(&self) -> Option<String> {
        if self.has_failed.load(Ordering::Relaxed) {
            return None;
        }
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

/// Conditions that part the events into groups.
fn groups(settings: &Settings, cache: &Arc<Cache>, keys: &[PartitionKey]) -> Result<Vec<String>> {
    let Some(unit) = keys.iter().copied().filter(|key| key.is_time()).min() else {
        return Ok(vec!["TRUE".to_owned()]);
    };
    let session = Session::open(Arc::clone(cache), &settings.session())?;
    let runner = Runner::new(settings.threads)?;
    let sql = format!(
        "SELECT CAST(min(delivery_date) AS VARCHAR), CAST(max(delivery_date) AS VARCHAR), count(*) \
         FROM cloudtrail_logs WHERE delivery_date IS NOT NULL GROUP BY {} ORDER BY 1",
        unit.sql()
    );
    let spans = Mutex::new(Vec::new());
    run(&runner, &session, &sql, |_| Box::new(Spans(&spans)))?;
    let mut groups = vec!["delivery_date IS NULL".to_owned()];
    let mut open: Option<Span> = None;
    for span in spans.into_inner().unwrap_or_else(PoisonError::into_inner) {
        open = Some(match open {
            None => span,
            Some(group) if group.rows + span.rows <= GROUP_ROWS => {
                Span { first: group.first, last: span.last, rows: group.rows + span.rows }
            }
            Some(group) => {
                groups.push(group.condition());
                span
            }
        });
    }
    groups.extend(open.map(|group| group.condition()));
    Ok(groups)
}

/// Days and how many events they have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    first: String,
    last: String,
    rows: u64,
}

impl Span {
    fn condition(&self) -> String {
        format!("delivery_date BETWEEN DATE '{}' AND DATE '{}'", self.first, self.last)
    }
}

/// Gathers spans from rows.
struct Spans<'a>(&'a Mutex<Vec<Span>>);

impl RowWriter for Spans<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let failed = |source: arrow::error::ArrowError| ErrorKind::Columnar {
            action: "count the days' events",
            source: source.into(),
        };
        let [first, last, rows] = batch.columns() else { return Ok(()) };
        let first = cast(first, &DataType::Utf8).map_err(failed)?;
        let last = cast(last, &DataType::Utf8).map_err(failed)?;
        let rows = cast(rows, &DataType::Int64).map_err(failed)?;
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in 0..batch.num_rows() {
            if first.is_valid(row) && last.is_valid(row) {
                spans.push(Span {
                    first: first.as_string::<i32>().value(row).to_owned(),
                    last: last.as_string::<i32>().value(row).to_owned(),
                    rows: u64::try_from(rows.as_primitive::<Int64Type>().value(row)).unwrap_or(0),
                });
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        Ok(0)
    }
}

/// Runs one statement of ours.
fn run<'w>(
    runner: &Runner,
    session: &Session,
    sql: &str,
    open: impl Fn(&arrow::datatypes::SchemaRef) -> Box<dyn RowWriter + 'w>,
) -> Result<Ran> {
    let mut last = None;
    for statement in session.parse(sql, None)? {
        last = Some(runner.run(session, &statement, |schema| Ok(open(schema)))?);
    }
    last.ok_or_else(|| {
        let source = "there was no statement to run".into();
        ErrorKind::Columnar { action: "read the events", source }.into()
    })
}

/// The events that meet `condition` with every column, in the order of their partitions and then
/// of time. The keys' values follow the columns, as text.
fn sql(keys: &[PartitionKey], condition: &str) -> String {
    let mut select: Vec<String> =
        schema::columns().iter().map(|column| quoted(column.name)).collect();
    select.push(quoted("id_conflict"));
    let mut order = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        select.push(format!("{} AS partition_{place}", key.sql()));
        order.push(format!("partition_{place}"));
    }
    order.extend(["event_ts", "source_file", "source_version", "record_no"].map(str::to_owned));
    format!(
        "SELECT {} FROM cloudtrail_logs WHERE {condition} ORDER BY {}",
        select.join(", "),
        order.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_asked_for_in_the_order_of_the_partitions() {
        let sql = sql(&[PartitionKey::Account, PartitionKey::Day], "TRUE");
        for column in schema::columns() {
            assert!(sql.contains(&format!("\"{}\"", column.name)), "{}", column.name);
        }
        assert!(sql.contains("\"id_conflict\", account AS partition_0"), "{sql}");
        assert!(sql.ends_with(
            "ORDER BY partition_0, partition_1, event_ts, source_file, source_version, record_no"
        ));
    }
}
