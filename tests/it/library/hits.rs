//! Each query over its fixture: the hit gives exactly its rows, and each miss, one thing apart,
//! others or none.

use std::{collections::BTreeSet, sync::Arc};

use tokio::runtime::Runtime;
use trailhound::queries::SavedQuery;

use super::{
    athena, bless, built_in,
    fixture::{Fixture, Miss},
    json::Json,
    lab::{Lab, assert_none, for_all, values},
};
use crate::support::from_root;

#[test]
fn every_query_finds_what_its_fixture_says_here_and_in_athenas_form() {
    let faults = for_all(&built_in(), |query, runtime| {
        let path = Fixture::path(&query.theme, &query.name);
        let faults = match Fixture::read(&path) {
            Ok(fixture) => of_query(query, &fixture, runtime),
            Err(fault) => vec![fault],
        };
        faults.into_iter().map(|fault| format!("{}: {fault}", query.name)).collect()
    });
    assert_none(&faults, "queries that do not give what their fixtures say (BLESS=1 writes rows):");
}

fn of_query(query: &SavedQuery, fixture: &Fixture, runtime: &Arc<Runtime>) -> Vec<String> {
    let mut faults = Vec::new();
    let (lab, given) = (Lab::of(&fixture.scene(), runtime), fixture.given());
    let lines = match lab.ask(query, &given) {
        Ok(lines) => lines,
        Err(error) => return vec![error],
    };
    let rows = values(&lines);
    if rows.is_empty() {
        faults.push("the hit gives no row".to_owned());
    }
    if rows != fixture.rows {
        if bless::is_on() {
            bless::rows(&Fixture::path(&query.theme, &query.name), &lines);
        } else {
            faults.push(format!("the hit gives\n{lines}"));
        }
    }
    if let Err(fault) = athena::differs(query, &given, &lab, &rows) {
        faults.push(fault);
    }
    if fixture.misses.is_empty() {
        faults.push("there is no miss".to_owned());
    }
    for miss in &fixture.misses {
        if let Err(fault) = of_miss(query, fixture, miss, &rows, runtime) {
            faults.push(format!("the miss because {}: {fault}", miss.because));
        }
    }
    faults
}

fn of_miss(
    query: &SavedQuery,
    fixture: &Fixture,
    miss: &Miss,
    hit: &[serde_json::Value],
    runtime: &Arc<Runtime>,
) -> Result<(), String> {
    let (scene, given) = fixture.missing(miss)?;
    let lines = Lab::of(&scene, runtime).ask(query, &given)?;
    let rows = values(&lines);
    if rows == hit {
        return Err("it gives what the hit gives".to_owned());
    }
    if rows == miss.rows { Ok(()) } else { Err(format!("it gives\n{lines}")) }
}

#[test]
fn every_fixture_belongs_to_a_query() {
    let known: BTreeSet<_> =
        built_in().iter().map(|query| Fixture::path(&query.theme, &query.name)).collect();
    let entries = |dir| std::fs::read_dir(dir).into_iter().flatten().map(|e| e.unwrap().path());
    let fixtures: BTreeSet<_> = entries(from_root("testdata/queries")).flat_map(entries).collect();
    let orphans: Vec<_> = fixtures.difference(&known).collect();
    assert!(orphans.is_empty(), "fixtures without a query: {orphans:?}");
}

/// The parts of the case that fixtures may name: AWS's documentation accounts, addresses of RFC 5737
/// and 3849, keys that end in EXAMPLE.
#[test]
fn fixtures_name_nobody_who_exists() {
    let mut faults = Vec::new();
    for query in built_in() {
        let path = Fixture::path(&query.theme, &query.name);
        let Ok(fixture) = Fixture::read(&path) else { continue };
        let mut texts = Vec::new();
        fixture.scene().records.iter().for_each(|record| collect(record, &mut texts));
        for text in texts {
            faults.extend(strange(&text).map(|what| format!("{}: {what}: {text}", query.name)));
        }
    }
    assert_none(&faults, "fixtures that may name somebody:");
}

fn collect(value: &Json, texts: &mut Vec<String>) {
    match value {
        Json::Text(text) => texts.push(text.clone()),
        Json::List(items) => items.iter().for_each(|item| collect(item, texts)),
        Json::Object(members) => members.iter().for_each(|(_, value)| collect(value, texts)),
        _ => {}
    }
}

/// What in `text` could be somebody's.
fn strange(text: &str) -> Option<&'static str> {
    let is_guid = |word: &&str| {
        word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
            && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
    };
    let words = || {
        let long = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        long.filter(move |word| !is_guid(word)).flat_map(|word| word.split('-'))
    };
    let is_account = |word: &&str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit());
    let is_known = |account: &str| {
        ["111122223333", "444455556666", "123456789012", "777788889999"].contains(&account)
    };
    if words().filter(is_account).any(|account| !is_known(account)) {
        return Some("an account that AWS does not document with");
    }
    let is_key =
        |word: &&str| word.len() == 20 && (word.starts_with("AKIA") || word.starts_with("ASIA"));
    words().filter(is_key).any(|key| !key.ends_with("EXAMPLE")).then_some("an access key")
}
