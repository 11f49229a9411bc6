//! What a file of this project looks like.

use std::{env, path::Path};

use super::{
    assert_none,
    layers::is_test,
    tree::{has_extension, root, rust_files, text_files},
};

/// The most lines of a file that people read.
const MAX_LINES: usize = 600;

/// Folders below which whole families of directories lie: no sign of one machine.
const SHARED_FOLDERS: &[&str] = &["/", "/home", "/mnt", "/opt", "/root", "/srv", "/tmp", "/usr"];

#[test]
fn no_file_is_too_long_to_read() {
    let faults: Vec<String> = text_files()
        .iter()
        .filter(|file| ["rs", "py", "sh"].iter().any(|kind| has_extension(&file.path, kind)))
        .filter(|file| file.text.lines().count() > MAX_LINES)
        .map(|file| format!("  {}: {} lines", file.path, file.text.lines().count()))
        .collect();
    assert_none(&faults, "split files of more than 600 lines by what they are about:");
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    let faults: Vec<String> = rust_files()
        .iter()
        .filter(|file| !(file.path.starts_with("src/") && is_test(&file.path)))
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("  {}", file.path))
        .collect();
    assert_none(&faults, "open these files with a `//!` sentence that says what they are for:");
}

#[test]
fn nothing_is_left_to_do() {
    let mut faults = Vec::new();
    for file in rust_files() {
        for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")] {
            faults
                .extend(file.text.match_indices(word).map(|(at, _)| found(&file.place(at), word)));
        }
        let code = file.code();
        for call in ["todo!", "unimplemented!", "dbg!"] {
            faults.extend(code.match_indices(call).map(|(at, _)| found(&file.place(at), call)));
        }
    }
    assert_none(&faults, "finish it, or write an issue:");
}

#[test]
fn lints_are_expected_and_tests_are_never_parked() {
    let mut faults = Vec::new();
    for file in rust_files() {
        let code = file.code();
        // What tests and benches include by path is used in part by each, so an expectation
        // cannot be met by all of them.
        let is_shared = !file.path.starts_with("src/");
        for (attribute, instead) in [
            ("[allow(", "use #[expect(lint, reason = \"…\")], which fails once it is not needed"),
            ("#[ignore", "assert what happens today and say why it is wrong"),
            ("#[should_panic", "assert the error"),
        ] {
            if is_shared && attribute == "[allow(" {
                continue;
            }
            let places = code.match_indices(attribute).map(|(at, _)| file.place(at));
            faults.extend(places.map(|place| format!("  {place}: {attribute}…: {instead}")));
        }
    }
    assert_none(&faults, "attributes that hide more than they say:");
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let mut folders = vec![root().to_path_buf()];
    folders.extend(root().parent().map(Path::to_path_buf));
    folders
        .extend(["CARGO_HOME", "CARGO_TARGET_DIR"].iter().filter_map(env::var_os).map(Into::into));
    let folders: Vec<String> = folders
        .iter()
        .filter(|folder| {
            folder.is_absolute() && SHARED_FOLDERS.iter().all(|it| *folder != Path::new(it))
        })
        .map(|folder| format!("{}/", folder.display()))
        .collect();
    let mut faults = Vec::new();
    for file in text_files() {
        for folder in &folders {
            let places = file.text.match_indices(folder).map(|(at, _)| file.place(at));
            faults.extend(places.map(|place| found(&place, folder)));
        }
    }
    assert_none(&faults, "paths of one machine do not belong in the tree:");
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let sources: Vec<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    assert!(!sources.is_empty(), "Cargo.lock names no source at all");
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let faults: Vec<String> =
        sources.iter().filter(|line| **line != public).map(|line| format!("  {line}")).collect();
    assert_none(&faults, "Cargo.lock takes crates from elsewhere than crates.io:");
}

fn found(place: &str, what: &str) -> String {
    format!("  {place}: {what}")
}
