//! The most frequent values of dimensions that have too many to count in memory, by SQL, which
//! spills what does not fit.

use futures::future;

use super::{
    Counterpart, Counterparts, DossierOptions, columns,
    columns::value,
    subject::{self, Subject},
    tally::{Dimension, Tally, api},
    times::instant,
};
use crate::{Result, engine::Session, pivots::ask::ask};

/// Counts the dimensions that `tally` gave up.
///
/// # Errors
/// The cache cannot be read.
pub(super) async fn overflowed(
    session: &Session,
    subject: &Subject,
    tally: &Tally,
    options: &DossierOptions,
) -> Result<Vec<Counterparts>> {
    let given_up = Dimension::ALL
        .into_iter()
        .filter(|dimension| tally.values.get(dimension).is_some_and(|values| values.overflowed));
    future::try_join_all(given_up.map(|dimension| ranked(session, subject, dimension, options)))
        .await
}

async fn ranked(
    session: &Session,
    subject: &Subject,
    dimension: Dimension,
    options: &DossierOptions,
) -> Result<Counterparts> {
    // What a resource's condition chooses is judged row by row; names in parameters are parsed.
    // Neither is done in SQL.
    if subject.needle.is_some() || dimension == Dimension::Named {
        return Ok(Counterparts { dimension, distinct: None, top: Vec::new() });
    }
    let mut conditions = vec![format!("({})", subject.condition)];
    let mut parameters = subject.parameters.clone();
    let window = options.window;
    for (name, operator, time) in [("since", ">=", window.since), ("until", "<=", window.until)] {
        if let Some(time) = time {
            conditions.push(format!("event_ts {operator} from_iso8601_timestamp(:{name})"));
            parameters.push((name.to_owned(), subject::literal(&instant(time))));
        }
    }
    let (from, values) = match dimension {
        Dimension::Resources => {
            let from = "(SELECT event_ts, outcome, arn FROM cloudtrail_logs \
                         CROSS JOIN UNNEST(resources) AS r(arn, accountid, type) WHERE "
                .to_owned()
                + &conditions.join(" AND ")
                + ") AS touched";
            (from, "arn AS v, '' AS source")
        }
        Dimension::Changes => {
            conditions.push("is_write".to_owned());
            (
                filtered(&conditions, "eventname, eventsource"),
                "eventname AS v, eventsource AS source",
            )
        }
        Dimension::Apis => (
            filtered(&conditions, "eventname, eventsource"),
            "eventname AS v, eventsource AS source",
        ),
        _ => {
            let column = dimension.column().unwrap_or("eventname");
            (filtered(&conditions, &format!("{column} AS one")), "one AS v, '' AS source")
        }
    };
    let sql = format!(
        "SELECT *, count(*) OVER () AS n_values FROM (
           SELECT {values}, count(*) AS n, count_if(outcome <> 'ok') AS failed,
                  min(event_ts) AS first_ts, max(event_ts) AS last_ts
           FROM {from} GROUP BY 1, 2)
         WHERE v <> ''
         ORDER BY n DESC, v LIMIT {}",
        options.top
    );
    let mut top = Vec::new();
    let mut distinct = None;
    for batch in ask(session, &sql, &parameters).await? {
        let (values, sources) = (columns::texts(&batch, "v")?, columns::texts(&batch, "source")?);
        let number = |name| columns::numbers(&batch, name);
        let (n, failed, all) = (number("n")?, number("failed")?, number("n_values")?);
        let (first, last) = (number("first_ts")?, number("last_ts")?);
        for row in 0..batch.num_rows() {
            let count = |n: i64| u64::try_from(n).unwrap_or(0);
            let Some(name) = value(&values, row) else { continue };
            let time = |times: &arrow::array::Int64Array| {
                arrow::array::Array::is_valid(times, row).then(|| instant(times.value(row)))
            };
            distinct = Some(count(all.value(row)));
            top.push(Counterpart {
                value: match value(&sources, row) {
                    Some(source) => api(source, name),
                    None => name.to_owned(),
                },
                events: count(n.value(row)),
                failed: count(failed.value(row)),
                first_seen: time(&first),
                last_seen: time(&last),
            });
        }
    }
    Ok(Counterparts { dimension, distinct, top })
}

/// The subject's events, as a table of the columns that are counted.
fn filtered(conditions: &[String], columns: &str) -> String {
    format!(
        "(SELECT event_ts, outcome, {columns} FROM cloudtrail_logs WHERE {}) AS chosen",
        conditions.join(" AND ")
    )
}
