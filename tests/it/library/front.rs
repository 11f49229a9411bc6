//! What the head of a saved query says, and that its text keeps to what was agreed.

use std::{collections::BTreeSet, sync::Arc};

use tokio::runtime::Runtime;
use trailhound::queries::{Kind, Parameter, SavedQuery};

use super::{
    built_in,
    lab::{Lab, assert_none, for_all},
};

/// The first columns of every detection: the spine that results are laid side by side by.
const SPINE: [&str; 8] = [
    "eventtime",
    "actor",
    "action",
    "resource",
    "sourceipaddress",
    "recipientaccountid",
    "awsregion",
    "eventid",
];

/// Queries without a span of time, and why.
const WITHOUT_SPAN: [(&str, &str); 1] =
    [("digest_gaps", "a chain of digests is judged whole: its gaps are where it is cut")];

#[test]
fn every_query_says_what_it_is_for() {
    let mut faults = Vec::new();
    for query in built_in() {
        let mut fault = |what: &str| faults.push(format!("{}: {what}", query.name));
        for (key, text) in [
            ("title", &query.title),
            ("description", &query.description),
            ("hit", &query.hit),
            ("caveat", &query.caveat),
        ] {
            if text.is_empty() {
                fault(&format!("it has no {key}"));
            }
            if (key == "title") == text.ends_with('.') {
                fault(&format!("a title is no sentence, all else is some: {key}"));
            }
        }
        if query.title.chars().count() > 72 {
            fault("the title is longer than 72 characters");
        }
        if query.services.is_empty() {
            fault("it names no service");
        }
        if query.references.is_empty() {
            fault("it has no reference");
        }
        if query.references.iter().any(|reference| !reference.starts_with("https://")) {
            fault("a reference is no https://…");
        }
        if query.severity.is_some() && query.attack.is_empty() {
            fault("a detection names the technique that it detects");
        }
        if query.severity.is_some() == query.false_positives.is_empty() {
            fault("a detection, and only one, says what else gives rows");
        }
        if let Some(what) = span_fault(&query) {
            fault(&what);
        }
    }
    assert_none(&faults, "saved queries that do not say what they should:");
}

fn span_fault(query: &SavedQuery) -> Option<String> {
    let ends: Vec<&Parameter> =
        query.parameters.iter().filter(|p| ["since", "until"].contains(&p.name.as_str())).collect();
    let is_exempt = WITHOUT_SPAN.iter().any(|(name, _)| *name == query.name);
    if is_exempt != ends.is_empty() {
        return Some("it has no `since` and `until`, or is exempt and has them".to_owned());
    }
    let is_plain = |p: &&Parameter| p.kind == Kind::Varchar && p.default.as_deref() == Some("");
    let is_fine = ends.is_empty() || (ends.len() == 2 && ends.iter().all(is_plain));
    (!is_fine).then(|| "`since` and `until` are varchar = ''".to_owned())
}

#[test]
fn every_parameter_is_used_and_every_placeholder_declared() {
    let mut faults = Vec::new();
    for query in built_in() {
        let declared: BTreeSet<String> = query.parameters.iter().map(|p| p.name.clone()).collect();
        let used = placeholders(&query.text);
        if used != declared {
            faults.push(format!("{}: uses {used:?}, declares {declared:?}", query.name));
        }
    }
    assert_none(&faults, "parameters that are not used, or not declared:");
}

/// The names behind colons, outside comments and quotes.
fn placeholders(text: &str) -> BTreeSet<String> {
    let (mut names, mut in_quotes) = (BTreeSet::new(), false);
    for line in text.lines() {
        let mut rest = line;
        while let Some(at) = rest.find(['\'', ':', '-']) {
            let (found, tail) = rest[at..].split_at(1);
            rest = tail;
            match found {
                "'" => in_quotes = !in_quotes,
                _ if in_quotes => {}
                "-" if tail.starts_with('-') => break,
                ":" => {
                    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
                    names.insert(tail[..end].to_owned());
                }
                _ => {}
            }
        }
    }
    names
}

/// A value that fits, where there is no default.
fn samples(query: &SavedQuery) -> Vec<(String, String)> {
    let one = |parameter: &Parameter| {
        let value = match parameter.kind {
            Kind::Varchar | Kind::List => "x",
            Kind::Bigint | Kind::Double => "1",
            Kind::Boolean => "true",
            Kind::Date => "2024-05-14",
        };
        (parameter.name.clone(), parameter.default.clone().unwrap_or_else(|| value.to_owned()))
    };
    query.parameters.iter().map(one).collect()
}

#[test]
fn every_query_plans_over_an_empty_cache_and_takes_what_athena_takes() {
    let faults = for_all(&built_in(), |query, runtime| {
        plans(query, runtime)
            .err()
            .map(|fault| format!("{}: {fault}", query.name))
            .into_iter()
            .collect()
    });
    assert_none(&faults, "queries that do not plan over an empty cache in a strict session:");
}

fn plans(query: &SavedQuery, runtime: &Arc<Runtime>) -> Result<(), String> {
    let lab = Lab::empty(runtime);
    let columns = lab.columns(query, &samples(query))?;
    if query.severity.is_some() && !columns.iter().take(SPINE.len()).eq(SPINE.iter()) {
        return Err(format!("a detection begins with the columns {SPINE:?}, not {columns:?}"));
    }
    let distinct: BTreeSet<&String> = columns.iter().collect();
    if distinct.len() < columns.len() || columns.iter().any(|name| name.starts_with("_col")) {
        return Err(format!("its columns have no names of their own: {columns:?}"));
    }
    Ok(())
}

#[test]
fn placeholders_are_found_outside_quotes_and_comments() {
    let text = "-- a: b\nSELECT ':no', x = :yes_1, 'it''s :no' -- :no\n, :two - 1";
    assert_eq!(placeholders(text), BTreeSet::from(["yes_1".to_owned(), "two".to_owned()]));
}
