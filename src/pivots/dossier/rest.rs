//! What is new: values that occur nowhere else in the cache, and values that the subject did not
//! have before the window.
//!
//! Most values of most subjects are everybody's. A few rows of others, read beside the subject's own,
//! show that; the rest, which are rare, are looked up by name and their events counted: a value is the subject's alone when
//! it has no more events than the subject has with it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::array::RecordBatch;
use futures::{StreamExt as _, future};

use super::{
    Counterpart, Novelty, columns,
    columns::value,
    counterpart,
    subject::{self, Kind, Subject},
    tally::{Dimension, Stat, Tally, api},
};
use crate::{Result, engine::Session, pivots::ask::ask};

/// Values of one dimension that are looked at.
const MAX_CANDIDATES: usize = 500;

/// Rows of others that are looked through first.
const SAMPLE_ROWS: usize = 200_000;

/// The dimensions in which something new tells something. A key is always its owner's alone.
fn dimensions(kind: Kind) -> &'static [Dimension] {
    use Dimension::{AccessKeys, Addresses, Apis, Principals, Regions, UserAgents};
    match kind {
        Kind::Who | Kind::Key => &[Addresses, UserAgents, Regions, Apis],
        Kind::Ip => &[Principals, AccessKeys, UserAgents, Regions, Apis],
        Kind::Api => &[Principals, Addresses, UserAgents],
        Kind::Resource => &[Principals, Addresses, UserAgents, Apis],
    }
}

/// The values that had events within the window and none before it, which stands for the past
/// that the subject has.
pub(super) fn new_in_window(tally: &Tally, kind: Kind, top: usize) -> Vec<Novelty> {
    let dimensions: HashSet<Dimension> = dimensions(kind)
        .iter()
        .copied()
        .chain([Dimension::Principals, Dimension::Apis, Dimension::Resources, Dimension::Named])
        .collect();
    Dimension::ALL
        .into_iter()
        .filter(|dimension| dimensions.contains(dimension))
        .filter_map(|dimension| {
            let values = tally.values.get(&dimension)?;
            // APIs, of which there are few, go in another order yet.
            let limit = if dimension == Dimension::Apis { usize::MAX } else { top };
            let (distinct, new) = values.ranked(limit, |stat| stat.before == 0);
            let new = new.into_iter().map(counterpart).collect();
            novelty(dimension, distinct, changes_first(tally, dimension, new), None, top)
        })
        .collect()
}

fn novelty(
    dimension: Dimension,
    distinct: u64,
    mut values: Vec<Counterpart>,
    looked_at: Option<u64>,
    top: usize,
) -> Option<Novelty> {
    values.truncate(top);
    (distinct > 0).then_some(Novelty { dimension, distinct, looked_at, top: values })
}

/// Of APIs those first that may change something; otherwise the order is kept.
fn changes_first(
    tally: &Tally,
    dimension: Dimension,
    mut values: Vec<Counterpart>,
) -> Vec<Counterpart> {
    let changes = tally.values.get(&Dimension::Changes);
    if let Some(changes) = changes.filter(|_| dimension == Dimension::Apis) {
        values.sort_by_key(|api| !changes.has(&api.value));
    }
    values
}

/// Values that may be the subject's alone.
struct Candidates<'t> {
    dimension: Dimension,
    /// In the order of their events.
    values: Vec<(&'t str, &'t Stat)>,
    left: HashSet<&'t str>,
    n_all: u64,
}

/// The values that occur in no event but the subject's.
///
/// # Errors
/// The cache cannot be read.
pub(super) async fn only_here(
    session: &Session,
    subject: &Subject,
    tally: &Tally,
    others: &Others,
    top: usize,
) -> Result<Vec<Novelty>> {
    let all: Vec<Candidates<'_>> = dimensions(subject.kind)
        .iter()
        .filter_map(|dimension| {
            let (n_all, mut values) = tally.values.get(dimension)?.ranked(MAX_CANDIDATES, |_| true);
            // What the subject is itself, it is alone.
            values.retain(|(value, _)| *value != subject.value && !is_of_aws(value));
            let others = others.0.get(dimension);
            let left: HashSet<&str> = values
                .iter()
                .map(|(value, _)| *value)
                .filter(|value| !others.is_some_and(|others| others.contains(*value)))
                .collect();
            (!left.is_empty()).then_some(Candidates { dimension: *dimension, values, left, n_all })
        })
        .collect();
    let lookups = all.iter().map(|candidates| look_up(session, candidates));
    let found = future::try_join_all(lookups).await?;
    let novelties = all.iter().zip(found).filter_map(|(candidates, elsewhere)| {
        let alone: Vec<Counterpart> = candidates
            .values
            .iter()
            .filter(|(value, stat)| {
                candidates.left.contains(value)
                    && elsewhere.get(*value).is_none_or(|events| *events <= stat.total)
            })
            .map(|(value, stat)| counterpart((value, stat)))
            .collect();
        let alone = changes_first(tally, candidates.dimension, alone);
        let limit = MAX_CANDIDATES as u64;
        let looked_at = (candidates.n_all > limit).then_some(limit);
        novelty(candidates.dimension, alone.len() as u64, alone, looked_at, top)
    });
    Ok(novelties.collect())
}

/// Whether it is AWS that came, or that is named as the agent: its services work for whoever
/// calls them.
fn is_of_aws(value: &str) -> bool {
    value.ends_with(".amazonaws.com") || value.starts_with("AWS Internal")
}

/// The values that some events of others have.
#[derive(Debug, Default)]
pub(super) struct Others(HashMap<Dimension, HashSet<String>>);

/// Looks through the first rows of others.
///
/// # Errors
/// The cache cannot be read.
pub(super) async fn others(session: &Session, subject: &Subject) -> Result<Others> {
    let dimensions = dimensions(subject.kind);
    let columns: Vec<String> = dimensions.iter().map(|dimension| selected(*dimension)).collect();
    let sql = format!(
        "SELECT {} FROM cloudtrail_logs WHERE ({}) IS NOT TRUE LIMIT {SAMPLE_ROWS}",
        columns.join(", "),
        subject.condition,
    );
    let mut others = Others::default();
    for mut statement in session.parse(&sql, None)? {
        statement.parameters = Arc::from(subject.parameters.clone());
        let mut rows = session.run(&statement).await?.rows;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(|error| session.explain(&statement, error))?;
            for dimension in dimensions {
                let seen = others.0.entry(*dimension).or_default();
                seen.extend(values_of(&batch, *dimension)?);
            }
        }
    }
    Ok(others)
}

/// The columns of a dimension, by names of their own.
fn selected(dimension: Dimension) -> String {
    match dimension.column() {
        Some(column) => format!("{column} AS {}", alias(dimension)),
        None => "eventsource, eventname".to_owned(),
    }
}

fn alias(dimension: Dimension) -> String {
    dimension.column().unwrap_or("eventname").replace('.', "_")
}

/// The distinct values of a dimension in `batch`.
fn values_of(batch: &RecordBatch, dimension: Dimension) -> Result<HashSet<String>> {
    if dimension.column().is_some() {
        let texts = columns::texts(batch, &alias(dimension))?;
        let mut values = HashSet::new();
        for value in (0..batch.num_rows()).filter_map(|row| value(&texts, row)) {
            if !values.contains(value) {
                values.insert(value.to_owned());
            }
        }
        return Ok(values);
    }
    let (sources, names) =
        (columns::texts(batch, "eventsource")?, columns::texts(batch, "eventname")?);
    let mut pairs = HashSet::new();
    for row in 0..batch.num_rows() {
        if let (Some(source), Some(name)) = (value(&sources, row), value(&names, row)) {
            pairs.insert((source, name));
        }
    }
    Ok(pairs.into_iter().map(|(source, name)| api(source, name)).collect())
}

/// Counts the events that have what is left, in the whole cache.
async fn look_up(session: &Session, candidates: &Candidates<'_>) -> Result<HashMap<String, u64>> {
    if candidates.left.is_empty() {
        return Ok(HashMap::new());
    }
    let is_api = candidates.dimension.column().is_none();
    let names: HashSet<&str> = candidates
        .left
        .iter()
        .map(|value| if is_api { value.rsplit(':').next().unwrap_or(value) } else { value })
        .collect();
    let mut parameters = Vec::new();
    for (place, name) in names.into_iter().enumerate() {
        parameters.push((format!("v{place}"), subject::literal(name)));
    }
    let list: Vec<String> = parameters.iter().map(|(name, _)| format!(":{name}")).collect();
    let column = candidates.dimension.column().unwrap_or("eventname");
    let groups = if is_api { "eventsource, eventname" } else { column };
    let sql = format!(
        "SELECT {}, count(*) AS n FROM cloudtrail_logs WHERE {column} IN ({}) GROUP BY {groups}",
        selected(candidates.dimension),
        list.join(", ")
    );
    let mut counts = HashMap::new();
    for batch in ask(session, &sql, &parameters).await? {
        let n = columns::numbers(&batch, "n")?;
        let values = columns::texts(&batch, &alias(candidates.dimension))?;
        let sources = is_api.then(|| columns::texts(&batch, "eventsource")).transpose()?;
        for row in 0..batch.num_rows() {
            let Some(name) = value(&values, row) else { continue };
            let name = match &sources {
                Some(sources) => api(value(sources, row).unwrap_or_default(), name),
                None => name.to_owned(),
            };
            let events = u64::try_from(n.value(row)).unwrap_or(0);
            *counts.entry(name).or_default() += events;
        }
    }
    Ok(counts)
}
