//! What the cache covers, and whether a question reaches beyond it.
//!
//! An empty answer is not a clean one: where a statement asks for times, accounts, regions or
//! kinds of events that the cache has never seen, the answer says so.

mod asked;
mod data_events;
mod history;
mod notices;
mod probe;
mod report;
#[cfg(test)]
mod tests;
mod time;
mod window;

pub use history::EventHistory;
pub use report::{Coverage, FileCoverage, Gap, RecordCoverage, SkippedFile, Slice};

pub(super) use notices::{closing, notices};
pub(super) use probe::Probes;
pub(super) use window::window;

use chrono::{DateTime, SecondsFormat, Timelike};

/// An instant in microseconds as text: a day where it is midnight, else to the second.
fn instant(micros: i64) -> String {
    let Some(time) = DateTime::from_timestamp_micros(micros) else { return micros.to_string() };
    if time.num_seconds_from_midnight() == 0 && time.nanosecond() == 0 {
        return time.format("%Y-%m-%d").to_string();
    }
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;

/// Microseconds in a day.
const DAY: i64 = 24 * HOUR;
