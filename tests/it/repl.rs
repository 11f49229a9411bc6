//! The prompt on a pseudo-terminal.
#![cfg(unix)]

use std::process::Stdio;

use rexpect::session::{PtySession, spawn_command};

use crate::cli::Scene;

const PROMPT: &str = "trailhound> ";

pub(crate) fn prompt(scene: &Scene) -> PtySession {
    let mut command = scene.command();
    command.stdin(Stdio::inherit()).env("TERM", "xterm").env("NO_COLOR", "1");
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    session.exp_string(PROMPT).unwrap();
    session
}

/// Types a line and gives what stands between it and the next prompt.
pub(crate) fn enter(session: &mut PtySession, line: &str) -> String {
    session.send_line(line).unwrap();
    session.exp_string(PROMPT).unwrap()
}

#[test]
fn the_prompt_answers_and_survives_faults_and_ctrl_c() {
    let scene = Scene::ingested();
    let mut session = prompt(&scene);

    let answer = enter(&mut session, "SELECT count(*) AS n FROM cloudtrail_logs;");
    // The editor hands out bytes, so only ASCII is compared.
    assert!(answer.contains("      3\r\n1 row "), "{answer}");

    session.send_line("SELECT 40").unwrap();
    session.send_line("+ 2 AS answer;").unwrap();
    session.exp_string("42\r\n").unwrap();
    session.exp_string(PROMPT).unwrap();

    let fault = enter(&mut session, "SELECT eventnam FROM cloudtrail_logs;");
    assert!(fault.contains("did you mean `eventname`?"), "{fault}");

    // Ctrl-C at the prompt gives the line up.
    session.send("SELECT 'never").unwrap();
    session.send_control('c').unwrap();
    session.exp_string(PROMPT).unwrap();

    // Ctrl-C during a query ends the query alone.
    session
        .send_line(
            "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000000) b \
             WHERE (a.value * b.value) % 7 = 8;",
        )
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    session.send_control('c').unwrap();
    session.exp_string("interrupted after ").unwrap();
    session.exp_string(PROMPT).unwrap();
    let answer = enter(&mut session, "SELECT 6 * 7 AS still_here;");
    assert!(answer.contains("42"), "{answer}");

    session.send_line(".quit").unwrap();
    session.exp_eof().unwrap();
    let history = scene.path().join(".local/state/trailhound/history");
    let history = std::fs::read_to_string(history).unwrap();
    assert!(history.contains("still_here"), "{history}");
}

#[test]
fn commands_work_and_new_evidence_is_seen() {
    let scene = Scene::ingested();
    let mut session = prompt(&scene);

    assert!(enter(&mut session, ".tables").contains("cloudtrail_logs"));
    assert!(enter(&mut session, ".tabels").contains("did you mean `.tables`?"));
    assert!(enter(&mut session, ".schema log_files").contains("sha256"));
    assert!(enter(&mut session, ".status").contains("3 written"));

    let lenient = "SELECT requestparameters.key AS k FROM cloudtrail_logs LIMIT 1;";
    assert!(enter(&mut session, lenient).contains("is taken as the member"));
    enter(&mut session, ".strict on");
    assert!(enter(&mut session, lenient).contains("is text and has no members"));
    enter(&mut session, ".strict off");
    assert!(enter(&mut session, ".strict maybe").contains("expected on or off"));

    enter(&mut session, ".mode json");
    assert!(enter(&mut session, "SELECT 1 AS a;").contains("[{\"a\":1}]"));
    enter(&mut session, ".once rows.csv");
    enter(&mut session, "SELECT 2 AS b;");
    assert_eq!(std::fs::read_to_string(scene.path().join("rows.csv")).unwrap(), "b\n2\n");

    let refused = enter(&mut session, ".output evidence/rows.csv");
    assert!(refused.contains("lies inside"), "{refused}");

    // Another process brings evidence in while the prompt waits.
    let more = scene.path().join("more.json");
    std::fs::write(
        &more,
        r#"{"Records":[{"eventVersion":"1.09","eventTime":"2024-01-03T00:00:00Z",
        "eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"us-east-1",
        "eventID":"00000000-0000-4000-8000-0000000000ff","eventType":"AwsApiCall",
        "recipientAccountId":"111122223333"}]}"#,
    )
    .unwrap();
    let status = scene.command().arg("ingest").arg(&more).status().unwrap();
    assert!(status.success());
    let answer = enter(&mut session, "SELECT count(*) AS n FROM cloudtrail_logs;");
    assert!(answer.contains("[{\"n\":4}]"), "{answer}");

    // And so does the prompt itself.
    let said = enter(&mut session, &format!(".ingest {}", more.display()));
    assert!(said.contains("1 unchanged"), "{said}");

    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}
