//! Everything printed is safe: hostile text in evidence, names, arguments and configuration, driven
//! through every output. What a person sees has no control, bidirectional or invisible character;
//! what a machine reads is exact.
#![cfg(unix)]

use std::{
    fs,
    io::{Cursor, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use trailhound::output::sanitize::is_hidden;
use zip::{ZipWriter, write::SimpleFileOptions};

/// Text that takes over a terminal, a spreadsheet or a page where it is shown as it is: it clears the
/// screen, sets the title, turns the reading direction, hides, rings, begins a line of its own.
const HOSTILE: &str = "=cmd|' /C calc'!A0\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{2066}\u{200b}\u{feff}\u{9b}31m\
                       \u{e0041}\u{ad}\u{7f}\r\nerror: none\t<img src=x onerror=alert(1)>[a](javascript:b)`c`|d";

/// The same as part of a file's name.
const NAME: &str = "f\u{1b}[2J\u{202e}\u{200b}\u{7}\nfiles 9: all valid\t\u{9b}31m";

/// A home with hostile evidence in its cache.
struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap() };
        let evidence = home.path().join("evidence");
        fs::create_dir(&evidence).unwrap();
        let file = |name: &str, bytes: &[u8]| fs::write(evidence.join(name), bytes).unwrap();
        file("events.json", json!({"Records": events()}).to_string().as_bytes());
        file(&format!("{NAME}.json"), json!({"Records": [event(90)]}).to_string().as_bytes());
        file(&format!("{NAME} broken.json"), b"{\"Records\":[{\"eventVersion\":");
        file(&format!("{NAME} prose.txt"), b"nothing to see here, and no log either");
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in [
            (format!("{NAME}/a.json"), json!({"Records": [event(91)]}).to_string()),
            (format!("{NAME}/b.json"), "{\"Records\":[{\"x\":".to_owned()),
        ] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        file(&format!("{NAME}.zip"), &zip.finish().unwrap().into_inner());
        home.put_digest();
        home.configure();
        home
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A digest that names hostile keys, below a folder that says it is one.
    fn put_digest(&self) {
        let day = self
            .path()
            .join("evidence/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2024/03/01");
        fs::create_dir_all(&day).unwrap();
        let name = "111122223333_CloudTrail-Digest_us-east-1_main_us-east-1_20240301T010531Z.json";
        let digest = json!({
            "awsAccountId": "111122223333", "digestStartTime": "2024-03-01T00:05:31Z",
            "digestEndTime": "2024-03-01T01:05:31Z", "digestS3Bucket": HOSTILE,
            "digestS3Object": format!("AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2024/03/01/{name}.gz"),
            "digestPublicKeyFingerprint": HOSTILE, "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null, "oldestEventTime": null, "previousDigestS3Bucket": HOSTILE,
            "previousDigestS3Object": HOSTILE, "previousDigestHashValue": "00",
            "previousDigestHashAlgorithm": "SHA-256", "previousDigestSignature": "00",
            "logFiles": [{"s3Bucket": HOSTILE, "s3Object": HOSTILE, "hashValue": "00",
                          "hashAlgorithm": "SHA-256"}]
        });
        fs::write(day.join(name), digest.to_string()).unwrap();
        fs::write(self.path().join(format!("{NAME} keys.json")), HOSTILE).unwrap();
    }

    fn config_dir(&self) -> PathBuf {
        self.path().join(".config/trailhound")
    }

    /// Names of the user's that are as hostile.
    fn configure(&self) {
        let queries = self.config_dir().join("queries");
        fs::create_dir_all(&queries).unwrap();
        let config = format!("[tables]\n{} = \"cloudtrail_logs\"\n", json!(HOSTILE));
        // What JSON escapes as TOML does not.
        let config = config.replace('\u{7f}', "\\u007f");
        fs::write(self.config_dir().join("config.toml"), config).unwrap();
        let line = HOSTILE.replace(['\r', '\n'], " ");
        let query = format!(
            "-- title: {line}\n-- description: {line}\n-- hit: {line}\n-- caveat: {line}\n\
             -- param: who varchar = '{}' -- {line}\n-- reference: https://example.com/\n\n\
             SELECT eventid, :who AS who FROM cloudtrail_logs ORDER BY eventid\n",
            line.replace('\'', "''")
        );
        fs::write(queries.join("own_query.sql"), query).unwrap();
    }

    fn command(&self) -> Command {
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

    /// Runs and holds that neither stream harms who looks at it; gives stdout.
    #[track_caller]
    fn harmless(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code().is_some_and(|code| code <= 2), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        assert_harmless(&stdout, &format!("stdout of {arguments:?}"));
        assert_harmless(&stderr, &format!("stderr of {arguments:?}"));
        for line in stderr.lines().chain(stdout.lines()) {
            assert!(
                !line.starts_with("files 9: all valid"),
                "{arguments:?} lets a name begin a line"
            );
        }
        stdout
    }
}

#[track_caller]
fn assert_harmless(text: &str, what: &str) {
    let hidden = text.char_indices().find(|(_, c)| *c != '\n' && is_hidden(*c));
    if let Some((at, c)) = hidden {
        let start = text.floor_char_boundary(at.saturating_sub(120));
        let end = text.floor_char_boundary(at + 40);
        panic!("{what}: U+{:04X} behind {:?}", u32::from(c), &text[start..end]);
    }
}

/// A record with hostile text wherever text may be.
fn event(n: usize) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "principalId": format!("AROA:{HOSTILE}"), "arn": HOSTILE,
            "accountId": HOSTILE, "accessKeyId": HOSTILE, "userName": HOSTILE, "invokedBy": HOSTILE,
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": HOSTILE, "arn": HOSTILE,
                "principalId": HOSTILE, "accountId": HOSTILE},
                "attributes": {"mfaAuthenticated": HOSTILE, "creationDate": HOSTILE}}
        },
        "eventTime": format!("2024-05-14T02:{:02}:{:02}Z", n / 60, n % 60),
        "eventSource": format!("{HOSTILE}.amazonaws.com"), "eventName": format!("Create{HOSTILE}"),
        "awsRegion": HOSTILE, "sourceIPAddress": HOSTILE, "userAgent": HOSTILE,
        "errorCode": HOSTILE, "errorMessage": HOSTILE,
        "requestParameters": {"name": HOSTILE, HOSTILE: HOSTILE},
        "responseElements": {HOSTILE: [HOSTILE]},
        "additionalEventData": {"bytesTransferredOut": HOSTILE},
        "resources": [{"ARN": HOSTILE, "accountId": HOSTILE, "type": HOSTILE}],
        "eventID": format!("{HOSTILE}{n}"), "eventType": HOSTILE, "eventCategory": HOSTILE,
        "sharedEventID": format!("{HOSTILE}{n}"), "recipientAccountId": HOSTILE, HOSTILE: HOSTILE
    })
}

/// Records of every kind of line that the timeline writes.
fn events() -> Vec<Value> {
    let with = |n: usize, more: Value| {
        let mut event = event(n);
        for (key, value) in more.as_object().unwrap() {
            event[key] = value.clone();
        }
        event
    };
    let s3 = |n: usize, outcome: Value| {
        let more = json!({
            "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "readOnly": true,
            "errorCode": outcome, "errorMessage": null,
            "requestParameters": {"bucketName": HOSTILE, "key": format!("{HOSTILE}{n}")}
        });
        with(n, more)
    };
    let mut events: Vec<Value> = (0..3).map(event).collect();
    events.extend((10..20).map(|n| s3(n, Value::Null)));
    events.extend((20..22).map(|n| s3(n, json!("AccessDenied"))));
    events.push(with(
        30,
        json!({
            "eventSource": "iam.amazonaws.com", "eventName": "CreateAccessKey", "errorCode": null,
            "errorMessage": null, "requestParameters": {"userName": HOSTILE},
            "responseElements": {"accessKey": {"accessKeyId": HOSTILE}}
        }),
    ));
    events.push(with(
        31,
        json!({
            "eventSource": "iam.amazonaws.com", "eventName": "UpdateAssumeRolePolicy",
            "errorCode": null, "errorMessage": null, "requestParameters": {"roleName": HOSTILE,
            "policyDocument": json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": HOSTILE}}]})
                .to_string()}
        }),
    ));
    events
}

/// A home whose evidence was ingested.
fn ingested() -> Home {
    let home = Home::new();
    let output = home.run(&["ingest", "evidence"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    home
}

const COLUMNS: &str = "SELECT eventid, useragent, requestparameters, useridentity, resources, extra, \
                       source_file FROM cloudtrail_logs ORDER BY event_ts, eventid";

const FOR_PEOPLE: [&str; 4] = ["table", "expanded", "markdown", "csv"];

#[test]
fn rows_are_harmless_in_every_format_for_people() {
    let home = ingested();
    for format in FOR_PEOPLE {
        for sql in [
            COLUMNS,
            "SELECT * FROM cloudtrail_logs",
            "SELECT * FROM log_files",
            "SELECT * FROM rejects",
            "DESCRIBE cloudtrail_logs",
            "EXPLAIN SELECT useragent FROM cloudtrail_logs WHERE eventname LIKE 'Create%'",
            "SHOW TABLES",
        ] {
            home.harmless(&["sql", "--format", format, sql]);
        }
        // A column may be called anything, and a text be made of anything.
        let named =
            format!("SELECT 1 AS \"{}\", chr(27) || chr(8238) AS x", HOSTILE.replace('"', ""));
        home.harmless(&["sql", "--format", format, &named]);
        for more in [&[][..], &["--all"], &["--all", "--no-fold"]] {
            home.harmless(&[&["timeline", "--format", format], more].concat());
        }
        home.harmless(&["query", "own_query", "--format", format]);
        home.harmless(&["query", "--list", "--format", format]);
    }
}

#[test]
fn csv_runs_nothing_and_markdown_is_no_markup() {
    let home = ingested();
    for arguments in [&["sql", COLUMNS][..], &["timeline", "--all"], &["query", "own_query"]] {
        let csv = home.harmless(&[arguments, &["--format", "csv"]].concat());
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        for record in reader.records() {
            for field in &record.unwrap() {
                let is_number = field.parse::<f64>().is_ok();
                assert!(
                    !field.starts_with(['=', '+', '-', '@', '\t', '\r']) || is_number,
                    "{field}"
                );
            }
        }
        let markdown = home.harmless(&[arguments, &["--format", "markdown"]].concat());
        assert!(markdown.contains("&lt;img src") || !csv.contains("<img"), "{markdown}");
        for markup in ["<img", "[a](", " `c`", "\n=cmd"] {
            assert!(!markdown.contains(markup), "{markup}: {markdown}");
        }
    }
}

#[test]
fn what_machines_read_is_exact() {
    let home = ingested();
    let sql =
        "SELECT useragent, requestparameters FROM cloudtrail_logs WHERE eventname LIKE 'Create=%'";
    for format in ["json", "ndjson"] {
        let text = home.harmless(&["sql", "--format", format, sql]);
        let rows: Vec<Value> = match format {
            "json" => serde_json::from_str(&text).unwrap(),
            _ => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        };
        assert_eq!(rows.len(), 5);
        for row in rows {
            assert_eq!(row["useragent"], HOSTILE);
            let parameters = row["requestparameters"].as_str().unwrap();
            let parameters: Value = serde_json::from_str(parameters).unwrap();
            assert_eq!(parameters[HOSTILE], HOSTILE);
        }
    }
    let raw =
        home.run(&["sql", "--format", "csv", "--raw", "SELECT useragent FROM cloudtrail_logs"]);
    let mut reader = csv::Reader::from_reader(raw.stdout.as_slice());
    assert!(reader.records().all(|record| record.unwrap().get(0) == Some(HOSTILE)));
    let timeline = home.harmless(&["timeline", "--all", "--no-fold", "--format", "ndjson"]);
    assert!(timeline.lines().count() >= 19, "{timeline}");
    for line in timeline.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["user_agent"], HOSTILE);
    }
}

#[test]
fn reports_are_harmless() {
    let home = Home::new();
    home.harmless(&["ingest", "evidence"]);
    home.harmless(&["ingest", "evidence", "--json"]);
    home.harmless(&["status"]);
    home.harmless(&["status", "--json"]);
    let zip = format!("evidence/{NAME}.zip");
    home.harmless(&["ingest", &zip]);
    home.harmless(&[
        "convert",
        "evidence",
        "-o",
        "parquet",
        "--partition-by",
        "account,region,day",
    ]);
    home.harmless(&["verify", "evidence"]);
    let keys = format!("{NAME} keys.json");
    home.harmless(&["verify", "evidence", "--public-keys", &keys]);
    home.harmless(&["query", "--show", "own_query"]);
    home.harmless(&["forget", &zip]);
    home.harmless(&["forget", HOSTILE]);
}

#[test]
fn dossiers_and_trees_are_harmless() {
    let home = ingested();
    let event = format!("{HOSTILE}30");
    for arguments in [
        &["who", HOSTILE][..],
        &["ip", HOSTILE],
        &["api", &format!("Create{HOSTILE}")],
        &["api", "GetObject"],
        &["key", HOSTILE],
        &["resource", HOSTILE],
        &["event", &event],
        &["trace", HOSTILE],
        &["who", "nobody"],
        &["trace", "nobody"],
    ] {
        for more in [&[][..], &["--json"]] {
            home.harmless(&[arguments, more].concat());
        }
    }
    let seen = home.harmless(&["event", &event]);
    assert!(seen.contains("CreateAccessKey"), "{seen}");
    let seen = home.harmless(&["key", HOSTILE]);
    assert!(seen.contains("19 events") && seen.contains("\\x1b[2J"), "{seen}");
}

#[test]
fn errors_and_notices_are_harmless() {
    let home = ingested();
    let quoted = format!("SELECT * FROM \"{}\"", HOSTILE.replace('"', ""));
    let literal = format!("SELECT date '{}'", HOSTILE.replace('\'', ""));
    for arguments in [
        &["sql", HOSTILE][..],
        &["sql", &quoted],
        &["sql", &literal],
        &["sql", "SELECT CAST(useragent AS integer) FROM cloudtrail_logs"],
        &["sql", "SELECT json_parse(useragent) FROM cloudtrail_logs"],
        &["sql", "-f", HOSTILE],
        &["sql", "--format", HOSTILE, "SELECT 1"],
        &["sql", "SELECT 1", "-o", "no/such/dir/\u{1b}[2J\u{202e}"],
        &[
            "sql",
            &format!(
                "SELECT 1 FROM cloudtrail_logs WHERE eventtime > '2031' AND awsregion = '{}'",
                HOSTILE.replace('\'', "''")
            ),
        ],
        &["query", HOSTILE],
        &["query", "own_query", &format!("{HOSTILE}=1")],
        &["query", "access_key_activity", &format!("since={HOSTILE}")],
        &["query", "top_callers", &format!("top={HOSTILE}")],
        &["timeline", HOSTILE],
        &["timeline", "--since", HOSTILE],
        &["timeline", "--query", HOSTILE],
        &["timeline", "--query", "own_query", HOSTILE],
        &["timeline", &format!("203.0.113.0/{HOSTILE}")],
        &["ingest", HOSTILE],
        &["ingest", &format!("s3://{HOSTILE}")],
        &["ingest", "evidence", "--since", HOSTILE],
        &["ingest", "evidence", "--account", HOSTILE],
        &["verify", HOSTILE],
        &["status", HOSTILE],
        &["status", &format!("--{HOSTILE}")],
        &["--case", HOSTILE, "status"],
        &["--cache", HOSTILE, "status"],
        &["--config", HOSTILE, "status"],
        &["--memory", HOSTILE, "status"],
        &[HOSTILE],
    ] {
        home.harmless(arguments);
    }
    let config = home.config_dir().join("config.toml");
    fs::write(&config, format!("memory = {}\n", json!(HOSTILE))).unwrap();
    home.harmless(&["status"]);
    fs::write(&config, HOSTILE).unwrap();
    home.harmless(&["status"]);
    fs::write(&config, "").unwrap();
    let own = home.config_dir().join("queries").join(format!("{NAME}.sql"));
    fs::write(own, format!("-- title: {}\n-- {HOSTILE}\nSELECT 1", HOSTILE.replace('\n', " ")))
        .unwrap();
    home.harmless(&["query", "--list"]);
}

#[test]
fn colours_are_ours_alone() {
    let home = ingested();
    let sgr = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    let statement = [&["sql", COLUMNS][..], &["timeline", "--all"], &["sql", "SELECT nothing"]];
    for arguments in statement {
        let arguments = [arguments, &["--color", "always", "--format", "table"]].concat();
        let output = home.run(&arguments);
        for stream in [output.stdout, output.stderr] {
            let text = String::from_utf8(stream).unwrap();
            assert_harmless(&sgr.replace_all(&text, ""), &format!("{arguments:?}"));
        }
    }
}

/// What a terminal must never get from us, whatever an editor of lines sends it: parts of
/// [`HOSTILE`].
const NEVER: [&str; 6] = ["\u{1b}[2J", "\u{1b}]0;", "\u{202e}", "\u{200b}", "\u{9b}", "\u{e0041}"];

#[test]
fn the_prompt_and_what_it_completes_are_harmless() {
    let home = ingested();
    let mut command = home.command();
    command.stdin(Stdio::inherit()).env("TERM", "xterm").env("NO_COLOR", "1");
    let process = rexpect::process::PtyProcess::new(command).unwrap();
    let (mut reader, mut writer) =
        (process.get_file_handle().unwrap(), process.get_file_handle().unwrap());
    let seen = std::thread::spawn(move || {
        let mut seen = Vec::new();
        // At its end the other side is gone, which is an error on some systems.
        drop(std::io::copy(&mut reader, &mut seen));
        seen
    });
    for line in [
        "\r",
        ".tables\r",
        ".status\r",
        ".queries\r",
        ".show own_query\r",
        ".run own_query\r",
        ".timeline --all\r",
        ".api GetObject\r",
        ".help .timeline\r",
        "SELECT useragent, awsregion FROM cloudtrail_logs;\r",
        ".mode expanded\r",
        "SELECT useragent FROM cloudtrail_logs LIMIT 1;\r",
        "SELECT 1 FROM cloudtrail_logs WHERE eventname = 'Create\t\t\t",
        "\u{3}",
        "SELECT 1 FROM cloudtrail_logs WHERE awsregion = '=\t\t\t",
        "\u{3}",
        "SELECT CAST(useragent AS integer) FROM cloudtrail_logs;\r",
        ".quit\r",
    ] {
        writer.write_all(line.as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    let patience = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while process.status() == Some(rexpect::process::WaitStatus::StillAlive)
        && std::time::Instant::now() < patience
    {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop((process, writer));
    let seen = seen.join().unwrap();
    let text = String::from_utf8_lossy(&seen);
    assert!(text.contains("own_query") && text.contains("read 10 objects of bucket"), "{text}");
    assert!(text.contains("\\u{202e}"), "{text}");
    for never in NEVER {
        let found = text.find(never).map(|at| {
            let start = text.floor_char_boundary(at.saturating_sub(200));
            text[start..].chars().take(260).collect::<String>()
        });
        assert_eq!(found, None, "{never:?}");
    }
}
