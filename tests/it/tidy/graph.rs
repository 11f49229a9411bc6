//! `cargo run` and `cargo test` compile one and the same graph of dependencies.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

use super::{assert_none, tree::root};

/// Compiling some 500 crates a second time, because one of them has one more feature in tests,
/// would double the time from a clone to an answer.
#[test]
fn tests_switch_on_no_feature_that_the_binary_lacks() {
    let binary = features("normal,build");
    let tests = features("normal,build,dev");
    assert!(binary.len() > 100, "cargo tree lists only {} crates", binary.len());
    let faults: Vec<String> = binary
        .iter()
        .filter(|(package, features)| tests.get(*package) != Some(features))
        .map(|(package, features)| {
            let in_tests = tests.get(package).cloned().unwrap_or_default();
            format!("  {package}\n    binary: {features:?}\n    tests:  {in_tests:?}")
        })
        .collect();
    assert_none(&faults, "name the features that only the tests switch on in [dependencies]:");
}

/// What cargo compiles along the given edges: each package, in a version, with its features; more
/// than one set of them where build scripts need it otherwise than the binary.
fn features(edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let listing = cargo_tree(&["--edges", edges, "--format", "{p}|{f}|"]);
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for line in listing.lines() {
        let (package, rest) = line.split_once('|').unwrap();
        let (features, _) = rest.split_once('|').unwrap();
        found.entry(package.to_string()).or_default().insert(features.to_string());
    }
    found
}

/// Runs `cargo tree` with the lock file as it is, without network.
pub(super) fn cargo_tree(arguments: &[&str]) -> String {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root())
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
