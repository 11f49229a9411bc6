//! The command line as scripts use it: what goes to which stream, exit codes, files.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// A directory with evidence and a cache, which is the user's home, too.
pub(crate) struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap() };
        let day = scene.evidence().join("AWSLogs/111122223333/CloudTrail/us-east-1/2024/01/02");
        fs::create_dir_all(&day).unwrap();
        let name = "111122223333_CloudTrail_us-east-1_20240102T0310Z_AbCdEfGhIjKlMnOp.json";
        let records: Vec<String> = [
            ("2024-01-02T03:04:05Z", "ListBuckets", "Boto3/1.34\\u001b[2J"),
            ("2024-01-02T03:05:05Z", "GetObject", "aws-cli/2.15"),
            ("2024-01-02T03:06:05Z", "GetObject", "=cmd|' /C calc'!A0"),
        ]
        .iter()
        .enumerate()
        .map(|(n, (time, name, agent))| record(n, time, name, agent))
        .collect();
        fs::write(day.join(name), format!("{{\"Records\":[{}]}}", records.join(","))).unwrap();
        scene
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn evidence(&self) -> PathBuf {
        self.path().join("evidence")
    }

    /// trailhound with the scene's cache, in the scene's home.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TRAILHOUND_CACHE", self.path().join("cache"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// The scene with its evidence in the cache.
    pub(crate) fn ingested() -> Self {
        let scene = Self::new();
        let output = scene.run(&["ingest", "evidence"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        scene
    }
}

fn record(n: usize, time: &str, name: &str, agent: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.09","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/eve","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"eve"}},"eventTime":"{time}","eventSource":"s3.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"{agent}","requestParameters":null,"responseElements":null,"requestID":"r{n}","eventID":"00000000-0000-4000-8000-00000000000{n}","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#
    )
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[track_caller]
fn assert_done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
}

const COUNT: &str = "SELECT eventname, count(*) AS n FROM cloudtrail_logs GROUP BY 1 ORDER BY 1";

#[test]
fn long_statements_are_answered_or_refused() {
    let scene = Scene::ingested();
    let ask = |sql: &str| {
        let mut child = scene
            .command()
            .arg("sql")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let first =
            |text: &[u8], n| String::from_utf8_lossy(text).lines().nth(n).map(str::to_owned);
        match output.status.code() {
            Some(0) => first(&output.stdout, 1).unwrap(),
            Some(_) => first(&output.stderr, 0).unwrap(),
            None => panic!("{}", stderr(&output)),
        }
    };
    let count = |what: &str| ask(&format!("SELECT count(*) AS n FROM {what}"));
    let chain = |n: usize, word: &str| {
        let parts: Vec<String> = (0..n).map(|n| format!("eventname NOT LIKE '%Name{n}'")).collect();
        format!("cloudtrail_logs WHERE {}", parts.join(word))
    };
    assert_eq!(count(&chain(20_000, " OR ")), "3");
    assert_eq!(count(&chain(1_000, " AND ")), "3");
    let refusal =
        "error: the expression has 99999 operators in a row; at most 10000 can be computed";
    assert_eq!(count(&chain(100_000, " AND ")), refusal);
    assert_eq!(count(&format!("({})", vec!["SELECT 1"; 500].join(" UNION ALL "))), "500");
    let sum =
        |n| format!("(SELECT {} AS x FROM log_files) WHERE x > 0", vec!["version"; n].join(" + "));
    assert_eq!(count(&sum(1_000)), "1");
    assert_eq!(count(&sum(100_000)), refusal);
    assert_eq!(count(&format!("(SELECT {}1{})", "(".repeat(150), ")".repeat(150))), "1");
}

#[test]
fn an_ingest_reports_and_a_second_one_has_nothing_to_do() {
    let scene = Scene::new();
    let report = |output: &Output| -> Value { serde_json::from_str(stdout(output)).unwrap() };
    let first = scene.run(&["ingest", "evidence", "--json"]);
    assert_done(&first);
    let first = report(&first);
    assert_eq!(first["files"]["ingested"], 1);
    assert_eq!(first["records"]["written"], 3);
    let second = report(&scene.run(&["ingest", "evidence", "--json"]));
    assert_eq!(second["files"]["unchanged"], 1);
    assert_eq!(second["records"]["read"], 0);
}

#[test]
fn stdout_has_rows_and_nothing_else() {
    let scene = Scene::ingested();
    let output = scene.run(&["sql", COUNT]);
    assert_done(&output);
    assert_eq!(stdout(&output), "eventname,n\nGetObject,2\nListBuckets,1\n");
    assert!(stderr(&output).starts_with("2 rows · "), "{}", stderr(&output));
}

#[test]
fn an_ingest_says_on_stderr_what_it_did() {
    let scene = Scene::new();
    let output = scene.run(&["ingest", "evidence"]);
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).starts_with("files    1: 1 ingested\nrecords  3: 3 written\n"));
}

#[test]
fn log_text_is_harmless_where_people_look_and_exact_elsewhere() {
    let scene = Scene::ingested();
    let sql = "SELECT useragent FROM cloudtrail_logs ORDER BY eventtime";
    let agents = |format: &[&str]| {
        let output = scene.run(&[&["sql", sql], format].concat());
        assert_done(&output);
        stdout(&output).to_owned()
    };
    assert_eq!(agents(&[]), "useragent\nBoto3/1.34\\x1b[2J\naws-cli/2.15\n'=cmd|' /C calc'!A0\n");
    assert_eq!(
        agents(&["--raw"]),
        "useragent\nBoto3/1.34\u{1b}[2J\naws-cli/2.15\n=cmd|' /C calc'!A0\n"
    );
    let table = agents(&["--format", "table"]);
    assert!(table.contains("Boto3/1.34\\x1b[2J\n"), "{table}");
    let rows: Vec<Value> = serde_json::from_str(&agents(&["--format", "json"])).unwrap();
    assert_eq!(rows[0]["useragent"], "Boto3/1.34\u{1b}[2J");
}

#[test]
fn several_answers_are_parted_by_an_empty_line() {
    let scene = Scene::ingested();
    let output = scene.run(&["sql", "SELECT 1 AS a; SELECT 2 AS b;"]);
    assert_eq!(stdout(&output), "a\n1\n\nb\n2\n");
    let lines = scene.run(&["sql", "--format", "ndjson", "SELECT 1 AS a; SELECT 2 AS b"]);
    assert_eq!(stdout(&lines), "{\"a\":1}\n{\"b\":2}\n");
}

#[test]
fn sql_comes_from_arguments_files_and_standard_input() {
    let scene = Scene::ingested();
    fs::write(scene.path().join("q.sql"), "\u{feff}SELECT 'file' AS a; -- ; done").unwrap();
    assert_eq!(stdout(&scene.run(&["sql", "-f", "q.sql", "SELECT 2 AS b"])), "a\nfile\n\nb\n2\n");
    for arguments in [&["sql"][..], &[], &["sql", "-f", "-"]] {
        let mut child = scene
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"SELECT 3 AS c").unwrap();
        assert_eq!(stdout(&child.wait_with_output().unwrap()), "c\n3\n", "{arguments:?}");
    }
}

#[test]
fn a_fault_in_sql_is_drawn_on_stderr_with_exit_code_2() {
    let scene = Scene::ingested();
    let output = scene.run(&["sql", "SELECT eventnam FROM cloudtrail_logs"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    let said = stderr(&output);
    assert!(said.starts_with("error: ") && said.contains("^^^^^^^^"), "{said}");
    assert!(said.contains("did you mean `eventname`?"), "{said}");
}

#[test]
fn a_fault_in_the_second_statement_is_told_before_the_first_runs() {
    let scene = Scene::ingested();
    let output = scene.run(&["sql", "SELECT 1 AS a; SELEC 2"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""));
}

#[test]
fn without_a_cache_the_way_to_one_is_told() {
    let scene = Scene::new();
    let output = scene.run(&["sql", "SELECT 1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: there is no cache at "), "{}", stderr(&output));
    assert!(stderr(&output).contains("= help: `trailhound ingest SOURCE`"));
    assert!(!scene.path().join("cache").exists());
}

#[test]
fn skipped_input_is_exit_code_1_and_named() {
    let scene = Scene::new();
    fs::write(scene.evidence().join("damaged.json"), "{\"Records\":[{\"eventVersion\":").unwrap();
    for arguments in [&["ingest", "evidence"][..], &["sql", "--source", "evidence", "SELECT 1"]] {
        let output = scene.command().args(arguments).output().unwrap();
        let cache = scene.path().join("cache");
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains("damaged.json"), "{}", stderr(&output));
        fs::remove_dir_all(cache).unwrap();
    }
}

#[test]
fn a_source_is_ingested_before_the_question_and_is_never_written_to() {
    let scene = Scene::new();
    let output = scene.run(&["sql", "--source", "evidence", COUNT]);
    assert_eq!(stdout(&output), "eventname,n\nGetObject,2\nListBuckets,1\n");
    for arguments in [
        &["sql", "--source", "evidence", "-o", "evidence/out.csv", COUNT][..],
        &["--cache", "evidence/cache", "ingest", "evidence"],
        &["--temp-dir", "evidence", "ingest", "evidence"],
        &["convert", "evidence", "-o", "evidence/parquet"],
        &["sql", "-o", "cache/out.csv", COUNT],
        &["sql", "-o", "evidence/AWSLogs/out.csv", COUNT],
    ] {
        let output = scene.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("inside"), "{}", stderr(&output));
    }
    assert_eq!(fs::read_dir(scene.evidence()).unwrap().count(), 1);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let scene = Scene::ingested();
    let sql = "SELECT a.eventid, b.value FROM cloudtrail_logs a, generate_series(1, 1000000) b";
    for format in ["csv", "table", "json", "ndjson", "markdown", "expanded", "parquet"] {
        let mut child = scene
            .command()
            .args(["sql", "--format", format, sql])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The first bytes, as `head` reads them.
        let mut pipe = child.stdout.take().unwrap();
        pipe.read_exact(&mut [0; 4]).unwrap();
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}: {}", stderr(&output));
        assert!(!stderr(&output).contains("error"), "{format}: {}", stderr(&output));
    }
}

#[test]
fn an_answer_goes_to_a_file_whole_or_not_at_all() {
    let scene = Scene::ingested();
    let out = scene.path().join("answer.parquet");
    let name = out.to_str().unwrap();
    let sql = "SELECT *, event_ts FROM cloudtrail_logs";
    assert_done(&scene.run(&["sql", "-o", name, sql]));
    let n_rows = |path: &Path| {
        let file = fs::File::open(path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let rows: i64 = reader.metadata().file_metadata().num_rows();
        (rows, reader.schema().fields().len())
    };
    assert_eq!(n_rows(&out), (3, 30));
    for sql in ["SELECT nothing FROM cloudtrail_logs", "SELECT 1; SELECT 2", "SELECT 1/0"] {
        let output = scene.run(&["sql", "-o", name, sql]);
        assert_eq!(output.status.code(), Some(2), "{sql}: {}", stderr(&output));
    }
    // The first of two answers had replaced it; nothing else is left lying about.
    let mut left: Vec<_> =
        fs::read_dir(scene.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["answer.parquet", "cache", "evidence"]);
}

#[test]
fn a_conversion_writes_every_record_once_in_its_partition() {
    let scene = Scene::new();
    let output = scene.run(&["convert", "evidence", "-o", "out", "--json"]);
    assert_done(&output);
    let report: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(report["records"]["written"], 3);
    let out = scene.path().join("out");
    let part = out.join("account=111122223333/region=us-east-1/day=2024-01-02/part-0.parquet");
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(part).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 3);
    let schema = reader.schema();
    for name in ["eventtime", "event_ts", "extra", "source_file", "id_conflict", "account"] {
        assert!(schema.field_with_name(name).is_ok(), "{name}");
    }
    for name in ["rejects", "duplicates", "log_files", "cloudtrail_aggregated"] {
        assert!(out.join("_trailhound").join(name).with_extension("parquet").is_file(), "{name}");
    }
    let kept: Value =
        serde_json::from_slice(&fs::read(out.join("_trailhound/report.json")).unwrap()).unwrap();
    assert_eq!(kept, report);
    assert!(!scene.path().join("cache").exists());
    let again = scene.run(&["convert", "evidence", "-o", "out"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("the directory is not empty"), "{}", stderr(&again));
}

#[test]
fn a_status_is_an_object_for_scripts() {
    let scene = Scene::ingested();
    let output = scene.run(&["status", "--json"]);
    assert_done(&output);
    let status: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(status["events"], 3);
    assert_eq!(status["accounts"][0]["name"], "111122223333");
    assert_eq!(status["first_event"], "2024-01-02T03:04:05Z");
    assert_eq!(status["files"]["ingested"], 1);
    let text = scene.run(&["status"]);
    assert!(stdout(&text).contains("records     3: 3 written"), "{}", stdout(&text));
}

#[test]
fn a_source_is_forgotten_and_can_be_read_again() {
    let scene = Scene::ingested();
    let count =
        || stdout(&scene.run(&["sql", "SELECT count(*) AS n FROM cloudtrail_logs"])).to_owned();
    assert_eq!(count(), "n\n3\n");
    let output = scene.run(&["forget", "evidence", "--json"]);
    assert_done(&output);
    let report: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!((&report["files"], &report["events_removed"]), (&1.into(), &3.into()));
    assert_eq!(count(), "n\n0\n");
    let unknown = scene.run(&["forget", "elsewhere"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", stderr(&unknown));
    assert_done(&scene.run(&["ingest", "evidence"]));
    assert_eq!(count(), "n\n3\n");
}

#[test]
fn saved_queries_run_with_their_parameters() {
    let scene = Scene::ingested();
    let output = scene.run(&["query", "access_key_activity", "key=AKIAIOSFODNN7EXAMPLE"]);
    assert_done(&output);
    assert_eq!(stdout(&output).lines().count(), 4, "{}", stdout(&output));
    let none = scene.run(&["query", "access_key_activity", "key=' OR ''='"]);
    assert_eq!(stdout(&none).lines().count(), 1, "{}", stdout(&none));
    let late =
        scene.run(&["query", "top_callers", "since=2024-01-02T03:06:00Z", "--format", "json"]);
    let rows: Value = serde_json::from_str(stdout(&late)).unwrap();
    assert_eq!(rows[0]["calls"], 1);
    let missing = scene.run(&["query", "acces_key_activity"]);
    assert!(stderr(&missing).contains("did you mean `access_key_activity`?"));
}

#[test]
fn a_setting_that_is_not_known_fails() {
    let scene = Scene::new();
    fs::write(scene.path().join("my.toml"), "memroy = '1GiB'\n").unwrap();
    let output = scene.run(&["--config", "my.toml", "status"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `memory`?"), "{}", stderr(&output));
}

#[test]
fn tables_have_the_names_that_the_configuration_gives_them() {
    let scene = Scene::ingested();
    fs::write(scene.path().join("my.toml"), "[tables]\n'sec.trail' = 'cloudtrail_logs'\n").unwrap();
    let sql = "SELECT count(*) AS n FROM sec.trail";
    assert_eq!(stdout(&scene.run(&["--config", "my.toml", "sql", sql])), "n\n3\n");
    fs::write(scene.path().join("my.toml"), "[tables]\ntrail = 'cloudtrial_logs'\n").unwrap();
    let output = scene.run(&["--config", "my.toml", "sql", sql]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `cloudtrail_logs`?"), "{}", stderr(&output));
}

#[test]
fn usage_errors_are_exit_code_2_and_help_is_0() {
    let scene = Scene::new();
    assert_eq!(scene.run(&["ingest"]).status.code(), Some(2));
    assert_eq!(scene.run(&["nonsense"]).status.code(), Some(2));
    assert_eq!(scene.run(&["--help"]).status.code(), Some(0));
    assert!(stdout(&scene.run(&["completions", "bash"])).contains("trailhound"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_an_ingest_and_a_second_one_stops_it_at_once() {
    let scene = Scene::new();
    // Its input never ends, so only Ctrl-C does.
    let mut child = scene
        .command()
        .args(["ingest", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    let mut said = child.stderr.take().unwrap();
    let pid = child.id().to_string();
    let interrupt = || {
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    };
    while !scene.path().join("cache/trailhound.json").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    interrupt();
    let mut byte = [0; 8];
    said.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"stopping");
    interrupt();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(input);
}
