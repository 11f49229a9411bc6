use super::*;
use crate::output::render_error;

fn fault(text: &str) -> String {
    render_error(&Config::parse(text, "config.toml").unwrap_err(), false)
}

#[test]
fn every_setting_is_read() {
    let text = r#"
        case = "acme"
        memory = "1GiB"
        threads = 4
        temp-dir = "/var/tmp"
        late-days = 0
        strict = true
        queries = ["/srv/hunting", "mine"]
        [tables]
        "security.trail_logs" = "cloudtrail_logs"
        [limits]
        max-record-size = "16MiB"
        max-depth = 64
        max-keys = 0x10
        max-ratio = 100
        max-inflated = 1024
        [aws]
        region = "eu-west-1"
        profile = "audit"
        role-arn = "arn:aws:iam::111122223333:role/responder"
        external-id = "acme"
        no-sign-request = true
        requester-pays = true
        endpoint-url = "http://127.0.0.1:7070"
        path-style = true
        lookups-per-second = 1
    "#;
    let config = Config {
        case: Some("acme".to_owned()),
        memory: Some(1 << 30),
        threads: Some(4),
        temp_dir: Some("/var/tmp".to_owned()),
        late_days: Some(0),
        strict: Some(true),
        queries: vec!["/srv/hunting".to_owned(), "mine".to_owned()],
        tables: vec![("security.trail_logs".to_owned(), "cloudtrail_logs".to_owned())],
        limits: Limits {
            max_record_bytes: Some(16 << 20),
            max_depth: Some(64),
            max_keys: Some(16),
            max_ratio: Some(100),
            max_inflated_bytes: Some(1024),
        },
        aws: AwsOptions {
            region: Some("eu-west-1".to_owned()),
            profile: Some("audit".to_owned()),
            endpoint_url: Some("http://127.0.0.1:7070".to_owned()),
            path_style: true,
            requester_pays: true,
            anonymous: true,
            role_arn: Some("arn:aws:iam::111122223333:role/responder".to_owned()),
            external_id: Some("acme".to_owned()),
            lookups_per_second: Some(1),
        },
    };
    assert_eq!(Config::parse(text, "config.toml").unwrap(), config);
}

#[test]
fn an_empty_file_says_nothing() {
    assert_eq!(Config::parse("", "config.toml").unwrap(), Config::default());
}

#[test]
fn an_unknown_setting_is_drawn_with_the_one_that_was_meant() {
    insta::assert_snapshot!(fault("memory = \"1GiB\"\n[limits]\nmax-dept = 3\n"), @r"
    error: unknown setting `max-dept`
     --> config.toml:3:1
      |
    3 | max-dept = 3
      | ^^^^^^^^
      |
      = help: did you mean `max-depth`?
    ");
    insta::assert_snapshot!(fault("colour = true"), @r"
    error: unknown setting `colour`
     --> config.toml:1:1
      |
    1 | colour = true
      | ^^^^^^
      |
      = help: the settings here are case, memory, threads, temp-dir, late-days, strict, queries, tables, limits, aws
    ");
}

#[test]
fn values_that_do_not_fit_are_drawn() {
    insta::assert_snapshot!(fault("memory = \"lots\""), @r#"
    error: expected a size such as 512MiB, 2GiB, 500MB or 1048576 (bytes)
     --> config.toml:1:10
      |
    1 | memory = "lots"
      |          ^^^^^^
    "#);
    insta::assert_snapshot!(fault("threads = 0"), @r"
    error: expected a whole number from 1
     --> config.toml:1:11
      |
    1 | threads = 0
      |           ^
    ");
    insta::assert_snapshot!(fault("strict = 'yes'"), @r"
    error: expected true or false, but found a string
     --> config.toml:1:10
      |
    1 | strict = 'yes'
      |          ^^^^^
    ");
    insta::assert_snapshot!(fault("[tables]\nx = 1"), @r"
    error: expected a string, but found an integer
     --> config.toml:2:5
      |
    2 | x = 1
      |     ^
    ");
}

#[test]
fn what_is_no_toml_is_drawn() {
    assert!(fault("case = [").starts_with("error: "));
}
