//! An empty answer is not a clean one: a question beyond what the cache covers is told so, however a
//! published query spells it, over Athena's schema and over Lake's.

use std::sync::Arc;

use futures::StreamExt;
use tokio::runtime::Runtime;
use trailhound::{
    aws::AwsOptions,
    cache::Cache,
    engine::{Session, SessionOptions},
    ingest::{self, InflateLimits, IngestOptions, Progress},
    logs::Limits,
    source::Filter,
};

/// A cache with three management events of one account and region, from 2024-01-10 to 2024-01-12.
struct Archive {
    session: Session,
    runtime: Runtime,
    _temp: tempfile::TempDir,
}

const ATHENA: &str = "cloudtrail_logs";
const LAKE: &str = "cloudtrail_lake";

impl Archive {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let record = |time: &str, name: &str, id: u32| {
            format!(
                r#"{{"eventVersion":"1.09","userIdentity":{{"type":"IAMUser","accountId":"111122223333","userName":"alice"}},"eventTime":"{time}","eventSource":"s3.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","requestParameters":null,"responseElements":null,"eventID":"00000000-0000-4000-8000-00000000000{id}","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#
            )
        };
        let records = [
            record("2024-01-10T08:00:00Z", "ListBuckets", 1),
            record("2024-01-11T12:30:00Z", "CreateBucket", 2),
            record("2024-01-12T18:00:00Z", "DeleteBucket", 3),
        ];
        let source = temp.path().join("logs.json");
        std::fs::write(&source, format!("{{\"Records\":[{}]}}", records.join(","))).unwrap();
        let cache = Arc::new(Cache::create(&temp.path().join("cache")).unwrap());
        let options = IngestOptions {
            sources: vec![source.to_str().unwrap().to_owned()],
            filter: Filter::default(),
            aws: AwsOptions::default(),
            versions: false,
            inventories: Vec::new(),
            limits: Limits::default(),
            inflate: InflateLimits::default(),
            memory_bytes: 64 << 20,
            threads: 1,
            temp_dir: temp.path().to_owned(),
        };
        ingest::run(&cache, &options, &Arc::new(Progress::default())).unwrap();
        let options = SessionOptions {
            memory_bytes: 64 << 20,
            temp_dir: temp.path().to_owned(),
            threads: 1,
            table_names: Vec::new(),
            strict: false,
        };
        let session = Session::open(cache, &options).unwrap();
        Self { session, runtime: Runtime::new().unwrap(), _temp: temp }
    }

    /// What the answer about coverage says of `predicate` over `table`.
    fn said(&self, table: &str, predicate: &str) -> Vec<String> {
        let sql = format!("SELECT eventname FROM {table} WHERE {predicate}");
        self.runtime.block_on(async {
            let statement = self.session.parse(&sql, None).unwrap().remove(0);
            let mut answer = self.session.run(&statement).await.unwrap();
            while let Some(batch) = answer.rows.next().await {
                batch.unwrap();
            }
            let notices = answer.notices.into_iter();
            notices.filter(|notice| !notice.contains("Athena takes")).collect()
        })
    }

    #[track_caller]
    fn says(&self, expected: &str, table: &str, predicates: &[&str]) {
        for predicate in predicates {
            let said = self.said(table, predicate);
            assert!(
                said.iter().any(|notice| notice.starts_with(expected)),
                "{table}: {predicate}\n{said:?}"
            );
        }
    }

    #[track_caller]
    fn is_silent(&self, table: &str, predicates: &[&str]) {
        for predicate in predicates {
            assert_eq!(self.said(table, predicate), [""; 0], "{table}: {predicate}");
        }
    }
}

#[test]
fn a_question_about_times_before_the_first_event_says_so() {
    let archive = Archive::new();
    let said = "the cache holds no events before 2024-01-10T08:00:00Z; this query asks for";
    archive.says(
        said,
        ATHENA,
        &[
            "eventtime < '2024-01-01T00:00:00Z'",
            "eventtime BETWEEN '2023-12-01' AND '2023-12-31'",
            "eventtime LIKE '2023-12%'",
            "substr(eventtime, 1, 10) = '2023-12-24'",
            "substr(eventtime, 1, 7) IN ('2023-11', '2023-12')",
            "from_iso8601_timestamp(eventtime) < TIMESTAMP '2024-01-01 00:00:00 UTC'",
            "from_iso8601_timestamp(eventtime) < from_iso8601_timestamp('2024-01-01T00:00:00Z')",
            "date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') < TIMESTAMP '2024-01-01 00:00:00'",
            "date_parse(eventtime, '%Y-%m-%dT%TZ') < date_parse('2024-01-01', '%Y-%m-%d')",
            "date_parse(substr(eventtime, 1, 10), '%Y-%m-%d') = DATE '2023-12-24'",
            "parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z''') < parse_datetime('2024-01-01', 'yyyy-MM-dd')",
            "parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ssZ') < TIMESTAMP '2024-01-01 00:00:00 UTC'",
            "date_trunc('day', from_iso8601_timestamp(eventtime)) = TIMESTAMP '2023-12-24 00:00:00 UTC'",
            "date_trunc('month', date_parse(eventtime, '%Y-%m-%dT%TZ')) < TIMESTAMP '2024-01-01 00:00:00'",
            "CAST(from_iso8601_timestamp(eventtime) AS date) = DATE '2023-12-24'",
            "CAST(substr(eventtime, 1, 10) AS date) < DATE '2024-01-01'",
            "date(from_iso8601_timestamp(eventtime)) <= DATE '2023-12-24'",
            "date_format(from_iso8601_timestamp(eventtime), '%Y-%m-%d') = '2023-12-24'",
            "eventtime < TIMESTAMP '2024-01-01 00:00:00'",
            "year = '2023'",
            "year = '2023' AND month = '12' AND day = '24'",
            "\"timestamp\" = '2023/12/24'",
            "date BETWEEN '2023-12-01' AND '2023-12-31'",
        ],
    );
    archive.says(
        said,
        LAKE,
        &[
            "eventtime < '2024-01-01 00:00:00'",
            "eventtime < '2024-01-01'",
            "eventtime < TIMESTAMP '2024-01-01 00:00:00'",
            "eventtime BETWEEN '2023-12-01 00:00:00' AND '2023-12-31 23:59:59'",
            "date_trunc('day', eventtime) = TIMESTAMP '2023-12-24 00:00:00 UTC'",
            "CAST(eventtime AS date) = DATE '2023-12-24'",
            "date(eventtime) < DATE '2023-12-24'",
            "date_format(eventtime, '%Y-%m-%d') = '2023-12-24'",
            "year = '2023'",
        ],
    );
}

#[test]
fn a_question_about_times_after_the_last_event_says_so() {
    let archive = Archive::new();
    let said = "the cache holds no events after 2024-01-12T18:00:00Z; this query asks for";
    archive.says(
        said,
        ATHENA,
        &[
            "eventtime >= '2024-02-01T00:00:00Z'",
            "eventtime > '2024-01-12T20:00:00Z' AND eventtime < '2024-01-13T00:00:00Z'",
            "from_iso8601_timestamp(eventtime) > current_timestamp - interval '7' day",
            "from_iso8601_timestamp(eventtime) > date_add('day', -7, now())",
            "eventtime > to_iso8601(current_timestamp - interval '7' day)",
            "eventtime > date_format(current_timestamp - interval '7' day, '%Y-%m-%dT%H:%i:%sZ')",
            "eventtime > current_timestamp - interval '7' day",
            "date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') > current_date - interval '30' day",
            "parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z''') >= TIMESTAMP '2024-02-01 00:00:00 UTC'",
            "date_trunc('hour', from_iso8601_timestamp(eventtime)) > TIMESTAMP '2024-01-12 18:00:00 UTC'",
            "date(from_iso8601_timestamp(eventtime)) > DATE '2024-01-12'",
            "date_format(from_iso8601_timestamp(eventtime), '%Y-%m') = '2024-02'",
            "CAST(eventtime AS timestamp) > TIMESTAMP '2024-02-01 00:00:00'",
            "year = '2024' AND month = '02'",
            "dt >= '2024/02/01'",
        ],
    );
    archive.says(
        said,
        LAKE,
        &[
            "eventtime > '2024-02-01 00:00:00'",
            "eventtime > date_add('day', -7, now())",
            "eventtime > now() - interval '7' day",
            "eventtime >= current_date - interval '1' month",
            "eventtime > date_format(date_add('day', -1, now()), '%Y-%m-%d %H:%i:%s')",
            "date_trunc('month', eventtime) = TIMESTAMP '2024-02-01 00:00:00 UTC'",
        ],
    );
}

#[test]
fn a_question_about_an_account_that_was_never_seen_says_so() {
    let archive = Archive::new();
    for table in [ATHENA, LAKE] {
        archive.says(
            "no events of account 444455556666 are in the cache",
            table,
            &[
                "recipientaccountid = '444455556666'",
                "recipientAccountId IN ('111122223333', '444455556666')",
                "userIdentity.accountId = '444455556666'",
                "useridentity.accountid = '111122223333' OR useridentity.accountid = '444455556666'",
                "account = '444455556666'",
                "account_partition = '444455556666'",
                "eventname = 'ConsoleLogin' AND (recipientaccountid = '444455556666')",
            ],
        );
    }
}

#[test]
fn a_question_about_a_region_that_was_never_seen_says_so() {
    let archive = Archive::new();
    for table in [ATHENA, LAKE] {
        archive.says(
            "no events of region eu-west-1 are in the cache",
            table,
            &[
                "awsregion = 'eu-west-1'",
                "awsRegion IN ('us-east-1', 'eu-west-1')",
                "region = 'eu-west-1'",
                "region_partition = 'eu-west-1'",
                "awsregion = 'eu-west-1' AND eventname = 'RunInstances'",
            ],
        );
    }
}

#[test]
fn a_question_about_objects_in_s3_that_no_trail_recorded_says_so() {
    let archive = Archive::new();
    for table in [ATHENA, LAKE] {
        archive.says(
            "no data events (S3 objects, Lambda invocations, …) are in the cache",
            table,
            &[
                "eventsource = 's3.amazonaws.com' AND eventname = 'GetObject'",
                "eventname IN ('GetObject', 'PutObject', 'DeleteObject')",
                "eventname = 'GetObject' OR eventname = 'PutObject'",
                "eventcategory = 'Data'",
                "eventsource = 's3.amazonaws.com' AND eventcategory = 'Data' AND readonly IS NOT NULL",
            ],
        );
    }
    archive.says(
        "no data events (S3 objects, Lambda invocations, …) are in the cache",
        ATHENA,
        &["eventname = 'GetObject' AND json_extract_scalar(requestparameters, '$.bucketName') = 'b'"],
    );
    archive.says(
        "no data events (S3 objects, Lambda invocations, …) are in the cache",
        LAKE,
        &["eventname = 'GetObject' AND element_at(requestparameters, 'bucketName') = 'b'"],
    );
}

#[test]
fn a_question_about_lambda_that_no_trail_recorded_says_so() {
    let archive = Archive::new();
    for table in [ATHENA, LAKE] {
        archive.says(
            "no data events (S3 objects, Lambda invocations, …) are in the cache",
            table,
            &[
                "eventname = 'Invoke'",
                "eventsource = 'lambda.amazonaws.com' AND eventname = 'Invoke'",
                "eventname IN ('Invoke', 'ListFunctions20150331')",
            ],
        );
    }
    // Other data events are there: then it is those of Lambda that are not.
    let sql = crate::sql::Sql::new();
    for table in [ATHENA, LAKE] {
        let notices = sql.notices(&format!(
            "SELECT eventtime FROM {table} WHERE eventsource = 'lambda.amazonaws.com' AND eventname = 'Invoke'"
        ));
        assert_eq!(notices[0], "no data events of Lambda invocations are in the cache", "{table}");
    }
}

#[test]
fn a_question_within_what_is_covered_hears_nothing() {
    let archive = Archive::new();
    archive.is_silent(
        ATHENA,
        &[
            "eventtime BETWEEN '2024-01-10T08:00:00Z' AND '2024-01-12T18:00:00Z'",
            "from_iso8601_timestamp(eventtime) BETWEEN TIMESTAMP '2024-01-11 00:00:00 UTC' AND TIMESTAMP '2024-01-12 00:00:00 UTC'",
            "date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') BETWEEN TIMESTAMP '2024-01-11 00:00:00' AND TIMESTAMP '2024-01-12 00:00:00'",
            "date_trunc('hour', from_iso8601_timestamp(eventtime)) = TIMESTAMP '2024-01-11 12:00:00 UTC'",
            "substr(eventtime, 1, 10) = '2024-01-11'",
            "eventtime LIKE '2024-01-11%'",
            "date_format(from_iso8601_timestamp(eventtime), '%Y-%m-%d') = '2024-01-11'",
            "recipientaccountid = '111122223333' AND awsregion = 'us-east-1' AND eventname = 'ListBuckets'",
            "eventcategory = 'Management'",
        ],
    );
    archive.is_silent(
        LAKE,
        &[
            "eventtime > '2024-01-11 00:00:00' AND eventtime < '2024-01-12 00:00:00'",
            "date_trunc('day', eventtime) = TIMESTAMP '2024-01-11 00:00:00 UTC'",
            "recipientaccountid = '111122223333' AND managementevent = true",
        ],
    );
}

#[test]
fn it_is_said_on_stderr_and_not_among_the_rows() {
    let scene = crate::cli::Scene::ingested();
    let ask = |more: &[&str]| {
        let sql = "SELECT requestparameters.bucketname FROM cloudtrail_logs WHERE awsregion = 'eu-west-1'";
        scene.command().args([&["sql", sql], more].concat()).output().unwrap()
    };
    let output = ask(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "bucketname\n");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no events of region eu-west-1 are in the cache"), "{said}");
    assert!(said.contains("`requestparameters.bucketname` is taken as the member"), "{said}");
    let strict = ask(&["--strict"]);
    assert_eq!(strict.status.code(), Some(2));
    let said = String::from_utf8_lossy(&strict.stderr).into_owned();
    assert!(
        said.contains("write json_extract_scalar(requestparameters, '$.bucketName')"),
        "{said}"
    );
}
