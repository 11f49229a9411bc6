//! The documents are executed: every `console` block of README.md and `docs/*.md`.
//!
//! A line that starts with `$ ` is a command, run by bash from the repository's root with the
//! binary under test in `PATH` and a cache of the document's own; what follows is what it prints,
//! stdout and stderr as a person would see them. Times differ from run to run and are not
//! compared; a line of `...` stands for any number of lines. `BLESS=1 cargo test --release docs`
//! writes what the commands print into the documents.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Where a reader is taken to have cloned the repository.
const CLONE: &str = "/home/you/trailhound";

fn documents() -> Vec<PathBuf> {
    let mut found = vec![Path::new(ROOT).join("README.md")];
    let mut docs: Vec<PathBuf> = fs::read_dir(Path::new(ROOT).join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    docs.sort();
    found.append(&mut docs);
    found
}

/// Runs `command` and gives what it prints.
fn run(command: &str, cache: &Path) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_trailhound")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("exec 2>&1; {command}"))
        .current_dir(ROOT)
        .env("PATH", path)
        .env("TRAILHOUND_CACHE", cache)
        .env("XDG_CONFIG_HOME", cache.join("config"))
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.replace(ROOT, CLONE).replace(&cache.display().to_string(), "/home/you/case")
}

/// `text` with every time in seconds replaced, as these differ from run to run.
fn without_times(text: &str) -> String {
    let mut plain = String::new();
    for line in text.lines() {
        let mut words: Vec<&str> = line.split(' ').collect();
        for at in 1..words.len() {
            let unit = words[at].trim_end_matches([')', ',', ';']) == "s";
            let number = words[at - 1].trim_start_matches('(').parse::<f64>().is_ok();
            if unit && number {
                words[at - 1] = "TIME";
            }
        }
        let _ = writeln!(plain, "{}", words.join(" ").trim_end());
    }
    plain
}

fn agree(expected: &[&str], printed: &str) -> bool {
    let normal = |text: &str| without_times(text);
    let printed = normal(printed);
    let mut rest = printed.as_str();
    let mut skipping = false;
    for part in normal(&expected.join("\n")).split_inclusive('\n') {
        if part.trim_end() == "..." {
            skipping = true;
            continue;
        }
        let found = if skipping { rest.find(part) } else { rest.starts_with(part).then_some(0) };
        let Some(at) = found else { return false };
        rest = &rest[at + part.len()..];
        skipping = false;
    }
    skipping || rest.is_empty()
}

/// Executes one document; gives its text with the commands' real output, and the failures.
fn execute(text: &str, cache: &Path) -> (String, Vec<String>) {
    let (mut written, mut failures) = (String::new(), Vec::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let _ = writeln!(written, "{line}");
        if line.trim() != "```console" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| line.trim() != "```") {
            let _ = writeln!(written, "{line}");
            let Some(first) = line.strip_prefix("$ ") else {
                failures.push(format!("expected a command, but found: {line}"));
                continue;
            };
            let mut command = first.to_owned();
            while command.ends_with('\\') || command.matches('"').count() % 2 == 1 {
                let Some(more) = lines.next_if(|line| line.trim() != "```") else { break };
                let _ = writeln!(written, "{more}");
                let _ = write!(command, "\n{more}");
            }
            let mut expected = Vec::new();
            while let Some(line) =
                lines.next_if(|line| line.trim() != "```" && !line.starts_with("$ "))
            {
                expected.push(line);
            }
            let printed = run(&command, cache);
            if agree(&expected, &printed) {
                for line in expected {
                    let _ = writeln!(written, "{line}");
                }
            } else {
                written.push_str(&printed);
                failures.push(format!("$ {command}\n{printed}"));
            }
        }
    }
    (written, failures)
}

#[test]
fn every_command_in_the_documents_prints_what_they_say() {
    let mut failed = String::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let (written, failures) = execute(&text, &cache.path().join("cache"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, written).unwrap();
        } else {
            for failure in failures {
                let _ = writeln!(failed, "{} says otherwise:\n{failure}", path.display());
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
}
