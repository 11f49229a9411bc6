//! How objects come: many at once, whole whatever breaks, with what the store says of them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use trailhound::cache::Table;

use super::{
    Bucket, Denial, Fault, Kind, Listed, Plan, Server,
    delivery::{self, Organisation},
    ingest::Case,
};
use crate::support::{batches, column};

/// The ledger's rows: by URI, what some of its columns say.
fn ledger(case: &Case, names: &[&str]) -> BTreeMap<String, Vec<Option<String>>> {
    let rows = batches(&case.cache(), Table::LogFiles);
    let columns: Vec<_> = names.iter().map(|name| column(&rows, name)).collect();
    let uris = column(&rows, "uri").into_iter().flatten().enumerate();
    uris.map(|(row, uri)| (uri, columns.iter().map(|column| column[row].clone()).collect()))
        .collect()
}

/// CloudTrail's records as plain JSON, some 400 bytes each.
fn records(n: usize) -> Vec<u8> {
    let mut text = String::from("{\"Records\":[");
    for i in 0..n {
        let comma = if i > 0 { "," } else { "" };
        write!(
            text,
            "{comma}{{\"eventVersion\":\"1.11\",\"userIdentity\":{{\"type\":\"IAMUser\",\
             \"accountId\":\"111122223333\",\"userName\":\"alice{i}\"}},\
             \"eventTime\":\"2024-01-01T{:02}:{:02}:{:02}Z\",\"eventSource\":\"s3.amazonaws.com\",\
             \"eventName\":\"GetObject\",\"awsRegion\":\"us-east-1\",\
             \"eventID\":\"{i:08x}-0000-4000-8000-000000000000\",\
             \"recipientAccountId\":\"111122223333\",\"requestParameters\":{{\"key\":\"{}\"}}}}",
            i / 3600 % 24,
            i / 60 % 60,
            i % 60,
            "x".repeat(100)
        )
        .unwrap();
    }
    text.push_str("]}");
    text.into_bytes()
}

/// A tar archive, compressed, with these members.
fn tar_gz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&builder.into_inner().unwrap()).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn what_the_store_says_is_kept() {
    let key = delivery::log_key("111122223333", "us-east-1", 0, 7);
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2024/01/01/111122223333_\
                  CloudTrail-Digest_us-east-1_trail_us-east-1_20240101T120000Z.json.gz";
    let mut bucket = Bucket::evidence("logs");
    bucket.keeps_versions = true;
    bucket.put(&key, delivery::log_file(&key));
    let text = br#"{"awsAccountId":"111122223333","digestStartTime":"2024-01-01T11:00:00Z","digestEndTime":"2024-01-01T12:00:00Z","digestS3Bucket":"logs","digestS3Object":"x","logFiles":[]}"#;
    bucket.put(digest, text.as_slice()).metadata = [
        ("signature".to_owned(), "0123abcd".to_owned()),
        ("signature-algorithm".to_owned(), "SHA256withRSA".to_owned()),
    ]
    .into();
    let told: Vec<_> = [key.as_str(), digest]
        .map(|key| bucket.latest(key).map(|is| (is.id.clone(), is.etag.clone())).unwrap())
        .into();
    let case = Case::new(bucket, Plan::none());
    case.ingest(&[]).assert_clean();
    let names = ["outcome", "object_version", "etag", "metadata", "sha256", "sha256_inflated"];
    let rows = ledger(&case, &names);
    let of = |key: &str| rows[&format!("s3://logs/{key}")].clone();
    let [outcome, version, etag, metadata, sha256, inflated] = of(&key).try_into().unwrap();
    assert_eq!(outcome.as_deref(), Some("ingested"));
    assert_eq!((version, etag), (Some(told[0].0.clone()), Some(told[0].1.clone())));
    assert_eq!(metadata, None);
    assert!(sha256.is_some() && inflated.is_some() && sha256 != inflated);
    let [outcome, version, etag, metadata, sha256, _] = of(digest).try_into().unwrap();
    assert_eq!(outcome.as_deref(), Some("other"));
    assert_eq!((version, etag), (Some(told[1].0.clone()), Some(told[1].1.clone())));
    let expected = r#"{"signature":"0123abcd","signature-algorithm":"SHA256withRSA"}"#;
    assert_eq!(metadata.as_deref(), Some(expected));
    assert!(sha256.is_some());
}

#[test]
fn what_was_overwritten_since_it_was_listed_is_named_as_what_was_read() {
    let key = delivery::log_key("111122223333", "us-east-1", 0, 7);
    let mut bucket = Bucket::evidence("logs").with(&key, delivery::log_file(&key));
    bucket.latest_mut(&key).unwrap().listed = Listed::AsItWas;
    let etag = bucket.latest(&key).unwrap().etag.clone();
    let case = Case::new(bucket, Plan::none());
    case.ingest(&[]).assert_clean();
    case.server.assert_injected(Fault::ListedAsItWas);
    case.assert_whole();
    let rows = ledger(&case, &["etag"]);
    assert_eq!(rows[&format!("s3://logs/{key}")], [Some(etag)]);

    // Listed as it is, it is known.
    case.server.change("logs", |logs| logs.latest_mut(&key).unwrap().listed = Listed::AsItIs);
    case.server.forget_requests();
    let again = case.ingest(&[]);
    again.assert_clean();
    assert_eq!((again.count("files", "unchanged"), case.server.requests(Kind::Get)), (1, 0));
}

#[test]
fn long_objects_and_archives_go_on_where_they_broke_off() {
    let (n_long, n_short) = (20_000, 200);
    let bucket = Bucket::evidence("logs")
        .with("long.json", records(n_long))
        .with("a.tar.gz", tar_gz(&[("x/a.json", records(n_short)), ("README", b"hello".into())]))
        .with("b.zip", zip(&[("b.json", records(n_short))]));
    for fault in [Fault::Reset, Fault::Cut] {
        let plan = Plan { at_most: 4, ..Plan::none().with(fault, 1_000_000) };
        let case = Case::new(bucket.clone(), plan);
        let run = case.ingest(&["--memory", "64MiB"]);
        assert!(case.server.injected(fault) >= 3 * 4, "{}", case.server.injected(fault));
        assert_eq!(run.code, Some(0), "{fault:?}: {}\n{}", run.report, run.said);
        assert_eq!(run.count("records", "read"), (n_long + 2 * n_short) as u64);
        assert_eq!(run.count("records", "written"), n_long as u64);
        let seen = ["a.tar.gz!/README", "a.tar.gz!/x/a.json", "b.zip!/b.json", "long.json"];
        let rows = ledger(&case, &["outcome"]);
        for uri in seen {
            assert!(rows.contains_key(&format!("s3://logs/{uri}")), "{uri}: {rows:?}");
        }
        case.server.forget_requests();
        case.ingest(&[]).assert_clean();
        assert_eq!(case.server.requests(Kind::Get), 0, "archives are known by their objects");
    }
}

#[test]
fn what_comes_damaged_for_good_is_named_and_tried_again() {
    let key = delivery::log_key("111122223333", "us-east-1", 0, 7);
    for (fault, said) in [(Fault::WrongBytes, "MD5"), (Fault::ShortBody, "bytes came")] {
        let bucket = Bucket::evidence("logs").with(&key, delivery::log_file(&key));
        let plan = Plan { at_most: u32::MAX, ..Plan::none().with(fault, 1_000_000) };
        let case = Case::new(bucket, plan);
        let run = case.ingest(&[]);
        case.server.assert_injected(fault);
        assert_eq!((run.code, run.count("files", "skipped")), (Some(1), 1), "{run:?}");
        let reason = run.report["skipped"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(said), "{reason}");
        assert_eq!(run.count("records", "read"), 0, "nothing of it is taken for true");
        case.server.set_plan(Plan::none());
        case.ingest(&[]).assert_clean();
        case.assert_whole();
    }
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    let mut bucket = Bucket::evidence("logs");
    let keys = ["a/policy.json", "b/kms.json", "c/it's cold.json", "d/gone.json"];
    for key in keys {
        bucket.put(key, records(1));
    }
    bucket.latest_mut(keys[0]).unwrap().denial = Some(Denial::Policy);
    bucket.latest_mut(keys[1]).unwrap().denial = Some(Denial::Kms);
    bucket.latest_mut(keys[2]).unwrap().storage_class = Some("GLACIER".into());
    bucket.latest_mut(keys[3]).unwrap().listed = Listed::ThoughGone;
    let case = Case::new(bucket, Plan::none());
    let run = case.ingest(&[]);
    let skipped = run.report["skipped"].as_array().unwrap().iter();
    let said: Vec<String> = skipped
        .map(|file| {
            format!("{}: {}", file["path"].as_str().unwrap(), file["reason"].as_str().unwrap())
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn many_objects_are_on_their_way_at_once() {
    let bucket = Organisation { accounts: 2, regions: 2, days: 2, log_files: 400 }.bucket("logs");
    let case = Case::new(bucket, Plan { latency: Duration::from_millis(20), ..Plan::none() });
    case.ingest(&[]).assert_clean();
    assert!(case.server.most_at_once() >= 16, "{}", case.server.most_at_once());
}

#[test]
fn a_service_that_takes_few_at_once_gets_few() {
    let bucket = Organisation { accounts: 2, regions: 2, days: 2, log_files: 600 }.bucket("logs");
    let latency = Duration::from_millis(5);
    let case = Case::new(bucket, Plan { latency, most_at_once: Some(8), ..Plan::none() });
    case.ingest(&[]).assert_clean();
    case.server.assert_injected(Fault::SlowDown);
    case.assert_whole();
}

#[test]
fn a_bucket_is_converted_without_a_cache() {
    let bucket = Organisation { accounts: 2, regions: 1, days: 2, log_files: 40 }.bucket("logs");
    let case = Case::new(bucket, Plan::none().with(Fault::Reset, 100_000));
    let out = case.cache().with_file_name("parquet");
    let arguments = ["convert", "s3://logs", "-o", out.to_str().unwrap(), "--json"];
    let output = case.server.command(&case.cache(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["files"]["ingested"], 40);
    assert_eq!(report["records"]["written"], 80);
    assert!(out.join("account=111122223331").is_dir());
}

/// Ends a process that does not end by itself, so that a test fails rather than hangs.
fn wait(mut child: Child) -> Option<ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_mins(1) {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
#[cfg(unix)]
fn ctrl_c_stops_a_run_that_waits_for_the_network() {
    let bucket = Organisation { accounts: 2, regions: 1, days: 1, log_files: 400 }.bucket("logs");
    let latency = Duration::from_millis(20);
    let server = Server::with_faults([bucket], Plan { latency, ..Plan::none() });
    let dir = tempfile::tempdir().unwrap();
    let run = server
        .command(&dir.path().join("cache"), &["ingest", "s3://logs"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while server.requests(Kind::Get) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    // From now on nothing is answered.
    server.set_plan(Plan { latency: Duration::from_hours(1), ..Plan::none() });
    thread::sleep(Duration::from_millis(100));
    Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert_eq!(wait(run).and_then(|status| status.code()), Some(130));
}

#[test]
#[cfg(unix)]
fn credentials_that_run_out_are_renewed_by_the_chain() {
    let bucket = Organisation { accounts: 2, regions: 1, days: 1, log_files: 40 }.bucket("logs");
    // The folders alone take several times as long as the first credentials are good for.
    let latency = Duration::from_millis(400);
    let case = Case::new(bucket, Plan { latency, ..Plan::none() });
    let dir = tempfile::tempdir().unwrap();
    let (config, script) = (dir.path().join("config"), dir.path().join("credentials"));
    let calls = dir.path().join("calls");
    let environment: BTreeMap<_, _> = Server::environment().into();
    let good_for = |seconds: i64| {
        let expires = chrono::Utc::now() + chrono::TimeDelta::seconds(seconds);
        serde_json::json!({
            "Version": 1,
            "AccessKeyId": environment["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": environment["AWS_SECRET_ACCESS_KEY"],
            "Expiration": expires.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        })
    };
    let text = format!(
        "#!/bin/sh\nif [ -e '{calls}' ]; then echo '{later}'; else echo '{first}'; fi\n\
         echo called >> '{calls}'\n",
        calls = calls.display(),
        first = good_for(1),
        later = good_for(3600),
    );
    std::fs::write(&script, text).unwrap();
    let process = format!("[profile renewed]\ncredential_process = sh {}\n", script.display());
    std::fs::write(&config, process).unwrap();
    let output = case
        .server
        .command(&case.cache(), &["ingest", "s3://logs", "--profile", "renewed"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_CONFIG_FILE", &config)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    case.assert_whole();
    let n_calls = std::fs::read_to_string(&calls).unwrap().lines().count();
    assert!(n_calls > 1, "asked for credentials {n_calls} times");
}
