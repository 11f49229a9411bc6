//! Counts a subject's events by everything at once, in one pass over them.
//!
//! Each batch is counted by itself, on whatever thread is free, and the counts are added up.

use std::{
    borrow::Cow,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
};

use arrow::array::{Array, RecordBatch, StringViewArray};

use super::{
    columns::{self, Arns, value},
    counts::{Counting, Values},
    names::Reader,
    subject::Needle,
};
use crate::Result;

/// What events are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// What became of them: ok, denied, throttled, error.
    Outcomes,
    /// Where they were asked for.
    Regions,
    /// Who acted.
    Principals,
    /// The names of their sessions.
    Sessions,
    /// The access keys they used.
    AccessKeys,
    /// Where they came from.
    Addresses,
    /// The agents they claimed.
    UserAgents,
    /// What they called that may change something.
    Changes,
    /// What they called.
    Apis,
    /// What services said where they failed.
    ErrorCodes,
    /// The ARNs of what they touched.
    Resources,
    /// What their parameters name: users, roles, buckets, instances.
    Named,
    /// The accounts that received the events.
    Accounts,
    /// The accounts of the callers.
    CallerAccounts,
}

impl Dimension {
    /// All, in the order of reports.
    pub const ALL: [Self; 14] = [
        Self::Outcomes,
        Self::Regions,
        Self::Principals,
        Self::Sessions,
        Self::AccessKeys,
        Self::Addresses,
        Self::UserAgents,
        Self::Changes,
        Self::Apis,
        Self::ErrorCodes,
        Self::Resources,
        Self::Named,
        Self::Accounts,
        Self::CallerAccounts,
    ];

    /// The column that holds its values, where one alone does.
    pub(super) fn column(self) -> Option<&'static str> {
        Some(match self {
            Self::Outcomes => "outcome",
            Self::Regions => "awsregion",
            Self::Principals => "principal_key",
            Self::Sessions => "session_name",
            Self::AccessKeys => "useridentity.accesskeyid",
            Self::Addresses => "sourceipaddress",
            Self::UserAgents => "useragent",
            Self::ErrorCodes => "errorcode",
            Self::Accounts => "recipientaccountid",
            Self::CallerAccounts => "actor_account",
            Self::Apis | Self::Changes | Self::Resources | Self::Named => return None,
        })
    }
}

/// What is known of the events with one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// Events within the window.
    pub(super) events: u64,
    /// Those of them that failed.
    pub(super) failed: u64,
    /// When the first of them was and the last, in microseconds; none where times are unknown.
    pub(super) times: Option<(i64, i64)>,
    /// Events before the window.
    pub(super) before: u64,
    /// Events at all times.
    pub(super) total: u64,
}

impl Stat {
    pub(super) const NONE: Self = Self { events: 0, failed: 0, times: None, before: 0, total: 0 };

    fn add(&mut self, event: Event) {
        self.total += 1;
        if event.is_before {
            self.before += 1;
        }
        if event.is_within {
            self.events += 1;
            self.failed += u64::from(event.has_failed);
            self.times = spanned(self.times, event.time.map(|time| (time, time)));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.failed += other.failed;
        self.before += other.before;
        self.total += other.total;
        self.times = spanned(self.times, other.times);
    }
}

fn spanned(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

/// One event as it is counted.
#[derive(Debug, Clone, Copy)]
struct Event {
    time: Option<i64>,
    has_failed: bool,
    is_within: bool,
    is_before: bool,
}

/// The window of time that is asked about, in microseconds, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// Its first moment.
    pub since: Option<i64>,
    /// Its last.
    pub until: Option<i64>,
}

impl Window {
    /// Whether it leaves anything out.
    pub(super) fn is_bounded(self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Whether the event is within it, and whether it is before. An event without a time is in no
    /// window that is bounded.
    fn places(self, time: Option<i64>) -> (bool, bool) {
        let Some(time) = time else { return (!self.is_bounded(), false) };
        let is_before = self.since.is_some_and(|since| time < since);
        (!is_before && self.until.is_none_or(|until| time <= until), is_before)
    }
}

/// How events are counted.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) window: Window,
    pub(super) needle: Option<Needle>,
}

/// The counts of a subject's events.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Of all of them together.
    pub(super) totals: Totals,
    pub(super) values: HashMap<Dimension, Values>,
}

/// What is counted of all events together.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Of all events.
    pub(super) all: Option<Stat>,
    /// When the first and the last of all were, within the window or not.
    pub(super) span: Option<(i64, i64)>,
    pub(super) activity: Activity,
}

/// A tally while it is made, by many threads.
#[derive(Debug)]
pub(super) struct Tallying {
    plan: Plan,
    totals: Mutex<Totals>,
    values: Counting,
}

impl Tallying {
    /// Nothing yet; the values may take `budget` bytes.
    pub(super) fn new(plan: Plan, budget: usize) -> Self {
        Self { plan, totals: Mutex::default(), values: Counting::new(budget) }
    }

    /// Counts the rows of `batch`.
    pub(super) fn count(&self, batch: &RecordBatch) -> Result<()> {
        let reader = Reader::of(batch, &self.plan)?;
        let (totals, events) = self.events(batch, &reader)?;
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).merge(&totals);
        let texts = |name| columns::texts(batch, name);
        let (sources, names) = (texts("eventsource")?, texts("eventname")?);
        for dimension in Dimension::ALL {
            if self.values.has_given_up(dimension) {
                continue;
            }
            match dimension {
                Dimension::Apis => {
                    self.values.add(dimension, &counted(&events, &names, Some(&sources)));
                }
                Dimension::Changes => {
                    let writes = columns::numbers(batch, "is_write")?;
                    let is_write = |row| writes.is_valid(row) && writes.value(row) == 1;
                    let changes: Vec<Option<Event>> = events
                        .iter()
                        .enumerate()
                        .map(|(row, event)| event.filter(|_| is_write(row)))
                        .collect();
                    self.values.add(dimension, &counted(&changes, &names, Some(&sources)));
                }
                Dimension::Resources => {
                    let arns = Arns::of(batch, "resources")?;
                    self.values.add(dimension, &resources(&arns, &events));
                }
                Dimension::Named => {
                    let named = reader.named(&events, |event, stat: &mut Stat| stat.add(*event));
                    self.values.add(dimension, &named);
                }
                Dimension::AccessKeys => {
                    self.values.add(dimension, &counted(&events, &texts("accesskeyid")?, None));
                }
                _ => {
                    let Some(column) = dimension.column() else { continue };
                    self.values.add(dimension, &counted(&events, &texts(column)?, None));
                }
            }
        }
        Ok(())
    }

    /// The rows of `batch` as they are counted, and their totals.
    fn events(
        &self,
        batch: &RecordBatch,
        reader: &Reader<'_>,
    ) -> Result<(Totals, Vec<Option<Event>>)> {
        let times = columns::numbers(batch, "event_ts")?;
        let outcomes = columns::texts(batch, "outcome")?;
        let mut totals = Totals::default();
        let mut events = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            if !reader.is_meant(row) {
                events.push(None);
                continue;
            }
            let time = times.is_valid(row).then(|| times.value(row));
            let (is_within, is_before) = self.plan.window.places(time);
            let has_failed = value(&outcomes, row).is_some_and(|outcome| outcome != "ok");
            let event = Event { time, has_failed, is_within, is_before };
            totals.all.get_or_insert(Stat::NONE).add(event);
            totals.span = spanned(totals.span, time.map(|time| (time, time)));
            if let Some(time) = time.filter(|_| is_within) {
                totals.activity.add(time, 1, u64::from(has_failed));
            }
            events.push(Some(event));
        }
        Ok((totals, events))
    }

    /// What was counted.
    pub(super) fn finish(self) -> Tally {
        let totals = self.totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        Tally { totals, values: self.values.finish() }
    }
}

impl Totals {
    fn merge(&mut self, other: &Self) {
        if let Some(all) = &other.all {
            self.all.get_or_insert(Stat::NONE).merge(all);
        }
        self.span = spanned(self.span, other.span);
        self.activity.merge(&other.activity);
    }
}

/// An API as the pivots write it: `iam:CreateAccessKey`.
pub(super) fn api(source: &str, name: &str) -> String {
    format!("{}:{name}", source.strip_suffix(".amazonaws.com").unwrap_or(source))
}

/// The views of texts are numbers, and few of them: any spread of their bits is good enough.
#[derive(Default)]
struct ViewHasher(u64);

impl Hasher for ViewHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        self.write_u64((n >> 64) as u64);
        self.0 ^= self.0 >> 32;
    }
}

/// A map by the views of texts: equal views of one array are equal texts. Equal texts may have
/// several views, so what comes out is added up by text.
type ByView<K, T> = HashMap<K, T, BuildHasherDefault<ViewHasher>>;

/// Counts the events by one column, or by two as an API's.
fn counted<'v>(
    events: &[Option<Event>],
    values: &'v StringViewArray,
    sources: Option<&StringViewArray>,
) -> Vec<(Cow<'v, str>, Stat)> {
    let mut places: ByView<(u128, u128), usize> = ByView::default();
    let mut stats: Vec<(usize, Stat)> = Vec::new();
    let mut last: Option<((u128, u128), usize)> = None;
    for (row, event) in events.iter().enumerate() {
        let Some(event) = event else { continue };
        if value(values, row).is_none() {
            continue;
        }
        let view = |array: &StringViewArray| array.views().get(row).copied().unwrap_or_default();
        let source = sources.filter(|sources| sources.is_valid(row)).map(view).unwrap_or_default();
        let key = (view(values), source);
        let place = match last {
            Some((before, place)) if before == key => place,
            _ => *places.entry(key).or_insert_with(|| {
                stats.push((row, Stat::NONE));
                stats.len() - 1
            }),
        };
        last = Some((key, place));
        if let Some((_, stat)) = stats.get_mut(place) {
            stat.add(*event);
        }
    }
    let text = |row: usize| {
        let name = values.value(row);
        match sources {
            Some(sources) => Cow::Owned(api(value(sources, row).unwrap_or_default(), name)),
            None => Cow::Borrowed(name),
        }
    };
    stats.into_iter().map(|(row, stat)| (text(row), stat)).collect()
}

/// Counts the events by the ARNs of their resources, each event once by each.
fn resources<'a>(arns: &'a Arns, events: &[Option<Event>]) -> Vec<(Cow<'a, str>, Stat)> {
    let mut stats: ByView<u128, (usize, Stat)> = ByView::default();
    let mut seen: Vec<&str> = Vec::new();
    for (row, event) in events.iter().enumerate() {
        let Some(event) = event else { continue };
        seen.clear();
        for place in arns.places(row) {
            let arn = arns.values.value(place);
            if arn.is_empty() || seen.contains(&arn) {
                continue;
            }
            seen.push(arn);
            let view = arns.values.views().get(place).copied().unwrap_or_default();
            stats.entry(view).or_insert((place, Stat::NONE)).1.add(*event);
        }
    }
    let text = |place: usize| Cow::Borrowed(arns.values.value(place));
    stats.into_values().map(|(place, stat)| (text(place), stat)).collect()
}

/// The events of each stretch of time, which grow longer where there are too many.
#[derive(Debug)]
pub(super) struct Activity {
    /// How long a stretch is, in seconds.
    pub(super) seconds: i64,
    /// Events and failures by the stretch's number since 1970.
    pub(super) stretches: HashMap<i64, (u64, u64)>,
}

/// How long stretches may be, in seconds: a minute, an hour, a day, four weeks, a year about.
const SECONDS: [i64; 5] = [60, 3_600, 86_400, 28 * 86_400, 364 * 86_400];

/// How many stretches are told apart before they are made longer.
const MAX_STRETCHES: usize = 50_000;

impl Default for Activity {
    fn default() -> Self {
        Self { seconds: 60, stretches: HashMap::new() }
    }
}

impl Activity {
    fn add(&mut self, time: i64, events: u64, failed: u64) {
        let stretch = time.div_euclid(self.seconds * 1_000_000);
        let entry = self.stretches.entry(stretch).or_default();
        entry.0 += events;
        entry.1 += failed;
        if self.stretches.len() > MAX_STRETCHES {
            self.coarsen();
        }
    }

    /// Makes the stretches longer, as long as that is possible.
    pub(super) fn coarsen(&mut self) {
        let Some(seconds) = SECONDS.into_iter().find(|seconds| *seconds > self.seconds) else {
            return;
        };
        self.coarsen_to(seconds);
    }

    /// Makes the stretches `seconds` long.
    pub(super) fn coarsen_to(&mut self, seconds: i64) {
        let mut longer: HashMap<i64, (u64, u64)> = HashMap::new();
        for (stretch, (events, failed)) in &self.stretches {
            let entry = longer.entry((stretch * self.seconds).div_euclid(seconds)).or_default();
            entry.0 += events;
            entry.1 += failed;
        }
        *self = Self { seconds, stretches: longer };
    }

    fn merge(&mut self, other: &Self) {
        while self.seconds < other.seconds {
            self.coarsen();
        }
        for (stretch, (events, failed)) in &other.stretches {
            self.add(stretch * other.seconds * 1_000_000, *events, *failed);
        }
    }
}
