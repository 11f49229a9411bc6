//! The queries over published samples: how many rows each gives over a real account, and which
//! techniques of attack the detections see.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
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
const ASKED: &[(&str, &str, &[Value])] = &[];

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
    let mut files: Vec<PathBuf> = std::fs::read_dir(data.join("stratus"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let queries = built_in();
    let found = Mutex::new(BTreeMap::new());
    let faults = for_all(&files, |file, runtime| {
        let technique = file.file_stem().unwrap().to_string_lossy().into_owned();
        let (names, faults) = queries_that_find(&technique, file, &queries, runtime);
        found.lock().unwrap().insert(technique, names);
        faults
    });
    assert_none(&faults, "queries that fail over the samples:");
    let found = found.into_inner().unwrap();
    let unseen: Vec<_> = found.iter().filter(|(_, names)| names.is_empty()).collect();
    assert!(unseen.is_empty() || bless::is_on(), "techniques that no query finds: {unseen:?}");
    let lines: Vec<String> = found
        .iter()
        .map(|(technique, names)| format!("{technique}: {}", names.join(" ")))
        .collect();
    let head = "# The saved queries that find each technique of the samples `stratus`.\n\
                # BLESS=1 cargo test --release --test it library::real writes it.\n";
    recorded(STRATUS, &format!("{head}{}\n", lines.join("\n")));
}

/// The detections that give a row for the file of a technique, and the questions that `ASKED` has.
fn queries_that_find(
    technique: &str,
    file: &Path,
    queries: &[SavedQuery],
    runtime: &Arc<Runtime>,
) -> (Vec<String>, Vec<String>) {
    let lab = Lab::reading(file, runtime);
    let (mut names, mut faults) = (Vec::new(), Vec::new());
    for query in queries {
        let asked = ASKED.iter().find(|(of, name, _)| *of == technique && *name == query.name);
        let has_all = query.parameters.iter().all(|parameter| parameter.default.is_some());
        let given: Given = match asked {
            Some((_, _, given)) => {
                given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
            }
            None if query.severity.is_some() && has_all => Vec::new(),
            None => continue,
        };
        match lab.ask(query, &given) {
            Ok(lines) if values(&lines).is_empty() => {}
            Ok(_) => names.push(query.name.clone()),
            Err(error) => faults.push(format!("{technique}: {}: {error}", query.name)),
        }
    }
    (names, faults)
}
