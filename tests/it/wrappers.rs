//! What records come wrapped in is kept: every value of a wrapper is in the cache again, and nothing
//! is there that the file does not hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::Path,
};

use base64::Engine as _;
use serde_json::Value;
use trailhound::cache::Table;

use crate::support::{batches, column, from_root, ingest_into, shared_data};

/// Values by the names that lead to them; positions in arrays do not count, rows are apart.
#[derive(Debug, Default)]
struct Leaves {
    values: BTreeSet<(String, String)>,
    /// The names that lead to records.
    records: BTreeSet<String>,
}

impl Leaves {
    fn add(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(members) if is_record(value) || members.is_empty() => {
                if is_record(value) {
                    self.records.insert(path.to_owned());
                } else {
                    self.values.insert((path.to_owned(), "{}".to_owned()));
                }
            }
            Value::Object(members) => {
                for (key, value) in members {
                    self.add(&format!("{path}.{key}"), value);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    self.add(path, item);
                }
            }
            Value::String(text) if embedded(text).is_some() => {
                self.add(path, &embedded(text).unwrap());
            }
            other => {
                self.values.insert((path.to_owned(), other.to_string()));
            }
        }
    }
}

fn is_record(value: &Value) -> bool {
    ["eventVersion", "eventSource"].iter().all(|key| value.get(*key).is_some())
}

/// The JSON that a text holds, in base64 perhaps.
fn embedded(text: &str) -> Option<Value> {
    let json = |bytes: &[u8]| {
        let value = serde_json::from_slice::<Value>(bytes).ok()?;
        (value.is_object() || value.is_array()).then_some(value)
    };
    json(text.as_bytes()).or_else(|| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
        json(&bytes)
    })
}

/// The documents of a file, unless it holds something other than JSON.
fn documents(path: &Path) -> Option<Vec<Value>> {
    let bytes = std::fs::read(path).unwrap();
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let inflated = flate2::read::MultiGzDecoder::new(&bytes[..]);
        std::io::copy(&mut inflated.take(1 << 30), &mut text).unwrap();
    } else {
        text = bytes;
    }
    serde_json::Deserializer::from_slice(&text).into_iter().collect::<Result<_, _>>().ok()
}

/// Compares the wrappers in each file below `source` with those in the cache; gives the number of
/// files whose records were wrapped.
fn check(source: &Path) -> usize {
    let cache = tempfile::tempdir().unwrap();
    ingest_into(cache.path(), source);
    let mut kept = BTreeMap::<String, Leaves>::new();
    for table in [Table::Events, Table::Duplicates] {
        let rows = batches(cache.path(), table);
        let files = column(&rows, "source_file").into_iter();
        for (file, envelope) in files.zip(column(&rows, "envelope")) {
            if let Some(envelope) = envelope {
                kept.entry(file.unwrap())
                    .or_default()
                    .add("", &serde_json::from_str(&envelope).unwrap());
            }
        }
    }
    let ledger = batches(cache.path(), Table::LogFiles);
    for (file, wrapper) in column(&ledger, "uri").into_iter().zip(column(&ledger, "wrapper")) {
        if let Some(wrapper) = wrapper {
            kept.entry(file.unwrap())
                .or_default()
                .add("", &serde_json::from_str(&wrapper).unwrap());
        }
    }
    let mut n_files = 0;
    for (file, mut kept) in kept {
        let Some(documents) = documents(Path::new(&file)) else { continue };
        let mut theirs = Leaves::default();
        for document in documents {
            let mut leaves = Leaves::default();
            leaves.add("", &document);
            // One that wraps no record, such as a subscription's test message, is no wrapper.
            if !leaves.records.is_empty() {
                theirs.values.append(&mut leaves.values);
                theirs.records.append(&mut leaves.records);
            }
        }
        // A record left `null` behind.
        kept.values.retain(|(path, value)| value != "null" || !theirs.records.contains(path));
        theirs.values.retain(|(path, value)| value != "null" || !theirs.records.contains(path));
        assert_eq!(kept.values, theirs.values, "{file}");
        n_files += 1;
    }
    n_files
}

#[test]
fn wrappers_of_every_shape_are_kept() {
    let mut n_files = 0;
    for entry in std::fs::read_dir(from_root("testdata/shapes")).unwrap() {
        n_files += check(&entry.unwrap().path());
    }
    assert!(n_files >= 8, "only {n_files} files with wrappers were compared");
}

#[test]
fn wrappers_of_the_samples_are_kept() {
    let Some(data) = shared_data("wrappers_of_the_samples_are_kept") else { return };
    assert_eq!(check(&data), 13);
}
