//! `ingest::run` on directories made for it: every outcome, and that the books balance.

mod archives;
mod dedupe;
mod files;
mod large;
mod repeat;
mod writers;

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use trailhound::{
    Result,
    aws::AwsOptions,
    cache::{Cache, Table},
    ingest::{self, InflateLimits, IngestOptions, IngestReport, Progress},
    logs::Limits,
    source::Filter,
};

/// Evidence, a cache beside it, and how the one is ingested into the other.
pub(crate) struct Case {
    dir: tempfile::TempDir,
    options: IngestOptions,
}

impl Case {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["evidence", "tmp"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let options = IngestOptions {
            sources: vec![dir.path().join("evidence").to_str().unwrap().to_owned()],
            filter: Filter::default(),
            aws: AwsOptions::default(),
            versions: false,
            inventories: Vec::new(),
            limits: Limits::default(),
            inflate: InflateLimits::default(),
            memory_bytes: 64 << 20,
            threads: 3,
            temp_dir: dir.path().join("tmp"),
        };
        Self { dir, options }
    }

    /// The path of a piece of evidence.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("evidence").join(name)
    }

    /// The URI of a piece of evidence.
    pub(crate) fn uri(&self, name: &str) -> String {
        let root = self.dir.path().join("evidence").canonicalize().unwrap();
        root.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn cache(&self) -> Cache {
        Cache::create(&self.dir.path().join("cache")).unwrap()
    }

    pub(crate) fn try_ingest(&self) -> Result<IngestReport> {
        ingest::run(&self.cache(), &self.options, &Arc::new(Progress::default()))
    }

    /// Ingests, and checks that the books balance.
    pub(crate) fn ingest(&self) -> IngestReport {
        let report = self.try_ingest().unwrap();
        let (files, records) = (&report.files, &report.records);
        let outcomes = files.ingested + files.unchanged + files.other + files.skipped;
        assert_eq!(files.seen, outcomes, "{report:?}");
        let became = records.written + records.duplicates + records.rejected;
        assert_eq!(records.read, became, "{report:?}");
        assert_eq!(report.skipped.len() as u64, files.skipped);
        assert_eq!(report.other.len() as u64, files.other);
        self.balance();
        report
    }

    /// Every row, copy and reject is in the books of its file, and no more.
    pub(crate) fn balance(&self) {
        let mut found: BTreeMap<(String, String), [u64; 3]> = BTreeMap::new();
        let tables = [
            (Table::Events, 0),
            (Table::Aggregated, 0),
            (Table::Duplicates, 1),
            (Table::Rejects, 2),
        ];
        for (table, place) in tables {
            let mut rows = self.rows(table, &["source_file", "source_version", "record_no"]);
            if table == Table::Aggregated {
                rows.dedup();
            }
            for row in rows {
                let [file, version, _] = <[String; 3]>::try_from(row).unwrap();
                found.entry((file, version)).or_default()[place] += 1;
            }
        }
        for row in self.ledger() {
            let key = (row["uri"].clone(), row["version"].clone());
            let [written, duplicates, rejected] = found.remove(&key).unwrap_or_default();
            let count = |name: &str| row[name].parse::<u64>().unwrap();
            assert_eq!(count("records_written"), written, "{row:?}");
            assert_eq!(count("records_duplicate"), duplicates, "{row:?}");
            assert_eq!(count("records_rejected"), rejected, "{row:?}");
            assert_eq!(count("records_read"), written + duplicates + rejected, "{row:?}");
        }
        assert!(found.is_empty(), "rows of files that are not in the ledger: {found:?}");
    }

    /// The rows of `table`, sorted; NULL is empty.
    pub(crate) fn rows(&self, table: Table, columns: &[&str]) -> Vec<Vec<String>> {
        let cache = self.cache();
        let mut rows = Vec::new();
        let snapshot = cache.snapshot().unwrap();
        cache
            .read(&snapshot, table, columns, None, &mut |batch| {
                rows.extend(text_of(&batch));
                Ok(())
            })
            .unwrap();
        rows.sort();
        rows
    }

    /// One column of the events, sorted.
    pub(crate) fn events(&self, column: &str) -> Vec<String> {
        self.rows(Table::Events, &[column]).into_iter().flatten().collect()
    }

    /// The ledger: the latest row of each version of each file, by column.
    pub(crate) fn ledger(&self) -> Vec<BTreeMap<String, String>> {
        let schema = Table::LogFiles.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut latest: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
        for row in self.rows(Table::LogFiles, &names) {
            let row: BTreeMap<String, String> =
                names.iter().map(|name| (*name).to_owned()).zip(row).collect();
            let key = (row["uri"].clone(), row["version"].clone());
            let part = |row: &BTreeMap<String, String>| row["part"].parse::<i32>().unwrap();
            if latest.get(&key).is_none_or(|known| part(known) < part(&row)) {
                latest.insert(key, row);
            }
        }
        latest.into_values().collect()
    }

    /// The ledger's row of a piece of evidence.
    pub(crate) fn entry(&self, name: &str) -> BTreeMap<String, String> {
        let uri = self.uri(name);
        self.ledger().into_iter().rfind(|row| row["uri"] == uri).unwrap()
    }

    /// Everything in the cache but when it came there, and under which directory.
    pub(crate) fn content(&self) -> Vec<String> {
        let mut content = Vec::new();
        let root = self.uri("").trim_end_matches('/').to_owned();
        let times = ["ingested_at", "found_at", "modified_at"];
        for table in [Table::Events, Table::Aggregated, Table::Duplicates, Table::Rejects] {
            let schema = table.schema();
            let names = schema.fields().iter().map(|field| field.name().as_str());
            let names: Vec<&str> = names.filter(|name| !times.contains(name)).collect();
            for row in self.rows(table, &names) {
                content.push(format!("{} {}", table.name(), row.join("|")));
            }
        }
        for mut row in self.ledger() {
            row.retain(|name, _value| !times.contains(&name.as_str()));
            content.push(format!("log_files {row:?}"));
        }
        content.into_iter().map(|line| line.replace(&root, "")).collect()
    }

    pub(crate) fn version(&self) -> u64 {
        self.cache().snapshot().unwrap().version()
    }
}

fn text_of(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::new().with_null("");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect())
        .collect()
}

/// A record, told apart by its number.
pub(crate) fn record(n: u32) -> String {
    record_as(n, &format!("GetObject{}", n % 7))
}

/// A record whose content can differ from another's with the same number.
pub(crate) fn record_as(n: u32, name: &str) -> String {
    let (minute, second) = (n / 60 % 60, n % 60);
    let hour = n / 3600 % 24;
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","accountId":"111122223333","userName":"u{}"}},"eventTime":"2024-03-05T{hour:02}:{minute:02}:{second:02}Z","eventSource":"s3.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7","requestParameters":{{"bucketName":"example-{n}"}},"responseElements":null,"eventID":"00000000-0000-4000-8000-{n:012}","readOnly":true,"eventType":"AwsApiCall","recipientAccountId":"111122223333"}}"#,
        n % 11
    )
}

/// A delivery file of records.
pub(crate) fn file_of(numbers: impl IntoIterator<Item = u32>) -> String {
    let records: Vec<String> = numbers.into_iter().map(record).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// The id of the record `n`.
pub(crate) fn id(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

pub(crate) fn gzip(data: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// Makes a file older or younger, without a change to its content.
pub(crate) fn touch(path: &Path, seconds: u64) {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}
