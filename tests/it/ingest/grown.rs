//! Caches that an earlier build wrote, with fewer columns.

use std::{fs, fs::File, path::Path};

use arrow::array::RecordBatch;
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use serde_json::Value;
use trailhound::cache::Table;

use super::{Case, file_of};

/// The columns that the first release's ledger did not have.
const LATER: [&str; 3] = ["metadata", "removed", "removed_at"];

/// Makes the ledger below `dir` one of the first release: its files, and what its log says.
fn age(dir: &Path) {
    let dir = dir.join(Table::LogFiles.name());
    for entry in fs::read_dir(&dir).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|end| end == "parquet") {
            shrink(&entry.path());
        }
    }
    for entry in fs::read_dir(dir.join("_delta_log")).unwrap().map(Result::unwrap) {
        let Ok(log) = fs::read_to_string(entry.path()) else { continue };
        let lines = log.lines().map(|line| {
            let mut action: Value = serde_json::from_str(line).unwrap();
            if let Some(Value::String(schema)) = action.pointer_mut("/metaData/schemaString") {
                let mut known: Value = serde_json::from_str(schema).unwrap();
                let fields = known["fields"].as_array_mut().unwrap();
                fields.retain(|field| !LATER.contains(&field["name"].as_str().unwrap()));
                *schema = known.to_string();
            }
            if let Some(add) = action.get_mut("add") {
                let path = dir.join(add["path"].as_str().unwrap());
                add["size"] = fs::metadata(path).unwrap().len().into();
            }
            format!("{action}\n")
        });
        let aged: String = lines.collect();
        fs::write(entry.path(), aged).unwrap();
    }
}

fn shrink(path: &Path) {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build();
    let batches: Vec<RecordBatch> =
        reader.unwrap().map(|batch| drop_later(&batch.unwrap())).collect();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batches[0].schema(), None).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
}

fn drop_later(batch: &RecordBatch) -> RecordBatch {
    let mut batch = batch.clone();
    for name in LATER {
        batch.remove_column(batch.schema().index_of(name).unwrap());
    }
    batch
}

/// The names of the ledger's columns, as other readers are told them.
fn told(dir: &Path) -> Vec<String> {
    let log = dir.join(Table::LogFiles.name()).join("_delta_log");
    let mut entries: Vec<_> =
        fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.retain(|path| path.extension().is_some_and(|end| end == "json"));
    entries.sort();
    let mut names = Vec::new();
    for entry in entries {
        for line in fs::read_to_string(entry).unwrap().lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            let Some(schema) = action.pointer("/metaData/schemaString") else { continue };
            let schema: Value = serde_json::from_str(schema.as_str().unwrap()).unwrap();
            let fields = schema["fields"].as_array().unwrap();
            names = fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
        }
    }
    names
}

#[test]
fn a_cache_of_an_earlier_build_is_read_and_gets_the_later_columns() {
    let case = Case::new();
    case.write("a.json", file_of(0..10));
    case.ingest();
    let dir = case.dir.path().join("cache");
    age(&dir);
    assert!(LATER.iter().all(|name| !told(&dir).contains(&(*name).to_owned())), "it is aged");

    // Read by who does not write; the old row is whole and says nothing of what it does not know.
    let rows = crate::support::batches(&dir, Table::LogFiles);
    for name in LATER {
        assert_eq!(crate::support::column(&rows, name), [None], "{name}");
    }
    assert_eq!(crate::support::column(&rows, "records_written"), [Some("10".to_owned())]);
    assert!(LATER.iter().all(|name| !told(&dir).contains(&(*name).to_owned())));

    case.write("b.json", file_of(10..20));
    let report = case.ingest();
    assert_eq!((report.files.unchanged, report.files.ingested), (1, 1));
    for name in LATER {
        assert!(told(&dir).contains(&name.to_owned()), "other readers are told of `{name}`");
    }
    let report = case.ingest();
    assert_eq!((report.files.unchanged, report.files.ingested), (2, 0));
    assert_eq!(case.rows(Table::LogFiles, &["metadata", "outcome"]).len(), 2);
}
