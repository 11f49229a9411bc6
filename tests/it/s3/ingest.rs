//! Buckets are ingested whole whatever goes wrong, each record once, and are never written to.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use trailhound::cache::Table;

use super::{
    Bucket, Denial, Fault, Kind, Listed, Plan, Server,
    delivery::{self, Organisation},
};
use crate::support::{batches, column};

/// A server whose bucket is `logs`, and a cache beside it.
pub(super) struct Case {
    pub(super) server: Server,
    dir: tempfile::TempDir,
}

/// What a run of `ingest --json` ended with.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) code: Option<i32>,
    /// What it printed; null where it failed.
    pub(super) report: Value,
    /// What it said on stderr.
    pub(super) said: String,
}

impl Case {
    pub(super) fn new(bucket: Bucket, plan: Plan) -> Self {
        Self::with_buckets([bucket], plan)
    }

    /// Others beside `logs`.
    pub(super) fn with_buckets(buckets: impl IntoIterator<Item = Bucket>, plan: Plan) -> Self {
        let server = Server::with_faults(buckets, plan);
        Self { server, dir: tempfile::tempdir().unwrap() }
    }

    /// The same server, and a cache with nothing in it.
    pub(super) fn with_another_cache(self) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), ..self }
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    pub(super) fn ingest(&self, arguments: &[&str]) -> Run {
        self.ingest_from("s3://logs", arguments)
    }

    /// Ingests into a cache of its own.
    pub(super) fn ingest_anew(&self, arguments: &[&str]) -> Run {
        let dir = tempfile::tempdir().unwrap();
        self.run(&dir.path().join("cache"), "s3://logs", arguments)
    }

    pub(super) fn ingest_from(&self, source: &str, arguments: &[&str]) -> Run {
        self.run(&self.cache(), source, arguments)
    }

    fn run(&self, cache: &Path, source: &str, arguments: &[&str]) -> Run {
        let arguments = [&["ingest", source, "--json"], arguments].concat();
        let output = self.server.command(cache, &arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Run { code: output.status.code(), report, said }
    }

    /// The ids of all events in the cache; none of them twice.
    pub(super) fn event_ids(&self) -> BTreeSet<String> {
        let events = batches(&self.cache(), Table::Events);
        let ids: Vec<String> = column(&events, "eventid").into_iter().flatten().collect();
        let distinct: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(ids.len(), distinct.len(), "events that are there twice");
        distinct
    }

    /// Fails unless the cache has each event of the bucket's log files once, and nothing else.
    #[track_caller]
    pub(super) fn assert_whole(&self) {
        self.assert_all_but(|_key| false);
    }

    /// The same where some keys could not be read.
    #[track_caller]
    fn assert_all_but(&self, is_missing: impl Fn(&str) -> bool) {
        let wanted: BTreeSet<String> = self.server.change("logs", |logs| {
            let log_files = logs.keys().filter(|key| !key.contains("Digest") && !is_missing(key));
            log_files.flat_map(delivery::event_ids).collect()
        });
        let found = self.event_ids();
        let (n_less, n_more) =
            (wanted.difference(&found).count(), found.difference(&wanted).count());
        assert_eq!((n_less, n_more), (0, 0), "of {} events: missing, invented", wanted.len());
    }
}

impl Run {
    /// A count of the report.
    pub(super) fn count(&self, of: &str, what: &str) -> u64 {
        self.report[of][what].as_u64().unwrap_or_else(|| panic!("no {of}.{what}: {self:?}"))
    }

    /// Fails unless everything was done and nothing skipped.
    #[track_caller]
    pub(super) fn assert_clean(&self) {
        let skipped = self.report["skipped"].as_array().into_iter().flatten().take(3);
        let skipped: Vec<String> = skipped.map(Value::to_string).collect();
        assert_eq!(self.code, Some(0), "{}\n{}", skipped.join("\n"), self.said);
        assert_eq!(self.count("files", "skipped"), 0, "{}", skipped.join("\n"));
        assert_eq!(self.count("records", "duplicates"), 0, "{}", self.report["records"]);
        assert_eq!(self.count("records", "rejected"), 0, "{}", self.report["records"]);
    }
}

/// Enough for every fault to strike, little enough for many tests.
const FEW: Organisation = Organisation { accounts: 3, regions: 2, days: 3, log_files: 400 };

fn few() -> Bucket {
    FEW.bucket("logs")
}

#[test]
fn fifty_thousand_keys_are_listed_in_pages_and_read_once() {
    const KEYS: usize = 50_000;
    let case = Case::new(delivery::flat("logs", KEYS), Plan::none());
    let run = case.ingest(&[]);
    run.assert_clean();
    assert_eq!(run.count("files", "ingested"), KEYS as u64);
    assert_eq!(case.server.requests(Kind::Get), KEYS as u64, "one request for each object");
    assert!(case.server.requests(Kind::List) >= 50, "pages of a thousand keys");
    case.assert_whole();

    case.server.forget_requests();
    let again = case.ingest(&[]);
    again.assert_clean();
    assert_eq!(again.count("files", "unchanged"), KEYS as u64);
    assert_eq!(case.server.requests(Kind::Get), 0, "what is unchanged is not asked for");
}

#[test]
fn each_fault_alone_loses_nothing() {
    for fault in Fault::RANDOM {
        let case = Case::new(few(), Plan::none().with(fault, 200_000));
        let run = case.ingest(&[]);
        case.server.assert_injected(fault);
        run.assert_clean();
        case.assert_whole();
    }
}

#[test]
fn all_faults_at_once_lose_nothing() {
    let plan = Fault::RANDOM.iter().fold(Plan::none(), |plan, fault| plan.with(*fault, 60_000));
    let plan = Plan { latency: Duration::from_millis(1), ..plan };
    let case = Case::new(few(), plan);
    case.ingest(&[]).assert_clean();
    for fault in Fault::RANDOM {
        case.server.assert_injected(fault);
    }
    case.assert_whole();
    case.server.forget_requests();
    let again = case.ingest(&[]);
    again.assert_clean();
    assert_eq!(again.count("files", "unchanged"), again.count("files", "seen"));
    assert_eq!(case.server.requests(Kind::Get), 0);
}

#[test]
fn a_listing_that_lies_is_seen_through() {
    let mut bucket = few();
    let keys: Vec<String> = bucket.keys().map(str::to_owned).collect();
    let (gone, was) = (&keys[7], &keys[11]);
    bucket.latest_mut(gone).unwrap().listed = Listed::ThoughGone;
    bucket.latest_mut(was).unwrap().listed = Listed::AsItWas;
    let case = Case::new(bucket, Plan::none());
    let run = case.ingest(&[]);
    case.server.assert_injected(Fault::ListedThoughGone);
    case.server.assert_injected(Fault::ListedAsItWas);
    assert_eq!(run.code, Some(1), "{}\n{}", run.report, run.said);
    let skipped = run.report["skipped"].as_array().unwrap();
    assert!(skipped.iter().any(|file| file["path"] == format!("s3://logs/{gone}")), "{skipped:?}");
    case.assert_all_but(|key| {
        skipped.iter().any(|file| file["path"] == format!("s3://logs/{key}"))
    });
}

#[test]
fn expired_credentials_stop_a_run_that_fresh_ones_finish() {
    let plan = Plan { expires_after: Some(200), ..Plan::none() };
    let case = Case::new(few(), plan);
    let run = case.ingest(&[]);
    case.server.assert_injected(Fault::ExpiredToken);
    assert_eq!(run.code, Some(2), "{}\n{}", run.report, run.said);
    assert!(run.said.contains("ExpiredToken"), "{}", run.said);
    case.server.set_plan(Plan::none());
    case.ingest(&[]).assert_clean();
    case.assert_whole();
}

#[test]
fn what_a_policy_or_an_archive_withholds_is_named_and_the_rest_is_read() {
    let mut bucket = few();
    let keys: Vec<String> =
        bucket.keys().filter(|key| key.contains("/CloudTrail/")).map(str::to_owned).collect();
    let withheld = [&keys[3], &keys[5], &keys[8]];
    bucket.latest_mut(withheld[0]).unwrap().denial = Some(Denial::Policy);
    bucket.latest_mut(withheld[1]).unwrap().denial = Some(Denial::Kms);
    bucket.latest_mut(withheld[2]).unwrap().storage_class = Some("DEEP_ARCHIVE".into());
    let case = Case::new(bucket, Plan::none());
    let run = case.ingest(&[]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.report, run.said);
    let skipped: BTreeSet<&str> = run.report["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|file| file["path"].as_str())
        .collect();
    let wanted: Vec<String> = withheld.iter().map(|key| format!("s3://logs/{key}")).collect();
    assert_eq!(skipped, wanted.iter().map(String::as_str).collect());
    case.assert_all_but(|key| withheld.iter().any(|of| *of == key));

    // Once they may be read, a rerun fetches these and nothing else.
    case.server.change("logs", |logs| {
        for key in withheld {
            let version = logs.latest_mut(key).unwrap();
            version.denial = None;
            version.is_restored = version.storage_class.is_some();
        }
    });
    case.server.forget_requests();
    case.ingest(&[]).assert_clean();
    assert_eq!(case.server.requests(Kind::Get), 3);
    case.assert_whole();
}

#[test]
fn killed_in_the_middle_a_second_run_finishes() {
    let bucket = Organisation { log_files: 2000, ..FEW }.bucket("logs");
    let plan = Plan { latency: Duration::from_millis(2), ..Plan::none() };
    let case = Case::new(bucket, plan.with(Fault::SlowDown, 20_000));
    for n_read in [500, 1500] {
        let mut run = case
            .server
            // Little memory: a commit every few hundred files.
            .command(&case.cache(), &["--memory", "64MiB", "ingest", "s3://logs"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while case.server.requests(Kind::Get) < n_read && run.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(run.try_wait().unwrap().is_none(), "it ended before it was to be killed");
        run.kill().unwrap();
        run.wait().unwrap();
    }
    case.ingest(&[]).assert_clean();
    case.assert_whole();
}

#[test]
fn an_object_that_was_overwritten_is_read_again() {
    let case = Case::new(few(), Plan::none());
    case.ingest(&[]).assert_clean();
    let key = case.server.change("logs", |logs| {
        let key = logs.keys().find(|key| key.contains("/CloudTrail/")).unwrap().to_owned();
        let other = delivery::log_key(&delivery::account_id(0), "us-east-1", 1, 999_999);
        logs.put(&key, delivery::log_file(&other));
        key
    });
    case.server.forget_requests();
    let run = case.ingest(&[]);
    run.assert_clean();
    assert_eq!((run.count("files", "ingested"), case.server.requests(Kind::Get)), (1, 1), "{key}");
}
