//! What a dossier says. Serialized, this is its JSON form: `docs/PIVOTS.md` describes it.

use serde::Serialize;

use super::{subject::Kind, tally::Dimension};

/// A dossier on a caller, address, API, access key or resource.
#[derive(Debug, Clone, Serialize)]
pub struct Dossier {
    /// What it is about.
    pub kind: Kind,
    /// The value that was asked for.
    pub value: String,
    /// What the value was taken for: `session`, `network`, `name`.
    pub read_as: &'static str,
    /// What the value turned out to be, where it may be several things: a name of a user, of a
    /// role, of sessions.
    pub matches: Vec<Match>,
    /// The window that was asked for.
    pub window: Option<Span>,
    /// Events within the window.
    pub events: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// When the first of them was.
    pub first_seen: Option<String>,
    /// When the last of them was.
    pub last_seen: Option<String>,
    /// Where the window leaves events out: what is outside.
    pub outside: Option<Outside>,
    /// The events by time.
    pub activity: Activity,
    /// The events by everything else.
    pub counterparts: Vec<Counterparts>,
    /// What occurs nowhere else in the cache.
    pub only_here: Vec<Novelty>,
    /// What the subject did not have before the window.
    pub new_in_window: Vec<Novelty>,
    /// The events that made, changed or removed an access key.
    pub history: Vec<Step>,
    /// Where to look next.
    pub next: Vec<Pivot>,
    /// Where nothing was found: what the cache covers, and what is near.
    pub nothing: Option<Nothing>,
}

/// Something that the value may mean.
#[derive(Debug, Clone, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// What it is: `user`, `role`, `session`, `user name`.
    pub what: &'static str,
    /// Whose.
    pub principal: String,
    /// Its events within the window.
    pub events: u64,
}

/// A span of time.
#[derive(Debug, Clone, Serialize)]
pub struct Span {
    /// Its first moment, where it has one.
    pub since: Option<String>,
    /// Its last.
    pub until: Option<String>,
}

/// What a window leaves out.
#[derive(Debug, Clone, Serialize)]
pub struct Outside {
    /// Events before.
    pub before: u64,
    /// Events after, and those without a time.
    pub after: u64,
    /// When the first of all is.
    pub first_seen: Option<String>,
    /// When the last of all is.
    pub last_seen: Option<String>,
}

/// The events by time.
#[derive(Debug, Clone, Serialize)]
pub struct Activity {
    /// How long a bucket is: `hour`, or longer where there would be too many.
    pub unit: &'static str,
    /// Those that have events, in order.
    pub buckets: Vec<Bucket>,
    /// The same in finer steps, for the chart: (seconds, number since 1970, events, failed).
    #[serde(skip)]
    pub(super) fine: Vec<(i64, u64, u64)>,
    /// How long those are, in seconds.
    #[serde(skip)]
    pub(super) fine_seconds: i64,
}

/// The events of one stretch of time.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Bucket {
    /// Its first moment.
    pub from: String,
    /// Its events.
    pub events: u64,
    /// Those of them that failed.
    pub failed: u64,
}

/// The values that the subject's events have in one dimension.
#[derive(Debug, Clone, Serialize)]
pub struct Counterparts {
    /// The dimension.
    pub dimension: Dimension,
    /// How many values there are; none where there are too many to count.
    pub distinct: Option<u64>,
    /// Those with the most events.
    pub top: Vec<Counterpart>,
}

/// One value and the subject's events that have it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Counterpart {
    /// The value.
    pub value: String,
    /// Its events.
    pub events: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// When the first was.
    pub first_seen: Option<String>,
    /// When the last was.
    pub last_seen: Option<String>,
}

/// Values of one dimension that are new.
#[derive(Debug, Clone, Serialize)]
pub struct Novelty {
    /// The dimension.
    pub dimension: Dimension,
    /// How many are new.
    pub distinct: u64,
    /// How many were looked at, where not all: those with the most events.
    pub looked_at: Option<u64>,
    /// Those of them with the most events.
    pub top: Vec<Counterpart>,
}

/// One event, in a line.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub time: Option<String>,
    /// The API.
    pub api: String,
    /// Who called it.
    pub principal: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// What became of it.
    pub outcome: Option<String>,
    /// The event's id.
    pub event_id: Option<String>,
}

/// Where to look next.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Pivot {
    /// The command: `ip` is `.ip` at the prompt and `trailhound ip` in a shell.
    pub command: &'static str,
    /// Its value.
    pub value: String,
    /// Why.
    pub why: String,
}

/// What is to be said where nothing was found.
#[derive(Debug, Clone, Serialize)]
pub struct Nothing {
    /// The events in the cache.
    pub covered_events: u64,
    /// When the first is.
    pub first_event: Option<String>,
    /// When the last is.
    pub last_event: Option<String>,
    /// The accounts whose logs are there.
    pub accounts: Vec<String>,
    /// The regions.
    pub regions: Vec<String>,
    /// The categories of events.
    pub categories: Vec<String>,
    /// Values that are there and look alike.
    pub near: Vec<Near>,
    /// Another pivot that the value looks to be meant for.
    pub rather: Option<&'static str>,
}

/// A value that looks like the one asked for.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Near {
    /// The value.
    pub value: String,
    /// Its events.
    pub events: u64,
}
