//! Saved queries, and statements that are edited elsewhere.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::Terminal;
use crate::cli::Scene;

#[test]
fn saved_queries_are_listed_shown_and_run() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.enter(".pager off");
    let listed = terminal.enter(".queries access");
    assert!(listed.contains("access_key_activity"), "{listed}");
    assert!(terminal.enter(".queries nonsense").contains("no saved query has `nonsense` in it"));
    let shown = terminal.enter(".show access_key_activity");
    assert!(shown.contains("-- title: ") && shown.contains("SELECT"), "{shown}");
    assert!(terminal.enter(".show access_key_activty").contains("did you mean"));

    let answer = terminal.enter(".run access_key_activity key=AKIAIOSFODNN7EXAMPLE");
    assert!(answer.contains("ListBuckets") && answer.contains("3 rows"), "{answer}");
    // What it needs and was not told, it asks for; Tab knows the keys of the cache.
    terminal.begin(".run access_key_activity");
    terminal.wait_for("key (");
    terminal.send("AK");
    terminal.wait_while_trying("): AKIAIOSFODNN7EXAMPLE", |terminal| terminal.send("\t"));
    let answer = terminal.enter("");
    assert!(answer.contains("3 rows"), "{answer}");

    assert!(terminal.enter(".run access_key_activity nonsense").contains("expected KEY=VALUE"));
    assert!(terminal.enter(".run access_key_activity kez=1").contains("did you mean `key`?"));
    terminal.leave();
}

#[test]
fn the_last_statement_is_kept_as_a_query_and_runs() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    assert!(terminal.enter(".save too_early").contains("nothing was run yet"));
    terminal.enter("SELECT 6 * 7 AS answer;");
    assert!(terminal.enter(".save No-Name").contains("expected lower-case letters"));
    let told = terminal.enter(".save the_answer");
    assert!(told.contains("queries/the_answer.sql"), "{told}");
    assert!(terminal.enter(".save the_answer").contains("is there already"));
    assert!(terminal.enter(".run the_answer").contains("42"));
    terminal.type_until(".run the_an\t", ".run the_answer ");
    terminal.clear();
    assert!(terminal.enter(".show the_answer").contains("SELECT 6 * 7 AS answer"));
    terminal.leave();
    let output = scene.command().args(["query", "the_answer"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "answer\n42\n");
}

#[test]
fn the_last_statement_is_edited_and_runs() {
    let scene = Scene::ingested();
    let editor = scene.path().join("editor");
    let set = |text: &str| {
        fs::write(&editor, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let mut terminal = Terminal::with(&scene, |command| {
        command.env("NO_COLOR", "1").env("EDITOR", format!("{} --wait", editor.display()));
    });
    terminal.enter("SELECT 1 AS n;");
    // Editors replace files rather than write into them.
    set(
        "test \"$1\" = --wait || exit 3; sed 's/1/6 * 7/' \"$2\" > \"$2.new\"; mv \"$2.new\" \"$2\"",
    );
    let answer = terminal.enter(".edit");
    assert!(answer.contains("SELECT 6 * 7 AS n;") && answer.contains("42"), "{answer}");
    // What was written is in the history.
    terminal.send("\u{1b}[A");
    terminal.wait_for("SELECT 6 * 7 AS n;");
    terminal.clear();

    set("printf 'SELECT eventnam FROM cloudtrail_logs' > \"$2\"");
    assert!(terminal.enter("\\e").contains("did you mean `eventname`?"));
    set(": > \"$2\"");
    assert!(terminal.enter(".edit").contains("nothing was written"));
    set("exit 1");
    assert!(terminal.enter(".edit").contains("so nothing ran"));
    terminal.leave();
}
