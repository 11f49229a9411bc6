//! Saved queries as Athena runs them: over AWS's columns alone, with `?` for parameters, and with the
//! same rows.

use std::sync::Arc;

use tokio::runtime::Runtime;
use trailhound::{
    engine::athena_columns,
    queries::{Parameter, SavedQuery},
};

use super::{
    fixture::Given,
    lab::{Lab, assert_none, values},
};
use crate::support::{from_root, shared_data};

/// Queries that have no form for Athena, and why.
const HERE_ALONE: [(&str, &str); 8] = [
    ("conflicting_records", "`id_conflict` is worked out of records that were compared here"),
    ("delegated_provider_calls", "AWS's table has no column for invokedByDelegate"),
    ("digest_gaps", "`digest_files` is what `trailhound verify` found"),
    ("digest_report", "`digest_verdicts` is what `trailhound verify` found"),
    ("duplicate_records", "`duplicates` is kept by ingest"),
    ("files_read", "`log_files` is the ledger of what was ingested"),
    ("insight_events", "AWS's table has no column for insightDetails"),
    ("removed_evidence", "`log_files` is the ledger of what was ingested"),
];

/// The table of AWS's definition: our columns are out of sight.
const AWS_TABLE: &str = "CREATE VIEW aws_table AS SELECT *, \"$path\" FROM cloudtrail_logs";

/// What the form of `query` for Athena does otherwise, in `lab`, where the query gives `here`.
pub(super) fn differs(
    query: &SavedQuery,
    given: &Given,
    lab: &Lab,
    here: &[serde_json::Value],
) -> Result<(), String> {
    let is_exempt = HERE_ALONE.iter().any(|(name, _)| *name == query.name);
    let text = match lab.athena(query) {
        Err(_) if is_exempt => return Ok(()),
        Err(error) => return Err(error),
        Ok(_) if is_exempt => return Err("it has a form after all".to_owned()),
        Ok(text) => text,
    };
    let arguments: Vec<String> = placeholders(&text)
        .iter()
        .map(|name| {
            let parameter = query.parameters.iter().find(|p| p.name == *name).unwrap();
            argument(parameter, given.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()))
        })
        .collect();
    let text = text.replace("cloudtrail_logs", "aws_table");
    let execute = if arguments.is_empty() {
        text.clone()
    } else {
        format!("PREPARE q FROM {text};\nEXECUTE q USING {}", arguments.join(", "))
    };
    let told = |error: String| format!("{error}\n{text}");
    let there = lab.rows(&format!("{AWS_TABLE};\n{execute}"), &[]).map_err(told)?;
    if values(&there) == here { Ok(()) } else { Err(format!("Athena gives\n{there}by\n{text}")) }
}

/// The names in the head of the text, in order.
fn placeholders(text: &str) -> Vec<String> {
    let numbered = text.lines().take_while(|line| line.starts_with("--")).filter_map(|line| {
        let (number, rest) = line.strip_prefix("--   ")?.split_once(". ")?;
        number.parse::<usize>().ok()?;
        Some(rest.split(' ').next()?.to_owned())
    });
    numbered.collect()
}

fn argument(parameter: &Parameter, given: Option<&str>) -> String {
    let value = given.or(parameter.default.as_deref()).unwrap();
    parameter.athena_literal(value)
}

#[test]
fn columns_of_ours_are_what_athena_computes_of_awss() {
    let runtime = Arc::new(Runtime::new().unwrap());
    let mut places = vec![from_root("testdata/case"), from_root("testdata/shapes")];
    if let Some(data) = shared_data("columns_of_ours_are_what_athena_computes_of_awss") {
        places.extend(["invictus", "stratus", "traildiscover"].map(|name| data.join(name)));
    }
    let mut faults = Vec::new();
    for place in places {
        let lab = Lab::reading(&place, &runtime);
        for column in athena_columns() {
            let (name, expression) = (column.name, column.expression);
            let sql = format!(
                "SELECT cast(ours AS varchar) AS ours, cast(theirs AS varchar) AS theirs, count(*) AS n \
                 FROM (SELECT \"{name}\" AS ours, {expression} AS theirs FROM cloudtrail_logs) \
                 WHERE ours IS DISTINCT FROM theirs GROUP BY 1, 2 ORDER BY 1, 2"
            );
            match lab.rows(&sql, &[]) {
                Ok(rows) if rows.is_empty() => {}
                Ok(rows) => faults.push(format!("{}: {name}:\n{rows}", place.display())),
                Err(error) => faults.push(format!("{}: {name}: {error}", place.display())),
            }
        }
    }
    assert_none(&faults, "columns that Athena would compute otherwise:");
}
