//! The lines that go to stderr beside an answer.

use std::{collections::BTreeSet, sync::Arc};

use datafusion::{
    common::tree_node::TreeNodeRecursion,
    datasource::source_as_provider,
    error::Result,
    execution::session_state::SessionState,
    logical_expr::{Expr, LogicalPlan},
    scalar::ScalarValue,
};

use super::{HOUR, asked::Asked, data_events, history, instant, report};
use crate::{
    cache::Table,
    engine::{
        computed,
        ddl::{self, Catalogue},
        tables::{Sessions, SnapshotTables, scan::ParquetTable},
    },
};

/// Values of one column that are looked up; a longer list is not a question about coverage.
const MAX_VALUES: usize = 16;

/// What the optimised `plan` asks for beyond what the cache covers.
pub(in crate::engine) async fn notices(
    plan: &LogicalPlan,
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<Vec<String>> {
    if matches!(plan, LogicalPlan::Explain(_)) {
        return Ok(Vec::new());
    }
    let mut notices = Vec::new();
    for (table, mut filters) in scans(plan)? {
        // A month and a day say when only together with the year.
        filters.extend(computed::delivery_range(&filters));
        match table {
            Table::Events if tables.rows(table) == 0 => {
                push(&mut notices, "the cache holds no events".to_owned());
            }
            Table::Events => {
                let asked = Asked::of(&ddl::in_stored_terms(&filters)?);
                let of = Of { table: ddl::asked_about(&filters), state, tables };
                // Of a table without files it is said already that it has none.
                if of.table.as_ref().is_some_and(|table| table.is_empty()) {
                    continue;
                }
                if let Some(table) = &of.table
                    && ddl::left(table, &filters, state)?.is_empty()
                {
                    let name = table.table.name();
                    let notice = format!("no partition of `{name}` with files is asked for");
                    push(&mut notices, notice);
                    continue;
                }
                values(&asked, &of, &mut notices).await?;
                times(&asked, &of, &mut notices).await?;
                if of.table.is_none() {
                    let others = asks_for_others(&asked);
                    for notice in history::notices(&asked, others, state, tables).await? {
                        push(&mut notices, notice);
                    }
                }
            }
            Table::Aggregated if tables.rows(table) == 0 => {
                push(&mut notices, "the cache holds no aggregated events".to_owned());
            }
            _ => {}
        }
    }
    Ok(notices)
}

/// What to say of an empty answer from `plan`: it may be empty because files could not be read.
pub(in crate::engine) async fn closing(
    plan: &LogicalPlan,
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<Vec<String>> {
    let of_events = |(table, _): &(Table, _)| matches!(table, Table::Events | Table::Aggregated);
    if !scans(plan)?.iter().any(of_events) {
        return Ok(Vec::new());
    }
    let (skipped, rejected) = report::faults(state, tables).await?;
    let count = |n: u64, one: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {many}")),
    };
    let files = count(skipped, "file was skipped", "files were skipped");
    let records = count(rejected, "record was rejected", "records were rejected");
    Ok(match (files, records) {
        (None, None) => Vec::new(),
        (Some(files), None) => vec![format!("{files} (see log_files)")],
        (None, Some(records)) => vec![format!("{records} (see rejects)")],
        (Some(files), Some(records)) => {
            vec![format!("{files} and {records} (see log_files, rejects)")]
        }
    })
}

fn push(notices: &mut Vec<String>, notice: String) {
    if !notices.contains(&notice) {
        notices.push(notice);
    }
}

/// The scans of cache tables in `plan`, with their predicates.
fn scans(plan: &LogicalPlan) -> Result<Vec<(Table, Vec<Expr>)>> {
    let mut scans = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            // What copies are copies of is asked for by nobody.
            && scan.table_name.table() != ddl::ORIGINALS
            && let Ok(provider) = source_as_provider(&scan.source)
        {
            if let Some(table) = provider.downcast_ref::<ParquetTable>() {
                scans.push((table.table(), scan.filters.clone()));
            } else if provider.downcast_ref::<Sessions>().is_some() {
                // Sessions are made of events, whose columns theirs are called as.
                scans.push((Table::Events, scan.filters.clone()));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(scans)
}

/// What is asked: the cache, or a declared table.
struct Of<'a> {
    table: Option<Arc<Catalogue>>,
    state: &'a SessionState,
    tables: &'a SnapshotTables,
}

impl Of<'_> {
    /// Its name in a sentence: "in the cache", "in `t`".
    fn name(&self) -> String {
        match &self.table {
            Some(table) => format!("`{}`", table.table.name()),
            None => "the cache".to_owned(),
        }
    }

    /// The first event and the last.
    fn span(&self) -> Option<(i64, i64)> {
        match &self.table {
            Some(table) => table.span(),
            None => whole(self.tables),
        }
    }
}

/// Accounts, regions, categories and kinds of data events that were never seen.
async fn values(asked: &Asked, of: &Of<'_>, notices: &mut Vec<String>) -> Result<()> {
    let any = async |key: Vec<(&'static str, String)>| {
        of.tables.probes.any(key, of.table.as_ref(), of.state, of.tables).await
    };
    let place = of.name();
    let few = |values: &Option<BTreeSet<String>>| -> Vec<String> {
        values.iter().flatten().take(MAX_VALUES).cloned().collect()
    };
    for account in few(&asked.accounts) {
        // Anything else (`anonymous`, a service) is no account whose logs could be here.
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if is_account
            && !any(vec![("recipientaccountid", account.clone())]).await?
            && !any(vec![("account", account.clone())]).await?
        {
            push(notices, format!("no events of account {account} are in {place}"));
        }
    }
    for region in few(&asked.regions) {
        if !any(vec![("awsregion", region.clone())]).await?
            && !any(vec![("region", region.clone())]).await?
        {
            push(notices, format!("no events of region {region} are in {place}"));
        }
    }
    let classes = data_events::asked_for(asked.names.iter().flatten(), asked.sources.as_ref());
    let categories = few(&asked.categories);
    let data = || vec![("category", "Data".to_owned())];
    if (!classes.is_empty() || categories.iter().any(|c| c == "Data")) && !any(data()).await? {
        let notice = "no data events (S3 objects, Lambda invocations, …) are in";
        push(notices, format!("{notice} {place}"));
    } else {
        for class in classes {
            let key = vec![("eventsource", class.source.to_owned())];
            if !any([data(), key].concat()).await? {
                push(notices, format!("no data events of {} are in {place}", class.label));
            }
        }
    }
    for category in categories.into_iter().filter(|category| category != "Data") {
        if !any(vec![("category", category.clone())]).await? {
            push(notices, format!("no events of category {category} are in {place}"));
        }
    }
    Ok(())
}

/// Whether events are asked for that are no management events.
fn asks_for_others(asked: &Asked) -> bool {
    let is_other = |category: &String| category != "Management";
    asked.categories.iter().flatten().any(is_other)
        || !data_events::asked_for(asked.names.iter().flatten(), asked.sources.as_ref()).is_empty()
}

/// Times before the first event and after the last: of the account and region asked for where it
/// is one, else of the cache.
async fn times(asked: &Asked, on: &Of<'_>, notices: &mut Vec<String>) -> Result<()> {
    if asked.from.is_none() && asked.to.is_none() {
        return Ok(());
    }
    let single = |values: &Option<BTreeSet<String>>| match values {
        Some(values) if values.len() == 1 => values.first().cloned(),
        _ => None,
    };
    let mut key = Vec::new();
    let mut of = String::new();
    if let Some(account) = single(&asked.accounts) {
        of = format!(" of account {account}");
        key.push(("recipientaccountid", account));
    }
    if let Some(region) = single(&asked.regions) {
        of = format!("{of} in {region}");
        key.push(("awsregion", region));
    }
    let mut span = if key.is_empty() {
        None
    } else {
        on.tables.probes.span(key, on.table.as_ref(), on.state, on.tables).await?
    };
    if span.is_none() {
        of.clear();
        span = on.span();
    }
    let Some((first, last)) = span else { return Ok(()) };
    // A trail with events in an hour covers the hour.
    let (start, end) = (first.div_euclid(HOUR) * HOUR, (last.div_euclid(HOUR) + 1) * HOUR);
    let after = asked.to.is_some_and(|to| to > end) || asked.from.is_some_and(|from| from >= end);
    let before =
        asked.from.is_some_and(|from| from < start) || asked.to.is_some_and(|to| to <= start);
    let question = match (asked.from, asked.to) {
        (Some(from), Some(to)) if from == to => format!("asks for {}", instant(from)),
        (Some(from), Some(to)) => format!("asks for {} to {}", instant(from), instant(to)),
        (Some(from), None) => format!("asks for events from {} on", instant(from)),
        (None, Some(to)) => format!("asks for events up to {}", instant(to)),
        (None, None) => return Ok(()),
    };
    let covered = match (before, after) {
        (false, false) => return Ok(()),
        (true, false) => format!("no events{of} before {}", instant(first)),
        (false, true) => format!("no events{of} after {}", instant(last)),
        (true, true) => {
            format!("no events{of} before {} or after {}", instant(first), instant(last))
        }
    };
    push(notices, format!("{} holds {covered}; this query {question}", on.name()));
    Ok(())
}

/// The first and last event of the cache, from the transaction log.
fn whole(tables: &SnapshotTables) -> Option<(i64, i64)> {
    match tables.table(Table::Events).bounds("event_ts")? {
        (
            ScalarValue::TimestampMicrosecond(Some(first), _),
            ScalarValue::TimestampMicrosecond(Some(last), _),
        ) => Some((first, last)),
        _ => None,
    }
}
