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
    repl::{self, Runner},
};

/// Rows of one group, unless one day (month, year) has more. Events take 1 to 2 kB in memory.
const GROUP_ROWS: u64 = 32_000;

/// The least memory a thread sorts with, in bytes.
const MIN_SORT_BYTES: usize = 64 << 20;

/// Writes all events of `cache` below `root`.
pub(super) fn write(
    settings: &Settings,
    cache: &Arc<Cache>,
    keys: &[PartitionKey],
    root: &Path,
) -> Result<()> {
    let groups = groups(settings, cache, keys)?;
    // The other half is for rows on their way and for files being encoded.
    let sort_bytes = (settings.memory_bytes / 2).max(MIN_SORT_BYTES);
    let n_threads = settings.threads.min(groups.len()).min(sort_bytes / MIN_SORT_BYTES).max(1);
    let options = SessionOptions {
        memory_bytes: sort_bytes / n_threads,
        // One sort in one thread: DataFusion's parallel ones cannot share little memory.
        threads: 1,
        ..settings.session()
    };
    let expected = cache.snapshot()?.n_records(Table::Events);
    let written = AtomicU64::new(0);
    let queue =
        Queue { groups: Mutex::new(groups.into_iter()), has_failed: AtomicBool::new(false) };
    let work = || -> Result<()> {
        let session = Arc::new(Session::open(Arc::clone(cache), &options)?);
        let runner = Runner::new(1)?;
        while let Some(condition) = queue.next() {
            for statement in session.parse(&sql(keys, &condition), None)? {
                runner
                    .run(&session, &statement, |schema| {
                        Ok(Box::new(Partitioned::new(root, keys, schema, &written)))
                    })
                    .inspect_err(|_| queue.has_failed.store(true, Ordering::Relaxed))?;
            }
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
    let session = Arc::new(Session::open(Arc::clone(cache), &settings.session())?);
    let runner = Runner::new(settings.threads)?;
    let sql = format!(
        "SELECT min(delivery_date), max(delivery_date), count(*) FROM cloudtrail_logs \
         WHERE delivery_date IS NOT NULL GROUP BY {} ORDER BY 1",
        unit.sql()
    );
    let spans = repl::texts(&runner, &session, &sql)?;
    let mut groups = vec!["delivery_date IS NULL".to_owned()];
    let mut open: Option<Span> = None;
    for span in spans.into_iter().filter_map(Span::read) {
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
    /// A row of first day, last day and count.
    fn read(row: Vec<Option<String>>) -> Option<Self> {
        let [first, last, rows] = <[_; 3]>::try_from(row).ok()?;
        Some(Self { first: first?, last: last?, rows: rows?.parse().ok()? })
    }

    fn condition(&self) -> String {
        format!("delivery_date BETWEEN DATE '{}' AND DATE '{}'", self.first, self.last)
    }
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
