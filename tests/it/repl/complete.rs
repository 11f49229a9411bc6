//! Tab: names, values, files; what attackers wrote never gets into the line.

use std::fs;

use super::Terminal;
use crate::cli::Scene;

#[test]
fn names_of_every_kind_are_completed() {
    let scene = Scene::ingested();
    fs::write(scene.path().join("my question.sql"), "SELECT 6 * 7 AS answer;").unwrap();
    let mut terminal = Terminal::open(&scene);
    for (typed, completed) in [
        ("SELE\t", "SELECT"),
        ("sele\t", "select"),
        ("SELECT eventn\t", "SELECT eventname"),
        ("SELECT json_extract_sc\t", "SELECT json_extract_scalar"),
        ("SELECT * FROM cloudtrail_lo\t", "FROM cloudtrail_logs"),
        ("SELECT useridentity.sessioncontext.sess\t", "sessioncontext.sessionissuer"),
        ("SELECT l.useridentity.acc\t", "accountid"),
        ("DESCRIBE log\t", "DESCRIBE log_files"),
        ("SET datafusion.execution.batch_s\t", "datafusion.execution.batch_size"),
        (".sch\t", ".schema "),
        (".mode exp\t", ".mode expanded"),
        (".run access_key_act\t", ".run access_key_activity "),
        (".run access_key_activity k\t", "access_key_activity key="),
        (".help regexp_li\t", ".help regexp_like"),
        (".read my\t", ".read 'my question.sql'"),
    ] {
        terminal.type_until(typed, completed);
        terminal.clear();
    }
    let answer = terminal.enter(".read my\t");
    assert!(answer.contains("42"), "{answer}");
    // Where several fit, they are listed, and the line is drawn anew.
    terminal.send("SELECT event\t");
    let listed = terminal.wait_for("eventversion");
    assert!(listed.contains("eventname") && listed.contains("eventsource"), "{listed}");
    terminal.clear();
    terminal.leave();
}

#[test]
fn values_are_completed_from_what_the_cache_holds() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    // The values are read while the prompt is there already: Tab is pressed until they are known.
    let mut tab = |typed: &str, completed: &str| {
        terminal.send(typed);
        terminal.wait_while_trying(completed, |terminal| terminal.send("\t"));
        terminal.clear();
    };
    tab("SELECT 1 FROM cloudtrail_logs WHERE eventname = 'List", "'ListBuckets'");
    tab("SELECT 1 FROM cloudtrail_logs WHERE eventname IN ('GetObject', 'li", "'ListBuckets'");
    tab("SELECT 1 FROM cloudtrail_logs t WHERE t.eventsource LIKE 's3", "'s3.amazonaws.com'");
    tab("SELECT 1 FROM cloudtrail_logs WHERE sourceipaddress <> '192", "'192.0.2.7'");
    tab(
        "SELECT 1 FROM cloudtrail_logs WHERE useridentity.arn = 'arn:aws",
        "'arn:aws:iam::111122223333:user/eve'",
    );
    tab("SELECT 1 FROM cloudtrail_logs WHERE awsregion != 'us", "'us-east-1'");
    tab(".run access_key_activity key=AK", "key=AKIAIOSFODNN7EXAMPLE");
    // On a line of its own, as everywhere.
    tab("SELECT 1 FROM cloudtrail_logs\rWHERE recipientaccountid = '11", "'111122223333'");
    terminal.leave();
}

#[test]
fn what_attackers_wrote_is_not_completed_into_the_line() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);
    let line = "SELECT 1 FROM cloudtrail_logs WHERE useragent = '";
    terminal.send(line);
    // Its values: one with an escape sequence, which is not offered, one with quotes, one plain.
    terminal.wait_while_trying("=cmd|'' /C calc''!A0", |terminal| terminal.send("\t"));
    let listed = terminal.wait_for(line);
    assert!(listed.contains("aws-cli/2.15"), "{listed}");
    assert!(!listed.contains("Boto3"), "{listed}");
    terminal.type_until("=\t", "useragent = '=cmd|'' /C calc''!A0'");
    let answer = terminal.enter(";");
    assert!(answer.contains("1 row · "), "{answer}");
    terminal.leave();
}
