//! What was done with the credentials that are shown.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Counted, Done, Node, rows::Columns};
use crate::{Result, engine::Session, pivots::ask::ask, queries::Kind};

/// The most keys that are asked about, the first of the trees first.
const MAX_KEYS: usize = 1_000;

/// The addresses that are named.
const MAX_ADDRESSES: usize = 4;

/// The changes that are named.
const MAX_CHANGES: usize = 12;

/// An API's use by one key.
#[derive(Debug, Default)]
struct Api {
    first: String,
    count: u64,
    denied: u64,
    is_change: bool,
}

/// What one key did.
#[derive(Debug, Default)]
struct Use {
    apis: BTreeMap<String, Api>,
    addresses: BTreeMap<String, u64>,
}

/// Adds to the nodes of `trees` what was done with them.
pub(super) async fn add(session: &Session, trees: &mut [Node]) -> Result<()> {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut left: Vec<&Node> = trees.iter().rev().collect();
    while let Some(node) = left.pop() {
        if asked.len() + node.keys.len() <= MAX_KEYS {
            asked.extend(node.keys.iter().cloned());
        }
        left.extend(node.children.iter().rev());
    }
    let uses = uses(session, &asked).await?;
    let mut left: Vec<&mut Node> = trees.iter_mut().collect();
    while let Some(node) = left.pop() {
        if !node.keys.is_empty() && node.keys.iter().all(|key| asked.contains(key)) {
            node.done = Some(done(node.keys.iter().filter_map(|key| uses.get(key))));
        }
        left.extend(&mut node.children);
    }
    Ok(())
}

async fn uses(session: &Session, keys: &BTreeSet<String>) -> Result<HashMap<String, Use>> {
    let mut uses: HashMap<String, Use> = HashMap::new();
    if keys.is_empty() {
        return Ok(uses);
    }
    let literal = |key: &String| Kind::Varchar.literal(key).unwrap_or_default();
    let parameters: Vec<(String, String)> =
        keys.iter().enumerate().map(|(nth, key)| (format!("k{nth}"), literal(key))).collect();
    let names: Vec<String> = parameters.iter().map(|(name, _)| format!(":{name}")).collect();
    let names = names.join(", ");
    // Side by side: each reads columns of its own.
    let apis = format!(
        "SELECT useridentity.accesskeyid AS k, service || ':' || event_name_base AS api, \
         min(eventtime) AS first, count(*) AS n, count_if(outcome = 'denied') AS denied, \
         count_if(is_write) AS changes \
         FROM cache.cloudtrail_logs WHERE useridentity.accesskeyid IN ({names}) GROUP BY 1, 2"
    );
    let addresses = format!(
        "SELECT useridentity.accesskeyid AS k, sourceipaddress AS address, count(*) AS n \
         FROM cache.cloudtrail_logs WHERE useridentity.accesskeyid IN ({names}) GROUP BY 1, 2"
    );
    let (apis, addresses) = futures::try_join!(
        ask(session, &apis, &parameters),
        ask(session, &addresses, &parameters)
    )?;
    let number = |columns: &Columns<'_>, name: &str, row: usize| -> Result<u64> {
        Ok(columns.number(name, row)?.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
    };
    for batch in &apis {
        let columns = Columns(batch);
        for row in 0..batch.num_rows() {
            let api = Api {
                first: columns.text("first", row)?.unwrap_or_default(),
                count: number(&columns, "n", row)?,
                denied: number(&columns, "denied", row)?,
                is_change: number(&columns, "changes", row)? > 0,
            };
            let key = columns.text("k", row)?.unwrap_or_default();
            let name = columns.text("api", row)?.unwrap_or_default();
            uses.entry(key).or_default().apis.insert(name, api);
        }
    }
    for batch in &addresses {
        let columns = Columns(batch);
        for row in 0..batch.num_rows() {
            let key = columns.text("k", row)?.unwrap_or_default();
            if let Some(address) = columns.text("address", row)? {
                let n = number(&columns, "n", row)?;
                uses.entry(key).or_default().addresses.insert(address, n);
            }
        }
    }
    Ok(uses)
}

/// What all of `uses` did together.
fn done<'u>(uses: impl Iterator<Item = &'u Use>) -> Done {
    let mut apis: BTreeMap<&str, Api> = BTreeMap::new();
    let mut addresses: BTreeMap<&str, u64> = BTreeMap::new();
    for used in uses {
        for (name, api) in &used.apis {
            let whole = apis.entry(name).or_default();
            if whole.count == 0 || api.first < whole.first {
                whole.first.clone_from(&api.first);
            }
            whole.count += api.count;
            whole.denied += api.denied;
            whole.is_change |= api.is_change;
        }
        for (address, n) in &used.addresses {
            *addresses.entry(address).or_default() += n;
        }
    }
    let n_apis = apis.len() as u64;
    let mut changes: Vec<_> = apis.into_iter().filter(|(_, api)| api.is_change).collect();
    changes.sort_by(|one, other| (&one.1.first, one.0).cmp(&(&other.1.first, other.0)));
    let mut addresses: Vec<_> = addresses.into_iter().collect();
    addresses.sort_by_key(|(address, n)| (std::cmp::Reverse(*n), *address));
    let counted = |value: &str, count, denied| Counted { value: value.to_owned(), count, denied };
    Done {
        apis: n_apis,
        more_addresses: addresses.len().saturating_sub(MAX_ADDRESSES) as u64,
        more_changes: changes.len().saturating_sub(MAX_CHANGES) as u64,
        addresses: addresses
            .into_iter()
            .take(MAX_ADDRESSES)
            .map(|(address, n)| counted(address, n, 0))
            .collect(),
        changes: changes
            .into_iter()
            .take(MAX_CHANGES)
            .map(|(name, api)| counted(name, api.count, api.denied))
            .collect(),
    }
}
