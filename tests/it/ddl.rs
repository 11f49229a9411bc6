//! Tables that SQL declares over a location, as the command line has them: what is read and when,
//! what lasts, what prunes, and that evidence stays as it is.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

const SERDE: &str = "ROW FORMAT SERDE 'com.amazon.emr.hive.serde.CloudTrailSerde'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'";

/// Evidence in folders as CloudTrail delivers it, and a cache that is not there yet.
struct Scene(tempfile::TempDir);

/// Writes a log file with the events `(number, name)` into `dir`.
fn write(dir: &Path, region: &str, day: &str, events: &[(u32, &str)]) {
    fs::create_dir_all(dir).unwrap();
    let day = day.replace('/', "-");
    let records: Vec<String> =
        events.iter().map(|(n, name)| record(*n, name, region, &day)).collect();
    let name = format!("{}.json", events[0].0);
    fs::write(dir.join(name), format!("{{\"Records\":[{}]}}", records.join(","))).unwrap();
}

/// Declares `name` over `location`, with `clauses` between the columns and the `SerDe`.
fn table_over(name: &str, clauses: &str, location: &str) -> String {
    format!(
        "CREATE EXTERNAL TABLE {name} (eventname STRING, eventtime STRING, eventid STRING) \
         {clauses} {SERDE} LOCATION '{location}'"
    )
}

impl Scene {
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        scene.deliver("us-east-1", "2024/01/01", &[(1, "ListBuckets")]);
        scene.deliver("us-east-1", "2024/01/02", &[(2, "GetObject"), (3, "PutObject")]);
        scene.deliver("eu-west-1", "2024/01/02", &[(4, "ListBuckets")]);
        scene
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn trail(&self) -> PathBuf {
        self.path().join("evidence/AWSLogs/111122223333/CloudTrail")
    }

    /// Writes a log file with the events `(number, name)` below the trail.
    fn deliver(&self, region: &str, day: &str, events: &[(u32, &str)]) {
        write(&self.trail().join(region).join(day), region, day, events);
    }

    fn command(&self, cache: &str, sql: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("TMPDIR", std::env::temp_dir())
            .args(["--cache", cache, "sql", "--format", "csv", sql])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, sql: &str) -> Output {
        self.command("cache", sql).output().unwrap()
    }

    /// The answer of `sql`, rows joined by spaces, without its header.
    #[track_caller]
    fn ask(&self, sql: &str) -> String {
        let output = self.run(sql);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().skip(1).collect::<Vec<_>>().join(" ")
    }

    /// What goes to stderr beside the answer of `sql`, without the scene's own path.
    #[track_caller]
    fn notes(&self, sql: &str) -> String {
        let output = self.run(sql);
        let said = said(&output).replace(self.path().to_str().unwrap(), "SCENE");
        said.lines().filter(|line| line.starts_with("note")).collect::<Vec<_>>().join("\n")
    }

    /// The projected table of AWS's page, by region and day.
    fn projected(&self, name: &str) -> String {
        let trail = self.trail();
        let trail = trail.display();
        let create = table_over(
            name,
            "PARTITIONED BY (region STRING, `timestamp` STRING)",
            &format!("{trail}/"),
        );
        format!(
            "{create} TBLPROPERTIES ('projection.enabled'='true', \
             'projection.region.type'='enum', 'projection.region.values'='us-east-1,eu-west-1', \
             'projection.timestamp.type'='date', 'projection.timestamp.format'='yyyy/MM/dd', \
             'projection.timestamp.range'='2020/01/01,NOW', \
             'storage.location.template'='{trail}/${{region}}/${{timestamp}}')"
        )
    }

    /// Every file below the evidence, with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let walk = walkdir::WalkDir::new(self.path().join("evidence"));
        let files = walk.into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
        files.map(|e| (e.path().to_owned(), fs::read(e.path()).unwrap())).collect()
    }
}

fn record(n: u32, name: &str, region: &str, day: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.09","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/eve"}},"eventTime":"{day}T10:00:{n:02}Z","eventSource":"s3.amazonaws.com","eventName":"{name}","awsRegion":"{region}","requestID":"r{n}","eventID":"e{n}","eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Management"}}"#
    )
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_declared_table_is_read_at_once_and_lasts() {
    let scene = Scene::new();
    let before = scene.files();
    let created = scene.run(&scene.projected("cloudtrail_logs_pp"));
    assert_eq!(created.status.code(), Some(0), "{}", said(&created));
    assert!(said(&created).starts_with("files    3: 3 ingested\n"), "{}", said(&created));
    assert!(created.stdout.is_empty());
    // Another process.
    let all = "SELECT region, \"timestamp\", eventname FROM cloudtrail_logs_pp ORDER BY eventtime";
    assert_eq!(
        scene.ask(all),
        "us-east-1,2024/01/01,ListBuckets us-east-1,2024/01/02,GetObject \
         us-east-1,2024/01/02,PutObject eu-west-1,2024/01/02,ListBuckets"
    );
    assert_eq!(scene.files(), before, "evidence is not written to");
    // What was delivered since is there.
    scene.deliver("eu-west-1", "2024/01/03", &[(5, "DeleteTrail")]);
    let found = "SELECT eventname FROM cloudtrail_logs_pp WHERE \"timestamp\" > '2024/01/02'";
    assert_eq!(scene.ask(found), "DeleteTrail");
    // Dropped and forgotten; the events are not.
    scene.ask("DROP TABLE cloudtrail_logs_pp");
    let gone = scene.run("SELECT * FROM cloudtrail_logs_pp");
    assert!(said(&gone).contains("table `cloudtrail_logs_pp` does not exist"), "{}", said(&gone));
    assert_eq!(scene.ask("SELECT count(*) FROM cloudtrail_logs"), "5");
}

#[test]
fn filters_on_partitions_prune() {
    let scene = Scene::new();
    scene.ask(&scene.projected("t"));
    let plan = |filter: &str| {
        let output = scene.run(&format!("EXPLAIN SELECT eventname FROM t WHERE {filter}"));
        String::from_utf8(output.stdout).unwrap()
    };
    // 2024-01-02T10:00:02Z to 10:00:03Z, the times of the one file that is left.
    let one = plan("region = 'us-east-1' AND \"timestamp\" >= '2024/01/02'");
    assert!(one.contains("event_ts_max@"), "{one}");
    assert!(one.contains(">= 1704189602000000") && one.contains("<= 1704189603000000"), "{one}");
    assert!(one.contains("source_file_min@"), "{one}");
    // Whatever form the predicate has.
    let same = plan("substr(\"timestamp\", 9) IN ('02') AND region LIKE 'us%'");
    assert!(same.contains(">= 1704189602000000"), "{same}");
    // Nothing is left, and nothing is read.
    let none = plan("region = 'ap-south-1'");
    assert!(none.contains("EmptyExec"), "{none}");
}

#[test]
fn a_copy_counts_in_each_table_that_holds_it() {
    let scene = Scene::new();
    let copies = scene.path().join("copies");
    write(&copies.join("a"), "us-east-1", "2024/01/02", &[(2, "GetObject"), (3, "PutObject")]);
    write(&copies.join("b"), "us-east-1", "2024/01/02", &[(3, "PutObject"), (6, "Added")]);
    scene.ask(&table_over("trail", "", scene.trail().to_str().unwrap()));
    scene.ask(&table_over("both", "", "copies"));
    scene.ask(&table_over("a", "", "copies/a"));
    scene.ask(&table_over("b", "", &format!("file://{}/b/", copies.display())));
    let counts = "SELECT (SELECT count(*) FROM trail), (SELECT count(*) FROM both), \
                  (SELECT count(*) FROM a), (SELECT count(*) FROM b), \
                  (SELECT count(*) FROM cloudtrail_logs)";
    assert_eq!(scene.ask(counts), "4,4,2,2,5");
    let paths = scene.ask("SELECT eventid, \"$path\" FROM both ORDER BY 1, 2");
    let paths = paths.replace(copies.to_str().unwrap(), "C");
    assert_eq!(paths, "e2,C/a/2.json e3,C/a/2.json e3,C/b/3.json e6,C/b/3.json");
    // A copy has all that the event has.
    let copy = "SELECT useridentity.arn, awsregion, record_no FROM a WHERE eventid = 'e3'";
    assert_eq!(scene.ask(copy), "arn:aws:iam::111122223333:user/eve,us-east-1,2");
    // Forgetting where an event was kept from takes it from that table alone.
    let forget = Command::new(env!("CARGO_BIN_EXE_trailhound"))
        .args(["--cache", scene.path().join("cache").to_str().unwrap(), "forget"])
        .arg(scene.path().join("evidence"))
        .env("HOME", scene.path())
        .output()
        .unwrap();
    assert_eq!(forget.status.code(), Some(0), "{}", said(&forget));
    assert_eq!(scene.ask("SELECT count(*) FROM both"), "4");
    assert_eq!(scene.ask("SELECT eventid FROM a ORDER BY 1"), "e2 e3");
}

#[test]
fn a_file_that_changed_counts_once() {
    let scene = Scene::new();
    scene.ask(&table_over("t", "", scene.trail().to_str().unwrap()));
    assert_eq!(scene.ask("SELECT count(*) FROM t"), "4");
    write(
        &scene.trail().join("us-east-1/2024/01/02"),
        "us-east-1",
        "2024/01/02",
        &[(2, "GetObject"), (3, "PutObject"), (7, "Later")],
    );
    assert_eq!(scene.ask("SELECT eventid FROM t ORDER BY 1"), "e1 e2 e3 e4 e7");
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM t"), @"note: 1 file of `t` changed since first read: what was there before is left out, and `superseded` in `cache.cloudtrail_logs`");
}

#[test]
fn partitions_are_added_found_and_dropped() {
    let scene = Scene::new();
    let hive = scene.path().join("hive");
    for (n, folder) in
        [(1, "region=us-east-1/day=2024-01-01"), (2, "region=eu-west-1/day=2024-01-02")]
    {
        write(&hive.join(folder), "us-east-1", "2024/01/01", &[(n, "X")]);
    }
    write(&hive.join("elsewhere"), "us-east-1", "2024/01/01", &[(9, "Y")]);
    scene.ask(&table_over("t", "PARTITIONED BY (region STRING, day DATE)", "hive"));
    assert_eq!(scene.ask("SELECT count(*) FROM t"), "0");
    assert_eq!(
        scene.ask("MSCK REPAIR TABLE t"),
        "region=eu-west-1/day=2024-01-02 region=us-east-1/day=2024-01-01"
    );
    assert_eq!(scene.ask("MSCK REPAIR TABLE t"), "");
    assert_eq!(
        scene.ask("SELECT region, day, eventid FROM t ORDER BY 3"),
        "us-east-1,2024-01-01,e1 eu-west-1,2024-01-02,e2"
    );
    insta::assert_snapshot!(
        scene.notes("SELECT count(*) FROM t WHERE day = DATE '2024-01-02'"),
        @"note: 1 file below the location of `t` lies in none of its partitions"
    );
    // A folder that appeared since; and one that lies elsewhere.
    write(&hive.join("region=x/day=2024-01-05"), "us-east-1", "2024/01/01", &[(3, "Z")]);
    assert_eq!(scene.ask("MSCK REPAIR TABLE t"), "region=x/day=2024-01-05");
    let trail = scene.trail();
    scene.ask(&format!(
        "ALTER TABLE t ADD IF NOT EXISTS PARTITION (region='trail', day='2024-02-01') LOCATION '{}'",
        trail.display()
    ));
    assert_eq!(scene.ask("SELECT count(*) FROM t WHERE region = 'trail'"), "4");
    scene.ask("ALTER TABLE t DROP PARTITION (region='x', day='2024-01-05')");
    assert_eq!(scene.ask("SELECT count(*) FROM t"), "6");
}

#[test]
fn local_copies_of_a_bucket_are_found_and_told() {
    let scene = Scene::new();
    scene.ask(&table_over("local", "", "evidence"));
    let create =
        table_over("trail", "", "s3://bucket/org/AWSLogs/111122223333/CloudTrail/us-east-1/");
    let s3 = scene.run(&create);
    assert_eq!(s3.status.code(), Some(0), "{}", said(&s3));
    assert_eq!(scene.ask("SELECT count(*) FROM trail"), "3");
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM trail"), @"note: nothing was read from s3://bucket/org/AWSLogs/111122223333/CloudTrail/us-east-1/: the rows of `trail` are those of local copies, files whose path has `AWSLogs/111122223333/CloudTrail/us-east-1/`");
    // Beside a partition that lies here; and of two buckets of which nobody can tell.
    scene.ask(&table_over("parts", "PARTITIONED BY (p STRING)", "s3://bucket/AWSLogs/"));
    let key = "AWSLogs/111122223333/CloudTrail";
    let hive = scene.path().join("hive");
    write(&hive, "us-east-1", "2024/01/05", &[(11, "Local")]);
    scene.ask(&format!(
        "ALTER TABLE parts ADD PARTITION (p='s3') LOCATION 's3://bucket/{key}/us-east-1/' \
         PARTITION (p='here') LOCATION '{}' \
         PARTITION (p='one') LOCATION 's3://one/{key}/eu-west-1' \
         PARTITION (p='two') LOCATION 's3://two/{key}/eu-west-1'",
        hive.display()
    ));
    let counts = "SELECT p, count(*) FROM parts GROUP BY 1 ORDER BY 1";
    assert_eq!(scene.ask(counts), "here,1 s3,3");
    assert!(scene.notes(counts).contains("1 file below the location of `parts` lies in none"));
    // Where the key does not say whose logs these are, nothing is guessed.
    scene.ask(&table_over("any", "", "s3://bucket/logs/"));
    assert_eq!(scene.ask("SELECT count(*) FROM any"), "0");
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM any"), @"note: nothing below s3://bucket/logs/ has been ingested: `trailhound ingest` reads it where AWS credentials allow; or give the directory of a local copy as LOCATION");
}

#[test]
fn a_declared_table_knows_what_it_covers() {
    let scene = Scene::new();
    scene.ask(&table_over("t", "", scene.trail().join("eu-west-1").to_str().unwrap()));
    scene.ask(&table_over("every", "", "evidence"));
    scene.ask(&scene.projected("pp"));
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM pp WHERE \"timestamp\" BETWEEN '2023/12/01' AND '2024/01/31'"), @"note: `pp` holds no events before 2024-01-01T10:00:01Z or after 2024-01-02T10:00:04Z; this query asks for 2023-12-01 to 2024-02-01");
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM pp WHERE region = 'eu-west-1' AND \"timestamp\" < '2024/01/02'"), @"note: no partition of `pp` with files is asked for");
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM t WHERE awsregion = 'us-east-1'"), @"note: no events of region us-east-1 are in `t`");
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM t WHERE eventtime < '2024-01-02'"), @"note: `t` holds no events before 2024-01-02T10:00:04Z; this query asks for events up to 2024-01-02");
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM every WHERE eventname = 'PutObject' AND eventcategory = 'Data'"), @"note: no data events (S3 objects, Lambda invocations, …) are in `every`");
}

#[test]
fn a_location_around_the_cache_is_refused_before_anything_is_written() {
    let scene = Scene::new();
    let before = scene.files();
    let create = table_over("t", "", "evidence");
    for cache in ["evidence/cache", "evidence/AWSLogs/.cache"] {
        let output = scene.command(cache, &create).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("lies inside the source"), "{}", said(&output));
        assert!(!scene.path().join(cache).exists());
    }
    // A cache that is there already.
    scene.ask(&table_over("t", "", "evidence"));
    let within = scene.run(&table_over("u", "", "."));
    assert_eq!(within.status.code(), Some(2));
    assert!(said(&within).contains("lies inside the source"), "{}", said(&within));
    let gone = scene.run(&table_over("u", "", "nosuch"));
    assert!(said(&gone).contains("there is no such file or directory"), "{}", said(&gone));
    assert_eq!(scene.run("SELECT * FROM u").status.code(), Some(2), "it was not declared");
    assert_eq!(scene.files(), before);
}

#[test]
fn evidence_that_is_gone_leaves_what_was_read() {
    let scene = Scene::new();
    scene.ask(&table_over("t", "", "evidence"));
    fs::rename(scene.path().join("evidence"), scene.path().join("away")).unwrap();
    assert_eq!(scene.ask("SELECT count(*) FROM t"), "4");
    insta::assert_snapshot!(scene.notes("SELECT count(*) FROM t"), @"note: SCENE/evidence cannot be reached: the rows are those read before");
}

#[test]
fn views_last() {
    let scene = Scene::new();
    scene.ask(&table_over("t", "", "evidence"));
    scene.ask("CREATE VIEW v AS SELECT eventname, count(*) AS n FROM t GROUP BY 1");
    scene.ask("CREATE VIEW w AS SELECT max(n) AS most FROM v");
    assert_eq!(scene.ask("SELECT most FROM w"), "2");
    // What was delivered since is seen through a view as well.
    scene.deliver("eu-west-1", "2024/01/03", &[(8, "ListBuckets")]);
    assert_eq!(scene.ask("SELECT * FROM w"), "3");
    scene.ask("DROP VIEW w; DROP VIEW v");
    assert_eq!(scene.run("SELECT * FROM v").status.code(), Some(2));
}

#[test]
fn a_declaration_that_is_killed_is_there_or_not() {
    let scene = Scene::new();
    let create = scene.projected("t").replacen("TABLE t", "TABLE IF NOT EXISTS t", 1);
    for wait in [2, 10, 30, 60, 120] {
        let mut child = scene.command("cache", &create).spawn().unwrap();
        thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    scene.ask(&create);
    assert_eq!(scene.ask("SELECT count(*) FROM t"), "4");
    assert_eq!(scene.ask("SELECT count(*) FROM cloudtrail_logs"), "4");
}

#[test]
fn tables_declared_at_once_are_all_there() {
    let scene = Scene::new();
    scene.ask(&table_over("first", "", "evidence"));
    let children: Vec<_> = (0..6)
        .map(|n| {
            let create = table_over(&format!("t{n}"), "", "s3://bucket/");
            scene.command("cache", &create).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let tables = scene.ask("SHOW TABLES");
    assert_eq!(tables.matches(",declared,").count(), 7, "{tables}");
}

#[test]
fn what_is_no_table_of_cloudtrails_is_refused_by_name() {
    let scene = Scene::new();
    let regex = format!(
        "CREATE EXTERNAL TABLE elb (\n  type string,\n  elb string)\nROW FORMAT SERDE \
         'org.apache.hadoop.hive.serde2.RegexSerDe'\nWITH SERDEPROPERTIES ('input.regex' = '([^ ]*)')\n\
         LOCATION '{}'",
        scene.trail().display()
    );
    let output = scene.run(&regex);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(said(&output), @r"
    error: SERDE `org.apache.hadoop.hive.serde2.RegexSerDe` is not supported
      |
    4 | ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: the SERDEs of CloudTrail's logs are com.amazon.emr.hive.serde.CloudTrailSerde, org.apache.hive.hcatalog.data.JsonSerDe and org.openx.data.jsonserde.JsonSerDe
    ");
    assert!(!scene.path().join("cache").exists());
}
