//! Where answers go and what they look like: screen, pager, files.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use super::Terminal;
use crate::cli::Scene;

/// A program that says who it is and passes on what it reads.
fn script(scene: &Scene, name: &str, text: &str) -> PathBuf {
    let path = scene.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn null_is_not_the_empty_string_and_numbers_stand_right() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    let sql = "SELECT * FROM (VALUES (1, 'a'), (20, ''), (300, NULL)) AS t(n, s) ORDER BY n;";
    let answer = terminal.enter(sql);
    assert!(answer.contains("      n │ s\r\n bigint │ varchar\r\n"), "{answer}");
    assert!(answer.contains("      1 │ a\r\n     20 │\r\n    300 │ NULL\r\n3 rows · "), "{answer}");
    assert!(answer.contains(" s · data scanned "), "{answer}");
    terminal.enter(".nullvalue ∅");
    assert!(terminal.enter(sql).contains("    300 │ ∅\r\n"));
    terminal.enter(".timer off");
    assert!(!terminal.enter(sql).contains("rows"));
    terminal.enter(".mode expanded");
    assert!(terminal.enter(sql).contains("─[ 3 ]"));
    terminal.leave();

    let mut terminal = Terminal::with(&scene, |_| {});
    let answer = terminal.enter(sql);
    assert!(answer.contains("    300 │ \u{1b}[2mNULL\u{1b}[0m\r\n"), "{answer}");
    terminal.leave();
}

#[test]
fn what_is_taller_than_the_screen_goes_through_the_pager() {
    let scene = Scene::ingested();
    let pager = script(&scene, "pager", "echo paged; cat; echo end of page");
    let mut terminal = Terminal::with(&scene, |command| {
        command.env("NO_COLOR", "1").env("PAGER", format!("{} -x", pager.display()));
    });
    terminal.enter(".maxrows 0");
    let long = "SELECT value FROM generate_series(1, 200) ORDER BY 1;";
    let answer = terminal.enter(long);
    assert!(answer.contains("paged\r\n"), "{answer}");
    assert!(answer.contains("200\r\nend of page\r\n200 rows"), "{answer}");
    assert!(!terminal.enter("SELECT 6 * 7;").contains("paged"));
    terminal.enter(".pager on");
    assert!(terminal.enter("SELECT 6 * 7;").contains("paged"));
    terminal.enter(".pager off");
    assert!(!terminal.enter(long).contains("paged"));
    assert!(terminal.enter(".pager").contains("off"));
    assert!(terminal.enter(".pager perhaps").contains("expected auto, on or off"));
    // A higher window needs none.
    terminal.enter(".pager auto");
    terminal.resize(100, 300);
    assert!(!terminal.enter(long).contains("paged"));
    terminal.leave();
}

#[test]
fn a_pager_that_does_not_run_is_told() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::with(&scene, |command| {
        command.env("NO_COLOR", "1").env("PAGER", "no-such-pager");
    });
    terminal.enter(".pager on");
    let told = terminal.enter("SELECT 6 * 7;");
    assert!(told.contains("the pager `no-such-pager` does not run"), "{told}");
    terminal.enter(".pager off");
    assert!(terminal.enter("SELECT 6 * 7;").contains("42"));
    terminal.leave();
}

#[test]
fn less_is_left_with_q() {
    if std::process::Command::new("less").arg("--version").output().is_err() {
        eprintln!("skipped: there is no less here");
        return;
    }
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.enter(".maxrows 0");
    // More than any buffer holds: the query waits for the reader, who leaves.
    terminal.begin("SELECT value, lpad('x', 90, 'x') AS x FROM generate_series(1, 1000000);");
    terminal.wait_for("xxxxx");
    terminal.send("q");
    terminal.wait_for_prompt();
    assert!(terminal.enter("SELECT 6 * 7;").contains("42"));
    terminal.leave();
}

#[test]
fn answers_go_to_files() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    let read = |name: &str| fs::read_to_string(scene.path().join(name)).unwrap();

    terminal.enter(".once 'my rows.csv'");
    let told = terminal.enter("SELECT 2 AS b;");
    assert!(told.contains("1 row") && told.contains("to my rows.csv"), "{told}");
    assert_eq!(read("my rows.csv"), "b\n2\n");
    assert!(terminal.enter("SELECT 6 * 7;").contains("42"));

    // Far more than fits in a pipe, in order.
    terminal.enter(".once many.csv");
    terminal.enter("SELECT value FROM generate_series(1, 300000) ORDER BY 1;");
    let many = read("many.csv");
    assert_eq!(many.lines().count(), 300_001);
    assert!(many.ends_with("\n299999\n300000\n"));

    terminal.enter(".mode ndjson");
    terminal.enter(".output all.ndjson");
    terminal.enter("SELECT 1 AS a;");
    terminal.enter("SELECT 2 AS a;");
    terminal.enter(".output");
    assert_eq!(read("all.ndjson"), "{\"a\":1}\n{\"a\":2}\n");
    assert!(terminal.enter("SELECT 3 AS a;").contains("{\"a\":3}"));

    let refused = terminal.enter(".output evidence/rows.csv");
    assert!(refused.contains("lies inside"), "{refused}");
    let refused = terminal.enter(".output no/such/directory.csv");
    assert!(refused.contains("cannot create `no/such/directory.csv`"), "{refused}");
    terminal.leave();
}
