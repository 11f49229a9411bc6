//! The table of functions: its examples give what it says, and `docs/SQL.md` says what it does.
//!
//! `BLESS=1 cargo test --release --test it functions` writes the page.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use trailhound::engine::{Function, functions};

use crate::{sql::Sql, support::from_root};

/// The first value of `SELECT expression`, as text.
fn value(sql: &Sql, expression: &str) -> Result<String, String> {
    let text = format!("SELECT {expression} AS value");
    let batches = sql.rows(&text).map_err(|error| error.to_string())?;
    let options = FormatOptions::default().with_null("NULL");
    let batch = batches.iter().find(|batch| batch.num_rows() > 0).ok_or("no row")?;
    let format = ArrayFormatter::try_new(batch.column(0), &options).map_err(|e| e.to_string())?;
    Ok(format.value(0).to_string())
}

#[test]
fn every_example_gives_what_it_says() {
    let sql = Sql::new();
    let mut wrong = String::new();
    for function in functions() {
        for (expression, expected) in function.examples {
            let found = value(&sql, expression).unwrap_or_else(|error| format!("error: {error}"));
            if found != *expected {
                let _ = writeln!(wrong, "{expression}\n  is   {found}\n  not  {expected}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_function_is_described_once() {
    let mut names = BTreeMap::<&str, u32>::new();
    for function in functions() {
        for name in std::iter::once(&function.name).chain(function.aliases) {
            *names.entry(name).or_default() += 1;
        }
        let what = function.name;
        assert!(function.signature.contains(function.name), "{what}: {}", function.signature);
        assert!(function.text.ends_with('.'), "{what}: {}", function.text);
        // What is over many rows has its examples in tests/sql.
        let many_rows = ["aggregate", "window"].contains(&function.family);
        assert!(many_rows || !function.examples.is_empty(), "{what} has no example");
    }
    let twice: Vec<_> = names.into_iter().filter(|(_, n)| *n > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// What stands before the functions.
const HEAD: &str = include_str!("sql_head.md");

fn page() -> String {
    let mut families = BTreeMap::<&str, Vec<Function>>::new();
    for function in functions() {
        families.entry(function.family).or_default().push(function);
    }
    let mut page = HEAD.to_owned();
    for (family, functions) in families {
        let _ = writeln!(page, "\n### {}\n", capital(family));
        page.push_str("| function | what it gives | example |\n|---|---|---|\n");
        for function in functions {
            let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
            let example = function.examples.first().map_or(String::new(), |(sql, result)| {
                format!("`{}` → `{}`", cell(sql), cell(result))
            });
            let aliases = match function.aliases {
                [] => String::new(),
                names => format!(" Also `{}`.", names.join("`, `")),
            };
            let signature = cell(function.signature);
            let text = cell(function.text);
            let _ = writeln!(page, "| `{signature}` | {text}{aliases} | {example} |");
        }
    }
    page
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[test]
fn the_reference_is_what_the_table_says() {
    let path = from_root("docs/SQL.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, page()).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(written == page(), "docs/SQL.md is not what the table of functions gives: BLESS=1");
}

/// The functions that Trino documents, by the page they stand on.
const TRINO: &str = include_str!("trino_functions.txt");

/// What is syntax here and there, and no function of the table.
const SYNTAX: [&str; 2] = ["position", "trim"];

#[test]
fn what_trino_documents_is_there_or_said_to_be_missing() {
    let ours: Vec<&str> = functions()
        .iter()
        .flat_map(|function| function.aliases.iter().copied().chain([function.name]))
        .chain(SYNTAX)
        .collect();
    let missing: Vec<&str> = HEAD
        .lines()
        .filter_map(|line| line.split_once("| missing |"))
        .map(|(names, _)| names)
        .collect();
    let (mut silent, mut stale) = (Vec::new(), Vec::new());
    for (page, names) in TRINO.lines().skip(1).filter_map(|line| line.split_once(": ")) {
        for name in names.split(' ') {
            let told = missing.iter().any(|row| row.contains(&format!("`{name}`")));
            match (ours.contains(&name), told) {
                (false, false) => silent.push(format!("{page}: {name}")),
                (true, true) => stale.push(name),
                _ => {}
            }
        }
    }
    assert!(silent.is_empty(), "neither there nor said to be missing: {silent:?}");
    assert!(stale.is_empty(), "there, and said to be missing: {stale:?}");
}
