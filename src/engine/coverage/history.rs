//! What of the cache came from accounts' event histories, which hold less than trails.
//!
//! An event history has the management events of the last 90 days. An account that is known by it
//! looks quiet before and beside: there are no data events, whoever read whatever object.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::{error::Result, execution::session_state::SessionState};
use serde::Serialize;

use super::{DAY, HOUR, asked::Asked, instant, report};
use crate::engine::tables::SnapshotTables;

/// The event history of one account, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventHistory {
    /// The account.
    pub account: String,
    /// The regions with events.
    pub regions: Vec<String>,
    /// The first hour that was asked for, RFC 3339 in UTC.
    pub from: String,
    /// The last hour that was asked for.
    pub to: String,
}

/// Windows of event histories by account and region: `event-history://ACCOUNT/REGION/START/PT1H`,
/// whose parts sort as text.
const WINDOWS: &str = "SELECT split_part(uri, '/', 3), split_part(uri, '/', 4), \
    min(split_part(uri, '/', 5)), max(split_part(uri, '/', 5)) FROM log_files \
    WHERE uri LIKE 'event-history://%/PT1H' AND outcome = 'ingested' GROUP BY 1, 2 ORDER BY 1, 2";

/// The event histories in the cache, by account.
pub(super) async fn of_cache(state: &SessionState) -> Result<Vec<EventHistory>> {
    let mut histories: BTreeMap<String, EventHistory> = BTreeMap::new();
    for batch in report::rows(state, WINDOWS).await? {
        let columns = batch.columns().iter().map(report::texts).collect::<Result<Vec<_>>>()?;
        let [accounts, regions, firsts, lasts] = columns.as_slice() else { continue };
        let rows = accounts.iter().zip(regions).zip(firsts.iter().zip(lasts));
        for ((account, region), (first, last)) in rows {
            let (Some(account), Some(region)) = (account, region) else { continue };
            let (Some(first), Some(last)) = (first, last) else { continue };
            let history = histories.entry(account.clone()).or_insert_with(|| EventHistory {
                account: account.clone(),
                regions: Vec::new(),
                from: first.clone(),
                to: last.clone(),
            });
            history.regions.push(region.clone());
            history.from = first.min(&history.from).clone();
            history.to = last.max(&history.to).clone();
        }
    }
    Ok(histories.into_values().collect())
}

/// What is asked for and can be in no event history, of accounts that are known by theirs.
pub(super) async fn notices(
    asked: &Asked,
    asks_for_others: bool,
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<Vec<String>> {
    if !asks_for_others && asked.from.is_none() {
        return Ok(Vec::new());
    }
    let histories = tables.probes.histories(state).await?;
    let is_asked = |history: &&EventHistory| {
        asked.accounts.as_ref().is_none_or(|accounts| accounts.contains(&history.account))
    };
    let mut notices = Vec::new();
    let (mut without, mut shorter) = (BTreeSet::new(), BTreeMap::new());
    for history in histories.iter().filter(is_asked) {
        let key =
            vec![("recipientaccountid", history.account.clone()), ("category", "Data".to_owned())];
        if asks_for_others && !tables.probes.any(key, None, state, tables).await? {
            without.insert(history.account.as_str());
        }
        let first = chrono::DateTime::parse_from_rfc3339(&history.from).ok();
        let first = first.map(|first| first.timestamp_micros());
        if let (Some(from), Some(first)) = (asked.from, first)
            && from < first.div_euclid(HOUR) * HOUR
            && is_all(first, history, state, tables).await?
        {
            shorter.insert(history.account.as_str(), first);
        }
    }
    for account in without {
        notices.push(format!(
            "account {account} is known by its event history, which holds management events alone: \
             no data events, whatever happened"
        ));
    }
    for (account, first) in shorter {
        notices.push(format!(
            "account {account} is known by its event history, from {} on: only a trail has what is \
             older",
            instant(first)
        ));
    }
    Ok(notices)
}

/// Whether nothing of the account is in the cache before its history begins.
async fn is_all(
    first: i64,
    history: &EventHistory,
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<bool> {
    let key = vec![("recipientaccountid", history.account.clone())];
    let span = tables.probes.span(key, None, state, tables).await?;
    Ok(span.is_none_or(|(earliest, _)| earliest >= first - DAY))
}
