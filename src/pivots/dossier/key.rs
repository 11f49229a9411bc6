//! The history of an access key: who made it, who changed it, who took it away.

use futures::future;

use super::{
    Kind, Step, Subject, columns, columns::value, names::holds, subject, tally::api, times::instant,
};
use crate::{Result, engine::Session, pivots::ask::ask};

/// The most events of a history that are told.
const MAX_STEPS: usize = 50;

/// The IAM APIs whose parameters or response name a key.
const APIS: &str =
    "'CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey', 'GetAccessKeyLastUsed'";

const COLUMNS: &str = "event_ts, eventid, eventsource, eventname, principal_key, sourceipaddress, \
                       outcome, requestparameters, responseelements";

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
    let parameters = vec![
        ("key".to_owned(), subject::literal(key)),
        ("json".to_owned(), subject::literal(&format!("\"{key}\""))),
    ];
    let order = format!("ORDER BY event_ts, eventid LIMIT {MAX_STEPS}");
    let issued = format!("SELECT {COLUMNS} FROM cloudtrail_logs WHERE issued_key = :key {order}");
    let named = format!(
        "SELECT {COLUMNS} FROM cloudtrail_logs WHERE eventname IN ({APIS})
         AND (strpos(requestparameters, :json) > 0 OR strpos(responseelements, :json) > 0) {order}"
    );
    let (issued, named) =
        future::try_join(ask(session, &issued, &parameters), ask(session, &named, &parameters))
            .await?;
    let mut steps = Vec::new();
    for (batches, is_exact) in [(issued, true), (named, false)] {
        for batch in batches {
            let texts = |name| columns::texts(&batch, name);
            let (ids, sources, names) =
                (texts("eventid")?, texts("eventsource")?, texts("eventname")?);
            let (principals, addresses) = (texts("principal_key")?, texts("sourceipaddress")?);
            let (outcomes, times) = (texts("outcome")?, columns::numbers(&batch, "event_ts")?);
            let json = [texts("requestparameters")?, texts("responseelements")?];
            for row in 0..batch.num_rows() {
                let is_value = |texts| value(texts, row).is_some_and(|json| holds(json, key));
                if !is_exact && !json.iter().any(is_value) {
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
