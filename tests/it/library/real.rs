//! The queries over published samples: how many rows each gives over a real account, and which
//! techniques of attack the detections see.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{Arc, Mutex},
};

use tokio::runtime::Runtime;
use trailhound::queries::SavedQuery;

use super::{
    bless, built_in,
    fixture::{Fixture, Given},
    lab::{Lab, assert_none, for_all, values},
};
use crate::support::{from_root, shared_data};

/// How many rows each query gives over the samples `invictus`.
const INVICTUS: &str = "tests/oracle/invictus_queries.txt";

/// Which queries find which techniques of the samples `stratus`.
pub(super) const STRATUS: &str = "tests/oracle/stratus_queries.txt";

/// Techniques that leave nothing an alarm could be set on: the question that an investigator asks
/// of them, with its values.
const ASKED: &[(&str, &str, &[Value])] = &[
    ("aws.execution.ssm-start-session", "ssm_sessions", &[]),
    ("aws.persistence.lambda-overwrite-code", "lambda_changes", &[]),
];

/// A parameter's name and value.
type Value = (&'static str, &'static str);

#[test]
fn over_a_real_account_each_query_gives_as_many_rows_as_recorded() {
    let test = "over_a_real_account_each_query_gives_as_many_rows_as_recorded";
    let Some(data) = shared_data(test) else { return };
    let runtime = Arc::new(Runtime::new().unwrap());
    let lab = Lab::reading(&data.join("invictus"), &runtime);
    let lines = Mutex::new(Vec::new());
    let faults = for_all(&built_in(), |query, _| {
        let path = Fixture::path(&query.theme, &query.name);
        let given = Fixture::read(&path).map_or_else(|_| Vec::new(), |f| f.given_invictus());
        match lab.ask(query, &given) {
            Ok(rows) => lines.lock().unwrap().push(line(query, &given, rows.lines().count())),
            Err(error) => return vec![format!("{}: {error}", query.name)],
        }
        Vec::new()
    });
    assert_none(&faults, "queries that fail over the samples:");
    let mut lines = lines.into_inner().unwrap();
    lines.sort();
    let head = "# Rows that each saved query gives over the samples `invictus`, with its values.\n\
                # BLESS=1 cargo test --release --test it library::real writes it.\n";
    recorded(INVICTUS, &format!("{head}{}\n", lines.join("\n")));
}

fn line(query: &SavedQuery, given: &Given, rows: usize) -> String {
    let values: Vec<String> = given.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} [{}] {rows}", query.name, values.join(" "))
}

/// Compares what is written down at `path` with what came.
fn recorded(path: &str, found: &str) {
    let path = from_root(path);
    if bless::is_on() {
        std::fs::write(&path, found).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let differs: Vec<&str> =
        found.lines().filter(|line| !known.lines().any(|l| l == *line)).collect();
    let gone: Vec<&str> = known.lines().filter(|line| !found.lines().any(|l| l == *line)).collect();
    assert!(known == found, "{}: new {differs:#?}, gone {gone:#?} (BLESS=1)", path.display());
}

#[test]
fn every_technique_of_the_samples_is_found() {
    let Some(data) = shared_data("every_technique_of_the_samples_is_found") else { return };
    let data = data.join("stratus");
    let (mut found, technique_of) = techniques(&data);
    let runtime = Arc::new(Runtime::new().unwrap());
    let lab = Lab::reading(&data, &runtime);
    let seen = Mutex::new(Vec::new());
    let queries = built_in();
    let faults = for_all(&queries, |query, runtime| {
        let has_all = query.parameters.iter().all(|parameter| parameter.default.is_some());
        let mut faults = Vec::new();
        if query.severity.is_some() && has_all {
            match lab.ask(query, &Vec::new()) {
                Ok(lines) => {
                    let ids = values(&lines).into_iter().map(|row| row["eventid"].clone());
                    let ids = ids.filter_map(|id| Some(id.as_str()?.to_owned()));
                    let mut seen = seen.lock().unwrap();
                    seen.extend(ids.map(|id| (id, query.name.clone())));
                }
                Err(error) => faults.push(format!("{}: {error}", query.name)),
            }
        }
        for (technique, _, given) in ASKED.iter().filter(|(_, name, _)| *name == query.name) {
            let lab = Lab::reading(&data.join(format!("{technique}.json")), runtime);
            let given = given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            match lab.ask(query, &given) {
                Ok(lines) if lines.is_empty() => {
                    faults.push(format!("{} does not find {technique}", query.name));
                }
                Ok(_) => seen.lock().unwrap().push(((*technique).to_owned(), query.name.clone())),
                Err(error) => faults.push(format!("{}: {error}", query.name)),
            }
        }
        faults
    });
    assert_none(&faults, "queries over the samples:");
    for (id, name) in seen.into_inner().unwrap() {
        let technique = technique_of.get(&id).unwrap_or(&id);
        found.entry(technique.clone()).or_default().insert(name);
    }
    let unseen: Vec<_> = found.iter().filter(|(_, names)| names.is_empty()).collect();
    assert!(unseen.is_empty(), "techniques that no query finds: {unseen:?}");
    let line = |(technique, names): (&String, &BTreeSet<String>)| {
        format!("{technique}: {}\n", names.iter().cloned().collect::<Vec<_>>().join(" "))
    };
    let lines: Vec<String> = found.iter().map(line).collect();
    let head = "# The saved queries that find each technique of the samples `stratus`.\n\
                # BLESS=1 cargo test --release --test it library::real writes it.\n";
    recorded(STRATUS, &format!("{head}{}", lines.concat()));
}

/// The queries that find each technique, none yet, and the techniques of the events by their ids.
fn techniques(data: &Path) -> (BTreeMap<String, BTreeSet<String>>, HashMap<String, String>) {
    let (mut found, mut technique_of) = (BTreeMap::new(), HashMap::new());
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let technique = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let records: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        for record in records {
            let id = record["eventID"].as_str().unwrap_or_default().to_owned();
            technique_of.insert(id, technique.clone());
        }
        found.insert(technique, BTreeSet::new());
    }
    (found, technique_of)
}
