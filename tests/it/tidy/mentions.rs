//! What the documents name is there: files, and the tests that hold a promise.

use std::collections::BTreeSet;

use super::{
    assert_none,
    tree::{has_extension, root, rust_files, text_files},
};

/// Words in code spans of `text`, each with the byte it begins at.
fn spans(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let mut start = at;
            for (n, part) in line.split('`').enumerate() {
                if n % 2 == 1 {
                    found.push((start, part));
                }
                start += part.len() + 1;
            }
        }
        at += line.len();
    }
    found
}

#[test]
fn files_that_documents_name_are_there() {
    let mut faults = Vec::new();
    for file in text_files().iter().filter(|file| has_extension(&file.path, "md")) {
        for (at, span) in spans(&file.text) {
            let is_path = ["src/", "tests/", "benches/", "testdata/", "docs/", ".ci/"]
                .iter()
                .any(|folder| span.starts_with(folder));
            let path = span.split([' ', ',', '<', '*', '…']).next().unwrap_or_default();
            if is_path && !root().join(path.trim_end_matches('/')).exists() {
                faults.push(format!("  {}: {path}", file.place(at)));
            }
        }
    }
    assert_none(&faults, "name these files as they are called, or write them:");
}

#[test]
fn tests_that_hold_promises_are_there() {
    let tests: BTreeSet<String> = rust_files()
        .iter()
        .flat_map(|file| {
            let names = file.text.split("\nfn ").chain(file.text.split("    fn ")).skip(1);
            names.filter_map(|rest| rest.split('(').next()).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let (_, promises) = text.split_once("## What is promised").unwrap();
    let rows = promises.lines().filter(|line| line.starts_with("| **"));
    let mut n_named = 0;
    let mut faults = Vec::new();
    for row in rows {
        let cell = row.rsplit('|').nth(1).unwrap();
        for (_, name) in spans(cell).into_iter().filter(|(_, name)| !name.contains('/')) {
            n_named += 1;
            if !tests.contains(name) {
                faults.push(format!("  {name}"));
            }
        }
    }
    assert!(n_named > 20, "the table of promises names {n_named} tests");
    assert_none(&faults, "docs/ARCHITECTURE.md names tests that are not there:");
}
