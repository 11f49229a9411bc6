//! The history of an access key: who made it, who changed it, who took it away.

use futures::future;

use super::{
    Kind, Step, Subject, columns, columns::value, names::holds, subject, tally::api, times::instant,
};
use crate::{Result, engine::Session, pivots::ask::ask};

/// The most events of a history that are told.
const MAX_STEPS: usize = 50;

/// The IAM APIs whose response names a key, and those whose request does. They are asked apart, so
/// that of each only the column is read that may name it.
const NAMING: [(&str, &str); 2] = [
    (MAKING, "responseelements"),
    ("'UpdateAccessKey', 'DeleteAccessKey', 'GetAccessKeyLastUsed'", "requestparameters"),
];

/// The one that makes keys.
const MAKING: &str = "'CreateAccessKey'";

const COLUMNS: &str = "event_ts, eventid, eventsource, eventname, principal_key, sourceipaddress, \
                       outcome";

/// The events that issued, made, changed, removed or asked about the key that `subject` is; of
/// other subjects, none.
///
/// # Errors
/// The cache cannot be read.
pub(super) async fn history(session: &Session, subject: &Subject) -> Result<Vec<Step>> {
    if subject.kind != Kind::Key {
        return Ok(Vec::new());
    }
    let key = subject.value.as_str();
    let parameters = &[
        ("key".to_owned(), subject::literal(key)),
        ("json".to_owned(), subject::literal(&format!("\"{key}\""))),
    ];
    let order = format!("ORDER BY event_ts, eventid LIMIT {MAX_STEPS}");
    let issued = format!("SELECT {COLUMNS} FROM cloudtrail_logs WHERE issued_key = :key {order}");
    // IAM makes no temporary keys; it may be asked about them.
    let is_temporary = key.starts_with("ASIA");
    let named = NAMING.iter().filter(|(apis, _)| !(is_temporary && *apis == MAKING)).map(
        |(apis, column)| {
            let sql = format!(
                "SELECT {COLUMNS}, {column} AS json FROM cloudtrail_logs
                 WHERE eventname IN ({apis}) AND strpos({column}, :json) > 0 {order}"
            );
            async move { ask(session, &sql, parameters).await }
        },
    );
    let (issued, named) =
        future::try_join(ask(session, &issued, parameters), future::try_join_all(named)).await?;
    let mut steps = Vec::new();
    for (batches, is_exact) in
        [(issued, true)].into_iter().chain(named.into_iter().map(|batches| (batches, false)))
    {
        for batch in batches {
            let texts = |name| columns::texts(&batch, name);
            let (ids, sources, names) =
                (texts("eventid")?, texts("eventsource")?, texts("eventname")?);
            let (principals, addresses) = (texts("principal_key")?, texts("sourceipaddress")?);
            let (outcomes, times) = (texts("outcome")?, columns::numbers(&batch, "event_ts")?);
            let json = if is_exact { None } else { Some(texts("json")?) };
            for row in 0..batch.num_rows() {
                let named = json.as_ref().map(|json| value(json, row));
                if named.is_some_and(|json| !json.is_some_and(|json| holds(json, key))) {
                    continue;
                }
                let text = |texts| value(texts, row).map(str::to_owned);
                let time = arrow::array::Array::is_valid(&times, row).then(|| times.value(row));
                let step = Step {
                    time: time.map(instant),
                    api: api(
                        value(&sources, row).unwrap_or_default(),
                        value(&names, row).unwrap_or_default(),
                    ),
                    principal: text(&principals),
                    address: text(&addresses),
                    outcome: text(&outcomes),
                    event_id: text(&ids),
                };
                steps.push((time, step));
            }
        }
    }
    steps.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.event_id.cmp(&b.1.event_id)));
    Ok(steps.into_iter().map(|(_, step)| step).take(MAX_STEPS).collect())
}
