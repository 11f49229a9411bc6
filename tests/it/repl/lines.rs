//! Typing: statements of several lines, history, search, paste, resize.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::Terminal;
use crate::cli::Scene;

const UP: &str = "\u{1b}[A";
const LEFT: &str = "\u{1b}[D";
const HOME: &str = "\u{1b}[H";
const BACKSPACE: &str = "\u{7f}";

#[test]
fn a_statement_may_have_several_lines() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.type_until("SELECT 40\r", "-> ");
    terminal.type_until("+ 2 AS answer", "-> + 2 AS answer");
    assert!(terminal.enter(";").contains("42"));

    // Alt-Enter begins a line although the statement is whole.
    terminal.type_until("SELECT 1;\u{1b}\r", "-> ");
    let answer = terminal.enter("SELECT 6 * 7;");
    assert!(answer.contains("42") && answer.matches("1 row").count() == 2, "{answer}");

    // A semicolon in quotes or in a comment runs nothing.
    terminal.type_until("SELECT ';\r", "the ' of line 1 is open");
    terminal.type_until("' || 'x', /* ; */\r", "-> ");
    let answer = terminal.enter("43 - 1 AS last;");
    assert!(answer.contains("42"), "{answer}");

    // The keys that move and delete pass over the margin: back into the first line, and on.
    terminal.type_until("SELECT 4\r", "-> ");
    terminal.type_until("0 + 2;", "-> 0 + 2;");
    terminal.send(HOME);
    terminal.send(BACKSPACE);
    terminal.wait_for("SELECT 40 + 2;");
    assert!(terminal.enter("").contains("42"));
    terminal.type_until("SELECT 4\r", "-> ");
    terminal.send(LEFT);
    terminal.type_until("2", "SELECT 42");
    assert!(terminal.enter(" AS n;").contains("42"));

    // Ctrl-C gives all lines up.
    terminal.type_until("SELECT 'never\rrun", "-> run");
    terminal.clear();
    assert!(terminal.enter("SELECT 6 * 7;").contains("42"));
    terminal.leave();
}

#[test]
fn a_paste_of_several_lines_is_one_statement() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.send("\u{1b}[200~SELECT 40 -- forty;\n  + 2\n  AS answer;\u{1b}[201~");
    terminal.wait_for("AS answer;");
    let answer = terminal.enter("");
    assert!(answer.contains("42") && answer.contains("1 row"), "{answer}");

    // Commands in it are a line each.
    terminal.send("\u{1b}[200~.mode json\n.timer off\nSELECT 6 * 7 AS n;\u{1b}[201~");
    terminal.wait_for("AS n;");
    assert!(terminal.enter("").contains("[{\"n\":42}]\r\n"));
    terminal.leave();
}

#[test]
fn the_history_outlives_the_prompt_whole() {
    let scene = Scene::ingested();
    let mut first = Terminal::open(&scene);
    let mut second = Terminal::open(&scene);
    first.type_until("SELECT 40\r", "-> ");
    assert!(first.enter("+ 2 AS answer;").contains("42"));
    second.enter("SELECT 'of the other';");
    first.enter(".tables");
    first.leave();
    second.leave();

    let file = scene.path().join(".local/state/trailhound/history");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let mut third = Terminal::open(&scene);
    third.type_until(UP, ".quit");
    third.type_until(UP, ".tables");
    third.type_until(UP, "SELECT 'of the other';");
    third.send(UP);
    third.wait_for("SELECT 40");
    third.wait_for("-> + 2 AS answer;");
    assert!(third.enter("").contains("42"));
    // Ctrl-R finds it by its second line.
    third.type_until("\u{12}2 AS an", "+ 2 AS answer;");
    assert!(third.enter("").contains("42"));
    third.leave();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("SELECT 40\\n+ 2 AS answer;\n"), "{text}");
}

#[test]
fn hints_tell_how_functions_and_commands_are_called() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.type_until("SELECT split_part(", "-- split_part(string, delimiter, index)");
    terminal.clear();
    terminal.type_until(".once", "FILE");
    terminal.clear();
    terminal.leave();
    // With colours, how an earlier entry went on comes first, and the right arrow takes it.
    let mut terminal = Terminal::with(&scene, |_| {});
    terminal.enter("SELECT 6 * 7 AS earlier;");
    terminal.type_until("SELECT 6", "\u{1b}[2m * 7 AS earlier;\u{1b}[0m");
    assert!(terminal.enter("\u{1b}[C").contains("42"));
    terminal.leave();
}

#[test]
fn colours_are_there_unless_told_otherwise() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::with(&scene, |_| {});
    terminal.type_until("SELECT 'a' || (1", "\u{1b}[1mSELECT\u{1b}[0m \u{1b}[32m'a'\u{1b}[0m");
    terminal.wait_for("\u{1b}[33m(\u{1b}[0m\u{1b}[35m1\u{1b}[0m");
    terminal.clear();
    terminal.type_until(".nonsense ", "\u{1b}[31m.nonsense\u{1b}[0m");
    terminal.clear();
    terminal.leave();
}

#[test]
fn answers_and_lines_follow_the_window() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    let wide = "SELECT eventid, eventname, eventsource, useragent, eventtime, awsregion \
                FROM cloudtrail_logs LIMIT 1;";
    terminal.resize(200, 30);
    let answer = terminal.enter(wide);
    assert!(answer.contains(" eventid "), "{answer}");
    // Too wide for the window: rows turn to records, answer by answer.
    terminal.resize(70, 30);
    let answer = terminal.enter(wide);
    assert!(answer.contains("─[ 1 ]"), "{answer}");
    let answer = terminal.enter("SELECT 6 * 7 AS narrow;");
    assert!(answer.contains("\r\n narrow\r\n"), "{answer}");
    // A line that is being typed is drawn anew.
    terminal.type_until("SELECT 'a line that is longer than the window will be'", "will be'");
    terminal.resize(30, 30);
    terminal.wait_for("will be'");
    terminal.clear();
    terminal.leave();
}
