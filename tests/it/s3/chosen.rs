//! What is listed: every layout, nothing that is not chosen, and what was removed.

use std::collections::BTreeSet;

use trailhound::cache::Table;

use super::{
    Bucket, Kind, Plan, Server,
    delivery::{self, Organisation, account_id, log_key},
    ingest::{Case, Run},
};
use crate::support::{batches, column};

/// A bucket with log files at `keys`.
fn bucket_of(keys: &[&str]) -> Bucket {
    let log = delivery::log_file(&log_key(&account_id(0), "us-east-1", 1, 1));
    keys.iter().fold(Bucket::evidence("logs"), |bucket, key| bucket.with(key, log.clone()))
}

fn case_of(keys: &[&str]) -> Case {
    Case::new(bucket_of(keys), Plan::none())
}

/// The keys of the files that the ledger has, of whatever outcome.
fn met(case: &Case) -> BTreeSet<String> {
    let files = batches(&case.cache(), Table::LogFiles);
    let uris = column(&files, "uri").into_iter().flatten();
    uris.map(|uri| uri.trim_start_matches("s3://logs/").to_owned()).collect()
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn others(run: &Run) -> Vec<(&str, &str)> {
    let others = run.report["other"].as_array().unwrap().iter();
    others.map(|o| (o["path"].as_str().unwrap(), o["kind"].as_str().unwrap())).collect()
}

#[test]
fn every_layout_is_listed_and_nothing_is_left_out() {
    let name = "111122223333_CloudTrail_us-east-1_20240102T0005Z_0123456789abcdef.json.gz";
    let day = "CloudTrail/us-east-1/2024/01/02";
    let keys = [
        format!("AWSLogs/111122223333/{day}/{name}"),
        format!("AWSLogs/o-a1b2/111122223333/{day}/{name}"),
        format!("CloudTrail/team a/AWSLogs/111122223333/{day}/{name}"),
        format!("AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2024/01/02/{name}"),
        "AWSLogs/111122223333/CloudTrail/us-east-1/2014/06/20/111122223333_CloudTrail_us-east-1_\
         20140620T1255ZHdkvFTXOA3Vnhbc.json.gz"
            .to_owned(),
        format!("AWSLogs/111122223333/CloudTrail/us-east-1/moved/{name}"),
        format!("AWSLogs/111122223333/renamed/{name}"),
        format!("AWSLogs/{name}"),
        format!("account=111122223333/region=us-east-1/year=2024/month=01/day=02/{name}"),
        format!("odd/1+1=2 100%/\u{1}/é/{name}"),
        format!("//{name}"),
        name.to_owned(),
    ];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut bucket = bucket_of(&keys);
    bucket.put("AWSLogs/", "");
    bucket.put("AWSLogs/111122223333/CloudTrail/", "");
    for n in 0..1500 {
        bucket.put(&format!("AWSLogs/111122223333/vpcflowlogs/eu-west-1/{n}.log.gz"), "");
    }
    let case = Case::new(bucket, Plan::none());
    let run = case.ingest(&[]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.report, run.said);
    assert_eq!(run.count("files", "skipped"), 0, "{}", run.report);
    let flow = "AWSLogs/111122223333/vpcflowlogs/";
    let what = "VPC flow logs: not listed, unless it is given as a SOURCE";
    assert_eq!(others(&run), [(&*format!("s3://logs/{flow}"), what)]);
    let mut wanted = set(&keys);
    wanted.insert(flow.to_owned());
    assert_eq!(met(&case), wanted);
    assert!(case.server.keys_listed() < 100, "{}", case.server.keys_listed());
}

#[test]
fn a_source_may_begin_anywhere_in_a_key() {
    let key = |account: usize, day| log_key(&account_id(account), "us-east-1", day, 7);
    let (one, other, third) = (key(0, 0), key(0, 31), key(1, 0));
    for (source, wanted) in [
        ("AWSLogs/o-exa", vec![&one, &other, &third]),
        ("AWSLogs/o-exampleorg/1111", vec![&one, &other]),
        ("AWSLogs/o-exampleorg/111122223331/CloudTrail/us-east-1/2024/0", vec![&one, &other]),
        ("AWSLogs/o-exampleorg/111122223331/CloudTrail/us-east-1/2024/02/", vec![&other]),
        (one.as_str(), vec![&one]),
    ] {
        let case = case_of(&[&one, &other, &third]);
        let run = case.ingest_from(&format!("s3://logs/{source}"), &[]);
        assert_eq!(run.code, Some(0), "{source}: {}\n{}", run.report, run.said);
        assert_eq!(met(&case), wanted.into_iter().cloned().collect(), "{source}");
    }
}

#[test]
fn what_is_not_chosen_is_not_listed() {
    let organisation = Organisation { accounts: 4, regions: 3, days: 90, log_files: 6_000 };
    let case = Case::new(organisation.bucket("logs"), Plan::none());
    let account = account_id(1);
    let run = case.ingest(&[
        "--account",
        &account,
        "--region",
        "eu-west-1",
        "--since",
        "2024-02-10",
        "--until",
        "2024-02-11",
        "--late-days",
        "1",
    ]);
    run.assert_clean();
    let days = |key: &str| (40..=42).any(|day| key.contains(&delivery::date(day)));
    let wanted: BTreeSet<String> = case.server.change("logs", |logs| {
        let chosen = logs
            .keys()
            .filter(|key| key.contains(&account) && key.contains("/eu-west-1/") && days(key));
        chosen.map(str::to_owned).collect()
    });
    assert!(wanted.len() > 10);
    assert_eq!(met(&case), wanted);
    let listed = case.server.keys_listed();
    assert!(listed < wanted.len() as u64 + 100, "{listed} for {} keys", wanted.len());
    insta::assert_snapshot!(run.said, @"note: --until chooses what was delivered until 2024-02-12, 1 days late; where a delivery failed, it is tried again for 30 days: --late-days 30 chooses those as well");
}

#[test]
fn a_large_folder_is_split_and_listed_side_by_side() {
    let organisation = Organisation { accounts: 1, regions: 2, days: 120, log_files: 20_000 };
    let mut bucket = organisation.bucket("logs");
    let home = format!("AWSLogs/o-exampleorg/{}/CloudTrail/us-east-1", account_id(0));
    let name = "111122223333_CloudTrail_us-east-1_20240102T0005Z_0123456789abcdef.json.gz";
    let log = delivery::log_file(name);
    for folder in ["2024/02/", "2024/", "", "zz/"] {
        bucket.put(&format!("{home}/{folder}{name}"), log.clone());
    }
    let wanted: BTreeSet<String> = bucket.keys().map(str::to_owned).collect();
    let plan = Plan { latency: std::time::Duration::from_millis(2), ..Plan::none() };
    let case = Case::new(bucket, plan);
    let run = case.ingest(&[]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.report, run.said);
    assert_eq!(met(&case), wanted);
    case.server.forget_requests();
    assert_eq!(case.ingest(&[]).count("files", "unchanged"), wanted.len() as u64);
    let n_lists = case.server.requests(Kind::List);
    assert!(n_lists < 60, "{n_lists} requests for {} keys", wanted.len());
    assert!(case.server.most_at_once() > 1);
}

#[test]
fn a_table_declared_over_a_bucket_is_read_when_it_is_declared() {
    let organisation = Organisation { accounts: 2, regions: 1, days: 3, log_files: 60 };
    let case = Case::new(organisation.bucket("logs"), Plan::none());
    let home = format!("AWSLogs/o-exampleorg/{}", account_id(1));
    let create = format!(
        "CREATE EXTERNAL TABLE trail (eventname STRING, eventid STRING) \
         ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' \
         LOCATION 's3://logs/{home}/CloudTrail/'"
    );
    let ask = |sql: &str| {
        let output = case.server.command(&case.cache(), &["sql", sql]).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    let (_, said) = ask(&create);
    assert!(said.contains("30 ingested"), "{said}");
    case.server.forget_requests();
    assert_eq!(ask("SELECT count(*) AS n FROM trail").0, "n\n60\n");
    assert_eq!(case.server.requests(Kind::List), 0, "questions do not list");
    case.server.change("logs", |logs| {
        let key = log_key(&account_id(1), "us-east-1", 2, 7_777);
        logs.put(&key, delivery::log_file(&key));
    });
    case.ingest_from(&format!("s3://logs/{home}/"), &[]).assert_clean();
    assert_eq!(ask("SELECT count(*) AS n FROM trail").0, "n\n62\n");
    let (_, said) = ask(&create.replace("trail", "other").replace("s3://logs", "s3://denied"));
    insta::assert_snapshot!(said);
}

/// A bucket that keeps versions: `kept` stays, `deleted` is gone, `rewritten` was written twice and
/// is gone, `many` was written 2,500 times.
fn with_history() -> Bucket {
    let key = |n| log_key(&account_id(0), "us-east-1", 1, n);
    let mut bucket = Bucket { keeps_versions: true, ..Bucket::evidence("logs") };
    for n in 0..4 {
        bucket.put(&key(n), delivery::log_file(&key(n)));
    }
    bucket.delete(&key(1));
    bucket.put(&key(2), delivery::log_file(&key(102)));
    bucket.delete(&key(2));
    for n in 0..2_500 {
        bucket.put(&key(3), delivery::log_file(&key(1_000 + n % 2)));
    }
    bucket
}

#[test]
fn what_was_deleted_or_overwritten_is_read_as_further_files() {
    let case = Case::new(with_history(), Plan::none());
    let plain = case.ingest(&[]);
    assert_eq!((plain.count("files", "ingested"), case.event_ids().len()), (2, 4));
    let run = case.ingest(&["--versions"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.report, run.said);
    assert_eq!(run.count("files", "unchanged"), 2);
    // Deleted; written, overwritten and deleted; overwritten 2,500 times.
    assert_eq!(run.count("files", "ingested"), 1 + 2 + 2_500);
    assert_eq!(case.event_ids().len(), 2 * (1 + 1 + 2 + 3));
    let files = batches(&case.cache(), Table::LogFiles);
    let (uris, removed) = (column(&files, "uri"), column(&files, "removed"));
    let times = column(&files, "removed_at");
    let mut counts = std::collections::BTreeMap::new();
    for ((uri, removed), at) in uris.iter().zip(&removed).zip(&times) {
        let is_version = uri.as_ref().unwrap().contains("?versionId=v");
        assert_eq!(is_version, removed.is_some(), "{uri:?}");
        assert_eq!(is_version, at.is_some(), "{uri:?}");
        *counts.entry(removed.clone().unwrap_or_default()).or_insert(0) += 1;
    }
    let counts: Vec<(&str, i32)> = counts.iter().map(|(how, n)| (how.as_str(), *n)).collect();
    assert_eq!(counts, [("", 2), ("deleted", 2), ("overwritten", 2_501)]);
    case.server.forget_requests();
    let again = case.ingest(&["--versions"]);
    assert_eq!(again.count("files", "unchanged"), again.count("files", "seen"));
    assert_eq!(case.server.requests(Kind::Get), 0);
}

#[test]
fn who_removed_a_file_is_told_where_the_log_tells() {
    let key = |n| log_key(&account_id(0), "us-east-1", 1, n);
    let call = |name: &str, parameters: &str, who: &str| {
        format!(
            "{{\"eventVersion\":\"1.11\",\"eventID\":\"{name}\",\"eventName\":\"{name}\",\
             \"eventSource\":\"s3.amazonaws.com\",\"eventTime\":\"2024-07-01T00:00:05Z\",\
             \"sourceIPAddress\":\"203.0.113.77\",\"userIdentity\":{{\"type\":\"IAMUser\",\
             \"arn\":\"arn:aws:iam::111122223333:user/{who}\"}},\"requestParameters\":\
             {{\"bucketName\":\"logs\"{parameters}}}}}"
        )
    };
    let one = format!(",\"key\":\"{}\"", key(1));
    let calls = [
        call("DeleteObject", &one, "mallory"),
        call("DeleteObject", ",\"key\":\"elsewhere\"", "bob"),
        call("DeleteObjects", ",\"delete\":\"\"", "eve"),
    ];
    let mut bucket = Bucket { keeps_versions: true, ..Bucket::evidence("logs") };
    for n in 1..=2 {
        bucket.put(&key(n), delivery::log_file(&key(n)));
    }
    bucket.delete(&key(1));
    bucket.put(&key(2), delivery::log_file(&key(3)));
    bucket.put("data.json", format!("{{\"Records\":[{}]}}", calls.join(",")));
    let case = Case::new(bucket, Plan::none());
    let run = case.ingest(&["--versions"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.report, run.said);
    let asked = ["query", "removed_evidence", "--format", "csv"];
    let output = case.server.command(&case.cache(), &asked).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout));
}

#[test]
fn what_is_archived_is_named_with_the_way_to_restore_it() {
    let key = log_key(&account_id(0), "us-east-1", 1, 1);
    let mut bucket = bucket_of(&[&key, "restored.json.gz", "at-hand.json.gz"]);
    let class = |bucket: &mut Bucket, key: &str, class: &str| {
        bucket.latest_mut(key).unwrap().storage_class = Some(class.to_owned());
    };
    class(&mut bucket, &key, "GLACIER");
    class(&mut bucket, "restored.json.gz", "DEEP_ARCHIVE");
    class(&mut bucket, "at-hand.json.gz", "GLACIER_IR");
    bucket.latest_mut("restored.json.gz").unwrap().is_restored = true;
    let case = Case::new(bucket, Plan::none());
    let run = case.ingest(&[]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.report, run.said);
    assert_eq!(case.server.requests(Kind::Get), 2, "what is archived is not asked for");
    let skipped = run.report["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 1);
    insta::assert_snapshot!(skipped[0]["reason"].as_str().unwrap());
}

#[test]
fn a_bucket_in_another_region_is_found() {
    let key = log_key(&account_id(0), "us-east-1", 1, 1);
    let bucket = Bucket { region: "eu-central-1".to_owned(), ..bucket_of(&[&key]) };
    let case = Case::new(bucket, Plan::none());
    case.ingest(&[]).assert_clean();
    let case = case.with_another_cache();
    case.ingest(&["--aws-region", "ap-southeast-2"]).assert_clean();
}

/// What is said where the endpoint leads nowhere.
fn nobody_listens(dir: &std::path::Path) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_trailhound"))
        .env_clear()
        .envs(Server::environment())
        .env("HOME", dir)
        .args(["ingest", "s3://logs", "--endpoint-url", "http://127.0.0.1:1", "--cache"])
        .arg(dir.join("cache"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn failures_say_what_to_do() {
    let server = Server::start([bucket_of(&["export/a.json.gz"])]);
    let dir = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str], environment: &[(&str, &str)]| {
        let arguments = [&["ingest"], arguments].concat();
        let mut command = server.command(&dir.path().join("cache"), &arguments);
        let output = command.envs(environment.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).replace(server.endpoint(), "http://ENDPOINT")
    };
    let no_keys = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let all = [
        ("a bucket that is not there", said(&["s3://lags"], &[])),
        ("a prefix that nothing begins with", said(&["s3://logs/AWSLog/"], &[])),
        ("nobody listens", nobody_listens(dir.path())),
        ("no bucket", said(&["s3:///AWSLogs"], &[])),
        ("no ARN", said(&["s3://arn:aws:s3:eu-west-1:111122223333"], &[])),
        ("no credentials", said(&["s3://logs"], &no_keys)),
        ("not open to everyone", said(&["s3://logs", "--no-sign-request"], &[])),
        ("a wrong secret", said(&["s3://logs"], &[("AWS_SECRET_ACCESS_KEY", "wrong")])),
        ("a wrong key", said(&["s3://logs"], &[("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE")])),
        ("a profile that is not there", said(&["s3://logs", "--profile", "nobody"], &no_keys)),
    ];
    let all: Vec<String> = all.iter().map(|(name, said)| format!("-- {name}\n{said}")).collect();
    insta::assert_snapshot!(all.join("\n"));
}
