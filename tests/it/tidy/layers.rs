//! Who imports whom: the layering of `docs/ARCHITECTURE.md`, as two tables.

use std::collections::BTreeSet;

use super::{
    assert_none,
    tree::{SourceFile, root, rust_files},
};

/// Each module, and the modules that it may name. Data moves one way: `ingest` and `engine` meet
/// only at `cache`, and whoever draws or prints stands above whoever computes.
const MODULES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("logs", &["error"]),
    ("bridge", &[]),
    ("aws", &["error", "bridge"]),
    ("source", &["error", "logs", "aws"]),
    ("ingest", &["error", "logs", "aws", "source", "cache"]),
    ("integrity", &["error", "logs", "aws", "source", "ingest", "cache"]),
    ("cache", &["error", "bridge", "logs", "aws"]),
    ("engine", &["error", "logs", "cache"]),
    ("queries", &["error"]),
    ("pivots", &["error", "engine", "queries", "output"]),
    ("output", &["error"]),
    (
        "repl",
        &[
            "error",
            "source",
            "cache",
            "engine",
            "ingest",
            "integrity",
            "output",
            "pivots",
            "queries",
        ],
    ),
    (
        "cli",
        &[
            "error",
            "logs",
            "aws",
            "source",
            "ingest",
            "integrity",
            "cache",
            "engine",
            "queries",
            "pivots",
            "output",
            "repl",
        ],
    ),
    ("main", &["cli"]),
];

/// What every module's own tests may name as well: they show errors and rows to compare them.
const TESTS_NAME_TOO: &[&str] = &["output"];

/// Each big dependency, and the modules that may name it. Their own tests may name any.
const OWNERS: &[(&str, &[&str])] = &[
    ("annotate_snippets", &["output"]),
    ("aws_config", &["aws"]),
    ("aws_credential_types", &["aws"]),
    ("aws_lc_rs", &["integrity"]),
    ("aws_sdk_cloudtrail", &["aws"]),
    ("aws_sdk_s3", &["aws"]),
    ("aws_smithy_runtime_api", &["aws"]),
    ("aws_smithy_types", &["aws"]),
    ("clap", &["cli", "output"]), // output: the names of the formats are clap's values
    ("clap_complete", &["cli"]),
    ("csv", &["logs", "output", "source"]), // logs: records in a column of CSV; source: inventories
    ("datafusion", &["engine"]),
    ("deltalake", &["cache"]),
    ("flate2", &["ingest", "source"]), // source: inventories
    ("indicatif", &["repl"]),
    ("libdeflater", &["engine", "ingest"]), // engine: crc32()
    ("object_store", &["cache", "engine"]),
    ("parquet", &["cache", "engine", "output"]), // output: answers as Parquet; engine: its reader
    ("rustyline", &["repl"]),
    ("tar", &["source"]),
    ("toml", &["cli"]),
    ("zip", &["source"]),
];

#[test]
fn modules_import_only_what_lies_below_them() {
    let mut faults = Vec::new();
    for file in library_files() {
        let from = module_of(&file.path);
        let Some((_, allowed)) = MODULES.iter().find(|(module, _)| *module == from) else {
            faults.push(format!("  {}: `{from}` is missing in the table of modules", file.path));
            continue;
        };
        for (at, to) in modules_named(&file) {
            let in_tests = is_test(&file.path) && TESTS_NAME_TOO.contains(&to.as_str());
            if to != from && is_module(&to) && !allowed.contains(&to.as_str()) && !in_tests {
                faults.push(format!("  {}: `{from}` names `{to}`", file.place(at)));
            }
        }
    }
    assert_none(&faults, "the layering of docs/ARCHITECTURE.md is broken:");
}

#[test]
fn the_table_of_modules_is_the_house() {
    let front_page = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> = front_page
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("pub mod ")?.strip_suffix(';'))
        .chain(["main"])
        .collect();
    let table: BTreeSet<&str> = MODULES.iter().map(|(module, _)| *module).collect();
    assert_eq!(declared, table, "left: `mod` lines of src/lib.rs; right: the table of modules");
}

#[test]
fn every_big_dependency_has_its_owner() {
    let mut faults = Vec::new();
    for file in library_files().into_iter().filter(|file| !is_test(&file.path)) {
        let from = module_of(&file.path);
        for (at, path) in paths(&file.code()) {
            let owners = OWNERS.iter().find(|(name, _)| *name == path);
            if let Some((name, owners)) = owners.filter(|(_, owners)| !owners.contains(&from)) {
                let owners = owners.join(", ");
                faults.push(format!("  {}: `{name}` belongs to {owners}", file.place(at)));
            }
        }
    }
    assert_none(&faults, "ask the owner for what you need of its dependency:");
}

#[test]
fn every_owned_dependency_is_one() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for (name, _) in OWNERS {
        let is_named = [(*name).to_owned(), name.replace('_', "-")]
            .iter()
            .any(|spelling| manifest.contains(&format!("\n{spelling} = ")));
        assert!(is_named, "`{name}` has owners, but Cargo.toml does not name it");
    }
}

/// The files of the library and the binary.
fn library_files() -> Vec<SourceFile> {
    let mut files = rust_files();
    files.retain(|file| file.path.starts_with("src/") && file.path != "src/lib.rs");
    files
}

/// The module to which `src/<module>/…` or `src/<module>.rs` belongs.
fn module_of(path: &str) -> &str {
    let below = path.trim_start_matches("src/").trim_end_matches(".rs");
    below.split('/').next().unwrap()
}

/// Whether a file holds a module's own tests: `tests.rs` or what lies below `tests/`.
pub(super) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn is_module(name: &str) -> bool {
    MODULES.iter().any(|(module, _)| *module == name)
}

/// The modules of this crate that a file names: after `crate::` or the binary's `trailhound::`, and
/// after as many `super::` as lead to the crate's root.
fn modules_named(file: &SourceFile) -> Vec<(usize, String)> {
    let code = file.code();
    let mut named = Vec::new();
    for root in ["crate", "trailhound"] {
        for (at, _) in paths(&code).into_iter().filter(|(_, head)| head == root) {
            named.extend(heads(&code[at + root.len() + 2..]).into_iter().map(|head| (at, head)));
        }
    }
    let climb = "super::".repeat(depth(&file.path));
    for (at, _) in code.match_indices(&climb) {
        named.extend(heads(&code[at + climb.len()..]).into_iter().map(|head| (at, head)));
    }
    named
}

/// How many modules deep the code of a file lies: 1 for `src/logs/mod.rs`.
fn depth(path: &str) -> usize {
    path.trim_start_matches("src/").trim_end_matches("/mod.rs").split('/').count()
}

/// The first segments of all paths in `code`, with their places.
fn paths(code: &str) -> Vec<(usize, String)> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut found = Vec::new();
    for (colons, _) in code.match_indices("::") {
        let before = &code[..colons];
        let start = before.trim_end_matches(is_word).len();
        let head = &before[start..];
        // `a::b::` has one head, `a`; a leading `::a::` is `a` as well.
        let inner = before[..start].strip_suffix("::");
        let is_inner =
            inner.is_some_and(|outer| outer.ends_with(|last| is_word(last) || last == '>'));
        if !head.is_empty() && !is_inner {
            found.push((start, head.to_string()));
        }
    }
    found
}

/// The first segments of a use-tree: `a::b` gives `a`, `{a, b::{c, d}}` gives `a` and `b`.
fn heads(tree: &str) -> Vec<String> {
    let first = |text: &str| -> String {
        let text = text.trim_start();
        text.chars().take_while(|&letter| letter.is_alphanumeric() || letter == '_').collect()
    };
    let Some(group) = tree.trim_start().strip_prefix('{') else {
        return vec![first(tree)];
    };
    let mut heads = vec![first(group)];
    let mut depth = 1;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => heads.push(first(&group[at + 1..])),
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

#[test]
fn imports_are_found_however_they_are_written() {
    let file = SourceFile {
        path: "src/logs/cloudtrail/decode.rs".into(),
        text: "use crate::{Result, cache::{Cache, x}, engine};\n\
               fn f() -> crate::output::Format { super::super::super::cli::run(super::key::y()) }\n\
               // crate::repl\nuse ::datafusion::{a, b}; type T = Vec<std::fmt::Result>;"
            .into(),
    };
    let named: Vec<String> = modules_named(&file).into_iter().map(|(_, name)| name).collect();
    assert_eq!(named, ["Result", "cache", "engine", "output", "cli"]);
    let heads: Vec<String> = paths(&file.code()).into_iter().map(|(_, head)| head).collect();
    assert_eq!(heads, ["crate", "cache", "crate", "super", "super", "datafusion", "std"]);
    assert_eq!(module_of(&file.path), "logs");
    assert_eq!(module_of("src/error.rs"), "error");
}
