//! Ctrl-C ends a statement at once, whatever it does, and the prompt alone goes on.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::Terminal;
use crate::cli::Scene;

/// A statement that ends at once, so that what is behind it runs when its answer is seen.
const FIRST: &str = "SELECT 'be' || 'gun' AS a; ";

fn assert_interrupted(terminal: &mut Terminal) {
    terminal.send_control('c');
    terminal.wait_for("interrupted after ");
    terminal.wait_for_prompt();
    assert!(terminal.enter("SELECT 6 * 7 AS still_here;").contains("42"));
}

#[test]
fn while_it_is_planned() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    // What is constant is computed by the plan: here for hours, without a pause.
    terminal.begin(&format!(
        "{FIRST}EXPLAIN SELECT regexp_replace(lpad('', 1000000, 'ab'), '(a|b)*?c', '');"
    ));
    terminal.wait_for("begun");
    assert_interrupted(&mut terminal);
    terminal.leave();
}

#[test]
fn while_it_runs() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.begin(&format!(
        "{FIRST}SELECT count(*) FROM generate_series(1, 1000000000000) WHERE value % 7 = 8;"
    ));
    terminal.wait_for("begun");
    assert_interrupted(&mut terminal);
    terminal.leave();
}

/// Rows without end.
const ENDLESS: &str =
    "SELECT value, lpad('x', 50, 'x') AS x FROM generate_series(1, 1000000000000);";

#[test]
fn while_rows_stream_to_the_screen() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.enter(".pager off");
    terminal.enter(".mode csv");
    // Not as fast as can be: what the terminal shows is read here character by character.
    terminal.enter(".set datafusion.execution.batch_size 1");
    terminal.begin(&ENDLESS.replace(';', " WHERE value % 500 = 1;"));
    terminal.wait_for("xxxxx\r\n");
    assert_interrupted(&mut terminal);
    terminal.leave();
}

#[test]
fn while_rows_stream_to_less() {
    if std::process::Command::new("less").arg("--version").output().is_err() {
        eprintln!("skipped: there is no less here");
        return;
    }
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.enter(".mode csv");
    terminal.begin(ENDLESS);
    terminal.wait_for("xxxxx");
    assert_interrupted(&mut terminal);
    terminal.leave();
}

#[test]
fn while_rows_stream_to_a_file() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    let file = scene.path().join("rows.csv");
    terminal.enter(".once rows.csv");
    terminal.begin(ENDLESS);
    let began = Instant::now();
    while !fs::metadata(&file).is_ok_and(|file| file.len() > 1_000_000) {
        assert!(began.elapsed() < Duration::from_mins(1), "no rows arrive");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_interrupted(&mut terminal);
    terminal.leave();
}

#[test]
fn while_a_parameter_is_asked_for() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    terminal.begin(".run access_key_activity");
    terminal.wait_for("key (");
    terminal.wait_for(": ");
    terminal.send_control('c');
    terminal.wait_for("interrupted after ");
    terminal.wait_for_prompt();
    assert!(terminal.enter("SELECT 6 * 7;").contains("42"));
    terminal.leave();
}
