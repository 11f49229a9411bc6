//! Every crate in the binary may be shipped under this project's terms.

use std::collections::BTreeSet;

use super::{assert_none, graph::cargo_tree};

/// Licences that ask for no more than their text and the names of the authors.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates under other terms, each with the reason why it may stay.
const EXCEPTIONS: &[(&str, &str)] = &[
    // deltalake-core → dirs → dirs-sys. File-level copyleft on 160 lines used as they are published.
    ("option-ext", "MPL-2.0"),
];

#[test]
fn every_crate_in_the_binary_has_a_permissive_licence() {
    let listing = cargo_tree(&["--edges", "normal,no-proc-macro", "--format", "{p}|{l}|"]);
    let crates: BTreeSet<(&str, &str)> = listing
        .lines()
        .filter_map(|line| line.rsplit_once('|')?.0.split_once('|'))
        .map(|(package, licence)| (package.split(' ').next().unwrap(), licence))
        .collect();
    assert!(crates.len() > 100, "cargo tree lists only {} crates", crates.len());
    let faults: Vec<String> = crates
        .iter()
        .filter(|(name, licence)| {
            !is_permissive(licence) && !EXCEPTIONS.contains(&(*name, *licence))
        })
        .map(|(name, licence)| format!("  {name}: {licence:?}"))
        .collect();
    assert_none(&faults, "these crates need another licence, another crate or an exception:");
    for exception in EXCEPTIONS {
        assert!(crates.contains(exception), "{exception:?} is needed no more");
    }
}

/// Whether an SPDX expression can be met with permissive licences alone: one side of each OR, both
/// of each AND. `/` is an old spelling of OR.
fn is_permissive(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let permissive = either(&mut words);
    permissive == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// Whether the expression can be met; nothing where it is malformed.
fn either(words: &mut Words<'_>) -> Option<bool> {
    let mut permissive = both(words)?;
    while words.next_if_eq(&"OR").is_some() {
        permissive |= both(words)?;
    }
    Some(permissive)
}

fn both(words: &mut Words<'_>) -> Option<bool> {
    let mut permissive = licence(words)?;
    while words.next_if_eq(&"AND").is_some() {
        permissive &= licence(words)?;
    }
    Some(permissive)
}

fn licence(words: &mut Words<'_>) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let permissive = either(words)?;
        return (words.next() == Some(")")).then_some(permissive);
    }
    let exception = words.next_if_eq(&"WITH").and_then(|_| words.next());
    let name = exception.map_or_else(|| word.to_string(), |it| format!("{word} WITH {it}"));
    Some(PERMISSIVE.contains(&name.as_str()))
}

#[test]
fn licence_expressions_are_understood() {
    for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "ISC AND (GPL-2.0 OR Apache-2.0)"] {
        assert!(is_permissive(good), "{good} can be met");
    }
    assert!(is_permissive("Apache-2.0 WITH LLVM-exception"));
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT OR", "(MIT", "MIT)", "GPL-2.0 WITH X"] {
        assert!(!is_permissive(bad), "{bad:?} cannot be met");
    }
}
