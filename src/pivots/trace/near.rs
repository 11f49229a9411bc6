//! What looks like a subject that is nowhere.

use std::collections::BTreeSet;

use super::rows::{Columns, like};
use crate::{Result, engine::Session, error::nearest, pivots::ask::ask, queries::Kind};

/// How many values are named.
const MAX_NEAR: usize = 6;

/// The most values that are compared.
const MAX_COMPARED: usize = 50_000;

/// Values of `sessions` that look like `subject`: those that hold it, else the nearest.
pub(super) async fn near(session: &Session, subject: &str) -> Result<Vec<String>> {
    let literal = |value: &str| Kind::Varchar.literal(value).unwrap_or_default();
    let start: String = subject.chars().take(8).collect();
    let parameters = [
        ("within".to_owned(), literal(&format!("%{}%", like(&subject.to_lowercase())))),
        ("start".to_owned(), literal(&format!("{}%", like(&start)))),
    ];
    let mut holding = BTreeSet::new();
    let mut all = BTreeSet::new();
    for (column, condition) in [
        ("credential", "credential LIKE :start ESCAPE '!'"),
        ("principal_key", "principal_key IS NOT NULL"),
        ("session_name", "session_name IS NOT NULL"),
    ] {
        let sql = format!(
            "SELECT {column} AS v, lower({column}) LIKE :within ESCAPE '!' AS holds, \
             count(*) AS n FROM cache.sessions WHERE {condition} GROUP BY 1, 2 \
             ORDER BY holds DESC, n DESC, v LIMIT {MAX_COMPARED}"
        );
        for batch in ask(session, &sql, &parameters).await? {
            let columns = Columns(&batch);
            for row in 0..batch.num_rows() {
                let Some(value) = columns.text("v", row)? else { continue };
                if columns.number("holds", row)? == Some(1) {
                    holding.insert(value.clone());
                }
                all.insert(value);
            }
        }
    }
    let mut near: Vec<String> = holding.into_iter().take(MAX_NEAR).collect();
    while near.len() < MAX_NEAR {
        // A name stands at the end of an ARN.
        let name = |value: &str| value.rsplit('/').next().unwrap_or_default().to_owned();
        let names: Vec<String> = all.iter().map(|value| name(value)).collect();
        let short = names.iter().map(String::as_str).filter(|name| name.len() <= 200);
        let best = nearest(subject, short.chain(all.iter().map(String::as_str))).map(str::to_owned);
        let Some(best) = best else { break };
        let meant: Vec<String> =
            all.iter().filter(|value| **value == best || name(value) == best).cloned().collect();
        for value in meant {
            all.remove(&value);
            if near.len() < MAX_NEAR && !near.contains(&value) {
                near.push(value);
            }
        }
    }
    Ok(near)
}
