//! What to say where nothing was found: an empty answer is not a clean one, and a value is easily
//! misspelt.

use std::net::IpAddr;

use super::{
    Kind, Near, Nothing, Subject, columns,
    columns::value,
    subject::{self, is_account, is_key, like},
};
use crate::{Result, engine::Session, error::distance, pivots::ask::ask};

/// How many values that look alike are named.
const MAX_NEAR: usize = 6;

/// The most values that are compared.
const MAX_COMPARED: usize = 50_000;

/// What the cache covers, and what in it looks like the subject.
///
/// # Errors
/// The cache cannot be read.
pub(super) async fn nothing(session: &Session, subject: &Subject) -> Result<Nothing> {
    let coverage = session.coverage().await?;
    let names = |slices: &[crate::engine::Slice]| {
        slices.iter().filter_map(|slice| slice.name.clone()).collect()
    };
    let near = if coverage.events == 0 { Vec::new() } else { near(session, subject).await? };
    Ok(Nothing {
        covered_events: coverage.events,
        accounts: names(&coverage.accounts),
        regions: names(&coverage.regions),
        categories: names(&coverage.categories),
        first_event: coverage.first_event,
        last_event: coverage.last_event,
        near,
        rather: rather(subject),
    })
}

/// The pivot whose values look like the subject's.
fn rather(subject: &Subject) -> Option<&'static str> {
    let text = subject.value.as_str();
    let is_id = text.len() == 36
        && text.chars().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        });
    let is_address = text.parse::<IpAddr>().is_ok();
    let is_principal = text.starts_with("arn:")
        && [":user/", ":role/", ":assumed-role/", ":federated-user/", ":root"]
            .iter()
            .any(|part| text.contains(part));
    let meant = match () {
        () if is_key(text) => "key",
        () if is_id => "event",
        () if is_address => "ip",
        () if is_principal || is_account(text) => "who",
        () if text.starts_with("arn:") => "resource",
        // A user who did nothing may have had something done to them.
        () if matches!(subject.kind, Kind::Who) => "resource",
        () => return None,
    };
    Some(meant).filter(|meant| *meant != subject.kind.word())
}

/// Values of the cache that look like the subject's.
async fn near(session: &Session, subject: &Subject) -> Result<Vec<Near>> {
    let text = subject.value.as_str();
    let order = format!("GROUP BY 1 ORDER BY n DESC, v LIMIT {MAX_COMPARED}");
    let by_column = |column: &str| {
        let asked = "count(*) AS n FROM cloudtrail_logs";
        format!("SELECT {column} AS v, {asked} WHERE {column} IS NOT NULL {order}")
    };
    let (statements, parameter): (Vec<String>, String) = match subject.kind {
        Kind::Who => (
            ["principal_key", "session_name", "useridentity.username"].map(by_column).to_vec(),
            String::new(),
        ),
        Kind::Api => (
            vec![format!(
                "SELECT replace(eventsource, '.amazonaws.com', '') || ':' || event_name_base AS v,
                        count(*) AS n FROM cloudtrail_logs {order}"
            )],
            String::new(),
        ),
        Kind::Key => {
            let start: String = text.chars().take(8).collect();
            (
                vec![format!(
                    "SELECT useridentity.accesskeyid AS v, count(*) AS n FROM cloudtrail_logs
                     WHERE useridentity.accesskeyid LIKE :like ESCAPE '\\' {order}"
                )],
                format!("{}%", like(&start)),
            )
        }
        Kind::Ip => (
            vec![format!(
                "SELECT sourceipaddress AS v, count(*) AS n FROM cloudtrail_logs
                 WHERE sourceipaddress LIKE :like ESCAPE '\\' {order}"
            )],
            format!("{}%", like(&network(text))),
        ),
        Kind::Resource => (
            vec![format!(
                "SELECT arn AS v, count(*) AS n
                 FROM cloudtrail_logs CROSS JOIN UNNEST(resources) AS r(arn, accountid, type)
                 WHERE lower(arn) LIKE lower(:like) ESCAPE '\\' {order}"
            )],
            format!("%{}%", like(text)),
        ),
    };
    let parameters = vec![("like".to_owned(), subject::literal(&parameter))];
    let mut found: Vec<(usize, Near)> = Vec::new();
    for statement in statements {
        for batch in ask(session, &statement, &parameters).await? {
            let (values, n) = (columns::texts(&batch, "v")?, columns::numbers(&batch, "n")?);
            for row in 0..batch.num_rows() {
                let Some(name) = value(&values, row) else { continue };
                let is_known = found.iter().any(|(_, near)| near.value == name);
                let is_alike = !parameter.is_empty();
                if let Some(far) = farness(text, name, is_alike).filter(|_| !is_known) {
                    let events = u64::try_from(n.value(row)).unwrap_or(0);
                    found.push((far, Near { value: name.to_owned(), events }));
                }
            }
        }
    }
    found.sort_by(|a, b| {
        a.0.cmp(&b.0).then(b.1.events.cmp(&a.1.events)).then_with(|| a.1.value.cmp(&b.1.value))
    });
    Ok(found.into_iter().map(|(_, near)| near).take(MAX_NEAR).collect())
}

/// How far `name` is from what was asked for; nothing where they are not alike.
fn farness(asked: &str, name: &str, is_alike: bool) -> Option<usize> {
    // What log text is longer than this is no misspelling of anything.
    if asked.len() > 200 || name.len() > 200 {
        return is_alike.then_some(usize::MAX);
    }
    let (asked, lower) = (asked.to_lowercase(), name.to_lowercase());
    // A name stands at the end of an ARN, and behind an API's service.
    let last = lower.rsplit(['/', ':', '|']).next().unwrap_or(&lower);
    let bare = asked.rsplit(['/', ':', ' ']).next().unwrap_or(&asked);
    let far = distance(bare, last).min(distance(&asked, &lower));
    let allowed = (bare.chars().count() / 3).max(1);
    if far <= allowed {
        Some(far)
    } else if lower.contains(&asked) || is_alike {
        Some(allowed + far)
    } else {
        None
    }
}

/// What the neighbours of an address begin with.
fn network(text: &str) -> String {
    let text = text.split('/').next().unwrap_or(text);
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.")
        }
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:")
        }
        Err(_) => text.chars().take(6).collect(),
    }
}
