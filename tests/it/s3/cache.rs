//! A cache in S3 is one like any other: the same rows, several writers, crashes, faults.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
    time::Duration,
};

use super::{Bucket, Fault, Kind, Plan, Server};
use crate::generate::{self, Options};

/// Where the caches of these tests lie.
const CACHE: &str = "s3://cache/cases/one";

/// Evidence in a directory, and a bucket for caches.
struct Scene {
    server: Server,
    dir: tempfile::TempDir,
}

impl Scene {
    fn new(events: u64, plan: Plan) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let scene = Self { server: Server::with_faults([Bucket::writable("cache")], plan), dir };
        let options =
            Options { events, seed: 11, duplicates_ppm: 20_000, days: 9, ..Options::default() };
        generate::write(&options, &scene.evidence()).unwrap();
        scene
    }

    fn evidence(&self) -> PathBuf {
        self.dir.path().join("evidence")
    }

    /// The log files of the evidence.
    fn files(&self) -> Vec<PathBuf> {
        let entries = walkdir::WalkDir::new(self.evidence()).sort_by_file_name().into_iter();
        let files = entries.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        files.map(walkdir::DirEntry::into_path).collect()
    }

    fn spawn(&self, cache: &str, arguments: &[&str]) -> Child {
        self.server
            .command(Path::new(cache), arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What a command prints that must succeed.
    #[track_caller]
    fn run(&self, cache: &str, arguments: &[&str]) -> String {
        let output = self.spawn(cache, arguments).wait_with_output().unwrap();
        succeeded(&output)
    }

    #[track_caller]
    fn ingest(&self, cache: &str, source: &Path) -> serde_json::Value {
        let report = self.run(cache, &["ingest", source.to_str().unwrap(), "--json"]);
        serde_json::from_str(&report).unwrap()
    }

    /// All that a cache holds but when it was written; which of equal copies a row came from is
    /// left out.
    #[track_caller]
    fn content(&self, cache: &str) -> String {
        self.run(cache, &["sql", "--format", "ndjson", CONTENT])
    }

    /// The keys in the bucket of caches.
    fn keys(&self) -> BTreeSet<String> {
        self.server.change("cache", |bucket| bucket.keys().map(str::to_owned).collect())
    }

    fn requests(&self) -> u64 {
        let kinds = [Kind::List, Kind::Get, Kind::Head, Kind::HeadBucket, Kind::Write, Kind::Other];
        kinds.into_iter().map(|kind| self.server.requests(kind)).sum()
    }
}

const CONTENT: &str = "
    SELECT *, extra, envelope FROM cloudtrail_logs ORDER BY recipientaccountid, eventid, eventtime;
    SELECT * FROM cloudtrail_aggregated;
    SELECT recipientaccountid, eventid, count(*) n FROM duplicates GROUP BY 1, 2 ORDER BY 1, 2;
    SELECT reason, detail FROM rejects ORDER BY 1, 2;
    SELECT uri, version, sha256, outcome, records_read FROM log_files ORDER BY uri, version";

#[track_caller]
fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_cache_in_s3_holds_what_a_local_one_does() {
    let scene = Scene::new(3_000, Plan::none());
    let local = scene.dir.path().join("local").to_str().unwrap().to_owned();
    let report = scene.ingest(CACHE, &scene.evidence());
    assert_eq!(report["records"]["written"], 3_000);
    scene.ingest(&local, &scene.evidence());
    assert_eq!(scene.content(CACHE), scene.content(&local));
    let marker = "cases/one/trailhound.json";
    assert!(scene.keys().contains(marker) && scene.keys().iter().all(|k| k.starts_with("cases/")));

    // What is unchanged is neither read nor written again.
    let keys = scene.keys();
    scene.server.forget_requests();
    let again = scene.ingest(CACHE, &scene.evidence());
    assert_eq!(again["files"]["unchanged"], again["files"]["seen"]);
    assert_eq!((scene.server.requests(Kind::Write), scene.keys()), (0, keys));

    let status = scene.run(CACHE, &["status"]);
    assert!(status.starts_with("cache       s3://cache/cases/one\nevents      3 000"), "{status}");

    // Another prefix is another cache, and the end of a prefix matters.
    scene.ingest("s3://cache/cases/on", &scene.files()[0]);
    assert!(scene.content("s3://cache/cases/on") != scene.content(CACHE));
    let local_status = scene.run(&local, &["status"]);
    assert_eq!(
        status.lines().skip(1).collect::<Vec<_>>(),
        local_status.lines().skip(1).collect::<Vec<_>>()
    );
}

#[test]
fn evidence_and_cache_may_both_lie_in_s3() {
    let logs = super::delivery::Organisation { accounts: 2, regions: 1, days: 2, log_files: 40 };
    let server = Server::start([logs.bucket("logs"), Bucket::writable("cache")]);
    // A bucket may be a cache as a whole.
    let run = |arguments: &[&str]| {
        succeeded(&server.command(Path::new("s3://cache"), arguments).output().unwrap())
    };
    run(&["ingest", "s3://logs"]);
    let counted = run(&["sql", "SELECT count(*) FROM cloudtrail_logs"]);
    assert_eq!(counted, "_col0\n80\n");
}

#[test]
fn two_processes_at_once_fill_a_cache_in_s3() {
    let scene = Scene::new(4_000, Plan { latency: Duration::from_millis(2), ..Plan::none() });
    let evidence = scene.evidence();
    let arguments = ["--memory", "64MiB", "ingest", evidence.to_str().unwrap(), "--json"];
    let both = [scene.spawn(CACHE, &arguments), scene.spawn(CACHE, &arguments)];
    let written = both.map(|run| {
        let report = succeeded(&run.wait_with_output().unwrap());
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        report["records"]["written"].as_u64().unwrap()
    });
    assert_eq!(written.iter().sum::<u64>(), 4_000, "{written:?}");
    scene.ingest("s3://cache/alone", &evidence);
    assert_eq!(scene.content(CACHE), scene.content("s3://cache/alone"));
}

#[test]
fn kill_9_at_any_write_to_s3_changes_nothing() {
    let scene = Scene::new(4_000, Plan { latency: Duration::from_millis(2), ..Plan::none() });
    scene.ingest("s3://cache/whole", &scene.evidence());
    scene.server.forget_requests();
    let evidence = scene.evidence();
    let arguments = ["--memory", "64MiB", "ingest", evidence.to_str().unwrap()];
    // In the middle of making the tables, of the files, and of what the commit promises.
    for n_writes in [2, 4, 7, 8, 9, 10, 11] {
        let cache = format!("s3://cache/killed-{n_writes}");
        scene.server.forget_requests();
        let mut run = scene.spawn(&cache, &arguments);
        while scene.server.requests(Kind::Write) < n_writes && run.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        scene.ingest(&cache, &evidence);
        assert_eq!(scene.content(&cache), scene.content("s3://cache/whole"), "{n_writes}");
    }
}

#[test]
fn faults_of_s3_lose_and_double_nothing_in_a_cache() {
    let faults =
        [Fault::SlowDown, Fault::InternalError, Fault::Reset, Fault::Cut, Fault::LostAnswer];
    let plan = faults.iter().fold(Plan::none(), |plan, fault| plan.with(*fault, 100_000));
    let scene = Scene::new(3_000, Plan { at_most: 2, ..plan });
    let local = scene.dir.path().join("local").to_str().unwrap().to_owned();
    scene.ingest(&local, &scene.evidence());
    for (n, half) in scene.files().chunks(4).enumerate() {
        for file in half {
            scene.ingest(CACHE, file);
        }
        if n == 3 {
            break;
        }
    }
    scene.ingest(CACHE, &scene.evidence());
    for fault in faults {
        scene.server.assert_injected(fault);
    }
    assert_eq!(scene.content(CACHE), scene.content(&local));
}

#[test]
fn a_cache_in_s3_is_compacted_and_forgets() {
    let scene = Scene::new(3_000, Plan::none());
    let files = scene.files();
    for file in &files[..10] {
        scene.ingest(CACHE, file);
    }
    let of_table = |table: &str| {
        let prefix = format!("cases/one/{table}/part-");
        scene.keys().into_iter().filter(|key| key.starts_with(&prefix)).count()
    };
    // Merged ones stay until the sweep, for those who still read them.
    assert!(of_table("cloudtrail_logs") > 10, "{:?}", scene.keys());
    let local = scene.dir.path().join("local").to_str().unwrap().to_owned();
    for file in &files[..10] {
        scene.ingest(&local, file);
    }
    assert_eq!(scene.content(CACHE), scene.content(&local));
    for cache in [CACHE, local.as_str()] {
        scene.run(cache, &["forget", files[3].to_str().unwrap()]);
    }
    assert_eq!(scene.content(CACHE), scene.content(&local));
    assert!(scene.content(CACHE).contains("forgotten"));
}

#[test]
fn declarations_in_s3_last_and_none_is_lost() {
    let scene = Scene::new(200, Plan::none());
    scene.ingest(CACHE, &scene.evidence());
    let evidence = scene.evidence();
    let declare = format!(
        "CREATE EXTERNAL TABLE mine (eventname STRING) \
         ROW FORMAT SERDE 'com.amazon.emr.hive.serde.CloudTrailSerde' LOCATION '{}/'; \
         CREATE VIEW names AS SELECT DISTINCT eventname FROM mine",
        evidence.display()
    );
    scene.run(CACHE, &["sql", &declare]);
    let views: Vec<String> =
        (0..6).map(|n| format!("CREATE VIEW v{n} AS SELECT {n} AS n")).collect();
    let runs: Vec<Child> = views.iter().map(|view| scene.spawn(CACHE, &["sql", view])).collect();
    for run in runs {
        succeeded(&run.wait_with_output().unwrap());
    }
    let all = (0..6).map(|n| format!("(SELECT n FROM v{n})")).collect::<Vec<_>>().join(" + ");
    assert_eq!(scene.run(CACHE, &["sql", &format!("SELECT {all} AS n")]), "n\n15\n");
    let counted = scene.run(CACHE, &["sql", "SELECT count(*) > 3 AS many FROM names"]);
    assert_eq!(counted, "many\ntrue\n");
}

#[test]
fn a_question_to_a_cache_in_s3_takes_few_requests() {
    let scene = Scene::new(20_000, Plan { latency: Duration::from_millis(5), ..Plan::none() });
    scene.ingest(CACHE, &scene.evidence());
    let ask = |sql: &str| {
        scene.server.forget_requests();
        scene.run(CACHE, &["sql", sql]);
        scene.requests()
    };
    let count = "SELECT eventname, count(*) FROM cloudtrail_logs GROUP BY 1";
    let look_up = "SELECT eventtime FROM cloudtrail_logs WHERE useridentity.accesskeyid = 'AKIA'";
    // Marker, logs of five tables, declarations: what it takes to open a cache.
    let open = ask("SELECT count(*) FROM cloudtrail_logs");
    assert!(open <= 40, "{open}");
    // Footers and columns of a file or two.
    let (counted, looked_up) = (ask(count) - open, ask(look_up) - open);
    assert!(counted <= 10, "{counted}");
    assert!(looked_up <= 16, "{looked_up}");
    // A second statement finds footers and log entries in memory.
    let twice = ask(&format!("{count}; {count}")) - open - counted;
    assert!(twice <= 10, "{twice}");
}

/// What a command that must fail says.
fn refused(server: &Server, cache: &str, arguments: &[&str]) -> String {
    let output = server.command(Path::new(cache), arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stderr);
    format!("{cache} {}\n{said}\n", arguments.join(" "))
}

#[test]
fn what_is_said_of_caches_that_cannot_be_had() {
    let scene = Scene::new(20, Plan::none());
    let paid = Bucket { policy: super::Policy::RequesterPays, ..Bucket::evidence("paid") };
    let mut newer = Bucket::writable("newer");
    newer.put("trailhound.json", r#"{"format": 99}"#);
    let other = Bucket::writable("other").with("case/holiday.jpg", "x");
    let server = Server::start([Bucket::evidence("closed"), paid, newer, other]);
    let evidence = scene.evidence();
    let ingest = ["ingest", evidence.to_str().unwrap()];
    let mut said = String::new();
    for (cache, arguments) in [
        ("s3://nowhere/case", &ingest[..]),
        ("s3://closed/case", &ingest[..]),
        ("s3://paid/case", &["status"][..]),
        ("s3://other/none", &["status"][..]),
        ("s3://other/case", &ingest[..]),
        ("s3://newer", &["status"][..]),
        ("s3://closed/logs/cache", &["ingest", "s3://closed/logs"][..]),
        ("s3://closed/logs", &["ingest", "s3://closed/logs/AWSLogs"][..]),
        ("s3://", &["status"][..]),
        ("s3://other/a//b", &["status"][..]),
    ] {
        said.push_str(&refused(&server, cache, arguments));
    }
    let mut unsigned = server.command(Path::new("s3://closed/case"), &["status"]);
    let unsigned = unsigned.env("AWS_SECRET_ACCESS_KEY", "another").output().unwrap();
    said.push_str(&String::from_utf8_lossy(&unsigned.stderr));
    let said = said.replace(evidence.to_str().unwrap(), "EVIDENCE");
    insta::assert_snapshot!(said);
    // The bucket of evidence was asked to be a cache, and refused to.
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(server)));
    let said = *dropped.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(said, "evidence was written to:\n  PUT /closed/case/trailhound.json");
}

#[test]
fn credentials_that_end_are_told_and_new_ones_go_on() {
    let scene = Scene::new(2_000, Plan { expires_after: Some(30), ..Plan::none() });
    let evidence = scene.evidence();
    let arguments = ["ingest", evidence.to_str().unwrap()];
    let said = refused(&scene.server, CACHE, &arguments);
    scene.server.assert_injected(Fault::ExpiredToken);
    assert!(said.contains("ExpiredToken") && said.contains("aws sso login"), "{said}");
    scene.server.set_plan(Plan::none());
    scene.ingest(CACHE, &evidence);

    // Also in the middle of a question, when the columns are read.
    scene.server.forget_requests();
    let question = ["sql", "SELECT max(eventname) FROM cloudtrail_logs"];
    scene.run(CACHE, &question);
    scene.server.set_plan(Plan { expires_after: Some(scene.requests() - 1), ..Plan::none() });
    scene.server.forget_requests();
    let said = refused(&scene.server, CACHE, &question);
    let told = "error: cannot read the cache at `s3://cache/cases/one`: ExpiredToken";
    assert!(said.contains(told), "{said}");
    scene.server.set_plan(Plan::none());

    let local = scene.dir.path().join("local").to_str().unwrap().to_owned();
    scene.ingest(&local, &evidence);
    assert_eq!(scene.content(CACHE), scene.content(&local));
}
