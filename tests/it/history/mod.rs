//! Event histories and public keys, from a `CloudTrail` of the tests' own.

pub(crate) mod mock;

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use trailhound::cache::Table;

use self::mock::{CloudTrail, Event, Faults};
use crate::support::{batches, column, fingerprint};

const ACCOUNT: &str = "111122223333";
const HOUR: i64 = 3600;

/// An account's `CloudTrail` and a cache.
struct Scene {
    dir: tempfile::TempDir,
    cloudtrail: CloudTrail,
    now: i64,
}

impl Scene {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let dir = tempfile::tempdir().unwrap();
        Self { dir, cloudtrail: CloudTrail::start(), now: i64::try_from(now).unwrap() }
    }

    fn command(&self, cache: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
        with_aws(&mut command, &self.cloudtrail.url());
        command
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .args(["--lookups-per-second", "1000", "--cache", cache])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn ingest(&self, cache: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(cache);
        command.args(["ingest", "--json", "--event-history"]).args(arguments).output().unwrap()
    }

    fn cache(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// The whole hour so many hours before this one.
    fn hours_ago(&self, n_hours: i64) -> i64 {
        self.now.div_euclid(HOUR) * HOUR - n_hours * HOUR
    }
}

/// Credentials of the tests' own; nothing of this machine's.
fn with_aws(command: &mut Command, url: &str) {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_ENDPOINT_URL_CLOUDTRAIL", url);
}

/// The record of an event.
fn record(n: usize, at: i64, region: &str) -> Value {
    let time = chrono::DateTime::from_timestamp(at, 0).unwrap();
    json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "accountId": ACCOUNT, "userName": "eve"},
        "eventTime": time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": "sts.amazonaws.com",
        "eventName": "GetCallerIdentity",
        "awsRegion": region,
        "sourceIPAddress": "192.0.2.7",
        "eventID": format!("{n:08x}-0000-4000-8000-{:012x}", at.unsigned_abs()),
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    })
}

/// An event as `LookupEvents` sends it, with a member that no SDK knows.
fn event(n: usize, at: i64, region: &str) -> Event {
    let record = record(n, at, region);
    let sent = json!({
        "EventId": record["eventID"],
        "EventName": "GetCallerIdentity",
        "EventTime": at,
        "Novelty": {"a": 1.50},
        "CloudTrailEvent": record.to_string(),
    });
    Event { at, sent }
}

/// `n` events, one each so many seconds from `at` on.
fn events(n: usize, at: i64, seconds: i64, region: &str) -> Vec<Event> {
    (0..n).map(|i| event(i, at + i64::try_from(i).unwrap() * seconds, region)).collect()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[track_caller]
fn report(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn written(cache: &Path) -> usize {
    batches(cache, Table::Events).iter().map(arrow::array::RecordBatch::num_rows).sum()
}

#[test]
fn an_event_history_is_read_whole_and_nothing_is_asked_twice() {
    let scene = Scene::new();
    // 130 events in one hour are three pages; others lie days apart.
    scene.cloudtrail.record("us-east-1", events(130, scene.hours_ago(50), 20, "us-east-1"));
    scene.cloudtrail.record("us-east-1", events(3, scene.hours_ago(30 * 24), 7, "us-east-1"));
    scene.cloudtrail.record("eu-west-1", events(70, scene.hours_ago(10), 1, "eu-west-1"));
    let output = scene.ingest("cache", &[]);
    let first = report(&output, 0);
    assert_eq!(
        first["records"],
        json!({"read": 203, "written": 203, "duplicates": 0, "rejected": 0})
    );
    let notices = stderr(&output);
    assert!(notices.contains("of 34 regions asked"), "{notices}");
    assert!(notices.contains("has events in: eu-west-1, us-east-1"), "{notices}");
    assert!(notices.contains("no data events"), "{notices}");
    // All hours of two regions; the others are named together.
    let hours = first["files"]["ingested"].as_u64().unwrap();
    assert!((2 * 2160..=2 * 2162).contains(&hours), "{hours}");
    assert_eq!(first["files"]["other"], 1);
    let rows = batches(&scene.cache("cache"), Table::Events);
    let envelopes = column(&rows, "envelope");
    let envelope = envelopes[0].as_deref().unwrap();
    assert!(envelope.contains(r#""Novelty":{"a":1.5}"#), "{envelope}");
    assert!(envelope.contains(r#""EventName":"GetCallerIdentity""#), "{envelope}");
    let n_first = scene.cloudtrail.take_lookups().len();
    assert!(n_first < 34 + 60, "quiet days are asked for together: {n_first}");

    let output = scene.ingest("cache", &[]);
    let second = report(&output, 0);
    assert_eq!(second["records"]["written"], 0);
    assert_eq!(second["records"]["read"], second["records"]["duplicates"]);
    let lookups = scene.cloudtrail.take_lookups();
    // Each region is asked what is there; beyond that, only hours that were not over.
    let again: Vec<_> = lookups.iter().filter(|l| l.until - l.since < 80 * 24 * HOUR).collect();
    assert_eq!(lookups.len() - again.len(), 34);
    assert!(again.iter().all(|lookup| lookup.since >= scene.hours_ago(2)), "{again:?}");
}

#[test]
fn answers_and_status_know_what_an_event_history_lacks() {
    let scene = Scene::new();
    scene.cloudtrail.record("us-east-1", events(2, scene.hours_ago(30), 1, "us-east-1"));
    // Another account has a trail with data events, and a longer one.
    let mut read = record(9, scene.hours_ago(24 * 300), "us-east-1");
    read["recipientAccountId"] = json!("444455556666");
    read["eventSource"] = json!("s3.amazonaws.com");
    read["eventName"] = json!("GetObject");
    read["eventCategory"] = json!("Data");
    std::fs::write(scene.cache("trail.json"), json!({ "Records": [read] }).to_string()).unwrap();
    report(&scene.ingest("cache", &["trail.json", "--region", "us-east-1"]), 0);
    let said = |sql: &str| {
        let output = scene.command("cache").args(["sql", sql]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output).to_owned()
    };
    let ask = |filter: &str| said(&format!("SELECT count(*) FROM cloudtrail_logs WHERE {filter}"));
    let lacks = "account 111122223333 is known by its event history, which holds management events";
    assert!(ask("eventname = 'GetObject'").contains(lacks), "{}", ask("eventname = 'GetObject'"));
    assert!(!ask("eventname = 'CreateUser'").contains("event history"));
    let other = "eventname = 'GetObject' AND recipientaccountid = '444455556666'";
    assert!(!ask(other).contains("event history"), "{}", ask(other));
    let older = ask("event_ts > now() - interval '200' day");
    assert!(older.contains("only a trail has what is older"), "{older}");
    let recent = ask("event_ts > now() - interval '20' day");
    assert!(!recent.contains("event history"), "{recent}");

    let output = scene.command("cache").arg("status").output().unwrap();
    let status = String::from_utf8(output.stdout).unwrap();
    let line = status.lines().find(|line| line.starts_with("histories")).unwrap();
    assert!(line.contains("111122223333") && line.ends_with("us-east-1 · management events alone"));
    let sql = "SELECT DISTINCT source, container FROM log_files WHERE uri LIKE 'event-history:%'";
    let output = scene.command("cache").args(["sql", sql]).output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "source,container\nevent-history://111122223333,event-history://111122223333\n"
    );
    // What came from it can be removed like any source.
    let forget = ["forget", "event-history://111122223333"];
    let output = scene.command("cache").args(forget).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(written(&scene.cache("cache")), 1);
}

#[test]
fn what_a_trail_delivered_is_the_same_event() {
    let scene = Scene::new();
    let at = scene.hours_ago(5);
    scene.cloudtrail.record("us-east-1", events(10, at, 60, "us-east-1"));
    let sent = events(4, at, 60, "us-east-1").into_iter();
    let records: Vec<Value> = sent
        .map(|event| serde_json::from_str(event.sent["CloudTrailEvent"].as_str().unwrap()).unwrap())
        .collect();
    let trail = scene.cache("trail.json");
    std::fs::write(&trail, json!({ "Records": records }).to_string()).unwrap();
    let both = scene.ingest("cache", &["trail.json", "--region", "us-east-1", "--since", "24h"]);
    let both = report(&both, 0);
    assert_eq!(both["records"], json!({"read": 14, "written": 10, "duplicates": 4, "rejected": 0}));
}

#[test]
fn an_event_that_comes_late_is_found_by_the_next_run() {
    let scene = Scene::new();
    let at = scene.now - 120;
    scene.cloudtrail.record("us-east-1", vec![event(1, at, "us-east-1")]);
    let arguments = ["--region", "us-east-1", "--since", "5h"];
    assert_eq!(report(&scene.ingest("cache", &arguments), 0)["records"]["written"], 1);
    scene.cloudtrail.record("us-east-1", vec![event(2, at - 30, "us-east-1")]);
    let second = report(&scene.ingest("cache", &arguments), 0);
    assert_eq!(second["records"]["written"], 1, "{second}");
    assert_eq!(written(&scene.cache("cache")), 2);
}

#[test]
fn throttling_and_forgotten_tokens_lose_no_page() {
    let scene = Scene::new();
    scene.cloudtrail.record("us-east-1", events(700, scene.hours_ago(30), 10, "us-east-1"));
    let faults = Faults { throttle_every: Some(6), tokens_to_expire: 3, ..Faults::default() };
    scene.cloudtrail.set_faults(faults);
    let output = scene.ingest("cache", &["--region", "us-east-1", "--since", "3d"]);
    let report = report(&output, 0);
    assert_eq!(
        report["records"],
        json!({"read": 700, "written": 700, "duplicates": 0, "rejected": 0})
    );
    assert!(scene.cloudtrail.injected("throttled") >= 2);
    assert_eq!(scene.cloudtrail.injected("token"), 3);
}

#[test]
fn a_burst_is_read_hour_by_hour() {
    let scene = Scene::new();
    // Far more than a run's pages, most of them in one hour, which is spooled.
    scene.cloudtrail.record("us-east-1", events(6000, scene.hours_ago(40), 1, "us-east-1"));
    let output = scene.ingest("cache", &["--region", "us-east-1", "--since", "4d"]);
    let report = report(&output, 0);
    assert_eq!(
        report["records"],
        json!({"read": 6000, "written": 6000, "duplicates": 0, "rejected": 0})
    );
    let lookups = scene.cloudtrail.take_lookups();
    let shortest = lookups.iter().map(|lookup| lookup.until - lookup.since).min().unwrap();
    assert!(shortest <= 2 * HOUR, "{shortest}");
}

#[test]
fn regions_that_refuse_are_named_with_what_to_allow() {
    let scene = Scene::new();
    scene.cloudtrail.record("us-east-1", events(2, scene.hours_ago(3), 1, "us-east-1"));
    let faults = Faults {
        denied: vec!["eu-west-1".to_owned()],
        unknown: vec!["me-south-1".to_owned()],
        ..Faults::default()
    };
    scene.cloudtrail.set_faults(faults);
    let report = report(&scene.ingest("cache", &["--since", "24h"]), 1);
    assert_eq!(report["records"]["written"], 2);
    assert_eq!(report["skipped"].as_array().unwrap().len(), 1);
    insta::assert_snapshot!(report["skipped"].to_string());
    let others = report["other"].as_array().unwrap();
    assert_eq!(others[0]["path"], "event-history://111122223333");
    let kind = others[0]["kind"].as_str().unwrap();
    assert!(kind.starts_with("event histories without events in the time asked for: af-south-1, "));
    assert!(kind.contains("not enabled") && kind.ends_with("): me-south-1"), "{kind}");
    assert!(scene.cloudtrail.injected("denied") > 0 && scene.cloudtrail.injected("unknown") > 0);
}

#[test]
fn an_event_history_that_cannot_be_read_says_what_to_do() {
    let scene = Scene::new();
    let mut said = String::new();
    let regions = ["--region", "us-east-1", "--region", "eu-west-1"];
    let all = vec!["us-east-1".to_owned(), "eu-west-1".to_owned()];
    for faults in [
        Faults { denied: all.clone(), ..Faults::default() },
        Faults { unknown: all, ..Faults::default() },
        Faults { expire_after: Some(0), ..Faults::default() },
        Faults::default(),
    ] {
        scene.cloudtrail.set_faults(faults);
        let output = scene.ingest("cache", &regions);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        said.push_str(stderr(&output));
        said.push('\n');
    }
    let mut command = scene.command("cache");
    let output = command.args(["ingest", "event-history://us-east-1"]).output().unwrap();
    said.push_str(stderr(&output));
    for fault in ["denied", "unknown", "expired"] {
        assert!(scene.cloudtrail.injected(fault) > 0, "{fault}");
    }
    insta::assert_snapshot!(said);
}

#[test]
fn credentials_that_expire_on_the_way_leave_the_rest_for_the_next_run() {
    let scene = Scene::new();
    scene.cloudtrail.record("us-east-1", events(4000, scene.hours_ago(90), 60, "us-east-1"));
    scene.cloudtrail.set_faults(Faults { expire_after: Some(60), ..Faults::default() });
    let arguments = ["--region", "us-east-1", "--since", "5d"];
    let first = scene.ingest("cache", &arguments);
    assert_eq!(first.status.code(), Some(2));
    let said = stderr(&first);
    assert!(said.contains("ExpiredTokenException") && said.contains("aws sso login"), "{said}");
    assert!(scene.cloudtrail.injected("expired") > 0);
    let n_first = written(&scene.cache("cache")) as u64;
    assert!(0 < n_first && n_first < 4000, "{n_first}");
    scene.cloudtrail.set_faults(Faults::default());
    let second = report(&scene.ingest("cache", &arguments), 0);
    assert_eq!(second["records"]["read"], second["records"]["written"]);
    assert_eq!(second["records"]["written"].as_u64().unwrap(), 4000 - n_first);
}

#[test]
fn what_is_older_than_90_days_is_said_to_be_gone() {
    let scene = Scene::new();
    scene.cloudtrail.record("us-east-1", events(2, scene.hours_ago(3), 1, "us-east-1"));
    let output = scene.ingest("cache", &["--region", "us-east-1", "--since", "200d"]);
    report(&output, 0);
    let notices = stderr(&output);
    assert!(notices.contains("reaches back 90 days, to 20"), "{notices}");
    let lookups = scene.cloudtrail.take_lookups();
    assert!(lookups.iter().all(|l| l.since > scene.now - 90 * 24 * HOUR), "{lookups:?}");
}

#[test]
fn proxies_of_the_environment_are_used() {
    let scene = Scene::new();
    scene.cloudtrail.record("us-east-1", events(2, scene.hours_ago(3), 1, "us-east-1"));
    let mut command = scene.command("cache");
    // There is no such host: only a proxy can reach it.
    command
        .env("AWS_ENDPOINT_URL_CLOUDTRAIL", "http://cloudtrail.invalid")
        .env("HTTP_PROXY", scene.cloudtrail.url());
    command.args(["ingest", "--json", "--event-history", "--region", "us-east-1"]);
    let report = report(&command.output().unwrap(), 0);
    assert_eq!(report["records"]["written"], 2);
}

#[test]
fn a_kill_loses_no_hour_and_asks_for_none_twice() {
    let scene = Scene::new();
    // Long records: a round is full after a few pages, and is committed.
    let long: Vec<Event> = (0..600)
        .map(|n| {
            let at = scene.hours_ago(110) + i64::try_from(n).unwrap() * 600;
            let mut record = record(n, at, "us-east-1");
            record["requestParameters"] = json!({ "policyDocument": "x".repeat(60_000) });
            let record = record.to_string();
            Event { at, sent: json!({ "EventTime": at, "CloudTrailEvent": record }) }
        })
        .collect();
    scene.cloudtrail.record("us-east-1", long);
    let arguments = ["--region", "us-east-1", "--since", "5d"];
    let slow = Faults { delay: Duration::from_millis(60), ..Faults::default() };
    scene.cloudtrail.set_faults(slow);
    let mut command = scene.command("cache");
    command.args(["--memory", "64MiB", "--threads", "2", "ingest", "--event-history"]);
    let mut child = command.args(arguments).spawn().unwrap();
    let ledger = scene.cache("cache/log_files/_delta_log");
    // The second version of the ledger holds what the first round committed.
    while !ledger.join("00000000000000000001.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it was not killed in time");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let n_before = written(&scene.cache("cache"));
    assert!(0 < n_before && n_before < 600, "{n_before}");
    let done = column(&batches(&scene.cache("cache"), Table::LogFiles), "uri");
    let done: Vec<String> = done.into_iter().flatten().collect();

    scene.cloudtrail.set_faults(Faults::default());
    scene.cloudtrail.take_lookups();
    let second = report(&scene.ingest("cache", &arguments), 0);
    assert_eq!(second["records"]["duplicates"], 0, "{second}");
    assert_eq!(written(&scene.cache("cache")), 600);
    let asked = scene.cloudtrail.take_lookups();
    let runs = asked.iter().filter(|lookup| lookup.until - lookup.since < 4 * 24 * HOUR);
    for lookup in runs {
        let hour = chrono::DateTime::from_timestamp(lookup.since, 0).unwrap();
        let uri = format!(
            "event-history://{ACCOUNT}/us-east-1/{}/PT1H",
            hour.format("%Y-%m-%dT%H:%M:%SZ")
        );
        assert!(!done.contains(&uri), "{uri} was asked for again");
    }
    // The same as in one go.
    report(&scene.ingest("other", &arguments), 0);
    let times = ["ingested_at", "found_at"];
    let print = |name: &str| fingerprint(&scene.cache(name), Table::Events, &times);
    assert_eq!(print("cache"), print("other"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_while_aws_is_silent() {
    let scene = Scene::new();
    scene.cloudtrail.record("us-east-1", events(500, scene.hours_ago(30), 60, "us-east-1"));
    scene.cloudtrail.set_faults(Faults { answers: Some(3), ..Faults::default() });
    let mut command = scene.command("cache");
    command.args(["ingest", "--event-history", "--region", "us-east-1", "--since", "3d"]);
    let child = command.spawn().unwrap();
    while scene.cloudtrail.injected("silence") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let process = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    scene.cloudtrail.set_faults(Faults::default());
    let second = report(&scene.ingest("cache", &["--region", "us-east-1", "--since", "3d"]), 0);
    assert_eq!(second["records"]["written"], 500);
}

/// The SDK is told of another endpoint by the environment alone, so this runs in a process of its
/// own: itself.
#[test]
fn all_pages_of_public_keys_are_read() {
    const CHILD: &str = "TRAILHOUND_TEST_KEYS";
    if std::env::var_os(CHILD).is_none() {
        let cloudtrail = CloudTrail::start();
        let key = |n: u8| {
            json!({
                "Value": "MIIBCgKC",
                "Fingerprint": format!("{n:032X}"),
                "ValidityStartTime": 1_700_000_000.5 + f64::from(n),
                "ValidityEndTime": 1_800_000_000,
            })
        };
        cloudtrail.set_keys((0..5).map(key).collect());
        let mut child = Command::new(std::env::current_exe().unwrap());
        with_aws(&mut child, &cloudtrail.url());
        let name = "history::all_pages_of_public_keys_are_read";
        let output = child.env(CHILD, "1").args(["--exact", name]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let aws = trailhound::aws::Aws::new(trailhound::aws::AwsOptions::default()).unwrap();
    let asking = std::sync::Arc::clone(&aws);
    let keys = aws
        .wait(async move { asking.public_keys("eu-west-1", 0, 1_900_000_000_000_000).await })
        .unwrap();
    let fingerprints: Vec<&str> = keys.iter().map(|key| key.fingerprint.as_str()).collect();
    let expected: Vec<String> = (0..5).map(|n| format!("{n:032x}")).collect();
    assert_eq!(fingerprints, expected);
    assert_eq!(keys[1].value, [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82]);
    assert_eq!(keys[1].valid_from, Some(1_700_000_001_500_000));
    assert_eq!(keys[1].valid_until, Some(1_800_000_000_000_000));
}
