//! S3 Inventory reports stand in for listings.

use std::{fs, path::Path};

use super::{
    Bucket, Kind, Plan,
    delivery::{self, Organisation, account_id, gzip, log_key},
    ingest::Case,
    store::md5,
};

const SCHEMA: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, \
                      ETag, StorageClass";

/// The manifest, and (key, content) of its data files.
type Report = (String, Vec<(String, Vec<u8>)>);

/// A report of `bucket` as S3 writes it.
fn report(bucket: &Bucket, schema: &str) -> Report {
    let rows: Vec<String> = bucket
        .objects
        .iter()
        .flat_map(|(key, versions)| {
            let latest = versions.len() - 1;
            // In no order.
            versions.iter().enumerate().map(move |(n, version)| {
                let modified = chrono::DateTime::<chrono::Utc>::from(version.modified_at);
                let cell = |name: &str| match name {
                    "Bucket" => "logs".to_owned(),
                    "Key" => key.replace(' ', "+").replace('=', "%3D"),
                    "VersionId" => version.id.clone(),
                    "IsLatest" => (n == latest).to_string(),
                    "IsDeleteMarker" => version.is_marker().to_string(),
                    "Size" if version.is_marker() => String::new(),
                    "Size" => version.size_bytes.to_string(),
                    "LastModifiedDate" => modified.format("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
                    "ETag" => version.etag.clone(),
                    _ => version.storage_class.clone().unwrap_or("STANDARD".to_owned()),
                };
                let cells: Vec<String> =
                    schema.split(", ").map(|name| format!("\"{}\"", cell(name))).collect();
                cells.join(",") + "\n"
            })
        })
        .collect();
    let (one, other) = rows.split_at(rows.len() / 2);
    let files: Vec<(String, Vec<u8>)> = [one, other]
        .iter()
        .enumerate()
        .map(|(n, rows)| (format!("inv/logs/daily/data/{n}.csv.gz"), gzip(&rows.concat()).to_vec()))
        .collect();
    let listed: Vec<String> = files
        .iter()
        .map(|(key, bytes)| {
            let (size, md5) = (bytes.len(), md5(bytes));
            format!("{{\"key\":\"{key}\",\"size\":{size},\"MD5checksum\":\"{md5}\"}}")
        })
        .collect();
    let manifest = format!(
        "{{\"sourceBucket\":\"logs\",\"destinationBucket\":\"arn:aws:s3:::reports\",\
         \"version\":\"2016-11-30\",\"creationTimestamp\":\"1719792000000\",\
         \"fileFormat\":\"CSV\",\"fileSchema\":\"{schema}\",\"files\":[{}]}}",
        listed.join(",")
    );
    (manifest, files)
}

const DATED: &str = "inv/logs/daily/2024-07-01T00-00Z";

/// Writes a report below `dir` as `aws s3 sync` copies it.
fn copy_to(dir: &Path, (manifest, files): &Report) {
    let all = files.iter().map(|(key, bytes)| (key.clone(), bytes.as_slice()));
    let manifest = (format!("{DATED}/manifest.json"), manifest.as_bytes());
    for (key, bytes) in all.chain([manifest]) {
        fs::create_dir_all(dir.join(&key).parent().unwrap()).unwrap();
        fs::write(dir.join(&key), bytes).unwrap();
    }
}

fn evidence() -> Bucket {
    let organisation = Organisation { accounts: 2, regions: 2, days: 4, log_files: 60 };
    let mut bucket = Bucket { keeps_versions: true, ..organisation.bucket("logs") };
    let log = delivery::log_file(&log_key(&account_id(0), "us-east-1", 1, 1));
    bucket.put("year=2024/team a/x.json.gz", log.clone());
    bucket.put("AWSLogs/111122223331/Config/us-east-1/y.json.gz", log);
    let gone = bucket.keys().next().unwrap().to_owned();
    bucket.delete(&gone);
    bucket
}

#[test]
fn a_report_gives_what_a_listing_gives() {
    let bucket = evidence();
    let report = report(&bucket, SCHEMA);
    let dir = tempfile::tempdir().unwrap();
    copy_to(dir.path(), &report);
    let mut reports = Bucket::evidence("reports");
    for (key, bytes) in &report.1 {
        reports.put(key, bytes.clone());
    }
    reports.put(&format!("{DATED}/manifest.json"), report.0.clone());
    let case = Case::with_buckets([bucket, reports], Plan::none());
    let folder = dir.path().join(DATED);
    let local = folder.to_str().unwrap();
    for filter in [&[][..], &["--since", "2024-01-02", "--until", "2024-01-02"], &["--versions"]] {
        // In another cache each time.
        let listed = case.ingest_anew(filter);
        assert_eq!(listed.code, Some(0), "{}", listed.said);
        case.server.forget_requests();
        for manifest in [local, &format!("s3://reports/{DATED}/manifest.json")] {
            let told = case.ingest_anew(&[filter, &["--inventory", manifest]].concat());
            assert_eq!(told.report["files"], listed.report["files"], "{manifest} {}", told.said);
            assert_eq!(told.report["records"], listed.report["records"], "{manifest}");
            assert!(told.said.contains("an inventory made at 2024-07-01T00:00:00Z"));
        }
        assert_eq!(case.server.requests(Kind::List), 0, "nothing is listed");
    }
}

#[test]
fn a_report_that_is_not_what_it_should_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let case = Case::new(evidence(), Plan::none());
    let bucket = evidence();
    let refused = |name: &str, change: &dyn Fn(&mut Report)| {
        let mut report = report(&bucket, SCHEMA);
        change(&mut report);
        let dir = dir.path().join(name);
        copy_to(&dir, &report);
        let manifest = dir.join(DATED).join("manifest.json");
        let run = case.ingest(&["--inventory", manifest.to_str().unwrap()]);
        assert_eq!(run.code, Some(2), "{name}: {}", run.report);
        let said = run.said.replace(dir.canonicalize().unwrap().to_str().unwrap(), "DIR");
        let said = said.replace(dir.to_str().unwrap(), "DIR");
        format!("-- {name}\n{said}")
    };
    let replaced = |from: &'static str, to: &'static str| {
        move |report: &mut Report| report.0 = report.0.replace(from, to)
    };
    let all = [
        refused("in Parquet", &replaced("\"CSV\"", "\"Parquet\"")),
        refused("of another bucket", &replaced("\"logs\"", "\"other\"")),
        refused("without ETag", &replaced(", ETag", ", Tag")),
        refused("no manifest", &|report| report.0 = "[]".to_owned()),
        refused("a file is missing", &|report| drop(report.1.pop())),
        refused("a file was changed", &|report| {
            let text =
                "\"logs\",\"k\",\"v\",\"true\",\"false\",\"1\",\"2024-07-01T00:00:00Z\",\"e\",\"\"";
            report.1[1].1 = gzip(text).to_vec();
        }),
        refused("a file is cut", &|report| report.1[0].1.truncate(99)),
    ];
    insta::assert_snapshot!(all.join("\n"));
}
