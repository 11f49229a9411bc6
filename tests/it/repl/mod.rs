//! The prompt on a pseudo-terminal.
#![cfg(unix)]

mod cancel;
mod complete;
mod lines;
mod output;
mod reference;
mod saved;
pub(crate) mod terminal;

use terminal::Terminal;

use crate::cli::Scene;

#[test]
fn the_prompt_answers_and_survives_faults() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);

    let answer = terminal.enter("SELECT count(*) AS n FROM cloudtrail_logs;");
    assert!(answer.contains("      3\r\n1 row · "), "{answer}");

    let fault = terminal.enter("SELECT eventnam FROM cloudtrail_logs;");
    assert!(fault.contains("did you mean `eventname`?"), "{fault}");
    let answer = terminal.enter("SELECT 6 * 7 AS still_here;");
    assert!(answer.contains("42"), "{answer}");
    terminal.leave();
}

#[test]
fn commands_work_and_new_evidence_is_seen() {
    let scene = Scene::ingested();
    let mut terminal = Terminal::open(&scene);

    assert!(terminal.enter(".tables").contains("cloudtrail_logs"));
    assert!(terminal.enter(".tabels").contains("did you mean `.tables`?"));
    assert!(terminal.enter(".functions regexp_like").contains("regexp_like("));
    assert!(terminal.enter(".functions nonsense").contains("no function has `nonsense`"));
    assert!(terminal.enter("\\dt").contains("log_files"));

    let lenient = "SELECT requestparameters.key AS k FROM cloudtrail_logs LIMIT 1;";
    assert!(terminal.enter(lenient).contains("is taken as the member"));
    terminal.enter(".strict on");
    assert!(terminal.enter(lenient).contains("is text and has no members"));
    assert!(terminal.enter(".strict").contains("on"));
    terminal.enter(".strict off");
    assert!(terminal.enter(".strict maybe").contains("expected on or off"));

    terminal.enter(".set datafusion.execution.batch_size 1024");
    let set = terminal.enter(".set datafusion.execution.batch_size");
    assert!(set.contains("datafusion.execution.batch_size = 1024"), "{set}");
    assert!(terminal.enter(".set nonsense").contains("no setting has this name"));

    let told = terminal.enter(".timeline eve --since 2024-01-02");
    assert!(told.contains("Tuesday, 2 January 2024"), "{told}");
    let fault = terminal.enter(".timeline --query access_key_activity");
    assert!(fault.contains("needs it"), "{fault}");

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
    terminal.enter(".mode json");
    let answer = terminal.enter("SELECT count(*) AS n FROM cloudtrail_logs;");
    assert!(answer.contains("[{\"n\":4}]"), "{answer}");

    // And so does the prompt itself.
    let said = terminal.enter(&format!(".ingest {}", more.display()));
    assert!(said.contains("1 unchanged"), "{said}");
    // Its values are offered from then on.
    let said = "SELECT 1 FROM cloudtrail_logs WHERE eventname = 'CreateU";
    terminal.send(said);
    terminal.wait_while_trying("'CreateUser'", |terminal| terminal.send("\t"));
    terminal.clear();
    terminal.leave();
}
